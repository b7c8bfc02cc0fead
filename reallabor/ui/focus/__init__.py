"""Takes eye and screen reader to a heading after a step within one page: Streamlit alone leaves the
page scrolled where the old button was, and the focus nowhere."""

from pathlib import Path

import streamlit as st

_mount = st.components.v2.component(
    "reallabor_focus", js=(Path(__file__).parent / "focus.js").read_text(encoding="utf-8")
)


def focus_heading(step: str, *, within: str = "") -> None:
    """Focus the title of the page, or the first heading in `st.container(key=within)`, whenever
    `step` has become another one; the first step of a visit leaves the focus where it is."""
    _mount(key="focus", data={"step": step, "within": within})
