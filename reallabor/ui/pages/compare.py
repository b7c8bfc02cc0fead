"""Vergleich: scenarios side by side, one of them in full, and its decision."""

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.agenda import runs_are_hidden
from reallabor.deciding.comparison import compare
from reallabor.ui.address import choose_one, stale
from reallabor.ui.charts import choose_image_format
from reallabor.ui.comparison.history import show_history
from reallabor.ui.comparison.overview import choose_scenarios, show_beside, show_overview
from reallabor.ui.comparison.ranking import show_ranking
from reallabor.ui.comparison.result import show_agreement, show_readiness, show_result
from reallabor.ui.comparison.variants import show_variants_compared
from reallabor.ui.decision import show_circulation, show_decision
from reallabor.ui.page import demo_badge, page, plain
from reallabor.ui.tracking_link import experiment_link

with page("Vergleich der Szenarien") as me:
    with reading() as session:
        comparisons = compare(session)
    if not comparisons:
        st.info(
            "Noch kein Szenario vorhanden. Sobald eines erprobt und bewertet ist, steht es hier.",
            icon=":material/balance:",
        )
        st.stop()
    st.header("Alle Szenarien", anchor=False)
    shown = choose_scenarios(comparisons)
    choose_image_format()
    show_overview(shown)
    show_beside(comparisons)
    show_ranking(shown, me)

    st.header("Ein Szenario im Einzelnen", anchor=False)
    by_slug = {each.slug: each for each in comparisons}
    chosen = choose_one(
        "Szenario im Einzelnen", "szenario", {each.slug: each.title for each in comparisons},
        always=True, label_visibility="collapsed",
    )  # fmt: skip
    stale(["szenario"])
    one = by_slug[chosen]
    with reading() as session:
        blind = runs_are_hidden(session, chosen, me)
    st.subheader(plain(one.title), anchor=False)
    demo_badge(one.demo)
    show_result(one)
    show_variants_compared(one, me, blind=blind)
    show_readiness(one)
    show_agreement(one)
    show_history(chosen)
    st.subheader("Beschluss", anchor=False)
    if one.decision:
        show_decision(one.decision, me)
    else:
        st.write("Noch kein Beschluss.")
    show_circulation(one.slug, one.title, one.decision, me)
    if not blind:  # MLflow shows which system wrote what
        experiment_link(one.experiment_id)
