"""Sends the outputs of a journal to MLflow: one run per variant. The one way in which anything is
recorded, whether a system ran here, a script recorded it or a file was uploaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reallabor.errors import TrackingUnavailable
from reallabor.recording.journal import Journal, JournalEntry
from reallabor.scenarios import CaseContent, ScenarioFolder
from reallabor.tracking import Connection, names, recording

OWN_PARAMS = frozenset({"variant", "title", "cases", "scenario_sha256", "code_sha256", "reallabor"})
"""Parameters that every run of ours carries."""


@dataclass(frozen=True)
class RecordedRun:
    """A variant that MLflow now holds whole."""

    variant: str
    run_id: str
    n_cases: int
    n_failed: int
    unchanged: bool = False
    """MLflow held the run whole before; nothing was sent."""


def send_journal(
    journal: Journal,
    connection: Connection,
    *,
    next_step: str,
    progress: Callable[[int, int], None] | None = None,
) -> list[RecordedRun]:
    """Bring all variants of a journal into MLflow and remove the journal.

    May be repeated after any interruption; nothing is doubled. Raises TrackingUnavailable where
    MLflow is down, with `next_step` as the sentence that says how to go on; the journal stays.
    `progress` is called with outputs sent and outputs in all.
    """
    scenario = journal.scenario()
    try:
        recorded = [
            _send(journal, scenario, key, connection, progress) for key in journal.plan.variants
        ]
    except TrackingUnavailable as outage:
        raise TrackingUnavailable(f"{outage} Alle Ausgaben sind gesichert; {next_step}") from outage
    journal.remove()
    return recorded


def _send(
    journal: Journal,
    scenario: ScenarioFolder,
    variant: str,
    connection: Connection,
    progress: Callable[[int, int], None] | None,
) -> RecordedRun:
    plan = journal.plan
    entries = list(journal.entries(variant).values())
    started_at = datetime.fromisoformat(entries[0].started_at if entries else plan.created_at)
    failed = sum(entry.error is not None for entry in entries)
    known = journal.run_id(variant)
    if known is not None and journal.is_sent(variant):
        return RecordedRun(variant, known, len(entries), failed)
    connection.require()
    experiment_id = recording.ensure_experiment(connection, plan.slug, scenario.content.title)
    title = _title(journal, scenario, variant)
    opened = recording.OpenedRun(known, fresh=False, finished=False) if known else (
        recording.open_run(
            connection,
            experiment_id,
            run_key=f"{plan.key}/{variant}",
            name=f"{title} {started_at:%Y-%m-%d %H:%M}",
            started_at=started_at,
            tags=_tags(journal, scenario, variant, title),
        )
    )  # fmt: skip
    if not opened.finished:
        journal.remember_run(variant, opened.run_id)
        _send_outputs(connection, experiment_id, opened, scenario.cases, entries, progress)
        recording.finish_run(
            connection,
            opened.run_id,
            params=_params(journal, scenario, variant, title),
            artifacts=[scenario.path / "scenario.yaml", scenario.path / "cases.jsonl"],
            finished_at=datetime.now(UTC),
        )
        journal.mark_sent(variant)
    return RecordedRun(variant, opened.run_id, len(entries), failed, unchanged=opened.finished)


def _send_outputs(  # noqa: PLR0917
    connection: Connection,
    experiment_id: str,
    run: recording.OpenedRun,
    cases: Sequence[CaseContent],
    entries: Sequence[JournalEntry],
    progress: Callable[[int, int], None] | None,
) -> None:
    by_id = {case.id: case for case in cases}
    stored = {} if run.fresh else recording.stored_outputs(connection, experiment_id, run.run_id)
    records = [
        recording.TraceRecord(
            case_id=entry.case_id,
            case_sha256=by_id[entry.case_id].sha256,
            input=by_id[entry.case_id].input,
            output=entry.output,
            error=entry.error,
            started_at=datetime.fromisoformat(entry.started_at),
            latency_ms=entry.latency_ms,
            tokens=entry.tokens,
            cost_eur=entry.cost_eur,
        )
        for entry in entries
    ]
    for start in range(0, len(records), recording.BATCH):
        batch = records[start : start + recording.BATCH]
        recording.send_traces(connection, experiment_id, run.run_id, batch, stored=stored)
        if progress:
            progress(start + len(batch), len(records))


def _title(journal: Journal, scenario: ScenarioFolder, variant: str) -> str:
    named = {each.key: each.title for each in scenario.content.variants}
    return journal.plan.titles.get(variant) or named.get(variant) or variant


def _tags(journal: Journal, scenario: ScenarioFolder, variant: str, title: str) -> dict[str, str]:
    plan = journal.plan
    tags = {
        names.VARIANT: variant,
        names.VARIANT_TITLE: title,
        names.ORGANISATION: plan.organisation,
        names.SCENARIO: plan.slug,
        names.SCENARIO_SHA256: scenario.sha256,
        names.CASES_SHA256: scenario.cases_sha256,
        names.WAY: plan.way,
    }
    return {**tags, names.DEMO: "true"} if plan.demo else tags


def _params(journal: Journal, scenario: ScenarioFolder, variant: str, title: str) -> dict[str, str]:
    """As they were when the trial began: MLflow refuses a parameter that changes."""
    plan = journal.plan
    return {
        **plan.params,
        "variant": variant,
        "title": title,
        "cases": str(len(scenario.cases)),
        "scenario_sha256": scenario.sha256,
        "code_sha256": plan.code_sha256,
        "reallabor": plan.reallabor,
    }
