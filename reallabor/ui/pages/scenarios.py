"""Szenarien: what runs where, how far it is, and what comes next."""

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.agenda import ScenarioSummary, list_scenarios, rated_blind_now
from reallabor.german import date
from reallabor.people import Person
from reallabor.policies import may_open_round
from reallabor.ui import pages
from reallabor.ui.page import demo_badge, page, plain
from reallabor.ui.rounds import open_button, release_panel
from reallabor.ui.tables import run_table, show_table
from reallabor.ui.tracking_link import experiment_link


def show_scenario(scenario: ScenarioSummary, person: Person, *, blind: bool) -> None:
    """One scenario with its runs and its round; to those who rate it now, nothing of its runs."""
    with st.container(border=True):
        st.header(plain(scenario.title), anchor=False)
        with st.container(horizontal=True):
            st.badge(scenario.phase, color="blue")
            demo_badge(scenario.demo)
        if scenario.task:
            st.write(plain(scenario.task))
        if scenario.organisation:
            st.caption(f"Erprobt von: {plain(scenario.organisation)}")
        if not scenario.runs:
            st.info(
                f"Noch kein Durchlauf. Das Pilotteam zeichnet ihn mit `reallabor run "
                f"{scenario.slug}` auf; wenige Sekunden danach steht er hier.",
                icon=":material/play_circle:",
            )
            return
        if blind:
            st.info(
                "Sie bewerten dieses Szenario gerade. Damit Sie unvoreingenommen bleiben, sehen "
                "Sie Durchläufe und Kennzahlen erst nach der Freigabe.",
                icon=":material/visibility_off:",
            )
            return
        st.subheader("Neueste Durchläufe", anchor=False)
        show_table(run_table(scenario.runs))
        release_panel(scenario, person)
        if may_open_round(person) and not scenario.open_round:
            open_button(scenario, person)
        if scenario.decision:
            st.markdown(
                f"**Beschluss vom {date(scenario.decision.decided_at)}:** "
                f"{scenario.decision.verdict}"
            )
        with st.container(horizontal=True):
            if scenario.released and st.button("Ergebnisse ansehen", key=f"to-{scenario.slug}"):
                st.switch_page(pages.COMPARE, query_params={"szenario": scenario.slug})
            experiment_link(scenario.experiment_id)


with page("Szenarien") as me:
    with reading() as session:
        scenarios = list_scenarios(session)
        blind = rated_blind_now(session, me)
    if not scenarios:
        st.info(
            "Noch kein Szenario geladen. Szenarien liegen als Ordner unter `scenarios/`; der "
            "Hintergrunddienst lädt sie beim Start.",
            icon=":material/folder_open:",
        )
    for scenario in scenarios:
        show_scenario(scenario, me, blind=scenario.slug in blind)
