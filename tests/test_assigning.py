"""Blind assignment: properties that hold for every plan."""

import itertools
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reallabor.errors import WrongState
from reallabor.rating.assigning import assign, may_rate_of, mixed_places

Outputs = dict[int, dict[int, str | None]]
Raters = dict[int, str | None]
Plan = tuple[Outputs, Raters, int]


@st.composite
def plans(draw: st.DrawFn, most_cases: int = 25, most_raters: int = 9) -> Plan:
    """Cases with outputs of some houses, or of none; raters inside and outside of them."""
    houses = draw(st.lists(st.sampled_from("ABC"), min_size=1, max_size=3, unique=True))
    owners: list[str | None] = [*houses, None] if draw(st.booleans()) else [*houses]
    outputs: Outputs = {}
    number = itertools.count(1000)
    for case in range(draw(st.integers(1, most_cases))):
        of_case = draw(st.lists(st.sampled_from(owners), min_size=1, max_size=5))
        outputs[case] = {next(number): house for house in of_case}
    homes = draw(st.lists(st.sampled_from(["A", "B", "C", "D", None]),
                          min_size=1, max_size=most_raters))  # fmt: skip
    return outputs, dict(enumerate(homes)), draw(st.integers(1, 3))


def is_feasible(plan: Plan) -> bool:
    outputs, raters, overlap = plan
    return all(
        sum(house is None or home != house for home in raters.values()) >= overlap
        for group in outputs.values()
        for house in group.values()
    )


def cases_of(outputs: Outputs, order: list[int]) -> list[int]:
    case_of = {output: case for case, group in outputs.items() for output in group}
    return [case_of[output] for output in order]


@settings(max_examples=150, deadline=None)
@given(plan=plans(), seed=st.integers(0, 2**31))
def test_every_plan_keeps_the_rules(plan: Plan, seed: int) -> None:
    outputs, raters, overlap = plan
    if not is_feasible(plan):
        with pytest.raises(WrongState, match=f"von {overlap} nötigen Bewertenden"):
            assign(outputs, raters, overlap=overlap, seed=seed)
        return
    result = assign(outputs, raters, overlap=overlap, seed=seed)
    assert result.keys() == raters.keys()

    raters_of = Counter(output for order in result.values() for output in order)
    assert all(raters_of[output] >= overlap for group in outputs.values() for output in group)

    for rater, order in result.items():
        assert len(set(order)) == len(order)
        for case in set(cases_of(outputs, order)):  # paired: all that they may rate, no other
            mine = {output for output in order if output in outputs[case]}
            assert mine == set(may_rate_of(outputs[case], raters[rater]))

    for order in result.values():
        cases = cases_of(outputs, order)
        for place, (one, other) in enumerate(itertools.pairwise(cases)):
            if one == other:  # only where no other case remains
                assert set(cases[place:]) == {one}

    assert assign(outputs, raters, overlap=overlap, seed=seed) == result


@settings(max_examples=100, deadline=None)
@given(plan=plans().filter(is_feasible), seed=st.integers(0, 2**31))
def test_equals_differ_by_one_case_at_most(plan: Plan, seed: int) -> None:
    outputs, raters, overlap = plan
    result = assign(outputs, raters, overlap=overlap, seed=seed)
    groups: dict[frozenset[int], list[int]] = defaultdict(list)
    for rater, order in result.items():
        able = frozenset(o for group in outputs.values() for o in may_rate_of(group, raters[rater]))
        groups[able].append(len(set(cases_of(outputs, order))))
    for loads in groups.values():
        assert max(loads) - min(loads) <= 1


@settings(max_examples=100, deadline=None)
@given(plan=plans(most_cases=4, most_raters=5).filter(is_feasible), seed=st.integers(0, 99))
def test_no_plan_has_a_smaller_largest_load(plan: Plan, seed: int) -> None:
    """Against all plans there are, for rounds small enough to try them."""
    outputs, raters, overlap = plan
    result = assign(outputs, raters, overlap=overlap, seed=seed)
    largest = max(len(set(cases_of(outputs, order))) for order in result.values())
    choices = [_teams(group, raters, overlap) for group in outputs.values()]
    best = min(
        max(Counter(itertools.chain(*teams)).values()) for teams in itertools.product(*choices)
    )
    assert largest == best


