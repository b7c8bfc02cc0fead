"""What language models said beside people: a table and a dot plot for each, on the page of
agreement. They stand by themselves, because they count in no score."""

import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from reallabor.german import UNKNOWN, count, date, number, span
from reallabor.rating.judge_results import CriterionJudgement, JudgeColumn
from reallabor.statistics import AlternativeAnnotatorTest, Estimate
from reallabor.ui.charts import Dot, dot_plot
from reallabor.ui.page import plain
from reallabor.ui.tables import show_table

OUTPUTS, VARIANTS, TEST = "Rangfolge Ausgaben", "Rangfolge Varianten", "Ersatztest"


def judge_panel(columns: Sequence[JudgeColumn]) -> None:
    """All language models that judged a released round; nothing where none did."""
    if not columns:
        return
    st.header("Sprachmodelle neben den Bewertenden", anchor=False)
    st.write(
        "Ein Sprachmodell hat dieselben Ausgaben nach demselben Bewertungsraster beurteilt, ohne "
        "zu wissen, von welchem System sie stammen. Sein Urteil **zählt nie im Punktwert** und "
        "wird nie mit dem von Menschen zusammengerechnet."
    )
    st.caption(
        f"Abstand: um wie viele Stufen das Sprachmodell im Mittel höher (+) oder niedriger (−) "
        "liegt als Menschen, mit 95-%-Intervall. Rangfolge nach Spearman: 1 heißt gleiche "
        f"Reihenfolge, 0 keine gemeinsame, −1 umgekehrt. {TEST}: hinter wie vielen Personen das "
        "Sprachmodell nicht merklich zurückbleibt; bestanden ab der Hälfte (Alternative-Annotator-"
        "Test, Calderon u. a. 2025, ε = 0,2)."
    )
    for column in columns:
        _show_column(column)


def judge_table(column: JudgeColumn) -> pd.DataFrame:
    """Criteria as rows: means, distance with interval, rank correlations, test; each with n."""
    rows = [
        {
            "Kriterium": figures.title,
            "Ausgaben": number(figures.n, 0),
            "Menschen": number(figures.people_mean, 2),
            "Sprachmodell": number(figures.judge_mean, 2),
            "Abstand": _distance(figures),
            OUTPUTS: number(figures.by_output.spearman.value, 2),
            VARIANTS: _of_variants(figures.by_variant),
            TEST: verdict(figures.test),
        }
        for figures in column.criteria.values()
    ]
    return pd.DataFrame(rows).set_index("Kriterium")


def undetermined(column: JudgeColumn) -> list[str]:
    """Why figures are missing: a sentence per figure and reason, with the criteria concerned."""
    found: dict[tuple[str, str], list[str]] = {}
    for figures in column.criteria.values():
        interval = figures.by_output.bias_interval
        for title, reason in (
            ("Intervall des Abstands", interval.reason if interval.low is None else None),
            (OUTPUTS, figures.by_output.spearman.reason),
            (VARIANTS, figures.by_variant.reason),
            (TEST, figures.test.reason),
        ):
            if reason:
                found.setdefault((title, reason), []).append(figures.title)
    return [
        f"{title}, {_named(titles, column)}: {reason}" for (title, reason), titles in found.items()
    ]


def verdict(test: AlternativeAnnotatorTest) -> str:
    """Against how many people the model holds its ground, and whether that is enough."""
    if test.winning_rate is None:
        return UNKNOWN
    word = "bestanden" if test.passed else "nicht bestanden"
    won = sum(each.won for each in test.raters)
    return f"{won} von {len(test.raters)}, {word}"


def _show_column(column: JudgeColumn) -> None:
    st.subheader(plain(column.model), anchor=False)
    said = f"{count(column.judged, 'Ausgabe', 'Ausgaben')} beurteilt am {date(column.started_at)}"
    if column.failed:
        said += f", zu {column.failed} keine brauchbare Antwort"
    st.text(f"{said}. Adresse: {column.host}")  # as text: Markdown would make a link of it
    if not column.finished:
        st.warning(
            "Dieses Sprachmodell ist noch nicht mit allen Ausgaben fertig; `reallabor judge` macht "
            "weiter.",
            icon=":material/hourglass_bottom:",
        )
    dots = [_dot(figures) for figures in column.criteria.values()]
    if shown := [dot for dot in dots if dot is not None]:
        ends = [abs(end) for dot in shown for end in (dot.mean, dot.low, dot.high)
                if end is not None]  # fmt: skip
        reach = max(1, math.ceil(max(ends)))
        dot_plot(
            shown, title=f"Abstand von {column.model} ({column.host}) zu den Menschen je Kriterium",
            axis="Abstand in Stufen", limits=(-reach, reach), digits=2,
        )  # fmt: skip
    show_table(judge_table(column))
    if reasons := undetermined(column):
        st.caption(f"{UNKNOWN}: nicht bestimmbar.")
        st.markdown("\n".join(f"- {plain(reason)}" for reason in reasons))


def _dot(figures: CriterionJudgement) -> Dot | None:
    bias, interval = figures.by_output.bias, figures.by_output.bias_interval
    if bias is None:
        return None
    return Dot(figures.title, "Sprachmodell", bias, interval.low, interval.high, figures.n)


def _distance(figures: CriterionJudgement) -> str:
    bias, interval = figures.by_output.bias, figures.by_output.bias_interval
    if bias is None:
        return UNKNOWN
    sign = "+" if round(bias, 2) > 0 else ""
    ends = "" if interval.low is None else f" ({span(interval.low, interval.high, 2)})"
    return f"{sign}{number(bias, 2)}{ends}"


def _of_variants(estimate: Estimate) -> str:
    if estimate.value is None:
        return UNKNOWN
    return f"{number(estimate.value, 2)} (n\u00a0=\u00a0{estimate.units})"


def _named(titles: Sequence[str], column: JudgeColumn) -> str:
    return "alle Kriterien" if len(titles) == len(column.criteria) else ", ".join(titles)
