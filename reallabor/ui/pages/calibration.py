"""Kalibrierung: one gold case per screen, then what the reference says of it."""

import uuid

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.evaluations import CriterionContent
from reallabor.german import count
from reallabor.people import Person
from reallabor.rating.calibration import Calibration, calibration_named
from reallabor.rating.training import (
    CriterionFeedback,
    TrainingCase,
    feedback,
    next_case,
    rated_keys,
    submit_levels,
)
from reallabor.ui import pages
from reallabor.ui.focus import focus_heading
from reallabor.ui.page import page, plain, refusals

STYLE = """
<style>
@media (min-width: 900px) {
  [data-testid="stColumn"]:has(.st-key-case, .st-key-told) { position: sticky; top: 4rem;
    align-self: start; max-height: calc(100vh - 5rem); overflow-y: auto; }
}
@media (max-width: 899px) { [data-testid="stColumn"]:has(.st-key-told) { order: 2; } }
</style>
"""
"""The case stays in sight while one goes through the criteria; on a narrow screen the feedback
comes before the case that one has just read."""


def show_step(heading: str, step: str) -> None:
    """The heading of a step; it takes the focus when one comes from another step."""
    with st.container(key="step"):
        st.subheader(heading, anchor=False)
    focus_heading(step, within="step")


def show_case(case: TrainingCase, *, key: str) -> None:
    """What is to be judged, as written."""
    with st.container(key=key):
        st.subheader("Eingabe", anchor=False)
        st.text(case.input)
        if case.reference:
            st.subheader("Referenz", anchor=False)
            st.text(case.reference)
        st.subheader("Ausgabe", anchor=False)
        with st.container(border=True):
            st.text(case.output)


def ask_level(case: TrainingCase, criterion: CriterionContent) -> int | None:
    """The levels of one criterion with their anchor texts."""
    return st.radio(
        f"**{plain(criterion.title)}** · {plain(criterion.question)}",
        sorted(criterion.levels),
        format_func=lambda level: f"{level}: {plain(criterion.levels[level])}",
        index=None,
        key=f"level-{case.gold_case_id}-{criterion.key}",
    )


def show_sheet(case: TrainingCase, status: Calibration, person: Person) -> None:
    """The case and its criteria; nothing of the reference levels is on the page yet."""
    show_step(
        f"Durchgang {status.attempt}, Fall {status.cases + 1} von {status.enough}",
        f"ask {case.key}",
    )
    left, right = st.columns(2, gap="large")
    with left:
        show_case(case, key="case")
    with right:
        with st.form(f"levels-{case.gold_case_id}", border=False):
            given = {each.key: ask_level(case, each) for each in case.criteria}
            sent = st.form_submit_button("Bewerten und vergleichen", type="primary")
        st.caption("Mit Tab zum nächsten Kriterium, mit den Pfeiltasten zur Stufe.")
        if not sent:
            return
        memory = f"submission-{case.gold_case_id}"
        submission = st.session_state.setdefault(memory, str(uuid.uuid4()))
        with refusals(), transaction() as session:
            levels = {key: level for key, level in given.items() if level is not None}
            submit_levels(session, case.gold_case_id, levels, actor=person, submission=submission)
            st.session_state["calibration-done"] = case.key
    if st.session_state.pop("calibration-done", None) == case.key:
        st.switch_page(pages.CALIBRATION, query_params={"raster": status.rubric, "fall": case.key})


def show_judgement(each: CriterionFeedback) -> None:
    """One criterion: own level, reference, and why."""
    with st.container(border=True):
        with st.container(horizontal=True):
            st.subheader(plain(each.title), anchor=False, width="content")
            if each.within:
                st.badge("passt", icon=":material/check:", color="green")
            else:
                st.badge("weicht ab", icon=":material/close:", color="orange")
        if each.given == each.reference:
            st.markdown(f"**Ihre Stufe und Referenz: {each.given}** · {plain(each.given_anchor)}")
        else:
            st.markdown(f"**Ihre Stufe: {each.given}** · {plain(each.given_anchor)}")
            st.markdown(f"**Referenz: {each.reference}** · {plain(each.reference_anchor)}")
        st.markdown(plain(each.explanation))


