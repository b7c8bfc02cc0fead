"""The blind scoring sheet: one output per screen, scored from the keyboard (Streamlit component).

Owns the contract between the rating page and the browser; the page owns what is sent and stored.
The browser learns a token per output and nothing about systems, variants, runs or people.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from reallabor.ui.sheet_parts import joined

COMMENT_MAX_LENGTH = 2000
"""Longest comment in characters; the text field in `sheet.js` stops there too."""


class Level(TypedDict):
    """One level of a criterion with its anchor text."""

    level: int
    """1 is the worst, 5 the best."""
    text: str


class Criterion(TypedDict):
    """One question of the rubric."""

    key: str
    title: str
    question: str
    levels: list[Level]
    """Ascending, level 1 first."""


class Passage(TypedDict):
    """A part of the output, marked as evidence."""

    start: int
    end: int
    """In characters (code points) of the output; `end` is the first one behind."""
    criterion: str
    """Key of the criterion it is evidence for."""


class Item(TypedDict):
    """One output to be scored, with what this person has already said about it."""

    token: str
    """Stands for the output towards the browser; says nothing about its origin."""
    position: int
    """Place in this person's own order, from 1."""
    input: str
    reference: str
    """Model answer, or ""."""
    output: str
    levels: dict[str, int]
    """Criterion key to level; empty before the first rating."""
    comment: str
    comments: dict[str, str]
    """By key of the criterion; what is missing is empty."""
    passages: list[Passage]
    minutes: int | None
    """Of rework; None where nothing was said."""
    done: bool


class Refusal(TypedDict):
    """A submission that was not stored, and why, in one German sentence."""

    uuid: str
    sentence: str


class SheetData(TypedDict):
    """Everything the sheet shows. Sent again, complete, with every rerun."""

    criteria: list[Criterion]
    """Rubric order."""
    order: list[str]
    """All tokens of this person in their order; what is not in it is no longer theirs. Empty once
    the round has ended for them: then the sheet only says what became of unsent scores."""
    items: list[Item]
    """A window around the current position: some before it, the next ones after it."""
    start: int
    """Position that is opened first; ignored once the sheet is open."""
    total: int
    done: int
    """How many outputs are stored as rated, over all positions."""
    acknowledged: list[str]
    """UUIDs of stored submissions; the browser forgets these."""
    refused: list[Refusal]
    """The browser gives these back to the evaluator, once per UUID."""


class Submission(TypedDict):
    """One rating as it left the browser. Storing it twice must be harmless: see `uuid`."""

    uuid: str
    token: str
    report: str
    """"" for a rating; else why the case is given back, or "personal_data"."""
    levels: dict[str, int]
    comment: str
    comments: dict[str, str]
    passages: list[Passage]
    minutes: int | None


class Submissions(TypedDict):
    """All ratings that the browser has not seen acknowledged, and where it wants to go on."""

    items: list[Submission]
    """May be empty: then the browser only asks for the window around `position`."""
    position: int


_CHECKED = TypeAdapter(Submission)
_ASSETS = Path(__file__).parent
_mount = st.components.v2.component(
    "reallabor_scoring_sheet",
    css=joined(_ASSETS, "sheet.css"),
    js=joined(_ASSETS, "work.js", "marks.js", "view.js", "sheet.js"),
)


def scoring_sheet(data: SheetData, *, key: str, on_submit: Callable[[], None]) -> None:
    """Show the sheet. `on_submit` runs before the page does and reads `received_submissions(key)`.

    `key` names one person's work in one round: ratings that are still on their way are kept under
    it when the sheet leaves the screen and comes back. The sheet then opens `data["start"]` again.
    """
    _mount(key=key, data={**data, "sheet": key}, height="content", on_submissions_change=on_submit)


def received_submissions(key: str) -> Submissions | None:
    """What the browser has just sent, or None. The shape is checked, the values are untrusted."""
    state = st.session_state.get(key)
    value = state.get("submissions") if isinstance(state, Mapping) else None
    if (
        not isinstance(value, Mapping)
        or not isinstance(value.get("items"), list)
        or not _is_integer(value.get("position"))
    ):
        return None
    return {
        "items": [item for item in map(_submission, value["items"]) if item],
        "position": value["position"],
    }


def _submission(value: Any) -> Submission | None:
    """The known fields, or None where one is missing or of another type."""
    try:
        return _CHECKED.validate_python(value, strict=True)
    except ValidationError:
        return None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
