"""Where raters differ: which pairs of levels meet, and how far apart each output's ratings lie."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reallabor.statistics.ratings import Floats, Ints, Reliability
from reallabor.statistics.weights import declared_scale, positions

BLOCK_CELLS = 4_000_000
"""Largest array of a block of units (8 bytes a cell)."""


@dataclass(frozen=True, slots=True, eq=False)
class LevelPairs:
    """How often two raters of one output gave levels i and j."""

    levels: Floats
    """(K,) levels, ascending."""
    counts: Ints
    """(K, K) symmetric; number of pairs of ratings {i, j}, equal levels on the diagonal. The
    upper triangle with the diagonal adds up to all pairs."""


@dataclass(frozen=True, slots=True, eq=False)
class Disagreement:
    """Spread of the ratings of each output that has at least two."""

    unit: Ints
    """(V,) rank of the output among the distinct unit codes given to `reliability`."""
    range: Floats
    """(V,) highest minus lowest rating."""
    distance: Floats
    """(V,) mean distance of two ratings."""


def level_pairs(data: Reliability, levels: Sequence[float] | None = None) -> LevelPairs:
    """Pairs of levels over all outputs; with `levels` also those that nobody chose.

    Takes blocks of outputs, so that memory does not grow with their number.
    Raises InvalidData where a rating is not a level of the declared scale.
    """
    scale = data.levels if levels is None else declared_scale(levels)
    k, units = scale.size, data.size.size
    position = positions(data.levels, scale)[data.code]
    start = np.concatenate([[0], np.cumsum(data.size)])
    table = np.zeros((k, k))
    block = max(1, BLOCK_CELLS // max(k, 1))
    for first in range(0, units, block):
        last = min(first + block, units)
        inside = slice(start[first], start[last])
        unit = np.repeat(np.arange(last - first), data.size[first:last])
        cells = np.bincount(unit * k + position[inside], minlength=(last - first) * k)
        counts = cells.reshape(-1, k).astype(np.float64)
        table += counts.T @ counts
    # Ordered pairs of two different ratings; on the diagonal each pair is counted twice.
    diagonal = np.arange(k)
    table[diagonal, diagonal] = (table.diagonal() - np.bincount(position, minlength=k)) / 2
    return LevelPairs(scale, np.rint(table).astype(np.int64))


def unit_disagreement(data: Reliability, levels: Sequence[float] | None = None) -> Disagreement:
    """Range and mean distance per output; in steps of the declared scale where `levels` is given,
    else in units of the ratings.

    Raises InvalidData where a rating is not a level of the declared scale.
    """
    several = np.flatnonzero(data.size >= 2)
    pairs = data.pairable()
    if several.size == 0:
        return Disagreement(several, np.zeros(0), np.zeros(0))
    value = pairs.levels
    if levels is not None:
        value = positions(value, declared_scale(levels)).astype(np.float64)
    k = pairs.levels.size
    ordered = value[np.sort(pairs.unit * k + pairs.code) % k]
    start = np.cumsum(pairs.size) - pairs.size
    spread = ordered[start + pairs.size - 1] - ordered[start]
    # Sum over pairs of x_j - x_i = sum over ranks i = 0..m-1 of (2 i - m + 1) x_(i).
    size = np.repeat(pairs.size, pairs.size)
    rank = np.arange(pairs.code.size) - np.repeat(start, pairs.size)
    total = np.add.reduceat((2 * rank - size + 1) * ordered, start)
    return Disagreement(several, spread, total / (pairs.size * (pairs.size - 1) / 2))
