"""Figures as plain tables; beside every chart stands one."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from reallabor.deciding.agenda import RunSummary
from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.readiness import Gate, GateState, agreement_rule, candidate_of
from reallabor.german import UNKNOWN, count, date, number, share, span
from reallabor.rating.results import Figure, RoundResult, VariantResult
from reallabor.recording.indicators import TITLES
from reallabor.ui.page import plain

GATE_WORDS = {
    GateState.PASSED: "erfüllt",
    GateState.MISSED: "verfehlt",
    GateState.OPEN: "offen",
}
_SHARES = frozenset(key for key in TITLES if key.endswith("_share"))


def show_table(table: pd.DataFrame) -> None:
    """A plain HTML table; no cell, row or column name is read as Markdown."""
    st.table(table.map(plain).rename(index=plain, columns=plain))


def run_table(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """Runs as rows, with the automatic indicators."""
    titles = [run.variant for run in runs]
    rows = {
        run.variant if titles.count(run.variant) == 1 else f"{run.variant}, {run.organisation}": {
            "Organisation": run.organisation or "–",
            "Stand": date(run.finished_at),
            "Ausgaben": number(run.n_outputs, 0),
            **{
                title: _indicator(key, run.indicators[key])
                for key, title in TITLES.items()
                if key in run.indicators and key != "n_cases"
            },
        }
        for run in runs
    }
    table = pd.DataFrame(rows).fillna("–")
    table.index.name = "Kennzahl"
    return table


def _indicator(key: str, value: float) -> str:
    if key in _SHARES:
        return share(value)
    return number(value, 0 if abs(value) >= 20 else 1)


def overview_table(comparisons: Sequence[ScenarioComparison]) -> pd.DataFrame:
    """Scenarios as rows: the candidate's score, gates, agreement, n, readiness, decision."""
    return pd.DataFrame([_overview(each) for each in comparisons]).set_index("Szenario")


def _overview(comparison: ScenarioComparison) -> dict[str, str]:
    result = comparison.result
    candidate = candidate_of(result) if result else None
    score = candidate.score if candidate else None
    interval = score.interval if score else None
    return {
        "Szenario": comparison.title + (" (Demodaten)" if comparison.demo else ""),
        "Kandidat": candidate.title if candidate else "–",
        "Punktwert": number(score.mean) if score else UNKNOWN,
        "95 %": span(interval.low, interval.high) if interval else UNKNOWN,
        "Fälle": number(candidate.n_cases if candidate else 0, 0),
        "Bewertende": number(result.n_raters, 0) if result else "0",
        "Organisationen": number(result.n_organisations, 0) if result else "0",
        "Ausschlusskriterien": _gates_in_words(comparison.gates),
        "Reifegrad": _readiness_in_words(comparison),
        "Beschluss": str(comparison.decision.verdict) if comparison.decision else "–",
    }  # fmt: skip


def _readiness_in_words(comparison: ScenarioComparison) -> str:
    if comparison.result is None:
        return "noch nicht bewertet"
    if comparison.readiness.ready:
        return "bereit"
    return count(len(comparison.readiness.missing), "Voraussetzung offen", "Voraussetzungen offen")


def _gates_in_words(gates: Sequence[Gate]) -> str:
    if not gates:
        return "keine"
    counts = [
        (sum(gate.state == state for gate in gates), word) for state, word in GATE_WORDS.items()
    ]
    return ", ".join(f"{n} {word}" for n, word in counts if n)


def variant_table(result: RoundResult) -> pd.DataFrame:
    """Variants as rows: score with interval, n and the share of weak outputs."""
    rows = [
        {
            "Variante": variant_name(variant),
            "Punktwert": number(variant.score.mean),
            "95 %": span(variant.score.interval.low, variant.score.interval.high),
            "Fälle": number(variant.n_cases, 0),
            "Bewertungen": number(variant.n_ratings, 0),
            "Fälle mit Stufe 1–2": share(variant.low_share),
        }
        for variant in result.variants
    ]
    return pd.DataFrame(rows).set_index("Variante")


def criteria_table(result: RoundResult) -> pd.DataFrame:
    """Criteria as rows, variants as columns: mean, interval and n in one cell."""
    rows = {
        variant_name(variant): {
            result.criteria[key]: _cell(figure) for key, figure in variant.criteria.items()
        }
        for variant in result.variants
    }
    table = pd.DataFrame(rows)
    table.index.name = "Kriterium"
    return table


def _cell(figure: Figure) -> str:
    if figure.mean is None:
        return "nicht bewertet"
    ends = span(figure.interval.low, figure.interval.high, 2)
    return f"{number(figure.mean, 2)} ({ends}; n = {figure.n})"


def agreement_table(comparison: ScenarioComparison) -> pd.DataFrame:
    """Criteria as rows: alpha, AC2, raw agreement."""
    titles = comparison.result.criteria if comparison.result else {}
    rows = [
        {
            "Kriterium": titles.get(key, key),
            "Alpha (ordinal)": number(figures.alpha["ordinal"].value, 2),
            "AC2": number(figures.ac2.value, 2),
            "Gleiche Stufe": share(figures.raw_agreement.value),
            "Höchstens eine Stufe auseinander": share(figures.near_share),
            "Reicht aus": f"ja, nach {rule}" if (rule := agreement_rule(figures)) else "nein",
        }
        for key, figures in comparison.agreement.items()
    ]
    return pd.DataFrame(rows).set_index("Kriterium")


def gate_table(gates: Sequence[Gate]) -> pd.DataFrame:
    """Gates as rows, missed ones first."""
    order = [GateState.MISSED, GateState.OPEN, GateState.PASSED]
    rows = [
        {"Ausschlusskriterium": gate.title, "Stand": GATE_WORDS[gate.state]}
        for gate in sorted(gates, key=lambda gate: order.index(gate.state))
    ]
    return pd.DataFrame(rows).set_index("Ausschlusskriterium")


def variant_name(variant: VariantResult) -> str:
    """Title with its role."""
    if variant.baseline:
        return f"{variant.title}, ohne KI"
    return f"{variant.title}, Kandidat" if variant.candidate else variant.title
