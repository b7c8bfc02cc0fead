"""Steckbrief: what a scenario is about, its variants, runs, indicators and cases."""

import contextlib
from typing import Any

import pandas as pd
import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.agenda import ScenarioSummary, runs_are_hidden, scenario_summary
from reallabor.errors import InvalidContent
from reallabor.german import count, date, number
from reallabor.people import Person
from reallabor.policies import may_open_round, may_record
from reallabor.recording.case_table import read_cases
from reallabor.recording.catalogue import (
    get_scenario,
    rubric_title,
    scenario_titles,
    stored_scenario,
)
from reallabor.recording.creating import is_created, replace_cases
from reallabor.recording.runs import RunSummary, list_runs, measure_titles
from reallabor.recording.table_rows import Problems
from reallabor.recording.template import template
from reallabor.recording.values import value_text
from reallabor.scenarios import CaseContent, ScenarioFolder
from reallabor.sharing.packaging import scenario_package
from reallabor.ui import pages
from reallabor.ui.address import choose_scenario
from reallabor.ui.blind import blind_notice
from reallabor.ui.estimates import show_estimates
from reallabor.ui.files import download_button, show_problems, table_uploader, xlsx_button
from reallabor.ui.indicators import show_indicators
from reallabor.ui.page import demo_badge, page, plain, say_after_rerun
from reallabor.ui.rounds import open_button, round_card
from reallabor.ui.tables import runs_table, show_table
from reallabor.ui.tracking_link import experiment_link


def show_facts(content: dict[str, Any], rubric: str) -> None:
    """The Steckbrief in two columns."""
    risk = content.get("risk_class") or {}
    minutes, volume = content.get("baseline_minutes"), content.get("yearly_volume")
    left = {
        "Aufgabe": content.get("task"),
        "Wem es hilft": content.get("helps"),
        "Erprobt von": content.get("organisation"),
        "Art der KI": content.get("ai_kind"),
    }
    right = {
        "Risikoklasse": f"{risk.get('class', '')} ({risk.get('article', '')})" if risk else None,
        "Warum": risk.get("reason"),
        "Aufwand heute (Annahme)": minutes
        and f"{number(minutes, 0)} Minuten je Vorgang, {number(volume, 0)} Vorgänge im Jahr",
        "Bewertungsraster": rubric,
        "Rechtsstand": value_text(content.get("legal_status")),
    }
    for column, facts in zip(st.columns(2, gap="large"), (left, right), strict=True):
        with column:
            for name, value in facts.items():
                if value:
                    st.markdown(f"**{name}**  \n{plain(str(value))}")
    st.caption("Die rechtliche Einordnung ist eine Hilfe, keine Rechtsberatung.")


def show_variants(content: dict[str, Any]) -> None:
    """What is compared, and what with."""
    variants = content.get("variants", [])
    if not variants:
        return
    st.header("Varianten", anchor=False)
    candidate = content.get("candidate")
    rows = [
        {
            "Variante": each["title"],
            "Rolle": "Vergleichswert (ohne KI)" if each.get("baseline")
            else "Kandidat" if each["key"] == candidate else "weitere Variante",
            "So arbeitet sie": each.get("description") or "–",
            "Kurzname": each["key"],
        }
        for each in variants
    ]  # fmt: skip
    show_table(pd.DataFrame(rows).set_index("Variante"))


def show_runs(runs: list[RunSummary], slug: str) -> None:
    """All runs, each with a way into it, and the way to put two side by side."""
    st.header("Durchläufe", anchor=False)
    show_table(runs_table(runs))
    names = {run.run_id: f"{run.name}, {run.organisation or 'ohne Organisation'}, "
             f"{date(run.finished_at)} (Nr. {run.run_id})" for run in runs}  # fmt: skip
    chosen = st.selectbox(
        "Durchlauf ansehen",
        list(names),
        format_func=names.__getitem__,
        index=None,
        placeholder="Bitte wählen",
    )
    if chosen is not None:
        st.switch_page(pages.RUN, query_params={"durchlauf": str(chosen)})
    if len(runs) > 1:
        newest = sorted(runs, key=lambda run: (run.baseline, not run.candidate))
        st.page_link(
            pages.RUNS_COMPARED, label="Zwei Durchläufe Fall für Fall gegenüberstellen",
            icon=":material/compare_arrows:",
            query_params={"szenario": slug, "a": str(newest[0].run_id),
                          "b": str(newest[-1].run_id)},
        )  # fmt: skip


def show_cases(cases: list[CaseContent]) -> None:
    """All current cases, folded away."""
    st.header("Fälle", anchor=False)
    edge = sum(case.edge for case in cases)
    st.write(f"{len(cases)} Fälle, davon {edge} Grenzfälle.")
    with st.expander("Alle Fälle zeigen"):
        rows = [
            {
                "Fall": case.id,
                "Thema": case.topic or "–",
                "Eingabe": " ".join(case.input.split())[:300],
                "Grenzfall": "ja" if case.edge else "",
            }
            for case in cases
        ]
        show_table(pd.DataFrame(rows).set_index("Fall"))


