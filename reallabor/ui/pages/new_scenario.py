"""Neues Szenario: Steckbrief, estimates, cases from a table, and a rubric, chosen or written."""

from typing import Any

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.gates import GENERAL_GATES, load_gates
from reallabor.german import count
from reallabor.people import organisation_of
from reallabor.policies import may_record, require
from reallabor.recording.case_table import case_template, read_cases
from reallabor.recording.creating import checked_rubric, create_scenario, list_rubrics
from reallabor.recording.table_rows import Problems
from reallabor.recording.values import as_number
from reallabor.scenarios import CaseContent, key_from
from reallabor.ui import pages
from reallabor.ui.estimates import ask_estimates
from reallabor.ui.files import show_problems, table_uploader, xlsx_button
from reallabor.ui.page import page, plain

OWN = "Eigenes Raster schreiben …"
RISK = {
    "zu prüfen": "Noch nicht eingeordnet",
    "minimal": "Minimales Risiko",
    "Transparenzpflicht": "Transparenzpflicht (Art. 50)",
    "kein Hochrisiko nach Art. 6 Abs. 3": "Ausnahme nach Art. 6 Abs. 3",
    "Hochrisiko": "Hochrisiko (Anhang III)",
}
LEVELS = (1, 2, 3, 4, 5)


def ask_steckbrief(organisation: str) -> dict[str, Any]:
    """The facts, as in `scenario.yaml`."""
    st.header("1. Steckbrief", anchor=False)
    title = st.text_input("Titel", max_chars=80, key="title")
    slug = st.text_input(
        "Kurzname", key="slug", placeholder=key_from(title) or "z. B. posteingang",
        help="Kleinbuchstaben, Ziffern und Bindestriche; steht in der Adresse und in MLflow. Leer: "
        "aus dem Titel.",
    )  # fmt: skip
    task = st.text_area("Was soll das System tun?", max_chars=2000, key="task")
    helps = st.text_area("Wem hilft es?", max_chars=1000, height=80, key="helps")
    left, right = st.columns(2)
    with left:
        house = st.text_input("Wer erprobt?", value=organisation, key="house")
        minutes = st.text_input("Minuten je Vorgang heute", value="10", key="minutes")
        risk = st.selectbox(
            "Risikoklasse der KI-Verordnung",
            list(RISK),
            format_func=RISK.__getitem__,
            key="risk",
            placeholder="Bitte wählen",
        )
    with right:
        kind = st.text_input("Art der KI", placeholder="z. B. Textentwurf", key="kind")
        volume = st.text_input("Vorgänge im Jahr", value="1000", key="volume")
        status = st.date_input("Rechtsstand", format="DD.MM.YYYY", key="status")
    reason = st.text_area("Begründung der Risikoklasse", height=80, key="reason",
                          placeholder="zu prüfen mit DSB und Fachseite")  # fmt: skip
    gates = {gate.key: gate.title for gate in load_gates().gates}
    chosen = st.multiselect(
        "Ausschlusskriterien", list(gates), default=[key for key in GENERAL_GATES if key in gates],
        format_func=gates.__getitem__, key="gates", placeholder="Bitte wählen",
    )  # fmt: skip
    left, right = st.columns(2)
    with left:
        baseline = st.text_input("So geschieht es heute, ohne KI (Vergleichswert)", key="baseline",
                                 value="Wie bisher, ohne KI")  # fmt: skip
    with right:
        candidate = st.text_input("Variante, die weiterentwickelt werden soll (Kandidat)",
                                  key="candidate", placeholder="z. B. Sprachmodell A")  # fmt: skip
    return {
        "slug": slug.strip() or key_from(title),
        "title": title,
        "organisation": house,
        "legal_status": status,
        "task": task,
        "helps": helps,
        "ai_kind": kind,
        "risk_class": {"class": risk, "article": "VO (EU) 2024/1689",
                       "high_risk": risk == "Hochrisiko", "reason": reason.strip() or "zu prüfen"},
        "gates": chosen,
        "baseline_minutes": as_number(minutes),
        "yearly_volume": as_number(volume),
        "candidate": key_from(candidate),
        "variants": [
            {"key": key_from(candidate), "title": candidate},
            {"key": key_from(baseline), "title": baseline, "baseline": True},
        ],
    }  # fmt: skip


