"""Reads what the projection takes over: finished runs of our experiments and their outputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reallabor.tracking import names
from reallabor.tracking.client import Connection, pages

PAGE = 500


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
    content_sha256: str
    input: Any
    output: Any
    error: str | None
    latency_ms: float


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


def demo_runs(connection: Connection, experiment_id: str) -> list[str]:
    """Ids of the runs of the demonstration, finished or not."""
    with connection.translated() as client:
        found = pages(
            lambda token: client.search_runs(
                [experiment_id],
                f"tags.`{names.DEMO}` = 'true'",
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
                case_sha256=trace.info.tags.get(names.CASE_SHA256),
                content_sha256=trace.info.tags.get(names.CONTENT_SHA256, ""),
                input=root.inputs if root else None,
                output=root.outputs if root else None,
                error=(root.status.description or "Fehler") if root and failed else None,
                latency_ms=_latency_ms(root),
            )


def _latency_ms(span: Any) -> float:
    if span is None or span.end_time_ns is None:
        return 0.0
    return float(span.end_time_ns - span.start_time_ns) / 1_000_000


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
