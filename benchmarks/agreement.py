"""Speed of the agreement figures beside the `krippendorff` package, as ratios in one run.

`make bench` calls `main`; alone: python benchmarks/agreement.py
"""

import time
from collections.abc import Callable

import numpy as np

UNITS, RATERS, RESAMPLES = 10_000, 5, 1_000
LOOPED = 10
"""Resamples that the library computes; its time per resample is constant."""
CRITERIA, RATINGS = 5, 360_000


def main() -> None:
    import krippendorff

    from reallabor.statistics import alpha_interval, reliability

    table = random_table(np.random.default_rng(1))
    rater, unit = np.indices(table.shape).reshape(2, -1)
    data = reliability(unit, rater, table.reshape(-1))

    def ours() -> None:
        alpha_interval(data, np.random.default_rng(2), resamples=RESAMPLES)

    def library() -> None:
        draws = np.random.default_rng(2)
        for _ in range(LOOPED):
            resample = table[:, draws.integers(UNITS, size=UNITS)]
            krippendorff.alpha(reliability_data=resample, level_of_measurement="ordinal")

    fast = best(ours)
    slow = best(library, times=1) * RESAMPLES / LOOPED
    line(
        "Alpha, 1.000 Ziehungen, 10.000 x 5",
        f"{1000 * fast:.0f} ms",
        f"krippendorff in Schleife {slow:.1f} s, Verhältnis {slow / fast:.0f}",
    )
    columns = many_ratings(np.random.default_rng(3))
    for title, clustered in (("unabhängige Fälle", False), ("Fälle in Gruppen", True)):
        took = best(lambda clustered=clustered: all_criteria(columns, clustered))
        once = seconds(lambda: library_criteria(columns))
        line(
            f"360.000 Bewertungen, {title}",
            f"{1000 * took:.0f} ms",
            f"krippendorff ohne Intervall {once:.1f} s, Verhältnis {once / took:.1f}",
        )
    took = seconds(lambda: agreement_page(columns, RATINGS // CRITERIA // 18 * 5))
    line("alle Kennzahlen von 100.000 Bewertungen", f"{1000 * took:.0f} ms")


def random_table(rng: np.random.Generator) -> np.ndarray:
    """Raters x units of levels 1-5, complete."""
    truth = rng.normal(3, 1, UNITS)
    return np.clip(np.round(truth + rng.normal(0, 0.7, (RATERS, UNITS))), 1, 5)


def many_ratings(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """RATINGS ratings in long form: 36,000 outputs of 9,000 cases by four variants, each rated by
    two of twelve people on five criteria; ten cases hang together."""
    outputs = RATINGS // CRITERIA // 2
    quality = rng.normal(3.5, 0.8, outputs)
    first = rng.integers(12, size=outputs)
    people = np.stack([first, (first + rng.integers(1, 12, size=outputs)) % 12])
    noise = rng.normal(0, 0.6, (CRITERIA, 2, outputs))
    level = np.clip(np.round(quality + noise), 1, 5)
    criterion, _, unit = np.indices(level.shape)
    return {
        "criterion": criterion.reshape(-1),
        "unit": unit.reshape(-1),
        "rater": np.broadcast_to(people, level.shape).reshape(-1),
        "level": level.reshape(-1),
        "variant": (unit % 4).reshape(-1),
        "cluster": (unit // 40).reshape(-1),
    }


def all_criteria(columns: dict[str, np.ndarray], clustered: bool) -> None:
    """Alpha with its interval, AC2, raw agreement and the means per variant with intervals."""
    from reallabor.statistics import (
        alpha_interval,
        gwet_ac2,
        intervals_from_clusters,
        intervals_from_sums,
        ordinal_alpha,
        raw_agreement,
        reliability,
    )

    for criterion in range(CRITERIA):
        rows = columns["criterion"] == criterion
        part = {name: column[rows] for name, column in columns.items()}
        cluster = part["cluster"] if clustered else None
        data = reliability(part["unit"], part["rater"], part["level"], cluster)
        ordinal_alpha(data)
        alpha_interval(data, np.random.default_rng(4))
        gwet_ac2(data, range(1, 6))
        raw_agreement(data)
        means = np.bincount(part["unit"], part["level"]) / np.bincount(part["unit"])
        unit = np.arange(means.size)
        variant = unit % 4
        if clustered:
            group = unit // 40 * 4 + variant
            number, total = np.bincount(group), np.bincount(group, means)
            kept = number > 0
            of = np.arange(group.max() + 1)[kept] % 4
            intervals_from_clusters(of, number[kept], total[kept], groups=4, lower=1, upper=5)
        else:
            number, total = np.bincount(variant), np.bincount(variant, means)
            intervals_from_sums(number, total, np.bincount(variant, means**2), lower=1, upper=5)


def library_criteria(columns: dict[str, np.ndarray]) -> None:
    """The coefficient alone, from counts per output as the library wants them."""
    import krippendorff

    for criterion in range(CRITERIA):
        rows = columns["criterion"] == criterion
        unit, level = columns["unit"][rows], columns["level"][rows].astype(int)
        counts = np.bincount(unit * 5 + level - 1, minlength=5 * (unit.max() + 1)).reshape(-1, 5)
        krippendorff.alpha(value_counts=counts, level_of_measurement="ordinal")


def agreement_page(columns: dict[str, np.ndarray], per_criterion: int) -> None:
    """Everything that a page on agreement shows of 5 x per_criterion ratings."""
    from reallabor.statistics import (
        alpha_interval,
        gwet_ac2,
        interval_alpha,
        level_pairs,
        nominal_alpha,
        ordinal_alpha,
        ratio_alpha,
        raw_agreement,
        reliability,
        unit_disagreement,
        variance_components,
    )

    for criterion in range(CRITERIA):
        rows = np.flatnonzero(columns["criterion"] == criterion)[:per_criterion]
        rows = np.concatenate([rows[: per_criterion // 2], rows[: per_criterion // 2] + 36_000])
        part = {name: column[rows] for name, column in columns.items()}
        data = reliability(part["unit"], part["rater"], part["level"], part["cluster"])
        for alpha in (nominal_alpha, ordinal_alpha, interval_alpha, ratio_alpha):
            alpha(data)
        alpha_interval(data, np.random.default_rng(4))
        gwet_ac2(data, range(1, 6))
        raw_agreement(data)
        level_pairs(data, range(1, 6))
        unit_disagreement(data)
        variance_components(
            part["unit"], part["rater"], part["level"],
            lower=1, upper=5, clusters=part["cluster"],
        )  # fmt: skip


def best(action: Callable[[], object], *, times: int = 5) -> float:
    return min(seconds(action) for _ in range(times))


def seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def line(what: str, figure: str, beside: str = "") -> None:
    print(f"  {what:<40}{figure:>10}   {beside}")


if __name__ == "__main__":
    main()
