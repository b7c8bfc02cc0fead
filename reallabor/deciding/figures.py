"""The figures of a scenario, once: page, files, command line and papers show these cells only."""

from dataclasses import dataclass

from reallabor.deciding.benefit import Amount, case_cost, net_minutes
from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.gates import WORDS, GateState
from reallabor.deciding.readiness import agreement_rule
from reallabor.german import UNKNOWN, cents, count, date, number, span
from reallabor.models import Audience
from reallabor.rating.agreement import least_alpha
from reallabor.rating.results import PRECISION
from reallabor.rating.voice_results import FEWEST
from reallabor.thresholds import load_thresholds

TITLES = {
    "readiness": "Reifegrad",
    "score": "Punktwert",
    "gates": "Ausschlusskriterien",
    "agreement": "Übereinstimmung",
    "n_cases": "Fälle",
    "n_raters": "Bewertende",
    "n_organisations": "Organisationen",
    "net_minutes": "Netto gesparte Minuten je Jahr",
    "staff": "Akzeptanz Beschäftigte",
    "clients": "Akzeptanz Kund:innen",
    "cost": "Kosten je Fall",
    "decision": "Beschluss",
}
"""German column titles by key, in their order."""

_MEANINGS = {
    "readiness": "Was nach den Regeln des Reallabors vor einer Weiterentwicklung noch fehlt.",
    "score": "Mittel der Kandidatenvariante über alle Fälle auf der Skala 0 bis 100; in Klammern "
    "der Bereich, in dem das wahre Mittel mit 95 % Sicherheit liegt.",
    "gates": "Was nicht verfehlt sein darf, gleich wie hoch der Punktwert ist.",
    "agreement": "Auf wie vielen Kriterien die Bewertenden gut genug übereinstimmen (Alpha ab "
    "{alpha}, bei gedrängten Bewertungen AC2).",
    "n_cases": "Fälle, zu denen die Kandidatenvariante bewertet ist.",
    "n_raters": "Menschen, die in der Runde bewertet haben.",
    "n_organisations": "Häuser, deren Ausgaben bewertet sind.",
    "net_minutes": "Fälle im Jahr mal (Minuten ohne KI minus mittlere Minuten Nacharbeit).",
    "staff": "Mittel der Antworten Beschäftigter auf die Frage, ob sie mit dem Programm arbeiten "
    "würden; erst ab fünf Antworten.",
    "clients": "Mittel der Antworten von Kund:innen auf die Frage, ob sie das Programm nutzen "
    "würden; erst ab fünf Antworten.",
    "cost": "Mittel der Kosten, die mit den bewerteten Ausgaben des Kandidaten aufgezeichnet sind, "
    "sonst eine Angabe des Pilotteams.",
    "decision": "Was der Lenkungskreis zuletzt beschlossen hat.",
}

NOT_YET = "Noch keine Bewertungsrunde freigegeben."
NO_CANDIDATE = "Kein Kandidat benannt, auf den sich ein Punktwert bezöge."


@dataclass(frozen=True)
class Cell:
    """One figure of one scenario."""

    key: str
    """A key of TITLES."""
    title: str
    text: str
    """As shown everywhere; UNKNOWN where it cannot be determined."""
    value: float | None
    """The number behind it, for sorting and export."""
    low: float | None
    """Ends of the 95 % interval."""
    high: float | None
    n: int | None
    """Cases, answers or criteria behind it."""
    unit: str
    """German; empty where it has none."""
    why: str
    """German sentences that explain the figure, or why there is none."""


def meanings() -> dict[str, str]:
    """What each column means, one German sentence each, by key of TITLES."""
    alpha = least_alpha(load_thresholds().alpha)
    return {key: text.format(alpha=alpha) for key, text in _MEANINGS.items()}


def scenario_cells(comparison: ScenarioComparison) -> list[Cell]:
    """All figures of a scenario, in the order of TITLES."""
    result, candidate = comparison.result, comparison.candidate
    return [
        _readiness(comparison),
        _score(comparison),
        _gates(comparison),
        agreement_cell(comparison),
        _number("n_cases", candidate.n_cases if candidate else 0, "Fälle",
                f"Fälle des Kandidaten {candidate.title}." if candidate
                else NO_CANDIDATE if result else NOT_YET),
        _number("n_raters", result.n_raters if result else 0, "Personen",
                f"Runde {result.number}." if result else NOT_YET),
        _number("n_organisations", result.n_organisations if result else 0, "Organisationen",
                _houses(comparison) if result else NOT_YET),
        _minutes(comparison),
        _voice(comparison, "staff", Audience.STAFF),
        _voice(comparison, "clients", Audience.CLIENTS),
        _cost(comparison),
        _decision(comparison),
    ]  # fmt: skip


