"""Variance components against REML of statsmodels, least squares by hand and simulated truth."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from reallabor.statistics import InvalidData, mean_interval, variance_components

Long = tuple[np.ndarray, np.ndarray, np.ndarray]


def ratings(
    seed: int,
    *,
    cases: int = 30,
    raters: int = 4,
    per_case: int | None = None,
    severity: float = 0.6,
) -> Long:
    """Case, rater and value of normal ratings; per_case random raters per case, else all."""
    rng = np.random.default_rng(seed)
    case, rater = np.indices((cases, raters)).reshape(2, -1)
    if per_case:
        rank = rng.random((cases, raters)).argsort(axis=1).argsort(axis=1)
        kept = (rank < per_case).reshape(-1)
        case, rater = case[kept], rater[kept]
    value = 3 + rng.normal(0, 1, cases)[case] + rng.normal(0, severity, raters)[rater]
    return case, rater, value + rng.normal(0, 0.7, case.size)


def residual_squares(value: np.ndarray, *factors: np.ndarray) -> tuple[float, int]:
    """Residual sum of squares and rank of the least squares fit of fixed factors."""
    design = np.hstack([np.eye(factor.max() + 1)[factor] for factor in factors])
    fitted = design @ np.linalg.lstsq(design, value, rcond=None)[0]
    return float(((value - fitted) ** 2).sum()), int(np.linalg.matrix_rank(design))


def test_complete_table_gives_the_textbook_mean_squares() -> None:
    case, rater, value = ratings(1)
    table = value.reshape(30, 4)
    of_case, of_rater = table.mean(axis=1), table.mean(axis=0)
    rest = table - of_case[:, None] - of_rater + table.mean()
    error = (rest**2).sum() / (29 * 3)
    found = variance_components(case, rater, value)
    assert found.error == pytest.approx(error)
    assert found.rater == pytest.approx(of_rater.var(ddof=1) - error / 30)
    assert found.case == pytest.approx(of_case.var(ddof=1) - error / 4)
    assert found.raters == 4


@pytest.mark.filterwarnings("ignore")
def test_complete_table_equals_reml_of_statsmodels() -> None:
    case, rater, value = ratings(2, cases=20)
    frame = pd.DataFrame({"y": value, "c": case, "r": rater, "one": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = {"c": "0 + C(c)", "r": "0 + C(r)"}
        fit = smf.mixedlm("y ~ 1", frame, groups="one", vc_formula=parts).fit(reml=True)
    reml = dict(zip(fit.model.exog_vc.names, fit.vcomp, strict=True))
    found = variance_components(case, rater, value)
    assert found.case == pytest.approx(reml["c"], rel=2e-3)
    assert found.rater == pytest.approx(reml["r"], rel=2e-3)
    assert found.error == pytest.approx(fit.scale, rel=2e-3)


@pytest.mark.parametrize("seed", range(6))
def test_missing_ratings_give_hendersons_third_method(seed: int) -> None:
    case, rater, value = ratings(seed, raters=6, per_case=3)
    without, _ = residual_squares(value, case)
    full, rank = residual_squares(value, case, rater)
    error = full / (value.size - rank)
    counts = np.zeros((30, 6))
    counts[case, rater] = 1
    adjusted = np.diag(counts.sum(axis=0)) - counts.T @ (counts / counts.sum(axis=1)[:, None])
    variance = (without - full - (rank - 30) * error) / np.trace(adjusted)
    found = variance_components(100 - case, 7 * rater, value)
    assert found.error == pytest.approx(error)
    assert found.rater == pytest.approx(max(variance, 0))


def test_complete_table_gives_banerjees_interval() -> None:
    case, rater, value = ratings(3, severity=0.8)
    table = value.reshape(30, 4)
    variance = table.mean(axis=1).var(ddof=1) / 30
    found = variance_components(case, rater, value)
    assert found.rater is not None
    half = np.sqrt(
        stats.t.ppf(0.975, 29) ** 2 * variance + stats.t.ppf(0.975, 3) ** 2 * found.rater / 4
    )
    ends = (found.interval.low, found.interval.high)
    assert ends == pytest.approx((table.mean() - half, table.mean() + half))
    assert found.interval.method == "t-raters"


@pytest.mark.parametrize("scale", [{}, {"lower": 1.0, "upper": 5.0}])
def test_equally_severe_raters_leave_the_usual_interval(scale: dict[str, float]) -> None:
    # Each case's four ratings 1..4 go round, so that every rater has the same mean.
    case, rater = np.indices((8, 4)).reshape(2, -1)
    value = ((case + rater) % 4 + 1 + (case % 2)).astype(float)
    found = variance_components(case, rater, value, **scale)
    usual = mean_interval(value.reshape(8, 4).mean(axis=1), **scale)
    assert found.rater == 0
    assert found.interval.low == pytest.approx(usual.low)
    assert found.interval.high == pytest.approx(usual.high)


def test_severe_raters_widen_within_the_scale() -> None:
    case, rater, value = ratings(4, severity=1.0, cases=40)
    level = np.clip(np.round(value), 1, 5)
    found = variance_components(case, rater, level, lower=1, upper=5)
    usual = mean_interval(level.reshape(40, 4).mean(axis=1), lower=1, upper=5)
    assert found.interval.method == "bounded-raters"
    assert found.interval.low is not None
    assert found.interval.high is not None
    assert usual.low is not None
    assert usual.high is not None
    assert 1 <= found.interval.low < usual.low - 0.2
    assert usual.high + 0.2 < found.interval.high <= 5


@pytest.mark.parametrize(
    ("raters", "per_case", "cases", "severity"),
    [(3, None, 30, 0.3), (3, 2, 10, 1.0), (4, None, 100, 0.3), (8, 2, 30, 0.5), (12, 2, 60, 0.0)],
)
def test_interval_covers_for_other_raters(
    raters: int, per_case: int | None, cases: int, severity: float
) -> None:
    inside = 0
    for seed in range(500):
        long = ratings(seed, raters=raters, per_case=per_case, cases=cases, severity=severity)
        interval = variance_components(*long).interval
        assert interval.low is not None
        assert interval.high is not None
        inside += interval.low <= 3 <= interval.high
    assert inside / 500 > 0.92


def test_usual_interval_does_not_speak_for_other_raters() -> None:
    inside = 0
    for seed in range(300):
        _, _, value = ratings(seed, cases=100, raters=3, severity=0.5)
        interval = mean_interval(value.reshape(100, 3).mean(axis=1))
        assert interval.low is not None
        assert interval.high is not None
        inside += interval.low <= 3 <= interval.high
    assert inside / 300 < 0.6


def test_components_are_unbiased_with_missing_ratings() -> None:
    found = [variance_components(*ratings(s, raters=6, per_case=2)) for s in range(400)]
    for part, truth in (("case", 1.0), ("rater", 0.36), ("error", 0.49)):
        values = np.array([getattr(each, part) for each in found])
        assert values.mean() == pytest.approx(truth, abs=4 * values.std() / 20)


def test_clusters_widen_the_interval() -> None:
    rng = np.random.default_rng(6)
    case, rater = np.indices((40, 4)).reshape(2, -1)
    cluster = case // 5
    value = rng.normal(0, 1, 8)[cluster] + rng.normal(0, 0.2, 4)[rater] + rng.normal(0, 0.3, 160)
    together = variance_components(case, rater, value, clusters=cluster).interval
    alone = variance_components(case, rater, value).interval
    assert together.low is not None
    assert alone.low is not None
    assert together.low < alone.low - 0.2
    single = variance_components(case, rater, value, clusters=case * 3).interval
    assert (single.low, single.high) == pytest.approx((alone.low, alone.high))


def test_two_raters_have_components_but_no_interval() -> None:
    found = variance_components(*ratings(1, raters=2))
    assert found.rater is not None
    assert found.reason is None
    assert found.interval.low is None
    assert found.interval.reason is not None
    assert "nicht belastbar" in found.interval.reason


@pytest.mark.parametrize(
    ("long", "word"),
    [
        (([], [], []), "Kein Fall"),
        (([1, 1], [1, 2], [3.0, 4.0]), "Nur ein Fall"),
        (([1, 2, 3], [1, 2, 1], [3.0, 4.0, 5.0]), "Kein Fall ist von zwei Personen"),
        (([1, 1, 2], [1, 2, 1], [3.0, 4.0, 5.0]), "zu wenige Fälle gemeinsam"),
    ],
)
def test_undetermined_components_say_why(long: tuple[Any, ...], word: str) -> None:
    found = variance_components(*long)
    assert (found.case, found.rater, found.error) == (None, None, None)
    assert found.reason == found.interval.reason
    assert found.reason is not None
    assert word in found.reason


def test_equal_ratings_have_no_components_but_a_bounded_interval() -> None:
    case, rater = np.indices((6, 3)).reshape(2, -1)
    value = np.full(18, 5.0)
    unbounded = variance_components(case, rater, value)
    assert (unbounded.case, unbounded.rater, unbounded.error) == (0, 0, 0)
    assert unbounded.interval.low is None
    bounded = variance_components(case, rater, value, lower=1, upper=5).interval
    usual = mean_interval([5.0] * 6, lower=1, upper=5)
    assert (bounded.low, bounded.high) == (usual.low, usual.high)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 1], [1, 1], [2.0, 3.0]), "zweimal bewertet"),
        (([1, 1], [1, 2], [2.0]), "verschieden lang"),
        (([1, 1], [1, 2], [2.0, np.nan]), "keine endliche Zahl"),
    ],
)
def test_invalid_ratings_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        variance_components(*arguments)


def test_invalid_scale_or_clusters_are_refused() -> None:
    long = ([1, 1, 2, 2], [1, 2, 1, 2], [2.0, 3.0, 4.0, 9.0])
    with pytest.raises(InvalidData, match="zwei Gruppen"):
        variance_components(*long, clusters=[1, 2, 3, 3])
    with pytest.raises(InvalidData, match="Nur ein Ende"):
        variance_components(*long, lower=1)
    with pytest.raises(InvalidData, match="außerhalb der Skala"):
        variance_components(*long, lower=1, upper=5)
