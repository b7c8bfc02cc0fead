"""Uniform weightings: known moments and exact volumes of parts of the simplex."""

import itertools
from math import comb

import numpy as np
import pytest
from scipy import stats

from reallabor.statistics import InvalidData, draw_weightings

DRAWS = 20_000


def draw(lower: list[float] | None = None, upper: list[float] | None = None) -> np.ndarray:
    criteria = len(lower or upper or [0] * 6)
    return draw_weightings(criteria, DRAWS, np.random.default_rng(3), lower=lower, upper=upper)


def test_free_weights_are_uniform_on_simplex() -> None:
    found = draw()
    assert found.shape == (DRAWS, 6)
    assert found.min() >= 0
    assert found.sum(axis=1) == pytest.approx(np.ones(DRAWS))
    for weight in found.T:  # each is Beta(1, 5); any order of two is equally likely
        assert stats.kstest(weight, stats.beta(1, 5).cdf).pvalue > 0.001
    for i, j in itertools.combinations(range(6), 2):
        assert (found[:, i] > found[:, j]).mean() == pytest.approx(0.5, abs=0.015)
    largest = found.max(axis=1)
    exact = sum((-1) ** j * comb(6, j) * (1 - j / 3) ** 5 for j in range(3))
    assert (largest <= 1 / 3).mean() == pytest.approx(exact, abs=0.012)  # de Finetti


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        ([0.15, 0.1, 0.05, 0.05, 0.05, 0.05], [0.5, 0.4, 0.3, 0.3, 0.25, 0.25]),
        ([0.1] * 4, [1.0] * 4),
        ([0.0] * 6, [0.2] * 6),
        ([0.0] * 4, [1.0, 1.0, 0.05, 0.05]),
        ([0.0, 0.0, 0.0, 0.3], [1.0, 0.3, 0.01, 0.3]),
    ],
)
def test_bounded_weights_are_the_free_ones_within(lower: list[float], upper: list[float]) -> None:
    """Against plain rejection of weights of a box, the last of which takes the rest."""
    found = draw(lower, upper)
    assert found.shape == (DRAWS, len(lower))
    assert found.sum(axis=1) == pytest.approx(np.ones(DRAWS))
    assert (found >= np.array(lower) - 1e-12).all()
    assert (found <= np.array(upper) + 1e-12).all()
    rng = np.random.default_rng(4)
    boxed = rng.uniform(lower[1:], upper[1:], (2_000_000, len(lower) - 1))
    first = 1 - boxed.sum(axis=1)
    kept = (first >= lower[0]) & (first <= upper[0])
    plain = np.column_stack([first, boxed])[kept][:DRAWS]
    assert len(plain) > 400
    for ours, theirs in zip(found.T, plain.T, strict=True):
        if np.ptp(theirs) > 0:
            assert stats.ks_2samp(ours, theirs).pvalue > 0.001
    assert found.max(axis=1).mean() == pytest.approx(plain.max(axis=1).mean(), abs=0.006)


def test_narrow_bounds_are_drawn_nevertheless() -> None:
    """Of a million free weightings not one would lie within."""
    wide, narrow = [0.0, 1.0], [0.1, 0.101]
    found = draw([wide[0]] * 3 + [narrow[0]] * 3, [wide[1]] * 3 + [narrow[1]] * 3)
    assert len(np.unique(found[:, 0])) == DRAWS
    assert ((found[:, 3:] >= 0.1) & (found[:, 3:] <= 0.101)).all()


def test_bounds_may_leave_one_weighting() -> None:
    assert draw([0.5, 0.3, 0.2], [1.0, 1.0, 1.0])[0].tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert draw([0.0, 0.0], [0.4, 0.6])[-1].tolist() == pytest.approx([0.4, 0.6])
    assert (draw_weightings(1, 3, np.random.default_rng(1)) == 1).all()


def test_same_seed_draws_the_same() -> None:
    assert (draw([0.1] * 6, [0.5] * 6) == draw([0.1] * 6, [0.5] * 6)).all()


@pytest.mark.parametrize(
    ("lower", "upper", "sentence"),
    [
        ([0.6, 0.6], [1.0, 1.0], "mehr als 1"),
        ([0.0, 0.0], [0.4, 0.4], "weniger als 1"),
        ([0.5, 0.0], [0.4, 1.0], "untere über der oberen"),
        ([-0.1, 0.0], [1.0, 1.0], "zwischen 0 und 1"),
        ([np.nan, 0.0], [1.0, 1.0], "zwischen 0 und 1"),
    ],
)
def test_empty_bounds_are_refused(lower: list[float], upper: list[float], sentence: str) -> None:
    with pytest.raises(InvalidData, match=sentence):
        draw(lower, upper)
    with pytest.raises(InvalidData, match="andere Länge"):
        draw_weightings(3, 1, np.random.default_rng(1), lower=lower)
    with pytest.raises(InvalidData, match="kein Kriterium"):
        draw_weightings(0, 1, np.random.default_rng(1))
