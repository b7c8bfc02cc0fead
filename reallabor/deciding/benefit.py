"""What a scenario would save: minutes a year, net of the rework that its outputs need; and what a
case costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reallabor.rating.results import Figure, VariantResult

NO_CANDIDATE = "Kein Kandidat benannt, für den es sich angeben ließe."
NO_BASELINE = "Im Steckbrief fehlen die Minuten je Fall ohne KI oder die Fälle im Jahr."
TEAM_COST = "Schätzung des Pilotteams im Steckbrief, keine Messung."
NO_COST = (
    "Zu den bewerteten Ausgaben sind keine Kosten aufgezeichnet, und der Steckbrief nennt keine."
)


@dataclass(frozen=True)
class Amount:
    """A figure, or the reason why there is none."""

    value: float | None
    low: float | None
    """Ends of the 95 % interval; both None where none can be determined."""
    high: float | None
    n: int | None
    """Cases behind it; None for what the pilot team states."""
    why: str
    """How it comes about, or why there is none (or no interval); German sentences."""


def net_minutes(content: Mapping[str, Any], variant: VariantResult | None) -> Amount:
    """Minutes saved a year: yearly volume x (minutes without AI - mean minutes of rework).

    Volume and minutes without AI are the pilot team's statements, taken as exact; the interval is
    that of the rework, which is never below 0. Negative where rework takes longer than the task.
    """
    if variant is None:
        return Amount(None, None, None, 0, NO_CANDIDATE)
    volume, baseline = content.get("yearly_volume"), content.get("baseline_minutes")
    if volume is None or baseline is None:
        return Amount(None, None, None, 0, NO_BASELINE)
    rework = variant.rework
    if rework.mean is None:
        return Amount(None, None, None, 0, rework.interval.reason or "")
    low, high = rework.interval.low, rework.interval.high
    return Amount(
        value=volume * (baseline - rework.mean),
        low=None if high is None else volume * (baseline - high),
        high=None if low is None else volume * (baseline - max(low, 0.0)),
        n=rework.n,
        why=rework.interval.reason or "",
    )


def case_cost(content: Mapping[str, Any], variant: VariantResult | None) -> Amount:
    """EUR per case: the mean of what was recorded with the candidate's rated outputs, else what the
    pilot team states."""
    if variant is not None and variant.cost.mean is not None:
        return _recorded(variant.cost)
    stated = content.get("cost_per_case_eur")
    if stated is not None:
        return Amount(float(stated), None, None, None, TEAM_COST)
    return Amount(None, None, None, 0, NO_CANDIDATE if variant is None else NO_COST)


def _recorded(cost: Figure) -> Amount:
    low, high = cost.interval.low, cost.interval.high
    return Amount(
        cost.mean, None if low is None else max(low, 0.0), high, cost.n, cost.interval.reason or ""
    )
