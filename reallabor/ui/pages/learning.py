"""Lernen: the lessons of one's own role with progress, and calibration per rubric."""

import streamlit as st

from reallabor.database import reading
from reallabor.german import count, date
from reallabor.people import Person
from reallabor.rating.calibration import Calibration, list_calibrations
from reallabor.rating.learning import LearningPath, learning_paths, lessons_read
from reallabor.ui import pages
from reallabor.ui.page import page, plain

STYLE = """
<style>
[data-testid="stPageLink"] p { white-space: normal !important; }
</style>
"""
"""Streamlit cuts links off on a narrow screen; whether a lesson is read stands at their end."""
ROLES = {
    "pilot": "Pilotteam",
    "evaluator": "Bewertende",
    "organiser": "Organisation",
    "steering": "Lenkungskreis",
    "data_protection": "Datenschutz",
    "staff_council": "Personalrat",
    "security": "Informationssicherheit",
    "subject": "Fachseite",
}


def show_path(path: LearningPath) -> None:
    """The lessons of one role as links."""
    for step in path.steps:
        lesson = step.lesson
        st.page_link(
            pages.LESSON,
            label=f"{lesson.title} ({count(lesson.minutes, 'Minute', 'Minuten')}, "
            f"{'gelesen' if step.read else 'noch offen'})",
            icon=":material/check_circle:" if step.read else ":material/radio_button_unchecked:",
            query_params={"lektion": lesson.key},
        )


def status_sentence(status: Calibration) -> str:
    """Where the person stands with one rubric."""
    if status.calibrated and status.reached_at:
        return (
            f"Kalibriert seit {date(status.reached_at)}: {status.within} von "
            f"{status.judgements} Urteilen passen."
        )
    if status.exhausted:
        return (
            "Nicht kalibriert. Für einen weiteren Durchgang fehlen ungelesene Fälle; bitte mit der "
            "Organisation des Reallabors sprechen."
        )
    if status.cases:
        return (
            f"Durchgang {status.attempt}: {status.cases} von "
            f"{count(status.enough, 'Fall', 'Fällen')} bewertet."
        )
    if status.begun:
        return (
            "Noch nicht kalibriert. Lesen Sie die Erklärungen nach und beginnen Sie dann den "
            "nächsten Durchgang; er hat andere Fälle."
        )
    return f"Noch nicht begonnen. Ein Durchgang hat {count(status.enough, 'Fall', 'Fälle')}."


def show_calibration(status: Calibration) -> None:
    """One rubric: status and the way on."""
    with st.container(border=True):
        st.subheader(plain(status.title), anchor=False)
        st.caption(f"Bewertungsraster {plain(status.rubric)}")
        st.write(status_sentence(status))
        query = {"raster": status.rubric}
        with st.container(horizontal=True):
            if status.calibrated:
                st.page_link(
                    pages.CONFIRMATION, label=f"Bestätigung zu „{plain(status.title)}“",
                    icon=":material/workspace_premium:", query_params=query,
                )  # fmt: skip
            elif not status.exhausted:
                st.page_link(
                    pages.CALIBRATION,
                    label=f"„{plain(status.title)}“ "
                    + ("weiter üben" if status.begun else "beginnen"),
                    icon=":material/play_arrow:",
                    query_params=query,
                )
            if status.begun:
                st.page_link(
                    pages.CALIBRATION, label=f"Erklärungen zu „{plain(status.title)}“ nachlesen",
                    icon=":material/menu_book:", query_params={**query, "ansicht": "nachlesen"},
                )  # fmt: skip


def show(person: Person) -> None:
    """The whole page."""
    with reading() as session:
        paths = learning_paths(session, person)
        done, total = lessons_read(session, person)
        statuses = list_calibrations(session, person)
    own = [path for path in paths if path.role in person.roles]
    st.write(
        "Kurze Lektionen zu Ihrer Aufgabe, und Übungsfälle, an denen Sie Ihren Maßstab prüfen. "
        "Ihren Stand sehen nur Sie."
    )
    if total:
        st.progress(done / total, text=f"{done} von {total} Lektionen gelesen")
    for path in own:
        st.header(f"Lernpfad: {ROLES[path.role]}", anchor=False)
        show_path(path)
    st.header("Kalibrierung", anchor=False)
    if statuses:
        st.write(
            "Sie bewerten Fälle, deren Stufen feststehen, und sehen nach jedem, wie die Referenz "
            "lautet und warum."
        )
    else:
        st.info("Zu den vorhandenen Bewertungsrastern gibt es noch keine Kalibrierfälle.")
    for status in statuses:
        show_calibration(status)
    others = [path for path in paths if path not in own and path.steps]
    if others:
        st.header("Lernpfade für andere Aufgaben", anchor=False)
    for path in others:
        with st.expander(f"{ROLES[path.role]} ({count(len(path.steps), 'Lektion', 'Lektionen')})"):
            show_path(path)


with page("Lernen") as me:
    st.html(STYLE)
    show(me)
