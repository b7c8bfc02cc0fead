"""Messages to MLflow that a transaction makes due; `publishing` sends them."""

from sqlalchemy import update
from sqlmodel import Session, col, select

from reallabor.models import Delivery, OutboxEntry, Output, Rating, Round, RoundRun, TrialRun, now


def enqueue(session: Session, kind: Delivery, subject_id: int, round_id: int | None = None) -> None:
    """Make a message due, or due again where it was sent before."""
    key = f"{kind}/{subject_id}/{round_id or '-'}"
    # One statement: a sender that finishes at this moment must not leave the new state unsent.
    again = session.exec(
        update(OutboxEntry)
        .where(col(OutboxEntry.key) == key)
        .values(done_at=None, next_attempt_at=now())
    )
    if again.rowcount == 0:
        session.add(OutboxEntry(key=key, kind=kind, subject_id=subject_id, round_id=round_id))


def enqueue_round(session: Session, round_: Round) -> None:
    """Everything that a released round has to tell MLflow."""
    runs = session.exec(
        select(TrialRun).join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
        .where(RoundRun.round_id == round_.id)
    ).all()  # fmt: skip
    for run in runs:
        assert run.id is not None
        if run.tracking_run_id is None:
            enqueue(session, Delivery.IMPORTED_RUN, run.id, round_.id)
        enqueue(session, Delivery.SCORES, run.id, round_.id)
    outputs = session.exec(
        select(Output.id)
        .where(
            col(Output.run_id).in_([run.id for run in runs]), col(Output.trace_id).is_not(None),
            select(Rating.id)
            .where(Rating.output_id == Output.id, Rating.round_id == round_.id)
            .exists(),
        )
    ).all()  # fmt: skip
    for output_id in outputs:
        assert output_id is not None
        enqueue(session, Delivery.FEEDBACK, output_id, round_.id)
