"""Prüfpunkte: the gates of law of one scenario, their evidence, who confirms them, and the
worksheets."""

import pandas as pd
import streamlit as st

from reallabor.database import reading
from reallabor.deciding.gates import GateState
from reallabor.deciding.reviewing import Desk, GateCard, review_desk
from reallabor.german import count, day
from reallabor.people import Person
from reallabor.policies import may_check_evidence
from reallabor.recording.catalogue import scenario_titles
from reallabor.recording.evidence_files import check_evidence
from reallabor.tracking import Connection
from reallabor.ui import pages
from reallabor.ui.address import choose_scenario
from reallabor.ui.page import demo_badge, page, plain, say_after_rerun
from reallabor.ui.reviewing.gate import show_gate
from reallabor.ui.reviewing.worksheets import show_worksheets
from reallabor.ui.tables import show_table


def choose_gate(desk: Desk) -> GateCard:
    """The gate of the address, or else the first that is not passed."""
    by_key = {card.content.key: card for card in desk.cards}
    keys = list(by_key)
    wanted = st.query_params.get("punkt")
    waiting = [key for key in keys if by_key[key].gate.state != GateState.PASSED]
    first = wanted if wanted in keys else next(iter(waiting), keys[0])
    chosen: str = st.selectbox(
        "Prüfpunkt", keys, index=keys.index(first), placeholder="Bitte wählen",
        format_func=lambda key: f"{by_key[key].content.title} ({by_key[key].gate.words})",
        key=f"gate-{desk.slug}-{sum(len(card.history) for card in desk.cards)}",
    )  # fmt: skip
    st.query_params["punkt"] = chosen
    return by_key[chosen]


def gates_table(desk: Desk) -> pd.DataFrame:
    """Gates as rows, in the order of the law."""
    rows = [
        {
            "Prüfpunkt": card.content.title,
            "Stand": card.gate.standing,
            "Geprüft am": day(card.gate.reviewed_on) if card.gate.reviewed_on else "–",
            "Bestätigt von": " oder ".join(card.content.offices),
            "Gültig bis": day(card.gate.expires_on) if card.gate.expires_on else "–",
            "Grundlage": card.content.article,
        }
        for card in desk.cards
    ]
    return pd.DataFrame(rows).set_index("Prüfpunkt")


def check_button(person: Person) -> None:
    """Look now whether all files still lie in MLflow."""
    if not may_check_evidence(person):
        return
    if st.button("Nachweise in MLflow prüfen", icon=":material/fact_check:"):
        report = check_evidence(Connection.from_settings(), actor=person)
        checked = count(report.checked, "Nachweis", "Nachweise")
        say_after_rerun(
            f"{checked} in MLflow geprüft, alle unverändert."
            if not report.missing
            else f"{checked} in MLflow geprüft; davon fehlend oder verändert: "
            f"{len(report.missing)}. Die betroffenen Prüfpunkte gelten als offen."
        )


with page("Prüfpunkte") as me:
    with reading() as session:
        titles = scenario_titles(session)
    if not titles:
        st.info(
            "Noch kein Szenario vorhanden. Sobald eines da ist, stehen hier seine Prüfpunkte.",
            icon=":material/gavel:",
        )
        st.page_link(pages.SCENARIOS, label="Zu den Szenarien", icon=":material/arrow_back:")
        st.stop()
    slug = choose_scenario(titles)
    with reading() as session:
        desk = review_desk(session, slug)
    if desk.stop:
        st.error(plain(desk.stop), icon=":material/block:")
    demo_badge(desk.demo)
    st.markdown(f"**{desk.summary}**")
    st.caption(f"Rechtsstand {day(desk.legal_status)}. {plain(desk.note)}")
    with st.container(horizontal=True):
        st.page_link(pages.SCENARIO, label="Steckbrief", icon=":material/description:",
                     query_params={"szenario": slug})  # fmt: skip
        st.page_link(pages.COMPARE, label="Vergleich", icon=":material/balance:",
                     query_params={"szenario": slug})  # fmt: skip
    show_table(gates_table(desk))
    card = choose_gate(desk)
    with st.container(border=True):
        show_gate(desk, card, me)
    show_worksheets(desk, me)
    check_button(me)
