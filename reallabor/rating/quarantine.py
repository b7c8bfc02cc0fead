"""Outputs in which somebody saw personal data: hidden at once, decided by the organisation, erased
at the latest after 14 days."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, delete, select

from reallabor import audit
from reallabor.errors import UnknownObject, WrongState
from reallabor.models import (
    Adjudication,
    Assignment,
    Case,
    Delivery,
    EndReason,
    JudgeRating,
    Output,
    Person,
    Quarantine,
    QuarantineVerdict,
    Rater,
    Rating,
    Remark,
    Round,
    Scenario,
    Survey,
    now,
    row_id,
)
from reallabor.policies import may_rate, may_release, require
from reallabor.rating.board import load_board
from reallabor.rating.membership import locked_assignment
from reallabor.recording.hidden_outputs import ERASED
from reallabor.recording.outbox import enqueue

__all__ = [
    "LONGEST", "QuarantineEntry", "QuarantineVerdict", "decide_quarantine",
    "erase_overdue", "list_quarantine", "report_personal_data",
]  # fmt: skip

LONGEST = timedelta(days=14)
"""For how long an output stays in quarantine undecided; then it is erased."""


@dataclass(frozen=True)
class QuarantineEntry:
    """An output that waits for a decision; the text is shown only to those who decide."""

    id: int
    scenario: str
    case: str
    text: str
    reported_at: datetime
    erased_on: datetime
    """When it is erased if nobody decides."""


def report_personal_data(session: Session, *, actor: Person, token: str) -> None:
    """Hide an output from everybody who rates; repeating it changes nothing. Raises NotAllowed for
    another person's token, WrongState once the round is released."""
    require(may_rate, actor)
    assignment, round_ = locked_assignment(session, actor, token)
    undecided = select(Quarantine.id).where(
        Quarantine.output_id == assignment.output_id, col(Quarantine.decided_at).is_(None)
    )
    if session.exec(undecided).first() is not None:
        return
    session.add(
        Quarantine(output_id=assignment.output_id, round_id=round_.id, reported_by=row_id(actor.id))
    )
    session.exec(
        update(Assignment)
        .where(
            col(Assignment.output_id) == assignment.output_id,
            col(Assignment.ended_at).is_(None) | (col(Assignment.ended_because) == EndReason.MOVED),
            col(Assignment.rater_id).in_(
                select(Rater.id)
                .join(Round, col(Round.id) == Rater.round_id)
                .where(col(Round.released_at).is_(None))
            ),
        )
        .values(ended_at=now(), ended_because=EndReason.QUARANTINED)
    )
    session.flush()
    audit.record(session, "personal_data_reported", f"output/{assignment.output_id}", actor=actor,
                 details={"round": round_.id})  # fmt: skip


def list_quarantine(session: Session) -> list[QuarantineEntry]:
    """What waits for a decision, oldest first."""
    rows = session.exec(
        select(Quarantine, Output.text, Case.key, Scenario.title)
        .join(Output, col(Output.id) == Quarantine.output_id)
        .join(Case, col(Case.id) == Output.case_id)
        .join(Scenario, col(Scenario.id) == Case.scenario_id)
        .where(col(Quarantine.decided_at).is_(None))
        .order_by(col(Quarantine.reported_at))
    ).all()
    return [
        QuarantineEntry(
            row_id(entry.id), title, case, text or "", entry.reported_at,
            entry.reported_at + LONGEST,
        )
        for entry, text, case, title in rows
    ]  # fmt: skip


def decide_quarantine(
    session: Session, quarantine_id: int, verdict: QuarantineVerdict, *, actor: Person
) -> None:
    """Release the output for rating, or erase its text here and in MLflow; levels stay. Raises
    WrongState where somebody else decided before."""
    require(may_release, actor)
    entry = session.exec(
        select(Quarantine).where(Quarantine.id == quarantine_id).with_for_update()
    ).first()
    if entry is None:
        raise UnknownObject("Diesen Eintrag der Quarantäne gibt es nicht. Bitte neu laden.")
    if entry.decided_at is not None:
        raise WrongState("Über diese Ausgabe wurde inzwischen entschieden. Bitte neu laden.")
    _decide(session, entry, verdict, row_id(actor.id))
    audit.record(session, f"quarantine_{verdict}", f"output/{entry.output_id}", actor=actor,
                 details={})  # fmt: skip


def erase_overdue(session: Session, *, actor: Person) -> int:
    """Erase what nobody decided on in time; gives the number of outputs."""
    overdue = session.exec(
        select(Quarantine)
        .where(col(Quarantine.decided_at).is_(None), Quarantine.reported_at < now() - LONGEST)
        .with_for_update(skip_locked=True)
    ).all()
    for entry in overdue:
        _decide(session, entry, QuarantineVerdict.ERASED, None)
        audit.record(session, "quarantine_overdue", f"output/{entry.output_id}", actor=actor,
                     details={})  # fmt: skip
    return len(overdue)


def _decide(
    session: Session, entry: Quarantine, verdict: QuarantineVerdict, decided_by: int | None
) -> None:
    entry.verdict, entry.decided_by, entry.decided_at = verdict, decided_by, now()
    session.add(entry)
    session.flush()
    if verdict == QuarantineVerdict.RELEASED:
        _give_back(session, entry.output_id)
    else:
        _erase(session, entry.output_id)
    session.flush()


def _give_back(session: Session, output_id: int) -> None:
    """The output goes back to whoever had it in rounds that still run, and to others where too few
    of them are left; released rounds may tell MLflow of it now."""
    case = session.get_one(Output, output_id).case_id
    rounds = session.exec(
        select(Round)
        .where(
            col(Round.id).in_(
                select(Rater.round_id)
                .join(Assignment, col(Assignment.rater_id) == Rater.id)
                .where(Assignment.output_id == output_id)
            )
        )
        .order_by(col(Round.id))
        .with_for_update()
    ).all()
    for round_ in rounds:
        if round_.released_at is not None:
            enqueue(session, Delivery.FEEDBACK, output_id, round_.id)
            continue
        board = load_board(session, round_)
        for rater in board.houses:
            mine = board.places.get(rater, {})
            place = mine.get(output_id)
            gone = any(each.case == case and each.declined for each in mine.values())
            if place and place.row.ended_because == EndReason.QUARANTINED and not gone:
                place.row.ended_at = place.row.ended_because = None
                session.add(place.row)
        session.flush()
        board.hand_on(case)
        board.arrange()


def _erase(session: Session, output_id: int) -> None:
    """Texts, comments and marked passages go; case, hash and levels stay."""
    output = session.exec(select(Output).where(Output.id == output_id).with_for_update()).one()
    session.exec(  # a sample is a copy of the text
        update(Survey)
        .where(
            col(Survey.sample) == output.text,
            col(Survey.scenario_id) == session.get_one(Case, output.case_id).scenario_id,
        )
        .values(sample="", sample_input="")
    )
    output.text, output.details, output.error = None, {}, ERASED
    session.add(output)
    session.exec(
        update(Remark).where(col(Remark.output_id) == output_id).values(text="", passages=[])
    )
    session.exec(update(Rating).where(col(Rating.output_id) == output_id).values(comment=None))
    session.exec(
        delete(JudgeRating).where(
            col(JudgeRating.output_id) == output_id, col(JudgeRating.level).is_(None)
        )
    )
    for table, column in ((JudgeRating, "rationale"), (Adjudication, "reason")):
        session.exec(update(table).where(col(table.output_id) == output_id).values({column: ""}))
    if output.trace_id is not None:
        enqueue(session, Delivery.ERASURE, output_id)
