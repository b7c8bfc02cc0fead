"""The discussion note and the resolution of an item: every field is saved when it is left, and the
whole is confirmed once."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.decisions import NewCondition, decide
from reallabor.deciding.drafts import read_draft, save_draft
from reallabor.deciding.meeting_views import OPEN, ItemView, MeetingView
from reallabor.errors import WrongState
from reallabor.german import today
from reallabor.people import Person
from reallabor.policies import may_confirm
from reallabor.ui.page import plain, say_after_rerun

_DUE = timedelta(days=90)
_AGAIN = timedelta(days=180)
_TEXTS = ("reason", "departure", "dissent", "name")
_PROBLEM = "draft-problem"


def show_note(view: MeetingView, item: ItemView, me: Person) -> None:
    """What was discussed."""
    if _may_write(view, item, me):
        _load(item.item_id)
        _show_problem(item.item_id)
        st.caption("Wird gespeichert, sobald Sie das Feld verlassen.")
        st.text_area("Aussprache", key=_key(item, "note"), max_chars=4000, height=110,
                     on_change=_save, args=(item.item_id, me),
                     label_visibility="collapsed")  # fmt: skip
        return
    with reading() as session:
        note, _, _ = read_draft(session, item.item_id)
    st.write(plain(note) if note else "Noch nichts vermerkt.")


def show_resolution(
    view: MeetingView, item: ItemView, evidence: dict[str, Any], me: Person
) -> None:  # fmt: skip
    """The form for the adopted verdict."""
    if item.adopted is None:
        st.caption("Bestätigt wird, was die Sitzung angenommen hat. Bitte zuerst abstimmen.")
        return
    verdict = item.adopted.verdict
    st.markdown(f"Angenommen: **{verdict}**")
    if not _may_write(view, item, me):
        st.caption("Noch nicht bestätigt.")
        return
    save = partial(_save, item.item_id, me)
    st.text_area("Begründung", key=_key(item, "reason"), max_chars=4000, height=110, on_change=save)
    suggestion = evidence["suggestion"]["verdict"]
    if suggestion != verdict:
        st.text_area(
            f"Warum anders als vorgeschlagen ({suggestion})?", key=_key(item, "departure"),
            max_chars=2000, height=80, on_change=save,
        )  # fmt: skip
    st.text_area(
        "Abweichende Meinung", key=_key(item, "dissent"), max_chars=2000, height=80, on_change=save
    )
    conditions = _conditions(item, save)
    left, right = st.columns(2, gap="large")
    with left:
        review_on = _review(item, save)
    with right:
        st.text_input(
            "Wer steht für den Beschluss?", key=_key(item, "name"), max_chars=200, on_change=save
        )
    st.caption("Mit dem Bestätigen werden Zahlen, Belege und Abstimmung eingefroren.")
    if st.button("Beschluss bestätigen", type="primary", icon=":material/gavel:",
                 key=f"confirm-{item.item_id}"):  # fmt: skip
        with transaction() as session:
            decide(
                session, item.slug, verdict=verdict, actor=me, item_id=item.item_id,
                conditions=conditions, review_on=review_on, reason=_text(item, "reason"),
                departure=_text(item, "departure"), dissent=_text(item, "dissent"),
                name=_text(item, "name"),
            )  # fmt: skip
        say_after_rerun(
            f"Beschluss zu „{plain(item.title)}“ bestätigt: {verdict}. Er steht in Kürze auch in "
            "MLflow."
        )


def _review(item: ItemView, save: Callable[[], None]) -> date | None:
    """When the steering group looks at it again, if it wants to."""
    # An empty date field would ask for "dd.mm.yyyy", in English.
    if not st.checkbox("Mit Wiedervorlage", key=_key(item, "again"), on_change=save):
        return None
    st.session_state.setdefault(_key(item, "review_on"), today() + _AGAIN)
    chosen: date = st.date_input(
        "Wiedervorlage am", key=_key(item, "review_on"), format="DD.MM.YYYY",
        min_value=today() + timedelta(days=1), on_change=save,
    )  # fmt: skip
    return chosen


def _conditions(item: ItemView, save: Callable[[], None]) -> list[NewCondition]:
    """One row each, and an empty one for the next; an emptied text takes the row away."""
    st.markdown("**Auflagen**")
    st.caption("Eine leere Zeile zählt nicht. Nach jeder ausgefüllten kommt eine neue.")
    found = []
    for place in range(_rows(item.item_id) + 1):
        st.session_state.setdefault(_key(item, f"due-{place}"), today() + _DUE)
        what, who, when = st.columns([3, 2, 1.4])
        with what:
            text = st.text_input(f"Auflage {place + 1}", key=_key(item, f"text-{place}"),
                                 max_chars=500, on_change=save)  # fmt: skip
        with who:
            owner = st.text_input(
                "Wer", key=_key(item, f"owner-{place}"), max_chars=120, on_change=save
            )
        with when:
            due = st.date_input("Bis", key=_key(item, f"due-{place}"),
                                min_value=today() + timedelta(days=1), format="DD.MM.YYYY",
                                on_change=save)  # fmt: skip
        if text.strip():
            found.append(NewCondition(text, owner, due))
    return found


def _rows(item_id: int) -> int:
    """How many rows of conditions are filled, or were when the draft was loaded."""
    return int(st.session_state.get(f"rows-{item_id}", 0))


def _load(item_id: int) -> None:
    """Fill the fields from the draft, where they are not on the screen already."""
    if f"note-{item_id}" in st.session_state and f"seen-{item_id}" in st.session_state:
        return
    with reading() as session:
        note, draft, seen = read_draft(session, item_id)
    state = st.session_state
    state[f"seen-{item_id}"], state[f"note-{item_id}"] = seen, note
    for key in _TEXTS:
        state[f"{key}-{item_id}"] = draft.get(key, "Lenkungskreis" if key == "name" else "")
    review_on = draft.get("review_on")
    state[f"again-{item_id}"] = bool(review_on)
    if review_on:
        state[f"review_on-{item_id}"] = _coming(review_on)
    conditions = draft.get("conditions", [])
    state[f"rows-{item_id}"] = len(conditions)
    for place, each in enumerate(conditions):
        state[f"text-{place}-{item_id}"] = each["text"]
        state[f"owner-{place}-{item_id}"] = each["owner"]
        state[f"due-{place}-{item_id}"] = _coming(each["due_on"])


def _coming(iso: str) -> date:
    """The day, or tomorrow where it has passed since it was typed."""
    return max(date.fromisoformat(iso), today() + timedelta(days=1))


def _save(item_id: int, me: Person) -> None:
    """Keep all fields; called when one was left."""
    state = st.session_state
    _, draft, _ = _stored(item_id)
    draft |= {key: state[f"{key}-{item_id}"] for key in _TEXTS if f"{key}-{item_id}" in state}
    if f"again-{item_id}" in state:
        day = state.get(f"review_on-{item_id}", today() + _AGAIN)
        draft["review_on"] = day.isoformat() if state[f"again-{item_id}"] else None
    if f"text-0-{item_id}" in state:
        draft["conditions"] = [
            {"text": state[f"text-{place}-{item_id}"], "owner": state[f"owner-{place}-{item_id}"],
             "due_on": state[f"due-{place}-{item_id}"].isoformat()}
            for place in range(_rows(item_id) + 1)
            if f"due-{place}-{item_id}" in state and state[f"text-{place}-{item_id}"].strip()
        ]  # fmt: skip
    try:
        with transaction() as session:
            state[f"seen-{item_id}"] = save_draft(
                session, item_id, note=state[f"note-{item_id}"], draft=draft,
                seen=state[f"seen-{item_id}"], actor=me,
            )  # fmt: skip
    except WrongState as refusal:
        state[_PROBLEM] = str(refusal)
        return
    filled = [
        place
        for place in range(_rows(item_id) + 1)
        if str(state.get(f"text-{place}-{item_id}", "")).strip()
    ]
    state[f"rows-{item_id}"] = max(filled, default=-1) + 1


def _stored(item_id: int) -> tuple[str, dict[str, Any], str]:
    with reading() as session:
        return read_draft(session, item_id)


def _show_problem(item_id: int) -> None:
    """A draft that somebody else changed: said, and loaded on demand."""
    if problem := st.session_state.get(_PROBLEM):
        st.error(plain(problem), icon=":material/sync_problem:")
        st.button("Neuen Stand laden", on_click=_forget, args=(item_id,))


def _forget(item_id: int) -> None:
    st.session_state.pop(_PROBLEM, None)
    st.session_state.pop(f"seen-{item_id}", None)


def _key(item: ItemView, name: str) -> str:
    return f"{name}-{item.item_id}"


def _text(item: ItemView, name: str) -> str:
    return str(st.session_state.get(_key(item, name), ""))


def _may_write(view: MeetingView, item: ItemView, me: Person) -> bool:
    return view.state == OPEN and item.decision is None and may_confirm(me)
