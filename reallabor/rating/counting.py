"""How much of a round there is: organisations, raters, outputs and edge cases."""

from sqlmodel import Session, col, func, select

from reallabor.models import Assignment, Case, Output, Rater, Rating, Round, TrialRun
from reallabor.rating.sheet import is_rated


def count_organisations(session: Session, round_: Round) -> int:
    """Organisations whose outputs were rated."""
    return session.exec(
        select(func.count(func.distinct(TrialRun.organisation_id)))
        .join(Output, col(Output.run_id) == TrialRun.id)
        .where(
            # Not an EXISTS: SQLite would go through the round's ratings once for every output.
            col(Output.id).in_(select(Rating.output_id).where(Rating.round_id == round_.id))
        )
    ).one()


def count_assigned(session: Session, round_: Round) -> int:
    """Outputs that were handed out and not given back or taken away unrated, each counted per
    rater; 0 for imported ratings."""
    return session.exec(
        select(func.count())
        .select_from(Assignment)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .where(Rater.round_id == round_.id, col(Assignment.ended_at).is_(None) | is_rated())
    ).one()


def count_rated(session: Session, round_: Round) -> int:
    """Outputs that were rated, each counted per rater."""
    pairs = (
        select(Rating.rater_id, Rating.output_id)
        .where(Rating.round_id == round_.id, col(Rating.superseded_at).is_(None))
        .distinct()
        .subquery()
    )
    return session.exec(select(func.count()).select_from(pairs)).one()


def count_edge_cases(session: Session, round_: Round) -> int:
    """Edge cases of which any output was rated."""
    return session.exec(
        select(func.count(func.distinct(Case.id)))
        .join(Output, col(Output.case_id) == Case.id)
        .join(Rating, col(Rating.output_id) == Output.id)
        .where(Rating.round_id == round_.id, Case.edge)
    ).one()


def count_raters(session: Session, round_: Round) -> int:
    """People who rated anything."""
    rated = select(Rating.id).where(Rating.rater_id == Rater.id).exists()
    return session.exec(
        select(func.count()).select_from(Rater).where(Rater.round_id == round_.id, rated)
    ).one()
