"""Blind assignment: properties that hold for every plan."""

import itertools
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reallabor.errors import WrongState
from reallabor.rating.assigning import assign

Outputs = dict[int, list[int]]
Eligible = dict[int, frozenset[int]]


@st.composite
def plans(draw: st.DrawFn) -> tuple[Outputs, Eligible, int]:
    """Cases with outputs of one to three organisations, raters inside and outside of them."""
    n_variants = draw(st.integers(1, 4))
    n_cases = draw(st.integers(1, 25))
    n_houses = draw(st.integers(1, 3))
    outputs: Outputs = {}
    house_of: dict[int, int] = {}
    for case in range(n_cases):
        outputs[case] = []
        for house in range(n_houses):
            for _ in range(n_variants):
                number = 1000 + len(house_of)
                house_of[number] = house
                outputs[case].append(number)
    overlap = draw(st.integers(1, 3))
    outsiders = draw(st.integers(overlap, overlap + 4))
    insiders = draw(st.lists(st.integers(0, n_houses - 1), max_size=4))
    homes = [-1] * outsiders + insiders
    eligible = {
        rater: frozenset(o for o, house in house_of.items() if house != home)
        for rater, home in enumerate(homes)
    }
    return outputs, eligible, overlap


@settings(max_examples=80, deadline=None)
@given(plan=plans(), seed=st.integers(0, 2**31))
def test_every_plan_keeps_the_rules(plan: tuple[Outputs, Eligible, int], seed: int) -> None:
    outputs, eligible, overlap = plan
    result = assign(outputs, eligible, overlap=overlap, seed=seed)
    case_of = {output: case for case, group in outputs.items() for output in group}

    raters_of = Counter(output for order in result.values() for output in order)
    assert all(raters_of[output] == overlap for output in case_of)

    for rater, order in result.items():
        assert set(order) <= eligible[rater]
        assert len(set(order)) == len(order)

    for rater, order in result.items():
        cases = [case_of[output] for output in order]
        for place, (one, other) in enumerate(itertools.pairwise(cases)):
            if one == other:  # only where no other case remains
                assert set(cases[place:]) == {one}, rater

    assert assign(outputs, eligible, overlap=overlap, seed=seed) == result


@settings(max_examples=80, deadline=None)
@given(plan=plans(), seed=st.integers(0, 2**31))
def test_loads_of_equals_differ_by_one_case(plan: tuple[Outputs, Eligible, int], seed: int) -> None:
    outputs, eligible, overlap = plan
    result = assign(outputs, eligible, overlap=overlap, seed=seed)
    groups: dict[frozenset[int], list[int]] = defaultdict(list)
    for rater, order in result.items():
        groups[eligible[rater]].append(len(order))
    largest_case = max(len(group) for group in outputs.values())
    for loads in groups.values():
        assert max(loads) - min(loads) <= largest_case


@settings(max_examples=60, deadline=None)
@given(
    n_cases=st.integers(1, 40), n_variants=st.integers(1, 4), n_raters=st.integers(2, 7),
    seed=st.integers(0, 2**31),
)  # fmt: skip
def test_equals_get_all_variants_of_a_case(
    n_cases: int, n_variants: int, n_raters: int, seed: int
) -> None:
    outputs = {c: [c * 10 + v for v in range(n_variants)] for c in range(n_cases)}
    everything = frozenset(output for group in outputs.values() for output in group)
    result = assign(outputs, dict.fromkeys(range(n_raters), everything), overlap=2, seed=seed)
    loads = []
    for order in result.values():
        cases = Counter(output // 10 for output in order)
        assert set(cases.values()) <= {n_variants}
        loads.append(len(cases))
    assert max(loads) - min(loads) <= 1


def test_too_few_eligible_raters_are_refused() -> None:
    with pytest.raises(WrongState, match="nur 1 von 2 nötigen Bewertenden"):
        assign({1: [10, 11]}, {7: frozenset({10, 11}), 8: frozenset({11})}, overlap=2, seed=1)


def test_other_seed_gives_other_order() -> None:
    outputs = {case: [case * 10, case * 10 + 1] for case in range(20)}
    eligible = dict.fromkeys(range(3), frozenset(o for group in outputs.values() for o in group))
    plans = [assign(outputs, eligible, overlap=2, seed=seed) for seed in range(4)]
    assert len({str(plan) for plan in plans}) == 4


def test_raters_see_different_orders() -> None:
    outputs = {case: [case * 10, case * 10 + 1] for case in range(20)}
    eligible = dict.fromkeys(range(2), frozenset(o for group in outputs.values() for o in group))
    one, other = assign(outputs, eligible, overlap=2, seed=5).values()
    assert sorted(one) == sorted(other)
    assert one != other
