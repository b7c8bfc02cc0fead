"""How often the intervals of means hold the true mean: writes docs/abdeckung.md.

python benchmarks/coverage.py; the seed is fixed, so the same code writes the same page. Fails where
an interval that the platform shows covers below 93 % or has width 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from reallabor.statistics import (
    Reliability,
    mean_interval,
    ordinal_alpha,
    reliability,
    variance_components,
)
from reallabor.statistics.bootstrap import resampled_alphas
from reallabor.statistics.intervals import bounded_ends, t_ends
from reallabor.statistics.moments import moments_from_clusters, moments_from_sums

Floats = NDArray[np.float64]
Random = np.random.Generator

PAGE = Path(__file__).parents[1] / "docs" / "abdeckung.md"
SEED = 20_261_122
RUNS = 20_000
BOOTSTRAP_RUNS, DRAWS = 1_000, 1_000
CLUSTER_RUNS = 5_000
RATER_RUNS = 1_000
ALPHA_RUNS, ALPHA_DRAWS, POPULATION = 400, 400, 200_000
CASES = (6, 10, 20, 30, 60, 100)
LEAST = 0.93
ERROR = 0.7
"""Standard deviation of ratings of one case by equally severe raters."""
CEILING = 5.2
NOISE = 3
"""Standard errors of the simulation by which a cover may lie below LEAST."""
LEVELS = np.arange(1, 6)

DISTRIBUTIONS = {
    "symmetrisch": (0.10, 0.20, 0.40, 0.20, 0.10),
    "gleichverteilt": (0.20, 0.20, 0.20, 0.20, 0.20),
    "zweigipflig (je zur Hälfte 1 und 5)": (0.50, 0, 0, 0, 0.50),
    "schief": (0.05, 0.10, 0.15, 0.30, 0.40),
    "sehr schief": (0.02, 0.03, 0.05, 0.20, 0.70),
    "an der Decke (80 % Fünfen)": (0.02, 0.03, 0.05, 0.10, 0.80),
    "an der Decke (95 % Fünfen)": (0.005, 0.0075, 0.0125, 0.025, 0.95),
    "fast nur Fünfen (2 % Vieren)": (0, 0, 0, 0.02, 0.98),
    "selten ganz schlecht (5 % Einsen, sonst Fünfen)": (0.05, 0, 0, 0, 0.95),
    "selten ganz schlecht (1 % Einsen, sonst Fünfen)": (0.01, 0, 0, 0, 0.99),
    "Vieren mit 2 % Einsen": (0.02, 0, 0, 0.90, 0.08),
    "Dreien mit 5 % Einsen": (0.05, 0, 0.95, 0, 0),
}
CLUSTERED = ("symmetrisch", "schief", "an der Decke (95 % Fünfen)",
             "selten ganz schlecht (5 % Einsen, sonst Fünfen)")  # fmt: skip
CLUSTERINGS = {
    "je 5 Fälle, innen gleich": (False, 1.0),
    "1 bis 9 Fälle, innen gleich": (True, 1.0),
    "1 bis 9 Fälle, innen zu 70 % gleich": (True, 0.7),
}
PANELS = ((2, 2), (3, 3), (3, 2), (4, 4), (8, 2), (12, 2))
"""Raters, and how many of them rate each case."""
SEVERITIES = (0.0, 0.3, 1.0)
"""Standard deviation of raters' severity, in standard deviations of cases."""


@dataclass(frozen=True)
class Cover:
    """One method on one distribution and number of cases."""

    cover: float
    width: float
    zero: float
    """Share of intervals of width 0."""
    runs: int
    """Simulated samples behind `cover`."""

    @property
    def holds(self) -> bool:
        return self.cover >= LEAST - NOISE * np.sqrt(LEAST * (1 - LEAST) / self.runs)

    def __str__(self) -> str:
        zero = f"; {100 * self.zero:.0f} % leer" if self.zero >= 0.005 else ""
        text = f"{german(100 * self.cover, 1)} ({german(self.width, 2)}{zero})"
        return text if self.holds else f"**{text}**"


def measured(low: Floats, high: Floats, mean: float) -> Cover:
    inside = (low <= mean + 1e-9) & (high >= mean - 1e-9)
    width = high - low
    return Cover(float(inside.mean()), float(width.mean()), float((width < 1e-12).mean()), low.size)


def independent(shares: tuple[float, ...], n: int, rng: Random) -> dict[str, Cover]:
    counts = rng.multinomial(n, shares, size=RUNS)
    mean = float(np.dot(shares, LEVELS))
    moments = moments_from_sums(np.full(RUNS, n), counts @ LEVELS, counts @ LEVELS**2)
    drawn = np.concatenate(
        [
            np.quantile(rng.multinomial(n, row / n, size=DRAWS) @ LEVELS / n, [0.025, 0.975])
            for row in counts[:BOOTSTRAP_RUNS]
        ]
    ).reshape(-1, 2)
    return {
        "Reallabor": measured(*bounded_ends(moments, 1, 5), mean),
        "t": measured(*t_ends(moments), mean),
        "Bootstrap": measured(drawn[:, 0], drawn[:, 1], mean),
    }


