"""Totals, ranks and groups at one weighting."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from reallabor.statistics import InvalidData, draw_figure, rank_at

DRAWS = 10_000


def normal(*means: float, half: float = 0.1, seed: int = 1) -> np.ndarray:
    """Draws of alternatives with one criterion and intervals of +- half."""
    rng = np.random.default_rng(seed)
    columns = [draw_figure(mean, mean - half, mean + half, DRAWS, rng) for mean in means]
    return np.column_stack(columns)[:, :, None]


def test_total_and_range_of_two_criteria() -> None:
    rng = np.random.default_rng(1)
    first = draw_figure(0.8, 0.7, 0.9, DRAWS, rng)
    second = draw_figure(0.4, 0.2, 0.6, DRAWS, rng)
    found = rank_at(np.stack([first, second], axis=1)[:, None, :], [0.75, 0.25])
    assert found.total[0] == pytest.approx(0.7, abs=1e-6)
    half = np.hypot(0.75 * 0.1, 0.25 * 0.2)
    assert found.low[0] == pytest.approx(0.7 - half, abs=2e-3)
    assert found.high[0] == pytest.approx(0.7 + half, abs=2e-3)
    assert found.rank.tolist() == found.group.tolist() == [1]


def test_groups_split_where_losing_is_certain() -> None:
    """Two figures with intervals of +- 0.1 lose certainly when they are 1.645 standard errors of
    the difference apart: 0.1 / 1.96 * sqrt(2) * 1.645 = 0.1187."""
    apart = 0.1 / 1.96 * np.sqrt(2) * stats.norm.ppf(0.95)
    assert apart == pytest.approx(0.1187, abs=1e-4)
    near = rank_at(normal(0.8, 0.8 - 0.9 * apart), [1])
    far = rank_at(normal(0.8, 0.8 - 1.1 * apart), [1])
    assert near.group.tolist() == [1, 1]
    assert far.group.tolist() == [1, 2]
    assert near.rank.tolist() == far.rank.tolist() == [1, 2]


def test_groups_compare_with_their_first() -> None:
    """A chain of small steps: each is like its neighbour, but not like the first of all."""
    found = rank_at(normal(0.5, 0.75, 0.6, 0.7, 0.65), [1])
    assert found.order == [1, 3, 4, 2, 0]
    assert found.rank.tolist() == [5, 1, 4, 2, 3]
    assert found.group.tolist() == [2, 1, 2, 1, 1]


def test_exact_values_are_told_apart_unless_equal() -> None:
    values = np.broadcast_to(np.array([[0.2, 0.8], [0.8, 0.2], [0.5, 0.4]]), (50, 3, 2))
    found = rank_at(values, [0.5, 0.5])
    assert found.rank.tolist() == [1, 1, 3]
    assert found.group.tolist() == [1, 1, 2]
    assert found.order == [0, 1, 2]
    assert (found.low == found.total).all()
    assert (found.high == found.total).all()


def test_same_figures_share_a_rank() -> None:
    """Draws in another order add up to another last bit; that is no difference."""
    found = rank_at(normal(0.6, 0.6, 0.9, half=0.05), [1])
    assert found.rank.tolist() == [2, 2, 1]
    assert found.group.tolist() == [2, 2, 1]


@pytest.mark.parametrize(
    ("values", "weights", "sentence"),
    [
        (np.zeros((2, 3)), [1.0], "passen nicht"),
        (np.zeros((2, 3, 2)), [1.0], "passen nicht"),
        (np.full((2, 3, 1), np.nan), [1.0], "keine endliche Zahl"),
        (np.zeros((2, 3, 2)), [0.0, 0.0], "nicht 1"),
    ],
)
def test_what_does_not_fit_is_refused(values: Any, weights: Any, sentence: str) -> None:
    with pytest.raises(InvalidData, match=sentence):
        rank_at(values, weights)
