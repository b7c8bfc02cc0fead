"""Takes finished runs over from MLflow into the platform database: incremental, restartable, one
transaction per run. Pages read what stands here, never MLflow."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from reallabor.content import digest, storable
from reallabor.database import CATALOGUE_LOCK, reading, take_turns, transaction
from reallabor.models import (
    Case,
    Output,
    RoundRun,
    Scenario,
    TrialRun,
    Variant,
    Watermark,
    now,
    row_id,
)
from reallabor.recording.catalogue import get_organisation, load_shipped
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import (
    FinishedRun,
    StoredOutput,
    experiments,
    finished_runs,
    outputs_of,
)

OVERLAP_MS = 10 * 60 * 1000
"""How far each look reaches back behind the watermark: clocks differ and answers come late."""


@dataclass
class ProjectionReport:
    """What one look at MLflow brought."""

    runs: int = 0
    outputs: int = 0
    notes: list[str] = field(default_factory=list)
    """German sentences about runs or outputs that could not be taken over."""


def project(
    connection: Connection,
    *,
    slug: str | None = None,
    everything: bool = False,
    on_run: Callable[[str], None] | None = None,
) -> ProjectionReport:
    """Take over finished runs that are not here yet, of one scenario or of all.

    Looks back to the watermark; with `everything` at all runs, because a run may have been logged
    with an end that lies before it. Killed at any moment it goes on where it stopped. Raises
    TrackingUnavailable.
    """
    with transaction() as session:
        load_shipped(session)
    connection.require()
    report = ProjectionReport()
    for name, experiment_id in experiments(connection).items():
        if slug in (None, name):
            _project_experiment(
                connection, name, experiment_id, report, everything=everything, on_run=on_run
            )
    return report


def _project_experiment(
    connection: Connection,
    slug: str,
    experiment_id: str,
    report: ProjectionReport,
    *,
    everything: bool,
    on_run: Callable[[str], None] | None,
) -> None:
    with reading() as session:
        scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).first()
        mark = session.get(Watermark, experiment_id)
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
    since = 0 if everything or mark is None else max(0, mark.end_time_ms - OVERLAP_MS)
    newest = mark.end_time_ms if mark else 0
    for run in finished_runs(connection, experiment_id, since_ms=since):
        newest = max(newest, round(run.finished_at.timestamp() * 1000))
        if known.get(run.run_id, False) or names.IMPORTED in run.tags:
            continue  # taken over whole before, or made by us for imported ratings
        stored = list(outputs_of(connection, run))
        with transaction() as session:
            take_turns(session, CATALOGUE_LOCK)  # two projections at once take a run over once
            _store_run(session, slug, run, stored, report)
        if on_run:
            on_run(run.name)
    with transaction() as session:
        take_turns(session, CATALOGUE_LOCK)
        mark = session.get(Watermark, experiment_id) or Watermark(experiment_id=experiment_id)
        # Never ahead of our own clock: a run from the future would hide all that come before it.
        mark.end_time_ms = min(max(newest, mark.end_time_ms), round(now().timestamp() * 1000))
        session.add(mark)


def _known_traces(session: Session, trace_ids: list[str]) -> set[str | None]:
    known = select(Output.trace_id).where(col(Output.trace_id).in_(trace_ids))
    return set(session.exec(known).all())


def _store_run(
    session: Session,
    slug: str,
    run: FinishedRun,
    stored: list[StoredOutput],
    report: ProjectionReport,
) -> None:
    """Store a run with its outputs, or add what a run taken over before was missing."""
    scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).one()
    row = session.exec(select(TrialRun).where(TrialRun.tracking_run_id == run.run_id)).first()
    if row is None:
        row = _new_run(session, scenario, run)
        report.runs += 1
    elif row.complete or _is_in_round(session, row):
        return  # somebody else was faster, or what people rate must not change
    _store_outputs(session, row, stored, report, run.name)


def _new_run(session: Session, scenario: Scenario, run: FinishedRun) -> TrialRun:
    scenario.experiment_id = run.experiment_id
    session.add(scenario)
    variant = _variant(
        session, row_id(scenario.id), storable(run.tags.get(names.VARIANT) or run.name)
    )
    organisation = run.tags.get(names.ORGANISATION) or scenario.content.get("organisation")
    row = TrialRun(
        scenario_id=row_id(scenario.id),
        variant_id=variant,
        organisation_id=get_organisation(session, organisation).id if organisation else None,
        tracking_run_id=run.run_id,
        started_at=run.started_at,
        finished_at=run.finished_at,
        params=storable(run.params),
        indicators={key: value for key, value in run.metrics.items() if math.isfinite(value)},
        demo=run.tags.get(names.DEMO) == "true",
    )
    session.add(row)
    session.flush()
    return row


def _is_in_round(session: Session, row: TrialRun) -> bool:
    rounds = select(RoundRun.round_id).where(RoundRun.run_id == row.id)
    return session.exec(rounds).first() is not None


def _store_outputs(
    session: Session,
    row: TrialRun,
    stored: list[StoredOutput],
    report: ProjectionReport,
    name: str,
) -> None:
    cases = _Cases(session, row.scenario_id)
    own = session.exec(select(Output.case_id, Output.trace_id).where(Output.run_id == row.id)).all()
    taken = {case_id for case_id, _ in own}
    here = {trace_id for _, trace_id in own}
    elsewhere = _known_traces(session, [output.trace_id for output in stored]) - here
    unassigned = 0
    for output in stored:
        if output.trace_id in here:
            continue
        case_id = cases.find(output)
        if output.trace_id in elsewhere:
            report.notes.append(
                f"Durchlauf '{name}': Die Ausgabe {output.trace_id} gehört schon zu einem "
                "anderen Durchlauf und wurde nicht übernommen."
            )
            continue
        if case_id is None or case_id in taken:
            unassigned += 1
            report.notes.append(
                f"Durchlauf '{name}': Eine Ausgabe (Fall '{output.case_id or 'ohne Angabe'}') "
                "ist keinem Fall dieses Szenarios zuzuordnen und wurde nicht übernommen."
            )
            continue
        taken.add(case_id)
        report.outputs += 1
        text, details = _text(storable(output.output))
        session.add(
            Output(
                run_id=row_id(row.id),
                case_id=case_id,
                trace_id=output.trace_id,
                text=text,
                details=details,
                error=storable(output.error),
                latency_ms=output.latency_ms,
                content_sha256=output.content_sha256 or digest([text, output.error]),
            )
        )
    row.complete = unassigned == 0 and len(taken) >= cases.number
    session.add(row)


def _variant(session: Session, scenario_id: int, key: str) -> int:
    found = session.exec(
        select(Variant).where(Variant.scenario_id == scenario_id, Variant.key == key)
    ).first()
    if found is None:
        found = Variant(scenario_id=scenario_id, key=key, title=key)
        session.add(found)
        session.flush()
    assert found.id is not None
    return found.id


class _Cases:
    """Finds the version of a case that an output belongs to."""

    def __init__(self, session: Session, scenario_id: int) -> None:
        cases = session.exec(select(Case).where(Case.scenario_id == scenario_id)).all()
        self._by_hash = {(case.key, case.content_sha256): case.id for case in cases}
        self._current = {case.key: case.id for case in cases if case.current}
        self.number = len(self._current)

    def find(self, output: StoredOutput) -> int | None:
        if output.case_id is None:
            return None
        if output.case_sha256 is not None:
            return self._by_hash.get((output.case_id, output.case_sha256))
        return self._current.get(output.case_id)


def _text(output: Any) -> tuple[str | None, dict[str, Any]]:
    """The text of an output, and what the system said beside it."""
    if isinstance(output, dict) and isinstance(output.get("text"), str):
        return output["text"], {key: value for key, value in output.items() if key != "text"}
    if output is None:
        return None, {}
    return (output if isinstance(output, str) else str(output)), {}
