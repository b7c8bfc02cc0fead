"""Bestätigung: a page to print that says for which rubric version somebody is calibrated."""

import streamlit as st

from reallabor.database import reading
from reallabor.german import count, date
from reallabor.people import Person, organisation_of
from reallabor.rating.calibration import calibration_named
from reallabor.ui import pages
from reallabor.ui.page import page, plain

STYLE = """
<style>
@media print {
  .st-key-not-printed { display: none !important; }
  .st-key-confirmation { border: 2px solid #000 !important; padding: 2rem !important; }
}
</style>
"""


def show(name: str, person: Person) -> None:
    """The confirmation, of this person alone."""
    with reading() as session:
        status = calibration_named(session, person, name)
        house = organisation_of(session, person)
    if not status.calibrated or status.reached_at is None:
        st.info(
            f"Für das Bewertungsraster {plain(status.rubric)} sind Sie noch nicht kalibriert. "
            "Unter „Lernen“ geht es weiter."
        )
        st.page_link(pages.LEARNING, label="Zu „Lernen“", icon=":material/school:")
        return
    steps = count(status.tolerance, "Stufe", "Stufen")
    cases = count(status.cases, "Kalibrierfall", "Kalibrierfälle")
    with st.container(border=True, key="confirmation", width=760):
        st.header(plain(person.name), anchor=False)
        if house:
            st.write(plain(house))
        st.markdown(
            f"ist für das Bewertungsraster **{plain(status.title)} ({plain(status.rubric)})** "
            "kalibriert."
        )
        st.markdown(
            f"Am {date(status.reached_at)}: {cases}, {status.judgements} Urteile, davon "
            f"**{status.within}** höchstens {steps} neben der Referenz; nötig waren "
            f"{status.needed}."
        )
        st.caption(
            "KI-Reallabor. Die Bestätigung gilt für diese Fassung des Bewertungsrasters. Sie ist "
            "keine Beurteilung der Leistung."
        )
    with st.container(key="not-printed"):
        st.caption("Drucken oder als PDF speichern: Strg + P.")
        st.page_link(pages.LEARNING, label="Zu „Lernen“", icon=":material/school:")


with page("Bestätigung") as me:
    st.html(STYLE)
    if wanted := st.query_params.get("raster"):
        show(wanted, me)
    else:
        st.info("Für welches Bewertungsraster? Bitte unter „Lernen“ eines wählen.")
        st.page_link(pages.LEARNING, label="Zu „Lernen“", icon=":material/school:")
