"""What the pilot team states for the comparison: asked in the form, shown on the Steckbrief."""

from typing import Any

import streamlit as st

from reallabor.comparison_scales import ComparisonScale, load_comparison_scales
from reallabor.database import reading
from reallabor.german import euro
from reallabor.people import Person
from reallabor.policies import may_record
from reallabor.recording.creating import ESTIMATE_TITLES, half_estimate, where_to_state
from reallabor.recording.values import as_number
from reallabor.ui.page import plain, refusals

COST = "cost_per_case_eur"
_NO_LEVEL = 0
"""The choice of those who do not know; no scale has it."""


def ask_estimates() -> dict[str, Any]:
    """Both estimates and the cost of a case, as in `scenario.yaml`; None for what is not stated."""
    st.header("2. Für den Vergleich (freiwillig)", anchor=False)
    st.write(
        "Beide Stufen sind Ihre Schätzung und zählen in der Rangfolge auf der Seite „Vergleich“. "
        "Ohne Angabe ist eine Stufe unbekannt und wird dort über die ganze Skala gezogen; das "
        "macht den Gesamtwert unsicherer. Die Kosten stehen dort unter „Alle Szenarien“, solange "
        "zu den bewerteten Ausgaben keine aufgezeichnet sind; gereiht wird nicht danach. Nach dem "
        "Anlegen lässt sich das alles in der App nicht mehr ändern."
    )
    scales = load_comparison_scales()
    stated: dict[str, Any] = {}
    columns = st.columns(2, gap="medium")
    for column, (key, title) in zip(columns, ESTIMATE_TITLES.items(), strict=True):
        with column:
            stated[key] = _ask_estimate(title, scales.criterion(key))
    cost = st.text_input(
        "Kosten je Fall in EUR", key="cost", placeholder="z. B. 0,01",
        help="Laufende Kosten eines Falls, ohne Einführung und Pflege. Leer: nicht angegeben.",
    )  # fmt: skip
    return {**stated, COST: as_number(cost) if cost.strip() else None}


def _ask_estimate(title: str, scale: ComparisonScale) -> dict[str, Any] | None:
    chosen = st.radio(
        plain(f"{title}: {scale.question}"),
        [_NO_LEVEL, *scale.levels],
        key=f"{scale.key}-level",
        format_func=lambda level: plain(scale.level_text(level)) if level else "unbekannt",
    )
    level = chosen or None
    reason = st.text_area(f"{title}: Begründung", max_chars=500, height=80,
                          key=f"{scale.key}-reason")  # fmt: skip
    if problem := half_estimate(level, reason):
        st.warning(problem, icon=":material/edit:")
    return {"level": level, "reason": reason} if level or reason.strip() else None


def show_estimates(slug: str, content: dict[str, Any], person: Person) -> None:
    """What is stated, with the words of its level; where something is missing, what that does and
    where somebody who may do so adds it."""
    st.header("Für den Vergleich", anchor=False)
    with refusals():
        scales = load_comparison_scales()
        cost = content.get(COST)
        texts = {
            **{title: _estimate_text(content.get(key), scales.criterion(key))
               for key, title in ESTIMATE_TITLES.items()},
            "Kosten je Fall": "nicht angegeben" if cost is None else f"{euro(cost)} je Fall",
        }  # fmt: skip
        for column, (title, text) in zip(st.columns(3, gap="medium"), texts.items(), strict=True):
            with column:
                st.markdown(f"**{title}**  \n{text}")
        st.caption("Angaben des Pilotteams, keine Messungen.")
    missing = [key for key in (*ESTIMATE_TITLES, COST) if content.get(key) is None]
    if set(missing) & set(ESTIMATE_TITLES):
        st.caption(
            "Eine Stufe, die nicht angegeben ist, ist in der Rangfolge unbekannt und wird über die "
            "ganze Skala gezogen."
        )
    if missing and may_record(person):
        with reading() as session:
            st.info(plain(where_to_state(session, slug, missing)), icon=":material/edit_note:")


def _estimate_text(estimate: dict[str, Any] | None, scale: ComparisonScale) -> str:
    """Level and reason as Markdown."""
    if estimate is None:
        return "nicht angegeben"
    return (
        f"{plain(scale.level_text(int(estimate['level'])))}  \n"
        f"Begründung: {plain(str(estimate['reason']))}"
    )
