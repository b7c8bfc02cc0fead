"""One case in full: its outputs, the ratings under their pseudonyms, and the trace in MLflow."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from reallabor.database import reading
from reallabor.deciding.case_files import CaseFile, RatedOutput, case_file
from reallabor.deciding.comparison import ScenarioComparison
from reallabor.german import number
from reallabor.people import Person
from reallabor.ui.address import choose_one, stale
from reallabor.ui.page import plain, refusals
from reallabor.ui.tables import show_table
from reallabor.ui.tracking_link import trace_link


def choose_case(cases: Sequence[str], comparison: ScenarioComparison, person: Person) -> None:
    """Asks for a case and shows it."""
    chosen = choose_one("Fall", "fall", {case: case for case in cases}, empty="keiner gewählt")
    stale(["fall"])
    if not chosen:
        return
    with refusals(), reading() as session:
        file = case_file(session, comparison.slug, chosen, actor=person)
        show_case(file)


def show_case(file: CaseFile) -> None:
    """Input, reference, then every output with its ratings."""
    facts = [f"Thema: {plain(file.topic)}"] if file.topic else []
    facts += ["Grenzfall"] if file.edge else []
    if facts:
        st.caption("; ".join(facts))
    if file.input:
        with st.expander("Eingabe", expanded=True):
            st.text(file.input)
    if file.reference:
        with st.expander("Musterlösung"):
            st.text(file.reference)
    for output in file.outputs:
        with st.container(border=True):
            house = f" ({output.organisation})" if output.organisation else ""
            st.markdown(f"**{plain(output.title + house)}**")
            st.text(output.text if output.text is not None else output.error or "(keine Ausgabe)")
            if output.ratings:
                show_table(ratings_table(file, output))
            else:
                st.caption("Nicht bewertet.")
            show_words(output)
            trace_link(file.experiment_id, output.trace_id, key=str(output.run_id))


def ratings_table(file: CaseFile, output: RatedOutput) -> pd.DataFrame:
    """Criteria as rows, raters under their pseudonym as columns."""
    columns = {
        each.pseudonym: {
            title: _level(each.levels.get(key)) for key, title in file.criteria.items()
        }
        for each in output.ratings
    }
    if output.adjudicated:
        columns["geklärt"] = {
            title: _level(output.adjudicated.get(key)) for key, title in file.criteria.items()
        }
    table = pd.DataFrame(columns)
    table.index.name = "Kriterium"
    return table


def show_words(output: RatedOutput) -> None:
    """What raters wrote, and the minutes of rework that they named."""
    for each in output.ratings:
        words = [each.remark, *each.comments.values()]
        if each.rework_minutes is not None:
            words.append(f"{each.rework_minutes} Minuten Nacharbeit")
        if said := "; ".join(word for word in words if word):
            st.caption(f"{each.pseudonym}: {plain(said)}")


def _level(level: float | None) -> str:
    return "–" if level is None else number(level, 0 if level % 1 == 0 else 1)
