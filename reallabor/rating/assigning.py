"""Who rates what, in which order: pure functions over ids, the same result for the same seed."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from reallabor.errors import WrongState

OutputId = int
CaseId = int
RaterId = int


def assign(
    outputs: Mapping[CaseId, Sequence[OutputId]],
    eligible: Mapping[RaterId, frozenset[OutputId]],
    *,
    overlap: int,
    seed: int,
) -> dict[RaterId, list[OutputId]]:
    """Each output to `overlap` raters; a rater gets all variants of a case that they may rate.

    Loads differ by at most one case among raters with equal eligibility, because every case goes
    to those with the least load so far. Raises WrongState where an output has fewer eligible
    raters than `overlap`.
    """
    for case_outputs in outputs.values():
        for output in case_outputs:
            able = sum(output in allowed for allowed in eligible.values())
            if able < overlap:
                raise WrongState(
                    f"Für mindestens eine Ausgabe gibt es nur {able} von {overlap} nötigen "
                    "Bewertenden (niemand bewertet Ausgaben der eigenen Organisation). Bitte "
                    "weitere Bewertende aus anderen Organisationen eintragen."
                )
    rng = random.Random(seed)
    load: Counter[RaterId] = Counter(dict.fromkeys(eligible, 0))
    chosen: dict[RaterId, dict[CaseId, list[OutputId]]] = {rater: {} for rater in eligible}
    cases = list(outputs)
    rng.shuffle(cases)
    # Cases that few may rate come first, so that those who may rate all can even out the rest.
    cases.sort(key=lambda case: sum(not allowed.isdisjoint(outputs[case])
                                    for allowed in eligible.values()))  # fmt: skip
    for case in cases:
        missing = Counter(dict.fromkeys(outputs[case], overlap))
        lots = {rater: rng.random() for rater in eligible}
        for rater in sorted(eligible, key=lambda r: (load[r], lots[r])):
            share = [o for o in outputs[case] if missing[o] and o in eligible[rater]]
            if not share:
                continue
            chosen[rater][case] = share
            load[rater] += len(share)
            missing.subtract(share)
            if not any(missing.values()):
                break
    return {rater: spread(by_case, rng) for rater, by_case in chosen.items()}


def spread(by_case: Mapping[CaseId, Sequence[OutputId]], rng: random.Random) -> list[OutputId]:
    """A random order in which two outputs of one case never follow each other while outputs of
    two cases remain."""
    left = {case: rng.sample(list(items), len(items)) for case, items in by_case.items() if items}
    order: list[OutputId] = []
    last: CaseId | None = None
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
