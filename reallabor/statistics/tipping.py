"""Tipping weights: from which weight of one criterion another alternative overtakes the leader."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from reallabor.statistics.ranking import EQUAL
from reallabor.statistics.ratings import Floats
from reallabor.statistics.results import InvalidData
from reallabor.statistics.smaa import check_weights


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """Where another alternative overtakes the present leader if one weight alone is moved."""

    criterion: int
    """Column of the values whose weight moves."""
    other: int
    """Row of the values that overtakes the leader."""
    weight: float
    """From 0 to 1; exactly here both are equal. The present weight where they are equal now."""
    direction: Literal["above", "below"]
    """Whether the other is ahead with larger or with smaller weights than this."""


def leader_of(values: ArrayLike, weights: ArrayLike) -> int:
    """Row with the largest weighted sum; of equal ones the uppermost. Raises InvalidData."""
    value, weight = _checked(values, weights)
    total = value @ weight
    return int(np.flatnonzero(total >= total.max() - EQUAL)[0])


def tipping_points(
    values: ArrayLike, weights: ArrayLike, leader: int | None = None
) -> dict[tuple[int, int], TippingPoint]:
    """For each criterion and each alternative but the leader, as (criterion, other): where it
    overtakes the leader. Missing where it never does, however the weight moves.

    values (alternatives, criteria), weights (criteria,) from 0 and summing to 1. While weight t
    of a criterion moves from 0 to 1, the others keep their proportions and share 1 - t; where
    they are all 0 they share it equally. leader: one of those with the largest weighted sum;
    without it the uppermost.

    The lead of the leader is linear in t, so the point is exact: with d0 and d1 the lead of the
    other at t = 0 and t = 1 it is d0 / (d0 - d1). To overtake is to be ahead, not only equal: an
    other that catches up at t = 0 or t = 1 alone is missing.

    Raises InvalidData where shapes do not fit, weights are no weights, or leader does not lead.
    """
    value, weight = _checked(values, weights)
    total = value @ weight
    if leader is None:
        leader = leader_of(value, weight)
    elif total[leader] < total.max() - EQUAL:
        raise InvalidData("Die genannte Alternative liegt nicht vorn.")
    criteria = weight.size
    found: dict[tuple[int, int], TippingPoint] = {}
    for c in range(criteria) if criteria > 1 else ():
        others = np.delete(np.arange(criteria), c)
        kept = weight[others]
        sharing = kept / kept.sum() if kept.sum() > 0 else np.full(criteria - 1, 1 / kept.size)
        without = value[:, others] @ sharing
        at_zero = without - without[leader]
        at_one = value[:, c] - value[leader, c]
        for other in np.flatnonzero((at_zero > EQUAL) | (at_one > EQUAL)):
            d0, d1 = at_zero[other], at_one[other]
            if other == leader or (d0 > EQUAL and d1 > EQUAL):  # only by rounding: equal everywhere
                continue
            point = float(np.clip(d0 / (d0 - d1), 0.0, 1.0))
            above = d1 > EQUAL
            # Behind or equal at the present weight, so never on its other side but by rounding.
            point = max(point, float(weight[c])) if above else min(point, float(weight[c]))
            found[c, int(other)] = TippingPoint(c, int(other), point, "above" if above else "below")
    return found


def _checked(values: ArrayLike, weights: ArrayLike) -> tuple[Floats, Floats]:
    value = np.asarray(values, dtype=np.float64)
    weight = np.asarray(weights, dtype=np.float64)
    if value.ndim != 2 or 0 in value.shape or weight.shape != value.shape[1:]:
        raise InvalidData("Werte und Gewichte passen nicht: Alternativen x Kriterien, Kriterien.")
    if not np.isfinite(value).all():
        raise InvalidData("Ein Wert ist keine endliche Zahl; Fehlendes über die Skala ziehen.")
    check_weights(weight)
    return value, weight
