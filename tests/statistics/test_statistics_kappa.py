"""Weighted kappa against the SAS example and statsmodels."""

from typing import Any

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from reallabor.statistics import InvalidData, weighted_kappa, weighted_kappa_of_counts

WEIGHTINGS = ["identity", "linear", "quadratic"]
OF_STATSMODELS = {"identity": None, "linear": "linear", "quadratic": "quadratic"}


def two_raters(seed: int, n: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, n)
    return np.clip(truth + rng.integers(-1, 2, (2, n)), 1, 5).astype(float)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_kappa_equals_published_example(worked_examples: dict[str, Any], weighting: Any) -> None:
    example = worked_examples["weighted_kappa_skin"]
    found = weighted_kappa_of_counts(example["table"], weighting=weighting)
    assert found.value == pytest.approx(example["kappa"][weighting], abs=5e-5)
    assert found.units == 88


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("seed", range(10))
def test_kappa_and_error_equal_second_library(weighting: Any, seed: int) -> None:
    first, second = two_raters(seed)
    first[:5], second[3:9] = np.nan, np.nan
    counts = np.zeros((5, 5))
    for one, other in zip(first, second, strict=True):
        if not np.isnan(one + other):
            counts[int(one) - 1, int(other) - 1] += 1
    expected = cohens_kappa(counts, wt=OF_STATSMODELS[weighting])
    found = weighted_kappa(first, second, range(1, 6), weighting=weighting)
    assert found.value == pytest.approx(expected.kappa, abs=1e-12)
    assert found.standard_error == pytest.approx(expected.std_kappa, abs=1e-12)
    assert found.units == counts.sum() == 51


def test_ordinal_weights_need_order_only() -> None:
    counts = np.random.default_rng(1).integers(0, 9, (4, 4))
    even = weighted_kappa_of_counts(counts, weighting="ordinal")
    assert even == weighted_kappa_of_counts(counts, [1, 2, 7, 40], weighting="ordinal")
    linear = weighted_kappa_of_counts(counts, [1, 2, 7, 40], weighting="linear")
    assert linear.value != pytest.approx(weighted_kappa_of_counts(counts, weighting="linear").value)


def test_perfect_and_single_level_agreement() -> None:
    perfect = weighted_kappa([1, 2, 3], [1, 2, 3], [1, 2, 3])
    assert perfect.value == pytest.approx(1)
    one = weighted_kappa([4, 4, 4], [4, 4, 4], range(1, 6))
    assert one.value is None
    assert one.reason is not None
    assert "nicht bestimmbar" in one.reason
    none = weighted_kappa([1, np.nan], [np.nan, 2], [1, 2])
    assert none.reason == "Keine Ausgabe haben beide bewertet."


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weighted_kappa([1, 2], [1], [1, 2]), "je Ausgabe ein Eintrag"),
        (lambda: weighted_kappa([1, 6], [1, 2], [1, 2]), "Stufe 6 gibt es in der Skala nicht"),
        (lambda: weighted_kappa_of_counts([[1, 2]]), "nicht quadratisch"),
        (lambda: weighted_kappa_of_counts([[1, -2], [0, 1]]), "nicht quadratisch"),
        (lambda: weighted_kappa_of_counts([[1, 2], [0, 1]], [1, 2, 3]), "verschieden viele Stufen"),
    ],
)
def test_invalid_pairs_are_refused(call: Any, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        call()
