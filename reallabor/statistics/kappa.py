"""Cohen's kappa of two raters, plain or weighted, from their ratings or from a table of counts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from reallabor.statistics.results import Estimate, InvalidData
from reallabor.statistics.weights import Weighting, agreement_weights, declared_scale, positions

NO_SHARED = "Keine Ausgabe haben beide bewertet."
ONE_LEVEL = "Beide vergaben durchweg dieselbe eine Stufe; Kappa ist so nicht bestimmbar."


def weighted_kappa(
    first: ArrayLike,
    second: ArrayLike,
    levels: Sequence[float],
    *,
    weighting: Weighting = "quadratic",
) -> Estimate:
    """Kappa of two raters' levels (n,) of the same outputs; NaN where one did not rate.

    Raises InvalidData where the lengths differ or a rating is not a level of the scale.
    """
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if left.shape != right.shape or left.ndim != 1:
        raise InvalidData("Die beiden haben verschieden viele Bewertungen; je Ausgabe ein Eintrag.")
    shared = ~np.isnan(left) & ~np.isnan(right)
    scale = declared_scale(levels)
    q = scale.size
    cell = positions(left[shared], scale) * q + positions(right[shared], scale)
    counts = np.bincount(cell, minlength=q * q).reshape(q, q)
    return weighted_kappa_of_counts(counts, scale.tolist(), weighting=weighting)


def weighted_kappa_of_counts(
    counts: ArrayLike,
    levels: Sequence[float] | None = None,
    *,
    weighting: Weighting = "quadratic",
) -> Estimate:
    """Kappa of a (q, q) table: how often the first rater gave level i and the second level j.

    Cohen (1968): (po - pe) / (1 - pe), the weighted shares of observed and expected agreement.
    Large-sample standard error after Fleiss, Cohen & Everitt (1969). Without levels the rows are
    levels 1..q. 1 where both agree perfectly on several levels; not determinable where both
    gave one and the same level throughout, because then pe = 1.

    Raises InvalidData where the table is not square, has a negative count or fewer than 2 rows.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not (table >= 0).all():
        raise InvalidData("Die Kreuztabelle ist nicht quadratisch, oder eine Anzahl ist negativ.")
    scale = declared_scale(levels if levels is not None else range(1, table.shape[0] + 1))
    if scale.size != table.shape[0]:
        raise InvalidData("Kreuztabelle und Skala haben verschieden viele Stufen.")
    n = table.sum()
    if n == 0:
        return Estimate(None, NO_SHARED, 0)
    weights = agreement_weights(scale, weighting)
    share = table / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed = (weights * share).sum()
    expected = rows @ weights @ columns
    if 1 - expected < 1e-12:
        return Estimate(None, ONE_LEVEL, int(n))
    value = (observed - expected) / (1 - expected)
    row_mean, column_mean = weights @ columns, rows @ weights
    pull = weights - np.add.outer(row_mean, column_mean) * (1 - value)
    variance = (share * pull**2).sum() - (value - expected * (1 - value)) ** 2
    error = np.sqrt(max(float(variance), 0.0) / n) / (1 - expected)
    return Estimate(float(value), None, int(n), float(error))
