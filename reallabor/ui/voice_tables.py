"""Answers to a question as a table with a bar per level: chart and table in one, also on paper."""

import html

import streamlit as st

from reallabor.german import number, share, span
from reallabor.rating.voice_results import FEWEST, QuestionResult

STYLE = """
<style>
table.voices { border-collapse: collapse; width: 100%; max-width: 44rem; margin: .25rem 0; }
table.voices caption { text-align: left; font-weight: 600; padding-bottom: .25rem; }
table.voices th, table.voices td { padding: .2rem .75rem .2rem 0; text-align: left;
  font-weight: 400; border-bottom: 1px solid rgba(128,128,128,.35); }
table.voices .figure { text-align: right; white-space: nowrap; }
table.voices th[scope=row] { width: 30%; }
table.voices td.bar { width: 45%; }
table.voices .bar span { display: block; height: 1rem; background: var(--st-primary-color, #0b5c8a);
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
</style>
"""


def answer_table(result: QuestionResult) -> None:
    """One question; where too few answered it, only how many."""
    if result.counts is None:
        st.markdown(f"**{html.escape(result.question)}**")
        st.caption(f"{result.n} Antworten auf diese Frage; gezeigt wird ab {FEWEST}.")
        return
    rows = "".join(
        f'<tr><th scope="row">{html.escape(text)}</th>'
        f'<td class="bar"><span style="width:{100 * result.counts[level] / result.n:.1f}%"></span>'
        f'</td><td class="figure">{result.counts[level]}</td>'
        f'<td class="figure">{share(result.counts[level] / result.n)}</td></tr>'
        for level, text in result.levels.items()
    )
    st.html(
        f'<table class="voices"><caption>{html.escape(result.question)}</caption>'
        '<thead><tr><th scope="col">Antwort</th><th scope="col">Verteilung</th>'
        '<th scope="col" class="figure">Anzahl</th><th scope="col" class="figure">Anteil</th></tr>'
        f"</thead>{rows}</table>"
    )
    st.caption(_mean(result))


def _mean(result: QuestionResult) -> str:
    if result.mean is None or result.interval is None:
        return f"n = {result.n}"
    low, high = result.interval.low, result.interval.high
    return (
        f"n = {result.n}, Mittelwert {number(result.mean)} von {max(result.levels)} "
        f"(95 %: {span(low, high)})"
    )