def show_feedback(key: str, status: Calibration, person: Person, *, paused: bool) -> None:
    """What the reference says of a rated case."""
    with reading() as session:
        found = feedback(session, status.rubric_id, key, actor=person)
    steps = count(status.tolerance, "Stufe", "Stufen")
    show_step(
        f"Rückmeldung: {found.within} von {len(found.criteria)} Urteilen passen", f"tell {key}"
    )
    st.caption(f"Ein Urteil passt, wenn es höchstens {steps} neben der Referenz liegt.")
    left, right = st.columns(2, gap="large")
    with left:
        show_case(found.case, key="told")
    with right:
        for each in found.criteria:
            show_judgement(each)
        show_way_on(status, paused=paused)


def show_way_on(status: Calibration, *, paused: bool) -> None:
    """The next case, or how the attempt ended; `paused` where no case can be given now."""
    query = {"raster": status.rubric}
    if status.calibrated:
        st.success(
            f"Sie sind kalibriert: {status.within} von {status.judgements} Urteilen passen, nötig "
            f"waren {status.needed}.",
            icon=":material/check:",
        )
        st.page_link(pages.CONFIRMATION, label="Bestätigung ansehen und drucken",
                     icon=":material/workspace_premium:", query_params=query)  # fmt: skip
    elif status.exhausted:
        st.info(
            "Das hat nicht gereicht, und Sie kennen jetzt zu viele Fälle für einen weiteren "
            "Durchgang. Bitte sprechen Sie mit der Organisation des Reallabors: Sie kann neue "
            "Kalibrierfälle hinterlegen. Oft ist auch ein Ankertext unklar."
        )
    else:
        if status.begun and not status.cases:
            st.info(
                f"Der Durchgang hat nicht gereicht; nötig sind {status.needed} von {status.total} "
                "Urteilen. Lesen Sie die Erklärungen in Ruhe nach. Der nächste hat andere Fälle."
            )
        label = "Nächster Fall" if status.cases else "Nächsten Durchgang beginnen"
        if paused:
            st.info(
                "Weitere Kalibrierfälle gibt es hier, sobald Ihre laufende Bewertungsrunde "
                "freigegeben ist. Ihr Stand bleibt bis dahin, wie er ist."
            )
        elif st.button(label, key="next", type="primary"):
            st.switch_page(pages.CALIBRATION, query_params=query)
    st.page_link(pages.LEARNING, label="Zu „Lernen“", icon=":material/school:")


def show_rated(status: Calibration, person: Person, *, paused: bool) -> None:
    """The cases whose feedback may be read again."""
    with reading() as session:
        keys = rated_keys(session, status.rubric_id, actor=person)
    if keys:
        show_step("Ihre bewerteten Fälle", "again")
        st.write("Was Sie zuerst gegeben haben, bleibt stehen.")
    for number, key in enumerate(keys, start=1):
        if st.button(f"Fall {number}: {key}", key=f"again-{key}", icon=":material/menu_book:"):
            st.switch_page(pages.CALIBRATION, query_params={"raster": status.rubric, "fall": key})
    show_way_on(status, paused=paused)


def show(name: str, person: Person) -> None:
    """The whole page for one rubric."""
    with reading() as session:
        status = calibration_named(session, person, name)
        case = next_case(session, status.rubric_id, actor=person)
    st.header(f"{plain(status.title)} ({plain(status.rubric)})", anchor=False)
    paused = case is None and not (status.calibrated or status.exhausted)
    if rated := st.query_params.get("fall"):
        show_feedback(rated, status, person, paused=paused)
    elif st.query_params.get("ansicht") == "nachlesen" or case is None:
        show_rated(status, person, paused=paused)
    else:
        show_sheet(case, status, person)


with page("Kalibrierung", compact=True) as me:
    st.html(STYLE)
    if wanted := st.query_params.get("raster"):
        show(wanted, me)
    else:
        st.info("Welches Bewertungsraster? Bitte unter „Lernen“ eines wählen.")
        st.page_link(pages.LEARNING, label="Zu „Lernen“", icon=":material/school:")
