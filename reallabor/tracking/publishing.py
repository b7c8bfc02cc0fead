"""Writes what people judged and decided: feedback on traces, scores on runs, decisions as tags of
the experiment. All of it may be repeated; nothing is doubled."""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reallabor.errors import TrackingRefused
from reallabor.tracking import names
from reallabor.tracking.client import Connection
from reallabor.tracking.judging import JudgeFeedback

_UMLAUTS = {ord(letter): plain for letter, plain in zip(
    "äöüßÄÖÜ", ("ae", "oe", "ue", "ss", "Ae", "Oe", "Ue"), strict=True
)}  # fmt: skip


@dataclass(frozen=True)
class HumanFeedback:
    """One level on one criterion by one pseudonym, or the pseudonym's comment on the output."""

    criterion: str
    value: float | str
    pseudonym: str
    rubric: str
    """Rubric version, such as `auskunft@1`."""
    round_name: str
    comment: str | None
    adjudicated: bool = False
    """Whether it was decided where raters disagreed; such a level has the same pseudonym in every
    round, so that only the round tells two of them apart."""

    @property
    def name(self) -> str:
        return self.criterion

    @property
    def source_type(self) -> str:
        return "HUMAN"

    @property
    def source_id(self) -> str:
        return self.pseudonym

    @property
    def metadata(self) -> dict[str, str]:
        return {"rubric": self.rubric, "round": self.round_name}

    def assessment_id(self, trace_id: str) -> str:
        """The same id for every repetition, so that a score is never doubled."""
        parts = [trace_id, self.criterion, self.pseudonym, self.rubric]
        if self.adjudicated:
            parts.append(self.round_name)
        return f"a-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:32]}"


def publish_feedback(
    connection: Connection,
    trace_id: str,
    feedback: Sequence[HumanFeedback | JudgeFeedback],
    *,
    released_at: datetime,
) -> None:
    """Bring this feedback on one trace to this state; every entry carries the release time, so
    that neither order nor speed of rating can be read from it."""
    from mlflow.entities import AssessmentSource, Feedback

    moment = round(released_at.timestamp() * 1000)
    with connection.translated() as client:
        info = client._tracing_client.get_trace_info(trace_id)
        stored = {known.assessment_id: known for known in info.assessments}
        for entry in feedback:
            if isinstance(entry.value, float) and not math.isfinite(entry.value):
                # One such value makes MLflow's trace search of the experiment fail for ever.
                raise TrackingRefused(f"Die Stufe {entry.value} ist keine endliche Zahl.")
            assessment = Feedback(
                name=entry.name,
                value=entry.value,
                source=AssessmentSource(entry.source_type, entry.source_id),
                rationale=entry.comment,
                metadata=entry.metadata,
                create_time_ms=moment,
                last_update_time_ms=moment,
            )
            assessment.assessment_id = entry.assessment_id(trace_id)
            known = stored.get(assessment.assessment_id)
            if known is None:
                client._tracing_client.log_assessment(trace_id, assessment)
            elif known.feedback.value != assessment.value or known.rationale != entry.comment:
                client._tracing_client.update_assessment(
                    trace_id, assessment.assessment_id, assessment
                )


def publish_scores(
    connection: Connection,
    run_id: str,
    scores: dict[str, float],
    tags: dict[str, str],
    *,
    step: int,
    at: datetime,
) -> None:
    """Set `score.*` metrics on a finished run; a higher step or a later time replaces what is
    shown, the same again changes nothing."""
    named = {_metric_name(key): value for key, value in scores.items()}
    _log(connection, run_id, named, tags, step=step, at=at)


def publish_indicators(
    connection: Connection, run_id: str, figures: dict[str, float], *, step: int, at: datetime
) -> None:
    """Set the automatic indicators of a run; the same again changes nothing."""
    finite = {key: value for key, value in figures.items() if math.isfinite(value)}
    _log(connection, run_id, finite, {}, step=step, at=at)


def _log(
    connection: Connection,
    run_id: str,
    metrics: dict[str, float],
    tags: dict[str, str],
    *,
    step: int,
    at: datetime,
) -> None:
    from mlflow.entities import Metric, RunTag

    moment = round(at.timestamp() * 1000)
    with connection.translated() as client:
        client.log_batch(
            run_id,
            metrics=[Metric(key, value, moment, step) for key, value in metrics.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )


def publish_tags(connection: Connection, experiment_id: str, tags: dict[str, str]) -> None:
    """Set tags of an experiment, one after the other."""
    with connection.translated() as client:
        for key, value in tags.items():
            client.set_experiment_tag(experiment_id, key, value)


def publish_run_tags(connection: Connection, run_id: str, tags: dict[str, str]) -> None:
    """Set tags of a run; one that was deleted there stays as it is."""
    from mlflow.exceptions import MlflowException

    with connection.translated() as client:
        try:
            if client.get_run(run_id).info.lifecycle_stage != "active":
                return
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return
            raise
        for key, value in tags.items():
            client.set_tag(run_id, key, value)


def remove_tags(connection: Connection, experiment_id: str, keys: Sequence[str]) -> None:
    """Take tags of an experiment back, where they are."""
    with connection.translated() as client:
        present = client.get_experiment(experiment_id).tags
        for key in keys:
            if key in present:
                client.delete_experiment_tag(experiment_id, key)


def delete_runs(connection: Connection, experiment_id: str, run_ids: Sequence[str]) -> None:
    """Delete runs with all their traces; MLflow would leave the traces behind. The experiment
    stays, because MLflow keeps a deleted name blocked."""
    with connection.translated() as client:
        for run_id in run_ids:
            while True:
                page = client.search_traces(
                    locations=[experiment_id], run_id=run_id, include_spans=False, max_results=100
                )
                if not page:
                    break
                client.delete_traces(
                    experiment_id, trace_ids=[trace.info.trace_id for trace in page]
                )
            client.delete_run(run_id)


def delete_trace(connection: Connection, experiment_id: str, trace_id: str) -> None:
    """Delete one trace with all that hangs on it; harmless where it is gone."""
    with connection.translated() as client:
        client.delete_traces(experiment_id, trace_ids=[trace_id])


def _metric_name(key: str) -> str:
    """MLflow takes letters, digits and a few signs only."""
    plain = key.translate(_UMLAUTS)
    return names.SCORE_PREFIX + re.sub(r"[^\w. :-]", "_", plain, flags=re.ASCII)
