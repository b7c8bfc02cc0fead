"""Keeps what was computed from a scenario's data, as long as nothing that it shows has changed."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Generic, TypeVar

from sqlmodel import Session

from reallabor.german import today
from reallabor.models import data_versions
from reallabor.models.data_version import ALL
from reallabor.settings import get_settings

T = TypeVar("T")
MOST_KEPT = 300

Label = tuple[int, int, date, str]
"""Version of what all share, version of the scenario, the day (findings expire), and the content
files. Versions come from the reading session itself: a value is never newer than its label."""


class Versioned(Generic[T]):
    """Values by scenario, the least recently used forgotten first."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._kept: OrderedDict[tuple[str, int], tuple[Label, T]] = OrderedDict()
        self._most = most
        self._lock = threading.RLock()

    def find(
        self,
        session: Session,
        scenarios: Sequence[int],
        compute: Callable[[Sequence[int]], Mapping[int, T]],
    ) -> dict[int, T]:
        """The values of these scenarios (row ids) as they are now; `compute` gets those that are
        not kept, and reads all of it itself: what was read before the versions may be older than
        the label under which it would be kept. A session that has written reads past everything
        that is kept: what it sees may never be committed."""
        if _has_written(session):
            return dict(compute(scenarios))
        versions, day, content = data_versions(session), today(), _content_digest()
        labels: dict[int, Label] = {
            each: (versions.get(ALL, 0), versions.get(each, 0), day, content) for each in scenarios
        }
        address = str(session.get_bind().engine.url)
        # Held while computing: of thirty people who come at once one computes, the others wait.
        with self._lock:
            found = {}
            for each in scenarios:
                label, value = self._kept.get((address, each), (None, None))
                if label == labels[each] and value is not None:
                    found[each] = value
                    self._kept.move_to_end((address, each))
            missing = [each for each in scenarios if each not in found]
            if missing:
                computed = compute(missing)
                found.update(computed)
                for each in missing[-self._most :]:
                    self._kept[address, each] = (labels[each], computed[each])
                    self._kept.move_to_end((address, each))
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return found


def _has_written(session: Session) -> bool:
    return bool(session.info.get("raised") or session.new or session.dirty or session.deleted)


def _content_digest() -> str:
    """Of the files whose rules a comparison applies: gates, thresholds, scales, rubrics."""
    folder = get_settings().content / "evaluations"
    files = sorted(folder.glob("*.yaml"))
    return _digest(tuple((file, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


@lru_cache(maxsize=4)
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    joined = sha256()
    for file, _, _ in files:
        joined.update(file.name.encode() + b"\x00" + file.read_bytes() + b"\x00")
    return joined.hexdigest()