def clustered(
    shares: tuple[float, ...],
    n: int,
    rng: Random,
    *,
    unequal: bool,
    alike: float,
) -> dict[str, Cover]:
    """n clusters; each case has its cluster's level with probability `alike`, else its own."""
    shape = (CLUSTER_RUNS, n)
    size = rng.integers(1, 10, shape) if unequal else np.full(shape, 5)
    shared = rng.choice(LEVELS, p=shares, size=shape)
    same = rng.binomial(size, alike)
    own = rng.multinomial(size - same, shares)
    total = same * shared + own @ LEVELS
    squares = same * shared**2 + own @ LEVELS**2
    group = np.repeat(np.arange(CLUSTER_RUNS), n)
    moments = moments_from_clusters(group, size.reshape(-1), total.reshape(-1), groups=CLUSTER_RUNS)
    mean = float(np.dot(shares, LEVELS))
    cases, sums, squares = size.sum(axis=1), total.sum(axis=1), squares.sum(axis=1)
    blind = moments_from_sums(cases, sums, squares)
    return {
        "Reallabor": measured(*bounded_ends(moments, 1, 5), mean),
        "t über Gruppen": measured(*t_ends(moments), mean),
        "t ohne Gruppen": measured(*t_ends(blind), mean),
    }


def other_raters(
    panel: tuple[int, int], n: int, severity: float, centre: float | None, rng: Random
) -> dict[str, Cover] | None:
    """Normal cases, severities and errors; with a centre, rounded to levels 1-5 around it. None
    where the platform gives no interval in more than a tenth of the samples."""
    raters, per_case = panel
    case, rater = np.indices((n, raters)).reshape(2, -1)
    scale = {} if centre is None else {"lower": 1.0, "upper": 5.0}
    ends, usual = [], []
    for _ in range(RATER_RUNS):
        kept = rng.random((n, raters)).argsort(axis=1).argsort(axis=1).reshape(-1) < per_case
        of_case, of_rater = case[kept], rater[kept]
        value = rng.normal(size=n)[of_case] + rng.normal(0, severity, raters)[of_rater]
        value += rng.normal(0, ERROR, value.size)
        if centre is not None:
            value = np.clip(np.round(centre + value), 1, 5)
        interval = variance_components(of_case, of_rater, value, **scale).interval
        if interval.low is not None and interval.high is not None:
            ends.append((interval.low, interval.high))
        same = mean_interval(np.bincount(of_case, value) / per_case, **scale)
        usual.append((same.low, same.high))
    if len(ends) < 0.9 * RATER_RUNS:
        return None
    mean = 0.0 if centre is None else rounded_mean(centre, np.sqrt(1 + severity**2 + ERROR**2))
    return {
        "auch für andere Bewertende": measured(*np.array(ends).T, mean),
        "nur diese Bewertenden": measured(*np.array(usual, dtype=float).T, mean),
    }


def alpha_cover(raters: int, centre: float, n: int, true: float, rng: Random) -> Cover:
    """The bootstrap of ordinal alpha without the platform's lower limit of cases."""
    ends = []
    for _ in range(ALPHA_RUNS):
        draws = resampled_alphas(level_table(n, raters, centre, rng).pairable(), rng, ALPHA_DRAWS)
        valid = draws[np.isfinite(draws)]
        if valid.size >= ALPHA_DRAWS / 2:
            ends.append(np.quantile(valid, [0.025, 0.975]))
    return measured(*np.array(ends).T, true)


def level_table(n: int, raters: int, centre: float, rng: Random) -> Reliability:
    """n outputs rated by all raters: levels 1-5 around a normal truth, errors 0.6."""
    value = rng.normal(centre, 1, (n, 1)) + rng.normal(0, 0.6, (n, raters))
    unit, rater = np.indices(value.shape).reshape(2, -1)
    return reliability(unit, rater, np.clip(np.round(value), 1, 5).reshape(-1))


def rounded_mean(centre: float, deviation: float) -> float:
    """Mean of a normal value rounded to levels 1-5: 1 plus the chances to reach 2, 3, 4 and 5."""
    return float(1 + stats.norm.sf((LEVELS[1:] - 0.5 - centre) / deviation).sum())


def main() -> None:
    rng = np.random.default_rng(SEED)
    below: list[str] = []
    page = "\n".join([*opening(), *parts(rng, below), *alpha_rows(rng), ""])
    PAGE.write_text(page, encoding="utf-8")
    print(f"{PAGE.name} geschrieben")
    if below:
        raise SystemExit("Unter 93 %: " + "; ".join(below))


