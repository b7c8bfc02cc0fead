"""Rückmeldungen: what staff and clients say of one scenario, and how they are asked."""

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.agenda import ScenarioSummary, list_scenarios, runs_are_hidden
from reallabor.german import count, date
from reallabor.people import Person
from reallabor.policies import may_survey
from reallabor.questionnaires import load_questionnaires
from reallabor.rating.surveys import (
    ABOUT_LIMIT,
    AUDIENCES,
    Audience,
    SampleChoice,
    SurveySummary,
    close_survey,
    list_surveys,
    make_links,
    open_survey,
    sample_choices,
)
from reallabor.rating.voice_results import FEWEST, SurveyResult, survey_result
from reallabor.ui import pages
from reallabor.ui.address import choose_scenario
from reallabor.ui.files import download_button
from reallabor.ui.page import demo_badge, page, plain, say_after_rerun
from reallabor.ui.voice_entry import entry_panel
from reallabor.ui.voice_sheets import (
    links_sheet,
    paper_sheet,
    qr_uri,
    tablet_address,
    tablet_sheet,
)
from reallabor.ui.voice_tables import STYLE, answer_table

HTML = "text/html"
PORTIONS = (8, 16, 24, 40, 80, 160)
"""One-time links made at once; eight slips fill a page."""
REACHABLE = (
    "Ein Link öffnet sich nur auf Geräten, die diese Adresse erreichen; im geschlossenen Netz also "
    "nur im Haus. Die Adresse legt der Betrieb mit `REALLABOR_PUBLIC_URL` fest."
)


def show_result(survey: SurveySummary, result: SurveyResult) -> None:
    """n, answers per question and worries; below five answers n only."""
    st.markdown(f"**{count(result.n, 'Antwort', 'Antworten')}**")
    if result.questions is None:
        st.info(
            f"Gezeigt wird ab {FEWEST} Antworten, damit niemand erkennbar ist.",
            icon=":material/visibility_off:",
        )
        return
    for question in result.questions:
        answer_table(question)
    st.markdown(f"**{plain(survey.questionnaire.standard.worry)}**")
    if not result.worries:
        st.caption("Niemand hat hier etwas geschrieben.")
    for worry in result.worries:
        with st.container(border=True):
            st.text(worry)


def show_sample(survey: SurveySummary, *, blind: bool) -> None:
    """What those asked are told and shown."""
    with st.expander("Was die Befragten sehen"):
        st.markdown(f"**Worum geht es?** {plain(survey.about)}")
        if survey.sample and blind:
            st.caption("Den Beispieltext sehen Sie erst, wenn Ihre Bewertung freigegeben ist.")
        elif survey.sample:
            if survey.sample_input:
                st.markdown(f"**{plain(survey.questionnaire.standard.sample_input)}**")
                st.text(survey.sample_input)
            st.markdown(f"**{plain(survey.questionnaire.standard.sample)}**")
            st.text(survey.sample)


def show_tablet(survey: SurveySummary, scenario: ScenarioSummary) -> None:
    """The address for devices in the house, also as QR code."""
    address = tablet_address(survey)
    st.write(
        "Für ein Tablet im Haus: Nach jeder Antwort beginnt der Fragebogen von selbst neu. Bitte "
        "nicht aushängen; mit diesem Code kann man mehrmals antworten."
    )
    st.html(
        f'<img alt="QR-Code zum Fragebogen auf dem Tablet" width="176" src="{qr_uri(address)}">'
    )
    st.code(address, language=None, wrap_lines=True)
    st.caption(REACHABLE)
    download_button(
        "Blatt für das Tablet", lambda: tablet_sheet(survey, scenario.title),
        f"tablet-{scenario.slug}.html", HTML, key=f"tablet-{survey.survey_id}",
        icon="print",
    )  # fmt: skip


def show_links(survey: SurveySummary, scenario: ScenarioSummary, person: Person) -> None:
    """One-time links on a sheet to cut out; they stand nowhere else."""
    sheets = st.session_state.setdefault("voice-links", {})
    st.write(
        "Jeder Link gilt für eine Antwort. Gespeichert wird nur, ob er benutzt ist, nicht von wem "
        "und mit welcher Antwort."
    )
    st.markdown(f"**{survey.n_links_used} von {survey.n_links}** Links benutzt")
    n = st.selectbox("Wie viele neue Links?", PORTIONS, index=1, placeholder="Bitte wählen",
                     key=f"n-{survey.survey_id}")  # fmt: skip
    if st.button("Links anlegen", key=f"links-{survey.survey_id}", icon=":material/add_link:"):
        with transaction() as session:
            keys = make_links(session, survey.survey_id, n, actor=person)
        sheets[survey.survey_id] = (len(keys), links_sheet(survey, scenario.title, keys))
        st.rerun()
    if survey.survey_id in sheets:
        made, sheet = sheets[survey.survey_id]
        st.success(
            f"{made} Links sind angelegt. Sie stehen nur auf diesem Blatt; bitte jetzt sichern.",
            icon=":material/check:",
        )
        download_button(
            f"Blatt mit {made} Links", lambda: sheet, f"links-{scenario.slug}.html", HTML,
            key=f"links-sheet-{survey.survey_id}", icon="print",
        )  # fmt: skip
    st.caption(REACHABLE)


