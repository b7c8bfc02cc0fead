"""Speed of the ranking under uncertain values and weights beside plain scipy, in one run.

`make bench` calls `main`; alone: python benchmarks/ranking.py
"""

import tracemalloc
from pathlib import Path

import numpy as np
from agreement import best, line

DRAWS, ALTERNATIVES, CRITERIA = 10_000, 100, 8
SCENARIOS = 100


def main() -> None:
    smaa()
    scenarios()


def smaa() -> None:
    """100 alternatives x 8 criteria x 10,000 draws: ranks, central weights and pairs."""
    from reallabor.statistics import rank_acceptability

    rng = np.random.default_rng(1)
    values = rng.random((DRAWS, ALTERNATIVES, CRITERIA))
    weights = rng.dirichlet(np.ones(CRITERIA), DRAWS)
    ours = best(lambda: rank_acceptability(values, weights))
    plain = best(lambda: by_scipy(values, weights), times=1)
    tracemalloc.start()
    rank_acceptability(values, weights)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    line(
        "SMAA-2, 100 x 8 x 10.000",
        f"{1000 * ours:.0f} ms",
        f"scipy.rankdata und Paare {1000 * plain:.0f} ms, Verhältnis {plain / ours:.0f}; "
        f"Speicher {peak:.0f} MB",
    )


def by_scipy(values: np.ndarray, weights: np.ndarray) -> None:
    """The same figures from `scipy.stats.rankdata` and one comparison per pair."""
    from scipy import stats

    total = np.einsum("dac,dc->da", values, weights)
    ranks = stats.rankdata(-total, axis=1)
    for rank in range(1, ALTERNATIVES + 1):
        (ranks == rank).mean(axis=0)
    for alternative in range(ALTERNATIVES):
        weights[ranks[:, alternative] == 1].mean(axis=0)
        (total[:, [alternative]] > total).mean(axis=0)


def scenarios() -> None:
    """100 scenarios by the six criteria: once when figures change, and at every move of a
    slider."""
    from reallabor.comparison_scales import load_comparison_scales
    from reallabor.deciding.ranking import Measured, draw, estimated, rank_drawn

    scales = load_comparison_scales(Path(__file__).parent.parent / "evaluations")
    rng = np.random.default_rng(2)

    def some(key: str) -> Measured:
        scale = scales.criterion(key)
        if scale.levels:
            return estimated(scale, int(rng.integers(1, 6)))
        length = scale.best - scale.worst
        value = scale.worst + length * rng.uniform(0.2, 0.9)
        return Measured(value, value - 0.1 * length, value + 0.08 * length, 40)

    figures = {
        f"szenario-{number}": {scale.key: some(scale.key) for scale in scales.criteria}
        for number in range(SCENARIOS)
    }
    drawn = draw(figures, scales, seed=1)
    first = best(lambda: draw(figures, scales, seed=1))
    moved = best(lambda: rank_drawn(drawn, scales.weights))
    line("100 Szenarien ziehen (neue Zahlen)", f"{1000 * first:.0f} ms", "mit SMAA-2")
    line(
        "100 Szenarien reihen (neue Gewichte)",
        f"{1000 * moved:.0f} ms",
        f"erlaubt 150 ms, Verhältnis {150 / (1000 * moved):.1f}",
    )


if __name__ == "__main__":
    main()
