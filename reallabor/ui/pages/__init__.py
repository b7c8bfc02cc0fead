"""The pages, a file each; here is only their order."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_FOLDER = Path(__file__).parent

START = str(_FOLDER / "start.py")
SCENARIOS = str(_FOLDER / "scenarios.py")
RATE = str(_FOLDER / "rate.py")
COMPARE = str(_FOLDER / "compare.py")
MEETINGS = str(_FOLDER / "meetings.py")
MEETING = str(_FOLDER / "meeting.py")
SCENARIO = str(_FOLDER / "scenario.py")
RUN = str(_FOLDER / "run.py")
UPLOAD = str(_FOLDER / "upload.py")
RUNS_COMPARED = str(_FOLDER / "runs_compared.py")
NEW_SCENARIO = str(_FOLDER / "new_scenario.py")
PLAN_ROUND = str(_FOLDER / "plan_round.py")
ROUND = str(_FOLDER / "round.py")
LEARNING = str(_FOLDER / "learning.py")
LESSON = str(_FOLDER / "lesson.py")
CALIBRATION = str(_FOLDER / "calibration.py")
CONFIRMATION = str(_FOLDER / "confirmation.py")
AGREEMENT = str(_FOLDER / "agreement.py")
ADJUDICATE = str(_FOLDER / "adjudicate.py")
NEW_RUBRIC_VERSION = str(_FOLDER / "new_rubric_version.py")
VOICES = str(_FOLDER / "voices.py")
GATES = str(_FOLDER / "gates.py")


def listed() -> list[StreamlitPage]:
    """All pages in the order of the menu; those reached from another page are not in it."""
    return [
        st.Page(START, title="Start", icon=":material/home:", default=True),
        st.Page(SCENARIOS, title="Szenarien", icon=":material/folder_open:", url_path="szenarien"),
        st.Page(RATE, title="Bewerten", icon=":material/rate_review:", url_path="bewerten"),
        st.Page(COMPARE, title="Vergleich", icon=":material/balance:", url_path="vergleich"),
        st.Page(MEETINGS, title="Sitzungen", icon=":material/groups:", url_path="sitzungen"),
        st.Page(MEETING, title="Sitzung", url_path="sitzung", visibility="hidden"),
        st.Page(LEARNING, title="Lernen", icon=":material/school:", url_path="lernen"),
        st.Page(SCENARIO, title="Steckbrief", url_path="steckbrief", visibility="hidden"),
        st.Page(RUN, title="Durchlauf", url_path="durchlauf", visibility="hidden"),
        st.Page(UPLOAD, title="Durchlauf hochladen", url_path="hochladen", visibility="hidden"),
        st.Page(RUNS_COMPARED, title="Gegenüberstellung", url_path="gegenueberstellung",
                visibility="hidden"),
        st.Page(PLAN_ROUND, title="Bewertung planen", url_path="bewertung-planen",
                visibility="hidden"),
        st.Page(ROUND, title="Bewertungsrunde", url_path="bewertungsrunde", visibility="hidden"),
        st.Page(NEW_SCENARIO, title="Neues Szenario", url_path="neues-szenario",
                visibility="hidden"),
        st.Page(LESSON, title="Lektion", url_path="lektion", visibility="hidden"),
        st.Page(CALIBRATION, title="Kalibrierung", url_path="kalibrierung", visibility="hidden"),
        st.Page(CONFIRMATION, title="Bestätigung", url_path="bestaetigung", visibility="hidden"),
        st.Page(AGREEMENT, title="Übereinstimmung", url_path="uebereinstimmung",
                visibility="hidden"),
        st.Page(ADJUDICATE, title="Klärung", url_path="klaerung", visibility="hidden"),
        st.Page(NEW_RUBRIC_VERSION, title="Neue Fassung", url_path="neue-fassung",
                visibility="hidden"),
        st.Page(VOICES, title="Rückmeldungen", url_path="rueckmeldungen", visibility="hidden"),
        st.Page(GATES, title="Prüfpunkte", url_path="pruefpunkte", visibility="hidden"),
    ]  # fmt: skip


def at(url_path: str) -> StreamlitPage:
    """The page at this address, for links that the domain gives."""
    return next(each for each in listed() if each.url_path == url_path)
