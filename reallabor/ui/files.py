"""Files that people bring and take: one uploader, one way to say what is wrong with a file, one
button to save one."""

from collections.abc import Callable
from itertools import count
from typing import Any

import streamlit as st
from streamlit import runtime

from reallabor.recording.table import ENDINGS
from reallabor.recording.table_rows import Problems
from reallabor.ui.page import plain

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MOST_SHOWN = 30
_HELD = 32
_handed_out = count()


def table_uploader(label: str, *, key: str) -> Any:
    """Asks for a table; None while there is none."""
    return st.file_uploader(label, type=[ending.lstrip(".") for ending in ENDINGS], key=key)


def download_button(
    label: str, make: Callable[[], bytes | str], filename: str, mime: str, *,
    icon: str = "download", **options: Any,
) -> None:  # fmt: skip
    """Offers a file, made when somebody wants it; the page stays as it is. Takes the name of a
    Material icon; `options` go to `st.download_button`."""

    def write() -> bytes:
        made = make()
        data = made.encode() if isinstance(made, str) else made
        _hold(data, filename, mime)
        return data

    st.download_button(
        label, write, filename, mime, icon=f":material/{icon}:", on_click="ignore", **options
    )


def _hold(data: bytes, filename: str, mime: str) -> None:
    """Keeps a file until 32 others were taken.

    Streamlit forgets a file made on demand as soon as any two people's pages have run, and a
    browser that comes a moment later gets a 404 in its place. A second reference, which belongs to
    no person's page, keeps it.
    """
    runtime.get_instance().media_file_mgr.add(
        data, mime, f"held-{next(_handed_out) % _HELD}", filename, is_for_static_download=True
    )


def xlsx_button(label: str, make: Callable[[], bytes], filename: str) -> None:
    """Offers a spreadsheet, made when somebody wants it."""
    download_button(label, make, filename, _XLSX)


def csv_button(label: str, make: Callable[[], bytes], filename: str) -> None:
    """Offers a table for any program, made when somebody wants it."""
    download_button(label, make, filename, "text/csv")


def show_problems(problems: Problems) -> None:
    """All that is wrong with a file, row by row."""
    st.error("Die Datei wurde nicht übernommen; gespeichert ist nichts.", icon=":material/error:")
    shown = problems.sentences[:_MOST_SHOWN]
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in shown))
    if len(problems.sentences) > len(shown):
        st.caption(f"… und {len(problems.sentences) - len(shown)} weitere Stellen.")
    st.write("Bitte die Datei berichtigen und noch einmal wählen.")
