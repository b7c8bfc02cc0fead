"""Who rates what, in which order: pure functions over ids, the same result for the same seed."""

import random
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from reallabor.errors import WrongState
from reallabor.rating.sharing_out import FREE, share_out

OutputId = int
CaseId = int
RaterId = int
House = Hashable
"""An organisation; None for an output or a rater that belongs to none."""


def assign(
    outputs: Mapping[CaseId, Mapping[OutputId, House]],
    raters: Mapping[RaterId, House],
    *,
    overlap: int,
    seed: int,
) -> dict[RaterId, list[OutputId]]:
    """Each output to at least `overlap` raters of other houses, in each rater's own order.

    A rater gets all variants of a case that they may rate (paired design). The largest number of
    cases of any rater is the smallest possible under these rules, and people with equal
    eligibility differ by at most one case. An output has more than `overlap` raters only where
    a case holds outputs of several houses and raters of these houses are needed. Raises
    WrongState where an output has fewer eligible raters than `overlap`.
    """
    require_raters(outputs, raters, overlap)
    rng = random.Random(seed)
    owners = {house for group in outputs.values() for house in group.values()} - {None}
    members: dict[House, list[RaterId]] = {}
    for rater, house in raters.items():
        members.setdefault(house if house in owners else FREE, []).append(rater)
    cases = list(outputs)
    rng.shuffle(cases)
    shares = share_out(
        {case: frozenset(outputs[case].values()) for case in cases},
        {group: len(people) for group, people in members.items()},
        overlap=overlap,
    )
    load: Counter[RaterId] = Counter(dict.fromkeys(raters, 0))
    chosen: dict[RaterId, dict[CaseId, list[OutputId]]] = {rater: {} for rater in raters}
    for case in cases:
        for group, number in shares[case].items():
            lots = {rater: rng.random() for rater in members[group]}
            for rater in sorted(members[group], key=lambda r: (load[r], lots[r]))[:number]:
                chosen[rater][case] = may_rate_of(outputs[case], raters[rater])
                load[rater] += 1
    return {rater: spread(by_case, rng) for rater, by_case in chosen.items()}


def require_raters(
    outputs: Mapping[CaseId, Mapping[OutputId, House]],
    raters: Mapping[RaterId, House],
    overlap: int,
) -> None:
    """Raises WrongState where an output has fewer eligible raters than `overlap`."""
    for house in {house for group in outputs.values() for house in group.values()}:
        able = sum(house is None or home != house for home in raters.values())
        if able < overlap:
            raise WrongState(
                f"Für mindestens eine Ausgabe gibt es nur {able} von {overlap} nötigen "
                "Bewertenden (niemand bewertet Ausgaben der eigenen Organisation). Bitte "
                "weitere Bewertende aus anderen Organisationen eintragen."
            )


def may_rate_of(case_outputs: Mapping[OutputId, House], home: House) -> list[OutputId]:
    """The outputs of one case that somebody of this house may rate: all but their own house's."""
    return [output for output, house in case_outputs.items() if house is None or house != home]


def spread(
    by_case: Mapping[CaseId, Sequence[OutputId]], rng: random.Random, last: CaseId | None = None
) -> list[OutputId]:
    """A random order in which two outputs of one case never follow each other while outputs of
    two cases remain; `last` is the case that comes before."""
    left = {case: rng.sample(list(items), len(items)) for case, items in by_case.items() if items}
    order: list[OutputId] = []
    while left:
        others = [case for case in left if case != last] or list(left)
        most = max(others, key=lambda case: len(left[case]))
        rest = sum(map(len, left.values())) - len(left[most])
        # A case that holds at least half of what is left must come now, or it piles up at the end.
        case = most if len(left[most]) > rest else rng.choice(others)
        order.append(left[case].pop())
        if not left[case]:
            del left[case]
        last = case
    return order


def mixed_places(length: int, extra: int, rng: random.Random) -> list[int]:
    """Where `extra` gold cases stand among `length` outputs: distinct places from 1 to
    `length + extra` in random order."""
    return rng.sample(range(1, length + extra + 1), extra)
