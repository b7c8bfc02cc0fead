"""The background worker: takes new runs over from MLflow and sends what is due, again and again.
Started by `supervisor`; may be killed at any moment."""

import signal
import threading
import time

import structlog

from reallabor.database import prepare_database
from reallabor.errors import ReallaborError
from reallabor.logs import configure_logs
from reallabor.rating.publishing import publish
from reallabor.recording.projection import project
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
        try:
            everything = time.monotonic() >= next_full_look
            projected = project(connection, everything=everything)
            if everything:
                next_full_look = time.monotonic() + FULL_LOOK_S
            published = publish(connection)
            if projected.runs or published.sent:
                log.info("worked", runs=projected.runs, outputs=projected.outputs,
                         sent=published.sent, due=published.due)  # fmt: skip
            for note in projected.notes + published.problems:
                log.warning("noticed", note=note)
        except ReallaborError as refusal:
            log.warning("refused", reason=str(refusal))
        except Exception:
            log.exception("failed")
        stop.wait(pause_s)


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
