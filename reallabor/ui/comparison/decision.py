"""The decision on a scenario as it stands, and the form for a new one."""

import streamlit as st

from reallabor.database import transaction
from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.decisions import VERDICTS, decide
from reallabor.german import date
from reallabor.people import Person
from reallabor.policies import may_decide
from reallabor.ui.page import demo_badge, plain, say_after_rerun


def show_decision(comparison: ScenarioComparison, person: Person) -> None:
    """The decision as it stands, and the form for a new one."""
    decision = comparison.decision
    if decision:
        with st.container(border=True):
            st.markdown(f"**{decision.verdict}**, {date(decision.decided_at)}, "
                        f"{plain(decision.decided_by)}")  # fmt: skip
            st.write(plain(decision.reason))
            demo_badge(decision.demo)
            if decision.supersedes_id:
                st.caption("Ersetzt einen früheren Beschluss; er bleibt gespeichert.")
            st.caption(f"Belege eingefroren, Prüfsumme {decision.evidence_sha256[:12]}…")
    else:
        st.write("Noch kein Beschluss.")
    if not may_decide(person):
        st.caption("Beschließen können nur Mitglieder des Lenkungskreises.")
        return
    suggestion = "Weiterentwickeln" if comparison.readiness.ready else "noch nicht bereit"
    with st.form(f"decision-{comparison.slug}-{decision.id if decision else 0}"):
        st.markdown(f"Vorschlag nach den Regeln: **{suggestion}**. Es entscheidet der "
                    "Lenkungskreis.")  # fmt: skip
        verdict = st.radio("Beschluss", VERDICTS, index=None, horizontal=True)
        reason = st.text_area("Begründung", max_chars=4000)
        name = st.text_input("Name", value=person.name)
        if st.form_submit_button("Beschluss festhalten", type="primary"):
            with transaction() as session:
                decide(session, comparison.slug, verdict=verdict or "", reason=reason, name=name,
                       actor=person)  # fmt: skip
            say_after_rerun(
                f"Beschluss zu „{plain(comparison.title)}“ festgehalten: {verdict}. Er steht in "
                "Kürze auch in MLflow."
            )
