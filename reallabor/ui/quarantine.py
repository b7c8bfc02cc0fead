"""Outputs in which somebody saw personal data, for those who decide on them; on the start page."""

import streamlit as st

from reallabor.database import transaction
from reallabor.german import date
from reallabor.people import Person
from reallabor.rating.quarantine import (
    QuarantineEntry,
    QuarantineVerdict,
    decide_quarantine,
)
from reallabor.ui.page import plain, say_after_rerun


def quarantine_card(entry: QuarantineEntry, me: Person) -> None:
    """One output: its text on demand, and the two ways to decide."""
    with st.container(border=True):
        st.subheader(f"{plain(entry.scenario)}, Fall {plain(entry.case)}", anchor=False)
        st.write(
            f"Am {date(entry.reported_at)} hat jemand beim Bewerten personenbezogene Daten "
            f"gemeldet. Die Ausgabe sieht seitdem niemand mehr; ohne Entscheidung wird sie am "
            f"{date(entry.erased_on)} gelöscht."
        )
        with st.expander("Text ansehen"):
            st.text(entry.text)
        left, right = st.columns(2)
        with left:
            if st.button("Keine Personendaten: wieder freigeben", key=f"back-{entry.id}"):
                with transaction() as session:
                    decide_quarantine(session, entry.id, QuarantineVerdict.RELEASED, actor=me)
                say_after_rerun("Die Ausgabe wird wieder bewertet.")
        with right:
            sure = st.checkbox("Ja, endgültig löschen", key=f"sure-erase-{entry.id}")
            if st.button("Text löschen", key=f"erase-{entry.id}", disabled=not sure):
                with transaction() as session:
                    decide_quarantine(session, entry.id, QuarantineVerdict.ERASED, actor=me)
                say_after_rerun(
                    "Der Text ist hier gelöscht und wird in MLflow gelöscht, sobald es antwortet. "
                    "Abgegebene Stufen bleiben."
                )
