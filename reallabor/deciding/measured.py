"""What the ranking takes from a comparison: per criterion of `vergleich.yaml` the figure with its
interval, in the unit of the criterion."""

from collections.abc import Mapping, Sequence

from reallabor.comparison_scales import ComparisonScale, ComparisonScales, load_comparison_scales
from reallabor.deciding.benefit import net_minutes
from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.ranking import Measured, Ranking, estimated
from reallabor.deciding.readiness import Missing
from reallabor.models import Audience
from reallabor.rating.results import Figure

ESTIMATES = ("effort", "transfer")
"""Criteria that the pilot team estimates; nothing of them is measured."""


def measured(
    comparison: ScenarioComparison, scales: ComparisonScales | None = None
) -> dict[str, Measured | None]:
    """By criterion key: the candidate's score, net minutes a year, the answers of both audiences,
    and the team's estimates; None where there is no figure."""
    scales = scales or load_comparison_scales()
    candidate = comparison.candidate
    saved = net_minutes(comparison.content, candidate)
    return {
        "quality": _of_figure(candidate.score) if candidate else None,
        "benefit": _within(saved.value, saved.low, saved.high, saved.n),
        "staff": _voice(comparison, Audience.STAFF, scales.criterion("staff")),
        "clients": _voice(comparison, Audience.CLIENTS, scales.criterion("clients")),
        **{key: _estimate(comparison, scales.criterion(key)) for key in ESTIMATES},
    }


def rankable(
    comparisons: Sequence[ScenarioComparison], scales: ComparisonScales | None = None
) -> dict[str, dict[str, Measured | None]]:
    """The figures by slug of those scenarios of which anything was measured. Estimates alone give
    no rank: all else would be drawn over the whole scale."""
    found = {each.slug: measured(each, scales) for each in comparisons}
    return {
        slug: figures
        for slug, figures in found.items()
        if any(figure for key, figure in figures.items() if key not in ESTIMATES)
    }


def unstated(
    ranking: Ranking, titles: Mapping[str, str], scales: ComparisonScales
) -> list[Missing]:
    """The ranked scenarios that lack an estimate, by rank, each with the page that says where it is
    added."""
    return [
        Missing(f"{titles[each.slug]}: {' und '.join(lacking)} nicht angegeben", "steckbrief",
                {"szenario": each.slug})
        for each in ranking.scenarios
        if (lacking := [f"„{scales.criterion(key).title}“" for key in ESTIMATES
                        if key in each.missing])
    ]  # fmt: skip


def _of_figure(figure: Figure) -> Measured | None:
    return _within(figure.mean, figure.interval.low, figure.interval.high, figure.n)


def _voice(
    comparison: ScenarioComparison, audience: Audience, scale: ComparisonScale
) -> Measured | None:
    """The mean answer; an older survey with other levels is stretched onto those of the scale."""
    answer = comparison.voices[audience].answer
    if answer is None or answer.mean is None or answer.interval is None:
        return None
    lowest, highest = min(answer.levels), max(answer.levels)

    def stretched(level: float | None) -> float | None:
        if level is None:
            return None
        position = (level - lowest) / (highest - lowest)
        return scale.worst + position * (scale.best - scale.worst)

    low, high = stretched(answer.interval.low), stretched(answer.interval.high)
    return _within(stretched(answer.mean), low, high, answer.n)


def _estimate(comparison: ScenarioComparison, scale: ComparisonScale) -> Measured | None:
    stated = comparison.content.get(scale.key)
    return estimated(scale, int(stated["level"])) if stated else None


def _within(
    value: float | None, low: float | None, high: float | None, n: int | None
) -> Measured | None:
    if value is None:
        return None
    if low is None or high is None:
        return Measured(value, None, None, n)
    # Ends and value are computed apart, and may differ by rounding where all agree.
    return Measured(value, min(low, value), max(high, value), n)
