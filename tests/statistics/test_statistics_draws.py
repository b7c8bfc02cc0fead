"""Draws of measured figures: their quantiles are the interval they were given."""

import numpy as np
import pytest
from scipy import stats

from reallabor.statistics import InvalidData, draw_figure, draw_missing, mean_interval

DRAWS = 10_000


def draw(value: float, low: float, high: float, seed: int = 1) -> np.ndarray:
    return draw_figure(value, low, high, DRAWS, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0.5, 0.4, 0.6), (0.9, 0.7, 0.96), (0.02, 0.0, 0.3), (0.6, 0.6, 0.8)]
)
def test_quantiles_are_the_interval(value: float, low: float, high: float) -> None:
    found = draw(value, low, high)
    assert found.min() >= 0
    assert found.max() <= 1
    assert np.quantile(found, [0.025, 0.5, 0.975]) == pytest.approx([low, value, high], abs=1e-3)


def test_symmetric_interval_gives_normal_draws() -> None:
    found = draw(0.5, 0.5 - 0.196, 0.5 + 0.196)
    assert stats.kstest(found, stats.norm(0.5, 0.1).cdf).statistic < 1e-3
    assert found.mean() == pytest.approx(0.5, abs=1e-12)


def test_mean_leans_to_the_longer_arm() -> None:
    """Half of a half-normal on either side: sqrt(2 / pi) / 2 / 1.96 = 0.2035 of each arm."""
    assert draw(0.8, 0.5, 0.9).mean() == pytest.approx(0.8 + 0.2035 * (0.1 - 0.3), abs=1e-3)


@pytest.mark.parametrize("levels", [[5] * 8, [1] * 4 + [2], [1, 2, 3, 3, 4, 5, 5], [4] * 30 + [1]])
def test_intervals_of_the_platform_can_be_drawn(levels: list[int]) -> None:
    """Also where all answers stand at one end of the scale."""
    interval = mean_interval(levels, lower=1, upper=5)
    value, low, high = ((each - 1) / 4 for each in (np.mean(levels), interval.low, interval.high))
    found = draw(value, low, high)
    assert ((found >= 0) & (found <= 1)).all()
    assert np.ptp(found) > 0
    assert np.quantile(found, [0.025, 0.975]) == pytest.approx([low, high], abs=1e-3)


def test_figures_beyond_the_scale_stand_on_its_end() -> None:
    assert (draw(1.4, 1.2, 1.6) == 1).mean() > 0.999
    found = draw(-0.1, -0.3, 0.1)
    assert (found == 0).mean() == pytest.approx(stats.norm.cdf(1.96 / 2), abs=1e-3)
    assert np.quantile(found, 0.975) == pytest.approx(0.1, abs=1e-3)


def test_exact_and_missing_figures() -> None:
    assert (draw(0.25, 0.25, 0.25) == 0.25).all()
    assert (draw(1.7, 1.7, 1.7) == 1).all()
    missing = draw_missing(DRAWS, np.random.default_rng(1))
    assert stats.kstest(missing, stats.uniform.cdf).statistic < 1e-3
    assert missing.mean() == pytest.approx(0.5, abs=1e-12)


def test_seed_orders_but_never_changes_the_draws() -> None:
    one, again, other = draw(0.5, 0.4, 0.6), draw(0.5, 0.4, 0.6), draw(0.5, 0.4, 0.6, seed=2)
    assert (one == again).all()
    assert (one != other).any()
    assert np.sort(one).tolist() == np.sort(other).tolist()
    rng = np.random.default_rng(1)
    first, second = draw_missing(DRAWS, rng), draw_missing(DRAWS, rng)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.04


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0.3, 0.4, 0.6), (0.5, 0.6, 0.4), (0.5, 0.4, np.nan)]
)
def test_value_outside_its_interval_is_refused(value: float, low: float, high: float) -> None:
    with pytest.raises(InvalidData, match="nicht in seinem Intervall"):
        draw(value, low, high)
