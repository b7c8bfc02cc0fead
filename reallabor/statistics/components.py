"""Two-way variance components, cases x raters, and the interval that also holds for other raters.

The usual interval of a mean speaks of other cases rated by the same people; this one adds how much
the people themselves differ in severity.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reallabor.statistics.intervals import CONFIDENCE, check_values, ends_of_moments, mean_refusal
from reallabor.statistics.moments import Moments, moments_from_values
from reallabor.statistics.ratings import Floats, Ints
from reallabor.statistics.results import Interval, InvalidData

LEAST_RATERS = 3

SINGLE_RATINGS = (
    "Kein Fall ist von zwei Personen bewertet: was für andere Bewertende gälte, ist nicht "
    "bestimmbar."
)
TOO_FEW_RATERS = (
    "Weniger als drei Personen haben Fälle gemeinsam bewertet: was für andere Bewertende gälte, "
    "ist daraus nicht belastbar bestimmbar."
)
TOO_FEW_SHARED = (
    "Die Personen haben zu wenige Fälle gemeinsam bewertet: was für andere Bewertende gälte, ist "
    "nicht bestimmbar."
)


@dataclass(frozen=True, slots=True)
class Components:
    """Where the spread of single ratings comes from, as variances on the squared scale.

    Exactly one of (case, rater, error) and reason is None.
    """

    case: float | None
    """Between cases; at least 0."""
    rater: float | None
    """Between raters, their severity; at least 0."""
    error: float | None
    """What is left: raters who see the same case differently."""
    raters: int
    """Number of people who rated."""
    interval: Interval
    """95 % interval of the mean of case means for other cases and other raters."""
    reason: str | None
    """German sentence for the screen; None where there are components."""


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Ratings in long form, R of n cases by r raters."""

    case: Ints
    rater: Ints
    value: Floats
    per_case: Ints
    """(n,) ratings per case."""
    raters: int

    @property
    def share(self) -> Floats:
        """(R,) weight of a rating in the mean of its case."""
        return np.asarray(1 / self.per_case[self.case])


