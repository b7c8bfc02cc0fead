"""Metrics of sums against scikit-learn, scipy and figures computed by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import f1_score

from reallabor.statistics import (
    clopper_pearson,
    f1_of_sums,
    mean_of_sums,
    metric_interval,
    share_bound,
)


def class_counts(true: np.ndarray, given: np.ndarray, classes: list[int]) -> np.ndarray:
    """Per case and class: hit, false alarm, miss."""
    hit = [(true == c) & (given == c) for c in classes]
    false = [(true != c) & (given == c) for c in classes]
    missed = [(true == c) & (given != c) for c in classes]
    return np.array([*hit, *false, *missed], dtype=float).T


@pytest.mark.parametrize("seed", range(8))
def test_macro_f1_equals_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, given = rng.integers(0, 5, 60), rng.integers(0, 5, 60)
    classes = sorted(set(true.tolist()))
    sums = class_counts(true, given, classes).sum(axis=0)[None, :]
    expected = f1_score(true, given, labels=classes, average="macro")
    assert f1_of_sums(sums)[0] == pytest.approx(expected)


def test_micro_f1_is_that_of_one_class() -> None:
    # 3 right, 1 too many, 2 missed: 2*3 / (2*3 + 1 + 2)
    assert f1_of_sums(np.array([[3.0, 1.0, 2.0]]))[0] == pytest.approx(6 / 9)


def test_class_that_never_occurs_counts_not() -> None:
    assert f1_of_sums(np.array([[2.0, 0, 0, 0, 0, 0]]))[0] == 1.0
    assert np.isnan(f1_of_sums(np.zeros((1, 6)))[0])


def test_mean_of_nothing_is_not_determinable() -> None:
    found = mean_of_sums(np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 5.0]]))
    assert found[0] == 0.75
    assert np.isnan(found[1])
    assert found[2] == 0


def test_no_miss_in_six_proves_sixty_one_percent() -> None:
    # "0 von 6 übersehen, belegt: mindestens 61 % erkannt": 0.05 ** (1 / 6)
    assert share_bound(6, 6) == pytest.approx(0.05 ** (1 / 6))
    assert share_bound(6, 6) == pytest.approx(0.607, abs=5e-4)
    assert share_bound(0, 6) == 0.0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_bound_and_interval_equal_scipy(pair: tuple[int, int]) -> None:
    hits, n = pair
    one_sided = stats.binomtest(hits, n, alternative="greater").proportion_ci(0.95, "exact")
    assert share_bound(hits, n) == pytest.approx(one_sided.low, abs=1e-9)
    interval = clopper_pearson(hits, n)
    if hits == n:
        expected = (one_sided.low, 1.0)
    elif hits == 0:
        less = stats.binomtest(0, n, alternative="less").proportion_ci(0.95, "exact")
        expected = (0.0, less.high)
    else:
        both = stats.binomtest(hits, n).proportion_ci(0.95, "exact")
        expected = (both.low, both.high)
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-9)


def test_share_of_no_case_has_no_interval() -> None:
    interval = clopper_pearson(0, 0)
    assert (interval.low, interval.high) == (None, None)
    assert interval.reason


def test_bootstrap_interval_is_near_the_t_interval() -> None:
    values = np.random.default_rng(3).normal(0.6, 0.1, 200)
    counts = np.column_stack([values, np.ones(200)])
    interval = metric_interval(counts, mean_of_sums)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=2e-3)
    assert interval.method == "bootstrap"


def test_bootstrap_says_the_same_twice_and_widens() -> None:
    rng = np.random.default_rng(1)
    counts = np.column_stack([rng.random(40), np.ones(40)])
    first, again = (metric_interval(counts, mean_of_sums) for _ in range(2))
    assert first == again
    wider = metric_interval(counts, mean_of_sums, confidence=0.99)
    assert wider.low is not None
    assert first.low is not None
    assert wider.low < first.low
    # Cases that hang together say less.
    doubled = metric_interval(
        np.repeat(counts, 4, axis=0), mean_of_sums, cluster=np.repeat(np.arange(40), 4)
    )
    assert (doubled.low, doubled.high) == pytest.approx((first.low, first.high))
    assert doubled.method == "bootstrap-cluster"


def test_metric_interval_covers_what_it_promises() -> None:
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(200):
        counts = np.column_stack([rng.binomial(1, 0.7, 50), np.ones(50)])
        interval = metric_interval(counts, mean_of_sums, resamples=400)
        assert interval.low is not None
        assert interval.high is not None
        inside += interval.low <= 0.7 <= interval.high
    assert inside >= 180


@pytest.mark.parametrize(
    "counts", [np.zeros((0, 2)), np.array([[1.0, 1.0]]), np.ones((9, 2)), np.zeros((9, 2))]
)
def test_too_little_or_equal_data_has_a_reason(counts: np.ndarray) -> None:
    interval = metric_interval(counts, mean_of_sums)
    assert (interval.low, interval.high) == (None, None)
    assert interval.reason