def ask_cases() -> list[CaseContent]:
    """The cases of a table; empty while there is none."""
    st.header("3. Fälle", anchor=False)
    st.write(
        "Eine Zeile je Fall; nötig ist nur die Spalte „Eingabe“. Nur erfundene Fälle, keine echten "
        "Personendaten. Gut sind 30 und mehr, davon ein Fünftel Grenzfälle."
    )
    xlsx_button("Leere Vorlage", case_template, "faelle.xlsx")
    file = table_uploader("Tabelle mit den Fällen", key="cases")
    if file is None:
        return []
    try:
        cases = read_cases(file.name, file.getvalue())
    except Problems as problems:
        show_problems(problems)
        return []
    edge = sum(case.edge for case in cases)
    st.success(f"{count(len(cases), 'Fall', 'Fälle')} gelesen, davon "
               f"{count(edge, 'Grenzfall', 'Grenzfälle')}. Erster: "
               f"{plain(cases[0].input[:120])}", icon=":material/check:")  # fmt: skip
    return cases


def ask_rubric(slug: str) -> tuple[str, dict[str, Any] | None]:
    """Key of the rubric, and its content where it is written here."""
    st.header("4. Bewertungsraster", anchor=False)
    with reading() as session:
        known = {rubric.key: f"{rubric.title} ({rubric.name})" for rubric in list_rubrics(session)}
    chosen = st.selectbox(
        "Raster",
        [*known, OWN],
        key="rubric",
        format_func=lambda key: known.get(key, key),
        placeholder="Bitte wählen",
    )
    if chosen != OWN:
        return str(chosen), None
    title = st.text_input("Name des Rasters", key="rubric-title")
    n = st.segmented_control("Zahl der Kriterien", range(1, 9), default=3, required=True, key="n")
    share = 100 // int(n or 1)
    first_weight = 100 - share * (int(n or 1) - 1)
    criteria = []
    for number in range(int(n or 1)):
        with st.container(border=True):
            st.subheader(f"Kriterium {number + 1}", anchor=False)
            left, right = st.columns([3, 1])
            with left:
                name = st.text_input("Name", key=f"c-{number}-title",
                                     placeholder="z. B. Inhaltstreue")  # fmt: skip
            with right:
                weight = st.text_input(
                    "Gewicht in Prozent", key=f"c-{number}-weight",
                    value=str(first_weight if number == 0 else share),
                )  # fmt: skip
            question = st.text_input("Leitfrage", key=f"c-{number}-question")
            levels = {
                level: st.text_input(
                    f"Stufe {level}" + {1: " (schlechteste)", 5: " (beste)"}.get(level, ""),
                    key=f"c-{number}-{level}", max_chars=120,
                )
                for level in LEVELS
            }  # fmt: skip
        criteria.append({
            "key": f"K{number + 1}", "title": name, "question": question,
            "weight": as_number(weight),
            "levels": {level: text for level, text in levels.items() if text.strip()},
        })  # fmt: skip
    key = free_key(key_from(title) or f"raster-{slug}", set(known))
    rubric = {"key": key, "version": 1, "title": title, "scale": {"min": 1, "max": 5},
              "criteria": criteria}  # fmt: skip
    return key, rubric


def free_key(key: str, taken: set[str]) -> str:
    """The key, with a number where a rubric of that name is there already."""
    number = 2
    free = key
    while free in taken:
        free, number = f"{key}-{number}", number + 1
    return free


with page("Neues Szenario") as me:
    require(may_record, me)
    with reading() as session:
        own = organisation_of(session, me)
    steckbrief = {**ask_steckbrief(own), **ask_estimates()}
    cases = ask_cases()
    slug = steckbrief.pop("slug")
    rubric_key, rubric = ask_rubric(slug)
    st.header("5. Anlegen", anchor=False)
    st.caption("Danach lassen sich Durchläufe hochladen oder aufzeichnen.")
    if st.button("Szenario anlegen", type="primary", key="create"):
        written = checked_rubric(rubric) if rubric else None
        with transaction() as session:
            create_scenario(
                session, slug, {**steckbrief, "rubric": rubric_key}, cases, rubric=written, actor=me
            )
        st.session_state["message"] = (
            f"„{plain(steckbrief['title'])}“ ist angelegt. Nächster Schritt: einen Durchlauf "
            "hochladen."
        )
        st.switch_page(pages.SCENARIO, query_params={"szenario": slug})
