"""Who is there, and whether that is enough."""

import pandas as pd
import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.meeting_views import OPEN, PLANNED, MeetingView, ParticipantView
from reallabor.deciding.meetings import (
    add_guest,
    add_member,
    close_meeting,
    open_meeting,
    voting_people,
)
from reallabor.deciding.voting import set_presence
from reallabor.german import count
from reallabor.people import Person, get_person
from reallabor.policies import may_run_meetings
from reallabor.ui.meeting.planning import planning_form
from reallabor.ui.page import plain, refusals, say_after_rerun
from reallabor.ui.tables import show_table


def show_attendance(view: MeetingView, me: Person) -> None:
    """Quorum for all; for the organisation also the list to tick, and the beginning and end."""
    present = count(view.n_present, "Stimmberechtigte", "Stimmberechtigte")
    said = f"{present} anwesend, beschlussfähig ab {view.meeting.quorum}."
    if view.state == OPEN:
        (st.success if view.quorate else st.warning)(
            said if view.quorate else f"Noch nicht beschlussfähig: {said}",
            icon=":material/groups:" if view.quorate else ":material/person_off:",
        )
    organiser = may_run_meetings(me)
    started = any(item.motions for item in view.items)  # before, it stays open to tick everybody
    with st.expander(
        "Teilnehmende", expanded=view.state == OPEN and not (view.quorate and started)
    ):
        if organiser and view.state == OPEN:
            _tick(view, me)
            _add(view, me)
        else:
            show_table(_table(view))
    if organiser and view.state == PLANNED:
        if st.button("Sitzung eröffnen", type="primary", icon=":material/play_arrow:"):
            with transaction() as session:
                open_meeting(session, view.meeting.id or 0, actor=me)
            say_after_rerun("Die Sitzung ist eröffnet. Bitte eintragen, wer da ist.")
        with st.expander("Planung ändern"):
            planning_form(me, view)


def show_closing(view: MeetingView, me: Person) -> None:
    """The end of the meeting."""
    if view.state != OPEN or not may_run_meetings(me):
        return
    undecided = sum(item.decision is None for item in view.items)
    words = "An einer geschlossenen Sitzung ändert sich nichts mehr."
    if undecided:
        words += f" Noch offen: {count(undecided, 'Punkt', 'Punkte')}."
    st.caption(words)
    sure = st.checkbox("Sitzung ist zu Ende")
    if st.button("Sitzung schließen", disabled=not sure, icon=":material/stop_circle:"):
        with transaction() as session:
            close_meeting(session, view.meeting.id or 0, actor=me)
        say_after_rerun("Die Sitzung ist geschlossen.")


def _tick(view: MeetingView, me: Person) -> None:
    st.caption("Anwesend ist, wer ein Häkchen hat.")
    columns = st.columns(2)
    for place, each in enumerate(view.participants):
        with columns[place % 2]:
            house = f" ({each.organisation})" if each.organisation else ""
            guest = "" if each.has_vote else ", Gast"
            st.checkbox(
                f"{plain(each.name)}{plain(house)}{guest}", each.present,
                key=f"present-{each.participant_id}-{each.present}",
                on_change=_note, args=(each, me),
            )  # fmt: skip


def _note(participant: ParticipantView, me: Person) -> None:
    with refusals(), transaction() as session:
        set_presence(session, participant.participant_id, not participant.present, actor=me)


def _add(view: MeetingView, me: Person) -> None:
    there = {each.name for each in view.participants}
    with reading() as session:
        others = [each.name for each in voting_people(session) if each.name not in there]
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    key = view.meeting.id or 0
    with left:
        name = st.selectbox("Mitglied nachtragen", others, index=None, placeholder="Bitte wählen")
        if st.button("Mitglied eintragen", disabled=name is None):
            with transaction() as session:
                add_member(session, key, get_person(session, name or ""), actor=me)
            say_after_rerun(f"{plain(name or '')} ist eingetragen und anwesend.")
    with right:
        guest = st.text_input("Gast nachtragen", max_chars=120)
        if st.button("Gast eintragen", disabled=not guest.strip()):
            with transaction() as session:
                add_guest(session, key, guest, actor=me)
            say_after_rerun(f"{plain(guest)} ist als Gast eingetragen.")


def _table(view: MeetingView) -> pd.DataFrame:
    rows = [
        {
            "Name": each.name,
            "Organisation": each.organisation or "–",
            "Stimme": "ja" if each.has_vote else "Gast",
            "Anwesend": "ja" if each.present else "nein",
        }
        for each in view.participants
    ]
    return pd.DataFrame(rows).set_index("Name")
