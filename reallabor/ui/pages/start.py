"""Start: what is yours to do."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.agenda import Agenda, ScenarioSummary, agenda
from reallabor.deciding.due import DueCondition, DueReview
from reallabor.deciding.reviewing import ReviewTask
from reallabor.german import count, date, day, today
from reallabor.people import Person
from reallabor.policies import may_open_round
from reallabor.rating.sheet import OpenRating
from reallabor.ui import pages
from reallabor.ui.decision import show_met
from reallabor.ui.meeting.card import meeting_card
from reallabor.ui.page import demo_badge, page, plain
from reallabor.ui.quarantine import quarantine_card
from reallabor.ui.rounds import open_button, round_card


def show_rating(rating: OpenRating) -> None:
    """One card: how far, and on."""
    with st.container(border=True):
        st.subheader(plain(rating.title), anchor=False)
        demo_badge(rating.demo)
        if rating.stop:
            st.error(plain(rating.stop), icon=":material/block:")
            return
        left = rating.total - rating.done
        if rating.due_on and left:
            late = rating.due_on < today()
            st.markdown(f"**Überfällig seit {day(rating.due_on)}**" if late
                        else f"Bitte bis {day(rating.due_on)}")  # fmt: skip
        st.progress(rating.done / rating.total, text=f"{rating.done} von {rating.total} bewertet")
        label = "Weiter bewerten" if rating.done else "Bewertung beginnen"
        if not left:
            st.caption("Alles bewertet. Bis zur Freigabe können Sie noch etwas ändern.")
            label = "Noch einmal ansehen"
        if st.button(label, key=f"rate-{rating.round_id}", type="primary" if left else "secondary"):
            st.switch_page(pages.RATE, query_params={"runde": str(rating.round_id)})


def show_opening(scenario: ScenarioSummary) -> None:
    """One card: a trial that waits for its evaluation."""
    with st.container(border=True):
        st.subheader(plain(scenario.title), anchor=False)
        demo_badge(all(run.demo for run in scenario.runs))
        runs = count(len(scenario.runs), "Durchlauf", "Durchläufe")
        newest = max(run.finished_at for run in scenario.runs)
        st.write(f"{runs} aufgezeichnet, zuletzt am {date(newest)}. Noch nicht bewertet.")
        open_button(scenario)


def show_decision(scenario: ScenarioSummary) -> None:
    """One card: results that wait for a decision."""
    with st.container(border=True):
        st.subheader(plain(scenario.title), anchor=False)
        demo_badge(bool(scenario.released and scenario.released.demo))
        if scenario.released and scenario.released.released_at:
            st.write(f"Bewertet und freigegeben am {date(scenario.released.released_at)}.")
        if st.button("Ergebnisse ansehen", key=f"decide-{scenario.slug}", type="primary"):
            st.switch_page(pages.COMPARE, query_params={"szenario": scenario.slug})


def show_review(task: ReviewTask) -> None:
    """One card: gates that wait for this person's office."""
    with st.container(border=True):
        st.subheader(plain(task.title), anchor=False)
        demo_badge(task.demo)
        if task.open:
            st.markdown(f"**Prüfpunkte: {len(task.open)} offen**")
            st.markdown("\n".join(f"- {plain(gate.title)}: {gate.words}" for gate in task.open))
        for gate in task.expiring:
            assert gate.expires_on is not None
            st.write(f"{plain(gate.title)}: läuft am {day(gate.expires_on)} ab.")
        if st.button("Prüfpunkte ansehen", key=f"review-{task.slug}", type="primary"):
            address = {"szenario": task.slug, "punkt": task.first}
            st.switch_page(pages.GATES, query_params=address)


def show_condition(condition: DueCondition, person: Person) -> None:
    """One card: what is to be met, by whom, until when."""
    with st.container(border=True):
        st.subheader(plain(condition.title), anchor=False)
        demo_badge(condition.demo)
        until = f"**überfällig seit {day(condition.due_on)}**" if condition.overdue else (
            f"bis {day(condition.due_on)}"
        )  # fmt: skip
        st.markdown(f"{plain(condition.text)} ({plain(condition.owner)}, {until})")
        show_met(condition.condition_id, condition.owner, person)


def show_again(review: DueReview) -> None:
    """One card: a decision that is to be looked at again."""
    with st.container(border=True):
        st.subheader(plain(review.title), anchor=False)
        demo_badge(review.demo)
        since = "war fällig am" if review.overdue else "am"
        st.write(f"{review.verdict}; Wiedervorlage {since} {day(review.review_on)}.")
        if st.button("Ergebnisse ansehen", key=f"again-{review.slug}"):
            st.switch_page(pages.COMPARE, query_params={"szenario": review.slug})


def show(tasks: Agenda, person: Person) -> None:
    """All tasks, most urgent first."""
    sections: list[tuple[str, list[Any], Callable[[Any], None]]] = [
        ("Ihre offenen Bewertungen", tasks.ratings, show_rating),
        ("Personendaten gemeldet", tasks.quarantine, partial(quarantine_card, me=person)),
        ("Laufende Bewertungen", tasks.to_release, partial(round_card, person=person)),
        ("Bereit zur Bewertung", tasks.to_open, show_opening),
        ("Zu prüfen", tasks.reviews, show_review),
        ("Sitzungen des Lenkungskreises", tasks.meetings, meeting_card),
        ("Auflagen", tasks.conditions, partial(show_condition, person=person)),
        ("Wiedervorlage", tasks.again, show_again),
        ("Zum Beschluss", tasks.to_decide, show_decision),
    ]
    for title, entries, show_entry in sections:
        if entries:
            st.header(title, anchor=False)
        for entry in entries:
            show_entry(entry)
    if tasks.empty:
        st.info(
            "Für Sie ist gerade nichts zu tun. Sobald eine Bewertung beginnt oder Ergebnisse "
            "freigegeben sind, steht es hier.",
            icon=":material/check_circle:",
        )
        if may_open_round(person):
            st.page_link(
                pages.SCENARIOS, label="Neue Bewertungsrunde planen", icon=":material/folder_open:"
            )
        st.page_link(pages.COMPARE, label="Zum Vergleich der Szenarien", icon=":material/balance:")


with page("Was ist zu tun?") as me:
    with reading() as session:
        tasks = agenda(session, me)
    show(tasks, me)
