"""What a round says of each case: means per variant, criterion and case, and the score of a case.
Raters are averaged within an output first, outputs within a case."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlmodel import Session

from reallabor.models import Round, row_id
from reallabor.rating.round_data import Floats, Ints, RoundData, load_round


@dataclass(frozen=True, eq=False)
class CaseMeans:
    """V variants, C cases and K criteria in the order of `RoundData`; NaN where not rated."""

    mean: Floats
    """(V, C, K) level, an adjudicated one in place of the ratings of its output."""
    lowest: Floats
    """(V, C, K) the lowest level that any rater gave or that was adjudicated."""
    given: Floats
    """(V, C, K) as the raters gave them."""
    ratings: Ints
    """(V, C, K) number of ratings."""
    adjudicated: Ints
    """(V, C, K) number of adjudicated levels."""


def case_means(data: RoundData) -> CaseMeans:
    """Means over the outputs of a case, one per house."""
    shape = (len(data.variants), data.case.size, len(data.criteria))
    rows = data.variant_of * shape[1] + data.case_of
    lowest = np.full((shape[0] * shape[1], shape[2]), np.inf)
    np.minimum.at(lowest, rows, np.where(np.isnan(data.lowest), np.inf, data.lowest))
    return CaseMeans(
        mean=_averaged(data.mean, rows, shape),
        lowest=np.where(np.isinf(lowest), np.nan, lowest).reshape(shape),
        given=_averaged(data.given, rows, shape),
        ratings=_summed(data.ratings, rows, shape).astype(np.int64),
        adjudicated=_summed(data.adjudicated, rows, shape).astype(np.int64),
    )


def scores_of(data: RoundData, mean: Floats) -> Floats:
    """Scores (...) of means (..., K), 0-100: sum of weight x (mean - worst) / (best - worst). NaN
    where a criterion is not rated, and all NaN where the scale was only read from the data."""
    if data.limits is None:
        return np.full(mean.shape[:-1], np.nan)
    worst, best = data.limits if data.rubric.higher_is_better else data.limits[::-1]
    weights = np.array([criterion.weight for criterion in data.criteria])
    return np.asarray(((mean - worst) / (best - worst) * weights).sum(axis=-1))


def case_scores(session: Session, round_: Round) -> pd.DataFrame:
    """The score of every case (0-100) that is rated on all criteria: columns `variant` and `case`
    (row ids), and `score`. Empty where the scale was only read from the data."""
    data = load_round(session, round_)
    scores = scores_of(data, case_means(data).mean)
    variant, case = np.nonzero(~np.isnan(scores))
    ids = np.array([row_id(each.id) for each in data.variants], dtype=np.int64)
    return pd.DataFrame(
        {"variant": ids[variant], "case": data.case[case], "score": scores[variant, case]}
    )


def _averaged(values: Floats, rows: Ints, shape: tuple[int, int, int]) -> Floats:
    known = ~np.isnan(values)
    total = _summed(np.where(known, values, 0.0), rows, shape)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / _summed(known, rows, shape))


def _summed(values: NDArray[Any], rows: Ints, shape: tuple[int, int, int]) -> Floats:
    total = np.zeros((shape[0] * shape[1], shape[2]))
    for k in range(shape[2]):
        total[:, k] = np.bincount(rows, values[:, k], len(total))
    return total.reshape(shape)
