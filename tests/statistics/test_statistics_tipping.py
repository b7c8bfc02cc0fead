"""Tipping weights against brute force over a fine grid of the moved weight."""

from typing import Any

import numpy as np
import pytest

from reallabor.statistics import InvalidData, leader_of, tipping_points

GRID = np.linspace(0, 1, 10_001)
STEP = GRID[1]


def moved(weights: np.ndarray, criterion: int, t: np.ndarray) -> np.ndarray:
    """(t, criteria) the weights with t for one criterion; the others keep their proportions."""
    others = np.delete(weights, criterion)
    sharing = others / others.sum() if others.sum() else np.full(others.size, 1 / others.size)
    return np.insert(np.outer(1 - t, sharing), criterion, t, axis=1)


@pytest.mark.parametrize("kind", ["any", "ties", "zero-weights", "one-weight"])
def test_equals_brute_force(kind: str) -> None:
    rng = np.random.default_rng(["any", "ties", "zero-weights", "one-weight"].index(kind))
    directions = set()
    for _ in range(25):
        a, c = rng.integers(2, 6), rng.integers(2, 6)
        values = rng.random((a, c))
        weights = rng.dirichlet(np.ones(c))
        if kind == "ties":
            values, weights = np.round(values * 2) / 2, np.full(c, 1 / c)
        elif kind == "zero-weights":
            weights[rng.integers(c)] = 0
            weights /= weights.sum()
        elif kind == "one-weight":
            weights = np.eye(c)[rng.integers(c)]
        leader = leader_of(values, weights)
        found = tipping_points(values, weights)
        for criterion in range(c):
            total = moved(weights, criterion, GRID) @ values.T
            for other in range(a):
                ahead = GRID[total[:, other] > total[:, leader] + 1e-9]
                # A point so near to an end that the grid has none beyond it is missing there.
                point = found.get((criterion, other))
                if point is None:
                    assert ahead.size == 0
                elif ahead.size == 0:
                    assert min(point.weight, 1 - point.weight) < STEP
                elif point.direction == "above":
                    assert ahead[-1] == 1
                    assert 0 < ahead[0] - point.weight <= STEP + 1e-6
                    assert point.weight >= weights[criterion]
                else:
                    assert ahead[0] == 0
                    assert 0 < point.weight - ahead[-1] <= STEP + 1e-6
                    assert point.weight <= weights[criterion]
                if point:
                    directions.add(point.direction)
                    lead = values @ moved(weights, criterion, np.array([point.weight]))[0]
                    assert lead[leader] == pytest.approx(lead[other], abs=1e-9) or (
                        point.weight == weights[criterion]
                    )
    assert directions >= ({"below"} if kind == "one-weight" else {"above", "below"})


def test_point_of_a_small_example() -> None:
    """Totals 0.62 and 0.58; with t for the first criterion 0.9 t + 0.2 (1 - t) against
    0.3 t + 0.8 (1 - t), and so on: equal at t = 0.5."""
    found = tipping_points([[0.9, 0.2], [0.3, 0.8]], [0.6, 0.4])
    first, second = found[0, 1], found[1, 1]
    assert (first.weight, first.direction) == (pytest.approx(0.5), "below")
    assert (second.weight, second.direction) == (pytest.approx(0.5), "above")


def test_others_share_equally_where_all_are_zero() -> None:
    """Below the tipping weight of the only weighted criterion the others count alike: the lead
    of B is 0.6 (1 - t) / 2 - 0.2 t."""
    found = tipping_points([[0.6, 0.0, 0.3], [0.4, 0.6, 0.3]], [1, 0, 0])
    assert found[0, 1].weight == pytest.approx(0.6)
    assert found[0, 1].direction == "below"
    assert (1, 1) in found
    assert (2, 1) not in found  # equal there; the rest stays with the first criterion


def test_equal_leaders_tip_where_they_stand() -> None:
    values, weights = [[0.8, 0.2], [0.2, 0.8]], [0.5, 0.5]
    assert leader_of(values, weights) == 0
    found = tipping_points(values, weights)
    assert [(found[c, 1].weight, found[c, 1].direction) for c in (0, 1)] == [
        (0.5, "below"), (0.5, "above"),
    ]  # fmt: skip
    assert {key[1] for key in tipping_points(values, weights, leader=1)} == {0}


def test_what_never_overtakes_is_missing() -> None:
    assert tipping_points([[0.5, 0.5], [0.5, 0.5]], [0.3, 0.7]) == {}
    assert tipping_points([[0.5, 0.5], [0.4, 0.5]], [0.3, 0.7]) == {}  # equal at an end alone
    assert tipping_points([[0.1, 0.9]], [0.3, 0.7]) == {}
    assert tipping_points([[0.9], [0.1]], [1]) == {}


@pytest.mark.parametrize(
    ("values", "weights", "leader", "sentence"),
    [
        ([[0.1, 0.2]], [1.0], None, "passen nicht"),
        ([[0.1, np.inf]], [0.5, 0.5], None, "keine endliche Zahl"),
        ([[0.1, 0.2]], [0.5, 0.6], None, "nicht 1"),
        ([[0.1, 0.2], [0.3, 0.4]], [0.5, 0.5], 0, "liegt nicht vorn"),
    ],
)
def test_what_does_not_fit_is_refused(
    values: Any, weights: Any, leader: int | None, sentence: str
) -> None:
    with pytest.raises(InvalidData, match=sentence):
        tipping_points(values, weights, leader)
