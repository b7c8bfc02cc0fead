"""Intraclass correlations against Shrout & Fleiss (1979) and pingouin."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reallabor.statistics import InvalidData, intraclass_correlations

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pingouin

FORMS = ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]


@pytest.mark.parametrize("form", FORMS)
def test_icc_equals_published_example(worked_examples: dict[str, Any], form: str) -> None:
    example = worked_examples["shrout_fleiss_1979"]
    found = intraclass_correlations(example["ratings_by_target"])[form]
    assert found.value == pytest.approx(example["icc"][form]["value"], abs=5e-5)
    ends = (found.interval.low, found.interval.high)
    assert ends == pytest.approx(example["icc"][form]["interval"], abs=5e-4)
    assert found.units == 6


@pytest.mark.parametrize("seed", range(8))
def test_icc_equals_second_library(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(60, 9, (25, 1)) + rng.normal(0, 4, 4) + rng.normal(0, 7, (25, 4))
    table[rng.random(table.shape) < 0.05] = np.nan
    units, raters = np.indices(table.shape)
    long = pd.DataFrame({"u": units.ravel(), "r": raters.ravel(), "y": table.ravel()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pingouin.intraclass_corr(long, "u", "r", "y", nan_policy="omit")
    found = intraclass_correlations(table)
    interval = next(column for column in expected.columns if column.startswith("CI95"))
    assert len(expected) == 6
    for (_, row), form in zip(expected.iterrows(), FORMS, strict=True):
        assert found[form].value == pytest.approx(row["ICC"], abs=1e-9)
        # The library rounds its intervals.
        ends = (found[form].interval.low, found[form].interval.high)
        assert ends == pytest.approx(tuple(row[interval]), abs=5.1e-3)
        assert found[form].units == (~np.isnan(table)).all(axis=1).sum() < 25


def test_average_of_raters_is_spearman_brown() -> None:
    table = np.random.default_rng(3).normal(0, 1, (12, 1)) + np.random.default_rng(4).normal(
        0, 0.5, (12, 3)
    )
    found = intraclass_correlations(table)
    for form in "123":
        single = found[f"ICC({form},1)"].value
        assert single is not None
        stepped = 3 * single / (1 + 2 * single)
        assert found[f"ICC({form},k)"].value == pytest.approx(stepped)


def test_severity_counts_for_agreement_only() -> None:
    table = np.array([[1.0, 2], [2, 3], [4, 5], [3, 4]])
    found = intraclass_correlations(table)
    assert found["ICC(3,1)"].value == pytest.approx(1)
    assert found["ICC(3,1)"].interval.reason is not None
    assert found["ICC(2,1)"].value == pytest.approx(10 / 13)


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ([[1.0], [2.0]], "zwei Personen"),
        ([[1.0, 2.0]], "Krippendorffs Alpha"),
        ([[1.0, np.nan], [np.nan, 2.0], [3.0, np.nan]], "Krippendorffs Alpha"),
        ([[3.0, 3.0], [3.0, 3.0]], "dasselbe Mittel"),
    ],
)
def test_undetermined_icc_says_why(table: list[list[float]], word: str) -> None:
    for found in intraclass_correlations(table).values():
        assert found.value is None
        assert found.interval.low is None
        assert found.reason is not None
        assert word in found.reason


def test_error_beyond_all_differences_leaves_the_mean_undetermined() -> None:
    found = intraclass_correlations([[1.0, 5.0, 2.9], [5.0, 1.0, 3.0]])
    assert found["ICC(2,k)"].value is None
    assert found["ICC(2,k)"].reason is not None
    assert all(each.value is None or each.value <= 1 for each in found.values())


def test_icc_of_no_table_is_refused() -> None:
    with pytest.raises(InvalidData, match="Ausgaben x Personen"):
        intraclass_correlations([1.0, 2.0])
    with pytest.raises(InvalidData, match="endlicher Zahlen"):
        intraclass_correlations([[1.0, np.inf], [1.0, 2.0]])
