"""Says in words which weight would put another scenario first; pages, the command line and
documents use the same sentences. Titles stand in quotation marks: they keep their form wherever a
sentence puts them."""

from collections.abc import Mapping, Sequence
from math import ceil, floor

from reallabor.comparison_scales import ComparisonScale, ComparisonScales
from reallabor.deciding.ranking import Ranking, Tipping
from reallabor.german import number, share

_NEAR = 1e-7
"""Of a weight in percent: nearer to a whole percent is that percent."""


def tipping_sentences(
    ranking: Ranking, scales: ComparisonScales, titles: Mapping[str, str]
) -> list[str]:
    """In words, by criterion, what weight would put another scenario first. Percents are whole
    ones at which that is so, not rounded ones at which it may not yet be."""
    if len(ranking.scenarios) < 2:
        return []
    first = _named([ranking.scenarios[0].slug], titles)
    sentences = []
    for scale in scales.criteria:
        found = [each for each in ranking.tipping if each.criterion == scale.key]
        sentences += [
            _sentence(each, scale, ranking.weights[scale.key], first, titles) for each in found
        ]
        if not found:
            sentences.append(f"Welches Gewicht „{scale.title}“ auch hat: Niemand überholt {first}.")
    return sentences


def telling_sentences(
    ranking: Ranking, scales: ComparisonScales, titles: Mapping[str, str]
) -> list[str]:
    """Those of `tipping_sentences` that a plausible weight would make come true, or one that says
    that there is none; without any scenario to overtake nothing."""
    if len(ranking.scenarios) < 2:
        return []
    first = _named([ranking.scenarios[0].slug], titles)
    sentences = [
        _sentence(each, scale, ranking.weights[scale.key], first, titles)
        for scale in scales.criteria
        for each in ranking.tipping
        if each.criterion == scale.key and _is_plausible(each, scale)
    ]
    return sentences or [
        f"Niemand überholt {first}, solange sich nur ein Gewicht ändert und plausibel bleibt."
    ]


def _is_plausible(tipping: Tipping, scale: ComparisonScale) -> bool:
    """Whether some plausible weight lies beyond the point."""
    if tipping.direction == "above":
        return 100 * tipping.weight < scale.plausible.max
    return 100 * tipping.weight > scale.plausible.min


def _sentence(
    tipping: Tipping, scale: ComparisonScale, now: float, first: str, titles: Mapping[str, str]
) -> str:
    others = _named(tipping.slugs, titles)
    would_be = "läge" if len(tipping.slugs) == 1 else "lägen"
    above, percent = tipping.direction == "above", 100 * tipping.weight
    if abs(tipping.weight - now) * 100 < _NEAR:
        change = "mehr" if above else "weniger"
        return (
            f"Jetzt sind {first} und {others} gleich gut; mit {change} Gewicht für „{scale.title}“ "
            f"{would_be} {others} vorn."
        )
    whole = floor(percent + _NEAR) + 1 if above else ceil(percent - _NEAR) - 1
    whole = min(max(whole, 0), 100)
    start = "Bei" if whole in (0, 100) else "Ab" if above else "Bis"
    return (
        f"{start} Gewicht {number(whole, 0)}\u00a0% für „{scale.title}“ (jetzt {share(now)}) "
        f"{would_be} {others} vorn."
    )


def _named(slugs: Sequence[str], titles: Mapping[str, str]) -> str:
    quoted = [f"„{titles[slug]}“" for slug in slugs]
    return " und ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
