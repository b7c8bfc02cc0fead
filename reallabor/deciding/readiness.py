"""Is a scenario ready? Gates and thresholds on the candidate variant; every missing point is
named. The system suggests, the steering group decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reallabor.german import number, share
from reallabor.models import Audience
from reallabor.rating.agreement import TENTATIVE, Agreement
from reallabor.rating.results import Figure, RoundResult, VariantResult
from reallabor.rating.voice_results import FEWEST

SCORE = 70.0
MEDIAN = 3.0
CASES = 30
EDGE_SHARE = 0.2
AC2 = 0.8
NEAR_SHARE = 0.9
CROWDED_SHARE = 0.8
"""From this share of ratings on the two levels at one end, AC2 may stand in for alpha."""
ORGANISATIONS = 2
OF_WHOM = {Audience.STAFF: "Beschäftigten", Audience.CLIENTS: "Kund:innen"}
"""Whose voices a scenario needs; fewer than FEWEST are never shown, so they do not count."""


class GateState(StrEnum):
    """How a gate stands."""

    PASSED = "passed"
    MISSED = "missed"
    OPEN = "open"


WORDS = {GateState.PASSED: "erfüllt", GateState.MISSED: "verfehlt", GateState.OPEN: "offen"}


@dataclass(frozen=True)
class Gate:
    """A gate of the rubric (from ratings) or of law (confirmed by a person)."""

    key: str
    title: str
    state: GateState


@dataclass(frozen=True)
class Readiness:
    """All that is missing, in German; ready where that is nothing."""

    gates: list[str]
    """Gates that are missed or still open."""
    points: list[str]
    """Thresholds that are not reached."""

    @property
    def missing(self) -> list[str]:
        return self.gates + self.points

    @property
    def ready(self) -> bool:
        return not self.missing


def candidate_of(result: RoundResult) -> VariantResult | None:
    """The variant that the pilot team named; the only one without baseline where there is just
    one such."""
    named = [variant for variant in result.variants if variant.candidate]
    others = [variant for variant in result.variants if not variant.baseline]
    if named:
        return named[0]
    return others[0] if len(others) == 1 else None


def rubric_gates(rules: Sequence[Mapping[str, Any]], variant: VariantResult | None) -> list[Gate]:
    """The gates that the ratings of the candidate, or the metrics of its runs, pass or miss; open
    without them."""
    return [Gate(rule["key"], rule["title"], _state(rule, variant)) for rule in rules]


def _state(rule: Mapping[str, Any], variant: VariantResult | None) -> GateState:
    if rule["rule"] == "metric_at_least":
        values = [each.metrics.get(rule["metric"]) for each in variant.strata] if variant else []
        known = [value for value in values if value is not None]
        if not known or len(known) < len(values):
            return GateState.OPEN
        return GateState.PASSED if min(known) >= rule["level"] else GateState.MISSED
    figure = variant.criteria.get(rule["criterion"]) if variant else None
    if figure is None or figure.median is None or figure.lowest is None:
        return GateState.OPEN
    if rule["rule"] == "no_level":
        passed = figure.lowest > rule["level"]
    else:
        passed = figure.median >= rule["level"]
    return GateState.PASSED if passed else GateState.MISSED


def readiness(
    result: RoundResult | None,
    gates: Sequence[Gate],
    agreement: Mapping[str, Agreement],
    voices: Mapping[Audience, int],
) -> Readiness:
    """All points of the readiness rule that are not met, in reading order; `voices` are the answers
    of staff and clients in the largest survey of each."""
    if result is None:
        return Readiness([], ["Noch keine Bewertungsrunde freigegeben"])
    variant = candidate_of(result)
    unpassed = [
        f"Ausschlusskriterium {'verfehlt' if gate.state == GateState.MISSED else 'offen'}: "
        f"{gate.title}"
        for gate in gates
        if gate.state != GateState.PASSED
    ]
    missing = []
    if variant is None:
        missing.append("Kein Kandidat benannt: welche Variante weiterentwickelt werden soll")
    else:
        missing += _results_missing(result, variant)
        if result.candidate is None:
            missing.append(f"Kandidat nachträglich gewählt: {variant.title}")
    missing += [
        f"Übereinstimmung zu gering oder nicht bestimmbar: {result.criteria[key]}"
        for key, figures in agreement.items()
        if agreement_rule(figures) is None
    ]
    if not any(each.baseline for each in result.variants):
        missing.append("Kein Vergleichswert ohne KI")
    if result.n_organisations < ORGANISATIONS:
        missing.append(
            f"Erprobt in {result.n_organisations} von mindestens {ORGANISATIONS} Organisationen"
        )
    missing += _voices_missing(voices)
    return Readiness(unpassed, missing)


def _results_missing(result: RoundResult, variant: VariantResult) -> list[str]:
    missing = []
    score = variant.score.mean
    if score is None:
        missing.append("Kein Punktwert bestimmbar")
    elif score < SCORE:
        missing.append(f"Punktwert {number(score)} unter {SCORE:g}")
    missing += [
        f"Median unter {MEDIAN:g}: {result.criteria[key]}"
        for key, figure in variant.criteria.items()
        if result.five_levels and figure.median is not None and _oriented(result, figure) < MEDIAN
    ]
    if variant.n_cases < CASES:
        missing.append(f"{variant.n_cases} von mindestens {CASES} Fällen bewertet")
    if result.n_cases and result.n_edge_cases < EDGE_SHARE * result.n_cases:
        missing.append(f"Weniger als {share(EDGE_SHARE)} Grenzfälle")
    return missing


def _voices_missing(voices: Mapping[Audience, int]) -> list[str]:
    silent = [name for audience, name in OF_WHOM.items() if not voices.get(audience)]
    missing = [f"Rückmeldungen von {' und '.join(silent)} fehlen"] if silent else []
    return missing + [
        f"Rückmeldungen von {name}: {voices[audience]} von mindestens {FEWEST}"
        for audience, name in OF_WHOM.items()
        if 0 < voices.get(audience, 0) < FEWEST
    ]


def _oriented(result: RoundResult, figure: Figure) -> float:
    """The median as if 5 were best."""
    median = figure.median or 0.0
    return median if result.higher_is_better else 6 - median


def agreement_rule(figures: Agreement) -> str | None:
    """The rule by which raters agree well enough, or None where they do not: ordinal alpha; or,
    where it cannot be determined or ratings crowd at one end, a high AC2 with nearly all pairs
    within one level."""
    alpha, ac2, near = figures.alpha["ordinal"].value, figures.ac2.value, figures.near_share
    if alpha is not None and alpha >= TENTATIVE:
        return "Alpha"
    crowded = figures.end_share is not None and figures.end_share >= CROWDED_SHARE
    if (alpha is None or crowded) and ac2 is not None and near is not None:
        return "AC2" if ac2 >= AC2 and near >= NEAR_SHARE else None
    return None
