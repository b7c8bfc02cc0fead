"""Looks for finished runs in MLflow and takes them over into the platform database: incremental,
restartable, one transaction per run. Pages read what stands here, never MLflow."""

from collections.abc import Callable

import structlog
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import col, select

from reallabor.database import CATALOGUE_LOCK, reading, take_turns, transaction
from reallabor.models import Scenario, TrialRun, Watermark, now, row_id
from reallabor.recording.catalogue import get_scenario, load_shipped
from reallabor.recording.settling import resettle
from reallabor.recording.stopping import require_not_stopped, stop_sentence
from reallabor.recording.taking_over import ProjectionReport, store_run
from reallabor.recording.undoing import withdrawn_runs
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments, finished_runs, outputs_of

__all__ = ["ProjectionReport", "project"]

log = structlog.get_logger()

OVERLAP_MS = 10 * 60 * 1000
"""How far each look reaches back behind the watermark: clocks differ and answers come late."""


_ODD = (
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
    DataError, IntegrityError,
)  # fmt: skip
"""What a run may raise that somebody logged in a form nobody thought of. Anything else, such as a
database that is gone, is no fault of the run."""


def project(
    connection: Connection,
    *,
    slug: str | None = None,
    everything: bool = False,
    verify: bool = False,
    on_run: Callable[[str], None] | None = None,
) -> ProjectionReport:
    """Take over finished runs that are not here yet, of one scenario or of all.

    Looks back to the watermark; with `everything` at all runs, because a run may have been logged
    with an end that lies before it; with `verify` also at all outputs that are here already, to
    find those that were changed in MLflow since. Killed at any moment it goes on where it stopped.
    Raises TrackingUnavailable.
    """
    with transaction() as session:
        for changed in load_shipped(session, asked=slug):
            resettle(session, changed)
    connection.require()
    report = ProjectionReport()
    for name, experiment_id in experiments(connection).items():
        if slug in (None, name):
            _project_experiment(
                connection, name, experiment_id, report,
                everything=everything or verify, verify=verify, on_run=on_run,
            )  # fmt: skip
    return report


def _project_experiment(
    connection: Connection,
    slug: str,
    experiment_id: str,
    report: ProjectionReport,
    *,
    everything: bool,
    verify: bool,
    on_run: Callable[[str], None] | None,
) -> None:
    with reading() as session:
        scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).first()
        mark = session.get(Watermark, experiment_id)
        withdrawn = withdrawn_runs(session)
        known = dict(
            session.exec(
                select(TrialRun.tracking_run_id, TrialRun.complete).where(
                    col(TrialRun.tracking_run_id).is_not(None)
                )
            ).all()
        )
    if scenario is None:
        report.notes.append(
            f"Das MLflow-Experiment 'reallabor/{slug}' gehört zu keinem Szenario dieser Datenbank."
        )
        return
    if scenario.stopped_at is not None:
        report.notes.append(stop_sentence(scenario))
        return  # the watermark stays: what was logged meanwhile is found once the stop is lifted
    since = 0 if everything or mark is None else max(0, mark.end_time_ms - OVERLAP_MS)
    newest = mark.end_time_ms if mark else 0
    for run in finished_runs(connection, experiment_id, since_ms=since):
        newest = max(newest, round(run.finished_at.timestamp() * 1000))
        if any(tag in run.tags for tag in (names.IMPORTED, names.CONTENT, names.EVIDENCE)):
            continue  # made by us: for imported ratings, or to hold cases or evidence
        if run.run_id in withdrawn:
            continue  # taken back, and about to be deleted
        if known.get(run.run_id, False) and not verify:
            continue  # taken over whole before
        try:
            stored = list(outputs_of(connection, run))
            with transaction() as session:
                take_turns(session, CATALOGUE_LOCK)  # two projections at once take a run over once
                if run.run_id in withdrawn_runs(session):
                    continue  # taken back while its outputs were being read
                scenario = get_scenario(session, slug)
                require_not_stopped(session, row_id(scenario.id))  # stopped meanwhile
                store_run(session, scenario, run, stored, report)
        except _ODD:  # one such run must not keep all others out
            log.exception("run_not_taken_over", run=run.run_id)
            report.notes.append(
                f"Durchlauf '{run.name}' ({run.run_id}) ließ sich nicht übernehmen; Näheres steht "
                "im Protokoll des Hintergrunddienstes."
            )
            continue
        if on_run:
            on_run(run.name)
    with transaction() as session:
        take_turns(session, CATALOGUE_LOCK)
        mark = session.get(Watermark, experiment_id) or Watermark(experiment_id=experiment_id)
        # Never ahead of our own clock: a run from the future would hide all that come before it.
        mark.end_time_ms = min(max(newest, mark.end_time_ms), round(now().timestamp() * 1000))
        session.add(mark)
