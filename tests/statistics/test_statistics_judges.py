"""Judges against people: scipy, the alternative annotator test written out as in the paper."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from reallabor.statistics import (
    InvalidData,
    alternative_annotator_test,
    judge_agreement,
    mean_interval,
)


def ratings(seed: int, *, raters: int = 4, units: int = 60, noise: float = 0.8, decimals: int = 0):
    """People (raters x units, NaN where not rated) and the judge's noisy view of the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 5, units)
    people = np.clip(np.round(truth + rng.normal(0, 0.7, (raters, units)), decimals), 1, 5)
    people[rng.random(people.shape) < 0.2] = np.nan
    judge = np.clip(np.round(truth + rng.normal(0, noise, units), decimals), 1, 5)
    return people, judge


def run(people: np.ndarray, judge: np.ndarray, **options: Any):
    rater, unit = np.nonzero(~np.isnan(people))
    rated = np.flatnonzero(~np.isnan(judge))
    return alternative_annotator_test(
        100 + 7 * unit, rater, people[rater, unit], 100 + 7 * rated, judge[rated], **options
    )


def as_in_the_paper(
    people: np.ndarray, judge: np.ndarray, epsilon: float
) -> dict[int, tuple[float, float, float]]:
    """Per rater: share the judge is at least as near, share the rater is, p; by plain loops."""

    def nearness(level: float, others: np.ndarray) -> float:
        return -round(float(np.sqrt(np.mean((level - others) ** 2))), 9)

    result = {}
    for left_out in range(people.shape[0]):
        machine, person = [], []
        for unit in range(people.shape[1]):
            others = np.delete(people[:, unit], left_out)
            others = others[~np.isnan(others)]
            level = people[left_out, unit]
            if np.isnan(level) or np.isnan(judge[unit]) or others.size == 0:
                continue
            machine.append(nearness(judge[unit], others) >= nearness(level, others))
            person.append(nearness(level, others) >= nearness(judge[unit], others))
        if len(machine) < 30:
            continue
        short = np.subtract(person, machine, dtype=float)
        p = stats.ttest_1samp(short, epsilon, alternative="less").pvalue
        result[left_out] = (float(np.mean(machine)), float(np.mean(person)), float(p))
    return result


@pytest.mark.parametrize("decimals", [0, 1])
@pytest.mark.parametrize("noise", [0.2, 0.9, 1.8])
@pytest.mark.parametrize("seed", range(5))
def test_alternative_annotator_test_equals_the_paper(
    seed: int, noise: float, decimals: int
) -> None:
    people, judge = ratings(seed, noise=noise, decimals=decimals)
    judge[:4] = np.nan
    expected = as_in_the_paper(people, judge, 0.15)
    found = run(people, judge, epsilon=0.15)
    assert [each.rater for each in found.raters] == list(expected)
    for each in found.raters:
        shares = (each.judge_advantage, each.rater_advantage)
        assert shares == pytest.approx(expected[each.rater][:2])
        assert each.p_value == pytest.approx(expected[each.rater][2], abs=1e-12)
    won = multipletests([p for *_, p in expected.values()], 0.05, method="fdr_by")[0]
    assert [each.won for each in found.raters] == won.tolist()
    assert found.winning_rate == pytest.approx(won.mean())
    assert found.advantage == pytest.approx(np.mean([share for share, *_ in expected.values()]))
    assert found.passed == (won.mean() >= 0.5)


def test_near_judge_passes_and_random_one_fails() -> None:
    people, judge = ratings(1, noise=0.0, units=100)
    near = run(people, judge)
    assert near.passed
    assert near.winning_rate == 1
    random = run(people, np.random.default_rng(1).integers(1, 6, 100).astype(float))
    assert random.passed is False
    assert random.winning_rate == 0
    assert random.advantage is not None
    assert near.advantage is not None
    assert random.advantage < 0.5 < near.advantage


def test_epsilon_helps_the_judge() -> None:
    people, judge = ratings(3, noise=1.0, units=80)
    rates = [run(people, judge, epsilon=epsilon).winning_rate for epsilon in (0, 0.1, 0.3, 0.6)]
    assert rates == sorted(rates)  # type: ignore[type-var]
    assert rates[0] < rates[-1]  # type: ignore[operator]


