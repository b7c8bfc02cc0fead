"""The worksheets on the screen: all questions with their answers, to read and print, and one
question at a time to be answered."""

import streamlit as st

from reallabor.database import transaction
from reallabor.deciding.reviewing import Desk
from reallabor.deciding.worksheets import ANSWER_LIMIT, ItemView, WorksheetView, answer_worksheet
from reallabor.people import Person
from reallabor.policies import may_fill_worksheets
from reallabor.ui.page import plain, say_after_rerun


def show_worksheets(desk: Desk, person: Person) -> None:
    """All worksheets of the scenario, and why there are no more."""
    st.header("Arbeitsblätter", anchor=False)
    for view in desk.worksheets:
        show_worksheet(desk, view, person)
    if not any(view.sheet.high_risk for view in desk.worksheets):
        st.caption(
            "Dieses Szenario ist im Steckbrief nicht als Hochrisiko eingeordnet; die "
            "Arbeitsblätter zu Art. 26 und 27 entfallen. Ändert sich die Einordnung, erscheinen "
            "sie hier."
        )
    if not may_fill_worksheets(person):
        st.caption(
            "Ausfüllen können Pilotteams, die Organisation und die prüfenden Stellen; Sie können "
            "die Arbeitsblätter lesen und drucken."
        )


def show_worksheet(desk: Desk, view: WorksheetView, person: Person) -> None:
    """Progress, all answers, and the form for one question."""
    sheet = view.sheet
    st.subheader(f"{plain(sheet.title)}: {view.progress}", anchor=False)
    st.progress(view.done / len(view.items), text=plain(sheet.article))
    st.write(plain(sheet.note))
    with st.expander("Alle Fragen und Antworten", expanded=view.done > 0):
        for each in view.items:
            _show_answer(each)
    if not may_fill_worksheets(person):
        return
    if view.done == len(view.items):
        with st.expander("Antworten ändern"):
            ask_item(desk, view, person)
    else:
        ask_item(desk, view, person)


def _show_answer(view: ItemView) -> None:
    """One question with its answer; no table, so that it reads on a narrow screen and on paper."""
    unsettled = " (zu prüfen)" if view.item.unsettled else ""
    standing = "geklärt" if view.done else "offen"
    by = f" ({plain(view.answered)})" if view.answered else ""
    st.markdown(
        f"**{plain(view.item.article)}{unsettled}: {standing}**{by}  \n"
        f"{plain(view.item.question)}  \n" + (plain(view.text) or "–")
    )


def ask_item(desk: Desk, view: WorksheetView, person: Person) -> None:
    """One question; after saving the next open one is offered."""
    sheet, by_key = view.sheet, {each.item.key: each for each in view.items}
    keys = list(by_key)
    first = next((number for number, each in enumerate(view.items) if not each.done), 0)
    place = f"{desk.slug}-{sheet.key}"
    chosen = st.selectbox(
        f"Frage beantworten ({plain(sheet.title)})", keys, index=first, placeholder="Bitte wählen",
        format_func=lambda key: f"{by_key[key].item.article}: {by_key[key].item.question}",
        # A new widget after every answer, so that it moves on to the next open question.
        key=f"item-{place}-{view.done}-{sum(bool(each.text) for each in view.items)}",
    )  # fmt: skip
    known = by_key[chosen]
    st.caption(plain(known.item.help) + (" Auslegung: zu prüfen." if known.item.unsettled else ""))
    with st.form(f"answer-{place}-{chosen}"):
        text = st.text_area("Antwort", known.text, max_chars=ANSWER_LIMIT, height=100,
                            key=f"text-{place}-{chosen}")  # fmt: skip
        done = st.checkbox("geklärt", known.done, key=f"done-{place}-{chosen}")
        if st.form_submit_button("Antwort festhalten"):
            with transaction() as session:
                answer_worksheet(session, desk.slug, sheet.key, chosen, text=text, done=done,
                                 actor=person)  # fmt: skip
            say_after_rerun(f"Antwort zu {known.item.article} festgehalten.")
