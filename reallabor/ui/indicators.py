"""The automatic indicators of runs: a plot of one, a table of all."""

from collections.abc import Mapping, Sequence

import streamlit as st

from reallabor.recording.indicators import TITLES as INDICATOR_TITLES
from reallabor.recording.measures import COUNT, HIGH, LOW, SHARES
from reallabor.recording.runs import RunSummary
from reallabor.ui.charts import Dot, dot_plot, role_of
from reallabor.ui.page import plain
from reallabor.ui.tables import indicator_table, measure_cell, show_table

GENERAL = {
    key: INDICATOR_TITLES[key]
    for key in ("words_mean", "amstad_mean", "latency_p50_ms", "cost_mean_eur")
}
"""Drawn where a scenario has no measures of its own."""


def show_indicators(runs: Sequence[RunSummary], measures: Mapping[str, str]) -> None:
    """The newest runs against the baseline: a plot of one measure, a table of all."""
    st.header("Kennzahlen", anchor=False)
    st.caption(
        "Automatisch gezählt, neueste Durchläufe. Sie stehen neben den Bewertungen und fließen "
        "nicht in den Punktwert ein. In Klammern der Bereich, in dem der wahre Wert mit 95 % "
        "Sicherheit liegt."
    )
    drawn = {
        key: title
        for key, title in (measures or GENERAL).items()
        if any(key in run.indicators for run in runs)
    }
    if drawn:
        key = st.segmented_control(
            "Kennzahl im Bild", list(drawn), format_func=drawn.__getitem__,
            default=next(iter(drawn)), required=True,
        )  # fmt: skip
        scale = 100.0 if key in SHARES else 1.0
        dots = [
            _dot(run, key, scale, several=_several(run, runs))
            for run in sorted(runs, key=lambda run: run.baseline)
            if key in run.indicators
        ]
        most = max(dot.high or dot.mean for dot in dots)
        dot_plot(
            dots, title=f"{drawn[key]} je Variante",
            limits=(0, 1.15 * most) if key in GENERAL else (0, 1.02 * scale),
            axis=drawn[key] + ("" if key in GENERAL else " (%)" if scale > 1 else " (0 bis 1)"),
            digits=1 if key in GENERAL else 0 if scale > 1 else 2,
        )  # fmt: skip
        for run in runs:
            if run.candidate and key in measures and key in run.indicators:
                st.markdown(f"**{plain(run.variant)}:** {measure_cell(key, run.indicators)}")
    show_table(indicator_table(runs, measures))


def _dot(run: RunSummary, key: str, scale: float, *, several: bool) -> Dot:
    found = run.indicators
    return Dot(
        f"{run.name} ({run.organisation})" if several else run.name,
        role_of(baseline=run.baseline, candidate=run.candidate),
        scale * found[key],
        scale * found[key + LOW] if key + LOW in found else None,
        scale * found[key + HIGH] if key + HIGH in found else None,
        round(found.get(key + COUNT, run.n_outputs)),
    )


def _several(run: RunSummary, runs: Sequence[RunSummary]) -> bool:
    """Whether other houses tried the same variant."""
    return sum(each.variant_key == run.variant_key for each in runs) > 1
