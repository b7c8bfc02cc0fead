"""Coefficients of agreement against published examples, a second library and their definitions."""

import json
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pytest

from reallabor.statistics import (
    InvalidData,
    Reliability,
    gwet_ac2,
    interval_alpha,
    nominal_alpha,
    ordinal_alpha,
    ratio_alpha,
    raw_agreement,
    reliability,
)

ALPHAS = {
    "nominal": nominal_alpha,
    "ordinal": ordinal_alpha,
    "interval": interval_alpha,
    "ratio": ratio_alpha,
}
SEEDS = range(25)
WEIGHTINGS = ["identity", "linear", "ordinal", "quadratic"]
# Random tables (raters x outputs, null = not rated) with AC2 and its standard error as irrCAC 0.4.4
# gives them; that library needs an older numpy than ours, so its figures are kept.
IRRCAC = json.loads(Path(__file__).with_name("irrcac.json").read_text(encoding="utf-8"))


def from_table(table: np.ndarray, cluster: np.ndarray | None = None) -> Reliability:
    """Raters x units, NaN where not rated, in long form."""
    rater, unit = np.nonzero(~np.isnan(table))
    return reliability(unit, rater, table[rater, unit], None if cluster is None else cluster[unit])


def random_table(seed: int, *, levels: int = 5, raters: int = 4, units: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, levels + 1, units)
    noise = rng.integers(-1, 2, (raters, units))
    table: np.ndarray = np.clip(truth + noise, 1, levels).astype(float)
    table[rng.random(table.shape) < 0.3] = np.nan
    return table


def value(estimate: Any) -> float:
    assert estimate.reason is None
    assert estimate.value is not None
    return float(estimate.value)


@pytest.fixture
def published(worked_examples: dict[str, Any]) -> dict[str, Any]:
    example: dict[str, Any] = worked_examples["krippendorff_canonical"]
    return example


@pytest.mark.parametrize("metric", ALPHAS)
def test_alpha_equals_krippendorffs_published_example(
    published: dict[str, Any], metric: str
) -> None:
    data = from_table(np.array(published["ratings_by_rater"], dtype=float))
    estimate = ALPHAS[metric](data)
    assert value(estimate) == pytest.approx(published["alpha"][metric], abs=5e-7)
    assert estimate.units == 11


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_ac2_equals_gwets_published_example(published: dict[str, Any], weighting: Any) -> None:
    data = from_table(np.array(published["ratings_by_rater"], dtype=float))
    expected = published["gwet"][weighting]
    found = gwet_ac2(data, published["domain"], weighting=weighting)
    assert value(found) == pytest.approx(expected["coefficient"], abs=5e-6)
    if "standard_error" in expected:
        assert found.standard_error == pytest.approx(expected["standard_error"], abs=5e-6)
    assert ("standard_error" in expected) == (weighting == "identity")


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("example", range(4))
def test_ac2_equals_second_library(weighting: Any, example: int) -> None:
    case = IRRCAC[example]
    data = from_table(np.array(case["table"], dtype=float))
    found = gwet_ac2(data, [1, 2, 3, 4, 5], weighting=weighting)
    assert [found.value, found.standard_error] == pytest.approx(case["ac2"][weighting], abs=1e-11)


def test_quadratic_ac2_is_the_default() -> None:
    data = from_table(random_table(1))
    assert gwet_ac2(data, range(1, 6)) == gwet_ac2(data, range(1, 6), weighting="quadratic")