def figure_text(mean: float | None, low: float | None, high: float | None, digits: int = 1) -> str:
    """`74,2 (69,8 bis 78,1)`; without an interval the value alone."""
    if mean is None or low is None or high is None:
        return number(mean, digits)
    return f"{number(mean, digits)} ({span(low, high, digits)})"


def _cell(
    key: str,
    text: str,
    why: str,
    *,
    value: float | None = None,
    low: float | None = None,
    high: float | None = None,
    n: int | None = None,
    unit: str = "",
) -> Cell:
    return Cell(key, TITLES[key], text, value, low, high, n, unit, why)


def _number(key: str, value: int, unit: str, why: str) -> Cell:
    return _cell(key, number(value, 0), why, value=value, n=value, unit=unit)


def _readiness(comparison: ScenarioComparison) -> Cell:
    missing = comparison.readiness.missing
    if comparison.result is None:
        return _cell("readiness", "noch nicht bewertet", f"Es fehlt: {'; '.join(missing)}.",
                     n=len(missing))  # fmt: skip
    if not missing:
        return _cell("readiness", "bereit", "Alle Voraussetzungen sind erfüllt.", value=0, n=0,
                     unit="offen")  # fmt: skip
    text = count(len(missing), "Punkt fehlt", "Punkte fehlen")
    return _cell("readiness", text, f"Es fehlt: {'; '.join(missing)}.",
                 value=len(missing), n=len(missing), unit="offen")  # fmt: skip


def _score(comparison: ScenarioComparison) -> Cell:
    candidate = comparison.candidate
    if candidate is None:
        why = NO_CANDIDATE if comparison.result else NOT_YET
        return _cell("score", UNKNOWN, why, unit="Punkte")
    score = candidate.score
    low, high = score.interval.low, score.interval.high
    cases = count(score.n, "Fall", "Fällen")
    why = f"Mittel von {candidate.title} aus {cases}." if score.mean is not None else ""
    if score.interval.reason:
        why = f"{why} {score.interval.reason}".strip()
    if score.mean is not None and (more := more_cases(comparison)):
        why += f" {more}"
    return _cell("score", figure_text(score.mean, low, high), why, value=score.mean, low=low,
                 high=high, n=score.n, unit="Punkte")  # fmt: skip


def more_cases(comparison: ScenarioComparison) -> str:
    """`Noch 14 Fälle bis ± 5 Punkte.`, or why that is not known; empty where precision suffices."""
    further = comparison.candidate.further if comparison.candidate else None
    if further is None:
        return ""
    if further.cases is None:
        return f"Wie viele Fälle noch fehlen, ist nicht bestimmbar: {further.reason}"
    cases = count(further.cases, "Fall", "Fälle")
    return f"Noch {cases} bis ±\u00a0{number(PRECISION, 0)} Punkte."


def _gates(comparison: ScenarioComparison) -> Cell:
    gates = comparison.gates
    if not gates:
        return _cell("gates", "keine", "Für dieses Szenario sind keine hinterlegt.", n=0)
    order = (GateState.MISSED, GateState.OPEN, GateState.PASSED)
    named = {state: [gate.title for gate in gates if gate.state == state] for state in order}
    text = ", ".join(f"{len(titles)} {WORDS[state]}" for state, titles in named.items() if titles)
    why = " ".join(
        f"{WORDS[state].capitalize()}: {'; '.join(titles)}."
        for state, titles in named.items()
        if titles and state != GateState.PASSED
    )
    unpassed = len(gates) - len(named[GateState.PASSED])
    return _cell("gates", text, why or "Alle sind erfüllt.", value=unpassed, n=len(gates),
                 unit="nicht erfüllt")  # fmt: skip


