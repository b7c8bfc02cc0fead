"""Makes messages to MLflow due, in the transaction that causes them; `rating.publishing` sends."""

from sqlalchemy import update
from sqlmodel import Session, col

from reallabor.models import Delivery, OutboxEntry, now


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
