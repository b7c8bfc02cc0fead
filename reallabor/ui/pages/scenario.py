"""Steckbrief: what a scenario is about, its variants, runs, indicators and cases."""

import contextlib
from typing import Any

import pandas as pd
import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.agenda import (
    ScenarioSummary,
    hidden_runs,
    list_scenarios,
    scenario_summary,
)
from reallabor.errors import InvalidContent
from reallabor.german import count, date, number
from reallabor.people import Person
from reallabor.policies import may_open_round, may_record
from reallabor.recording.case_table import read_cases
from reallabor.recording.catalogue import get_scenario, rubric_title, stored_scenario
from reallabor.recording.creating import is_created, replace_cases
from reallabor.recording.indicators import TITLES as INDICATOR_TITLES
from reallabor.recording.measures import HIGH, LOW, SHARES
from reallabor.recording.runs import RunSummary, list_runs, measure_titles
from reallabor.recording.table import ENDINGS
from reallabor.recording.template import template
from reallabor.scenarios import CaseContent, ScenarioFolder
from reallabor.sharing.packaging import scenario_package
from reallabor.ui import pages
from reallabor.ui.blind import blind_notice
from reallabor.ui.charts import Dot, dot_plot
from reallabor.ui.page import demo_badge, page, plain, say_after_rerun
from reallabor.ui.rounds import open_button, release_panel
from reallabor.ui.tables import indicator_table, measure_cell, runs_table, show_table, value_text
from reallabor.ui.tracking_link import experiment_link

