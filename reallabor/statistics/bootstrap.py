"""Bootstrap interval of ordinal alpha, exact in its resampling and fast in its arithmetic."""

import numpy as np

from reallabor.statistics.agreement import ordinal_alpha, rank_alpha
from reallabor.statistics.ratings import Floats, Ints, Reliability
from reallabor.statistics.results import Interval

RESAMPLES = 1_000
MOST_PATTERN_LEVELS = 11
"""Up to here a resample is summed up in one K x K coincidence matrix; above, in mid-ranks."""
LEAST_DRAWN = 20
"""Fewer units or clusters give too narrow an interval: cover .60 to .95, see docs/abdeckung.md."""
BLOCK_CELLS = 4_000_000
"""Largest array of a block of resamples (8 bytes a cell, at most four such arrays at once)."""

ONE_UNIT = "Nur eine Ausgabe hat zwei Bewertungen: kein Intervall bestimmbar."
ONE_CLUSTER = "Alle Ausgaben gehören zu einer Gruppe: kein Intervall bestimmbar."
TOO_FEW = (
    "Weniger als 20 Fälle oder Gruppen mit zwei Bewertungen: ein Intervall ist daraus nicht "
    "belastbar bestimmbar."
)
MOSTLY_UNDETERMINED = (
    "In mehr als der Hälfte der Ziehungen sind alle Bewertungen gleich: kein Intervall bestimmbar."
)
NO_SPREAD = "Die Ziehungen ergeben alle denselben Wert: ein Intervall ist daraus nicht bestimmbar."


