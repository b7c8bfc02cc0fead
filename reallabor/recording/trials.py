"""Runs a trial: every case through every chosen variant, journalled, then recorded in MLflow."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from reallabor.content import digest, storable
from reallabor.errors import ReallaborError, TrackingUnavailable, WrongState
from reallabor.recording.indicators import indicators
from reallabor.recording.journal import Journal, JournalEntry, TrialPlan
from reallabor.scenarios import CaseContent, ScenarioFolder, System, load_scenario
from reallabor.settings import get_settings
from reallabor.tracking import Connection, names, recording

log = structlog.get_logger()

Progress = Callable[[str, int, int], None]
"""Called with variant, cases done, cases in all."""


@dataclass(frozen=True)
class RecordedRun:
    """A variant that MLflow now holds whole."""

    variant: str
    run_id: str
    n_cases: int
    n_failed: int
    indicators: dict[str, float]


def record_trial(
    slug: str,
    *,
    connection: Connection,
    variant: str | None = None,
    organisation: str | None = None,
    resume: bool = False,
    demo: bool = False,
    progress: Progress | None = None,
) -> list[RecordedRun]:
    """Run all cases through one variant, or through all, and record them.

    Each output is in the local journal before anything is sent. With `resume` the newest
    interrupted trial goes on: cases in the journal are not run again, what MLflow holds is not
    sent again. Raises WrongState where there is nothing to resume, TrackingUnavailable where
    MLflow is down (the journal stays).
    """
    root = journal_root()
    if resume:
        journal = _resumable(root, slug, variant=variant, organisation=organisation, demo=demo)
    else:
        scenario = load_scenario(slug)
        chosen = [scenario.variant(variant).key] if variant else _all_variants(scenario)
        for key in chosen:
            scenario.build_system(key)  # refuse before anything is written
        journal = Journal.create(
            root,
            scenario,
            variants=chosen,
            organisation=organisation or scenario.content.organisation,
            demo=demo,
        )
    with journal.locked():
        scenario, source = journal.scenario(), load_scenario(slug)
        for key in journal.plan.variants:
            if len(journal.entries(key)) < len(scenario.cases):
                _require_same_systems(journal, source)
                _run_cases(journal, scenario, key, source.build_system(key), progress)
        try:
            recorded = [_send(journal, scenario, key, connection) for key in journal.plan.variants]
        except TrackingUnavailable as outage:
            raise TrackingUnavailable(
                f"{outage} Alle Ausgaben sind gesichert; danach weiter mit "
                f"`reallabor run {slug} --resume`."
            ) from outage
        journal.remove()
    return recorded


def journal_root() -> Path:
    """Where the journals of this home lie."""
    return get_settings().home / "journal"


def _all_variants(scenario: ScenarioFolder) -> list[str]:
    return [variant.key for variant in scenario.content.variants]


def _resumable(
    root: Path, slug: str, *, variant: str | None, organisation: str | None, demo: bool
) -> Journal:
    for journal in Journal.unfinished(root, slug):
        plan = journal.plan
        if (
            plan.demo == demo
            and (variant is None or variant in plan.variants)
            and organisation
            in (
                None,
                plan.organisation,
            )
        ):
            return journal
    raise WrongState(
        f"Zu '{slug}' gibt es keinen unterbrochenen Durchlauf; `reallabor run {slug}` beginnt "
        "einen neuen."
    )


def _require_same_systems(journal: Journal, source: ScenarioFolder) -> None:
    """One run must not hold the outputs of two states of a system."""
    if journal.plan.code_sha256 != source.code_sha256:
        raise WrongState(
            f"Der Ordner {source.path} wurde seit Beginn des Durchlaufs geändert; fortgesetzt "
            f"kämen zwei Stände in einen Durchlauf. Bitte mit `reallabor run {source.slug}` neu "
            "beginnen, oder die Änderung zurücknehmen."
        )


def _run_cases(
    journal: Journal,
    scenario: ScenarioFolder,
    variant: str,
    system: System,
    progress: Progress | None,
) -> None:
    done = journal.entries(variant)
    total = len(scenario.cases)
    with journal.writer(variant) as writer:
        for case in scenario.cases:
            if case.id in done:
                continue
            entry = _answer(system, case)
            writer.append(entry)
            done[case.id] = entry
            if progress:
                progress(variant, len(done), total)


def _answer(system: System, case: CaseContent) -> JournalEntry:
    started_at = datetime.now(UTC).isoformat()
    begin = time.perf_counter()
    output: dict[str, Any] | None = None
    error: str | None = None
    try:
        output = _as_output(system(case.input))
    except ReallaborError as refusal:
        error = str(refusal)
    except Exception as failure:  # noqa: BLE001 - foreign code must not lose the other cases
        error = f"{type(failure).__name__}: {failure}"[:500]
        log.warning("case_failed", case=case.id, error=error)
    latency_ms = (time.perf_counter() - begin) * 1000
    return JournalEntry(case.id, started_at, latency_ms, output, error and storable(error))


def _as_output(answer: object) -> dict[str, Any]:
    """The answer as a dict with `text`; anything else of a system is an error of this case."""
    output = {"text": answer} if isinstance(answer, str) else answer
    if not isinstance(output, dict) or not isinstance(output.get("text"), str):
        raise TypeError(f"das System gab {type(answer).__name__} statt eines Textes zurück")
    digest(output)  # NaN and objects that JSON does not know are refused here
    return {str(key): value for key, value in storable(output).items()}


def _send(
    journal: Journal, scenario: ScenarioFolder, variant: str, connection: Connection
) -> RecordedRun:
    plan = journal.plan
    entries = list(journal.entries(variant).values())
    started_at = datetime.fromisoformat(entries[0].started_at)
    connection.require()
    experiment_id = recording.ensure_experiment(connection, plan.slug, scenario.content.title)
    run_id = journal.run_id(variant)
    if run_id is None:
        run_id = recording.open_run(
            connection,
            experiment_id,
            run_key=f"{plan.key}/{variant}",
            name=f"{variant} {started_at:%Y-%m-%d %H:%M}",
            started_at=started_at,
            tags=_tags(journal, scenario, variant),
        )
        journal.remember_run(variant, run_id)
    metrics = indicators(scenario.cases, entries)
    if not journal.is_sent(variant):
        _send_outputs(connection, experiment_id, run_id, scenario.cases, entries)
        recording.finish_run(
            connection,
            run_id,
            params=_params(plan, scenario, variant),
            metrics=metrics,
            artifacts=[scenario.path / "scenario.yaml", scenario.path / "cases.jsonl"],
            measured_at=datetime.fromisoformat(entries[-1].started_at),
            finished_at=datetime.now(UTC),
        )
        journal.mark_sent(variant)
    failed = sum(entry.error is not None for entry in entries)
    return RecordedRun(variant, run_id, len(entries), failed, metrics)


def _send_outputs(
    connection: Connection,
    experiment_id: str,
    run_id: str,
    cases: Sequence[CaseContent],
    entries: Sequence[JournalEntry],
) -> None:
    by_id = {case.id: case for case in cases}
    stored = recording.stored_outputs(connection, experiment_id, run_id)
    records = [
        recording.TraceRecord(
            case_id=entry.case_id,
            case_sha256=by_id[entry.case_id].sha256,
            input=by_id[entry.case_id].input,
            output=entry.output,
            error=entry.error,
            started_at=datetime.fromisoformat(entry.started_at),
            latency_ms=entry.latency_ms,
        )
        for entry in entries
    ]
    for start in range(0, len(records), recording.BATCH):
        batch = records[start : start + recording.BATCH]
        recording.send_traces(connection, experiment_id, run_id, batch, stored=stored)


def _tags(journal: Journal, scenario: ScenarioFolder, variant: str) -> dict[str, str]:
    plan = journal.plan
    tags = {
        names.VARIANT: variant,
        names.ORGANISATION: plan.organisation,
        names.SCENARIO: plan.slug,
        names.SCENARIO_SHA256: scenario.sha256,
        names.CASES_SHA256: scenario.cases_sha256,
    }
    return {**tags, names.DEMO: "true"} if plan.demo else tags


def _params(plan: TrialPlan, scenario: ScenarioFolder, variant: str) -> dict[str, str]:
    """As they were when the trial began: MLflow refuses a parameter that changes."""
    return {
        "variant": variant,
        "title": scenario.variant(variant).title,
        "cases": str(len(scenario.cases)),
        "scenario_sha256": scenario.sha256,
        "code_sha256": plan.code_sha256,
        "reallabor": plan.reallabor,
    }
