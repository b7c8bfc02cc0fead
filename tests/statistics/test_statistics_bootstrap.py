"""The fast bootstrap against a slow loop that resamples units or clusters with a library."""

import warnings

import krippendorff
import numpy as np
import pytest

from reallabor.statistics import Reliability, alpha_interval, ordinal_alpha, reliability
from reallabor.statistics.agreement import rank_alpha
from reallabor.statistics.bootstrap import (
    coincidence_alphas,
    coincidences,
    draw_weights,
    resampled_alphas,
)


def ratings(
    seed: int, *, units: int, levels: int | None = 5, clusters: int | None = None
) -> tuple[np.ndarray, np.ndarray | None, Reliability]:
    """Table (3 raters x units) with gaps, the cluster of each unit, and the same as Reliability."""
    rng = np.random.default_rng(seed)
    cluster = None if clusters is None else np.arange(units) % clusters
    truth = rng.normal(size=units) if cluster is None else rng.normal(size=units)[cluster]
    table = truth + 0.6 * rng.normal(size=(3, units))
    table = 50 + 20 * table if levels is None else np.clip(np.round(3 + table), 1, levels)
    table[2, rng.random(units) < 0.4] = np.nan
    rater, unit = np.nonzero(~np.isnan(table))
    of = None if cluster is None else cluster[unit]
    return table, cluster, reliability(unit, rater, table[rater, unit], of)


def slow_bootstrap(
    table: np.ndarray, cluster: np.ndarray | None, seed: int, resamples: int
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    of = np.arange(table.shape[1]) if cluster is None else cluster
    members = [np.flatnonzero(of == g) for g in range(of.max() + 1)]
    alphas = []
    for _ in range(resamples):
        drawn = np.concatenate([members[g] for g in rng.integers(len(members), size=len(members))])
        resample = table[:, drawn]
        alphas.append(krippendorff.alpha(reliability_data=resample, level_of_measurement="ordinal"))
    return np.array(alphas)


@pytest.mark.parametrize("clusters", [None, 15])
@pytest.mark.parametrize("levels", [5, None])
def test_fast_bootstrap_agrees_with_slow_one(clusters: int | None, levels: int | None) -> None:
    units = 60 if levels else 40
    table, cluster, data = ratings(2, units=units, levels=levels, clusters=clusters)
    slow = slow_bootstrap(table, cluster, 5, 1500)
    fast = resampled_alphas(data.pairable(), np.random.default_rng(6), 6000)
    spread = slow.std()
    assert fast.mean() == pytest.approx(slow.mean(), abs=5 * spread * np.sqrt(1 / 1500 + 1 / 6000))
    assert fast.std() == pytest.approx(spread, rel=0.11)
    for share in (0.025, 0.975):
        assert np.quantile(fast, share) == pytest.approx(np.quantile(slow, share), abs=0.3 * spread)


def test_resampling_clusters_is_wider_than_units() -> None:
    _, _, clustered = ratings(4, units=300, clusters=25)
    alone = Reliability(clustered.levels, clustered.code, clustered.size, None)
    by_cluster = alpha_interval(clustered, np.random.default_rng(1))
    by_unit = alpha_interval(alone, np.random.default_rng(1))
    assert by_cluster.method == "bootstrap-cluster"
    assert by_unit.method == "bootstrap"
    assert by_cluster.high is not None
    assert by_cluster.low is not None
    assert by_unit.high is not None
    assert by_unit.low is not None
    assert by_cluster.high - by_cluster.low > 1.3 * (by_unit.high - by_unit.low)


@pytest.mark.parametrize("seed", range(10))
def test_weighted_patterns_equal_repeated_units(seed: int) -> None:
    table, _, data = ratings(seed, units=25)
    pairs = data.pairable()
    weight = np.random.default_rng(seed).integers(0, 4, 25)
    repeated = np.repeat(table, weight, axis=1)
    expected = krippendorff.alpha(reliability_data=repeated, level_of_measurement="ordinal")
    assert rank_alpha(pairs, weight.astype(float)) == pytest.approx(expected, abs=1e-12)

    lone = Reliability(pairs.levels, pairs.code, pairs.size, np.arange(25))
    matrices, copies = coincidences(lone)
    assert copies.tolist() == [1] * 25
    by_pattern = coincidence_alphas(weight[None, :].astype(float), matrices)
    assert by_pattern[0] == pytest.approx(expected, abs=1e-12)


def test_patterns_with_copies_give_observed_alpha() -> None:
    _, _, data = ratings(8, units=400)
    matrices, copies = coincidences(data.pairable())
    assert copies.sum() == 400
    assert copies.size < 130
    found = coincidence_alphas(copies[None, :].astype(float), matrices)
    assert found[0] == pytest.approx(ordinal_alpha(data).value, abs=1e-12)


@pytest.mark.parametrize("copies", [[1] * 6, [60, 30, 10]])
def test_draws_have_multinomial_moments(copies: list[int]) -> None:
    share = np.array(copies) / sum(copies)
    drawn = draw_weights(np.random.default_rng(1), np.array(copies), 20_000)
    assert (drawn.sum(axis=1) == sum(copies)).all()
    assert drawn.mean(axis=0) == pytest.approx(np.array(copies), rel=0.03)
    assert drawn.var(axis=0) == pytest.approx(sum(copies) * share * (1 - share), rel=0.06)


def test_interval_holds_alpha_and_repeats_with_seed() -> None:
    _, _, data = ratings(9, units=80)
    first = alpha_interval(data, np.random.default_rng(7))
    assert first == alpha_interval(data, np.random.default_rng(7))
    alpha = ordinal_alpha(data).value
    assert first.low is not None
    assert first.high is not None
    assert alpha is not None
    assert -1 < first.low < alpha < first.high < 1
    draws = resampled_alphas(data.pairable(), np.random.default_rng(7), 1000)
    assert (first.low, first.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]).tolist())
    middle = alpha_interval(data, np.random.default_rng(7), confidence=0.5)
    assert (middle.low, middle.high) == pytest.approx(np.quantile(draws, [0.25, 0.75]).tolist())


