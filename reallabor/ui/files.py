"""Tables that people bring and take: one uploader, one way to say what is wrong with a file."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from reallabor.recording.table import ENDINGS
from reallabor.recording.table_rows import Problems
from reallabor.ui.page import plain

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MOST_SHOWN = 30


def table_uploader(label: str, *, key: str) -> Any:
    """Asks for a table; None while there is none."""
    return st.file_uploader(label, type=[ending.lstrip(".") for ending in ENDINGS], key=key)


def xlsx_button(label: str, make: Callable[[], bytes], filename: str) -> None:
    """Offers a spreadsheet, made when somebody wants it."""
    st.download_button(
        label, make, filename, _XLSX, icon=":material/download:", on_click="ignore"
    )  # fmt: skip


def csv_button(label: str, make: Callable[[], bytes], filename: str) -> None:
    """Offers a table for any program, made when somebody wants it."""
    st.download_button(
        label, make, filename, "text/csv", icon=":material/download:", on_click="ignore"
    )


def show_problems(problems: Problems) -> None:
    """All that is wrong with a file, row by row."""
    st.error("Die Datei wurde nicht übernommen; gespeichert ist nichts.", icon=":material/error:")
    shown = problems.sentences[:_MOST_SHOWN]
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in shown))
    if len(problems.sentences) > len(shown):
        st.caption(f"… und {len(problems.sentences) - len(shown)} weitere Stellen.")
    st.write("Bitte die Datei berichtigen und noch einmal wählen.")
