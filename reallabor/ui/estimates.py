"""What the pilot team states for the comparison: asked in the form, shown and changed on the
Steckbrief."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from reallabor.comparison_scales import ComparisonScale, load_comparison_scales
from reallabor.database import reading, transaction
from reallabor.german import euro
from reallabor.people import Person
from reallabor.policies import may_record
from reallabor.recording.creating import (
    COST,
    ESTIMATE_TITLES,
    STATED,
    half_estimate,
    is_created,
    restate,
    where_to_state,
)
from reallabor.recording.values import as_number
from reallabor.ui.page import plain, refusals, say_after_rerun

_NO_LEVEL = 0
"""The choice of those who do not know; no scale has it."""


def ask_estimates() -> dict[str, Any]:
    """Part of the form for a new scenario: what the team states, as in `scenario.yaml`; None for
    what it does not."""
    st.header("2. Für den Vergleich (freiwillig)", anchor=False)
    st.write(
        "Beide Stufen sind Ihre Schätzung und zählen in der Rangfolge auf der Seite „Vergleich“. "
        "Ohne Angabe ist eine Stufe unbekannt und wird dort über die ganze Skala gezogen; das "
        "macht den Gesamtwert unsicherer. Die Kosten stehen dort unter „Alle Szenarien“, solange "
        "zu den bewerteten Ausgaben keine aufgezeichnet sind; gereiht wird nicht danach. Auf dem "
        "Steckbrief lässt sich das alles später ergänzen und ändern."
    )
    return _ask({}, "")


def _ask(before: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Both estimates and the cost of a case, filled with what was stated before; `key` keeps the
    fields of two forms apart."""
    scales = load_comparison_scales()
    stated: dict[str, Any] = {}
    columns = st.columns(2, gap="medium")
    for column, (name, title) in zip(columns, ESTIMATE_TITLES.items(), strict=True):
        with column:
            stated[name] = _ask_estimate(title, scales.criterion(name), before.get(name) or {}, key)
    known = before.get(COST)
    cost = st.text_input(
        "Kosten je Fall in EUR", "" if known is None else repr(known).replace(".", ","),
        key=f"{key}cost", placeholder="z. B. 0,01",
        help="Laufende Kosten eines Falls, ohne Einführung und Pflege. Leer: nicht angegeben.",
    )  # fmt: skip
    return {**stated, COST: as_number(cost) if cost.strip() else None}


def _ask_estimate(
    title: str, scale: ComparisonScale, before: Mapping[str, Any], key: str
) -> dict[str, Any] | None:
    levels = [_NO_LEVEL, *scale.levels]
    chosen = st.radio(
        plain(f"{title}: {scale.question}"),
        levels,
        index=levels.index(before.get("level", _NO_LEVEL)),
        key=f"{key}{scale.key}-level",
        format_func=lambda level: plain(scale.level_text(level)) if level else "unbekannt",
    )
    level = chosen or None
    reason = st.text_area(f"{title}: Begründung", before.get("reason", ""), max_chars=500,
                          height=80, key=f"{key}{scale.key}-reason")  # fmt: skip
    if problem := half_estimate(level, reason):
        st.warning(problem, icon=":material/edit:")
    return {"level": level, "reason": reason} if level or reason.strip() else None


def show_estimates(slug: str, content: dict[str, Any], person: Person, *, seen: str) -> None:
    """What is stated, with the words of its level; where something is missing, what that does and
    where somebody who may do so adds it; and the form that changes it, where the app may. `seen` is
    the checksum of the content."""
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
    missing = [key for key in STATED if content.get(key) is None]
    if set(missing) & set(ESTIMATE_TITLES):
        st.caption(
            "Eine Stufe, die nicht angegeben ist, ist in der Rangfolge unbekannt und wird über die "
            "ganze Skala gezogen."
        )
    if not may_record(person):
        return
    with reading() as session:
        here = is_created(session, slug)
        place = where_to_state(session, slug, missing)
    if missing:
        st.info(plain(place), icon=":material/edit_note:")
    if here:
        with st.expander("Angaben für den Vergleich ändern", icon=":material/edit:"), refusals():
            _show_change(slug, content, person, seen)


def _show_change(slug: str, content: dict[str, Any], person: Person, seen: str) -> None:
    stated = _ask(content, f"{slug}-{seen[:8]}-")
    st.caption(
        "Es gilt sofort im Vergleich. Beschlüsse behalten die Angaben, mit denen sie gefasst "
        "wurden; was vorher hier stand, bleibt im Protokoll."
    )
    if st.button("Angaben übernehmen", key=f"restate-{slug}"):
        with transaction() as session:
            changed = restate(session, slug, stated, seen=seen, actor=person)
        say_after_rerun(
            "Die Angaben für den Vergleich sind geändert." if changed
            else "Die Angaben stehen schon so da; es hat sich nichts geändert."
        )  # fmt: skip


def _estimate_text(estimate: dict[str, Any] | None, scale: ComparisonScale) -> str:
    """Level and reason as Markdown."""
    if estimate is None:
        return "nicht angegeben"
    return (
        f"{plain(scale.level_text(int(estimate['level'])))}  \n"
        f"Begründung: {plain(str(estimate['reason']))}"
    )
