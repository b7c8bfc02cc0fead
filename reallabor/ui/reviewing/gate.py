"""One gate of law on the screen: what it asks, its evidence and history, and the form for those who
may confirm it."""

import pandas as pd
import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.findings import (
    EvidenceFile,
    EvidenceLink,
    FindingView,
    GateOutcome,
    default_expiry,
    record_finding,
)
from reallabor.deciding.gates import EvidenceView, Gate, GateState
from reallabor.deciding.reviewing import Desk, GateCard
from reallabor.gates import GateContent
from reallabor.german import day, number, today
from reallabor.people import Person
from reallabor.policies import offices_of
from reallabor.recording.evidence_files import read_evidence
from reallabor.tracking import Connection
from reallabor.ui.files import download_button
from reallabor.ui.page import plain, refusals, say_after_rerun
from reallabor.ui.tables import show_table

OUTCOMES: dict[GateOutcome, str] = {
    GateOutcome.PASSED: "erfüllt",
    GateOutcome.MISSED: "verfehlt",
    GateOutcome.NOT_APPLICABLE: "nicht anwendbar",
}
REQUIRED = {
    "file": "Nötig ist eine Datei.",
    "link": "Nötig ist ein Verweis.",
    "either": "Nötig ist eine Datei oder ein Verweis.",
    "none": "Eine Datei oder ein Verweis ist nicht nötig.",
}


def show_gate(desk: Desk, card: GateCard, person: Person) -> None:
    """Everything about one gate, and how it is confirmed."""
    content, gate = card.content, card.gate
    st.header(plain(content.title), anchor=False)
    _state_badge(gate)
    st.markdown(f"**{plain(content.question)}**")
    st.write(plain(content.help))
    st.caption(
        f"Grundlage: {plain(content.article)}. Bestätigt von: {' oder '.join(content.offices)}. "
        + _validity(content)
    )
    if gate.reviewed_on:
        _show_finding(gate)
    if gate.state == GateState.PASSED and may_confirm(content, person):
        with st.expander("Neu prüfen"):
            form_of(desk, card, person)
    else:
        form_of(desk, card, person)
    if len(card.history) > 1 or (card.history and not gate.reviewed_on):
        with st.expander(f"Verlauf ({len(card.history)})"):
            show_table(_history_table(card.history))


def _state_badge(gate: Gate) -> None:
    if gate.state == GateState.PASSED:
        st.badge(gate.words, icon=":material/check_circle:", color="green")
    elif gate.state == GateState.MISSED:
        st.badge(gate.words, icon=":material/cancel:", color="red")
    else:
        st.badge(gate.words, icon=":material/pending:", color="orange")


def _validity(content: GateContent) -> str:
    if content.valid_months is None:
        return "Eine Bestätigung gilt, bis sich der Text ändert."
    return f"Eine Bestätigung gilt {content.valid_months} Monate."


def _show_finding(gate: Gate) -> None:
    assert gate.reviewed_on is not None
    until = f", gültig bis {day(gate.expires_on)}" if gate.expires_on else ""
    status = f", Rechtsstand {day(gate.legal_status)}" if gate.legal_status else ""
    st.markdown(
        f"Geprüft am {day(gate.reviewed_on)} von {gate.office}{until}{status}.  \n"
        f"{plain(gate.note)}"
    )
    for each in gate.evidence:
        _show_evidence(each)


def _show_evidence(evidence: EvidenceView) -> None:
    if evidence.url:
        st.link_button(f"Verweis: {plain(evidence.title)}", evidence.url,
                       icon=":material/link:")  # fmt: skip
        return
    if evidence.missing:
        st.error(
            f"Der Nachweis „{plain(evidence.title)}“ fehlt in MLflow oder wurde dort verändert. "
            "Bitte aus der Sicherung zurückholen oder den Prüfpunkt mit der Datei neu bestätigen.",
            icon=":material/error:",
        )
        return
    size = f"{number(evidence.n_bytes / 1000, 1)} kB"
    label = f"Datei holen: {plain(evidence.title)} ({size})"
    if not st.button(label, key=f"fetch-{evidence.evidence_id}", icon=":material/description:"):
        return
    with refusals():
        with reading() as session:
            data = read_evidence(session, Connection.from_settings(), evidence.evidence_id)
        download_button(
            "Geprüfte Datei speichern", lambda: data, evidence.title, "application/octet-stream",
            help=f"Prüfsumme {evidence.sha256}",
        )  # fmt: skip


