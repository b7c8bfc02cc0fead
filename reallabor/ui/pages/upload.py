"""Durchlauf hochladen: a table becomes a run; everything is shown before anything is recorded."""

import pandas as pd
import streamlit as st

from reallabor.database import reading
from reallabor.german import count
from reallabor.people import list_organisations, organisation_of
from reallabor.policies import may_record, require
from reallabor.recording.catalogue import scenario_titles, stored_scenario
from reallabor.recording.columns import CASE, OUTPUT, chosen_columns, guess_columns, is_header
from reallabor.recording.columns import TITLES as COLUMN_TITLES
from reallabor.recording.table import Book, Table, column_letter, open_book
from reallabor.recording.table_rows import Problems
from reallabor.recording.template import template
from reallabor.recording.uploads import Upload, check_upload, summary, take_upload
from reallabor.recording.values import value_text
from reallabor.scenarios import ScenarioFolder, key_from
from reallabor.tracking import Connection
from reallabor.ui import pages
from reallabor.ui.address import choose_scenario
from reallabor.ui.files import show_problems, table_uploader, xlsx_button
from reallabor.ui.page import page, plain
from reallabor.ui.tables import show_table

NEW = "Andere, neue Variante …"
NONE = "– (keine Spalte)"
PREVIEW = 5


def choose_variant(scenario: ScenarioFolder) -> tuple[str, str]:
    """Key and title of the variant whose outputs these are."""
    titles = {each.key: each.title for each in scenario.content.variants}
    chosen = st.selectbox(
        "Von welcher Variante sind die Ausgaben?", [*titles, NEW],
        format_func=lambda key: titles.get(key, key), index=None, placeholder="Bitte wählen",
        key="variant",
    )  # fmt: skip
    if chosen == NEW:
        title = st.text_input(
            "Name der neuen Variante", placeholder="z. B. Sprachmodell des Landes, Version 2",
            key="variant-title",
        )  # fmt: skip
        return key_from(title), title.strip()
    return (chosen, titles[chosen]) if chosen else ("", "")


def choose_columns(table: Table, scenario: ScenarioFolder) -> dict[str, str]:
    """The guessed meaning of every column, to be corrected."""
    fields = scenario.content.fields
    guessed = guess_columns(table.header, fields).index
    titles = {**COLUMN_TITLES, **{field.key: field.title for field in fields}}
    order = [CASE, OUTPUT, *(field.key for field in fields),
             *(key for key in COLUMN_TITLES if key not in (CASE, OUTPUT))]  # fmt: skip
    found = ", ".join(f"{titles[key]} = Spalte {column_letter(guessed[key])}" for key in order
                      if key in guessed)  # fmt: skip
    st.write(f"Erkannt: {plain(found) or 'keine Spalte'}.")
    complete = CASE in guessed and OUTPUT in guessed
    headings = [heading for heading in table.header if heading]
    chosen: dict[str, str] = {}
    with st.expander("Spalten selbst zuordnen", expanded=not complete):
        for number, meaning in enumerate(order):
            at = guessed.get(meaning)
            heading = table.header[at] if at is not None else None
            options = [NONE, *dict.fromkeys(headings)]
            picked = st.selectbox(
                titles[meaning],
                options,
                index=options.index(heading) if heading in options else 0,
                key=f"column-{number}-{'/'.join(headings)[:80]}",
                placeholder="Bitte wählen",
            )
            if picked != NONE:
                chosen[meaning] = picked
    return chosen


def read_once(name: str, data: bytes, file_id: str) -> Book:
    """The file as it was read when it was chosen; not read again at every click."""
    kept = st.session_state.get("book")
    if kept is None or kept[0] != file_id:
        with st.spinner("Datei wird gelesen …"):
            kept = (file_id, open_book(name, data))
        st.session_state["book"] = kept
    book: Book = kept[1]
    return book


def show_preview(upload: Upload) -> None:
    """The first outputs as they would be recorded."""
    rows = [
        {
            "Fall": entry.case_id,
            "Ausgabe": " ".join(str((entry.output or {}).get("text", "")).split())[:160] or "–",
            **{
                field.title: value_text((entry.output or {}).get(field.key))
                for field in upload.scenario.content.fields
            },
            **({"Fehler": entry.error} if entry.error else {}),
        }
        for entry in upload.entries[:PREVIEW]
    ]
    st.caption(f"Die ersten {len(rows)} Ausgaben, wie sie gespeichert würden:")
    show_table(pd.DataFrame(rows).fillna("").set_index("Fall"))


