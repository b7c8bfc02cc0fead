"""Szenarien: what runs where, how far it is, and what comes next."""

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.agenda import ScenarioSummary, list_scenarios
from reallabor.german import count
from reallabor.policies import may_record
from reallabor.ui import pages
from reallabor.ui.page import demo_badge, page, plain


def show_scenario(scenario: ScenarioSummary) -> None:
    """One scenario in a card: phase, where it runs, the next step, and the ways on."""
    with st.container(border=True, height="stretch"):
        st.header(plain(scenario.title), anchor=False)
        with st.container(horizontal=True):
            st.badge(scenario.phase, color="blue")
            demo_badge(scenario.demo)
        houses = sorted({run.organisation for run in scenario.runs if run.organisation})
        where = ", ".join(houses) or scenario.organisation
        variants = len({run.variant_key for run in scenario.runs})
        facts = [plain(where), count(scenario.n_cases, "Fall", "Fälle")]
        if variants:
            facts.append(count(variants, "Variante erprobt", "Varianten erprobt"))
        st.write(" · ".join(fact for fact in facts if fact))
        st.markdown(f"**Nächster Schritt:** {plain(scenario.next_step)}")
        with st.container(horizontal=True):
            query = {"szenario": scenario.slug}
            st.page_link(pages.SCENARIO, label="Steckbrief", icon=":material/description:",
                         query_params=query)  # fmt: skip
            if scenario.released:
                st.page_link(pages.COMPARE, label="Ergebnisse", icon=":material/balance:",
                             query_params=query)  # fmt: skip


with page("Szenarien") as me:
    with reading() as session:
        scenarios = list_scenarios(session)
    if may_record(me):
        st.page_link(pages.NEW_SCENARIO, label="Neues Szenario anlegen", icon=":material/add:")
    if not scenarios:
        st.info(
            "Noch kein Szenario. Mitgelieferte Szenarien lädt der Hintergrunddienst beim Start; "
            "ein eigenes legt das Pilotteam mit „Neues Szenario anlegen“ an.",
            icon=":material/folder_open:",
        )
    for left in range(0, len(scenarios), 2):
        for column, scenario in zip(st.columns(2), scenarios[left : left + 2], strict=False):
            with column:
                show_scenario(scenario)
