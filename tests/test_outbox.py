"""What is due to be sent to MLflow: one entry per message, however often it is made due."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from building import wait_until
from sqlalchemy import text
from sqlmodel import select

from reallabor.database import reading, transaction
from reallabor.models import Delivery, OutboxEntry, now
from reallabor.recording.outbox import enqueue


def make_due() -> None:
    with transaction() as session:
        enqueue(session, Delivery.CASES, 1)


def somebody_waits() -> bool:
    """Whether a transaction of this database waits for another one."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with reading() as session:  # a new one each time: PostgreSQL keeps what it told a transaction
        return bool(session.connection().execute(waiting).scalar())


def test_sent_message_becomes_due_again(platform_url: str) -> None:
    make_due()
    with transaction() as session:
        entry = session.exec(select(OutboxEntry)).one()
        assert (entry.attempts, entry.done_at, entry.round_id) == (0, None, None)
        entry.attempts, entry.done_at = 3, now()
        created_at, due_at = entry.created_at, entry.next_attempt_at
        session.add(entry)
    make_due()
    with reading() as session:
        entry = session.exec(select(OutboxEntry)).one()
    assert (entry.key, entry.kind, entry.subject_id) == ("cases/1/-", Delivery.CASES, 1)
    assert entry.done_at is None
    assert entry.next_attempt_at > due_at
    assert (entry.created_at, entry.attempts) == (created_at, 3)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_two_transactions_make_one_message_due(platform_url: str) -> None:
    """The second one meets an entry that it cannot see yet; SQLite has one writer at a time."""
    with ThreadPoolExecutor(1) as other:
        with transaction() as session:
            enqueue(session, Delivery.CASES, 1)
            session.flush()
            second = other.submit(make_due)
            wait_until(somebody_waits, within_s=20)
            assert not second.done()
        second.result(timeout=20)
    with reading() as session:
        assert session.exec(select(OutboxEntry)).one().done_at is None
