"""Entering paper sheets from the keyboard: digits, Enter, next."""

import uuid

import streamlit as st

from reallabor.database import transaction
from reallabor.errors import ReallaborError
from reallabor.people import Person
from reallabor.rating.surveys import SurveySummary
from reallabor.rating.voices import (
    WORRY_LIMIT,
    Sheet,
    enter_sheet,
    read_digits,
    take_back_sheet,
)
from reallabor.ui.page import plain

_DIGITS, _WORRY, _SIMPLE = "voice-digits", "voice-worry", "voice-simple"
_LAST, _PROBLEM = "voice-last", "voice-problem"
"""What was entered last (its submission, and its answers in words), and what was refused."""


def entry_panel(survey: SurveySummary, person: Person) -> None:
    """One sheet after the other; the last one can be taken back."""
    questionnaire, key = survey.questionnaire, survey.survey_id
    st.write(
        "Je Frage eine Ziffer in der Reihenfolge des Bogens, 0 für „nicht beantwortet“. Enter "
        "speichert, dann folgt der nächste Bogen."
    )
    st.caption(
        "  \n".join(
            f"{number}\\. {plain(question.standard.question)} "
            + plain(", ".join(f"{n} = {text}" for n, text in question.standard.levels.items()))
            for number, question in enumerate(questionnaire.questions, start=1)
        )
    )
    st.checkbox("Die Bögen sind in Einfacher Sprache", key=f"{_SIMPLE}-{key}")
    with st.form(f"voice-entry-{key}", border=False):
        st.text_input(f"Ziffern ({len(questionnaire.questions)} Fragen)", key=f"{_DIGITS}-{key}",
                      autocomplete="off")  # fmt: skip
        st.text_input(plain(questionnaire.standard.worry), key=f"{_WORRY}-{key}",
                      max_chars=WORRY_LIMIT, autocomplete="off")  # fmt: skip
        # In a callback the fields may be emptied, and the cursor stays in them for the next sheet.
        st.form_submit_button("Bogen speichern", type="primary", on_click=_save,
                              args=(survey, person))  # fmt: skip
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(plain(problem), icon=":material/error:")
    if last := st.session_state.get(f"{_LAST}-{key}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Zuletzt gespeichert:** {plain(last[1])} (jetzt n = {survey.n})")
            st.button("Letzten Bogen zurücknehmen", key=f"voice-undo-{key}",
                      icon=":material/undo:", on_click=_take_back,
                      args=(key, last[0], person))  # fmt: skip


def _save(survey: SurveySummary, person: Person) -> None:
    key, state = survey.survey_id, st.session_state
    try:
        answers = read_digits(state[f"{_DIGITS}-{key}"], survey.questionnaire)
        worry, simple = state[f"{_WORRY}-{key}"], state[f"{_SIMPLE}-{key}"]
        sheet = Sheet(answers, worry, simple, str(uuid.uuid4()))
        with transaction() as session:
            enter_sheet(session, key, sheet, actor=person)
    except ReallaborError as refusal:
        state[_PROBLEM] = str(refusal)
        return
    words = [
        question.standard.levels.get(answers.get(question.key, 0), "–")
        for question in survey.questionnaire.questions
    ]
    state[f"{_LAST}-{key}"] = (sheet.submission, " · ".join(words))
    state[f"{_DIGITS}-{key}"] = state[f"{_WORRY}-{key}"] = ""


def _take_back(survey_id: int, submission: str, person: Person) -> None:
    try:
        with transaction() as session:
            take_back_sheet(session, survey_id, submission, actor=person)
    except ReallaborError as refusal:
        st.session_state[_PROBLEM] = str(refusal)
    st.session_state.pop(f"{_LAST}-{survey_id}", None)
