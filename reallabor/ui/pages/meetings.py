"""Sitzungen: all meetings of the steering group, and the plan for the next."""

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.meeting_views import list_meetings
from reallabor.policies import may_run_meetings
from reallabor.ui.meeting.card import meeting_card
from reallabor.ui.meeting.planning import planning_form
from reallabor.ui.page import page

with page("Sitzungen des Lenkungskreises") as me:
    with reading() as session:
        meetings = list_meetings(session)
    for each in meetings:
        meeting_card(each)
    if not meetings:
        st.info(
            "Noch keine Sitzung geplant. Die Organisation plant sie hier: Tagesordnung, "
            "Stimmberechtigte, Beschlussfähigkeit.",
            icon=":material/groups:",
        )
    if may_run_meetings(me):
        with st.expander("Neue Sitzung planen", expanded=not meetings):
            planning_form(me)
