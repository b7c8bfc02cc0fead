"""Neue Fassung: the texts of a rubric anew, as its next version."""

from typing import Any

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.evaluations import CriterionContent
from reallabor.policies import may_edit_rubrics, require
from reallabor.recording.rubric_versions import (
    create_rubric_version,
    newest_rubric,
    write_rubric_file,
)
from reallabor.ui import pages
from reallabor.ui.page import asked_number, page, plain, say_after_rerun

LONGEST_ANCHOR, LONGEST_QUESTION = 300, 300


def ask_texts(criterion: CriterionContent, version: int, *, opened: bool) -> dict[str, Any]:
    """Question and anchor texts of one criterion, filled in as they are stored."""
    key = f"{version}-{criterion.key}"
    with st.expander(criterion.title, expanded=opened):
        question = st.text_input("Leitfrage", value=criterion.question, key=f"{key}-question",
                                 max_chars=LONGEST_QUESTION)  # fmt: skip
        levels = {
            level: st.text_input(f"Stufe {level}", value=text, key=f"{key}-{level}",
                                 max_chars=LONGEST_ANCHOR)
            for level, text in sorted(criterion.levels.items())
        }  # fmt: skip
    return {"question": question,
            "levels": {level: text for level, text in levels.items() if text.strip()}}  # fmt: skip


with page("Neue Fassung eines Bewertungsrasters") as me:
    require(may_edit_rubrics, me)
    wanted = st.query_params.get("raster")
    if wanted is None:
        st.info("Welches Raster? Hierher führt die Seite „Übereinstimmung“ einer Runde.")
        st.page_link(pages.COMPARE, label="Zum Vergleich der Szenarien", icon=":material/balance:")
        st.stop()
    with reading() as session:
        base = newest_rubric(session, wanted)
    st.header(f"{plain(base.title)} ({base.name})", anchor=False)
    st.write(
        f"Gespeichert wird als {base.key}@{base.version + 1}; {base.name} bleibt, wie es ist. "
        "Laufende und freigegebene Runden behalten ihre Fassung, die neue gilt frühestens für die "
        "nächste Runde. Gewichte und Ausschlusskriterien bleiben gleich."
    )
    named = st.query_params.get("kriterium")
    with st.form(f"rubric-{base.name}"):
        texts = {
            each.key: ask_texts(each, base.version, opened=named in (None, each.key))
            for each in base.criteria
        }
        saved = st.form_submit_button("Als neue Fassung speichern", type="primary")
    if (round_id := asked_number("runde")) is not None:
        st.page_link(
            pages.AGREEMENT, label="Zurück zur Übereinstimmung", icon=":material/arrow_back:",
            query_params={"runde": str(round_id)},
        )  # fmt: skip
    if saved:
        with transaction() as session:
            content = create_rubric_version(session, base, texts, actor=me)
        written = write_rubric_file(content)
        say_after_rerun(
            f"{content.name} ist gespeichert."
            + (f" Auch evaluations/{written.name} ist auf diesem Stand." if written else
               f" Die Datei evaluations/{content.key}.yaml wurde nicht geändert.")
        )  # fmt: skip
