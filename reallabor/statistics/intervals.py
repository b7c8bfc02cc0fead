"""95 % confidence intervals for means of case means, also near the ends of a scale.

`mean_interval` serves one group; `intervals_from_sums` and `intervals_from_clusters` serve
hundreds of groups at once. Means over all cases only: raters are averaged within a case first.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from reallabor.statistics.moments import (
    Moments,
    moments_from_clusters,
    moments_from_sums,
    moments_from_values,
)
from reallabor.statistics.ratings import Floats
from reallabor.statistics.results import Interval, InvalidData

CONFIDENCE = 0.95
PSEUDO_DEGREES = 1.0
"""Weight of the largest possible dispersion in `bounded_ends`; chosen by simulation."""
T_MARGIN = 2.0
"""On a scale with ends, t serves where its interval, widened by this factor, stays inside."""
ROUNDING_SHARE = 1e-9
"""Values may lie outside the scale by this share of its length, from adding up decimals."""

NO_CASE = "Kein Fall: kein Intervall bestimmbar."
ONE_CASE = "Nur ein Fall: kein Intervall bestimmbar."
ONE_CLUSTER = "Alle Fälle gehören zu einer Gruppe: kein Intervall bestimmbar."
NO_SPREAD = "Alle Werte sind gleich: ein Intervall ist daraus nicht belastbar bestimmbar."
NO_CLUSTER_SPREAD = (
    "Alle Gruppenmittel sind gleich: ein Intervall ist daraus nicht belastbar bestimmbar."
)


def mean_interval(
    values: ArrayLike,
    *,
    lower: float | None = None,
    upper: float | None = None,
    clusters: ArrayLike | None = None,
) -> Interval:
    """95 % interval for the mean of values (n,), one finite case mean per case.

    lower and upper are the ends of the scale. The method is "t" where there are no ends or they are
    far away (`T_MARGIN`), else "bounded". clusters (n,) names the cases that hang together (same
    document) and gives "t-cluster" or "bounded-cluster". An interval lies within the scale; none
    has width 0.

    Raises InvalidData where a value is not finite or lies outside the scale, only one end is
    given, or the lengths differ.
    """
    _check_scale(lower, upper)
    cases = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if lower is not None and upper is not None and cases.size:
        beyond = np.maximum(lower - cases, cases - upper)
        worst = cases[np.argmax(beyond)]
        if beyond.max() > ROUNDING_SHARE * (upper - lower):
            raise InvalidData(
                f"Wert {worst:g} liegt außerhalb der Skala {lower:g} bis {upper:g}; Skala prüfen."
            )
    return intervals_from_moments(moments_from_values(cases, clusters), lower, upper)[0]


def intervals_from_sums(
    cases: ArrayLike,
    total: ArrayLike,
    squares: ArrayLike,
    *,
    lower: float | None = None,
    upper: float | None = None,
) -> list[Interval]:
    """Intervals of g groups of independent cases, in order, as `mean_interval` gives them.

    cases, total, squares: (g,) number, sum and sum of squares of the case means of each group;
    all groups share one scale. Raises InvalidData as `mean_interval`.
    """
    return intervals_from_moments(moments_from_sums(cases, total, squares), lower, upper)


def intervals_from_clusters(
    group: ArrayLike,
    cases: ArrayLike,
    total: ArrayLike,
    *,
    groups: int,
    lower: float | None = None,
    upper: float | None = None,
) -> list[Interval]:
    """Intervals of `groups` groups whose cases hang together, in order of group code.

    group, cases, total: one entry per cluster of cases within a group: the group's code
    0..groups-1, number and sum of the cluster's case means. Raises InvalidData as
    `mean_interval`.
    """
    moments = moments_from_clusters(group, cases, total, groups=groups)
    return intervals_from_moments(moments, lower, upper)


def intervals_from_moments(
    moments: Moments, lower: float | None, upper: float | None
) -> list[Interval]:
    """Intervals of all groups of moments, or the reasons why there are none."""
    _check_scale(lower, upper)
    suffix = "-cluster" if moments.clustered else ""
    low, high = t_ends(moments)
    near_end = np.zeros(moments.cases.shape, dtype=bool)
    if lower is not None and upper is not None:
        reach = T_MARGIN * (high - low) / 2
        near_end = (moments.mean - reach < lower) | (moments.mean + reach > upper) | (low == high)
        bounded_low, bounded_high = bounded_ends(moments, lower, upper)
        low = np.where(near_end, bounded_low, low)
        high = np.where(near_end, bounded_high, high)
    intervals = []
    for index in range(moments.cases.size):
        method = f"{'bounded' if near_end[index] else 't'}{suffix}"
        reason = _refusal(moments, index, bounded=bool(near_end[index]))
        if reason:
            intervals.append(Interval(None, None, method, reason))
        else:
            intervals.append(Interval(float(low[index]), float(high[index]), method, None))
    return intervals


def t_ends(moments: Moments) -> tuple[Floats, Floats]:
    """Ends m -/+ t sqrt(V), (g,) each; t with independent - 1 degrees of freedom.

    Student (1908) for independent cases; with clusters as in Cameron & Miller (2015), section
    VI. Of no meaning where `independent` is below 2.
    """
    half = _t_quantile(moments) * np.sqrt(moments.variance)
    return moments.mean - half, moments.mean + half


def bounded_ends(moments: Moments, lower: float, upper: float) -> tuple[Floats, Floats]:
    """Ends of the score interval of a mean on a scale from lower to upper, (g,) each.

    With p the mean moved to 0-1, the interval holds every mu with (p - mu)^2 <= c mu (1 - mu),
    c = t^2 phi / n: Wilson's (1927) interval, widened or narrowed by the dispersion phi, the
    variance of a case as a share of p (1 - p), the largest that a scale with this mean allows
    (McCullagh & Nelder 1989, section 4.5, for phi in proportions). Near an end few cases tell
    phi, so it is shrunk towards 1 with PSEUDO_DEGREES against 2 sqrt(p (1 - p)) (n - 1):
    phi = 1 where all cases sit at one end, and never 0, so the width is never 0. For clusters
    n is the number of equally large ones and n - 1 the number of clusters less 1.

    The shrinkage is ours, chosen by simulation: levels 1-5 with 2-60 % below the top, means of
    two raters, weighted scores and beta-distributed scores, 6 to 100 cases: cover .93 to 1.00
    where t has .11 to 1.00; 6 to 60 unequal clusters of like cases: .91 to 1.00. In the middle
    of the scale it is as wide as t (factor 1.0 at 6 cases and standard deviation 1.1 levels);
    it is wide where scores crowd at the end without ever reaching it, because 6 such cases do
    not show that the 7th cannot fail.
    """
    p = np.clip((moments.mean - lower) / (upper - lower), 0.0, 1.0)
    distance = np.abs(lower + p * (upper - lower) - moments.mean)
    outside = (moments.cases > 0) & (distance > ROUNDING_SHARE * (upper - lower))
    if outside.any():
        raise InvalidData(
            f"Mittelwert {moments.mean[outside][0]:g} liegt außerhalb der Skala "
            f"{lower:g} bis {upper:g}; Skala prüfen."
        )
    n = np.maximum(moments.equal_sized, 1.0)
    largest = p * (1 - p)
    variance = moments.variance * n / (upper - lower) ** 2
    inside = largest > 0
    phi = np.divide(variance, largest, out=np.ones_like(p), where=inside)
    trust = 2 * np.sqrt(largest) * np.maximum(moments.independent - 1, 0)
    shrunk = (trust * phi + PSEUDO_DEGREES) / (trust + PSEUDO_DEGREES)
    c = _t_quantile(moments) ** 2 * shrunk / n
    half = np.sqrt(c * largest + c**2 / 4)
    # The lower root by Vieta: the difference of the two terms would lose digits near 0.
    low = p**2 / (p + c / 2 + half)
    high = 1 - (1 - p) ** 2 / (1 - p + c / 2 + half)
    return (
        np.clip(lower + low * (upper - lower), lower, upper),
        np.clip(lower + high * (upper - lower), lower, upper),
    )


def _t_quantile(moments: Moments) -> Floats:
    freedom = np.maximum(moments.independent - 1, 1)
    return np.asarray(stats.t.ppf((1 + CONFIDENCE) / 2, freedom), dtype=np.float64)


def _refusal(moments: Moments, index: int, *, bounded: bool) -> str | None:
    if moments.cases[index] < 2:
        return ONE_CASE if moments.cases[index] else NO_CASE
    if moments.independent[index] < 2:
        return ONE_CLUSTER
    if not bounded and moments.variance[index] == 0:
        return NO_CLUSTER_SPREAD if moments.clustered else NO_SPREAD
    return None


def _check_scale(lower: float | None, upper: float | None) -> None:
    if (lower is None) != (upper is None):
        raise InvalidData("Nur ein Ende der Skala ist angegeben; beide angeben oder keines.")
    if lower is not None and upper is not None and not -np.inf < lower < upper < np.inf:
        raise InvalidData(f"Die Skala {lower:g} bis {upper:g} ist leer; untere vor obere Stufe.")
