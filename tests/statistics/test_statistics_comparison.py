"""Paired differences against scipy, Holm against the published example."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from reallabor.statistics import (
    InvalidData,
    compare_all,
    holm,
    mean_interval,
    paired_difference,
)


def case_means(seed: int = 1, cases: int = 30, variants: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    table = rng.normal(70, 10, (cases, 1)) + rng.normal(np.arange(variants), 5, (cases, variants))
    table[rng.random(table.shape) < 0.15] = np.nan
    return table


def test_holm_equals_published_example(worked_examples: dict[str, Any]) -> None:
    example = worked_examples["holm"]
    assert holm(example["p"]) == pytest.approx(example["adjusted"])


def test_holm_never_exceeds_one() -> None:
    assert holm([0.6, 0.7, 0.01]).tolist() == pytest.approx([1, 1, 0.03])
    assert holm([]).size == 0
    with pytest.raises(InvalidData, match="zwischen 0 und 1"):
        holm([0.1, np.nan])


def test_paired_difference_uses_shared_cases() -> None:
    first, second = case_means().T[:2]
    shared = ~np.isnan(first) & ~np.isnan(second)
    expected = stats.ttest_rel(first[shared], second[shared])
    found = paired_difference(first, second)
    assert found.cases == shared.sum() < 30
    assert found.mean == pytest.approx((first - second)[shared].mean())
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.p_adjusted == found.p_value
    interval = expected.confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("clustered", [False, True])
def test_all_pairs_equal_single_pairs(clustered: bool) -> None:
    table = case_means()
    clusters = np.arange(30) // 3 if clustered else None
    found = compare_all(table, clusters)
    assert list(found) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for (i, j), pair in found.items():
        single = paired_difference(table[:, i], table[:, j], clusters)
        assert (pair.mean, pair.cases) == pytest.approx((single.mean, single.cases))
        assert pair.p_value == pytest.approx(single.p_value)
        assert pair.interval.low == pytest.approx(single.interval.low)
        assert pair.interval.high == pytest.approx(single.interval.high)
    adjusted = holm(np.array([pair.p_value for pair in found.values()], dtype=float))
    assert [pair.p_adjusted for pair in found.values()] == pytest.approx(adjusted.tolist())


def test_clustered_difference_has_clustered_interval() -> None:
    first, second = case_means().T[:2]
    shared = ~np.isnan(first - second)
    clusters = np.arange(30) // 3
    found = paired_difference(first, second, clusters)
    assert found.interval == mean_interval((first - second)[shared], clusters=clusters[shared])
    assert found.p_value is not None
    assert found.interval.low is not None
    assert found.interval.high is not None
    assert (found.p_value < 0.05) == (found.interval.low > 0 or found.interval.high < 0)


def test_undetermined_pairs_do_not_count_in_adjustment() -> None:
    table = case_means(2, variants=3)
    table = np.column_stack([table, table[:, 0] - 2, np.full(30, np.nan)])
    found = compare_all(table)
    constant, unshared = found[0, 3], found[0, 4]
    assert constant.mean == pytest.approx(2)
    assert constant.p_value is constant.p_adjusted is None
    assert constant.interval.reason is not None
    assert unshared.mean is None
    assert unshared.cases == 0
    assert unshared.interval.reason == "Kein Fall: kein Intervall bestimmbar."
    tested = [pair for pair in found.values() if pair.p_value is not None]
    assert len(tested) == 5
    expected = holm(np.array([pair.p_value for pair in tested], dtype=float))
    assert [pair.p_adjusted for pair in tested] == pytest.approx(expected.tolist())


def test_mismatched_cases_are_refused() -> None:
    with pytest.raises(InvalidData, match="verschieden viele Fälle"):
        paired_difference([1.0, 2.0], [1.0])
    with pytest.raises(InvalidData, match="je Fall eine Gruppe"):
        paired_difference([1.0, 2.0], [1.0, 3.0], [1])
    with pytest.raises(InvalidData, match="endlicher Zahlen"):
        paired_difference([1.0, np.inf], [1.0, 3.0])
