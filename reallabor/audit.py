"""The audit trail: who released, decided, imported or removed what. Hash-chained and append-only;
people appear by id, never by name."""

from typing import Any

from sqlmodel import Session, col, select

from reallabor.content import digest
from reallabor.database import take_turns
from reallabor.models import AuditEntry, Person, now

_CHAIN_LOCK = 5_271_010
"""Key of PostgreSQL's advisory lock: two entries must not follow the same one."""


def record(
    session: Session, action: str, subject: str, *, actor: Person, details: dict[str, Any]
) -> AuditEntry:
    """Append an entry in the caller's transaction."""
    take_turns(session, _CHAIN_LOCK)
    last = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(1)).first()
    assert actor.id is not None
    entry = AuditEntry(
        at=now(),
        person_id=actor.id,
        action=action,
        subject=subject,
        details=details,
        previous_hash=last.hash if last else "",
        hash="",
    )
    entry.hash = _hash(entry)
    session.add(entry)
    session.flush()
    return entry


def first_broken_entry(session: Session) -> AuditEntry | None:
    """The first entry whose hash or predecessor does not fit, or None where all is whole."""
    previous = ""
    for entry in session.exec(select(AuditEntry).order_by(col(AuditEntry.id))):
        if entry.previous_hash != previous or entry.hash != _hash(entry):
            return entry
        previous = entry.hash
    return None


def _hash(entry: AuditEntry) -> str:
    return digest(
        [
            entry.at.isoformat(),
            entry.person_id,
            entry.action,
            entry.subject,
            entry.details,
            entry.previous_hash,
        ]
    )