@dataclass(frozen=True, slots=True, eq=False)
class _RaterSquares:
    """Sums of squares of Henderson's method 3, cases swept out."""

    between: float
    """Raters, adjusted for cases."""
    values: Floats
    """Eigenvalues above 0 of the raters' adjusted design; their number is its rank."""
    error: float
    """Mean square of the rest."""

    @property
    def rater(self) -> float:
        """Variance of raters, from E(between) = rater sum(values) + rank error; at least 0."""
        excess = self.between - self.values.size * self.error
        return max(float(excess / self.values.sum()), 0.0)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of between (Satterthwaite 1946)."""
        parts = self.rater * self.values + self.error
        return float(parts.sum() ** 2 / (parts**2).sum()) if parts.any() else 1.0


def variance_components(
    case: ArrayLike,
    rater: ArrayLike,
    value: ArrayLike,
    *,
    lower: float | None = None,
    upper: float | None = None,
    clusters: ArrayLike | None = None,
) -> Components:
    """Components of y = mean + case + rater + error, and the interval for other raters too.

    One entry per rating; case, rater and clusters are arbitrary codes, any combination may be
    missing. lower, upper and clusters as in `mean_interval`.

    Raters and error by Henderson's (1953) method 3: cases are swept out first, so that estimates
    are unbiased with missing ratings and however cases are distributed, in closed form; REML
    would iterate and needs normal cases. Between cases: what the variance of case means holds
    beyond rater and error.

    The variance of the mean is V + k * rater, V the variance of the mean of case means and k the
    chance that two cases share a rater, weighted as in the case means. Half-width after Banerjee
    (1960), sqrt(t_n^2 V + t_f^2 k rater), f the Satterthwaite (1946) degrees of freedom of the
    raters' mean square: covers .93 and more with three raters and more, where Satterthwaite's
    formula for the sum has .91 (three raters) and .88 (two). With two raters even this covers
    below .93 and is useless in width, so it is refused.

    Raises InvalidData where lengths differ, a value is not finite, a rater rated a case twice,
    or as `mean_interval`.
    """
    table, cluster = _table(case, rater, value, clusters)
    check_values(table.value, lower, upper)
    sums = np.bincount(table.case, table.value, table.per_case.size)
    moments = moments_from_values(sums / table.per_case, cluster)
    method = ("bounded" if lower is not None else "t") + "-raters"
    reason = mean_refusal(moments, 0, bounded=True)
    if reason is None and table.per_case.max() < 2:
        reason = SINGLE_RATINGS
    squares = None if reason else _rater_squares(table, sums / table.per_case)
    if squares is None:
        refused = reason or TOO_FEW_SHARED
        interval = Interval(None, None, method, refused)
        return Components(None, None, None, table.raters, interval, refused)
    overlap = _overlap(table, cluster)
    interval = _interval(moments, squares, overlap, (lower, upper), method)
    return Components(
        _case_variance(table, sums / table.per_case, squares),
        squares.rater,
        squares.error,
        table.raters,
        interval,
        None,
    )


def _table(
    case: ArrayLike, rater: ArrayLike, value: ArrayLike, clusters: ArrayLike | None
) -> tuple[_Table, Ints | None]:
    values = np.atleast_1d(np.asarray(value, dtype=np.float64))
    cases, raters = np.atleast_1d(np.asarray(case)), np.atleast_1d(np.asarray(rater))
    groups = None if clusters is None else np.atleast_1d(np.asarray(clusters))
    columns = [cases, raters, *([] if groups is None else [groups])]
    if values.ndim != 1 or any(column.shape != values.shape for column in columns):
        raise InvalidData("Fall, Person, Wert und Gruppe sind verschieden lang.")
    if not np.isfinite(values).all():
        raise InvalidData("Ein Wert ist keine endliche Zahl; nicht Bewertetes weglassen.")
    _, first, of_case = np.unique(cases, return_index=True, return_inverse=True)
    people, of_rater = np.unique(raters, return_inverse=True)
    if np.unique(of_case * max(people.size, 1) + of_rater).size < values.size:
        raise InvalidData("Eine Person hat einen Fall zweimal bewertet; nur die gültige übergeben.")
    table = _Table(of_case, of_rater, values, np.bincount(of_case), people.size)
    if groups is None:
        return table, None
    _, of_group = np.unique(groups, return_inverse=True)
    cluster = of_group[first]
    if (cluster[of_case] != of_group).any():
        raise InvalidData("Ein Fall liegt in zwei Gruppen; je Fall eine Gruppe angeben.")
    return table, cluster


def _rater_squares(table: _Table, case_means: Floats) -> _RaterSquares | None:
    """None where nothing is left to estimate the error from."""
    from scipy.sparse import csr_array

    shape = (table.per_case.size, table.raters)
    shares = csr_array((table.share, (table.case, table.rater)), shape=shape)
    ones = csr_array((np.ones(table.value.size), (table.case, table.rater)), shape=shape)
    design = np.diag(np.bincount(table.rater, minlength=table.raters).astype(np.float64))
    design -= (ones.T @ shares).toarray()
    values, vectors = np.linalg.eigh((design + design.T) / 2)
    kept = values > 1e-9 * max(values[-1], 1.0)
    values, vectors = values[kept], vectors[:, kept]
    left = table.value.size - table.per_case.size - values.size
    if left < 1:
        return None
    off = table.value - case_means[table.case]
    projected = np.bincount(table.rater, off, table.raters) @ vectors
    between = float((projected**2 / values).sum())
    total = float((off**2).sum())
    rest = total - between
    return _RaterSquares(between, values, max(rest, 0.0) / left if rest > 1e-12 * total else 0.0)


def _overlap(table: _Table, cluster: Ints | None) -> float:
    """Chance that a rating of one case and one of another case, from different clusters, come
    from the same rater; each case counts the same and so does each of its ratings."""
    n = table.per_case.size
    group = np.arange(n) if cluster is None else cluster
    groups = int(group.max()) + 1
    cell, index = np.unique(group[table.case] * table.raters + table.rater, return_inverse=True)
    own = np.bincount(index, table.share, cell.size)
    same = (np.bincount(table.rater, table.share) ** 2).sum() - (own**2).sum()
    return float(same / n**2 * groups / (groups - 1))


def _case_variance(table: _Table, case_means: Floats, squares: _RaterSquares) -> float:
    """E(s^2 of case means) = case + error mean(1/m) + rater (mean(1/m) - overlap)."""
    single = float((1 / table.per_case).mean())
    noise = squares.error * single + squares.rater * (single - _overlap(table, None))
    return max(float(case_means.var(ddof=1)) - noise, 0.0)


def _interval(
    moments: Moments,
    squares: _RaterSquares,
    overlap: float,
    scale: tuple[float | None, float | None],
    method: str,
) -> Interval:
    from scipy.special import stdtrit

    if squares.values.size < LEAST_RATERS - 1:
        return Interval(None, None, method, TOO_FEW_RATERS)
    reason = mean_refusal(moments, 0, bounded=scale[0] is not None)
    if reason:
        return Interval(None, None, method, reason)
    quantile = stdtrit(max(squares.freedom, 1.0), (1 + CONFIDENCE) / 2)
    further = float(quantile**2 * overlap * squares.rater)
    low, high = ends_of_moments(moments, *scale, further=further)
    return Interval(float(low[0]), float(high[0]), method, None)
