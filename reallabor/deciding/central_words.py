"""Says in words which weights speak for a scenario: the mean of the plausible weightings that put
it first, beside the mean of all of them."""

from reallabor.comparison_scales import ComparisonScales
from reallabor.deciding.ranking import RankedScenario, Ranking
from reallabor.german import share

TELLING = 0.02
"""Difference of a weight (0 to 1) from which it is worth a word."""


def mean_weights(ranking: Ranking) -> dict[str, float]:
    """The mean of all plausible weightings, from 0 to 1 by criterion: every one puts somebody
    first, so it is the mean of the central weights by the shares of first ranks."""
    return {
        key: sum(
            each.first_share * each.central_weights[key]
            for each in ranking.scenarios
            if each.central_weights is not None
        )
        for key in ranking.weights
    }


def central_sentence(
    scenario: RankedScenario, mean: dict[str, float], scales: ComparisonScales
) -> str:
    """`„Nutzen“ 27 % statt 21 %, „Qualität“ 24 % statt 30 %`: the largest differences between the
    weightings that put it first and all of them."""
    central = scenario.central_weights
    if central is None:
        return "keinen plausiblen Gewichten"
    more = {key: central[key] - mean[key] for key in mean}
    telling = sorted(
        (scale for scale in scales.criteria if abs(more[scale.key]) >= TELLING),
        key=lambda scale: -abs(more[scale.key]),
    )
    said = [
        f"„{scale.title}“ {share(central[scale.key])} statt {share(mean[scale.key])}"
        for scale in telling[:2]
    ]
    return ", ".join(said) or "mittleren Gewichten"
