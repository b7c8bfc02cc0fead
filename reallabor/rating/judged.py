"""Keeps what was computed from the judgements of a round, as long as none of them changes."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlmodel import Session, func, select

from reallabor.models import Adjudication, Rating, Round

T = TypeVar("T")
MOST_KEPT = 200


class Judged(Generic[T]):
    """Values by round. The key holds the newest judgement and the newest revision, so that nobody
    sees old figures."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._kept: OrderedDict[tuple[Any, ...], T] = OrderedDict()
        self._most = most

    def get(self, session: Session, round_: Round, compute: Callable[[], T]) -> T:
        """The value for the round as it is now, computed where it is not kept."""
        newest = [
            tuple(
                session.exec(
                    select(func.max(table.id), func.max(table.superseded_at)).where(
                        table.round_id == round_.id
                    )
                ).one()
            )
            for table in (Rating, Adjudication)
        ]
        key = (str(session.get_bind().engine.url), round_.id, round_.released_at, *newest)
        if key not in self._kept:
            self._kept[key] = compute()
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return self._kept[key]
