"""Automatic indicators of a trial run: facts beside the ratings, never mapped to levels."""

import math
import statistics
from collections.abc import Iterable, Sequence

from reallabor.recording.journal import JournalEntry
from reallabor.recording.readability import readability
from reallabor.scenarios import CaseContent

TITLES = {
    "n_cases": "Fälle",
    "failure_share": "Fehlgeschlagen",
    "passage_hit_share": "Belegstelle unter den Quellen",
    "passage_first_share": "Belegstelle als erste Quelle",
    "handover_share": "Übergabe an einen Menschen",
    "words_mean": "Wörter je Antwort",
    "amstad_mean": "Lesbarkeit (Amstad)",
    "wstf1_mean": "Wiener Sachtextformel 1",
    "latency_p50_ms": "Antwortzeit, Median (ms)",
    "latency_p95_ms": "Antwortzeit, 95 % (ms)",
}
"""German titles of all metrics that `indicators` may return, in display order."""


def indicators(cases: Sequence[CaseContent], entries: Sequence[JournalEntry]) -> dict[str, float]:
    """Metrics of one run, by the keys of `TITLES`; what cannot be determined is left out.

    Shares are 0-1. A case whose system failed counts as failed, and as no hit.
    """
    by_id = {case.id: case for case in cases}
    done = [entry for entry in entries if entry.error is None]
    metrics = {
        "n_cases": float(len(entries)),
        "failure_share": _share(entry.error is not None for entry in entries),
    }
    referenced = [entry for entry in entries if by_id[entry.case_id].passages]
    if referenced and any("sources" in (entry.output or {}) for entry in entries):
        sources = [(_sources(entry), by_id[entry.case_id]) for entry in referenced]
        metrics["passage_hit_share"] = _share(
            bool(set(found) & set(case.passages)) for found, case in sources
        )
        metrics["passage_first_share"] = _share(
            bool(found) and found[0] in case.passages for found, case in sources
        )
    if any("handover" in (entry.output or {}) for entry in entries):
        metrics["handover_share"] = _share(bool((e.output or {}).get("handover")) for e in done)
    texts = [readability(str((entry.output or {}).get("text", ""))) for entry in done]
    figures = [figure for figure in texts if figure is not None]
    if figures:
        metrics["words_mean"] = statistics.fmean(figure.words for figure in figures)
        metrics["amstad_mean"] = statistics.fmean(figure.amstad for figure in figures)
        metrics["wstf1_mean"] = statistics.fmean(figure.wstf1 for figure in figures)
    if latencies := sorted(entry.latency_ms for entry in done):
        metrics["latency_p50_ms"] = statistics.median(latencies)
        metrics["latency_p95_ms"] = latencies[math.ceil(0.95 * len(latencies)) - 1]
    return metrics


def _sources(entry: JournalEntry) -> list[str]:
    """The passages that an output names; a system may also give something else there."""
    sources = (entry.output or {}).get("sources")
    return [each for each in sources if isinstance(each, str)] if isinstance(sources, list) else []


def _share(hits: Iterable[bool]) -> float:
    flags = list(hits)
    return sum(flags) / len(flags) if flags else 0.0
