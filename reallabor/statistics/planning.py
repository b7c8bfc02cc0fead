"""How many cases a comparison needs, and how precise a mean gets with a number of cases.

The platform's own rule is precision (`further_cases`, `expected_half_width`): it stops when the
interval is narrow enough, never when a difference turns significant. `cases_for_power` serves
the planning of a round before any case is rated.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import nctdtr

from reallabor.statistics.intervals import CONFIDENCE, check_values, ends_of_moments
from reallabor.statistics.moments import Moments, moments_from_values
from reallabor.statistics.ratings import Floats
from reallabor.statistics.results import InvalidData

MOST_CASES = 100_000
TOO_FEW = "Aus weniger als zwei Fällen ist die Streuung nicht bestimmbar."
ONE_CLUSTER = "Alle Fälle gehören zu einer Gruppe: die Streuung ist nicht bestimmbar."
NO_SPREAD = (
    "Alle Werte sind gleich: wie sehr weitere Fälle streuen, ist nicht belastbar bestimmbar."
)
TOO_MANY = "Mehr als 100.000 Fälle wären nötig; eine größere Breite wählen."


@dataclass(frozen=True, slots=True)
class FurtherCases:
    """How many more cases, or the reason why that is not determinable."""

    cases: int | None
    """0 where the interval is narrow enough already; None where it is not determinable."""
    reason: str | None
    """German sentence for the screen; None where there is a number."""


def cases_for_power(effect: float, *, power: float = 0.8, significance: float = 0.05) -> int:
    """Smallest number of paired cases that show a mean difference with the wished power.

    effect: mean difference divided by the standard deviation of the case differences. Two-sided
    paired t test, exact by the noncentral t distribution (Cohen 1988, section 2.3; both tails
    count). Raises InvalidData where effect is 0, power or significance not within 0-1, or more
    than 100,000 cases are needed.
    """
    if not np.isfinite(effect) or effect == 0:
        raise InvalidData("Der Unterschied ist 0; den kleinsten Unterschied angeben, der zählt.")
    if not 0 < significance < power < 1:
        raise InvalidData("Trennschärfe und Irrtum liegen zwischen 0 und 1, der Irrtum darunter.")
    low, high = 1, 2
    while _power(high, effect, significance) < power:
        low, high = high, 2 * high
        if low > MOST_CASES:
            raise InvalidData(
                "Mehr als 100.000 Fälle wären nötig; einen größeren Unterschied wählen."
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if _power(middle, effect, significance) >= power else (middle, high)
        )
    return high


def expected_half_width(standard_deviation: float, cases: ArrayLike) -> Floats:
    """Half the expected width of the 95 % interval of a mean, for each number of cases (g,).

    t_{n-1} s / sqrt(n) (Student 1908), on the scale of the case means; infinite for one case.
    Raises InvalidData where the standard deviation is not positive or there is no case.
    """
    n = np.atleast_1d(np.asarray(cases, dtype=np.float64))
    if not 0 < standard_deviation < np.inf:
        raise InvalidData("Die Streuung ist nicht größer als 0; eine frühere Runde ansehen.")
    if (n < 1).any():
        raise InvalidData("Die Fallzahl liegt unter 1.")
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(n - 1, 1))
    return np.where(n < 2, np.inf, quantile * standard_deviation / np.sqrt(n))


def further_cases(
    values: ArrayLike,
    half_width: float,
    *,
    lower: float | None = None,
    upper: float | None = None,
    clusters: ArrayLike | None = None,
) -> FurtherCases:
    """How many cases more until the interval of the mean is at most half_width to either side.

    values (n,), lower, upper and clusters as in `mean_interval`, whose interval is meant: 0 says
    that half of its width is small enough now. Assumes that further cases have the mean and
    spread of those seen and clusters of the same size, so it is an estimate that moves as cases
    come in. Precision, not significance, decides (Kelley, Maxwell & Rausch 2003): stopping at
    the first significant result would find differences where there are none.

    Raises InvalidData where half_width is not positive, or as `mean_interval`.
    """
    if not 0 < half_width < np.inf:
        raise InvalidData("Die gewünschte Breite ist nicht größer als 0.")
    check_values(np.atleast_1d(np.asarray(values, dtype=np.float64)), lower, upper)
    seen = moments_from_values(values, clusters)
    n = int(seen.cases[0])
    if n < 2:
        return FurtherCases(None, TOO_FEW)
    if seen.independent[0] < 2:
        return FurtherCases(None, ONE_CLUSTER)
    if seen.variance[0] == 0 and lower is None:
        return FurtherCases(None, NO_SPREAD)
    start = n
    while start <= MOST_CASES:
        numbers = np.arange(start, 2 * start)
        low, high = ends_of_moments(_extrapolated(seen, numbers), lower, upper)
        enough = np.flatnonzero((high - low) / 2 <= half_width)
        if enough.size:
            return FurtherCases(int(numbers[enough[0]]) - n, None)
        start *= 2
    return FurtherCases(None, TOO_MANY)


def _extrapolated(seen: Moments, numbers: ArrayLike) -> Moments:
    """The moments of one group as they would be with other numbers of cases of the same kind."""
    cases = np.asarray(numbers, dtype=np.int64)
    factor = cases / seen.cases[0]
    return replace(
        seen,
        cases=cases,
        mean=np.full(cases.shape, seen.mean[0]),
        variance=seen.variance[0] / factor,
        independent=np.maximum(np.rint(seen.independent[0] * factor), 2).astype(np.int64),
        equal_sized=seen.equal_sized[0] * factor,
    )


def _power(cases: int, effect: float, significance: float) -> float:
    freedom = cases - 1
    critical = stats.t.isf(significance / 2, freedom)
    shift = abs(effect) * np.sqrt(cases)
    return float(1 - nctdtr(freedom, shift, critical) + nctdtr(freedom, shift, -critical))
