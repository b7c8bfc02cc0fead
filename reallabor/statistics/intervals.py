"""95 % confidence intervals for means of case means, also near the ends of a scale.

`mean_interval` serves one group; `intervals_from_sums` and `intervals_from_clusters` serve
hundreds of groups at once. Means over all cases only: raters are averaged within a case first.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from reallabor.statistics.moments import (
    Moments,
    moments_from_clusters,
    moments_from_sums,
    moments_from_values,
)
from reallabor.statistics.ratings import Floats
from reallabor.statistics.results import Interval, InvalidData

CONFIDENCE = 0.95
PSEUDO_DEGREES = 1.2
"""Weight of the largest possible dispersion in `bounded_ends`: the smallest with which no
simulated distribution is covered below 93 %."""
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

    lower and upper are the ends of the scale; without them the method is "t", with them
    "bounded". clusters (n,) names the cases that hang together (same document) and gives
    "t-cluster" or "bounded-cluster". An interval lies within the scale; none has width 0.

    Raises InvalidData where a value is not finite or lies outside the scale, only one end is
    given, or the lengths differ.
    """
    cases = np.atleast_1d(np.asarray(values, dtype=np.float64))
    check_values(cases, lower, upper)
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
    check_scale(lower, upper)
    bounded = lower is not None
    method = ("bounded" if bounded else "t") + ("-cluster" if moments.clustered else "")
    low, high = ends_of_moments(moments, lower, upper)
    intervals = []
    for index in range(moments.cases.size):
        reason = mean_refusal(moments, index, bounded=bounded)
        if reason:
            intervals.append(Interval(None, None, method, reason))
        else:
            intervals.append(Interval(float(low[index]), float(high[index]), method, None))
    return intervals


def ends_of_moments(
    moments: Moments, lower: float | None, upper: float | None, *, further: float = 0.0
) -> tuple[Floats, Floats]:
    """Ends (g,) each, on a scale with ends by `bounded_ends`, else by `t_ends`; of no meaning
    for a group that `intervals_from_moments` refuses."""
    if lower is None or upper is None:
        return t_ends(moments, further=further)
    return bounded_ends(moments, lower, upper, further=further)


def t_ends(moments: Moments, *, further: float = 0.0) -> tuple[Floats, Floats]:
    """Ends m -/+ sqrt(t^2 V + further), (g,) each; t with moments.freedom degrees of freedom.

    Student (1908) for independent cases; with clusters as in Cameron & Miller (2015), section
    VI. further: squared half-width that another source of variation adds (`components`).
    """
    half = np.sqrt(_t_quantile(moments) ** 2 * moments.variance + further)
    return moments.mean - half, moments.mean + half


