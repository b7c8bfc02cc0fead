"""Gwet's AC1 and AC2: agreement of raters that stays sober where nearly all levels are alike."""

from collections.abc import Sequence

import numpy as np

from reallabor.statistics.agreement import NO_PAIRS
from reallabor.statistics.ratings import Reliability
from reallabor.statistics.results import Estimate
from reallabor.statistics.weights import Weighting, agreement_weights, declared_scale, positions

NO_LEVELS = "Die Skala ist stufenlos; Gwets AC2 ist nur für feste Stufen bestimmbar."


def gwet_ac2(
    data: Reliability, levels: Sequence[float] | None, *, weighting: Weighting = "quadratic"
) -> Estimate:
    """Gwet's AC2 over the declared scale, with its standard error; AC1 with "identity".

    levels: all levels of the scale, also those that nobody chose; None for a continuous scale.
    Missing ratings as in Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed., chapter 5:
    units with at least one rating count for the prevalence of levels, units with at least two
    for agreement. AC2 = (pa - pe) / (1 - pe), pe = sum(w) sum_k pi_k (1 - pi_k) / (q (q - 1)).
    The standard error treats units as drawn from very many and raters as fixed; None for one
    unit.

    Raises InvalidData where a rating is not a level of the scale or the scale has one level.
    """
    several = data.size >= 2
    units = int(several.sum())
    if levels is None:
        return Estimate(None, NO_LEVELS, units)
    scale = declared_scale(levels)
    position = positions(data.levels, scale)[data.code]
    if units == 0:
        return Estimate(None, NO_PAIRS, units)
    q, n = scale.size, data.size.size
    counts = np.bincount(data.unit * q + position, minlength=n * q).reshape(-1, q)
    weights = agreement_weights(scale, weighting)
    share = counts / data.size[:, None]
    prevalence = share.mean(axis=0)
    spread = weights.sum() / (q * (q - 1))
    chance = spread * (prevalence * (1 - prevalence)).sum()
    possible = np.where(several, data.size * (data.size - 1), 1)
    agreeing = np.where(several, (counts * (counts @ weights - 1)).sum(axis=1) / possible, 0.0)
    value = (agreeing.sum() / units - chance) / (1 - chance)
    if n < 2:
        return Estimate(float(value), None, units)
    of_unit = n / units * np.where(several, agreeing - chance, 0.0) / (1 - chance)
    chance_of_unit = spread * (share @ (1 - prevalence))
    linear = of_unit - 2 * (1 - value) * (chance_of_unit - chance) / (1 - chance)
    error = np.sqrt(((linear - value) ** 2).sum() / (n * (n - 1)))
    return Estimate(float(value), None, units, float(error))
