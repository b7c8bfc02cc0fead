"""What is known of the scenario on an item: figures, gates, what is missing, the suggestion, and
who is not neutral. All of it from the evidence that a decision would freeze."""

from typing import Any

import pandas as pd
import streamlit as st

from reallabor.database import transaction
from reallabor.deciding.conflicts import DECLARED, declare_conflict, withdraw_conflict
from reallabor.deciding.meeting_views import OPEN, ItemView, MeetingView
from reallabor.people import Person
from reallabor.policies import may_run_meetings
from reallabor.ui import pages
from reallabor.ui.page import plain, say_after_rerun
from reallabor.ui.tables import show_table

_STATES = {"passed": "erfüllt", "missed": "verfehlt", "open": "offen"}


def show_figures(evidence: dict[str, Any]) -> None:
    """The figures, each with the sentence that explains it."""
    verdict, why = evidence["suggestion"]["verdict"], evidence["suggestion"]["reason"]
    st.markdown(f"Vorschlag nach den Regeln: **{verdict}**. {plain(why)}")
    if not evidence["figures"]:
        st.info("Noch keine Zahlen: Zu diesem Szenario ist keine Bewertungsrunde freigegeben.")
    else:
        rows = [
            {"Größe": each["title"], "Wert": each["text"], "Erläuterung": each["why"] or "–"}
            for each in evidence["figures"]
        ]
        show_table(pd.DataFrame(rows).set_index("Größe"))
    missed = [each for each in evidence["gates"] if each["state"] == "missed"]
    for gate in missed:
        st.error(f"Ausschlusskriterium verfehlt: {plain(gate['title'])}", icon=":material/block:")
    left, right = st.columns(2, gap="large")
    with left, st.expander(f"Was noch fehlt ({len(evidence['readiness']['missing'])})"):
        missing = evidence["readiness"]["missing"]
        st.markdown("\n".join(f"- {plain(each)}" for each in missing) or "Nichts.")
    with right, st.expander(f"Ausschlusskriterien ({len(evidence['gates'])})"):
        if evidence["gates"]:
            rows = [
                {"Prüfpunkt": each["title"], "Stand": each.get("words", _STATES[each["state"]])}
                for each in evidence["gates"]
            ]
            show_table(pd.DataFrame(rows).set_index("Prüfpunkt"))
        else:
            st.write("Für dieses Szenario sind keine hinterlegt.")
    st.page_link(
        pages.COMPARE, label="Im Vergleich ansehen", icon=":material/balance:",
        query_params={"szenario": evidence["scenario"]["slug"]},
    )  # fmt: skip


def show_conflicts(view: MeetingView, item: ItemView, me: Person) -> None:
    """Own pilots and declared conflicts; a member declares the own one, the organisation any."""
    for each in item.conflicts:
        house = f" ({plain(each.organisation)})" if each.organisation else ""
        if each.kind == DECLARED:
            reason = f": {plain(each.reason)}" if each.reason else ""
            words = f"{plain(each.name)}{house} ist befangen{reason}; stimmt nicht mit ab."
            st.write(f":material/front_hand: {words}")
        else:
            st.write(
                f":material/home_work: {plain(each.name)}{house}: eigener Pilot; stimmt mit ab."
            )
    if not item.conflicts:
        st.caption(
            "Niemand aus einer Organisation, die das Szenario erprobt, und niemand befangen."
        )
    member = view.member_of(me.id)
    organiser = may_run_meetings(me)
    if view.state != OPEN or item.decision or not (organiser or (member and member.has_vote)):
        return
    declared = {each.participant_id for each in item.conflicts if each.kind == DECLARED}
    people = [each for each in view.participants if each.has_vote and (organiser or each == member)]
    names = {each.participant_id: each.name for each in people}
    with st.expander("Befangenheit eintragen"):
        chosen = st.selectbox(
            "Wer", list(names), format_func=names.__getitem__, placeholder="Bitte wählen",
            key=f"conflict-{item.item_id}",
        )  # fmt: skip
        reason = st.text_input("Grund", max_chars=300, key=f"conflict-reason-{item.item_id}")
        if chosen in declared and st.button("Befangenheit zurücknehmen"):
            with transaction() as session:
                withdraw_conflict(session, item.item_id, chosen, actor=me)
            say_after_rerun("Die Befangenheit ist zurückgenommen.")
        if chosen not in declared and st.button("Als befangen eintragen"):
            with transaction() as session:
                declare_conflict(session, item.item_id, chosen, reason, actor=me)
            say_after_rerun(f"{plain(names[chosen])} ist als befangen eingetragen.")
