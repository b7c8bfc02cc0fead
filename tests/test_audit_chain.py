"""Random damage to the audit trail: whatever is changed, taken away, put in or swapped is found. On
SQLite alone, the walk along the chain is the same; `test_auditing` runs on both databases."""

from typing import Any

import building
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.database import get_engine, transaction
from reallabor.deciding.auditing import verify_audit
from reallabor.models import AuditEntry, Role, now

SWAPPED = ("at", "person_id", "action", "subject", "details", "previous_hash", "hash")


@pytest.fixture
def backend() -> str:
    """Random damage is tried on SQLite alone: the walk along the chain is the same."""
    return "sqlite"


@pytest.fixture
def chain(platform_url: str) -> str:
    """Twelve entries; those of an example are put back after it."""
    with transaction() as session:
        person = building.add_person(session, "Wer", Role.ORGANISER)
        for number in range(12):
            audit.record(session, f"act-{number % 3}", f"thing/{number}", actor=person,
                         details={"n": number})  # fmt: skip
    return platform_url


def _change(session: Session, entries: list[AuditEntry], one: int, other: int) -> None:
    entries[one].details = {"n": other + 100}


def _rehash(session: Session, entries: list[AuditEntry], one: int, other: int) -> None:
    entries[one].person_id += other + 1
    entries[one].hash = audit._hash(entries[one])


def _remove(session: Session, entries: list[AuditEntry], one: int, other: int) -> None:
    for entry in entries[one : one + 1 + other % 3]:
        session.delete(entry)


def _insert(session: Session, entries: list[AuditEntry], one: int, other: int) -> None:
    """An entry that follows another properly, at the end of the table."""
    new = AuditEntry(at=now(), person_id=1, action="act", subject="thing", details={"n": other},
                     previous_hash=entries[one].hash, hash="")  # fmt: skip
    new.hash = audit._hash(new)
    session.add(new)


def _swap(session: Session, entries: list[AuditEntry], one: int, other: int) -> None:
    first, second = entries[one], entries[(one + 1 + other % 11) % 12]
    values = [[getattr(each, key) for key in SWAPPED] for each in (first, second)]
    first.hash, second.hash = "a", "b"
    session.flush()
    for entry, new in zip((second, first), values, strict=True):
        for key, value in zip(SWAPPED, new, strict=True):
            setattr(entry, key, value)


DAMAGE = (_change, _rehash, _remove, _insert, _swap)


@given(
    damage=st.lists(
        st.tuples(st.sampled_from(DAMAGE), st.integers(0, 11), st.integers(0, 11)),
        min_size=1, max_size=1,
    )
)  # fmt: skip
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_damage_is_found(chain: str, damage: list[tuple[Any, int, int]]) -> None:
    with Session(get_engine(chain)) as session:
        assert verify_audit(session).whole
        entries = list(session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all())
        for act, one, other in damage:
            act(session, entries, one, other)
        session.flush()
        session.expire_all()
        assert not verify_audit(session).whole
        session.rollback()
