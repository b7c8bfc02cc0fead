"""What every page shares: the frame in which a refusal becomes one sentence on the screen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import streamlit as st
import structlog

from reallabor.errors import ReallaborError
from reallabor.people import Person
from reallabor.ui.person import current_person

log = structlog.get_logger()

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>$~:&-])")

ICON = Path(__file__).parent / "icon.png"

_STYLE = """
<style>
h1 { font-size: 1.9rem !important; padding-top: 0 !important; }
h2 { font-size: 1.35rem !important; }
h3 { font-size: 1.1rem !important; }
[data-testid="stCaptionContainer"] { color: inherit; opacity: .82; }
:focus-visible {
  outline: 3px solid var(--st-primary-color, #0b5c8a) !important; outline-offset: 2px;
}
@media print {
  [data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stToolbar"],
  .stButton, .stForm { display: none !important; }
  [data-testid="stAppViewContainer"], [data-testid="stMain"] { overflow: visible !important;
    position: static !important; }
}
</style>
"""


_COMPACT = """
<style>
[data-testid="stMainBlockContainer"] { padding-left: 2rem !important;
  padding-right: 2rem !important; }
h1 { font-size: 1.4rem !important; }
.st-key-demo-badge { position: absolute; top: 3.4rem; right: 2rem; width: auto !important; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: .5rem; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding-left: 1rem !important;
  padding-right: 1rem !important; } }
</style>
"""
"""For a page that needs every pixel: small heading, narrow margins, the badge beside the title."""


@contextmanager
def page(title: str, *, compact: bool = False) -> Iterator[Person]:
    """The acting person; headings, style, and refusals in a sentence."""
    st.html(_STYLE + (_COMPACT if compact else ""))
    st.title(title, anchor=False)
    _show_message()
    with refusals():
        yield current_person()


@contextmanager
def refusals() -> Iterator[None]:
    """Where a refusal becomes one sentence on the screen."""
    try:
        yield
    except ReallaborError as refusal:
        st.error(plain(str(refusal)), icon=":material/error:")


def plain(text: str) -> str:
    """Text of people and systems for a place where Streamlit reads Markdown: shown as written, no
    links, pictures or HTML come of it."""
    return _MARKDOWN.sub(r"\\\1", text)


def asked_number(name: str) -> int | None:
    """The row number that the address names; None where there is none."""
    wanted = st.query_params.get(name, "")
    return int(wanted) if wanted.isdecimal() and len(wanted) <= 9 else None


def say_after_rerun(sentence: str, *, to: str | None = None, **address: str) -> NoReturn:
    """Show a sentence at the top of the page once it has been drawn anew, or of another page."""
    st.session_state["message"] = sentence
    if to:
        st.switch_page(to, query_params=address)
    st.rerun()


def _show_message() -> None:
    # The place is there without a message too: else everything below would move by one, and
    # Streamlit takes what has moved for something new (open expanders close, clicks get lost).
    place = st.empty()
    if sentence := st.session_state.pop("message", None):
        place.success(sentence, icon=":material/check:")
        st.toast(sentence, icon=":material/check:")  # seen wherever on a long page one is


def demo_badge(demo: bool) -> None:
    """Marks whatever shows demonstration data."""
    if demo:
        st.badge("Demodaten", icon=":material/science:", color="orange")
