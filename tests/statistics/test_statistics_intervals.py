"""Intervals of means against scipy, brute force and their promised cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reallabor.statistics import (
    Interval,
    InvalidData,
    intervals_from_clusters,
    intervals_from_sums,
    mean_interval,
)
from reallabor.statistics.intervals import bounded_ends, t_ends
from reallabor.statistics.moments import moments_from_clusters, moments_from_sums


def ends(interval: Interval) -> tuple[float, float]:
    assert interval.reason is None
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


@pytest.mark.parametrize("n", [2, 3, 10, 200])
def test_t_interval_equals_scipy(n: int) -> None:
    values = np.random.default_rng(n).normal(40, 12, n)
    interval = mean_interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval.method == "t"
    assert ends(interval) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("seed", range(10))
def test_clustered_interval_equals_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cluster = rng.choice([3, 5, 8, 13, 21, 99], 40)
    values = rng.normal(size=100)[cluster] + rng.normal(size=40)
    names = set(cluster.tolist())
    sums = [sum(values[i] - values.mean() for i in range(40) if cluster[i] == g) for g in names]
    g = len(names)
    error = np.sqrt(g / (g - 1) * sum(d**2 for d in sums) / 40**2)
    equal_sized = 40**2 / sum((cluster == name).sum() ** 2 for name in names)
    half = stats.t.ppf(0.975, equal_sized - 1) * error
    interval = mean_interval(values, clusters=cluster)
    assert interval.method == "t-cluster"
    assert ends(interval) == pytest.approx((values.mean() - half, values.mean() + half))


@pytest.mark.parametrize("scale", [{}, {"lower": 1.0, "upper": 5.0}])
def test_lone_cases_as_clusters_change_nothing(scale: dict[str, float]) -> None:
    values = np.random.default_rng(4).integers(1, 6, 20)
    clustered = mean_interval(values, clusters=np.arange(20) * 7, **scale)
    assert ends(clustered) == pytest.approx(ends(mean_interval(values, **scale)))


def test_doubled_cases_in_clusters_add_no_precision() -> None:
    values = np.random.default_rng(4).integers(1, 6, 20)
    for scale in ({}, {"lower": 1.0, "upper": 5.0}):
        doubled = mean_interval(np.repeat(values, 2), clusters=np.repeat(np.arange(20), 2), **scale)
        assert ends(doubled) == pytest.approx(ends(mean_interval(values, **scale)))


@pytest.mark.parametrize("scale", [{}, {"lower": 1.0, "upper": 5.0}])
def test_many_groups_equal_single_ones(scale: dict[str, float]) -> None:
    rng = np.random.default_rng(11)
    groups = [rng.integers(1, 6, n) for n in (2, 5, 30, 1, 0)]
    found = intervals_from_sums(
        [g.size for g in groups], [g.sum() for g in groups], [(g**2).sum() for g in groups], **scale
    )
    for interval, group in zip(found, groups, strict=True):
        single = mean_interval(group, **scale)
        assert interval.reason == single.reason
        assert interval.method == single.method
        if interval.reason is None:
            assert ends(interval) == pytest.approx(ends(single))


@pytest.mark.parametrize("scale", [{}, {"lower": 1.0, "upper": 5.0}])
def test_many_clustered_groups_equal_single_ones(scale: dict[str, float]) -> None:
    rng = np.random.default_rng(12)
    rows, singles = [], []
    for group in range(4):
        values, cluster = rng.integers(1, 6, 25), rng.integers(0, 6, 25)
        singles.append(mean_interval(values, clusters=cluster, **scale))
        rows += [
            (group, (cluster == c).sum(), values[cluster == c].sum()) for c in np.unique(cluster)
        ]
    order = rng.permutation(len(rows))
    group, cases, total = np.array(rows)[order].T
    found = intervals_from_clusters(group, cases, total, groups=5, **scale)
    for interval, single in zip(found[:4], singles, strict=True):
        assert ends(interval) == pytest.approx(ends(single))
        assert interval.method == single.method
    assert found[4].reason == "Kein Fall: kein Intervall bestimmbar."


def test_bounded_interval_solves_its_equation() -> None:
    values = np.array([2, 4, 3, 5, 1, 3, 2, 4])
    p, n = (values.mean() - 1) / 4, 8
    phi = values.var(ddof=1) / 16 / (p * (1 - p))
    trust = 4 * p * (1 - p) * (n - 1)
    shrunk = (trust * phi + 1.2) / (trust + 1.2)
    t = stats.t.ppf(0.975, n - 1)
    interval = mean_interval(values, lower=1, upper=5)
    assert interval.method == "bounded"
    for end in ends(interval):
        mu = (end - 1) / 4
        assert (p - mu) ** 2 == pytest.approx(t**2 * shrunk * mu * (1 - mu) / n)


def test_upper_end_reaches_to_the_limit_of_rare_events() -> None:
    # 3 of 100 hits: the lower end is that of a Poisson count, up to the binomial variance.
    low, _ = ends(mean_interval(np.r_[np.ones(3), np.zeros(97)], lower=0, upper=1))
    variance = 0.03 * 0.97 / 99
    limit = variance / 0.06 * stats.chi2.ppf(0.025, 2 * 0.03**2 / variance)
    assert low == pytest.approx(limit)
    assert limit == pytest.approx(stats.chi2.ppf(0.025, 6) / 200, rel=0.05)


def test_all_fives_give_wilsons_lower_end() -> None:
    low, high = ends(mean_interval([5] * 10, lower=1, upper=5))
    c = stats.t.ppf(0.975, 9) ** 2 / 10
    assert high == 5
    assert low == pytest.approx(1 + 4 / (1 + c))


@settings(max_examples=300, deadline=None)
@given(
    values=st.lists(st.sampled_from([0.0, 0.1, 25.0, 50.0, 99.9, 100.0]), min_size=2, max_size=40),
    clusters=st.booleans(),
)
def test_bounded_interval_stays_inside_scale(values: list[float], clusters: bool) -> None:
    groups = np.arange(len(values)) % max(2, len(values) // 2) if clusters else None
    interval = mean_interval(values, lower=0, upper=100, clusters=groups)
    low, high = ends(interval)
    assert 0 <= low < high <= 100
    assert low <= np.mean(values) + 1e-9
    assert high >= np.mean(values) - 1e-9
    assert interval.method.endswith("-cluster") == clusters


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.integers(1, 5), min_size=2, max_size=30))
def test_bounded_interval_mirrors_with_scale(values: list[int]) -> None:
    low, high = ends(mean_interval(values, lower=1, upper=5))
    mirrored = ends(mean_interval([6 - v for v in values], lower=1, upper=5))
    assert mirrored == pytest.approx((6 - high, 6 - low))
    stretched = ends(mean_interval([25 * (v - 1) for v in values], lower=0, upper=100))
    assert stretched == pytest.approx((25 * (low - 1), 25 * (high - 1)), abs=1e-9)


@pytest.mark.parametrize("n", [6, 10, 30, 60, 100])
@pytest.mark.parametrize(
    "shares",
    [
        [0.1, 0.2, 0.4, 0.2, 0.1],
        [0.05, 0.1, 0.15, 0.3, 0.4],
        [0.02, 0.03, 0.05, 0.1, 0.8],
        [0.005, 0.0075, 0.0125, 0.025, 0.95],
        [0, 0, 0, 0.02, 0.98],
        [0.05, 0, 0, 0, 0.95],
        [0.01, 0, 0, 0, 0.99],
        [0.02, 0, 0, 0.9, 0.08],
        [0.05, 0, 0.95, 0, 0],
    ],
)
def test_bounded_interval_covers_true_mean(n: int, shares: list[float]) -> None:
    rng = np.random.default_rng(n)
    levels = rng.choice(np.arange(1, 6), p=shares, size=(5000, n))
    moments = moments_from_sums(np.full(5000, n), levels.sum(axis=1), (levels**2).sum(axis=1))
    low, high = bounded_ends(moments, 1, 5)
    mean = np.dot(shares, np.arange(1, 6))
    assert ((low <= mean + 1e-9) & (mean <= high + 1e-9)).mean() > 0.925


def test_bounded_interval_is_sober_mid_scale() -> None:
    values = np.repeat([1, 2, 3, 4, 5], [3, 6, 12, 6, 3])
    low, high = ends(mean_interval(values, lower=1, upper=5))
    t_low, t_high = ends(mean_interval(values))
    assert (high - low) / (t_high - t_low) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("bad", [0.02, 0.05])
def test_clustered_interval_covers_where_t_fails(bad: float) -> None:
    rng = np.random.default_rng(2)
    size = rng.integers(1, 10, (4000, 60))
    shared = np.where(rng.random(size.shape) < bad, 1, 5)
    alike = rng.binomial(size, 0.7)
    own = 5 * (size - alike) - 4 * rng.binomial(size - alike, bad)
    total = alike * shared + own
    group = np.repeat(np.arange(4000), 60)
    moments = moments_from_clusters(group, size.reshape(-1), total.reshape(-1), groups=4000)
    mean = 5 - 4 * bad
    low, high = bounded_ends(moments, 1, 5)
    assert ((low <= mean) & (high >= mean)).mean() > 0.93
    low, high = t_ends(moments)
    assert ((low <= mean) & (high >= mean)).mean() < 0.9


def test_refused_means_say_why() -> None:
    assert mean_interval([3.0]).reason == "Nur ein Fall: kein Intervall bestimmbar."
    assert mean_interval([3.0], lower=1, upper=5).reason == mean_interval([3.0]).reason
    assert mean_interval([]).reason == "Kein Fall: kein Intervall bestimmbar."
    one_cluster = mean_interval([3.0, 4.0], clusters=[1, 1])
    assert one_cluster.low is None
    assert one_cluster.reason == "Alle Fälle gehören zu einer Gruppe: kein Intervall bestimmbar."
    assert mean_interval([3.0, 4.0], lower=1, upper=5, clusters=[1, 1]).high is None


def test_equal_values_without_scale_are_refused() -> None:
    nearly = [0.3, 0.1 + 0.2] * 4
    for values, clusters in (([0.1] * 7, None), (nearly, None), (nearly, [1, 1, 1, 2, 2, 2, 2, 2])):
        interval = mean_interval(values, clusters=clusters)
        assert interval.low is None
        assert interval.reason is not None
        assert "nicht belastbar" in interval.reason
    assert intervals_from_sums([7], [0.7], [0.07])[0].low is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": [1.0, np.nan]}, "keine endliche Zahl"),
        ({"values": [1.0, 6.0], "lower": 1, "upper": 5}, "Wert 6 liegt außerhalb der Skala 1 bis"),
        ({"values": [1.0, 2.0], "lower": 1}, "Nur ein Ende"),
        ({"values": [1.0, 2.0], "lower": 5, "upper": 5}, "ist leer"),
        ({"values": [1.0, 2.0], "clusters": [1]}, "verschieden lang"),
    ],
)
def test_invalid_values_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        mean_interval(**arguments)  # type: ignore[arg-type]


def test_invalid_sums_are_refused() -> None:
    with pytest.raises(InvalidData, match="Mittelwert 6 liegt außerhalb"):
        intervals_from_sums([2], [12.0], [72.0], lower=1, upper=5)
    with pytest.raises(InvalidData, match="verschieden lang"):
        intervals_from_sums([2, 3], [12.0], [72.0])
    with pytest.raises(InvalidData, match="liegt außerhalb"):
        intervals_from_clusters([0, 2], [1, 1], [3.0, 4.0], groups=2)


def test_scale_with_ends_decides_the_method() -> None:
    middle = np.array([2.5, 3.0, 3.5, 3.0, 2.5, 3.5, 3.0, 3.0, 2.5, 3.5])
    assert mean_interval(middle).method == "t"
    assert mean_interval(middle, lower=1, upper=5).method == "bounded"
    clusters = np.arange(10) // 2
    assert mean_interval(middle, clusters=clusters).method == "t-cluster"
    assert mean_interval(middle, lower=1, upper=5, clusters=clusters).method == "bounded-cluster"


def test_bounded_interval_nears_t_with_many_cases() -> None:
    middle = [2.5, 3.0, 3.5, 3.0, 2.5, 3.5, 3.0, 3.0, 2.5, 3.5]
    wider = []
    for repeats in (1, 10, 100):
        low, high = ends(mean_interval(middle * repeats, lower=1, upper=5))
        t_low, t_high = ends(mean_interval(middle * repeats))
        wider.append((high - low) / (t_high - t_low))
    assert 1.5 < wider[0] < 2
    assert wider[0] > wider[1] > wider[2]
    assert wider[2] < 1.02
