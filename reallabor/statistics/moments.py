"""Means of case means with the variance of the mean, for many groups of cases at once.

Internal to the package: `intervals` and `comparison` turn moments into intervals and tests.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reallabor.statistics.ratings import Floats, Ints
from reallabor.statistics.results import InvalidData

ROUNDING = 1e-12
"""A sum of squared deviations below this share of the sum of squares is rounding, so 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Mean and its estimated variance for g groups; all arrays have shape (g,)."""

    cases: Ints
    """Number of cases n."""
    mean: Floats
    """Mean over cases; 0 where there is no case."""
    variance: Floats
    """Estimated variance of the mean; 0 where independent is below 2."""
    independent: Ints
    """What varies independently: cases, or clusters of cases."""
    equal_sized: Floats
    """Number of equally large clusters worth as much: n^2 / sum of squared sizes (Kish 1965).
    Degrees of freedom plus 1: clusters of unequal size tell less about their spread (Carter,
    Schnepel & Steigerwald 2017)."""
    clustered: bool
    """Whether cases lie in clusters."""

    @property
    def freedom(self) -> Floats:
        """(g,) degrees of freedom of the variance, at least 1."""
        return np.maximum(self.equal_sized - 1, 1.0)


def moments_from_values(values: ArrayLike, clusters: ArrayLike | None = None) -> Moments:
    """Moments of one group: values (n,) are case means, clusters (n,) arbitrary codes.

    Raises InvalidData where a value is not finite or the lengths differ.
    """
    cases = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if cases.ndim != 1 or not np.isfinite(cases).all():
        raise InvalidData("Ein Wert ist keine endliche Zahl; nicht Bewertetes weglassen.")
    # Shifting by a value first makes the variance of values that differ by rounding exactly 0.
    shift = cases[0] if cases.size else 0.0
    shifted = cases - shift
    shifted[np.abs(shifted) <= ROUNDING * abs(shift)] = 0.0
    if clusters is None:
        found = moments_from_sums([cases.size], [shifted.sum()], [shifted @ shifted])
    else:
        _, code = np.unique(np.asarray(clusters), return_inverse=True)
        if code.shape != cases.shape:
            raise InvalidData("Werte und Gruppen sind verschieden lang; je Fall eine Gruppe.")
        size, total = np.bincount(code), np.bincount(code, shifted)
        found = moments_from_clusters(np.zeros(size.size, dtype=np.int64), size, total, groups=1)
    return Moments(
        found.cases,
        found.mean + shift,
        found.variance,
        found.independent,
        found.equal_sized,
        found.clustered,
    )


def moments_from_sums(cases: ArrayLike, total: ArrayLike, squares: ArrayLike) -> Moments:
    """Moments of g groups from number, sum and sum of squares of their case means, each (g,).

    Variance of the mean s^2 / n. Shift values that lie more than 10^5 standard deviations
    from 0 before summing them.
    """
    n = np.atleast_1d(np.asarray(cases, dtype=np.int64))
    sums = np.atleast_1d(np.asarray(total, dtype=np.float64))
    square_sums = np.atleast_1d(np.asarray(squares, dtype=np.float64))
    if not n.shape == sums.shape == square_sums.shape or n.ndim != 1:
        raise InvalidData("Anzahl, Summe und Quadratsumme sind verschieden lang.")
    if not (np.isfinite(sums).all() and np.isfinite(square_sums).all()) or (n < 0).any():
        raise InvalidData("Anzahl, Summe oder Quadratsumme ist keine endliche Zahl ab 0.")
    mean = sums / np.maximum(n, 1)
    deviations = square_sums - sums * mean
    deviations = np.where(deviations <= ROUNDING * square_sums, 0.0, deviations)
    variance = deviations / np.maximum(n * (n - 1), 1)
    return Moments(n, mean, variance, n, n.astype(np.float64), clustered=False)


def moments_from_clusters(
    group: ArrayLike, cases: ArrayLike, total: ArrayLike, *, groups: int
) -> Moments:
    """Moments of groups from number and sum of case means per cluster of cases.

    The arrays have one entry per cluster: group 0..groups-1 it belongs to, number of its cases
    (at least 1), their sum. The mean is the mean over cases; its variance is, with d_g the sum
    of deviations from that mean in cluster g of G, G / (G - 1) * sum_g d_g^2 / n^2: the ratio
    estimator's linearised variance (Cochran 1977, Sampling Techniques, 3rd ed., chapter 9A,
    without the finite population factor), as in Liang & Zeger (1986).
    """
    of = np.atleast_1d(np.asarray(group, dtype=np.int64))
    size = np.atleast_1d(np.asarray(cases, dtype=np.int64))
    sums = np.atleast_1d(np.asarray(total, dtype=np.float64))
    if not of.shape == size.shape == sums.shape or of.ndim != 1:
        raise InvalidData("Zuordnung, Anzahl und Summe der Gruppen sind verschieden lang.")
    if of.size and (of.min() < 0 or of.max() >= groups or size.min() < 1):
        raise InvalidData("Eine Zuordnung liegt außerhalb, oder eine Gruppe hat keinen Fall.")
    if not np.isfinite(sums).all():
        raise InvalidData("Eine Summe ist keine endliche Zahl; nicht Bewertetes weglassen.")
    n = np.bincount(of, size, groups)
    clusters = np.bincount(of, minlength=groups)
    mean = np.bincount(of, sums, groups) / np.maximum(n, 1)
    expected = mean[of] * size
    off = sums - expected
    off[np.abs(off) <= ROUNDING * np.maximum(np.abs(sums), np.abs(expected))] = 0.0
    correction = clusters / np.maximum(clusters - 1, 1) / np.maximum(n, 1) ** 2
    variance = np.where(clusters > 1, correction * np.bincount(of, off**2, groups), 0.0)
    equal_sized = n**2 / np.maximum(np.bincount(of, size.astype(np.float64) ** 2, groups), 1)
    return Moments(
        n.astype(np.int64), mean, variance, clusters.astype(np.int64), equal_sized, clustered=True
    )
