"""Start: what is yours to do."""

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.agenda import Agenda, ScenarioSummary, agenda
from reallabor.german import count, date, day, today
from reallabor.people import Person
from reallabor.policies import may_open_round
from reallabor.rating.sheet import OpenRating
from reallabor.ui import pages
from reallabor.ui.page import demo_badge, page, plain
from reallabor.ui.quarantine import quarantine_card
from reallabor.ui.rounds import open_button, round_card


def show_rating(rating: OpenRating) -> None:
    """One card: how far, and on."""
    with st.container(border=True):
        st.subheader(plain(rating.title), anchor=False)
        demo_badge(rating.demo)
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


def show(tasks: Agenda, person: Person) -> None:
    """All tasks, most urgent first."""
    if tasks.ratings:
        st.header("Ihre offenen Bewertungen", anchor=False)
        for rating in tasks.ratings:
            show_rating(rating)
    if tasks.quarantine:
        st.header("Personendaten gemeldet", anchor=False)
        for entry in tasks.quarantine:
            quarantine_card(entry, person)
    if tasks.to_release:
        st.header("Laufende Bewertungen", anchor=False)
        for scenario in tasks.to_release:
            round_card(scenario, person)
    if tasks.to_open:
        st.header("Bereit zur Bewertung", anchor=False)
        for scenario in tasks.to_open:
            show_opening(scenario)
    if tasks.to_decide:
        st.header("Zum Beschluss", anchor=False)
        for scenario in tasks.to_decide:
            show_decision(scenario)
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