def bounded_ends(
    moments: Moments, lower: float, upper: float, *, further: float = 0.0
) -> tuple[Floats, Floats]:
    """Ends of the score interval of a mean on a scale from lower to upper, (g,) each.

    With p the mean moved to 0-1, the interval holds every mu with (p - mu)^2 <= c mu (1 - mu),
    c = t^2 phi / n: Wilson's (1927) interval, widened or narrowed by the dispersion phi, the
    variance of a case as a share of p (1 - p), the largest that a scale with this mean allows
    (McCullagh & Nelder 1989, section 4.5, for phi in proportions). Cases near one end tell
    little about rare bad ones, so phi is shrunk towards 1 with PSEUDO_DEGREES against
    4 p (1 - p) (n - 1): phi = 1 where all cases sit at one end, and never 0, so the width is
    never 0. For clusters n is the number of equally large ones.

    Wilson's interval dips where one bad case in a hundred is the truth; so the end on the side
    of an end of the scale reaches at least to Fay & Feuer's (1997) gamma limit for rare events.
    further: squared half-width that another source of variation adds (`components`).

    Shrinkage and the union of both limits are ours, chosen by simulation: docs/abdeckung.md.
    Mid-scale it is as wide as t with many cases and wider with few, because six like cases do
    not show that the seventh cannot fail.
    """
    span = upper - lower
    p = np.clip((moments.mean - lower) / span, 0.0, 1.0)
    distance = np.abs(lower + p * span - moments.mean)
    outside = (moments.cases > 0) & (distance > ROUNDING_SHARE * span)
    if outside.any():
        raise InvalidData(
            f"Mittelwert {moments.mean[outside][0]:g} liegt außerhalb der Skala "
            f"{lower:g} bis {upper:g}; Skala prüfen."
        )
    n = np.maximum(moments.equal_sized, 1.0)
    largest = p * (1 - p)
    inside = largest > 0
    variance = moments.variance / span**2
    phi = np.divide(variance * n, largest, out=np.ones_like(p), where=inside)
    trust = 4 * largest * moments.freedom
    shrunk = (trust * phi + PSEUDO_DEGREES) / (trust + PSEUDO_DEGREES)
    t = _t_quantile(moments)
    c = t**2 * shrunk / n
    c += np.divide(further / span**2, largest, out=np.zeros_like(p), where=inside)
    half = np.sqrt(c * largest + c**2 / 4)
    # The lower root by Vieta: the difference of the two terms would lose digits near 0.
    low = p**2 / (p + c / 2 + half)
    high = 1 - (1 - p) ** 2 / (1 - p + c / 2 + half)
    whole = variance + further / (t * span) ** 2
    low = np.minimum(low, _rare_limit(p, whole))
    high = np.maximum(high, 1 - _rare_limit(1 - p, whole))
    return (
        np.clip(lower + low * span, lower, upper),
        np.clip(lower + high * span, lower, upper),
    )


def _rare_limit(share: Floats, variance: Floats) -> Floats:
    """Lower 2.5 % limit of a small mean with this variance as if it were a sum of weighted
    Poisson counts (Fay & Feuer 1997): v / (2 y) times the chi-square quantile with 2 y^2 / v
    degrees of freedom. 1 where mean or variance is 0, so that it binds nothing."""
    rare = (share > 0) & (variance > 0)
    y, v = np.where(rare, share, 1.0), np.where(rare, variance, 1.0)
    limit = v / (2 * y) * special.chdtri(2 * y**2 / v, (1 + CONFIDENCE) / 2)
    return np.where(rare, limit, 1.0)


def _t_quantile(moments: Moments) -> Floats:
    return np.asarray(special.stdtrit(moments.freedom, (1 + CONFIDENCE) / 2), dtype=np.float64)


def mean_refusal(moments: Moments, index: int, *, bounded: bool) -> str | None:
    """Why a group has no interval; None where it has one."""
    if moments.cases[index] < 2:
        return ONE_CASE if moments.cases[index] else NO_CASE
    if moments.independent[index] < 2:
        return ONE_CLUSTER
    if not bounded and moments.variance[index] == 0:
        return NO_CLUSTER_SPREAD if moments.clustered else NO_SPREAD
    return None


def check_scale(lower: float | None, upper: float | None) -> None:
    """Raises InvalidData where only one end is given or the scale is empty."""
    if (lower is None) != (upper is None):
        raise InvalidData("Nur ein Ende der Skala ist angegeben; beide angeben oder keines.")
    if lower is not None and upper is not None and not -np.inf < lower < upper < np.inf:
        raise InvalidData(f"Die Skala {lower:g} bis {upper:g} ist leer; untere vor obere Stufe.")


def check_values(values: Floats, lower: float | None, upper: float | None) -> None:
    """Raises InvalidData as `check_scale`, and where a value lies outside the scale."""
    check_scale(lower, upper)
    if lower is None or upper is None or not values.size:
        return
    beyond = np.maximum(lower - values, values - upper)
    worst = values[np.argmax(beyond)]
    if beyond.max() > ROUNDING_SHARE * (upper - lower):
        raise InvalidData(
            f"Wert {worst:g} liegt außerhalb der Skala {lower:g} bis {upper:g}; Skala prüfen."
        )
