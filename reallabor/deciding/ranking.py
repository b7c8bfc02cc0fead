"""The ranking of scenarios under chosen weights, and how much of it depends on weights or chance.

In: per scenario slug the figures of the criteria in `evaluations/vergleich.yaml`, as `Measured` in
the unit of the criterion, or None where there is none (`quality`: points; `benefit`: minutes a
year; `staff`, `clients`: level of the answers; `effort`, `transfer`: `estimated(...)`).
Out: `rank(figures, weights, scales, seed)` gives a `Ranking`. Whoever ranks the same figures again
and again (a page with sliders) keeps `drawn = draw(figures, scales, seed)` as long as the figures
stand and calls `rank_drawn(drawn, weights)`. `deciding/tipping_words.py` says in words what would
change the order. Nothing here reads a database; the same input gives the same ranking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reallabor.comparison_scales import ComparisonScale, ComparisonScales
from reallabor.errors import InvalidWeights, UnknownObject
from reallabor.statistics import (
    Acceptability,
    draw_figure,
    draw_missing,
    draw_weightings,
    rank_acceptability,
    rank_at,
    tipping_points,
)

DRAWS = 10_000
_NEAR = 1e-9
"""Weights (0 to 1) that differ by less are equal."""


@dataclass(frozen=True)
class Measured:
    """A figure in the unit of its criterion."""

    value: float
    low: float | None
    """Ends of the 95 % interval, low <= value <= high, both equal to value where it is exact; both
    None where none can be determined: then the value says nothing about other cases."""
    high: float | None
    n: int | None = None
    """Cases or answers behind it; None for estimates."""


Figures = Mapping[str, Mapping[str, Measured | None]]
"""Per scenario slug the figures by criterion key; a key that is not there is missing."""


def estimated(scale: ComparisonScale, level: int) -> Measured:
    """A level that the pilot team estimates, as accurate as the content file says."""
    low, high = sorted((scale.worst, scale.best))
    return Measured(
        value=level,
        low=max(low, level - scale.accurate_to),
        high=min(high, level + scale.accurate_to),
    )


@dataclass(frozen=True, eq=False)
class Drawn:
    """What figures may truly be, before anybody weighs them; about 50 MB for 100 scenarios."""

    slugs: list[str]
    criteria: list[str]
    values: np.ndarray
    """(DRAWS, scenarios, criteria) from 0 to 1."""
    acceptability: Acceptability | None
    """Over all plausible weightings; None without any scenario."""
    missing: dict[str, list[str]]
    undetermined: dict[str, list[str]]


@dataclass(frozen=True)
class RankedScenario:
    """One scenario of a ranking."""

    slug: str
    total: float
    """Expected weighted value from 0 to 1: the mean over all draws."""
    low: float
    """95 % of the draws lie between low and high."""
    high: float
    rank: int
    """At the chosen weights; equal totals share the better rank."""
    group: int
    """From 1; scenarios of one group cannot be told apart at the chosen weights."""
    rank_shares: list[float]
    """Share of all plausible weightings in which it takes the first, second, ... rank."""
    central_weights: dict[str, float] | None
    """The mean of the weightings that make it first, from 0 to 1 by criterion; None where none
    does."""
    missing: list[str]
    """Criteria without a figure: drawn over the whole scale."""
    undetermined: list[str]
    """Criteria whose figure has no interval: drawn over the whole scale likewise."""

    @property
    def first_share(self) -> float:
        """In what share of all plausible weightings it is first."""
        return self.rank_shares[0]

    @property
    def first_three_share(self) -> float:
        """In what share of all plausible weightings it is among the first three."""
        return sum(self.rank_shares[:3])


@dataclass(frozen=True)
class Tipping:
    """The nearest weight of one criterion at which somebody else comes to be first."""

    criterion: str
    direction: Literal["above", "below"]
    weight: float
    """From 0 to 1; the other weights keep their proportions. The present weight where both are
    equal now."""
    slugs: list[str]
    """Who is first beyond it; several where they are equal there."""


@dataclass(frozen=True)
class Ranking:
    """Scenarios under chosen weights."""

    weights: dict[str, float]
    """From 0 to 1, in sum 1, by criterion."""
    scenarios: list[RankedScenario]
    """By rank; equal ones by slug."""
    tipping: list[Tipping]
    """By criterion, at most one above and one below its present weight; none where the first
    stays first however that weight moves."""

    @property
    def groups(self) -> list[list[RankedScenario]]:
        """Scenarios that cannot be told apart, best group first."""
        numbers = sorted({each.group for each in self.scenarios})
        return [[each for each in self.scenarios if each.group == group] for group in numbers]


def rank(
    figures: Figures, weights: Mapping[str, float], scales: ComparisonScales, seed: int
) -> Ranking:
    """The ranking of these scenarios under these weights (any numbers from 0, by criterion).

    Raises InvalidWeights where a criterion has no weight or all are 0, and UnknownObject where a
    figure or weight belongs to no criterion.
    """
    return rank_drawn(draw(figures, scales, seed), weights)


def draw(figures: Figures, scales: ComparisonScales, seed: int) -> Drawn:
    """Draws of all figures, and the share of plausible weightings for each rank.

    Every scenario has random numbers of its own, from the seed and its slug: which others are
    selected changes neither its draws nor, as the scales are fixed, its total.
    """
    criteria = [scale.key for scale in scales.criteria]
    for slug, known in figures.items():
        _require_known(known, criteria, f"beim Szenario '{slug}'")
    slugs = sorted(figures)
    values = np.empty((len(slugs), len(criteria), DRAWS))
    for row, slug in enumerate(slugs):
        rng = np.random.default_rng([seed, *slug.encode()])
        for column, scale in enumerate(scales.criteria):
            values[row, column] = _draws(scale, figures[slug].get(scale.key), rng)
    values = np.ascontiguousarray(np.moveaxis(values, -1, 0))
    weightings = draw_weightings(
        len(criteria),
        DRAWS,
        np.random.default_rng(seed),
        lower=[scale.plausible.min / 100 for scale in scales.criteria],
        upper=[scale.plausible.max / 100 for scale in scales.criteria],
    )
    return Drawn(
        slugs=slugs,
        criteria=list(criteria),
        values=values,
        acceptability=rank_acceptability(values, weightings) if slugs else None,
        missing={
            slug: [key for key in criteria if figures[slug].get(key) is None] for slug in slugs
        },
        undetermined={
            slug: [
                key
                for key in criteria
                if (figure := figures[slug].get(key)) and not _has_interval(figure)
            ]
            for slug in slugs
        },
    )


def rank_drawn(drawn: Drawn, weights: Mapping[str, float]) -> Ranking:
    """The ranking of what was drawn. Raises InvalidWeights and UnknownObject."""
    chosen = _shares(weights, drawn.criteria)
    shares = dict(zip(drawn.criteria, chosen.tolist(), strict=True))
    if drawn.acceptability is None:
        return Ranking(shares, [], [])
    ranked = rank_at(drawn.values, chosen)
    central = drawn.acceptability.central
    scenarios = [
        RankedScenario(
            slug=drawn.slugs[i],
            total=float(ranked.total[i]),
            low=float(ranked.low[i]),
            high=float(ranked.high[i]),
            rank=int(ranked.rank[i]),
            group=int(ranked.group[i]),
            rank_shares=drawn.acceptability.ranks[i].tolist(),
            central_weights=None
            if (typical := central[i]) is None
            else dict(zip(drawn.criteria, typical.tolist(), strict=True)),
            missing=drawn.missing[drawn.slugs[i]],
            undetermined=drawn.undetermined[drawn.slugs[i]],
        )
        for i in ranked.order
    ]
    return Ranking(shares, scenarios, _tipping(drawn, chosen, ranked.order[0]))


def _tipping(drawn: Drawn, weights: np.ndarray, leader: int) -> list[Tipping]:
    """The nearest points of each criterion. Nearest because only there the overtaker is first:
    further off somebody else may have overtaken it."""
    expected = drawn.values.mean(axis=0)
    points = tipping_points(expected, weights, leader).values()
    found = []
    for column, key in enumerate(drawn.criteria):
        for direction in ("below", "above"):
            here = [p for p in points if p.criterion == column and p.direction == direction]
            if not here:
                continue
            near = (min if direction == "above" else max)(point.weight for point in here)
            slugs = [drawn.slugs[p.other] for p in here if abs(p.weight - near) < _NEAR]
            found.append(Tipping(key, here[0].direction, near, slugs))
    return found


def _draws(scale: ComparisonScale, figure: Measured | None, rng: np.random.Generator) -> np.ndarray:
    if figure is None or figure.low is None or figure.high is None:
        return draw_missing(DRAWS, rng)
    low, high = sorted((scale.position(figure.low), scale.position(figure.high)))
    return draw_figure(scale.position(figure.value), low, high, DRAWS, rng)


def _has_interval(figure: Measured) -> bool:
    return figure.low is not None and figure.high is not None


def normalised(weights: Mapping[str, float], criteria: Sequence[str]) -> dict[str, float]:
    """The weights (any numbers from 0, by criterion) as shares that sum to 1, in the order of the
    criteria. Raises InvalidWeights and UnknownObject as `rank`."""
    return dict(zip(criteria, _shares(weights, criteria).tolist(), strict=True))


def _shares(weights: Mapping[str, float], criteria: Sequence[str]) -> np.ndarray:
    _require_known(weights, criteria, "bei den Gewichten")
    for key in criteria:
        weight = weights.get(key)
        if weight is None or not 0 <= weight < np.inf:
            raise InvalidWeights(
                f"Das Kriterium '{key}' hat kein Gewicht; bitte eine Zahl ab 0 angeben."
            )
    chosen = np.array([weights[key] for key in criteria], dtype=np.float64)
    if chosen.sum() == 0:
        raise InvalidWeights(
            "Alle Gewichte sind 0; bitte mindestens einem Kriterium ein Gewicht geben."
        )
    return np.asarray(chosen / chosen.sum(), dtype=np.float64)


def _require_known(given: Mapping[str, object], criteria: Sequence[str], where: str) -> None:
    if unknown := sorted(set(given) - set(criteria)):
        raise UnknownObject(
            f"Ein Kriterium '{unknown[0]}' ({where}) gibt es nicht; vorhanden: "
            f"{', '.join(criteria)}."
        )
