"""A decision as it was frozen, and its conditions; on the pages Sitzung, Vergleich and Start."""

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.decisions import VERDICTS, Decision, conditions_of, decide
from reallabor.deciding.due import mark_met
from reallabor.german import date, day
from reallabor.people import Person
from reallabor.policies import may_confirm, may_decide
from reallabor.ui.meeting.papers import decision_downloads
from reallabor.ui.page import demo_badge, plain, say_after_rerun


def show_decision(decision: Decision, me: Person) -> None:
    """Verdict, reason, dissent, conditions, checksum, and the Beschluss as a file."""
    resolution = decision.evidence.get("resolution") or {}
    with st.container(border=True):
        st.markdown(f"**{decision.verdict}**, {date(decision.decided_at)}, "
                    f"{plain(decision.decided_by)} (Beschluss Nr. {decision.id})")  # fmt: skip
        demo_badge(decision.demo)
        st.write(plain(decision.reason))
        if resolution.get("departure"):
            st.markdown(f"**Abweichend vom Vorschlag:** {plain(resolution['departure'])}")
        if decision.dissent:
            st.markdown(f"**Abweichende Meinung:** {plain(decision.dissent)}")
        _show_conditions(decision, me)
        if decision.review_on:
            st.write(f"Wiedervorlage am {day(decision.review_on)}.")
        if decision.supersedes_id:
            st.caption("Ersetzt einen früheren Beschluss; er bleibt gespeichert.")
        st.caption(f"Belege eingefroren, Prüfsumme {decision.evidence_sha256[:12]}…")
        decision_downloads(decision)


def show_circulation(slug: str, title: str, earlier: Decision | None, me: Person) -> None:
    """The form for a decision without a meeting."""
    if not may_decide(me):
        st.caption("Beschließen können nur Mitglieder des Lenkungskreises.")
        return
    with (
        st.expander("Umlaufbeschluss ohne Sitzung"),
        st.form(f"decision-{slug}-{earlier.id if earlier else 0}", border=False),
    ):
        verdict = st.radio("Beschluss", VERDICTS, index=None, horizontal=True)
        reason = st.text_area("Begründung", max_chars=4000)
        name = st.text_input("Name", value=me.name)
        if st.form_submit_button("Beschluss festhalten", type="primary"):
            with transaction() as session:
                decide(session, slug, verdict=verdict or "", reason=reason, name=name, actor=me,
                       seen=(earlier.id if earlier else None) or 0)  # fmt: skip
            say_after_rerun(
                f"Beschluss zu „{plain(title)}“ festgehalten: {verdict}. Er steht in "
                "Kürze auch in MLflow."
            )


def show_met(condition_id: int, owner: str, me: Person) -> None:
    """The way to say that a condition is met."""
    if not may_confirm(me) and me.name != owner:
        return
    with st.form(f"met-{condition_id}", border=False):
        note = st.text_input("Wodurch erfüllt?", max_chars=500)
        if st.form_submit_button("Als erfüllt vermerken"):
            with transaction() as session:
                mark_met(session, condition_id, note, actor=me)
            say_after_rerun("Die Auflage ist als erfüllt vermerkt.")


def _show_conditions(decision: Decision, me: Person) -> None:
    with reading() as session:
        conditions = conditions_of(session, decision.id or 0)
    if not conditions:
        return
    st.markdown("**Auflagen**")
    for each in conditions:
        stand = (
            f"erfüllt am {date(each.met_at)}: {plain(each.met_note)}" if each.met_at
            else f"offen, bis {day(each.due_on)}"
        )  # fmt: skip
        st.markdown(f"{each.position}. {plain(each.text)} ({plain(each.owner)}; {stand})")
    waiting = [each for each in conditions if each.met_at is None]
    if waiting and any(may_confirm(me) or each.owner == me.name for each in waiting):
        with st.expander("Auflage als erfüllt vermerken"):
            names = {each.id or 0: f"{each.position}. {each.text}" for each in waiting}
            chosen = st.selectbox(
                "Auflage", list(names), format_func=names.__getitem__,
                key=f"met-of-{decision.id}", placeholder="Bitte wählen",
            )  # fmt: skip
            show_met(chosen, next(each.owner for each in waiting if each.id == chosen), me)
