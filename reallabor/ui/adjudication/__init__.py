"""The desk on which one dispute after the other is decided by keyboard (Streamlit component).

Owns the contract between the adjudication page and the browser; the page owns what is sent and
stored. The browser learns names of its own for disputes and nothing of systems, runs or people.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict

import streamlit as st

from reallabor.ui.sheet_parts import joined

REASON_MAX_LENGTH = 2000
"""Longest reason in characters; the text field in `desk.js` stops there too."""


class Level(TypedDict):
    """One level of the criterion with its anchor text."""

    level: int
    text: str


class Given(TypedDict):
    """What one rater said, under the pseudonym of the round."""

    pseudonym: str
    level: int
    comment: str
    remark: str


class Segment(TypedDict):
    """A piece of the output and the pseudonyms of those who marked it."""

    text: str
    marked_by: list[str]


class DeskDispute(TypedDict):
    """One dispute in full."""

    token: str
    seen: str
    """The ratings as they are shown; sent back with a decision."""
    position: int
    input: str
    reference: str
    output: list[Segment]
    title: str
    question: str
    levels: list[Level]
    ratings: list[Given]
    gate: bool
    level: int | None
    """What was decided before, if anything."""
    reason: str
    outdated: bool


class Refusal(TypedDict):
    """A decision that was not stored, and why, in one German sentence."""

    uuid: str
    sentence: str


class DeskData(TypedDict):
    """Everything the desk shows. Sent again, complete, with every rerun."""

    dispute: DeskDispute
    total: int
    done: int
    acknowledged: list[str]
    refused: list[Refusal]


class Decision(TypedDict):
    """A decision as it left the browser. Storing it twice must be harmless: see `uuid`."""

    uuid: str
    token: str
    seen: str
    level: int
    reason: str


class Act(TypedDict):
    """What the browser asks for: to store a decision, or to show another position."""

    decision: Decision | None
    position: int | None


_ASSETS = Path(__file__).parent
_mount = st.components.v2.component(
    "reallabor_adjudication_desk",
    css=joined(_ASSETS, "desk.css"),
    js=joined(_ASSETS, "desk.js"),
)


def adjudication_desk(data: DeskData, *, key: str, on_act: Callable[[], None]) -> None:
    """Show the desk. `on_act` runs before the page does and reads `received_act(key)`."""
    _mount(key=key, data=data, height="content", on_act_change=on_act)


def received_act(key: str) -> Act | None:
    """What the browser has just sent, or None. The shape is checked, the values are untrusted."""
    state = st.session_state.get(key)
    value = state.get("act") if isinstance(state, Mapping) else None
    if not isinstance(value, Mapping):
        return None
    position = value.get("position")
    return {
        "decision": _decision(value.get("decision")),
        "position": position if _is_integer(position) else None,
    }


def _decision(value: Any) -> Decision | None:
    """The known fields, or None where one is missing or of another type."""
    if not isinstance(value, Mapping) or not _is_integer(value.get("level")):
        return None
    texts = {name: value.get(name) for name in ("uuid", "token", "seen", "reason")}
    if not all(isinstance(text, str) for text in texts.values()):
        return None
    return {
        "uuid": str(texts["uuid"]), "token": str(texts["token"]), "seen": str(texts["seen"]),
        "level": value["level"], "reason": str(texts["reason"]),
    }  # fmt: skip


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
