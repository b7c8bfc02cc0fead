"""Reads what the projection takes over: finished runs of our experiments and their outputs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reallabor.limits import MOST_COST_EUR, MOST_LATENCY_MS, MOST_TOKENS, plausible
from reallabor.tracking import names
from reallabor.tracking.client import Connection, pages

PAGE = 500
_LAST_MS = 253_370_764_800_000


@dataclass(frozen=True)
class FinishedRun:
    """A run as MLflow holds it; `score.*` metrics are ours and left out."""

    run_id: str
    experiment_id: str
    name: str
    started_at: datetime
    finished_at: datetime
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]


@dataclass(frozen=True)
class StoredOutput:
    """One trace of a run: its root span's input and output."""

    trace_id: str
    case_id: str | None
    case_sha256: str | None
    input: Any
    output: Any
    error: str | None
    latency_ms: float | None
    tokens: int | None = None
    cost_eur: float | None = None


def experiments(connection: Connection) -> dict[str, str]:
    """Experiment ids by slug of all active experiments of ours."""
    with connection.translated() as client:
        found = pages(
            lambda token: client.search_experiments(
                filter_string=f"name LIKE '{names.EXPERIMENT_PREFIX}%'",
                max_results=PAGE,
                page_token=token,
            )
        )
        return {
            each.name.removeprefix(names.EXPERIMENT_PREFIX): str(each.experiment_id)
            for each in found
        }


def finished_runs(
    connection: Connection, experiment_id: str, *, since_ms: int
) -> Iterator[FinishedRun]:
    """Runs that finished at or after the watermark (epoch milliseconds), oldest first."""
    with connection.translated() as client:
        found = pages(
            lambda token: client.search_runs(
                [experiment_id],
                f"attributes.status = 'FINISHED' AND attributes.end_time >= {since_ms}",
                max_results=PAGE,
                order_by=["attributes.end_time ASC"],
                page_token=token,
            )
        )
        for run in found:
            yield FinishedRun(
                run_id=run.info.run_id,
                experiment_id=experiment_id,
                name=run.info.run_name or "",
                started_at=_moment(run.info.start_time),
                finished_at=_moment(run.info.end_time),
                tags=dict(run.data.tags),
                params=dict(run.data.params),
                metrics={
                    key: value
                    for key, value in run.data.metrics.items()
                    if not key.startswith(names.SCORE_PREFIX)
                },
            )


def decision_tags(connection: Connection) -> dict[str, dict[str, str]]:
    """What decisions wrote on our experiments, by slug."""
    found = {}
    for slug, experiment_id in experiments(connection).items():
        with connection.translated() as client:
            tags = client.get_experiment(experiment_id).tags
        if kept := {key: tags[key] for key in names.DECISION_TAGS if key in tags}:
            found[slug] = kept
    return found


def content_run(connection: Connection, slug: str) -> str | None:
    """The newest finished run that holds the cases of a scenario."""
    with connection.translated() as client:
        experiment = client.get_experiment_by_name(names.experiment_name(slug))
        if experiment is None or experiment.lifecycle_stage != "active":
            return None
        found = client.search_runs(
            [experiment.experiment_id],
            f"tags.`{names.CONTENT}` = 'true' AND attributes.status = 'FINISHED'",
            max_results=1,
            order_by=["attributes.end_time DESC"],
        )
        return str(found[0].info.run_id) if found else None


def fetch_files(
    connection: Connection, run_id: str, artifacts: Sequence[str], target: Path
) -> None:
    """Bring files of a run into a folder."""
    with connection.translated() as client:
        for name in artifacts:
            client.download_artifacts(run_id, name, str(target))


def demo_runs(connection: Connection, experiment_id: str) -> list[str]:
    """Ids of the runs of the demonstration, finished or not."""
    return _tagged(connection, experiment_id, names.DEMO, "true")


def demo_evidence_runs(connection: Connection, experiment_id: str) -> list[str]:
    """Ids of the runs that hold the evidence of the demonstration."""
    return _tagged(connection, experiment_id, names.EVIDENCE, "demo")


def _tagged(connection: Connection, experiment_id: str, tag: str, value: str) -> list[str]:
    with connection.translated() as client:
        found = pages(
            lambda token: client.search_runs(
                [experiment_id],
                f"tags.`{tag}` = '{value}'",
                max_results=PAGE,
                page_token=token,
            )
        )
        return [run.info.run_id for run in found]


def outputs_of(connection: Connection, run: FinishedRun) -> Iterator[StoredOutput]:
    """All outputs of a run with their full texts."""
    with connection.translated() as client:
        found = pages(
            lambda token: client.search_traces(
                locations=[run.experiment_id], run_id=run.run_id, max_results=100, page_token=token
            )
        )
        for trace in found:
            root = next((span for span in trace.data.spans if span.parent_id is None), None)
            failed = root is not None and str(root.status.status_code.value) == "ERROR"
            yield StoredOutput(
                trace_id=trace.info.trace_id,
                case_id=trace.info.tags.get(names.CASE_ID),
                case_sha256=_text(root_attribute(trace, names.CASE_SHA256)),
                input=root.inputs if root else None,
                output=root.outputs if root else None,
                error=(root.status.description or "Fehler") if root and failed else None,
                latency_ms=_latency_ms(root),
                tokens=_tokens(trace, root),
                cost_eur=plausible(_number(root_attribute(trace, names.COST_EUR)), MOST_COST_EUR),
            )


def root_attribute(trace: Any, name: str) -> Any:
    """What the root span, or else a tag of the trace, says under this name."""
    root = next((span for span in trace.data.spans if span.parent_id is None), None)
    found = root.attributes.get(name) if root is not None else None
    return trace.info.tags.get(name) if found is None else found


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _tokens(trace: Any, root: Any) -> int | None:
    """Our own figure, else what mlflow counted over all spans."""
    found = _number(root.attributes.get(names.TOKENS)) if root is not None else None
    if found is None:
        usage = getattr(trace.info, "token_usage", None) or {}
        found = _number(usage.get("total_tokens"))
    found = plausible(found, MOST_TOKENS)
    return None if found is None else round(found)


def _latency_ms(span: Any) -> float | None:
    if span is None or span.end_time_ns is None or span.attributes.get(names.NO_LATENCY):
        return None
    passed = float(span.end_time_ns - span.start_time_ns) / 1_000_000
    return plausible(passed, MOST_LATENCY_MS)


def _moment(epoch_ms: int) -> datetime:
    """MLflow takes any number for a time; those beyond the year 9998 count as its end."""
    return datetime.fromtimestamp(min(max(epoch_ms, 0), _LAST_MS) / 1000, UTC)
