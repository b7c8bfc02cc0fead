"""The variants of one scenario against each other, on the cases that they share."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlmodel import Session, select

from reallabor.deciding.versioned import Versioned
from reallabor.models import Case, row_id
from reallabor.rating.case_means import case_means, scores_of
from reallabor.rating.results import released_round
from reallabor.rating.round_data import Floats, Ints, RoundData, load_round
from reallabor.recording.catalogue import get_scenario
from reallabor.statistics import Difference, compare_all, paired_difference
from reallabor.statistics.superiority import Superiority, superiority

EDGE, USUAL = "Grenzfälle", "übrige Fälle"
FEWEST_CASES = 5
"""Shared cases from which on a topic is shown by itself."""
SMALL = "Themen mit unter fünf Fällen"


@dataclass(frozen=True)
class Advantage:
    """By how much the first of two variants is better, on the cases of a group that both share."""

    name: str
    """Of the group, in German."""
    difference: Difference
    """In points of the score."""
    superiority: Superiority
    left_on: date | None = None
    """Of a house: since when it takes part no more."""


@dataclass(frozen=True)
class Pair:
    """Two variants (keys): all shared cases, then group by group."""

    first: str
    second: str
    all_cases: Advantage
    """p adjusted after Holm over all pairs of the scenario."""
    by_edge: list[Advantage]
    by_topic: list[Advantage]
    """Topics with enough cases by name, the others together; empty where no topic has enough."""
    by_house: list[Advantage]
    """Each house by itself; empty where ratings were imported."""


@dataclass(frozen=True)
class CaseScores:
    """One case with the score of every variant that was rated on all criteria for it."""

    case: str
    topic: str
    edge: bool
    scores: dict[str, float]
    """By key of the variant."""


@dataclass(frozen=True)
class VariantComparison:
    """What the released round of a scenario says of its variants."""

    titles: dict[str, str]
    """By key, in the order of the scenario."""
    baseline: str | None
    """Key of the first variant without AI."""
    pairs: list[Pair]
    """Every two variants; the earlier one first, a baseline always second."""
    cases: list[CaseScores]
    """By key."""

    def pair(self, first: str, second: str) -> Pair | None:
        """The pair of these keys in this order, or None."""
        return next((each for each in self.pairs if (each.first, each.second) == (first, second)),
                    None)  # fmt: skip


_KEPT: Versioned[tuple[VariantComparison | None]] = Versioned(50)


def compare_variants(session: Session, slug: str) -> VariantComparison | None:
    """None before the first release. Raises UnknownObject."""
    scenario = get_scenario(session, slug)
    key = row_id(scenario.id)

    def compute(_ids: object) -> dict[int, tuple[VariantComparison | None]]:
        round_ = released_round(session, scenario)
        if round_ is None:
            return {key: (None,)}
        data = load_round(session, round_)
        keys = dict(session.exec(select(Case.id, Case.key).where(Case.scenario_id == key)).all())
        return {key: (_compared(data, [keys[int(each)] for each in data.case]),)}

    (compared,) = _KEPT.find(session, [key], compute)[key]
    return compared


def _compared(data: RoundData, cases: list[str]) -> VariantComparison:
    scores = scores_of(data, case_means(data).mean)
    # A baseline comes last, so that every difference says what AI adds.
    order = sorted(range(len(data.variants)), key=lambda place: data.variants[place].baseline)
    clusters = data.cluster if data.clustered.any() else None
    tested = compare_all(scores[order].T, clusters)
    variants = data.variants
    return VariantComparison(
        titles={each.key: each.title for each in variants},
        baseline=next((each.key for each in variants if each.baseline), None),
        pairs=[
            _pair(data, scores, order[i], order[j], difference)
            for (i, j), difference in tested.items()
        ],
        cases=sorted(
            (
                CaseScores(
                    case=cases[c],
                    topic=data.topic[c],
                    edge=bool(data.edge[c]),
                    scores={
                        each.key: float(scores[v, c])
                        for v, each in enumerate(variants)
                        if not np.isnan(scores[v, c])
                    },
                )
                for c in range(len(cases))
            ),
            key=lambda row: row.case,
        ),
    )


def _pair(data: RoundData, scores: Floats, i: int, j: int, tested: Difference) -> Pair:
    clusters = data.cluster if data.clustered.any() else None
    topics = np.array(data.topic, dtype=object)

    def advantage(name: str, first: Floats, second: Floats, left: date | None = None) -> Advantage:
        return Advantage(
            name,
            paired_difference(first, second, clusters),
            superiority(first, second, clusters),
            left,
        )

    def of_cases(name: str, chosen: np.ndarray) -> Advantage:
        first, second = (np.where(chosen, scores[place], np.nan) for place in (i, j))
        return advantage(name, first, second)

    whole = advantage("alle Fälle", scores[i], scores[j])
    return Pair(
        first=data.variants[i].key,
        second=data.variants[j].key,
        all_cases=Advantage(whole.name, tested, whole.superiority),
        by_edge=[of_cases(EDGE, data.edge), of_cases(USUAL, ~data.edge)],
        by_topic=[
            of_cases(name, np.isin(topics, chosen))
            for name, chosen in _topics(data, shared=~np.isnan(scores[i] - scores[j]))
        ],
        by_house=_by_house(data, i, j, advantage),
    )


def _topics(data: RoundData, shared: np.ndarray) -> list[tuple[str, list[str]]]:
    """Names of groups of topics: each large one by itself, the small ones together."""
    sizes = Counter(topic for topic, known in zip(data.topic, shared, strict=True)
                    if topic and known)  # fmt: skip
    large = sorted(topic for topic, n in sizes.items() if n >= FEWEST_CASES)
    small = sorted(topic for topic, n in sizes.items() if n < FEWEST_CASES)
    groups = [(topic, [topic]) for topic in large]
    return groups + ([(SMALL, small)] if small and large else [])


def _by_house(
    data: RoundData, i: int, j: int, advantage: Callable[..., Advantage]
) -> list[Advantage]:
    """Every house that tried both variants, from its own two runs."""
    found = []
    for house_id, house in sorted(data.houses.items(), key=lambda item: item[1].name):
        pair = [_run_scores(data, place, house_id) for place in (i, j)]
        if all((~np.isnan(each)).any() for each in pair):
            found.append(advantage(house.name, *pair, house.left_on))
    return found


def _run_scores(data: RoundData, variant: int, house_id: int) -> Floats:
    """(C,) score of every case by the outputs of one house."""
    runs: Ints = np.array([run.organisation_id == house_id for run in data.runs], dtype=np.int64)
    outputs = (data.variant_of == variant) & (runs[data.run_of] == 1)
    mean = np.full((data.case.size, len(data.criteria)), np.nan)
    mean[data.case_of[outputs]] = data.mean[outputs]
    return scores_of(data, mean)