def show_open(
    survey: SurveySummary, scenario: ScenarioSummary, result: SurveyResult, person: Person,
    *, blind: bool,
) -> None:  # fmt: skip
    """The survey that is going on: ways to answer, entering paper, results, its end."""
    with st.container(horizontal=True):
        st.badge(f"läuft seit {date(survey.opened_at)}", color="green")
        demo_badge(survey.demo)
    if may_survey(person):
        with st.expander("Tablet im Haus", icon=":material/tablet_mac:"):
            show_tablet(survey, scenario)
        with st.expander("Links und QR-Codes zum Ausschneiden", icon=":material/qr_code:"):
            show_links(survey, scenario, person)
        with st.expander("Papierbogen drucken", icon=":material/print:"):
            st.write("Zwei Fassungen in einer Datei: Standard-Deutsch und Einfache Sprache.")
            download_button(
                "Papierbogen", lambda: paper_sheet(survey, scenario.title),
                f"fragebogen-{scenario.slug}.html", HTML, key=f"paper-{survey.survey_id}",
                icon="print",
            )  # fmt: skip
        with st.expander("Papierbögen eingeben", icon=":material/keyboard:"):
            entry_panel(survey, person)
    show_sample(survey, blind=blind)
    show_result(survey, result)
    if may_survey(person):
        with st.expander("Befragung beenden"):
            st.write(
                "Danach nimmt sie keine Antworten mehr an, auch nicht vom Papier. Die Ergebnisse "
                "bleiben; eine neue Befragung beginnt bei null."
            )
            if st.button("Befragung beenden", key=f"close-{survey.survey_id}"):
                with transaction() as session:
                    close_survey(session, survey.survey_id, actor=person)
                say_after_rerun("Die Befragung ist beendet.")


def show_opening(
    scenario: ScenarioSummary, audience: Audience, choices: list[SampleChoice], person: Person
) -> None:
    """Begins a survey: what it is about, and a text as an example or none."""
    st.subheader("Befragung beginnen", anchor=False)
    st.caption(plain(load_questionnaires().note))
    about = st.text_area(
        "Worum geht es? In ein bis drei einfachen Sätzen", max_chars=ABOUT_LIMIT,
        key=f"about-{scenario.slug}-{audience}", help="Das lesen die Befragten zuerst.",
        placeholder="Zum Beispiel: Ein Computer-Programm beantwortet Fragen zum Antrag. …",
    )  # fmt: skip
    st.caption(f"Im Steckbrief steht: {plain(scenario.task)}")
    by_id = {each.output_id: each for each in choices}
    output_id = st.selectbox(
        "Beispieltext aus der Erprobung", list(by_id), index=None, placeholder="Ohne Beispiel",
        format_func=lambda key: f"{by_id[key].case}: {' '.join(by_id[key].text.split())[:90]}",
        key=f"sample-{scenario.slug}-{audience}",
        help="Ohne Beispiel entfällt die Frage nach der Verständlichkeit.",
    )  # fmt: skip
    with_input = True
    if output_id is not None:
        with_input = st.checkbox("Auch die Frage oder den Ausgangstext zeigen", value=True)
        with st.container(border=True):
            if with_input:
                st.text(by_id[output_id].input)
                st.divider()
            st.text(by_id[output_id].text)
    if st.button("Befragung beginnen", type="primary", key=f"open-{audience}"):
        with transaction() as session:
            open_survey(session, scenario.slug, audience, actor=person, about=about,
                        output_id=output_id, with_input=with_input)  # fmt: skip
        say_after_rerun("Die Befragung läuft. Unten stehen die Wege, auf denen man antworten kann.")


with page("Rückmeldungen") as me:
    st.html(STYLE)
    with reading() as session:
        scenarios = list_scenarios(session)
    if not scenarios:
        st.info("Noch kein Szenario vorhanden.", icon=":material/folder_open:")
        st.page_link(pages.SCENARIOS, label="Zu den Szenarien", icon=":material/arrow_back:")
        st.stop()
    by_slug = {each.slug: each for each in scenarios}
    scenario = by_slug[choose_scenario({slug: each.title for slug, each in by_slug.items()})]
    audience = st.segmented_control(
        "Wer wird gefragt?", list(AUDIENCES), format_func=AUDIENCES.__getitem__,
        default=next(iter(AUDIENCES)), required=True, key="voice-audience",
    )  # fmt: skip
    with reading() as session:
        surveys = [each for each in list_surveys(session, scenario.slug, actor=me)
                   if each.audience == audience]  # fmt: skip
        results = {each.survey_id: survey_result(session, each.survey_id, actor=me)
                   for each in surveys}  # fmt: skip
        blind = runs_are_hidden(session, scenario.slug, me)
        choices = [] if blind else sample_choices(session, scenario.slug, actor=me)
    st.header(f"{plain(scenario.title)}: {AUDIENCES[audience]}", anchor=False)
    st.write(
        "Rückmeldungen sind Stimmen von Menschen, die mitmachen wollten, keine Stichprobe aller. "
        "Sie stehen für sich und fließen in keinen Punktwert ein."
    )
    st.page_link(pages.SCENARIO, label="Zum Steckbrief", icon=":material/arrow_back:",
                 query_params={"szenario": scenario.slug})  # fmt: skip
    running = [each for each in surveys if each.closed_at is None]
    for survey in running:
        show_open(survey, scenario, results[survey.survey_id], me, blind=blind)
    if not any(each.demo == me.demo for each in running):
        if may_survey(me):
            show_opening(scenario, audience, choices, me)
        elif not surveys:
            st.info("Noch niemand ist gefragt worden.", icon=":material/forum:")
    for survey in surveys:
        if survey.closed_at is not None:
            period = f"{date(survey.opened_at)} bis {date(survey.closed_at)}"
            st.subheader(f"Frühere Befragung, {period}", anchor=False)
            demo_badge(survey.demo)
            show_sample(survey, blind=blind)
            show_result(survey, results[survey.survey_id])
