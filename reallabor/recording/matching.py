"""Finds the case that an output of MLflow belongs to, and what of the output is kept."""

from collections import Counter
from typing import Any

from sqlmodel import Session, select

from reallabor.content import digest, storable
from reallabor.models import Case
from reallabor.tracking.reading import StoredOutput


class CaseFinder:
    """Finds the version of a case that an output belongs to: by its id, else by its very text."""

    def __init__(self, session: Session, scenario_id: int) -> None:
        cases = session.exec(select(Case).where(Case.scenario_id == scenario_id)).all()
        self._by_hash = {(case.key, case.content_sha256): case.id for case in cases}
        current = [case for case in cases if case.current]
        self._current = {case.key: case.id for case in current}
        texts = Counter(_folded(case.input) for case in current if case.input)
        self._by_text = {
            _folded(case.input): case.id
            for case in current
            if case.input and texts[_folded(case.input)] == 1
        }

    def find(self, output: StoredOutput) -> int | None:
        if output.case_id is not None and output.case_sha256 is not None:
            return self._by_hash.get((output.case_id, output.case_sha256))
        if output.case_id is not None:
            return self._current.get(output.case_id)
        found = {self._by_text.get(_folded(text)) for text in _texts(output.input)} - {None}
        return found.pop() if len(found) == 1 else None


def _folded(text: str) -> str:
    """Line ends and blanks at the ends differ from tool to tool; nothing else may."""
    return text.replace("\r\n", "\n").strip()


def _texts(value: Any) -> list[str]:
    """All texts in the input of a span: the text itself, or those of its fields."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    return []


def input_text(value: Any) -> str | None:
    """The input of a span as a text to show; None where it holds none."""
    return storable("\n".join(_texts(value))) or None


def output_content(output: StoredOutput) -> tuple[str | None, dict[str, Any], str | None, str]:
    """The text of an output, what the system said beside it, its error, and the hash of all three;
    the same whichever way the output came in."""
    value, error = storable(output.output), storable(output.error)
    text: str | None
    details: dict[str, Any] = {}
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        text, details = value["text"], {key: each for key, each in value.items() if key != "text"}
    elif value is None or isinstance(value, str):
        text = value
    else:
        text = str(value)
    return text, details, error, digest([text, details, error])
