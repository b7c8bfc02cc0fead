"""Is a scenario ready? Gates and thresholds on the candidate variant; every missing point is
named, with the page on which it is mended. The system suggests, the steering group decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

from reallabor.deciding.candidate import candidate_of
from reallabor.deciding.gates import Gate, GateState
from reallabor.german import number, share
from reallabor.models import Audience
from reallabor.rating.agreement import Agreement
from reallabor.rating.results import Figure, RoundResult, VariantResult
from reallabor.thresholds import Thresholds, load_thresholds

OF_WHOM = {Audience.STAFF: "Beschäftigten", Audience.CLIENTS: "Kund:innen"}
"""Whose voices a scenario needs; fewer than are ever shown do not count."""


class Lack(StrEnum):
    """What kind of point is missing; the suggestion follows from it."""

    STOPPED = "stopped"
    MISSED = "missed"
    """A gate is missed."""
    WEAK = "weak"
    """The candidate is not good enough."""
    OPEN = "open"
    """A gate is still open."""
    DATA = "data"
    """Too little is known."""


@dataclass(frozen=True)
class Missing:
    """One missing point, and where it is mended."""

    text: str
    """German, a phrase without a full stop."""
    page: str
    """Address of the page, such as `pruefpunkte`."""
    query: dict[str, str] = field(default_factory=dict)
    lack: Lack = Lack.DATA

    @property
    def link(self) -> str:
        """Page and query as an address, such as `pruefpunkte?szenario=posteingang`."""
        return f"{self.page}?{urlencode(self.query)}" if self.query else self.page


@dataclass(frozen=True)
class Readiness:
    """All that is missing; ready where that is nothing."""

    points: list[Missing]
    """In reading order: a stop, gates, thresholds."""

    @property
    def missing(self) -> list[str]:
        """The points in German."""
        return [point.text for point in self.points]

    @property
    def gates(self) -> list[str]:
        """Those of them that are gates, missed or open."""
        return [each.text for each in self.points if each.lack in (Lack.MISSED, Lack.OPEN)]

    @property
    def ready(self) -> bool:
        return not self.points


def readiness(
    slug: str,
    result: RoundResult | None,
    gates: Sequence[Gate],
    agreement: Mapping[str, Agreement],
    voices: Mapping[Audience, int],
    *,
    stopped: bool,
) -> Readiness:
    """All points of the readiness rule that are not met, in reading order; `voices` are the answers
    of staff and clients in the largest survey of each."""
    rules, scenario = load_thresholds(), {"szenario": slug}
    points = [_stop(gates, scenario)] if stopped else []
    if result is None:
        text = "Noch keine Bewertungsrunde freigegeben"
        return Readiness([*points, Missing(text, "bewertung-planen", scenario)])
    points += [_gate_point(gate, scenario) for gate in gates
               if gate.state != GateState.PASSED and not (stopped and gate.stops)]  # fmt: skip
    variant = candidate_of(result)
    if variant is None:
        text = "Kein Kandidat benannt: welche Variante weiterentwickelt werden soll"
        points.append(Missing(text, "steckbrief", scenario))
    else:
        points += _results_missing(result, variant, rules, scenario)
        if result.candidate is None:
            text = f"Kandidat nachträglich gewählt: {variant.title}"
            points.append(Missing(text, "bewertung-planen", scenario))
    points += [
        Missing(
            f"Übereinstimmung zu gering oder nicht bestimmbar: {result.criteria[key]}",
            "uebereinstimmung", {"runde": str(result.round_id)},
        )
        for key, figures in agreement.items()
        if agreement_rule(figures) is None
    ]  # fmt: skip
    if not any(each.baseline for each in result.variants):
        points.append(Missing("Kein Vergleichswert ohne KI", "hochladen", scenario))
    if result.n_organisations < rules.organisations:
        text = (
            f"Erprobt in {result.n_organisations} von mindestens {rules.organisations} "
            "Organisationen"
        )
        points.append(Missing(text, "hochladen", scenario))
    return Readiness(points + _voices_missing(voices, rules, scenario))


def _stop(gates: Sequence[Gate], scenario: dict[str, str]) -> Missing:
    gate = next(each for each in gates if each.stops)
    text = f"Erprobung gestoppt: {gate.title} ({gate.article}) ist verfehlt"
    return Missing(text, "pruefpunkte", {**scenario, "punkt": gate.key}, Lack.STOPPED)


def _gate_point(gate: Gate, scenario: dict[str, str]) -> Missing:
    missed = gate.state == GateState.MISSED
    text = f"Ausschlusskriterium {'verfehlt' if missed else 'offen'}: {gate.title}"
    if gate.problem:
        text += f" ({gate.problem})"
    lack = Lack.MISSED if missed else Lack.OPEN
    if gate.of_law:
        return Missing(text, "pruefpunkte", {**scenario, "punkt": gate.key}, lack)
    # Only better outputs mend what ratings or metrics miss.
    return Missing(text, "hochladen" if missed else "bewertung-planen", scenario, lack)


def _results_missing(
    result: RoundResult, variant: VariantResult, rules: Thresholds, scenario: dict[str, str]
) -> list[Missing]:
    missing = []
    score = variant.score.mean
    if score is None:
        missing.append(Missing("Kein Punktwert bestimmbar", "bewertung-planen", scenario))
    elif score < rules.score:
        text = f"Punktwert {number(score)} unter {rules.score:g}"
        missing.append(Missing(text, "hochladen", scenario, Lack.WEAK))
    missing += [
        Missing(f"Median unter {rules.median:g}: {result.criteria[key]}", "hochladen", scenario,
                Lack.WEAK)
        for key, figure in variant.criteria.items()
        if result.five_levels
        and figure.median is not None
        and _oriented(result, figure) < rules.median
    ]  # fmt: skip
    if variant.n_cases < rules.cases:
        text = f"{variant.n_cases} von mindestens {rules.cases} Fällen bewertet"
        missing.append(Missing(text, "steckbrief", scenario))
    if result.n_cases and result.n_edge_cases < rules.edge_share * result.n_cases:
        text = f"Weniger als {share(rules.edge_share)} Grenzfälle"
        missing.append(Missing(text, "steckbrief", scenario))
    return missing


def _voices_missing(
    voices: Mapping[Audience, int], rules: Thresholds, scenario: dict[str, str]
) -> list[Missing]:
    silent = [name for audience, name in OF_WHOM.items() if not voices.get(audience)]
    texts = [f"Rückmeldungen von {' und '.join(silent)} fehlen"] if silent else []
    texts += [
        f"Rückmeldungen von {name}: {voices[audience]} von mindestens {rules.voices}"
        for audience, name in OF_WHOM.items()
        if 0 < voices.get(audience, 0) < rules.voices
    ]
    return [Missing(text, "rueckmeldungen", scenario) for text in texts]


def _oriented(result: RoundResult, figure: Figure) -> float:
    """The median as if 5 were best."""
    median = figure.median or 0.0
    return median if result.higher_is_better else 6 - median


def agreement_rule(figures: Agreement) -> str | None:
    """The rule by which raters agree well enough, or None where they do not: ordinal alpha; or,
    where it cannot be determined or ratings crowd at one end, a high AC2 with nearly all pairs
    within one level."""
    rules = load_thresholds()
    alpha, ac2, near = figures.alpha["ordinal"].value, figures.ac2.value, figures.near_share
    if alpha is not None and alpha >= rules.alpha:
        return "Alpha"
    crowded = figures.end_share is not None and figures.end_share >= rules.crowded_share
    if (alpha is None or crowded) and ac2 is not None and near is not None:
        return "AC2" if ac2 >= rules.ac2 and near >= rules.near_share else None
    return None
