"""Probability of superiority: on which share of the shared cases one variant is the better one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reallabor.statistics.intervals import mean_interval
from reallabor.statistics.results import Interval, InvalidData


@dataclass(frozen=True, slots=True)
class Superiority:
    """How often the first of two variants is better on the same case."""

    share: float | None
    """Share of shared cases on which the first is better plus half of the equal ones, 0 to 1;
    None where no case is shared."""
    cases: int
    """Number of shared cases."""
    better: int
    """Shared cases on which the first is better."""
    equal: int
    """Shared cases on which both are equal."""
    interval: Interval
    """95 % interval of the share, within 0 to 1."""


def superiority(
    first: ArrayLike, second: ArrayLike, clusters: ArrayLike | None = None
) -> Superiority:
    """Probability of superiority of the case means (n,) of two variants, for correlated samples
    (Ruscio & Gera 2013: the share of pairs; equal ones count a half as in Vargha & Delaney 2000).

    Entry i of both belongs to case i; NaN where a variant was not rated on the case, which then is
    not shared. clusters (n,) names the cases that hang together. The interval is that of a mean of
    0, 0.5 and 1 on a bounded scale (`mean_interval`); also where one variant always wins it has a
    width.

    Raises InvalidData where the lengths differ or a case mean is infinite.
    """
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if left.shape != right.shape or left.ndim != 1:
        raise InvalidData("Die Varianten haben verschieden viele Fälle; je Fall ein Eintrag.")
    if np.isinf(left).any() or np.isinf(right).any():
        raise InvalidData("Ein Fallmittel ist keine endliche Zahl.")
    groups = None if clusters is None else np.asarray(clusters)
    if groups is not None and groups.shape != left.shape:
        raise InvalidData("Fälle und Gruppen sind verschieden viele; je Fall eine Gruppe.")
    shared = ~np.isnan(left) & ~np.isnan(right)
    difference = left[shared] - right[shared]
    # Case means of the same levels in another order of adding are equal.
    close = np.abs(difference) <= 1e-9 * np.maximum(np.abs(left[shared]), np.abs(right[shared]))
    won = np.where(close, 0.5, difference > 0)
    return Superiority(
        share=float(won.mean()) if won.size else None,
        cases=int(won.size),
        better=int(np.count_nonzero(won == 1)),
        equal=int(np.count_nonzero(close)),
        interval=mean_interval(
            won, lower=0, upper=1, clusters=None if groups is None else groups[shared]
        ),
    )