GENERAL = {
    key: INDICATOR_TITLES[key]
    for key in ("words_mean", "amstad_mean", "latency_p50_ms", "cost_mean_eur")
}
"""Drawn where a scenario has no measures of its own."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def choose_scenario(scenarios: list[ScenarioSummary]) -> str:
    """The scenario of the address, or the one that is picked here."""
    titles = {each.slug: each.title for each in scenarios}
    slugs = list(titles)
    wanted = st.query_params.get("szenario")
    chosen: str = st.selectbox(
        "Szenario", slugs, format_func=titles.__getitem__, placeholder="Bitte wählen",
        index=slugs.index(wanted) if wanted in slugs else 0,
    )  # fmt: skip
    st.query_params["szenario"] = chosen
    return chosen


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


def role_of(run: RunSummary) -> str:
    """How a run is drawn."""
    if run.baseline:
        return "ohne KI"
    return "Kandidat" if run.candidate else "weitere Variante"


def show_indicators(runs: list[RunSummary], measures: dict[str, str]) -> None:
    """The newest runs against the baseline: a plot of one measure, a table of all."""
    st.header("Kennzahlen", anchor=False)
    st.caption(
        "Automatisch gezählt, neueste Durchläufe. Sie stehen neben den Bewertungen und fließen "
        "nicht in den Punktwert ein. In Klammern der Bereich, in dem der wahre Wert mit 95 % "
        "Sicherheit liegt."
    )
    drawn = {
        key: title
        for key, title in (measures or GENERAL).items()
        if any(key in run.indicators for run in runs)
    }
    if drawn:
        key = st.segmented_control(
            "Kennzahl im Bild", list(drawn), format_func=drawn.__getitem__,
            default=next(iter(drawn)), required=True,
        )  # fmt: skip
        scale = 100.0 if key in SHARES else 1.0
        dots = [
            Dot(f"{run.name}{f' ({run.organisation})' if several(run, runs) else ''}", role_of(run),
                scale * run.indicators[key],
                scale * run.indicators[key + LOW] if key + LOW in run.indicators else None,
                scale * run.indicators[key + HIGH] if key + HIGH in run.indicators else None,
                round(run.indicators.get(f"{key}.n", run.n_outputs)))
            for run in sorted(runs, key=lambda run: run.baseline)
            if key in run.indicators
        ]  # fmt: skip
        most = max(dot.high or dot.mean for dot in dots)
        dot_plot(
            dots, title=f"{drawn[key]} je Variante",
            limits=(0, 1.15 * most) if key in GENERAL else (0, 1.02 * scale),
            axis=drawn[key] + ("" if key in GENERAL else " (%)" if scale > 1 else " (0 bis 1)"),
            digits=1 if key in GENERAL else 0 if scale > 1 else 2,
        )  # fmt: skip
        for run in runs:
            if run.candidate and key in measures and key in run.indicators:
                st.markdown(f"**{plain(run.variant)}:** {measure_cell(key, run.indicators)}")
    show_table(indicator_table(runs, measures))


def several(run: RunSummary, runs: list[RunSummary]) -> bool:
    """Whether other houses tried the same variant."""
    return sum(each.variant_key == run.variant_key for each in runs) > 1


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
    package: bytes | None,
    *,
    blind: bool,
) -> None:
    """What one can do here."""
    with st.container(horizontal=True):
        if folder and may_record(person):
            st.page_link(pages.UPLOAD, label="Durchlauf hochladen", icon=":material/upload_file:",
                         query_params={"szenario": scenario.slug})  # fmt: skip
        st.page_link(pages.VOICES, label="Rückmeldungen", icon=":material/forum:",
                     query_params={"szenario": scenario.slug})  # fmt: skip
        if scenario.released:
            st.page_link(pages.COMPARE, label="Ergebnisse", icon=":material/balance:",
                         query_params={"szenario": scenario.slug})  # fmt: skip
    with st.container(horizontal=True):
        if folder and may_record(person):
            st.download_button(
                "Excel-Vorlage", lambda: template(folder), f"{scenario.slug}.xlsx", XLSX,
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
        if package and not blind:  # it names the systems
            st.download_button(
                "Als Dateien mitnehmen", package, f"{scenario.slug}.zip", "application/zip",
                icon=":material/folder_zip:", on_click="ignore",
                help="Steckbrief, Fälle und Bewertungsraster, wie sie in scenarios/ und "
                "evaluations/ liegen.",
            )  # fmt: skip


def replace_panel(slug: str, person: Person) -> None:
    """New cases for a scenario that was made in the app."""
    with st.expander("Fälle ersetzen"):
        st.write(
            "Eine Tabelle mit allen Fällen. Geänderte Fälle werden neue Fassungen; was bewertet "
            "ist, bleibt bei der alten. Fälle, die fehlen, zählen nicht mehr."
        )
        file = st.file_uploader("Tabelle mit den Fällen", key=f"cases-{slug}",
                                type=[ending.lstrip(".") for ending in ENDINGS])  # fmt: skip
        if file is None:
            return
        cases = read_cases(file.name, file.getvalue())
        st.write(f"{count(len(cases), 'Fall', 'Fälle')} gelesen.")
        if st.button("Fälle ersetzen", key="replace-cases"):
            with transaction() as session:
                changed, gone = replace_cases(session, slug, cases, actor=person)
            say_after_rerun(
                f"{count(changed, 'Fall', 'Fälle')} neu oder geändert, {gone} zählen nicht mehr."
            )


with page("Steckbrief") as me:
    with reading() as session:
        scenarios = list_scenarios(session)
    if not scenarios:
        st.info("Noch kein Szenario vorhanden.", icon=":material/folder_open:")
        st.page_link(pages.SCENARIOS, label="Zu den Szenarien", icon=":material/arrow_back:")
        st.stop()
    slug = choose_scenario(scenarios)
    with reading() as session:
        scenario = scenario_summary(session, slug)
        content = get_scenario(session, slug).content
        rubric = rubric_title(session, slug)
        created = is_created(session, slug)
        all_runs = list_runs(session, slug)
        blind = slug in hidden_runs(session, me)
        folder: ScenarioFolder | None = None
        package: bytes | None = None
        with contextlib.suppress(InvalidContent):  # ratings were imported without cases
            folder = stored_scenario(session, slug)
            package = scenario_package(session, slug)
    st.header(plain(scenario.title), anchor=False)
    with st.container(horizontal=True):
        st.badge(scenario.phase, color="blue")
        demo_badge(scenario.demo)
    st.markdown(f"**Nächster Schritt:** {plain(scenario.next_step)}")
    show_actions(scenario, me, folder, package, blind=blind)
    show_facts(content, rubric)
    if not blind:
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
    release_panel(scenario, me)
    if may_open_round(me) and not scenario.open_round and scenario.runs and not blind:
        open_button(scenario, me)
    if folder:
        show_cases(folder.cases)
        if created and may_record(me):
            replace_panel(slug, me)
    if not blind:
        experiment_link(scenario.experiment_id)
