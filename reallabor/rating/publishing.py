"""Works off what is due to be sent to MLflow; `senders` knows how. Every message may be sent twice
without harm; what fails stays due."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy import update
from sqlmodel import col, func, select

from reallabor.database import reading, transaction
from reallabor.errors import ReallaborError, TrackingUnavailable
from reallabor.models import Delivery, OutboxEntry, now, row_id
from reallabor.rating.senders import SENDERS
from reallabor.tracking import Connection

log = structlog.get_logger()

LEASE = timedelta(minutes=5)
"""For how long an entry that is being sent is left alone by others."""
LONGEST_PAUSE = timedelta(hours=1)
BATCH = 100
"""Messages claimed at once; few enough to be sent within the lease."""
WORKERS = 4
"""Messages under way at once; MLflow takes about 100 feedbacks a second one by one."""


@dataclass
class PublishReport:
    """What one call sent, and what is still due."""

    sent: int = 0
    due: int = 0
    problems: list[str] = field(default_factory=list)


def publish(
    connection: Connection, *, progress: Callable[[int, int], None] | None = None
) -> PublishReport:
    """Send all messages that are due. Raises TrackingUnavailable where MLflow is down; what was
    sent by then is not sent again."""
    report = PublishReport(due=_count_due())
    problems: dict[str, None] = {}  # in their order; a message may be tried twice in a slow round
    total = report.due
    while entries := _claim():
        try:
            connection.require()
        except TrackingUnavailable as outage:
            _release([row_id(entry.id) for entry in entries], str(outage))
            raise
        with ThreadPoolExecutor(WORKERS) as pool:
            for entry, failure in pool.map(lambda e: (e, _attempt(connection, e)), entries):
                if isinstance(failure, TrackingUnavailable):
                    _release([row_id(each.id) for each in entries], str(failure))
                    raise failure
                if failure is None:
                    report.sent += 1
                else:
                    problems[f"{entry.key}: {failure}"] = None
                if progress:
                    progress(report.sent, total)
    report.due, report.problems = _count_due(), list(problems)
    return report


def _claim() -> list[OutboxEntry]:
    moment = now()
    with transaction() as session:
        entries = session.exec(
            select(OutboxEntry)
            .where(col(OutboxEntry.done_at).is_(None), OutboxEntry.next_attempt_at <= moment)
            # Runs first and by themselves: feedback and scores need them.
            .order_by(col(OutboxEntry.kind) != Delivery.IMPORTED_RUN, col(OutboxEntry.id))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        if any(entry.kind == Delivery.IMPORTED_RUN for entry in entries):
            entries = [entry for entry in entries if entry.kind == Delivery.IMPORTED_RUN]
        session.exec(
            update(OutboxEntry)
            .where(col(OutboxEntry.id).in_([entry.id for entry in entries]))
            .values(next_attempt_at=moment + LEASE, attempts=OutboxEntry.attempts + 1)
        )
        for entry in entries:
            session.refresh(entry)
        session.expunge_all()
    return list(entries)


def _attempt(connection: Connection, entry: OutboxEntry) -> ReallaborError | None:
    try:
        SENDERS[entry.kind](connection, entry)
    except TrackingUnavailable as error:
        _release([row_id(entry.id)], str(error))
        return error
    except ReallaborError as error:
        log.warning("publish_refused", key=entry.key, error=str(error))
        pause = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(entry.attempts, 12)))
        _release([row_id(entry.id)], str(error), pause)
        return error
    with transaction() as session:
        # Only if nothing made it due again in the meantime.
        session.exec(
            update(OutboxEntry)
            .where(
                col(OutboxEntry.id) == entry.id,
                col(OutboxEntry.next_attempt_at) == entry.next_attempt_at,
            )
            .values(done_at=now(), last_error=None)
        )
    return None


def _release(ids: list[int], error: str, pause: timedelta = timedelta()) -> None:
    """Make entries that were not sent due again after a pause."""
    with transaction() as session:
        session.exec(
            update(OutboxEntry)
            .where(
                col(OutboxEntry.id).in_(ids),
                col(OutboxEntry.done_at).is_(None),
            )
            .values(next_attempt_at=now() + pause, last_error=error)
        )


def _count_due() -> int:
    with reading() as session:
        return session.exec(
            select(func.count()).select_from(OutboxEntry).where(col(OutboxEntry.done_at).is_(None))
        ).one()
