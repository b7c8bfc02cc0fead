"""Agreement of raters on one criterion: Krippendorff's alpha and raw agreement.

The bootstrap interval of ordinal alpha is in `bootstrap`, Gwet's AC2 in `gwet`.
"""

import numpy as np

from reallabor.statistics.ratings import Floats, Ints, Reliability
from reallabor.statistics.results import Estimate

NO_PAIRS = "Keine Ausgabe hat zwei Bewertungen."
NO_VARIATION = "Alle Bewertungen sind gleich; Übereinstimmung ist so nicht bestimmbar."
NEGATIVE = "Es gibt negative Stufen; ein Verhältnis von Stufen ist so nicht bestimmbar."
BLOCK_CELLS = 4_000_000
"""Largest array of pairs of levels (8 bytes a cell)."""


def nominal_alpha(data: Reliability) -> Estimate:
    """Krippendorff's alpha where levels are mere names: 1 perfect, 0 chance, may be negative.

    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability:
    alpha = 1 - (n - 1) sum_u[(m_u^2 - sum_c n_uc^2) / (m_u - 1)] / (n^2 - sum_c n_c^2).
    """
    pairs, refusal = _determinable(data)
    if refusal:
        return refusal
    marginals = np.bincount(pairs.code)
    n = pairs.code.size
    observed = ((pairs.size**2 - _squared_counts(pairs)) / (pairs.size - 1)).sum()
    expected = (n**2 - (marginals**2).sum()) / (n - 1)
    return Estimate(float(1 - observed / expected), None, pairs.size.size)


def ordinal_alpha(data: Reliability) -> Estimate:
    """Krippendorff's alpha for ordered levels; only their order counts.

    The ordinal difference of Krippendorff (2011), sum_{g=c..k} n_g - (n_c + n_k) / 2,
    is the difference of the pooled mid-ranks of c and k. Ordinal alpha is therefore interval
    alpha on mid-ranks, which takes O(ratings) however many distinct levels there are.
    """
    pairs, refusal = _determinable(data)
    if refusal:
        return refusal
    weight = np.ones(pairs.size.size)
    return Estimate(rank_alpha(pairs, weight), None, pairs.size.size)


def interval_alpha(data: Reliability) -> Estimate:
    """Krippendorff's alpha with squared differences of levels (Krippendorff 2011)."""
    pairs, refusal = _determinable(data)
    if refusal:
        return refusal
    values = pairs.levels - pairs.levels[pairs.code].mean()
    weight = np.ones(pairs.size.size)
    value = _squared_difference_alpha(values[pairs.code], pairs.size, weight)
    return Estimate(value, None, pairs.size.size)


def ratio_alpha(data: Reliability) -> Estimate:
    """Krippendorff's alpha where only the ratio of levels counts, as for minutes or prices.

    Difference ((c - k) / (c + k))^2 (Krippendorff 2011); two zeros do not differ. Not
    determinable where a level is negative.
    """
    pairs, refusal = _determinable(data)
    if refusal:
        return refusal
    if (pairs.levels[pairs.code] < 0).any():
        return Estimate(None, NEGATIVE, pairs.size.size)
    values, unit = pairs.levels[pairs.code], pairs.unit
    share = 1 / (pairs.size - 1)
    observed = 0.0
    for lag in range(1, int(pairs.size.max())):
        same = np.flatnonzero(unit[lag:] == unit[:-lag])
        difference = _ratio_difference(values[same], values[same + lag])
        observed += float(2 * (share[unit[same]] * difference).sum())
    marginals = np.bincount(pairs.code, minlength=pairs.levels.size)
    step = max(1, BLOCK_CELLS // pairs.levels.size)
    expected = 0.0
    for start in range(0, pairs.levels.size, step):
        rows = slice(start, start + step)
        difference = _ratio_difference(pairs.levels[rows, None], pairs.levels[None, :])
        expected += float(marginals[rows] @ difference @ marginals)
    value = 1 - (pairs.code.size - 1) * observed / expected
    return Estimate(float(value), None, pairs.size.size)


def raw_agreement(data: Reliability) -> Estimate:
    """Share (0-1) of equal pairs of ratings within a unit, averaged over units with a pair."""
    pairs = data.pairable()
    if pairs.size.size == 0:
        return Estimate(None, NO_PAIRS, 0)
    equal = (_squared_counts(pairs) - pairs.size) / (pairs.size * (pairs.size - 1))
    return Estimate(float(equal.mean()), None, pairs.size.size)


def rank_alpha(pairs: Reliability, weight: Floats) -> float:
    """Ordinal alpha of pairable ratings in which unit u occurs weight[u] times.

    Mid-ranks come from the weighted marginals, so each resample has its own. NaN where fewer
    than two levels have weight; only the bootstrap may see that.
    """
    marginals = np.bincount(pairs.code, np.repeat(weight, pairs.size), pairs.levels.size)
    if np.count_nonzero(marginals) < 2:
        return float("nan")
    mid_rank = (np.cumsum(marginals) - marginals / 2) / marginals.sum() - 0.5
    return _squared_difference_alpha(mid_rank[pairs.code], pairs.size, weight)


def _squared_difference_alpha(values: Floats, size: Ints, weight: Floats) -> float:
    """1 - (n-1)/n * sum_u[(m_u sum x^2 - (sum x)^2) / (m_u - 1)] / (sum x^2 - (sum x)^2 / n)."""
    start = np.cumsum(size) - size
    sums = np.add.reduceat(values, start)
    squares = np.add.reduceat(values * values, start)
    # Sums instead of inner products: those start threads, which a busy machine makes wait.
    n = (weight * size).sum()
    within = (weight * (size * squares - sums * sums) / (size - 1)).sum()
    total = (weight * squares).sum() - (weight * sums).sum() ** 2 / n
    return float(1 - (n - 1) / n * within / total)


def _determinable(data: Reliability) -> tuple[Reliability, Estimate | None]:
    pairs = data.pairable()
    if pairs.size.size == 0:
        return pairs, Estimate(None, NO_PAIRS, 0)
    if (pairs.code == pairs.code[0]).all():
        return pairs, Estimate(None, NO_VARIATION, pairs.size.size)
    return pairs, None


def _ratio_difference(left: Floats, right: Floats) -> Floats:
    total = left + right
    return np.asarray(((left - right) / np.where(total > 0, total, 1.0)) ** 2)


def _squared_counts(pairs: Reliability) -> Ints:
    """(U,) sum over levels of the squared number of ratings that the unit has at the level."""
    cell, k, units = pairs.unit * pairs.levels.size + pairs.code, pairs.levels.size, pairs.size.size
    if units * k <= BLOCK_CELLS:
        counts = np.bincount(cell, minlength=units * k).reshape(units, k).astype(np.int64)
        return np.asarray((counts**2).sum(axis=1), dtype=np.int64)
    cells, count = np.unique(cell, return_counts=True)
    return np.bincount(cells // k, count**2, units).astype(np.int64)
