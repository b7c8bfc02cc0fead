"""A meeting in short, with the way to its page; on the start page and in the list."""

import streamlit as st

from reallabor.deciding.meeting_views import CLOSED, OPEN, MeetingSummary
from reallabor.german import count, day
from reallabor.ui import pages
from reallabor.ui.page import demo_badge, plain


def meeting_card(meeting: MeetingSummary) -> None:
    """One card: when, where, how far."""
    with st.container(border=True):
        st.subheader(plain(meeting.title), anchor=False)
        demo_badge(meeting.demo)
        place = f", {plain(meeting.place)}" if meeting.place else ""
        done = f"; {meeting.n_decided} von {count(meeting.n_items, 'Punkt', 'Punkten')} beschlossen"
        st.write(f"{day(meeting.held_on)}{place}: {meeting.state}{done}.")
        label = "Zum Protokoll" if meeting.state == CLOSED else "Zur Sitzung"
        if st.button(label, key=f"meeting-{meeting.meeting_id}",
                     type="primary" if meeting.state == OPEN else "secondary"):  # fmt: skip
            st.switch_page(pages.MEETING, query_params={"sitzung": str(meeting.meeting_id)})
