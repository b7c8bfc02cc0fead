"""The form with which the organisation plans a meeting, new or again."""

from datetime import timedelta

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.meeting_views import MeetingView
from reallabor.deciding.meetings import MeetingPlan, change_meeting, plan_meeting, voting_people
from reallabor.deciding.profiles import list_profiles
from reallabor.german import today
from reallabor.people import Person
from reallabor.recording.catalogue import scenario_titles
from reallabor.ui import pages
from reallabor.ui.page import say_after_rerun


def planning_form(me: Person, view: MeetingView | None = None) -> None:
    """Title, day, people, agenda; filled with what is planned where there is something."""
    with reading() as session:
        members = {person.id or 0: person.name for person in voting_people(session)}
        titles = scenario_titles(session)
        profiles = [each.name for each in list_profiles(session)]
    if view is None:
        invited = list(members)
        guests, agenda = "", list(titles)[:0]
    else:
        invited = [each.person_id or 0 for each in view.participants if each.has_vote]
        guests = "\n".join(each.name for each in view.participants if not each.has_vote)
        agenda = [item.slug for item in view.items]
    meeting = view.meeting if view else None
    planned = meeting.profile_name if meeting else ""
    with st.form(f"plan-{meeting.id if meeting else 'new'}"):
        left, right = st.columns(2, gap="large")
        with left:
            title = st.text_input("Titel", meeting.title if meeting else "", max_chars=200)
            held_on = st.date_input(
                "Tag", meeting.held_on if meeting else today() + timedelta(days=7),
                format="DD.MM.YYYY",
            )  # fmt: skip
            place = st.text_input("Ort", meeting.place if meeting else "", max_chars=200)
        with right:
            chosen = st.multiselect(
                "Stimmberechtigte", list(members), format_func=members.__getitem__,
                default=[key for key in invited if key in members], placeholder="Bitte wählen",
            )  # fmt: skip
            quorum = st.number_input(
                "Beschlussfähig ab", min_value=1, step=1,
                value=meeting.quorum if meeting else len(members) // 2 + 1,
                help="So viele Stimmberechtigte müssen anwesend sein.",
            )  # fmt: skip
            guest_lines = st.text_area("Gäste ohne Stimme, je Zeile ein Name", guests, height=100)
        profile = st.selectbox(
            "Gewichte der Rangfolge", ["", *profiles],
            placeholder="Bitte wählen",
            index=profiles.index(planned) + 1 if planned in profiles else 0,
            format_func=lambda name: name or "Vorgabe aus dem Vergleich",
            help="Profile werden auf der Seite Vergleich gespeichert.",
        )  # fmt: skip
        slugs = st.multiselect(
            "Tagesordnung, in dieser Reihenfolge", list(titles), default=agenda,
            format_func=titles.__getitem__, placeholder="Szenarien wählen",
        )  # fmt: skip
        label = "Planung ändern" if meeting else "Sitzung planen"
        if not st.form_submit_button(label, type="primary"):
            return
        plan = MeetingPlan(
            title=title, held_on=held_on, place=place, quorum=int(quorum), members=chosen,
            guests=guest_lines.splitlines(), slugs=slugs,
            profile=profile,
        )  # fmt: skip
        with transaction() as session:
            if meeting:
                key = change_meeting(session, meeting.id or 0, plan, actor=me).id
            else:
                key = plan_meeting(session, plan, actor=me).id
        said = "Die Planung ist geändert." if meeting else "Die Sitzung ist geplant."
        say_after_rerun(said, to=pages.MEETING, sitzung=str(key))
