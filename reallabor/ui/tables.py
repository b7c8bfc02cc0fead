"""Figures as plain tables; beside every chart stands one."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.gates import Gate, GateState
from reallabor.deciding.readiness import agreement_rule
from reallabor.german import date, number, share, span
from reallabor.rating.results import Figure, RoundResult, VariantResult
from reallabor.recording.indicators import TITLES
from reallabor.recording.measures import BOUND, COUNT, HIGH, LOW, MISSED, SHARES
from reallabor.recording.runs import WAYS, OutputView, RunSummary
from reallabor.recording.values import value_text
from reallabor.scenarios import FieldContent
from reallabor.ui.page import plain

_SHARES = frozenset(key for key in TITLES if key.endswith("_share"))


def show_table(table: pd.DataFrame) -> None:
    """A plain HTML table; no cell, row or column name is read as Markdown."""
    st.table(table.map(plain).rename(index=plain, columns=plain))


def indicator_table(runs: Sequence[RunSummary], measures: Mapping[str, str]) -> pd.DataFrame:
    """Indicators as rows, runs as columns; `measures` are the titles of the scenario's own."""
    rows = {
        _column(run, runs): {
            **{title: measure_cell(key, run.indicators) for key, title in measures.items()},
            **{
                title: _indicator(key, run.indicators[key])
                for key, title in TITLES.items()
                if key in run.indicators and key not in measures and key != "n_cases"
            },
        }
        for run in runs
    }
    table = pd.DataFrame(rows).fillna("–")
    table.index.name = "Kennzahl"
    return table


def runs_table(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """Runs as rows: what, who, when, how it came in, and whether it is whole."""
    rows = [
        {
            "Variante": run.name,
            "Organisation": run.organisation or "–",
            "Stand": date(run.finished_at),
            "Ausgaben": number(run.n_outputs, 0),
            "Fehler": number(run.n_failed, 0),
            "Nicht zugeordnet": number(run.n_unassigned, 0),
            "Weg": WAYS[run.way].replace("`", ""),
        }
        for run in runs
    ]
    return pd.DataFrame(rows).set_index("Variante")


def measure_cell(key: str, metrics: Mapping[str, float]) -> str:
    """A measure with its interval and n; a recall without a miss with the bound that is proved."""
    value = metrics.get(key)
    if value is None:
        return "–"
    n = metrics.get(key + COUNT, 0)
    if key + MISSED in metrics:
        missed = metrics[key + MISSED]
        if not missed and key + BOUND in metrics:
            bound = share(metrics[key + BOUND])
            return f"0 von {n:g} übersehen, belegt: mindestens {bound} erkannt"
        return f"{missed:g} von {n:g} übersehen, erkannt {share(value)}{_ends(key, metrics, True)}"
    as_share = key in SHARES
    shown = share(value) if as_share else number(value, 2)
    return f"{shown}{_ends(key, metrics, as_share)}, n = {n:g}"


def _ends(key: str, metrics: Mapping[str, float], as_share: bool) -> str:
    low, high = metrics.get(key + LOW), metrics.get(key + HIGH)
    if low is None or high is None:
        return ""
    if as_share:
        return f" ({span(100 * low, 100 * high, 0)} %)"
    return f" ({span(low, high, 2)})"


def _column(run: RunSummary, runs: Sequence[RunSummary]) -> str:
    same = [each for each in runs if each.name == run.name]
    if len(same) == 1:
        return run.name
    houses = [each.organisation for each in same]
    if houses.count(run.organisation) == 1:
        return f"{run.name} ({run.organisation})"
    return f"{run.name} ({run.organisation}, {date(run.finished_at)}, Nr. {run.run_id})"


def field_table(
    fields: Sequence[FieldContent], *outputs: tuple[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """The structured parts of outputs: fields as rows, a column per output."""
    rows = {
        title: {field.title: value_text(values.get(field.key)) for field in fields}
        for title, values in outputs
    }
    table = pd.DataFrame(rows)
    table.index.name = "Feld"
    return table


def output_table(outputs: Sequence[OutputView]) -> pd.DataFrame:
    """Outputs as rows, for choosing one."""
    rows = [
        {
            "Fall": output.case,
            "Thema": output.topic or "–",
            "Grenzfall": "ja" if output.edge else "",
            "Ausgabe": _short(output.text or ""),
            "Fehler": _short(output.error or ""),
            "Antwortzeit": "–"
            if output.latency_ms is None
            else f"{number(output.latency_ms, 0)} ms",
        }
        for output in outputs
    ]
    return pd.DataFrame(rows).set_index("Fall")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else f"{line[:119]}…"


def _indicator(key: str, value: float) -> str:
    if key in _SHARES:
        return share(value)
    return number(value, 0 if abs(value) >= 20 else 1)


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


def metrics_table(result: RoundResult, measures: Mapping[str, str]) -> pd.DataFrame:
    """Measures as rows, the rated runs as columns."""
    rows = {
        variant_name(variant) + (f" ({each.organisation})" if len(variant.strata) > 1 else ""): {
            title: measure_cell(key, each.metrics) for key, title in measures.items()
        }
        for variant in result.variants
        for each in variant.strata
    }
    table = pd.DataFrame(rows)
    table.index.name = "Kennzahl"
    return table


def strata_table(result: RoundResult) -> pd.DataFrame:
    """Variants and organisations as rows: the score of each house by itself."""
    rows = [
        {
            "Variante": variant_name(variant),
            "Organisation": each.organisation or "–",
            "Punktwert": number(each.score.mean),
            "95 %": span(each.score.interval.low, each.score.interval.high),
            "Fälle": number(each.n_cases, 0),
        }
        for variant in result.variants
        for each in variant.strata
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
        {"Ausschlusskriterium": gate.title, "Stand": gate.words}
        for gate in sorted(gates, key=lambda gate: order.index(gate.state))
    ]
    return pd.DataFrame(rows).set_index("Ausschlusskriterium")


def variant_name(variant: VariantResult) -> str:
    """Title with its role."""
    if variant.baseline:
        return f"{variant.title}, ohne KI"
    return f"{variant.title}, Kandidat" if variant.candidate else variant.title
