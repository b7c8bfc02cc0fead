"""Automatic indicators of a trial run: facts beside the ratings, never mapped to levels. Computed
from what was taken over, so that a run has the same ones whichever way it came."""

import math
import statistics
from collections.abc import Iterable, Sequence

from reallabor.recording.measures import TITLES as MEASURE_TITLES
from reallabor.recording.measures import Answer, measure_metrics, metric_names
from reallabor.recording.readability import readability
from reallabor.scenarios import FieldContent, MeasureContent

TITLES = {
    "n_cases": "Fälle",
    "failure_share": "Fehlgeschlagen",
    **MEASURE_TITLES,
    "passage_hit_share": "Belegstelle unter den Quellen",
    "passage_first_share": "Belegstelle als erste Quelle",
    "handover_share": "Übergabe an einen Menschen",
    "words_mean": "Wörter je Antwort",
    "amstad_mean": "Lesbarkeit (Amstad)",
    "wstf1_mean": "Wiener Sachtextformel 1",
    "latency_p50_ms": "Antwortzeit, Median (ms)",
    "latency_p95_ms": "Antwortzeit, 95 % (ms)",
    "tokens_mean": "Token je Fall",
    "cost_mean_eur": "Kosten je Fall (EUR)",
}
"""German titles of the metrics that `indicators` may return, in display order."""


def indicators(
    answers: Sequence[Answer],
    *,
    fields: Sequence[FieldContent] = (),
    measures: Sequence[MeasureContent] = (),
) -> dict[str, float]:
    """Metrics of one run; what cannot be determined is left out.

    Shares are 0-1. A case whose system failed counts as failed, and as no hit.
    """
    if not answers:
        return {}
    done = [answer for answer in answers if answer.error is None]
    metrics = {
        "n_cases": float(len(answers)),
        "failure_share": _share(answer.error is not None for answer in answers),
    }
    for measure in measures:
        metrics |= measure_metrics(measure, fields, answers)
    metrics |= _sources(answers)
    if any("handover" in answer.details for answer in answers):
        metrics["handover_share"] = _share(bool(answer.details.get("handover")) for answer in done)
    figures = [figure for answer in done if (figure := readability(answer.text or ""))]
    if figures:
        metrics["words_mean"] = statistics.fmean(figure.words for figure in figures)
        metrics["amstad_mean"] = statistics.fmean(figure.amstad for figure in figures)
        metrics["wstf1_mean"] = statistics.fmean(figure.wstf1 for figure in figures)
    latencies = sorted(answer.latency_ms for answer in done if answer.latency_ms is not None)
    if latencies:
        metrics["latency_p50_ms"] = statistics.median(latencies)
        metrics["latency_p95_ms"] = latencies[math.ceil(0.95 * len(latencies)) - 1]
    if tokens := [answer.tokens for answer in answers if answer.tokens is not None]:
        metrics["tokens_mean"] = statistics.fmean(tokens)
    if costs := [answer.cost_eur for answer in answers if answer.cost_eur is not None]:
        metrics["cost_mean_eur"] = statistics.fmean(costs)
    return metrics


def indicator_names(measures: Iterable[MeasureContent]) -> set[str]:
    """Names that `indicators` may give; any other metric belongs to whoever logged the run."""
    return set(TITLES).union(*(metric_names(measure) for measure in measures))


def _sources(answers: Sequence[Answer]) -> dict[str, float]:
    """How often a passage that the case names is among the sources of the output."""
    referenced = [answer for answer in answers if answer.case.passages]
    if not referenced or not any("sources" in answer.details for answer in answers):
        return {}
    named = [(_texts(answer.details.get("sources")), answer.case.passages)
             for answer in referenced]  # fmt: skip
    return {
        "passage_hit_share": _share(bool(set(found) & set(wanted)) for found, wanted in named),
        "passage_first_share": _share(bool(found) and found[0] in wanted
                                      for found, wanted in named),
    }  # fmt: skip


def _texts(value: object) -> list[str]:
    """The passages that an output names; a system may also give something else there."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _share(hits: Iterable[bool]) -> float:
    flags = list(hits)
    return sum(flags) / len(flags) if flags else 0.0