def test_undetermined_alpha_has_no_interval() -> None:
    rng = np.random.default_rng(1)
    equal = reliability([1, 1, 2, 2], [1, 2, 1, 2], [5.0] * 4)
    assert alpha_interval(equal, rng).reason == ordinal_alpha(equal).reason
    lone = reliability([1, 2], [1, 2], [5.0, 4.0])
    assert alpha_interval(lone, rng).reason == "Keine Ausgabe hat zwei Bewertungen."


def test_one_unit_or_cluster_has_no_interval() -> None:
    rng = np.random.default_rng(1)
    unit = alpha_interval(reliability([1, 1, 2], [1, 2, 1], [5.0, 4.0, 3.0]), rng)
    assert unit.low is None
    assert unit.reason is not None
    assert "Nur eine Ausgabe" in unit.reason
    # Cluster 4 has no pair, so only cluster 9 can be drawn.
    data = reliability([1, 1, 2, 2, 3], [1, 2, 1, 2, 1], [5.0, 4, 3, 3, 5], [9, 9, 9, 9, 4])
    cluster = alpha_interval(data, rng)
    assert cluster.reason is not None
    assert "zu einer Gruppe" in cluster.reason


def test_few_units_or_clusters_are_not_trustworthy() -> None:
    rng = np.random.default_rng(1)
    for units, clusters in ((19, None), (60, 19)):
        _, _, data = ratings(2, units=units, clusters=clusters)
        interval = alpha_interval(data, rng)
        assert interval.low is None
        assert interval.reason is not None
        assert "nicht belastbar" in interval.reason
    for units, clusters in ((20, None), (60, 20)):
        _, _, data = ratings(2, units=units, clusters=clusters)
        assert alpha_interval(data, rng).low is not None


def test_perfect_agreement_claims_no_certainty() -> None:
    unit = np.repeat(np.arange(24), 2)
    data = reliability(unit, [1, 2] * 24, 3.0 + unit % 3)
    interval = alpha_interval(data, np.random.default_rng(1))
    assert interval.low is None
    assert interval.reason is not None
    assert "denselben Wert" in interval.reason


def test_uniform_resamples_are_not_determinable() -> None:
    # Without the one unit that varies, which (2/3)^3 of the resamples miss, all ratings are 5.
    unit, rater = np.repeat(np.arange(3), 2), np.tile([1, 2], 3)
    data = reliability(unit, rater, [5.0, 5, 5, 5, 5, 4], unit)
    draws = resampled_alphas(data.pairable(), np.random.default_rng(1), 4000)
    assert np.isnan(draws).mean() == pytest.approx((2 / 3) ** 3, abs=0.03)
    assert np.isfinite(draws).any()


def test_mostly_undetermined_resamples_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = np.r_[np.full(501, np.nan), np.linspace(0, 1, 499)]
    monkeypatch.setattr("reallabor.statistics.bootstrap.resampled_alphas", lambda *_: draws)
    _, _, data = ratings(1, units=20)
    interval = alpha_interval(data, np.random.default_rng(1))
    assert interval.low is None
    assert interval.reason is not None
    assert "mehr als der Hälfte" in interval.reason


def test_bootstrap_raises_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for levels in (2, 5, None):
            _, _, data = ratings(3, units=20, levels=levels)
            alpha_interval(data, np.random.default_rng(1))
