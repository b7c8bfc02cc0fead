"""The pages, a file each; here is only their order."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_FOLDER = Path(__file__).parent

START = str(_FOLDER / "start.py")
SCENARIOS = str(_FOLDER / "scenarios.py")
RATE = str(_FOLDER / "rate.py")
COMPARE = str(_FOLDER / "compare.py")


def listed() -> list[StreamlitPage]:
    """All pages in the order of the menu."""
    return [
        st.Page(START, title="Start", icon=":material/home:", default=True),
        st.Page(SCENARIOS, title="Szenarien", icon=":material/folder_open:", url_path="szenarien"),
        st.Page(RATE, title="Bewerten", icon=":material/rate_review:", url_path="bewerten"),
        st.Page(COMPARE, title="Vergleich", icon=":material/balance:", url_path="vergleich"),
    ]
