"""Agreement of raters on one criterion: Krippendorff's alpha, Gwet's AC2 and raw agreement.

The bootstrap interval of ordinal alpha is in `bootstrap`.
"""

from collections.abc import Sequence

import numpy as np

from reallabor.statistics.ratings import Floats, Ints, Reliability
from reallabor.statistics.results import Estimate, InvalidData

NO_PAIRS = "Keine Ausgabe hat zwei Bewertungen."
NO_VARIATION = "Alle Bewertungen sind gleich; Übereinstimmung ist so nicht bestimmbar."
NO_LEVELS = "Die Skala ist stufenlos; Gwets AC2 ist nur für feste Stufen bestimmbar."


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


def gwet_ac2(data: Reliability, levels: Sequence[float] | None) -> Estimate:
    """Gwet's AC2 with quadratic weights over the declared scale.

    levels: all levels of the scale, also those that nobody chose; None for a continuous scale.
    Missing ratings as in Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed.:
    units with at least one rating count for the prevalence of levels, units with at least two
    for agreement. AC2 = (pa - pe) / (1 - pe), pe = sum(w) sum_k pi_k (1 - pi_k) / (q (q - 1)),
    w_kl = 1 - (x_k - x_l)^2 / (x_max - x_min)^2.

    Raises InvalidData where a rating is not a level of the scale or the scale has one level.
    """
    several = data.size >= 2
    units = int(several.sum())
    if levels is None:
        return Estimate(None, NO_LEVELS, units)
    scale = np.unique(np.asarray(levels, dtype=np.float64))
    if scale.size < 2:
        raise InvalidData("Die Skala hat weniger als zwei Stufen; alle Stufen angeben.")
    unknown = data.levels[~np.isin(data.levels, scale)]
    if unknown.size:
        raise InvalidData(
            f"Stufe {unknown[0]:g} gibt es in der Skala nicht; "
            f"erlaubt: {', '.join(f'{level:g}' for level in scale)}."
        )
    if units == 0:
        return Estimate(None, NO_PAIRS, units)
    q = scale.size
    position = np.searchsorted(scale, data.levels)[data.code]
    counts = np.bincount(data.unit * q + position, minlength=data.size.size * q).reshape(-1, q)
    weights = 1 - ((scale[:, None] - scale) / (scale[-1] - scale[0])) ** 2
    prevalence = (counts / data.size[:, None]).mean(axis=0)
    chance = weights.sum() * (prevalence * (1 - prevalence)).sum() / (q * (q - 1))
    rated, size = counts[several], data.size[several]
    agreeing = (rated * (rated @ weights - 1)).sum(axis=1) / (size * (size - 1))
    return Estimate(float((agreeing.mean() - chance) / (1 - chance)), None, units)


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
    n = weight @ size
    within = weight @ ((size * squares - sums * sums) / (size - 1))
    total = weight @ squares - (weight @ sums) ** 2 / n
    return float(1 - (n - 1) / n * within / total)


def _determinable(data: Reliability) -> tuple[Reliability, Estimate | None]:
    pairs = data.pairable()
    if pairs.size.size == 0:
        return pairs, Estimate(None, NO_PAIRS, 0)
    if (pairs.code == pairs.code[0]).all():
        return pairs, Estimate(None, NO_VARIATION, pairs.size.size)
    return pairs, None


def _squared_counts(pairs: Reliability) -> Ints:
    """(U,) sum over levels of the squared number of ratings that the unit has at the level."""
    cell, count = np.unique(pairs.unit * pairs.levels.size + pairs.code, return_counts=True)
    per_unit = np.bincount(cell // pairs.levels.size, count**2, pairs.size.size)
    return per_unit.astype(np.int64)