def agreement_cell(comparison: ScenarioComparison) -> Cell:
    result, agreement = comparison.result, comparison.agreement
    if result is None or not agreement:
        return _cell("agreement", UNKNOWN, NOT_YET)
    weak = [result.criteria[key] for key, each in agreement.items() if agreement_rule(each) is None]
    enough = len(agreement) - len(weak)
    alphas = [a for each in agreement.values() if (a := each.alpha["ordinal"].value) is not None]
    lowest = f" Niedrigstes Alpha: {number(min(alphas), 2)}." if alphas else ""
    why = f"Zu gering oder nicht bestimmbar: {'; '.join(weak)}." if weak else "Auf allen Kriterien."
    return _cell("agreement", f"{enough} von {len(agreement)} Kriterien", why + lowest,
                 value=enough, n=len(agreement), unit="Kriterien")  # fmt: skip


def _houses(comparison: ScenarioComparison) -> str:
    return "Beteiligt: " + ", ".join(house_names(comparison)) + "."


def house_names(comparison: ScenarioComparison) -> list[str]:
    """The organisations of a scenario; one that takes part no more says so."""
    return [
        f"{name} (ausgeschieden)" if left_on else name
        for name, left_on in comparison.organisations.items()
    ]


def _minutes(comparison: ScenarioComparison) -> Cell:
    if comparison.result is None:
        return _cell("net_minutes", UNKNOWN, NOT_YET, unit="Minuten je Jahr")
    candidate = comparison.candidate
    saved = net_minutes(comparison.content, candidate)
    if saved.value is None or candidate is None:
        return _cell("net_minutes", UNKNOWN, saved.why, unit="Minuten je Jahr", n=0)
    volume, baseline = comparison.content["yearly_volume"], comparison.content["baseline_minutes"]
    why = (
        f"{number(volume, 0)} Fälle im Jahr, {number(baseline, 1)} Minuten je Fall ohne KI "
        f"(Angaben des Pilotteams), {number(candidate.rework.mean)} Minuten Nacharbeit im Mittel "
        f"aus {count(candidate.rework.n, 'Fall', 'Fällen')}. {saved.why}"
    )
    return _amount("net_minutes", saved, why.strip(), "Minuten je Jahr", 0)


def _cost(comparison: ScenarioComparison) -> Cell:
    cost = case_cost(comparison.content, comparison.candidate)
    why, digits = cost.why, 2
    if cost.value is not None and cost.n is not None:
        cases = count(cost.n, "Fall", "Fällen")
        why = f"Aufgezeichnet mit den Ausgaben des Kandidaten zu {cases}. {why}".strip()
        digits = 4 if 0 < cost.value < 1 else 2
    elif cost.value is not None:
        digits = cents(cost.value)  # as stated; what was measured has digits of its own
    return _amount("cost", cost, why, "Euro je Fall", digits)


def _amount(key: str, amount: Amount, why: str, unit: str, digits: int) -> Cell:
    text = figure_text(amount.value, amount.low, amount.high, digits)
    return _cell(key, text, why, value=amount.value, low=amount.low, high=amount.high, n=amount.n,
                 unit=unit)  # fmt: skip


def _voice(comparison: ScenarioComparison, key: str, audience: Audience) -> Cell:
    heard = comparison.voices[audience]
    answer = heard.answer
    if answer is None:
        why = "Danach wurde nicht gefragt." if heard.heard else "Niemand hat geantwortet."
        return _cell(key, UNKNOWN, why, n=heard.heard)
    unit = f"Stufe {min(answer.levels)} bis {max(answer.levels)}"
    if answer.counts is None or answer.interval is None:
        why = f"Erst {answer.n} von mindestens {FEWEST} Antworten; weniger werden nicht gezeigt."
        return _cell(key, UNKNOWN, why, n=answer.n, unit=unit)
    why = f"„{answer.question}“: {count(answer.n, 'Antwort', 'Antworten')} ({unit})."
    if answer.mean is None:
        return _cell(key, UNKNOWN, f"{why} {answer.interval.reason}", n=answer.n, unit=unit)
    low, high = answer.interval.low, answer.interval.high
    return _cell(key, figure_text(answer.mean, low, high), why, value=answer.mean, low=low,
                 high=high, n=answer.n, unit=unit)  # fmt: skip


def _decision(comparison: ScenarioComparison) -> Cell:
    decision = comparison.decision
    if decision is None:
        return _cell("decision", "noch keiner", "Der Lenkungskreis hat noch nicht beschlossen.")
    why = f"{date(decision.decided_at)}, {decision.decided_by}: {decision.reason}"
    return _cell("decision", str(decision.verdict), why)
