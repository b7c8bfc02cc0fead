"""Which judgements raters of a blind round disagree on; read by adjudication alone."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlmodel import Session, and_, col, func, or_, select

from reallabor.evaluations import RubricContent
from reallabor.models import (
    Criterion,
    Output,
    Rating,
    Round,
    RoundOrigin,
    Rubric,
    TrialRun,
    row_id,
)
from reallabor.rating.adjudicated import Place, adjudications, basis_of
from reallabor.recording.hidden_outputs import is_hidden


@dataclass(frozen=True)
class Dispute:
    """One criterion of one output on which raters disagree; names no system, run or person."""

    token: str
    """Stands for output and criterion towards the browser; says nothing of its origin."""
    seen: str
    """Stands for the ratings as they are now; a decision on others is refused."""
    criterion: str
    distance: float
    """Highest minus lowest level."""
    gate: bool
    """Whether some ratings hit an exclusion criterion and others do not."""
    level: float | None
    """What was decided, if anything."""
    reason: str
    outdated: bool
    """Whether ratings changed after the decision: then it counts no more, and is due again."""
    place: Place = field(repr=False)
    """Row ids; never sent to a browser."""
    organisation_id: int | None = field(repr=False)
    """Whose run the output is from; never sent to a browser."""
    ratings: dict[int, tuple[int, float]] = field(repr=False)
    """Row id of the rating and its level, by row id of the rater."""
    basis: str = field(repr=False)
    """Digest of these ratings, as `adjudicated.basis_of` makes it."""

    @property
    def open(self) -> bool:
        return self.level is None or self.outdated


def find_disputes(session: Session, round_: Round) -> list[Dispute]:
    """All disputes of a round, decided or not; see `adjudicating.list_disputes` for their order.

    Disputed is a judgement where levels lie half the scale or more apart, or where some ratings,
    but not all, hit an exclusion criterion of the rubric. Imported ratings open none, and an output
    in quarantine is shown to nobody.
    """
    if round_.origin != RoundOrigin.BLIND:
        return []
    rubric = session.get_one(Rubric, round_.rubric_id)
    criteria = {
        row_id(row.id): row
        for row in session.exec(select(Criterion).where(Criterion.rubric_id == rubric.id))
    }
    limits = _gate_limits(rubric, criteria)
    ratings, houses = _disputed_ratings(session, round_, rubric, limits)
    decided = adjudications(session, round_) if ratings else {}
    found = []
    for place, given in ratings.items():
        levels = [level for _, level in given.values()]
        token = _token(round_, f"{place[0]}/{place[1]}")
        stored = decided.get(place)
        basis = basis_of({rater: level for rater, (_, level) in given.items()})
        found.append(
            Dispute(
                token=token,
                seen=_token(round_, f"{token}/{basis}"),
                criterion=criteria[place[1]].key,
                distance=max(levels) - min(levels),
                gate=any(min(levels) <= limit < max(levels) for limit in limits.get(place[1], ())),
                level=stored.level if stored else None,
                reason=stored.reason if stored else "",
                outdated=stored is not None and stored.basis != basis,
                place=place,
                organisation_id=houses[place[0]],
                ratings=given,
                basis=basis,
            )
        )
    found.sort(
        key=lambda each: (
            -each.distance,
            -criteria[each.place[1]].weight,
            _token(round_, str(each.place[0])),
            criteria[each.place[1]].position,
        )
    )
    return found


def _disputed_ratings(
    session: Session, round_: Round, rubric: Rubric, limits: Mapping[int, list[float]]
) -> tuple[dict[Place, dict[int, tuple[int, float]]], dict[int, int | None]]:
    """The ratings of every disputed place by rater, and the organisation of every output there."""
    current = (Rating.round_id == round_.id, col(Rating.superseded_at).is_(None))
    low, high = func.min(Rating.level), func.max(Rating.level)
    places = (
        select(Rating.output_id, Rating.criterion_id)
        .where(*current)
        .group_by(col(Rating.output_id), col(Rating.criterion_id))
        .having(
            or_(
                high - low >= (rubric.scale_max - rubric.scale_min) / 2,
                *(
                    and_(Rating.criterion_id == criterion, low <= limit, high > limit)
                    for criterion, several in limits.items()
                    for limit in several
                ),
            )
        )
        .subquery()
    )
    rows = session.exec(
        select(  # type: ignore[call-overload]
            Rating.output_id, Rating.criterion_id, Rating.rater_id, Rating.id, Rating.level,
            TrialRun.organisation_id,
        )
        .join(
            places,
            and_(
                places.c.output_id == Rating.output_id, places.c.criterion_id == Rating.criterion_id
            ),
        )
        .join(Output, col(Output.id) == Rating.output_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .where(*current, ~is_hidden())
    ).all()  # fmt: skip
    ratings: dict[Place, dict[int, tuple[int, float]]] = {}
    for output, criterion, rater, rating, level, _house in rows:
        ratings.setdefault((output, criterion), {})[rater] = (rating, level)
    return ratings, {output: house for output, *_, house in rows}


def _gate_limits(rubric: Rubric, criteria: Mapping[int, Criterion]) -> dict[int, list[float]]:
    """Levels at or below which a single rating hits an exclusion criterion, by criterion. The other
    rules look at medians or metrics, which no single rater can hit."""
    ids = {row.key: key for key, row in criteria.items()}
    limits: dict[int, list[float]] = {}
    for gate in RubricContent.model_validate(rubric.content).gates:
        if gate.rule == "no_level":
            limits.setdefault(ids[gate.criterion], []).append(gate.level)
    return limits


def _token(round_: Round, name: str) -> str:
    """A name that only this round's secret makes: row ids would tell runs apart by their order."""
    key = round_.pseudonym_key.encode()
    return hmac.new(key, f"adjudication/{name}".encode(), hashlib.sha256).hexdigest()[:24]
