"""Makes messages to MLflow due, in the transaction that causes them; `rating.publishing` sends."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from reallabor.models import Delivery, OutboxEntry, now


def enqueue(session: Session, kind: Delivery, subject_id: int, round_id: int | None = None) -> None:
    """Make a message due, or due again where it was sent before.

    One statement: neither a sender that finishes at this moment leaves the new state unsent, nor do
    two transactions that make the same message due stand in each other's way.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    key = f"{kind}/{subject_id}/{round_id or '-'}"
    session.exec(
        insert(OutboxEntry)
        .values(key=key, kind=kind, subject_id=subject_id, round_id=round_id)
        .on_conflict_do_update(
            index_elements=["key"], set_={"done_at": None, "next_attempt_at": now()}
        )
    )
