"""Comparison of variants on shared cases: paired differences, adjusted for their number."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from reallabor.statistics.intervals import intervals_from_moments
from reallabor.statistics.moments import Moments, moments_from_sums, moments_from_values
from reallabor.statistics.ratings import Floats
from reallabor.statistics.results import Interval, InvalidData


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of (first - second) over the cases that both variants share."""

    mean: float | None
    """On the scale of the case means; None where no case is shared."""
    cases: int
    """Number of shared cases."""
    interval: Interval
    """95 % interval of the mean, by t on the case differences."""
    p_value: float | None
    """Two-sided p of no difference; None where there is no interval."""
    p_adjusted: float | None
    """p_value after Holm over all pairs compared together; p_value itself for a single pair."""


def paired_difference(
    first: ArrayLike, second: ArrayLike, clusters: ArrayLike | None = None
) -> Difference:
    """Paired t comparison (Student 1908) of the case means (n,) of two variants.

    Entry i of both belongs to case i; NaN where a variant was not rated on the case, which then
    is not shared. clusters (n,) names the cases that hang together.

    Raises InvalidData where the lengths differ or a case mean is infinite.
    """
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if left.shape != right.shape or left.ndim != 1:
        raise InvalidData("Die Varianten haben verschieden viele Fälle; je Fall ein Eintrag.")
    return compare_all(np.column_stack([left, right]), clusters)[0, 1]


def compare_all(
    case_means: ArrayLike, clusters: ArrayLike | None = None
) -> dict[tuple[int, int], Difference]:
    """Paired differences of all pairs i < j of variants, Holm-adjusted over all of them.

    case_means (n cases, v variants), NaN where not rated; clusters (n,) as in
    `paired_difference`. Pairs without a p value do not count in the adjustment.

    Raises InvalidData where case_means is not a table or contains an infinite value, or clusters
    has another length.
    """
    table = np.asarray(case_means, dtype=np.float64)
    if table.ndim != 2 or np.isinf(table).any():
        raise InvalidData("Die Fallmittel sind keine Tabelle endlicher Zahlen: Fälle x Varianten.")
    groups = None if clusters is None else np.asarray(clusters)
    if groups is not None and groups.shape != table.shape[:1]:
        raise InvalidData("Fälle und Gruppen sind verschieden viele; je Fall eine Gruppe.")
    found: dict[tuple[int, int], Difference] = {}
    for i in range(table.shape[1] - 1):
        differences = table[:, [i]] - table[:, i + 1 :]
        if groups is None:
            pairs = _tested(_column_moments(differences))
        else:
            shared = [~np.isnan(column) for column in differences.T]
            pairs = [
                _tested(moments_from_values(column[rated], groups[rated]))[0]
                for column, rated in zip(differences.T, shared, strict=True)
            ]
        found |= {(i, j): pair for j, pair in enumerate(pairs, i + 1)}
    determinable = [key for key, pair in found.items() if pair.p_value is not None]
    adjusted = holm([found[key].p_value or 0.0 for key in determinable])
    for key, p in zip(determinable, adjusted, strict=True):
        found[key] = replace(found[key], p_adjusted=float(p))
    return found


def holm(p_values: ArrayLike) -> Floats:
    """p values (m,) adjusted after Holm (1979): rank r by size is multiplied by m - r + 1.

    The result is in the order of the input, never decreases with p, and is at most 1.
    Raises InvalidData where a p value is not within 0-1.
    """
    p = np.atleast_1d(np.asarray(p_values, dtype=np.float64))
    if not ((p >= 0) & (p <= 1)).all():
        raise InvalidData("Ein p-Wert liegt nicht zwischen 0 und 1; nicht Bestimmbares weglassen.")
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def _column_moments(differences: Floats) -> Moments:
    """Moments of each column of case differences, NaN where a case is not shared."""
    shared = ~np.isnan(differences)
    filled = np.where(shared, differences, 0.0)
    return moments_from_sums(shared.sum(axis=0), filled.sum(axis=0), (filled**2).sum(axis=0))


def _tested(moments: Moments) -> list[Difference]:
    intervals = intervals_from_moments(moments, None, None)
    error = np.sqrt(np.where(moments.variance > 0, moments.variance, 1.0))
    p_values = 2 * stats.t.sf(np.abs(moments.mean) / error, moments.freedom)
    result = []
    for index, interval in enumerate(intervals):
        cases = int(moments.cases[index])
        p = None if interval.reason else float(p_values[index])
        mean = float(moments.mean[index]) if cases else None
        result.append(Difference(mean, cases, interval, p, p))
    return result