@pytest.mark.parametrize("metric", ALPHAS)
@pytest.mark.parametrize("seed", SEEDS)
def test_alpha_equals_second_library(metric: str, seed: int) -> None:
    table = random_table(seed, levels=2 + seed % 6)
    expected = krippendorff.alpha(reliability_data=table, level_of_measurement=metric)
    assert value(ALPHAS[metric](from_table(table))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", ["ordinal", "interval", "ratio"])
def test_alpha_of_continuous_levels_equals_library(metric: str) -> None:
    rng = np.random.default_rng(3)
    table = np.abs(rng.normal(60, 15, 80) + rng.normal(0, 8, (3, 80)))
    table[0, :20] = np.nan
    table[1, 10:15] = np.nan
    expected = krippendorff.alpha(reliability_data=table, level_of_measurement=metric)
    assert value(ALPHAS[metric](from_table(table))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_ac2_equals_brute_force_definition(seed: int) -> None:
    table, scale = random_table(seed, units=12), [1, 2, 3, 4, 5, 7]
    units = [column[~np.isnan(column)] for column in table.T]
    units = [unit for unit in units if unit.size]
    weight = {(a, b): 1 - (a - b) ** 2 / 36 for a in scale for b in scale}
    pairs = [
        np.mean([weight[unit[i], unit[j]] for i in range(m) for j in range(m) if i != j])
        for unit in units
        if (m := unit.size) > 1
    ]
    prevalence = [np.mean([(unit == level).mean() for unit in units]) for level in scale]
    chance = sum(weight.values()) / (6 * 5) * sum(p * (1 - p) for p in prevalence)
    expected = (np.mean(pairs) - chance) / (1 - chance)
    assert value(gwet_ac2(from_table(table), scale)) == pytest.approx(expected, abs=1e-12)


def test_raw_agreement_is_mean_over_units() -> None:
    table = np.array([[1, 2, 3, 1], [1, 2, 4, np.nan], [1, 3, 5, np.nan]])
    estimate = raw_agreement(from_table(table))
    assert value(estimate) == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert estimate.units == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_people_and_units_is_irrelevant(seed: int) -> None:
    table, rng = random_table(seed), np.random.default_rng(seed)
    shuffled = table[rng.permutation(4)][:, rng.permutation(30)]
    for alpha in ALPHAS.values():
        assert value(alpha(from_table(shuffled))) == pytest.approx(value(alpha(from_table(table))))
    scale = [1, 2, 3, 4, 5]
    expected = value(gwet_ac2(from_table(table), scale))
    assert value(gwet_ac2(from_table(shuffled), scale)) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_interval_alpha_ignores_unit_of_scale(seed: int) -> None:
    table = random_table(seed)
    expected = value(interval_alpha(from_table(table)))
    assert value(interval_alpha(from_table(1e6 - 3.5 * table))) == pytest.approx(expected)


def test_ratio_alpha_ignores_unit_but_not_origin() -> None:
    table = random_table(2)
    expected = value(ratio_alpha(from_table(table)))
    assert value(ratio_alpha(from_table(60 * table))) == pytest.approx(expected)
    assert value(ratio_alpha(from_table(table + 100))) != pytest.approx(expected, abs=1e-3)


def test_ratio_alpha_takes_zero_and_refuses_negative_levels() -> None:
    table = np.array([[0.0, 0, 2, 5], [0.0, 1, 2, 4]])
    expected = krippendorff.alpha(
        reliability_data=table, value_domain=[0, 1, 2, 4, 5], level_of_measurement="ratio"
    )
    assert value(ratio_alpha(from_table(table))) == pytest.approx(expected)
    refused = ratio_alpha(from_table(table - 1))
    assert refused.value is None
    assert refused.reason is not None
    assert "negative Stufen" in refused.reason


@pytest.mark.parametrize("seed", SEEDS)
def test_ordinal_alpha_needs_order_only(seed: int) -> None:
    table = random_table(seed)
    expected = value(ordinal_alpha(from_table(table)))
    assert value(ordinal_alpha(from_table(np.exp(table)))) == pytest.approx(expected)
    assert value(ordinal_alpha(from_table(-table))) == pytest.approx(expected)


def test_perfect_agreement_gives_one() -> None:
    data = from_table(np.tile([1.0, 2, 5, 3], (3, 1)))
    for alpha in ALPHAS.values():
        assert value(alpha(data)) == pytest.approx(1)
    assert value(gwet_ac2(data, [1, 2, 3, 4, 5])) == pytest.approx(1)
    assert value(raw_agreement(data)) == 1


def test_single_ratings_are_not_determinable() -> None:
    data = reliability([1, 2, 3], [7, 7, 8], [1.0, 2.0, 3.0])
    for estimate in [*(a(data) for a in ALPHAS.values()), raw_agreement(data)]:
        assert estimate.value is None
        assert estimate.reason == "Keine Ausgabe hat zwei Bewertungen."
        assert estimate.units == 0
    assert gwet_ac2(data, [1, 2, 3]).reason == "Keine Ausgabe hat zwei Bewertungen."


def test_no_ratings_are_not_determinable() -> None:
    data = reliability([], [], [], [])
    assert ordinal_alpha(data).value is None
    assert raw_agreement(data).value is None
    assert gwet_ac2(data, [1, 2]).value is None


@pytest.mark.parametrize("alpha", ALPHAS.values())
def test_equal_ratings_leave_alpha_undetermined(alpha: Any) -> None:
    # The lone 2 is in no pair and does not make the paired ratings vary.
    data = reliability([1, 1, 2, 2, 3], [1, 2, 1, 2, 1], [5.0, 5, 5, 5, 2])
    assert alpha(data).value is None
    assert alpha(data).reason.startswith("Alle Bewertungen sind gleich")
    assert value(raw_agreement(data)) == 1
    assert 0 < value(gwet_ac2(data, [1, 2, 3, 4, 5])) <= 1


def test_ac2_refuses_continuous_scale() -> None:
    estimate = gwet_ac2(from_table(random_table(1)), None)
    assert estimate.value is None
    assert estimate.reason is not None
    assert "stufenlos" in estimate.reason


def test_ac2_refuses_level_outside_scale() -> None:
    with pytest.raises(InvalidData, match=r"Stufe 5 gibt es in der Skala nicht; erlaubt: 1, 2"):
        gwet_ac2(reliability([1, 1], [1, 2], [1.0, 5.0]), [1, 2])
    with pytest.raises(InvalidData, match="weniger als zwei Stufen"):
        gwet_ac2(reliability([1, 1], [1, 2], [1.0, 1.0]), [1])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1, 1], [1, 1], [2.0, 3.0]), "zweimal bewertet"),
        (([1, 1, 1], [1, 2, 1], [2.0, 3.0, 2.0]), "zweimal bewertet"),
        (([1, 1], [1, 2], [2.0, np.nan]), "keine endliche Zahl"),
        (([1, 1], [1, 2], [2.0, np.inf]), "keine endliche Zahl"),
        (([1, 1], [1, 2], [2.0]), "verschieden lang"),
        (([1.5, 1], [1, 2], [2.0, 2.0]), "ganzer Zahlen"),
        (([1, 1], [1, 2], [2.0, 2.0], [1, 2]), "zwei Gruppen"),
        (([1, 1], [1, 2], [2.0, 2.0], [1]), "verschieden lang"),
    ],
)
def test_invalid_ratings_are_refused(columns: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        reliability(*columns)
