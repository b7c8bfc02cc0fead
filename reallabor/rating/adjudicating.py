"""Adjudication: deciding what raters of a blind round disagree on. Their ratings stay as they were
given; a decided level counts for score and gates only."""

import uuid

from sqlalchemy import update
from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import storable
from reallabor.errors import InvalidRating, NotAllowed, WrongState
from reallabor.models import (
    Adjudication,
    Person,
    Rater,
    Round,
    Rubric,
    now,
    row_id,
)
from reallabor.policies import may_adjudicate, require
from reallabor.rating.adjudicated import adjudications
from reallabor.rating.disputes import Dispute, find_disputes
from reallabor.rating.rounds import stored_round
from reallabor.recording.stopping import require_not_stopped

REASON_LIMIT = 2000
"""Longest reason in characters."""


def list_disputes(session: Session, round_id: int, *, actor: Person) -> list[Dispute]:
    """What this person may decide in a round: largest ordinal distance first, then the weight of
    the criterion; beyond that in an order from which no system can be read.

    Raises NotAllowed for anybody but organisers, and for those who rate in the round; outputs of
    the person's own organisation are left out.
    """
    round_ = neutral_round(session, round_id, actor)
    return [each for each in find_disputes(session, round_) if _is_neutral(actor, each)]


def count_open_disputes(session: Session, round_id: int) -> int:
    """Disputes of a round that nobody has decided, or that changed since."""
    return sum(each.open for each in find_disputes(session, stored_round(session, round_id)))


def decide_level(
    session: Session,
    round_id: int,
    token: str,
    *,
    seen: str,
    level: float,
    reason: str = "",
    submission: str,
    actor: Person,
) -> Adjudication:
    """Decide a dispute: adopt the level of a rater, or a third one with a reason.

    Idempotent: the same `submission` changes nothing. A new one supersedes the decision before,
    which stays. Raises NotAllowed as `list_disputes` does, and for outputs of the own organisation;
    WrongState once the round is released, and where the ratings are not those that were `seen`;
    InvalidRating for a level outside the scale and for a third level without a reason.
    """
    neutral_round(session, round_id, actor)
    # Locked: two decisions follow each other, and a release or a rating is before or after this.
    round_ = stored_round(session, round_id, lock=True)
    if (stored := _stored(session, submission, round_id, actor)) is not None:
        return stored
    if round_.released_at is not None:
        raise WrongState(
            f"Runde {round_.number} ist freigegeben; Klärungen lassen sich nicht mehr ändern."
        )
    require_not_stopped(session, round_.scenario_id)
    dispute = next((each for each in find_disputes(session, round_) if each.token == token), None)
    if dispute is None or dispute.seen != seen:
        raise WrongState(
            "Die Bewertungen dieses Falls haben sich inzwischen geändert. Bitte den Fall neu "
            "ansehen und dann entscheiden."
        )
    if not _is_neutral(actor, dispute):
        raise NotAllowed(
            "Ausgaben der eigenen Organisation klärt niemand. Bitte jemanden aus einer anderen "
            "Organisation darum bitten."
        )
    reason = storable(reason.strip())
    adopted = _adopted(session, round_, dispute, level, reason)
    if not dispute.open and (dispute.level, dispute.reason) == (level, reason):
        return adjudications(session, round_)[dispute.place]  # confirmed once more
    return _store(session, round_, dispute, Adjudication(
        round_id=row_id(round_.id),
        output_id=dispute.place[0],
        criterion_id=dispute.place[1],
        level=level,
        adopted_id=adopted,
        reason=reason,
        basis=dispute.basis,
        decided_by=row_id(actor.id),
        submission=submission,
    ), actor)  # fmt: skip


def _store(
    session: Session, round_: Round, dispute: Dispute, row: Adjudication, actor: Person
) -> Adjudication:
    session.exec(
        update(Adjudication)
        .where(
            col(Adjudication.round_id) == row.round_id,
            col(Adjudication.output_id) == row.output_id,
            col(Adjudication.criterion_id) == row.criterion_id,
            col(Adjudication.superseded_at).is_(None),
        )
        .values(superseded_at=now())
    )
    session.add(row)
    session.flush()
    details = {"output": row.output_id, "criterion": dispute.criterion, "level": row.level}
    audit.record(session, "level_decided", f"round/{round_.id}", actor=actor, details=details)
    return row


def _stored(session: Session, submission: str, round_id: int, actor: Person) -> Adjudication | None:
    try:
        uuid.UUID(submission)
    except ValueError as error:
        raise InvalidRating("Die Kennung dieser Klärung ist ungültig.") from error
    known = session.exec(select(Adjudication).where(Adjudication.submission == submission)).first()
    if known and (known.round_id, known.decided_by) != (round_id, actor.id):
        raise InvalidRating("Die Kennung dieser Klärung gehört zu einem anderen Fall.")
    return known


def _adopted(
    session: Session, round_: Round, dispute: Dispute, level: float, reason: str
) -> int | None:
    """Row id of the rating whose level is adopted; None for a third level with its reason."""
    rubric = session.get_one(Rubric, round_.rubric_id)
    if isinstance(level, bool) or not rubric.has_level(level):
        raise InvalidRating(
            f"Stufe {level} gibt es in '{rubric.name}' nicht; "
            f"erlaubt: {rubric.scale_min:g}-{rubric.scale_max:g}."
        )
    if len(reason) > REASON_LIMIT:
        raise InvalidRating(
            f"Die Begründung hat {len(reason)} Zeichen; möglich sind höchstens {REASON_LIMIT}."
        )
    given = sorted(rating for rating, given in dispute.ratings.values() if given == level)
    if not given and not reason:
        raise InvalidRating(
            f"Stufe {level:g} hat niemand vergeben; eine dritte Stufe braucht eine Begründung."
        )
    return given[0] if given else None


def neutral_round(session: Session, round_id: int, actor: Person) -> Round:
    """The round, where this person may adjudicate in it at all. Raises NotAllowed."""
    require(may_adjudicate, actor)
    round_ = stored_round(session, round_id)
    rates = select(Rater.id).where(Rater.round_id == round_id, Rater.person_id == actor.id)
    if session.exec(rates).first() is not None:
        raise NotAllowed(
            f"'{actor.name}' bewertet in Runde {round_.number} selbst und kann dort bis zur "
            "Freigabe keine Bewertungen anderer sehen oder klären. Bitte jemanden darum bitten, "
            "der nicht mitbewertet."
        )
    return round_


def _is_neutral(person: Person, dispute: Dispute) -> bool:
    return person.organisation_id is None or person.organisation_id != dispute.organisation_id
