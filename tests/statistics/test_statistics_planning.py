"""Numbers of cases against statsmodels and against the intervals they promise."""

from typing import Any

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from reallabor.statistics import (
    InvalidData,
    cases_for_power,
    expected_half_width,
    further_cases,
    mean_interval,
)


def half_width(values: Any, **scale: Any) -> float:
    interval = mean_interval(values, **scale)
    assert interval.low is not None
    assert interval.high is not None
    return (interval.high - interval.low) / 2


def test_cases_equal_published_example(worked_examples: dict[str, Any]) -> None:
    for effect, cases in worked_examples["power"]["cases_needed"].items():
        assert cases_for_power(float(effect)) == cases
        assert cases_for_power(-float(effect)) == cases


@pytest.mark.parametrize("effect", [0.05, 0.2, 0.42, 1.0, 1.7, 4.0])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_cases_reach_the_power_and_one_fewer_does_not(effect: float, power: float) -> None:
    cases = cases_for_power(effect, power=power, significance=0.02)
    library = TTestPower()
    assert library.power(effect, cases, 0.02) >= power
    if cases > 2:
        assert library.power(effect, cases - 1, 0.02) < power


@pytest.mark.parametrize("effect", [0.0, np.nan, 1e-4])
def test_effect_that_cannot_be_shown_is_refused(effect: float) -> None:
    with pytest.raises(InvalidData, match="Unterschied"):
        cases_for_power(effect)
    with pytest.raises(InvalidData, match="Trennschärfe"):
        cases_for_power(0.5, power=1.0)


def test_expected_half_width_is_that_of_t() -> None:
    values = np.random.default_rng(1).normal(60, 8, 12)
    found = expected_half_width(values.std(ddof=1), [1, 12, 48])
    assert found[0] == np.inf
    assert found[1] == pytest.approx(half_width(values))
    assert 0.4 * found[1] < found[2] < 0.5 * found[1]
    with pytest.raises(InvalidData, match="Streuung"):
        expected_half_width(0.0, 10)
    with pytest.raises(InvalidData, match="unter 1"):
        expected_half_width(1.0, 0)


def test_further_cases_by_t_are_the_fewest() -> None:
    values = np.random.default_rng(2).normal(60, 8, 15)
    found = further_cases(values, 2.0)
    assert found.cases is not None
    s = values.std(ddof=1)
    assert expected_half_width(s, 15 + found.cases)[0] <= 2
    assert expected_half_width(s, 14 + found.cases)[0] > 2


@pytest.mark.parametrize("scale", [{}, {"lower": 1.0, "upper": 5.0}])
def test_no_further_cases_where_the_interval_is_narrow_enough(scale: dict[str, float]) -> None:
    values = np.random.default_rng(3).integers(1, 6, 20).astype(float)
    width = half_width(values, **scale)
    assert further_cases(values, width * 1.0001, **scale).cases == 0
    more = further_cases(values, width * 0.98, **scale).cases
    assert more is not None
    assert 1 <= more <= 3


def test_further_cases_fit_the_interval_of_repeated_cases() -> None:
    values = [5.0, 4, 5, 5, 3, 5, 5, 5]
    found = further_cases(values, 0.35, lower=1, upper=5)
    assert found.cases is not None
    repeats = (8 + found.cases) / 8
    below, above = np.floor(repeats), np.ceil(repeats)
    # Repeating the cases keeps mean and spread but for the divisor n - 1.
    assert half_width(values * int(above + 1), lower=1, upper=5) < 0.35
    assert half_width(values * int(below - 1), lower=1, upper=5) > 0.35


def test_cases_that_hang_together_need_more_of_them() -> None:
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(8), 5)
    values = rng.normal(3, 0.6, 8)[clusters] + rng.normal(0, 0.2, 40)
    alone, together = further_cases(values, 0.15), further_cases(values, 0.15, clusters=clusters)
    assert alone.cases is not None
    assert together.cases is not None
    assert together.cases > 2 * alone.cases
    assert further_cases(values, 5.0, clusters=clusters).cases == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"values": []}, "weniger als zwei"),
        ({"values": [3.0]}, "weniger als zwei"),
        ({"values": [3.0, 4.0], "clusters": [1, 1]}, "einer Gruppe"),
        ({"values": [3.0, 3.0]}, "nicht belastbar"),
        ({"values": [1.0, 5.0], "half_width": 1e-4}, "Mehr als 100.000"),
    ],
)
def test_undetermined_further_cases_say_why(arguments: dict[str, Any], word: str) -> None:
    found = further_cases(**{"half_width": 0.5, **arguments})
    assert found.cases is None
    assert found.reason is not None
    assert word in found.reason


def test_equal_values_on_a_scale_still_have_an_answer() -> None:
    assert further_cases([5.0] * 6, 0.5, lower=1, upper=5).cases > 0  # type: ignore[operator]
    with pytest.raises(InvalidData, match="größer als 0"):
        further_cases([1.0, 2.0], 0.0)
    with pytest.raises(InvalidData, match="außerhalb der Skala"):
        further_cases([1.0, 6.0], 0.5, lower=1, upper=5)
