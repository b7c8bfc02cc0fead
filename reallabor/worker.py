"""The background worker: takes new runs over from MLflow and sends what is due, again and again.
Started by `supervisor`; may be killed at any moment."""

import signal
import threading
import time
from collections.abc import Callable
from functools import partial

import structlog

from reallabor.database import prepare_database, transaction
from reallabor.errors import ReallaborError
from reallabor.logs import configure_logs
from reallabor.people import acting_person
from reallabor.rating.publishing import publish
from reallabor.rating.quarantine import erase_overdue
from reallabor.recording.evidence_files import check_evidence
from reallabor.recording.projection import project
from reallabor.recording.uploads import send_kept
from reallabor.settings import get_settings
from reallabor.tracking import Connection

log = structlog.get_logger()

FULL_LOOK_S = 24 * 3600.0
"""How often all runs are looked at, not only those since the watermark."""


def work(stop: threading.Event, *, pause_s: float) -> None:
    """One round after the other until told to stop; a refusal is logged and tried again."""
    connection = Connection.from_settings()
    next_full_look = 0.0
    while not stop.is_set():
        everything = time.monotonic() >= next_full_look
        if _attempt("project", partial(_project, connection, everything)) and everything:
            next_full_look = time.monotonic() + FULL_LOOK_S
        _attempt("uploads", partial(_send_uploads, connection))
        if everything:
            _attempt("quarantine", _erase_overdue)
            _attempt("evidence", partial(_check_evidence, connection))
        _attempt("publish", partial(_publish, connection))
        stop.wait(pause_s)


def _send_uploads(connection: Connection) -> None:
    for run in send_kept(connection):
        log.info("upload_sent", run=run.run_id)


def _project(connection: Connection, everything: bool) -> None:
    report = project(connection, everything=everything, verify=everything)
    if report.runs or report.outputs:
        log.info("projected", runs=report.runs, outputs=report.outputs)
    for note in report.notes if everything else []:
        log.warning("noticed", note=note)


def _erase_overdue() -> None:
    with transaction() as session:
        if number := erase_overdue(session, actor=acting_person(session)):
            log.warning("quarantine_erased", outputs=number)


def _check_evidence(connection: Connection) -> None:
    with transaction() as session:
        actor = acting_person(session)
        session.expunge(actor)
    for sentence in check_evidence(connection, actor=actor).missing:
        log.warning("evidence_missing", reason=sentence)


def _publish(connection: Connection) -> None:
    report = publish(connection)
    if report.sent:
        log.info("published", sent=report.sent, due=report.due)
    for problem in report.problems:
        log.warning("noticed", note=problem)


def _attempt(task: str, action: Callable[[], None]) -> bool:
    """Whether it went well; one task that fails must not keep the other from its work."""
    try:
        action()
    except ReallaborError as refusal:
        log.warning("refused", task=task, reason=str(refusal))
        return False
    except Exception:
        log.exception("failed", task=task)
        return False
    return True


def main() -> None:
    """Entry of `python -m reallabor.worker`."""
    settings = get_settings()
    configure_logs(settings.log_level)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    prepare_database()
    work(stop, pause_s=settings.poll_seconds)


if __name__ == "__main__":
    main()
