"""Durchlauf: the outputs of one run, how long they took, what failed, and what fits no case."""

import pandas as pd
import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.agenda import runs_are_hidden
from reallabor.german import ZONE, count, date, number
from reallabor.people import Person
from reallabor.policies import may_record
from reallabor.recording.runs import WAYS, OutputView, RunDetail, run_detail
from reallabor.recording.taking_over import assign_output
from reallabor.recording.undoing import undo_upload
from reallabor.tracking import Connection
from reallabor.ui import pages
from reallabor.ui.blind import blind_notice
from reallabor.ui.charts import spread_plot
from reallabor.ui.page import demo_badge, page, plain, say_after_rerun
from reallabor.ui.tables import field_table, indicator_table, output_table, show_table
from reallabor.ui.tracking_link import run_link


def show_head(run: RunDetail) -> None:
    """Which run this is."""
    summary = run.summary
    st.header(f"{plain(run.scenario)}: {plain(summary.name)}", anchor=False)
    with st.container(horizontal=True):
        st.badge(WAYS[summary.way].replace("`", ""), color="gray")
        demo_badge(summary.demo)
        if not summary.complete:
            st.badge("unvollständig", icon=":material/warning:", color="orange")
    st.write(
        f"{plain(summary.organisation or 'Ohne Organisation')}, beendet am "
        f"{date(summary.finished_at)}. {count(summary.n_outputs, 'Ausgabe', 'Ausgaben')}"
        + (f", davon {summary.n_failed} mit Fehler" if summary.n_failed else "")
        + "."
    )


def show_undo(run: RunDetail) -> None:
    """Takes an uploaded file back, for an hour."""
    if run.undo_until is None or run.summary.tracking_run_id is None:
        return
    with st.container(border=True):
        until = run.undo_until.astimezone(ZONE).strftime("%H:%M")
        st.write(f"Aus einer Datei. Bis {until} Uhr lässt sich das Hochladen zurücknehmen.")
        if st.button("Hochladen rückgängig machen", key="undo", icon=":material/undo:"):
            with st.spinner("Wird zurückgenommen …"):
                title = undo_upload(
                    run.summary.tracking_run_id, actor=me, connection=Connection.from_settings()
                )
            st.session_state["message"] = f"Der Durchlauf „{plain(title)}“ ist zurückgenommen."
            st.switch_page(pages.SCENARIO, query_params={"szenario": run.slug})


def show_loose(run: RunDetail, person: Person) -> None:
    """Outputs that fit no case, and who may say which case they answer."""
    if not run.loose:
        return
    st.header("Nicht zugeordnet", anchor=False)
    st.write(
        "Zu diesen Ausgaben fand sich kein Fall: weder steht eine bekannte Kennung dabei "
        "(`case_id`), noch stimmt die Eingabe genau mit einem Fall überein."
    )
    for loose in run.loose[:20]:
        with st.container(border=True):
            st.caption(f"Angabe: {plain(loose.hint) or 'keine'}")
            st.text(loose.input[:1500] or "(ohne Eingabe)")
            st.text(f"Ausgabe: {loose.text[:600]}")
            if not may_record(person) or run.rated:
                continue
            case_id = st.selectbox(
                "Gehört zu Fall", list(run.open_cases), format_func=run.open_cases.__getitem__,
                index=None, placeholder="Bitte wählen", key=f"case-{loose.unassigned_id}",
            )  # fmt: skip
            sure = st.button("Zuordnen", key=f"assign-{loose.unassigned_id}")
            if sure and case_id is None:
                st.warning("Bitte zuerst den Fall wählen.", icon=":material/warning:")
            if sure and case_id is not None:
                with transaction() as session:
                    assign_output(session, loose.unassigned_id, case_id, actor=person)
                say_after_rerun(f"Zugeordnet zu Fall {plain(run.open_cases[case_id])}.")
    if len(run.loose) > 20:
        st.caption(f"… und {len(run.loose) - 20} weitere.")


def show_output(run: RunDetail, output: OutputView) -> None:
    """One output in full beside what it answers."""
    left, right = st.columns(2)
    with left:
        st.subheader("Eingabe", anchor=False)
        st.text(output.input)
        if output.reference:
            st.subheader("Referenz", anchor=False)
            st.text(output.reference)
    with right:
        st.subheader("Ausgabe", anchor=False)
        if output.error:
            st.error(plain(output.error), icon=":material/error:")
        if output.text is not None:
            st.text(output.text)
        if run.fields:
            show_table(
                field_table(run.fields, ("Erwartet", output.expected), ("Ausgabe", output.details))
            )
        figures = [
            f"{number(value, digits)} {unit}"
            for value, digits, unit in (
                (output.latency_ms, 0, "ms"), (output.tokens, 0, "Token"),
                (output.cost_eur, 4, "EUR"),
            )
            if value is not None
        ]  # fmt: skip
        if figures:
            st.caption(" · ".join(figures))


def show(run: RunDetail, person: Person) -> None:
    """The whole page."""
    show_head(run)
    with st.container(horizontal=True):
        st.page_link(pages.SCENARIO, label="Zum Steckbrief", icon=":material/arrow_back:",
                     query_params={"szenario": run.slug})  # fmt: skip
        st.page_link(
            pages.RUNS_COMPARED, label="Mit anderem Durchlauf vergleichen",
            icon=":material/compare_arrows:",
            query_params={"szenario": run.slug, "a": str(run.summary.run_id)},
        )  # fmt: skip
        run_link(run.experiment_id, run.summary.tracking_run_id)
    show_undo(run)
    show_loose(run, person)
    st.header("Kennzahlen", anchor=False)
    show_table(indicator_table([run.summary], run.measures))
    latencies = [each.latency_ms for each in run.outputs if each.latency_ms is not None]
    if len(latencies) > 1:
        spread_plot(latencies, title="Antwortzeit je Fall", axis="Antwortzeit in ms")
    st.header("Ausgaben", anchor=False)
    failed = [output for output in run.outputs if output.error]
    shown = run.outputs
    if failed and st.toggle(f"Nur Ausgaben mit Fehler zeigen ({len(failed)})", key="only-failed"):
        shown = failed
    if not shown:
        st.info("Noch keine Ausgabe ist einem Fall zugeordnet.", icon=":material/inbox:")
        return
    names = {output.case: output for output in shown}
    wanted = st.query_params.get("fall")
    chosen = st.selectbox(
        "Ausgabe im Ganzen ansehen", list(names), key="output", placeholder="Bitte wählen",
        index=list(names).index(wanted) if wanted in names else 0,
    )  # fmt: skip
    show_output(run, names[chosen])
    with st.expander("Alle Ausgaben als Tabelle"):
        show_table(output_table(shown))
    with st.expander("Angaben zum System"):
        table = pd.DataFrame({"Wert": run.params})
        table.index.name = "Angabe"
        show_table(table)


with page("Durchlauf") as me:
    wanted = st.query_params.get("durchlauf", "")
    if not wanted.isdecimal() or len(wanted) > 9:
        st.info(
            "Welcher Durchlauf? Durchläufe stehen beim Steckbrief ihres Szenarios.",
            icon=":material/play_circle:",
        )
        st.page_link(pages.SCENARIOS, label="Zu den Szenarien", icon=":material/arrow_back:")
        st.stop()
    with reading() as session:
        detail = run_detail(session, int(wanted))
        blind = runs_are_hidden(session, detail.slug, me)
    if blind:
        blind_notice()
    else:
        show(detail, me)