def opening() -> list[str]:
    return [
        "# Abdeckung der Intervalle",
        "",
        "Ein 95-%-Intervall soll den wahren Mittelwert in 95 von 100 Erhebungen enthalten. Diese "
        "Seite misst, wie oft es das tut: Aus bekannten Verteilungen werden viele Erhebungen "
        "gezogen und je Erhebung das Intervall berechnet. Sie entsteht durch "
        "`python benchmarks/coverage.py` (fester Zufallsstart, kein Wert ist von Hand "
        "eingetragen). Die Verfahren erklärt [statistik.md](statistik.md).",
        "",
        "Je Zelle: Abdeckung in Prozent, in Klammern die mittlere Breite des Intervalls und der "
        "Anteil leerer Intervalle (Breite 0) ab 0,5 %. **Fett**: unter 93 % "
        "(über den Simulationsfehler hinaus). „Reallabor“ ist das Verfahren der Plattform.",
    ]


def parts(rng: Random, below: list[str]) -> Iterator[str]:
    yield from table_head(
        "Unabhängige Fälle, Stufen 1 bis 5",
        f"{thousands(RUNS)} Erhebungen je Zelle; Bootstrap: {thousands(BOOTSTRAP_RUNS)} "
        f"Erhebungen mit je {thousands(DRAWS)} Ziehungen (Perzentile).",
        "Verteilung | Verfahren",
        "n",
    )
    for name, shares in DISTRIBUTIONS.items():
        yield from rows(name, [independent(shares, n, rng) for n in CASES], "Reallabor", below)
    yield from table_head(
        "Fälle in Gruppen (gleiches Dokument, gleicher Vorgang)",
        f"{thousands(CLUSTER_RUNS)} Erhebungen je Zelle.",
        "Verteilung, Gruppen | Verfahren",
        "Gruppen",
    )
    for name in CLUSTERED:
        for kind, (unequal, alike) in CLUSTERINGS.items():
            found = [
                clustered(DISTRIBUTIONS[name], n, rng, unequal=unequal, alike=alike) for n in CASES
            ]
            yield from rows(f"{name}; {kind}", found, "Reallabor", below)
    yield from table_head(
        "Auch für andere Bewertende",
        "Fälle streuen um 1, einzelne Bewertungen eines Falls um 0,7; „Strenge“ ist die Streuung "
        f"zwischen den Bewertenden. {thousands(RATER_RUNS)} Erhebungen je Zelle. „–“: in mehr als "
        "einem Zehntel der Erhebungen sagt die Plattform „nicht belastbar“ oder „nicht "
        "bestimmbar“. "
        "„Nur diese Bewertenden“ ist das übliche Intervall; es spricht von anderen Fällen bei "
        "denselben Personen und kann daher nicht halten, was hier gefragt ist.",
        "Werte; Bewertende, davon je Fall; Strenge | Geltung",
        "n",
    )
    for title, centre, panels, severities in (
        ("stufenlos", None, PANELS, SEVERITIES),
        ("Stufen 1–5 an der Decke", CEILING, ((3, 3), (8, 2)), SEVERITIES[1:]),
    ):
        for panel in panels:
            for severity in severities:
                found = [other_raters(panel, n, severity, centre, rng) for n in CASES]
                name = f"{title}; {panel[0]}, je Fall {panel[1]}; {german(severity, 1)}"
                yield from rows(name, found, "auch für andere Bewertende", below)


def thousands(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def german(number: float, digits: int) -> str:
    return f"{number:.{digits}f}".replace(".", ",")


def alpha_rows(rng: Random) -> Iterator[str]:
    yield from table_head(
        "Ordinales Alpha",
        f"Perzentil-Bootstrap, {thousands(ALPHA_RUNS)} Erhebungen je Zelle mit je "
        f"{thousands(ALPHA_DRAWS)} Ziehungen; ohne Ziehungen, in denen alle gleich werten. Unter "
        "20 Fällen oder Gruppen zeigt die Plattform statt des Intervalls „nicht belastbar“. Ab 20 "
        "bleibt es etwas zu schmal.",
        "Stufen 1–5; Bewertende | Verfahren",
        "n",
    )
    for title, centre in (("Mitte der Skala", 3.0), ("oberes Ende", 4.2), ("Decke", CEILING)):
        for raters in (2, 4):
            true = ordinal_alpha(level_table(POPULATION, raters, centre, rng)).value or 0.0
            cells = [str(alpha_cover(raters, centre, n, true, rng)) for n in CASES]
            yield f"| {title}; {raters} | Bootstrap | {' | '.join(cells)} |"


def table_head(title: str, note: str, columns: str, number: str) -> list[str]:
    head = " | ".join(f"{number} = {n}" for n in CASES)
    return [
        "",
        f"## {title}",
        "",
        note,
        "",
        f"| {columns} | {head} |",
        "|---|---" + "|---" * 6 + "|",
    ]


def rows(
    name: str, found: list[dict[str, Cover] | None], own: str, below: list[str]
) -> Iterator[str]:
    methods = next((list(each) for each in found if each), [own])
    for method in methods:
        cells = [each[method] if each else None for each in found]
        text = " | ".join("–" if cell is None else str(cell) for cell in cells)
        yield f"| {name} | {method} | {text} |"
        if method == own:
            below += [
                f"{name}, n = {n}: {cell.cover:.3f}"
                for n, cell in zip(CASES, cells, strict=True)
                if cell is not None and (not cell.holds or cell.zero)
            ]


if __name__ == "__main__":
    main()