def _history_table(history: list[FindingView]) -> pd.DataFrame:
    rows = [
        {
            "Geprüft am": day(each.reviewed_on),
            "Ergebnis": OUTCOMES[each.outcome] + (" (Demodaten)" if each.demo else ""),
            "Stelle": f"{each.office}, {each.reviewer}",
            "Gültig bis": day(each.expires_on) if each.expires_on else "unbegrenzt",
            "Begründung": each.note,
            "Nachweise": ", ".join(view.title for view in each.evidence) or "–",
        }
        for each in history
    ]
    return pd.DataFrame(rows).set_index("Geprüft am")


def may_confirm(content: GateContent, person: Person) -> bool:
    """Whether the person holds one of the gate's offices."""
    return bool(set(offices_of(person)) & set(content.offices))


def form_of(desk: Desk, card: GateCard, person: Person) -> None:
    """The form, or who may fill it in."""
    content = card.content
    held = [office for office in offices_of(person) if office in content.offices]
    if not held:
        st.caption(
            f"Diesen Prüfpunkt bestätigt {' oder '.join(content.offices)}; Sie können ihn lesen."
        )
        return
    choices = [each for each in OUTCOMES if not (each == GateOutcome.NOT_APPLICABLE
                                                  and content.stops)]  # fmt: skip
    latest = default_expiry(content)
    # A new key after every finding, so that the form is empty again.
    with st.form(f"finding-{desk.slug}-{content.key}-{len(card.history)}"):
        office = (
            held[0] if len(held) == 1 else st.selectbox("Als", held, placeholder="Bitte wählen")
        )
        outcome = st.radio("Ergebnis", choices, format_func=OUTCOMES.__getitem__, index=None,
                           horizontal=True)  # fmt: skip
        if content.stops:
            st.warning("„Verfehlt“ hält die Erprobung sofort an: Es wird nichts mehr aufgezeichnet "
                       "oder bewertet.", icon=":material/block:")  # fmt: skip
        note = st.text_area("Begründung", max_chars=4000, height=100,
                            help="Was wurde geprüft, und mit welchem Ergebnis?")  # fmt: skip
        st.caption(f"Nachweis: {plain(content.evidence)}. {REQUIRED[content.evidence_required]}")
        chosen = st.file_uploader("Dateien als Nachweis (je höchstens 20 MB)",
                                  accept_multiple_files=True)  # fmt: skip
        left, right = st.columns(2)
        with left:
            url = st.text_input("Verweis", placeholder="https://…")
        with right:
            title = st.text_input("Was dort liegt", placeholder="z. B. Dienstvereinbarung")
        until = st.date_input("Gültig bis", latest, min_value=today(), max_value=latest,
                              format="DD.MM.YYYY") if latest else None  # fmt: skip
        if st.form_submit_button("Ergebnis festhalten", type="primary"):
            with refusals():
                if outcome is None:
                    st.error("Bitte ein Ergebnis wählen.", icon=":material/error:")
                    return
                with transaction() as session:
                    record_finding(
                        session, desk.slug, content.key, outcome=outcome, office=office, note=note,
                        files=[EvidenceFile(each.name, each.getvalue()) for each in chosen],
                        links=[EvidenceLink(title, url)] if url.strip() else [],
                        expires_on=until, actor=person,
                    )  # fmt: skip
                say_after_rerun(f"„{plain(content.title)}“: {OUTCOMES[outcome]} festgehalten.")
