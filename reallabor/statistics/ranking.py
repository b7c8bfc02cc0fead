"""Ranking at one weighting: totals with ranges, ranks, and groups that cannot be told apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reallabor.statistics.ratings import Floats, Ints
from reallabor.statistics.results import InvalidData
from reallabor.statistics.smaa import check_weights

CERTAIN = 0.95
"""Share of draws that an alternative must lose against the first of a group to leave it."""
EQUAL = 1e-9
"""Mean totals that differ by less are equal: what adding up 10,000 draws may round."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The alternatives at one weighting; all arrays are (alternatives,), in the order given."""

    total: Floats
    """Expected weighted sum: the mean over all draws, 0 to 1."""
    low: Floats
    """2.5 % of the draws lie below."""
    high: Floats
    """97.5 % of the draws lie below."""
    rank: Ints
    """From 1 (largest total); equal totals share the better rank."""
    group: Ints
    """From 1; whoever shares a group cannot be told apart from its first."""

    @property
    def order(self) -> list[int]:
        """Alternatives by rank, equal ones as they were given."""
        return [int(i) for i in np.argsort(self.rank, kind="stable")]


def rank_at(values: ArrayLike, weights: ArrayLike) -> Ranked:
    """The ranking of values (draws, alternatives, criteria) from 0 to 1 under weights (criteria,)
    that sum to 1.

    Groups: in rank order a new group starts at the first alternative that has the smaller total in
    more than 95 % of the draws (CERTAIN) than the first of the present group; equal totals are not
    smaller. So all of a group are like its first; the last of a group and the first of the next
    may be as like each other, and two of a group may differ from each other by more.

    Raises InvalidData where shapes do not fit, a value is not finite, or weights are no weights.
    """
    value = np.asarray(values, dtype=np.float64)
    weight = np.asarray(weights, dtype=np.float64)
    if value.ndim != 3 or 0 in value.shape or weight.shape != value.shape[2:]:
        raise InvalidData("Werte und Gewichte passen nicht: Ziehungen x Alternativen x Kriterien.")
    check_weights(weight)
    totals = np.ascontiguousarray((value @ weight).T)
    if not np.isfinite(totals).all():
        raise InvalidData("Ein Wert ist keine endliche Zahl; Fehlendes über die Skala ziehen.")
    mean = totals.mean(axis=1)
    low, high = np.quantile(totals, [0.025, 0.975], axis=1)
    order = np.argsort(-mean, kind="stable")
    rank, group = np.empty(mean.size, dtype=np.int64), np.empty(mean.size, dtype=np.int64)
    head, place, groups = int(order[0]), 1, 1
    for position, each in enumerate(order):
        if position and mean[order[position - 1]] - mean[each] > EQUAL:
            place = position + 1
        if np.count_nonzero(totals[each] < totals[head] - EQUAL) > CERTAIN * totals.shape[1]:
            head, groups = int(each), groups + 1
        rank[each], group[each] = place, groups
    return Ranked(mean, low, high, rank, group)
