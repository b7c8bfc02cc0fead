"""Metrics that are functions of sums over cases (shares, means, F1), with their intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from reallabor.statistics.results import Interval

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Takes sums (B, C), gives (B,) values, NaN where not determinable."""

RESAMPLES = 2_000
ONE_CASE = "Aus einem einzigen Fall folgt kein Intervall."
NO_SPREAD = "Alle Ziehungen ergeben denselben Wert: ein Intervall ist daraus nicht bestimmbar."


def metric_interval(
    counts: Floats,
    statistic: Statistic,
    *,
    cluster: npt.NDArray[Any] | None = None,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap over cases (Efron & Tibshirani 1993, section 13.3), or over clusters.

    counts is (cases, C): what each case adds to the sums that `statistic` is a function of. The
    draws are the same at every call, so that a figure does not change when it is computed again.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if cluster is not None:
        _, index = np.unique(cluster, return_inverse=True)
        summed = np.zeros((index.max(initial=-1) + 1, counts.shape[1]))
        np.add.at(summed, index, counts)
        counts = summed
    n = counts.shape[0]
    method = "bootstrap" if cluster is None else "bootstrap-cluster"
    if n < 2:
        return Interval(None, None, method, ONE_CASE)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)
    draws = statistic(weights @ counts)
    draws = draws[np.isfinite(draws)]
    if draws.size < resamples / 2:
        return Interval(None, None, method, NO_SPREAD)
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    if high - low < 1e-12:
        return Interval(None, None, method, NO_SPREAD)
    return Interval(float(low), float(high), method, None)


def mean_of_sums(sums: Floats) -> Floats:
    """Sum divided by number; sums (B, 2)."""
    return _divided(sums[:, 0], sums[:, 1])


def f1_of_sums(sums: Floats) -> Floats:
    """Macro F1 of K classes from sums (B, 3 K): true positives, false positives, false negatives.

    F1 = 2 TP / (2 TP + FP + FN) per class (van Rijsbergen 1979, beta = 1), averaged over the
    classes that occur in the references or in the answers. With K = 1 it is micro F1.
    """
    true, false, missed = np.split(sums, 3, axis=1)
    whole = 2 * true + false + missed
    per_class = _divided(2 * true, whole)
    seen = np.isfinite(per_class)
    return _divided(np.where(seen, per_class, 0).sum(axis=1), seen.sum(axis=1).astype(np.float64))


def share_bound(hits: int, n: int, *, confidence: float = 0.95) -> float:
    """The one-sided lower Clopper-Pearson bound of a share (Clopper & Pearson 1934): with `hits`
    of `n`, the true share lies above it with this confidence; 0 where nothing was hit."""
    if hits <= 0:
        return 0.0
    return float(beta.ppf(1 - confidence, hits, n - hits + 1))


def clopper_pearson(hits: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Exact interval of a share (Clopper & Pearson 1934); one-sided where nothing or all was hit,
    because then only one end is unknown."""
    if n == 0:
        return Interval(None, None, "clopper-pearson", "Kein Fall, an dem sich das zeigen ließe.")
    if hits == n:
        return Interval(share_bound(n, n, confidence=confidence), 1.0, "clopper-pearson", None)
    if hits == 0:
        high = 1 - share_bound(n, n, confidence=confidence)
        return Interval(0.0, high, "clopper-pearson", None)
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, hits, n - hits + 1))
    high = float(beta.ppf(1 - tail, hits + 1, n - hits))
    return Interval(low, high, "clopper-pearson", None)


def _divided(above: Floats, below: Floats) -> Floats:
    result = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result