with page("Durchlauf hochladen") as me:
    require(may_record, me)
    with reading() as session:
        titles = scenario_titles(session, with_cases=True)
        own = organisation_of(session, me)
        houses = list_organisations(session)
    if not titles:
        st.info("Noch kein Szenario mit Fällen vorhanden.", icon=":material/folder_open:")
        st.page_link(pages.SCENARIOS, label="Zu den Szenarien", icon=":material/arrow_back:")
        st.stop()
    slug = choose_scenario(titles)
    with reading() as session:
        scenario = stored_scenario(session, slug)
    st.markdown(
        "**1.** Vorlage herunterladen und je Fall die Ausgabe Ihres Systems eintragen. Eine eigene "
        "Tabelle geht auch, wenn sie die Kennungen der Fälle enthält."
    )
    xlsx_button("Excel-Vorlage mit allen Fällen", lambda: template(scenario), f"{slug}.xlsx")
    st.markdown("**2.** Sagen, von welchem System die Ausgaben sind.")
    variant, title = choose_variant(scenario)
    options = sorted({*houses, own, scenario.content.organisation} - {""})
    organisation = st.selectbox(
        "Wer hat erprobt?",
        options,
        index=options.index(own or scenario.content.organisation),
        key="organisation",
        placeholder="Bitte wählen",
    )
    st.markdown("**3.** Datei wählen. Gespeichert wird erst, wenn Sie unten bestätigen.")
    file = table_uploader(
        "Tabelle (xlsx, xls, ods, csv oder jsonl, höchstens 20 MB)", key=f"file-{slug}"
    )
    if file is None:
        st.stop()
    book = read_once(file.name, file.getvalue(), file.file_id)
    sheet = None
    if len(book.sheets) > 1:
        sheet = st.selectbox(
            "Blatt", list(book.sheets), key=f"sheet-{file.file_id}", placeholder="Bitte wählen"
        )
    table = book.table(is_header(scenario.content.fields), sheet=sheet)
    columns = choose_columns(table, scenario)
    if not variant:
        st.info("Bitte oben die Variante wählen; dann folgt die Vorschau.",
                icon=":material/arrow_upward:")  # fmt: skip
        st.stop()
    try:
        upload = check_upload(
            scenario, table, chosen_columns(table.header, columns, scenario.content.fields),
            filename=file.name, variant=variant, title=title, organisation=organisation,
        )  # fmt: skip
    except Problems as problems:
        show_problems(problems)
        st.stop()
    for note in upload.notes:
        st.info(plain(note), icon=":material/info:")
    st.write(summary(upload))
    show_preview(upload)
    sure = True
    if upload.missing:
        st.warning(
            f"Zu {count(len(upload.missing), 'Fall', 'Fällen')} fehlt die Ausgabe: "
            f"{plain(', '.join(upload.missing[:12]))}{' …' if len(upload.missing) > 12 else ''}",
            icon=":material/warning:",
        )
        sure = st.checkbox("Trotzdem übernehmen; der Durchlauf bleibt unvollständig.")
    if st.button("Durchlauf übernehmen", type="primary", disabled=not sure, key="take"):
        bar = st.progress(0.0, text="Ausgaben werden aufgezeichnet …")

        def advance(done: int, total: int) -> None:
            bar.progress(0.8 * done / total, text=f"{done} von {total} Ausgaben aufgezeichnet …")

        recorded, run_id = take_upload(
            upload, Connection.from_settings(), actor=me,
            progress=advance,
        )  # fmt: skip
        bar.progress(1.0, text="Fertig.")
        st.session_state["message"] = (
            "Diese Ausgaben waren schon hochgeladen; es hat sich nichts geändert."
            if recorded.unchanged
            else f"{count(recorded.n_cases, 'Ausgabe', 'Ausgaben')} von „{plain(upload.title)}“ "
            "aufgezeichnet."
        )
        st.switch_page(pages.RUN, query_params={"durchlauf": str(run_id)})
