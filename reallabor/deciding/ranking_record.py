"""The ranking as evidence keeps it: under which weights, with what result, and what would change
it. The same figures and weights give the same record."""

from collections.abc import Mapping, Sequence
from typing import Any

from reallabor.comparison_scales import load_comparison_scales
from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.kept_draws import drawn_for
from reallabor.deciding.measured import rankable
from reallabor.deciding.profiles import DEFAULT
from reallabor.deciding.ranking import RankedScenario, rank_drawn
from reallabor.deciding.tipping_words import telling_sentences

DIGITS = 6
"""Of shares and totals: what another machine may add up differently lies far behind."""


def ranking_json(
    comparisons: Sequence[ScenarioComparison],
    weights: Mapping[str, float] | None = None,
    profile: str = "",
) -> dict[str, Any] | None:
    """The key `ranking` of evidence. Without weights those of `vergleich.yaml` count, and the
    profile is DEFAULT. None where fewer than two scenarios have figures. Raises InvalidWeights and
    UnknownObject."""
    scales = load_comparison_scales()
    figures = rankable(comparisons, scales)
    if len(figures) < 2:
        return None
    ranking = rank_drawn(drawn_for(figures, scales), weights or scales.weights)
    titles = {each.slug: each.title for each in comparisons}
    left_out = sorted(each.slug for each in comparisons if each.slug not in figures)
    return {
        "profile": profile or ("" if weights else DEFAULT),
        "weights": {key: round(weight, DIGITS) for key, weight in ranking.weights.items()},
        "titles": {scale.key: scale.title for scale in scales.criteria},
        "scales_version": scales.version,
        "rows": [_row(each, titles[each.slug]) for each in ranking.scenarios],
        "not_ranked": left_out,
        "not_ranked_titles": {slug: titles[slug] for slug in left_out},
        "sentences": telling_sentences(ranking, scales, titles),
    }


def _row(scenario: RankedScenario, title: str) -> dict[str, Any]:
    return {
        "slug": scenario.slug,
        "title": title,
        **{
            key: round(getattr(scenario, key), DIGITS)
            for key in ("total", "low", "high", "first_share", "first_three_share")
        },
        "rank": scenario.rank,
        "group": scenario.group,
        "missing": scenario.missing,
        "undetermined": scenario.undetermined,
    }
