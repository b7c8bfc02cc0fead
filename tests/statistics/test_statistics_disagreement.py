"""Pairs of levels and disagreement per output against a plain loop over all pairs."""

from itertools import combinations

import numpy as np
import pytest

from reallabor.statistics import InvalidData, level_pairs, reliability, unit_disagreement
from reallabor.statistics import disagreement as module


def long_form(seed: int, levels: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    unit, rater = np.nonzero(rng.random((40, 5)) < 0.5)
    return 3 * unit, rater, rng.choice(levels, unit.size)


@pytest.mark.parametrize("block", [4_000_000, 7])
@pytest.mark.parametrize("seed", range(6))
def test_level_pairs_equal_a_loop(seed: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_CELLS", block)
    unit, rater, level = long_form(seed, [1.0, 2.0, 4.0])
    expected = np.zeros((5, 5), dtype=int)
    for u in np.unique(unit):
        for one, other in combinations(level[unit == u].astype(int), 2):
            expected[one - 1, other - 1] += 1
            if one != other:
                expected[other - 1, one - 1] += 1
    found = level_pairs(reliability(unit, rater, level), [1, 2, 3, 4, 5])
    assert found.levels.tolist() == [1, 2, 3, 4, 5]
    assert (found.counts == expected).all()
    size = np.bincount(unit)
    assert np.triu(found.counts).sum() == (size * (size - 1) // 2).sum() > 0
    seen = level_pairs(reliability(unit, rater, level))
    assert seen.levels.tolist() == [1, 2, 4]
    assert (seen.counts == expected[np.ix_([0, 1, 3], [0, 1, 3])]).all()


@pytest.mark.parametrize("seed", range(6))
def test_disagreement_equals_a_loop(seed: int) -> None:
    unit, rater, level = long_form(seed, [0.5, 2.0, 7.0, 7.25])
    data = reliability(unit, rater, level)
    found = unit_disagreement(data)
    names = np.unique(unit)
    several = [u for u in names if (unit == u).sum() >= 2]
    assert names[found.unit].tolist() == several
    for index, u in enumerate(several):
        rated = level[unit == u]
        assert found.range[index] == rated.max() - rated.min()
        gaps = [abs(one - other) for one, other in combinations(rated, 2)]
        assert found.distance[index] == pytest.approx(np.mean(gaps))


def test_distance_counts_steps_of_a_declared_scale() -> None:
    data = reliability([1, 1, 2, 2, 3], [1, 2, 1, 2, 1], [0.0, 10.0, 10.0, 100.0, 0.0])
    values, steps = unit_disagreement(data), unit_disagreement(data, [0, 10, 50, 100])
    assert values.range.tolist() == values.distance.tolist() == [10, 90]
    assert steps.range.tolist() == steps.distance.tolist() == [1, 2]
    assert steps.unit.tolist() == [0, 1]


def test_nothing_rated_twice_gives_nothing() -> None:
    data = reliability([1, 2], [1, 1], [3.0, 4.0])
    assert level_pairs(data, [3, 4]).counts.sum() == 0
    assert unit_disagreement(data).unit.size == 0
    empty = reliability([], [], [])
    assert level_pairs(empty, [1, 2]).counts.sum() == 0
    assert unit_disagreement(empty).range.size == 0


def test_level_outside_scale_is_refused() -> None:
    data = reliability([1, 1], [1, 2], [1.0, 6.0])
    for function in (level_pairs, unit_disagreement):
        with pytest.raises(InvalidData, match="Stufe 6 gibt es in der Skala nicht"):
            function(data, [1, 2, 3])
