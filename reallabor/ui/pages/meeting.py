"""Sitzung: the agenda, and per item figures, discussion, vote and resolution."""

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.evidence import gather
from reallabor.deciding.meeting_views import ItemView, MeetingView, meeting_view
from reallabor.german import day
from reallabor.people import Person
from reallabor.ui import pages
from reallabor.ui.decision import show_decision
from reallabor.ui.meeting.attendance import show_attendance, show_closing
from reallabor.ui.meeting.ballot import show_ballot
from reallabor.ui.meeting.item import show_conflicts, show_figures
from reallabor.ui.meeting.papers import proposal_downloads
from reallabor.ui.meeting.resolution import show_note, show_resolution
from reallabor.ui.page import asked_number, demo_badge, page, plain


def show_head(view: MeetingView) -> None:
    """Which meeting, when, where, and under which weights."""
    meeting = view.meeting
    st.subheader(plain(meeting.title), anchor=False)
    demo_badge(meeting.demo)
    place = f", {plain(meeting.place)}" if meeting.place else ""
    weights = f" Gewichte: {plain(meeting.profile_name)}." if meeting.profile_name else ""
    st.write(f"{day(meeting.held_on)}{place}. Die Sitzung ist {_STATES[view.state]}.{weights}")


_STATES = {"geplant": "geplant", "läuft": "eröffnet", "geschlossen": "geschlossen"}


def choose_item(view: MeetingView) -> ItemView:
    """The agenda with the state of every item; the address names the chosen one."""
    items = {item.item_id: item for item in view.items}
    wanted = asked_number("punkt")
    waiting = [key for key, item in items.items() if item.decision is None]
    first = wanted if wanted in items else next(iter(waiting), view.items[0].item_id)
    chosen: int = st.radio(
        "Tagesordnung", list(items), index=list(items).index(first),
        format_func=lambda key: f"{items[key].position}. {plain(items[key].title)} "
        f"({items[key].state})",
        key=f"agenda-{view.meeting.id}-{'-'.join(item.state for item in view.items)}",
    )  # fmt: skip
    st.query_params["punkt"] = str(chosen)
    return items[chosen]


def show_item(view: MeetingView, item: ItemView, me: Person) -> None:
    """Everything about one item, from top to bottom."""
    st.header(f"{item.position}. {plain(item.title)}", anchor=False)
    if item.decision:
        st.subheader("Beschluss", anchor=False)
        show_decision(item.decision, me)
        evidence = item.decision.evidence
    else:
        with reading() as session:
            evidence = gather(session, item.slug, meeting_item_id=item.item_id)
    voting = item.open_motion is not None
    if voting:  # what is to be done now comes first, most of all on a small screen
        st.subheader("Abstimmung", anchor=False)
        show_ballot(view, item, me)
    st.subheader("Worüber entschieden wird", anchor=False)
    show_figures(evidence)
    if item.decision is None:
        proposal_downloads(item.slug, item.item_id)
    st.subheader("Eigene Piloten und Befangenheit", anchor=False)
    show_conflicts(view, item, me)
    st.subheader("Aussprache", anchor=False)
    show_note(view, item, me)
    if not voting:
        st.subheader("Abstimmung", anchor=False)
        show_ballot(view, item, me)
    if item.decision is None:
        st.subheader("Beschluss", anchor=False)
        show_resolution(view, item, evidence, me)


with page("Sitzung") as me:
    key = asked_number("sitzung")
    if key is None:
        st.info("Bitte eine Sitzung wählen.", icon=":material/groups:")
    else:
        with reading() as session:
            shown = meeting_view(session, key)
        show_head(shown)
        show_attendance(shown, me)
        left, right = st.columns([1, 3], gap="large")
        with left:
            chosen = choose_item(shown)
            show_closing(shown, me)
        with right:
            show_item(shown, chosen, me)
    st.page_link(pages.MEETINGS, label="Alle Sitzungen", icon=":material/groups:")
