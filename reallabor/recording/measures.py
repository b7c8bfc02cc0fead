"""Holds outputs against what their cases expect: one rule per kind of measure. The results stand
beside the ratings as metrics of the run and are never mapped to levels."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reallabor.recording.facts import changed_facts
from reallabor.recording.values import comparable
from reallabor.scenarios import FieldContent, MeasureContent
from reallabor.statistics import (
    Interval,
    clopper_pearson,
    f1_of_sums,
    mean_of_sums,
    metric_interval,
    share_bound,
)

TITLES = {
    "macro_f1": "Macro-F1 über alle Klassen",
    "critical_recall": "Kritisches erkannt",
    "false_alarms": "Fehlalarme",
    "exact": "Genau getroffen",
    "field_f1": "F1 über alle Felder",
    "ndcg_at_5": "nDCG@5",
    "hit_at_3": "Treffer unter den ersten drei",
    "kept": "Beträge, Daten und § unverändert",
}
"""German titles by kind, where the scenario gives none."""
SHARES = frozenset({"critical_recall", "false_alarms", "exact", "hit_at_3", "kept"})
"""Kinds whose value is a share of cases (or of expected values)."""
LOW, HIGH, COUNT, MISSED, BOUND = ".low", ".high", ".n", ".missed", ".bound"
"""Endings of the metrics that belong to a measure."""


class CaseFacts(Protocol):
    """What a measure reads of a case."""

    @property
    def input(self) -> str | None: ...
    @property
    def expected(self) -> dict[str, Any]: ...
    @property
    def passages(self) -> list[str]: ...
    @property
    def cluster(self) -> str | None: ...


@dataclass(frozen=True)
class Answer:
    """One output with the case it answers; a failed one has no text."""

    case: CaseFacts
    text: str | None
    details: Mapping[str, Any]
    error: str | None = None
    latency_ms: float | None = None
    tokens: int | None = None
    cost_eur: float | None = None


Counts = list[tuple[float, ...]]
_Rule = Callable[[MeasureContent, Mapping[str, FieldContent], Answer], "tuple[float, ...] | None"]


def measure_metrics(
    measure: MeasureContent, fields: Sequence[FieldContent], answers: Sequence[Answer]
) -> dict[str, float]:
    """The measure over a run, by metric name, with `.low`, `.high` (95 %) and `.n`; empty where no
    case says what is expected. A failed output counts as an empty one.

    A recall without a miss also has `.bound`, the share above which the true one lies with 95 %
    confidence, and every recall has `.missed`.
    """
    by_key = {field.key: field for field in fields}
    if measure.kind == "macro_f1":
        rows = _class_counts(measure, by_key, answers)
    else:
        rule = _RULES[measure.kind]
        rows = [(answer, found) for answer in answers
                if (found := rule(measure, by_key, answer)) is not None]  # fmt: skip
    if not rows:
        return {}
    counts = np.array([found for _, found in rows], dtype=np.float64)
    statistic = f1_of_sums if measure.kind in ("macro_f1", "field_f1") else mean_of_sums
    value = float(statistic(counts.sum(axis=0)[None, :])[0])
    if not math.isfinite(value):
        return {}
    name = measure.name
    metrics = {name: value, name + COUNT: float(len(rows))}
    if statistic is mean_of_sums and measure.kind in SHARES:
        hits, n = (round(total) for total in counts.sum(axis=0))
        metrics[name + COUNT] = float(n)
        # Values of one case, and cases of one cluster, are no independent witnesses.
        witnesses = len({answer.case.cluster or at for at, (answer, _) in enumerate(rows)})
        if measure.kind == "critical_recall":
            metrics[name + MISSED] = float(n - hits)
            if hits == n:
                metrics[name + BOUND] = share_bound(witnesses, witnesses)
        if hits in (0, n):
            interval = clopper_pearson(witnesses if hits else 0, witnesses)
        elif witnesses == n:
            interval = clopper_pearson(hits, n)  # exact; a bootstrap of few cases is too narrow
        else:
            interval = _interval(rows, counts)
    else:
        interval = _interval(rows, counts, macro=statistic is f1_of_sums)
    if interval.low is not None and interval.high is not None:
        metrics |= {name + LOW: interval.low, name + HIGH: interval.high}
    return metrics


def metric_names(measure: MeasureContent) -> set[str]:
    """All metrics that `measure_metrics` may give for a measure."""
    return {measure.name + ending for ending in ("", LOW, HIGH, COUNT, MISSED, BOUND)}


def case_quality(
    measures: Sequence[MeasureContent], fields: Sequence[FieldContent], answer: Answer
) -> float | None:
    """How far one output is as expected, 0-1, averaged over the measures that say something."""
    by_key = {field.key: field for field in fields}
    shares = []
    for measure in measures:
        if measure.kind in ("macro_f1", "false_alarms"):
            continue
        found = _RULES[measure.kind](measure, by_key, answer)
        if found is not None:
            value = (f1_of_sums if len(found) == 3 else mean_of_sums)(np.array([found]))[0]
            if math.isfinite(value):
                shares.append(float(value))
    return sum(shares) / len(shares) if shares else None


def _interval(
    rows: Sequence[tuple[Answer, Any]], counts: npt.NDArray[np.float64], *, macro: bool = False
) -> Interval:
    clusters = [answer.case.cluster for answer, _ in rows]
    cluster = None
    if any(clusters):
        own = [each or f"\x00{number}" for number, each in enumerate(clusters)]
        cluster = np.array(own)
    return metric_interval(counts, f1_of_sums if macro else mean_of_sums, cluster=cluster)


def _class_counts(
    measure: MeasureContent, fields: Mapping[str, FieldContent], answers: Sequence[Answer]
) -> list[tuple[Answer, tuple[float, ...]]]:
    key = measure.fields[0]
    known = [answer for answer in answers if key in answer.case.expected]
    expected = [_labels(fields[key], answer.case.expected[key]) for answer in known]
    given = [_labels(fields[key], answer.details.get(key)) for answer in known]
    # Classes that only occur in answers are errors of other classes; those of the references count.
    classes = sorted(set().union(*expected), key=str)
    return [
        (answer, (*(float(c in want and c in got) for c in classes),
                  *(float(c not in want and c in got) for c in classes),
                  *(float(c in want and c not in got) for c in classes)))
        for answer, want, got in zip(known, expected, given, strict=True)
    ]  # fmt: skip


def _critical_recall(
    measure: MeasureContent, fields: Mapping[str, FieldContent], answer: Answer
) -> tuple[float, ...] | None:
    hits = n = 0
    for key in measure.fields:
        expected = answer.case.expected.get(key)
        if isinstance(expected, dict):  # of a ranking only the best entries must not be missed
            best = max(expected.values(), default=0)
            expected = [entry for entry, gain in expected.items() if gain == best]
        want = _labels(fields[key], expected)
        if measure.critical:
            want &= _labels(fields[key], measure.critical, as_list=True)
        got = _labels(fields[key], answer.details.get(key))
        hits, n = hits + len(want & got), n + len(want)
    return (float(hits), float(n)) if n else None


def _false_alarms(
    measure: MeasureContent, fields: Mapping[str, FieldContent], answer: Answer
) -> tuple[float, ...] | None:
    """Whether a case without a critical value (for lists: any case) was flagged with one."""
    alarm, able = False, False
    for key in measure.fields:
        if key not in answer.case.expected:
            continue
        want = _labels(fields[key], answer.case.expected[key])
        got = _labels(fields[key], answer.details.get(key))
        critical = _labels(fields[key], measure.critical, as_list=True)
        if fields[key].kind == "list":
            able = True
            alarm |= bool((got & critical if critical else got) - want)
        elif not (want & critical if critical else want):
            able = True
            alarm |= bool(got & critical if critical else got)
    return (float(alarm), 1.0) if able else None


def _exact(
    measure: MeasureContent, fields: Mapping[str, FieldContent], answer: Answer
) -> tuple[float, ...] | None:
    if not answer.case.expected:
        return None
    same = all(
        _labels(fields[key], answer.case.expected.get(key))
        == _labels(fields[key], answer.details.get(key))
        for key in measure.fields
    )
    return (float(same and answer.error is None), 1.0)


def _field_f1(
    measure: MeasureContent, fields: Mapping[str, FieldContent], answer: Answer
) -> tuple[float, ...] | None:
    if not answer.case.expected:
        return None
    true = false = missed = 0
    for key in measure.fields:
        want = _labels(fields[key], answer.case.expected.get(key))
        got = _labels(fields[key], answer.details.get(key))
        true, false, missed = (
            true + len(want & got),
            false + len(got - want),
            missed + len(want - got),
        )
    return (float(true), float(false), float(missed))


def _ndcg(
    measure: MeasureContent, fields: Mapping[str, FieldContent], answer: Answer
) -> tuple[float, ...] | None:
    """nDCG@5 with exponential gain (Burges et al. 2005): sum of (2^gain - 1) / log2(rank + 1)."""
    gains, ranking = _ranking(measure, fields, answer)
    if not gains:
        return None
    ideal = sorted(gains.values(), reverse=True)[:5]
    best = sum((2**gain - 1) / math.log2(rank + 2) for rank, gain in enumerate(ideal))
    reached = sum(
        (2 ** gains.get(entry, 0.0) - 1) / math.log2(rank + 2)
        for rank, entry in enumerate(ranking[:5])
    )
    return (reached / best, 1.0) if best > 0 else None


def _hit(
    measure: MeasureContent, fields: Mapping[str, FieldContent], answer: Answer
) -> tuple[float, ...] | None:
    gains, ranking = _ranking(measure, fields, answer)
    if not gains:
        return None
    return (float(any(gains.get(entry, 0) > 0 for entry in ranking[:3])), 1.0)


def _kept(
    _measure: MeasureContent, _fields: Mapping[str, FieldContent], answer: Answer
) -> tuple[float, ...] | None:
    if not answer.case.input:
        return None
    missing, added = changed_facts(answer.case.input, answer.text or "")
    return (float(answer.text is not None and not missing and not added), 1.0)


def _ranking(
    measure: MeasureContent, fields: Mapping[str, FieldContent], answer: Answer
) -> tuple[dict[str, float], list[str]]:
    field = fields[measure.fields[0]]
    expected = answer.case.expected.get(field.key)
    if expected is None and field.key == "sources":
        expected = answer.case.passages
    pairs = expected.items() if isinstance(expected, dict) else ((e, 1.0) for e in expected or [])
    gains = {str(comparable(_free(field), [entry])[0]): float(gain) for entry, gain in pairs}
    given = comparable(_free(field), answer.details.get(field.key))
    return gains, list(dict.fromkeys(given)) if isinstance(given, tuple) else []


def _free(field: FieldContent) -> FieldContent:
    """The field without its list of values: an unknown entry is wrong, not unreadable."""
    return field.model_copy(update={"values": []}) if field.values else field


def _labels(field: FieldContent, value: Any, *, as_list: bool = False) -> frozenset[Any]:
    if as_list:
        return frozenset(label for each in value for label in _labels(field, each))
    got = comparable(_free(field), value)
    if got is None:
        return frozenset()
    return frozenset(got) if isinstance(got, tuple) else frozenset({got})


_RULES: dict[str, _Rule] = {
    "critical_recall": _critical_recall,
    "false_alarms": _false_alarms,
    "exact": _exact,
    "field_f1": _field_f1,
    "ndcg_at_5": _ndcg,
    "hit_at_3": _hit,
    "kept": _kept,
}
