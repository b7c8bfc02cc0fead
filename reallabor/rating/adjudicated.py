"""The adjudications of a round that still hold; read by results, publishing and the queue."""

from collections.abc import Mapping

from sqlmodel import Session, and_, col, select

from reallabor.content import digest
from reallabor.models import Adjudication, Output, Rating, Round

Place = tuple[int, int]
"""Output and criterion, by row id."""


def basis_of(levels: Mapping[int, float]) -> str:
    """Digest of who (row id of the rater) gave which level."""
    return digest(sorted([rater, float(level)] for rater, level in levels.items()))


def adjudications(session: Session, round_: Round) -> dict[Place, Adjudication]:
    """The newest adjudication of every place that was ever decided, whether it holds or not."""
    rows = session.exec(
        select(Adjudication).where(
            Adjudication.round_id == round_.id, col(Adjudication.superseded_at).is_(None)
        )
    ).all()
    return {(row.output_id, row.criterion_id): row for row in rows}


def holding(
    session: Session, round_: Round, *, run_id: int | None = None, output_id: int | None = None
) -> dict[Place, Adjudication]:
    """The adjudications that count: those whose ratings are the same today. Where a level was
    changed, added or taken back since, the raters' own levels count until somebody decides anew."""
    levels: dict[Place, dict[int, float]] = {}
    rows = session.exec(
        select(Rating.output_id, Rating.criterion_id, Rating.rater_id, Rating.level)
        .join(
            Adjudication,
            and_(
                col(Adjudication.round_id) == Rating.round_id,
                col(Adjudication.output_id) == Rating.output_id,
                col(Adjudication.criterion_id) == Rating.criterion_id,
                col(Adjudication.superseded_at).is_(None),
            ),
        )
        .join(Output, col(Output.id) == Rating.output_id)
        .where(
            Rating.round_id == round_.id,
            col(Rating.superseded_at).is_(None),
            run_id is None or Output.run_id == run_id,
            output_id is None or Output.id == output_id,
        )
    ).all()
    for output, criterion, rater, level in rows:
        levels.setdefault((output, criterion), {})[rater] = level
    if not levels:
        return {}
    return {
        place: row
        for place, row in adjudications(session, round_).items()
        if place in levels and row.basis == basis_of(levels[place])
    }