def _teams(group: dict[int, str | None], raters: Raters, overlap: int) -> list[tuple[int, ...]]:
    """The smallest sets of raters that cover every output of a case often enough."""
    found: list[tuple[int, ...]] = []
    for size in range(overlap, len(raters) + 1):
        for team in itertools.combinations(raters, size):
            covers = Counter(o for r in team for o in may_rate_of(group, raters[r]))
            enough = all(covers[output] >= overlap for output in group)
            if enough and not any(set(smaller) <= set(team) for smaller in found):
                found.append(team)
    return found


@settings(max_examples=60, deadline=None)
@given(
    n_cases=st.integers(1, 40), n_variants=st.integers(1, 4), n_raters=st.integers(2, 7),
    seed=st.integers(0, 2**31),
)  # fmt: skip
def test_one_house_means_exact_overlap(
    n_cases: int, n_variants: int, n_raters: int, seed: int
) -> None:
    outputs: Outputs = {c: {c * 10 + v: "A" for v in range(n_variants)} for c in range(n_cases)}
    raters: Raters = {**dict.fromkeys(range(n_raters), "B"), 99: "A"}
    result = assign(outputs, raters, overlap=2, seed=seed)
    assert result.pop(99) == []
    loads = []
    for order in result.values():
        cases = Counter(output // 10 for output in order)
        assert set(cases.values()) <= {n_variants}
        loads.append(len(cases))
    assert sum(loads) == 2 * n_cases
    assert max(loads) - min(loads) <= 1


def test_two_houses_that_rate_each_other_are_exact() -> None:
    outputs: Outputs = {c: {c * 10: "A", c * 10 + 1: "B"} for c in range(6)}
    raters: Raters = {1: "A", 2: "A", 3: "B", 4: "B"}
    result = assign(outputs, raters, overlap=2, seed=1)
    covers = Counter(output for order in result.values() for output in order)
    assert set(covers.values()) == {2}
    assert {len(order) for order in result.values()} == {6}


def test_too_few_eligible_raters_are_refused() -> None:
    with pytest.raises(WrongState, match="nur 1 von 2 nötigen Bewertenden"):
        assign({1: {10: "A", 11: "B"}}, {7: "C", 8: "A"}, overlap=2, seed=1)


def test_other_seed_gives_other_order() -> None:
    outputs: Outputs = {case: {case * 10: "A", case * 10 + 1: "A"} for case in range(20)}
    raters: Raters = dict.fromkeys(range(3), "B")
    plans = [assign(outputs, raters, overlap=2, seed=seed) for seed in range(4)]
    assert len({str(plan) for plan in plans}) == 4


def test_raters_see_different_orders() -> None:
    outputs: Outputs = {case: {case * 10: "A", case * 10 + 1: "A"} for case in range(20)}
    one, other = assign(outputs, dict.fromkeys(range(2), "B"), overlap=2, seed=5).values()
    assert sorted(one) == sorted(other)
    assert one != other


def test_many_cases_are_shared_out_at_once() -> None:
    """The number of cases does not enter the programme; 10,000 are as quick as 10."""
    outputs: Outputs = {
        case: {case * 10 + place: house for place, house in enumerate("ABC")}
        for case in range(10_000)
    }
    raters: Raters = {number: "ABCDE"[number % 5] for number in range(30)}
    result = assign(outputs, raters, overlap=3, seed=1)
    loads = [len(set(cases_of(outputs, order[:50]))) for order in result.values()]
    assert min(loads) > 0
    totals = [len({output // 10 for output in order}) for order in result.values()]
    assert max(totals) - min(totals) <= 1


@given(length=st.integers(0, 30), extra=st.integers(0, 8), seed=st.integers(0, 99))
def test_gold_places_are_distinct_and_inside(length: int, extra: int, seed: int) -> None:
    import random

    places = mixed_places(length, extra, random.Random(seed))
    assert len(set(places)) == extra
    assert all(1 <= place <= length + extra for place in places)