def alpha_interval(
    data: Reliability,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of ordinal alpha (Efron & Tibshirani 1993, section 13.3).

    Resamples units with at least two ratings with replacement, or their clusters where given;
    mid-ranks are taken anew in each resample. Resamples without variation are dropped. No
    interval where alpha is not determinable, where there are fewer than LEAST_DRAWN units or
    clusters, where more than half of the resamples are dropped, and where the ends coincide (as
    in perfect agreement): a width of 0 would claim a certainty that the resamples cannot give.
    """
    method = "bootstrap" if data.cluster is None else "bootstrap-cluster"
    alpha = ordinal_alpha(data)
    if alpha.value is None:
        return Interval(None, None, method, alpha.reason)
    pairs = data.pairable()
    if _drawn(pairs) < LEAST_DRAWN:
        return Interval(None, None, method, _too_few(pairs))
    draws = resampled_alphas(pairs, rng, resamples)
    valid = draws[np.isfinite(draws)]
    if valid.size < resamples / 2:
        return Interval(None, None, method, MOSTLY_UNDETERMINED)
    tail = (1 - confidence) / 2
    low, high = np.quantile(valid, [tail, 1 - tail])
    if high - low < 1e-12:
        return Interval(None, None, method, NO_SPREAD)
    return Interval(float(low), float(high), method, None)


def resampled_alphas(pairs: Reliability, rng: np.random.Generator, resamples: int) -> Floats:
    """(resamples,) ordinal alpha of each resample of pairable ratings, NaN where not determinable.

    With few levels a resample needs only how often each distinct unit (or cluster) was drawn:
    their coincidence matrices add up. With many levels it needs one pass over all ratings.
    """
    few = np.unique(pairs.code).size <= MOST_PATTERN_LEVELS
    if few:
        matrices, copies = coincidences(pairs)
    else:
        copies = np.ones(_drawn(pairs), dtype=np.int64)
    drawn = copies.size if _by_multinomial(copies) else int(copies.sum())
    block = max(1, BLOCK_CELLS // max(drawn, matrices[0].size if few else 1))
    alphas = np.empty(resamples)
    for start in range(0, resamples, block):
        stop = min(start + block, resamples)
        weights = draw_weights(rng, copies, stop - start)
        if few:
            alphas[start:stop] = coincidence_alphas(weights, matrices)
        else:
            for row, weight in enumerate(weights, start):
                per_unit = weight if pairs.cluster is None else weight[pairs.cluster]
                alphas[row] = rank_alpha(pairs, per_unit)
    return alphas


def coincidences(pairs: Reliability) -> tuple[Floats, Ints]:
    """Coincidence matrices (P, K, K) of the distinct units (or of all clusters), and their copies.

    Cell c, k of a unit is the number of its ordered pairs of ratings (c, k) divided by m_u - 1
    (Krippendorff 2011); rows sum to the marginals. Levels without a rating
    in a pair are left out.
    """
    seen, code = np.unique(pairs.code, return_inverse=True)
    k, units = seen.size, pairs.size.size
    counts = np.bincount(pairs.unit * k + code, minlength=units * k).reshape(units, k)
    distinct, pattern, copies = _patterns(counts)
    matrices: Floats = np.einsum("pc,pk->pck", distinct, distinct).astype(np.float64)
    matrices[:, np.arange(k), np.arange(k)] -= distinct
    matrices /= (distinct.sum(axis=1) - 1)[:, None, None]
    if pairs.cluster is None:
        return matrices, copies.astype(np.int64)
    clusters = _drawn(pairs)
    cells = matrices.reshape(-1, k * k).T
    summed = [np.bincount(pairs.cluster, cell[pattern], clusters) for cell in cells]
    stacked = np.stack(summed, axis=1).astype(np.float64)
    return stacked.reshape(clusters, k, k), np.ones(clusters, dtype=np.int64)


def _drawn(pairs: Reliability) -> int:
    """Number of units, or of clusters where given."""
    return pairs.size.size if pairs.cluster is None else int(pairs.cluster.max()) + 1


def _too_few(pairs: Reliability) -> str:
    if pairs.size.size == 1:
        return ONE_UNIT
    return ONE_CLUSTER if _drawn(pairs) == 1 else TOO_FEW


def _patterns(counts: Ints) -> tuple[Ints, Ints, Ints]:
    """Distinct rows of counts (U, K), the row of each unit, and how often each row occurs."""
    base, k = int(counts.max()) + 1, counts.shape[1]
    if base**k >= 2**62:
        rows, pattern, copies = np.unique(counts, axis=0, return_inverse=True, return_counts=True)
        return rows, pattern.reshape(-1), copies
    # A row read as digits is one number, which sorts much faster than a row.
    number = counts @ base ** np.arange(k, dtype=np.int64)
    _, first, pattern, copies = np.unique(
        number, return_index=True, return_inverse=True, return_counts=True
    )
    return counts[first], pattern, copies


def coincidence_alphas(weights: Floats, matrices: Floats) -> Floats:
    """(B,) ordinal alpha where item p occurs weights[b, p] times; matrices (P, K, K)."""
    items, k, _ = matrices.shape
    table = (weights @ matrices.reshape(items, k * k)).reshape(-1, k, k)
    marginals = table.sum(axis=2)
    n = marginals.sum(axis=1)
    mid_rank = (np.cumsum(marginals, axis=1) - marginals / 2) / n[:, None] - 0.5
    squares = (marginals * mid_rank**2).sum(axis=1)
    products = np.einsum("bc,bck,bk->b", mid_rank, table, mid_rank, optimize=True)
    total = squares - (marginals * mid_rank).sum(axis=1) ** 2 / n
    # Marginals are whole numbers up to rounding: half a rating means none.
    determinable = (marginals > 0.5).sum(axis=1) > 1
    alphas = np.full(n.size, np.nan)
    np.divide((n - 1) * (squares - products), n * total, out=alphas, where=determinable)
    return 1 - alphas


def draw_weights(rng: np.random.Generator, copies: Ints, resamples: int) -> Floats:
    """(resamples, P) how often each item is drawn when copies.sum() draws go with replacement.

    Items with copies are drawn in one multinomial; mostly single items one by one, which is
    the same distribution and faster.
    """
    n = int(copies.sum())
    if _by_multinomial(copies):
        return rng.multinomial(n, copies / n, size=resamples).astype(np.float64)
    drawn = rng.integers(n, size=(resamples, n))
    if n > copies.size:
        drawn = np.repeat(np.arange(copies.size), copies)[drawn]
    drawn += np.arange(resamples)[:, None] * copies.size
    counts = np.bincount(drawn.reshape(-1), minlength=resamples * copies.size)
    return counts.reshape(resamples, copies.size).astype(np.float64)


def _by_multinomial(copies: Ints) -> bool:
    return bool(copies.size * 8 <= copies.sum())