def show_actions(
    scenario: ScenarioSummary,
    person: Person,
    folder: ScenarioFolder | None,
    *,
    blind: bool,
) -> None:
    """What one can do here."""
    with st.container(horizontal=True):
        if folder and may_record(person):
            st.page_link(pages.UPLOAD, label="Durchlauf hochladen", icon=":material/upload_file:",
                         query_params={"szenario": scenario.slug})  # fmt: skip
        st.page_link(pages.GATES, label="Prüfpunkte", icon=":material/gavel:",
                     query_params={"szenario": scenario.slug})  # fmt: skip
        st.page_link(pages.VOICES, label="Rückmeldungen", icon=":material/forum:",
                     query_params={"szenario": scenario.slug})  # fmt: skip
        if scenario.released:
            st.page_link(pages.COMPARE, label="Ergebnisse", icon=":material/balance:",
                         query_params={"szenario": scenario.slug})  # fmt: skip
    with st.container(horizontal=True):
        if folder and may_record(person):
            xlsx_button("Excel-Vorlage", lambda: template(folder), f"{scenario.slug}.xlsx")
        if folder and not blind:  # it names the systems
            download_button(
                "Als Dateien mitnehmen", lambda: package_of(scenario.slug), f"{scenario.slug}.zip",
                "application/zip", icon="folder_zip",
                help="Steckbrief, Fälle und Bewertungsraster, wie sie in scenarios/ und "
                "evaluations/ liegen.",
            )  # fmt: skip


def package_of(slug: str) -> bytes:
    """The scenario as files; made when somebody wants them."""
    with reading() as session:
        return scenario_package(session, slug)


def replace_panel(slug: str, person: Person) -> None:
    """New cases for a scenario that was made in the app."""
    with st.expander("Fälle ersetzen"):
        st.write(
            "Eine Tabelle mit allen Fällen. Geänderte Fälle werden neue Fassungen; was bewertet "
            "ist, bleibt bei der alten. Fälle, die fehlen, zählen nicht mehr."
        )
        file = table_uploader("Tabelle mit den Fällen", key=f"cases-{slug}")
        if file is None:
            return
        try:
            cases = read_cases(file.name, file.getvalue())
        except Problems as problems:
            show_problems(problems)
            return
        st.write(f"{count(len(cases), 'Fall', 'Fälle')} gelesen.")
        if st.button("Fälle ersetzen", key="replace-cases"):
            with transaction() as session:
                changed, gone = replace_cases(session, slug, cases, actor=person)
            say_after_rerun(
                f"{count(changed, 'Fall', 'Fälle')} neu oder geändert, {gone} zählen nicht mehr."
            )


with page("Steckbrief") as me:
    with reading() as session:
        titles = scenario_titles(session)
    if not titles:
        st.info("Noch kein Szenario vorhanden.", icon=":material/folder_open:")
        st.page_link(pages.SCENARIOS, label="Zu den Szenarien", icon=":material/arrow_back:")
        st.stop()
    slug = choose_scenario(titles)
    with reading() as session:
        scenario = scenario_summary(session, slug)
        row = get_scenario(session, slug)
        content = row.content
        rubric = rubric_title(session, slug)
        created = is_created(session, slug)
        all_runs = list_runs(session, slug)
        blind = runs_are_hidden(session, slug, me)
        folder: ScenarioFolder | None = None
        with contextlib.suppress(InvalidContent):  # ratings were imported without cases
            folder = stored_scenario(session, slug)
    st.header(plain(scenario.title), anchor=False)
    with st.container(horizontal=True):
        st.badge(scenario.phase, color="blue")
        demo_badge(scenario.demo)
    if scenario.stop:
        st.error(plain(scenario.stop), icon=":material/block:")
    else:
        st.markdown(f"**Nächster Schritt:** {plain(scenario.next_step)}")
    show_actions(scenario, me, folder, blind=blind)
    show_facts(content, rubric)
    if not blind:  # a reason may name the system
        show_estimates(slug, content, me, seen=row.content_sha256)
        show_variants(content)
    if blind:
        blind_notice()
    elif not scenario.runs:
        st.header("Durchläufe", anchor=False)
        st.info(
            "Noch kein Durchlauf. Drei Wege führen hierher: eine Excel-Datei mit „Durchlauf "
            f"hochladen“, `reallabor run {slug}{' --endpoint … --model …' if created else ''}` auf "
            "der Kommandozeile, oder aus Python mit `reallabor.trial_run`.",
            icon=":material/play_circle:",
        )
    else:
        show_indicators(scenario.runs, measure_titles(content))
        show_runs(all_runs, slug)
    round_card(scenario, me)
    may_open = may_open_round(me) and not scenario.stop
    if may_open and not scenario.open_round and scenario.runs and not blind:
        open_button(scenario)
    if folder:
        if not blind:  # gold cases would stand out beside the list
            show_cases(folder.cases)
        if created and may_record(me):
            replace_panel(slug, me)
    if not blind:
        experiment_link(scenario.experiment_id)