def test_copy_of_everybody_wins() -> None:
    level = np.random.default_rng(1).integers(1, 6, 40).astype(float)
    found = run(np.tile(level, (3, 1)), level, epsilon=0.1)
    assert (found.winning_rate, found.advantage) == (1, 1)
    assert run(np.tile(level, (3, 1)), level, epsilon=0).winning_rate == 0


@pytest.mark.parametrize(
    ("raters", "units", "word"),
    [(2, 60, "erfüllen nur zwei"), (4, 29, "erfüllt niemand")],
)
def test_too_few_raters_or_outputs_are_not_determinable(raters: int, units: int, word: str) -> None:
    level = np.random.default_rng(1).integers(1, 6, units).astype(float)
    found = run(np.tile(level, (raters, 1)), level)
    assert (found.winning_rate, found.advantage, found.passed) == (None, None, None)
    assert found.reason is not None
    assert word in found.reason


def test_outputs_that_the_judge_did_not_rate_are_left_out() -> None:
    people, judge = ratings(2)
    found = run(people, np.full(judge.size, np.nan))
    assert found.raters == ()
    assert found.reason is not None


def test_invalid_judges_are_refused() -> None:
    with pytest.raises(InvalidData, match="zweimal bewertet"):
        alternative_annotator_test([1, 1], [1, 2], [3.0, 4.0], [1, 1], [3.0, 3.0])
    with pytest.raises(InvalidData, match="Epsilon"):
        alternative_annotator_test([1, 1], [1, 2], [3.0, 4.0], [1], [3.0], epsilon=1.0)
    with pytest.raises(InvalidData, match="endliche Zahl"):
        alternative_annotator_test([1, 1], [1, 2], [3.0, 4.0], [1], [np.nan])


def test_correlation_and_bias_equal_scipy() -> None:
    people, judge = ratings(4)
    means = np.nanmean(people, axis=0)
    judge[:7] = np.nan
    means[5:9] = np.nan
    shared = ~np.isnan(judge + means)
    found = judge_agreement(judge, means)
    assert found.cases == shared.sum() == 51
    tau = stats.kendalltau(judge[shared], means[shared]).statistic
    assert found.kendall.value == pytest.approx(tau)
    rho = stats.pearsonr(stats.rankdata(judge[shared]), stats.rankdata(means[shared])).statistic
    assert found.spearman.value == pytest.approx(rho)
    assert found.bias == pytest.approx((judge - means)[shared].mean())
    expected = mean_interval((judge - means)[shared])
    ends = (found.bias_interval.low, found.bias_interval.high)
    assert ends == pytest.approx((expected.low, expected.high))


def test_kendall_counts_ties_as_tau_b() -> None:
    judge, people = np.array([1.0, 1, 2, 3, 3]), np.array([1.0, 2, 2, 2, 5])
    pairs = [(i, j) for i in range(5) for j in range(i)]
    signs = [np.sign(judge[i] - judge[j]) * np.sign(people[i] - people[j]) for i, j in pairs]
    untied = [sum(side[i] != side[j] for i, j in pairs) for side in (judge, people)]
    expected = sum(signs) / np.sqrt(untied[0] * untied[1])
    assert judge_agreement(judge, people).kendall.value == pytest.approx(expected)


def test_bias_of_cases_that_hang_together_is_wider() -> None:
    rng = np.random.default_rng(5)
    clusters = np.repeat(np.arange(10), 4)
    people = rng.uniform(1, 5, 40)
    judge = people + 0.3 + rng.normal(0, 0.5, 10)[clusters]
    together, alone = judge_agreement(judge, people, clusters), judge_agreement(judge, people)
    assert together.bias == pytest.approx(alone.bias)
    assert together.bias_interval.method == "t-cluster"
    assert together.bias_interval.low is not None
    assert alone.bias_interval.low is not None
    assert together.bias_interval.low < alone.bias_interval.low


@pytest.mark.parametrize(
    ("judge", "people", "word"),
    [([1.0, 2], [2.0, 1], "weniger als drei"), ([3.0, 3, 3], [1.0, 2, 3], "Rangfolge")],
)
def test_undetermined_correlation_says_why(
    judge: list[float], people: list[float], word: str
) -> None:
    found = judge_agreement(judge, people)
    for estimate in (found.spearman, found.kendall):
        assert estimate.value is None
        assert estimate.reason is not None
        assert word in estimate.reason
    assert found.bias == pytest.approx(np.mean(judge) - np.mean(people))
