"""A rater says why they cannot rate what is on their screen."""

from sqlmodel import Session, col, select

from reallabor.errors import WrongState
from reallabor.models import EndReason, GoldAssignment, GoldRating, Person, Rater, Round, now
from reallabor.policies import may_rate, require
from reallabor.rating.membership import decline_case
from reallabor.rating.quarantine import report_personal_data


def report_problem(session: Session, kind: str, *, actor: Person, token: str) -> None:
    """Give a case back ("unreadable", "conflict") or have its output hidden ("personal_data").

    Repeating it changes nothing. A gold case just leaves this person's order. Raises NotAllowed
    for another person's token and WrongState where it is too late or the kind is unknown.
    """
    require(may_rate, actor)
    if kind not in (EndReason.UNREADABLE, EndReason.CONFLICT, EndReason.PERSONAL_DATA):
        raise WrongState("Bitte einen Grund wählen, warum Sie diesen Fall nicht bewerten können.")
    if _end_gold(session, actor, token):
        return
    if kind == EndReason.PERSONAL_DATA:
        report_personal_data(session, actor=actor, token=token)
    else:
        decline_case(session, actor=actor, token=token, reason=EndReason(kind))


def _end_gold(session: Session, actor: Person, token: str) -> bool:
    """Whether the token stands for a gold case; a rated or released one stays as it is."""
    found = session.exec(
        select(GoldAssignment, Round)
        .join(Rater, col(Rater.id) == GoldAssignment.rater_id)
        .join(Round, col(Round.id) == Rater.round_id)
        .where(GoldAssignment.token == token, Rater.person_id == actor.id)
        .with_for_update(of=GoldAssignment)
    ).first()
    if found is None:
        return False
    assignment, round_ = found
    rated = select(GoldRating.id).where(
        GoldRating.rater_id == assignment.rater_id,
        GoldRating.gold_case_id == assignment.gold_case_id,
    )
    if round_.released_at is None and session.exec(rated.limit(1)).first() is None:
        assignment.ended_at = assignment.ended_at or now()
        session.add(assignment)
        session.flush()
    return True
