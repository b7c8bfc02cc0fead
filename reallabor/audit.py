"""The audit trail: who released, decided, imported or removed what. Hash-chained and append-only;
people appear by id, never by name. An entry may seal rows: it carries the digest of what they hold,
so that `deciding.auditing` finds a row that was edited by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import inspect
from sqlmodel import Session, SQLModel, col, select

from reallabor.content import digest
from reallabor.errors import WrongState
from reallabor.german import count
from reallabor.models import AuditEntry, AuditHead, Person, now

SEAL = "seal"
"""Key in an entry's details: digests of rows by `table/key`; the newest seal of a row counts."""
REMOVED = "removed"
"""Key in an entry's details: `table/key` of sealed rows that were taken away by a command."""

_MOVING = {"evidence": {"content", "tracking_run_id", "artifact_path", "missing_since"}}
"""Columns that change without anybody's doing: a file moves to MLflow, its hash stays."""


@dataclass(frozen=True)
class Break:
    """One place where the trail, or what it speaks of, is not as it was written."""

    entry: int | None
    """The entry at which it shows; None where there is no entry for what was found."""
    subject: str
    """What it is about, such as `decision/3`; `audit` for the chain itself."""
    what: str
    """One German sentence: what differs."""


def record(
    session: Session,
    action: str,
    subject: str,
    *,
    actor: Person,
    details: dict[str, Any],
    seal: Sequence[SQLModel] = (),
) -> AuditEntry:
    """Append an entry in the caller's transaction; the rows in `seal` are held fast as they are
    now, all their columns. Raises WrongState where the end of the trail was taken away."""
    head = session.exec(  # locked: two entries must not follow the same one
        select(AuditHead).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if head is None:
        raise WrongState(
            "Dem Protokoll fehlt sein Endstand; ohne ihn wird nichts mehr festgehalten. Bitte "
            "`reallabor verify-audit` aufrufen und die letzte Sicherung zum Vergleich nehmen."
        )
    assert actor.id is not None
    if seal:
        session.flush()
        details = {**details, SEAL: {row_key(row): row_digest(row) for row in seal}}
    entry = AuditEntry(
        at=now(),
        person_id=actor.id,
        action=action,
        subject=subject,
        details=details,
        previous_hash=head.hash,
        hash="",
    )
    entry.hash = _hash(entry)
    head.n, head.hash = head.n + 1, entry.hash
    session.add_all([entry, head])
    session.flush()
    return entry


def head_of(session: Session) -> tuple[int, str]:
    """How many entries the trail should have, and the hash of its newest."""
    head = session.exec(select(AuditHead)).one_or_none()
    return (head.n, head.hash) if head else (0, "")


def row_key(row: SQLModel) -> str:
    """`table/key` of a row; a key of several columns is joined by `-`."""
    key = inspect(row).mapper.primary_key_from_instance(row)
    return f"{row.__tablename__}/{'-'.join(map(str, key))}"


def row_digest(row: SQLModel) -> str:
    """SHA-256 over all columns of a row but those that change by themselves."""
    moving = _MOVING.get(str(row.__tablename__), set())
    return digest(
        {
            column.key: _plain(getattr(row, column.key))
            for column in inspect(row).mapper.column_attrs
            if column.key not in moving
        }
    )


def chain_breaks(session: Session) -> list[Break]:
    """Every place at which an entry was changed, is missing, or was put in; by entry."""
    entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
    known = {"", *(entry.hash for entry in entries)}
    found = []
    previous = ""
    for entry in entries:
        if entry.hash != _hash(entry):
            found.append(_break(entry, "wurde nach dem Schreiben geändert"))
        if entry.previous_hash != previous:
            found.append(_break(entry, (
                "schließt nicht an den an, der davor steht: Dazwischen wurde einer eingefügt, "
                "verschoben oder geändert"
                if entry.previous_hash in known
                else "schließt an einen Eintrag an, den es nicht mehr gibt: Davor wurde einer "
                "gelöscht oder geändert"
            )))  # fmt: skip
        previous = entry.hash
    return found + _end_breaks(session, len(entries), previous)


def clock_remarks(session: Session) -> list[str]:
    """Entries that bear an earlier time than the one before them: a clock was put back. The order
    is proved by the chain, so that is no break."""
    found = []
    before: AuditEntry | None = None
    for entry in session.exec(select(AuditEntry).order_by(col(AuditEntry.id))):
        if before is not None and entry.at < before.at:
            found.append(
                f"Eintrag {entry.id} trägt eine frühere Zeit als Eintrag {before.id}; die "
                "Reihenfolge steht durch die Kette fest, die Uhr ging nach."
            )
        before = entry
    return found


def _break(entry: AuditEntry, what: str) -> Break:
    return Break(entry.id, "audit", f"Eintrag {entry.id} ({entry.action}) {what}.")


def _end_breaks(session: Session, n: int, last: str) -> list[Break]:
    head = session.exec(select(AuditHead)).one_or_none()
    if head is None:
        return [Break(None, "audit", "Der Endstand des Protokolls fehlt.")]
    if head.n > n:
        missing = count(head.n - n, "Eintrag fehlt", "Einträge fehlen")
        return [Break(None, "audit", f"Das Protokoll hat {n} statt {head.n} Einträge: {missing}.")]
    if head.n < n:
        more = count(n - head.n, "Eintrag wurde", "Einträge wurden")
        return [Break(None, "audit", f"Das Protokoll hat {n} statt {head.n} Einträge: {more} "
                      "ohne die Plattform eingefügt.")]  # fmt: skip
    if head.hash != last:
        return [Break(None, "audit", "Der letzte Eintrag ist nicht der, der zuletzt geschrieben "
                      "wurde.")]  # fmt: skip
    return []


def _hash(entry: AuditEntry) -> str:
    return digest(
        [
            entry.at.astimezone(UTC).isoformat(),
            entry.person_id,
            entry.action,
            entry.subject,
            entry.details,
            entry.previous_hash,
        ]
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value
