"""The app: who is here, and which pages there are. Wrapped by reallabor/ui/server.py."""

import streamlit as st

from reallabor.ui import pages
from reallabor.ui.page import ICON, refusals
from reallabor.ui.person import choose_person

st.set_page_config(page_title="KI-Reallabor", page_icon=ICON, layout="wide")
with refusals():
    choose_person()
st.navigation(pages.listed(), position="sidebar").run()
