"""Writes trial runs: one MLflow run, one trace per case output. All of it may be repeated after an
interruption: ids are derived from run and case, so nothing is doubled."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reallabor.errors import ContentChanged, TrackingRefused
from reallabor.tracking import names
from reallabor.tracking.client import Connection, pages

BATCH = 100
"""Traces per POST; more are accepted by MLflow but stay without a link to the run."""


@dataclass(frozen=True)
class TraceRecord:
    """One output on its way into MLflow."""

    case_id: str
    case_sha256: str
    input: str
    output: dict[str, Any] | None
    error: str | None
    started_at: datetime
    latency_ms: float | None
    """None where nobody measured it."""
    tokens: int | None = None
    cost_eur: float | None = None

    @property
    def content_sha256(self) -> str:
        """Hash of what a rater would see, and of nothing that varies between repetitions."""
        text = json.dumps([self.case_sha256, self.output, self.error], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def trace_id(run_id: str, case_id: str) -> str:
    """MLflow's id of the trace of a case in a run; the same for every repetition."""
    return f"tr-{_hex(f'{run_id}/{case_id}', 16)}"


def ensure_experiment(connection: Connection, slug: str, title: str) -> str:
    """The id of the scenario's experiment, made where it is missing; never made twice."""
    name = names.experiment_name(slug)
    with connection.translated() as client:
        from mlflow.exceptions import MlflowException

        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            try:
                client.create_experiment(name, tags={names.TITLE: title})
            except MlflowException as error:
                # Somebody else may have made it in between; any other reason is a real one.
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            experiment = client.get_experiment_by_name(name)
        if experiment is None or experiment.lifecycle_stage != "active":
            raise TrackingRefused(
                f"Das MLflow-Experiment '{name}' wurde gelöscht, sein Name bleibt belegt. Bitte in "
                "MLflow wiederherstellen (`mlflow experiments restore`) und erneut versuchen."
            )
        return str(experiment.experiment_id)


@dataclass(frozen=True)
class OpenedRun:
    """A run to write into."""

    run_id: str
    fresh: bool
    """Made just now, so it holds nothing yet."""
    finished: bool
    """Everything is in it already."""


def open_run(
    connection: Connection,
    experiment_id: str,
    *,
    run_key: str,
    name: str,
    started_at: datetime,
    tags: dict[str, str],
) -> OpenedRun:
    """The run with this key: the existing one after an interruption, else a new one.

    MLflow's client repeats a request whose answer is late, and may so make a run twice; the first
    by id is taken then, and the others, empty as they are, are deleted.
    """
    with connection.translated() as client:

        def existing() -> list[Any]:
            found = client.search_runs([experiment_id], f"tags.`{names.RUN_KEY}` = '{run_key}'")
            return sorted(found, key=lambda run: str(run.info.run_id))

        fresh = not existing()
        if fresh:
            client.create_run(
                experiment_id,
                start_time=_ms(started_at),
                run_name=name,
                tags={**tags, names.RUN_KEY: run_key},
            )
        first, *others = existing()
        for run in others:
            client.delete_run(run.info.run_id)
        return OpenedRun(str(first.info.run_id), fresh, first.info.status == "FINISHED")


def stored_outputs(connection: Connection, experiment_id: str, run_id: str) -> dict[str, str]:
    """Content hash per trace id of all that MLflow already holds of this run."""
    from reallabor.tracking.reading import root_attribute

    with connection.translated() as client:
        found = pages(
            lambda token: client.search_traces(
                locations=[experiment_id],
                run_id=run_id,
                max_results=BATCH,
                page_token=token,
            )
        )
        return {
            trace.info.trace_id: str(root_attribute(trace, names.CONTENT_SHA256) or "")
            for trace in found
        }


def send_traces(
    connection: Connection,
    experiment_id: str,
    run_id: str,
    records: Sequence[TraceRecord],
    *,
    stored: Mapping[str, str],
) -> None:
    """Store one batch of at most `BATCH` outputs, linked to the run.

    `stored` comes from `stored_outputs`. Identical content is skipped. Raises ContentChanged where
    a trace exists under the same id with another content: MLflow would replace it silently.
    """
    fresh = []
    for record in records:
        known = stored.get(trace_id(run_id, record.case_id))
        if known is None:
            fresh.append(_span(run_id, record))
        elif known != record.content_sha256:
            raise ContentChanged(
                f"Zu Fall '{record.case_id}' liegt in MLflow schon eine andere Ausgabe dieses "
                "Durchlaufs. Sie bleibt stehen; bitte einen neuen Durchlauf aufzeichnen."
            )
    if not fresh:
        return
    body = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": fresh}]}]}
    connection.post(
        "/v1/traces",
        json.dumps(body).encode(),
        {
            "Content-Type": "application/json",
            "x-mlflow-experiment-id": experiment_id,
            "x-mlflow-run-id": run_id,
        },
    )


def finish_run(
    connection: Connection,
    run_id: str,
    *,
    params: dict[str, str],
    artifacts: Sequence[Path],
    finished_at: datetime,
) -> None:
    """Add what concerns the whole run and mark it as finished; only then does it count.

    `finished_at` is the present, because the projection looks for runs that finished lately.
    """
    from mlflow.entities import Param

    with connection.translated() as client:
        for path in artifacts:
            client.log_artifact(run_id, str(path))
        client.log_batch(run_id, params=[Param(key, value) for key, value in params.items()])
        client.set_terminated(run_id, "FINISHED", end_time=_ms(finished_at))


def _span(run_id: str, record: TraceRecord) -> dict[str, Any]:
    identity = f"{run_id}/{record.case_id}"
    start = round(record.started_at.timestamp() * 1_000_000) * 1_000
    attributes: dict[str, str] = {
        "mlflow.spanType": json.dumps("CHAIN"),
        "mlflow.spanInputs": json.dumps({"question": record.input}, ensure_ascii=False),
        f"mlflow.traceTag.{names.CASE_ID}": record.case_id,
        names.CASE_SHA256: record.case_sha256,
        names.CONTENT_SHA256: record.content_sha256,
    }
    if record.output is not None:
        attributes["mlflow.spanOutputs"] = json.dumps(record.output, ensure_ascii=False)
    if record.tokens is not None:
        attributes[names.TOKENS] = str(record.tokens)
    if record.cost_eur is not None:
        attributes[names.COST_EUR] = repr(record.cost_eur)
    if record.latency_ms is None:
        attributes[names.NO_LATENCY] = "true"
    failed = {"code": 2, "message": record.error} if record.error is not None else {"code": 1}
    return {
        "traceId": _hex(identity, 16),
        "spanId": _hex(identity, 8),
        "name": record.case_id,
        "kind": 1,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + round((record.latency_ms or 0.0) * 1_000_000)),
        "status": failed,
        "attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in attributes.items()
        ],
    }


def _hex(identity: str, size: int) -> str:
    return hashlib.blake2b(identity.encode(), digest_size=size).hexdigest()


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
