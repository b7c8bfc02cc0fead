"""Lektion: one lesson with its check questions."""

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.errors import ReallaborError
from reallabor.german import count
from reallabor.lessons import load_lesson
from reallabor.people import Person
from reallabor.rating.learning import is_read, mark_read, mark_unread, next_lesson
from reallabor.ui import pages
from reallabor.ui.focus import focus_heading
from reallabor.ui.page import page, say_after_rerun

STYLE = """
<style>
pre, pre code { white-space: pre-wrap !important; overflow-wrap: anywhere; }
[data-testid="stPageLink"] p { white-space: normal !important; }
</style>
"""
"""Programs wrap on a narrow screen: a block that scrolls cannot be reached from the keyboard."""


def title_of(key: str) -> str:
    """The heading of the page; what is wrong with the lesson is said below it."""
    try:
        return load_lesson(key).title
    except ReallaborError:
        return "Lektion"


def show_lesson(key: str, person: Person) -> None:
    """Text, questions with folded answers, the mark, and what comes next."""
    lesson = load_lesson(key)
    with reading() as session:
        read = is_read(session, key, actor=person)
        coming = next_lesson(session, person, key)
    focus_heading(key)
    st.caption(f"{count(lesson.minutes, 'Minute', 'Minuten')} Lesezeit")
    with st.container(width=760):
        st.markdown(lesson.body)  # ours, from evaluations/lernpfad/
        st.header("Zur Probe", anchor=False)
        for number, each in enumerate(lesson.questions, start=1):
            st.markdown(each.question)
            with st.expander(f"Antwort zu Frage {number}"):
                st.markdown(each.answer)
    if read:
        st.badge("gelesen", icon=":material/check:", color="green")
        if st.button("Markierung zurücknehmen", key="unread"):
            with transaction() as session:
                mark_unread(session, key, actor=person)
            say_after_rerun("Die Lektion gilt wieder als offen.")
    elif st.button("Als gelesen markieren", key="read", type="primary"):
        with transaction() as session:
            mark_read(session, key, actor=person)
        say_after_rerun("Als gelesen markiert.")
    if coming:
        label = f"Nächste Lektion: {coming.title}"
        if st.button(label, key="next-lesson", icon=":material/arrow_forward:"):
            st.switch_page(pages.LESSON, query_params={"lektion": coming.key})
    st.page_link(pages.LEARNING, label="Alle Lektionen", icon=":material/arrow_back:")


wanted = st.query_params.get("lektion", "")
with page(title_of(wanted)) as me:
    st.html(STYLE)
    if wanted:
        show_lesson(wanted, me)
    else:
        st.info("Welche Lektion? Bitte unter „Lernen“ eine wählen.")
        st.page_link(pages.LEARNING, label="Zu „Lernen“", icon=":material/school:")
