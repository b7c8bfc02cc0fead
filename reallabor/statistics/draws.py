"""Draws of a measured figure on a scale from 0 to 1, for the ranking under uncertain values."""

from functools import lru_cache

import numpy as np
from scipy import special

from reallabor.statistics.ratings import Floats
from reallabor.statistics.results import InvalidData

NORMAL_END = 1.959963984540054
"""97.5 % quantile of the normal distribution: where the ends of a 95 % interval stand."""


def draw_figure(
    value: float, low: float, high: float, draws: int, rng: np.random.Generator
) -> Floats:
    """(draws,) values from 0 to 1 that a figure with this 95 % interval may truly have.

    Two halves of normal distributions that meet in the value, one for either side of the interval
    (Fechner's two-piece normal with half of the mass on each side; Wallis 2014): 2.5 % of the
    draws lie below low, 50 % below the value, 97.5 % below high. Draws beyond 0 or 1 are set to
    that end, so where the interval reaches an end some stand on it. So the mean of the draws lies
    towards the longer arm of the interval, by a fifth of the difference of both arms. Exact
    figures (low = high) are the same in all draws.

    Stratified (McKay, Beckman & Conover 1979): the draws are the quantiles of draws equal slices
    in random order, so that one figure has the same mean and quantiles whatever the seed.

    Raises InvalidData where not low <= value <= high, all of them finite. Value and ends may lie
    beyond 0 and 1, where the scale ends before the figures do.
    """
    if not (np.isfinite([value, low, high]).all() and low <= value <= high):
        raise InvalidData(
            f"Der Wert {value:g} liegt nicht in seinem Intervall {low:g} bis {high:g}."
        )
    if low == high:
        return np.full(draws, min(max(value, 0.0), 1.0))
    below, above = _arms(draws)
    quantiles = np.concatenate([value - (value - low) * below, value + (high - value) * above])
    return rng.permutation(np.clip(quantiles, 0.0, 1.0))


def draw_missing(draws: int, rng: np.random.Generator) -> Floats:
    """(draws,) values from 0 to 1 of a figure of which nothing is known: uniform over the scale,
    stratified as in `draw_figure`."""
    return rng.permutation(_slices(draws))


@lru_cache(maxsize=4)
def _arms(draws: int) -> tuple[Floats, Floats]:
    """How far the quantiles of a standard normal lie below and above its middle, where 1 is the
    distance of the ends of its 95 % interval."""
    z = np.asarray(special.ndtri(_slices(draws)) / NORMAL_END, dtype=np.float64)
    return -z[: draws // 2], z[draws // 2 :]


def _slices(draws: int) -> Floats:
    """(draws,) middles of equal slices of 0 to 1."""
    return np.asarray((np.arange(draws) + 0.5) / draws, dtype=np.float64)
