"""Probability of superiority: a published sample counted by hand, and a second library."""

import numpy as np
import pytest
from scipy import stats

from reallabor.statistics import InvalidData, mean_interval, superiority

# Hours of additional sleep of ten patients under two drugs (Cushny & Peebles 1905; Student 1908).
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_sleep_data_counted_by_hand() -> None:
    """The second drug is better for nine of the ten, and equal for one: (9 + 1 / 2) / 10."""
    found = superiority(SECOND, FIRST)
    assert (found.better, found.equal, found.cases) == (9, 1, 10)
    assert found.share == pytest.approx(0.95)
    assert superiority(FIRST, SECOND).share == pytest.approx(0.05)


def test_equals_rank_statistic_of_signs() -> None:
    """Share - 1 / 2 is half of the mean sign; of one case per pair it is the sign test's."""
    rng = np.random.default_rng(1)
    first, second = rng.integers(1, 6, (2, 60)).astype(float)
    found = superiority(first, second)
    assert found.share == pytest.approx(0.5 + np.sign(first - second).mean() / 2)
    wins, losses = (first > second).sum(), (first < second).sum()
    assert found.share == pytest.approx((wins + (60 - wins - losses) / 2) / 60)
    assert found.better == wins


def test_interval_is_near_wilson_without_ties() -> None:
    first = np.arange(100) < 70
    found = superiority(first, ~first)
    wilson = stats.binomtest(70, 100).proportion_ci(method="wilson")
    assert found.share == pytest.approx(0.7)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(wilson), abs=0.01)


def test_interval_has_a_width_where_one_always_wins() -> None:
    found = superiority(np.full(12, 80.0), np.full(12, 70.0))
    assert found.share == 1
    assert found.interval.low is not None
    assert 0.5 < found.interval.low < 0.9
    assert found.interval.high == 1
    alike = superiority([3.0] * 12, [3.0] * 12)
    assert (alike.share, alike.equal) == (0.5, 12)
    assert alike.interval.low < 0.5 < alike.interval.high


def test_cases_of_one_document_count_together() -> None:
    rng = np.random.default_rng(2)
    first = np.repeat(rng.normal(size=12), 5)
    clusters = np.repeat(np.arange(12), 5)
    alone = superiority(first, np.zeros(60))
    together = superiority(first, np.zeros(60), clusters)
    won = np.where(first > 0, 1.0, 0.0)
    assert together.interval == mean_interval(won, lower=0, upper=1, clusters=clusters)
    assert together.interval.high - together.interval.low > 1.5 * (
        alone.interval.high - alone.interval.low
    )


def test_only_shared_cases_count() -> None:
    found = superiority([1, np.nan, 3, 4], [0, 5, np.nan, 5], [1, 2, 3, 4])
    assert (found.cases, found.better, found.share) == (2, 1, 0.5)
    none = superiority([1, np.nan], [np.nan, 2])
    assert (none.cases, none.share) == (0, None)
    assert none.interval.reason == "Kein Fall: kein Intervall bestimmbar."


def test_equal_case_means_may_differ_in_the_last_bit() -> None:
    assert superiority([0.1 + 0.2], [0.3]).equal == 1


def test_mismatched_cases_are_refused() -> None:
    with pytest.raises(InvalidData, match="verschieden viele Fälle"):
        superiority([1.0, 2.0], [1.0])
    with pytest.raises(InvalidData, match="je Fall eine Gruppe"):
        superiority([1.0, 2.0], [1.0, 3.0], [1])
    with pytest.raises(InvalidData, match="keine endliche Zahl"):
        superiority([1.0, np.inf], [1.0, 3.0])
