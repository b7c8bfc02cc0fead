"""Reads content files (YAML, JSON lines) into checked models; every refusal names file, line and
field. Used by `scenarios` and `evaluations`."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from reallabor.errors import InvalidContent


class Content(BaseModel):
    """Base of all content models: unknown fields are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


C = TypeVar("C", bound=Content)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader in C where it is there, ten times as fast; content is read again and again."""

SENTENCES = {
    "missing": "fehlt",
    "extra_forbidden": "ist unbekannt; bitte die Schreibweise prüfen oder das Feld streichen",
    "string_type": "muss ein Text sein",
    "string_too_short": "darf nicht leer sein",
    "int_parsing": "muss eine ganze Zahl sein",
    "int_type": "muss eine ganze Zahl sein",
    "float_parsing": "muss eine Zahl sein",
    "float_type": "muss eine Zahl sein",
    "bool_parsing": "muss true oder false sein",
    "bool_type": "muss true oder false sein",
    "list_type": "muss eine Liste sein",
    "model_type": "muss aus benannten Feldern bestehen",
    "dict_type": "muss aus benannten Feldern bestehen",
    "date_from_datetime_parsing": "muss ein Datum wie 2026-11-01 sein",
    "date_parsing": "muss ein Datum wie 2026-11-01 sein",
    "date_type": "muss ein Datum wie 2026-11-01 sein",
    "too_short": "hat zu wenige Einträge",
    "greater_than": "ist zu klein",
    "greater_than_equal": "ist zu klein",
    "less_than_equal": "ist zu groß",
    "finite_number": "muss eine endliche Zahl sein",
    "string_pattern_mismatch": "fehlt oder hat nicht die erlaubte Form",
    "string_too_long": "ist zu lang",
    "int_from_float": "muss eine ganze Zahl sein",
    "date_from_datetime_inexact": "muss ein Datum wie 2026-11-01 sein",
}


def load_yaml(path: Path, model: type[C]) -> C:
    """The file as a checked model. Raises InvalidContent with file, line and field."""
    return _parsed(path, read_text(path), model)


def load_kept(path: Path, model: type[C]) -> C:
    """As `load_yaml`, read again only where the file has changed; for what every page asks for."""
    try:
        stat = path.stat()
    except OSError:
        return load_yaml(path, model)
    kept: C = _kept(path, model, stat.st_mtime_ns, stat.st_size)
    return kept


@lru_cache(maxsize=32)
def _kept(path: Path, model: type[C], _changed_ns: int, _size: int) -> C:
    return load_yaml(path, model)


def load_front_matter(path: Path, model: type[C]) -> tuple[C, str]:
    """The YAML head between two lines `---` as a checked model, and the text below it. Raises
    InvalidContent as `load_yaml`, and where head or text is missing."""
    source = read_text(path)
    head, end, body = source.removeprefix("---\n").partition("\n---\n")
    if not source.startswith("---\n") or not end:
        raise InvalidContent(
            f"{path}, Zeile 1: Der Kopf fehlt. Bitte die Angaben zwischen zwei Zeilen aus drei "
            "Strichen (---) an den Anfang der Datei setzen."
        )
    if not body.strip():
        raise InvalidContent(f"{path}: Unter dem Kopf steht kein Text.")
    return _parsed(path, f"\n{head}", model), body.strip()


def _parsed(path: Path, source: str, model: type[C]) -> C:
    try:
        data = yaml.load(source, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "nicht lesbar"
        raise InvalidContent(
            f"{path}, Zeile {line}: Das ist kein gültiges YAML ({problem}). Bitte Einrückung, "
            "Doppelpunkte und Anführungszeichen dieser Zeile prüfen."
        ) from error
    if not isinstance(data, dict):
        raise InvalidContent(f"{path}, Zeile 1: Die Datei ist leer oder hat keine Felder.")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        tree = yaml.compose(source, Loader=_LOADER)  # where the lines are; needed only here
        raise _refusal(path, error, lambda location: _line(tree, location)) from error


class BrokenLine(ValueError):
    """A line of a text is no JSON."""

    def __init__(self, number: int, column: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.column = column


def filled_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    # Not splitlines(): it also cuts at signs such as U+2028 that may stand inside a JSON text.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def json_lines(text: str) -> Iterator[tuple[int, Any]]:
    """The value of every line that is not blank, with its number. Raises BrokenLine."""
    for number, line in filled_lines(text):
        try:
            yield number, json.loads(line)
        except json.JSONDecodeError as error:
            raise BrokenLine(number, error.colno, error.msg) from error
        except (ValueError, RecursionError) as error:  # a number or a depth beyond all bounds
            raise BrokenLine(number, 1, type(error).__name__) from error


def load_json_lines(path: Path, model: type[C]) -> list[C]:
    """One checked model per line; blank lines are skipped, an empty file is refused."""
    rows: list[C] = []
    for number, row in _lines_of(path):
        if row != storable(row):
            raise InvalidContent(
                f"{path}, Zeile {number}: Der Text enthält ein Zeichen, das sich nicht "
                "speichern lässt (NUL oder ein halbes Zeichenpaar). Bitte entfernen."
            )
        try:
            rows.append(model.model_validate(row))
        except ValidationError as error:
            raise _refusal(path, error, lambda _location, number=number: number) from error
    if not rows:
        raise InvalidContent(f"{path}: Die Datei ist leer; nötig ist mindestens ein Eintrag.")
    return rows


def load_json_objects(path: Path) -> list[dict[str, Any]]:
    """One JSON object per line, unchecked; lines that are none are refused."""
    rows = []
    for number, row in _lines_of(path):
        if not isinstance(row, dict):
            raise InvalidContent(f"{path}, Zeile {number}: Das ist kein JSON-Objekt.")
        rows.append(row)
    return rows


def _lines_of(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        yield from json_lines(read_text(path))
    except BrokenLine as error:
        raise InvalidContent(
            f"{path}, Zeile {error.number}, Zeichen {error.column}: Das ist kein gültiges JSON "
            f"({error}). Jede Zeile ist ein eigener Eintrag in geschweiften Klammern."
        ) from error


def read_text(path: Path) -> str:
    """The file's text. Raises InvalidContent where it is missing or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InvalidContent(f"{path}: Die Datei fehlt.") from error
    except UnicodeDecodeError as error:
        raise InvalidContent(
            f"{path}: Die Datei ist nicht in UTF-8 gespeichert (Byte {error.start}). "
            "Bitte im Editor als UTF-8 speichern."
        ) from error


def storable(value: Any) -> Any:
    """The value without what databases refuse: NUL, halves of surrogate pairs and numbers that are
    not finite, at any depth."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    return value


def digest(value: object) -> str:
    """SHA-256 (hex) of the canonical JSON form: sorted keys, no spaces, UTF-8."""
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def invalid_content(
    where: str, error: ValidationError, labels: Mapping[str, str]
) -> InvalidContent:
    """The refusal of content that came from a form: names the field as `labels` has it."""
    field, sentence = _first_problem(error)
    shown = labels.get(field) or labels.get(field.split(".")[0]) or field
    return InvalidContent(f"{where}, „{shown}“: {sentence}.")


def _refusal(path: Path, error: ValidationError, line_of: Any) -> InvalidContent:
    field, sentence = _first_problem(error)
    location = error.errors()[0]["loc"]
    return InvalidContent(f"{path}, Zeile {line_of(location)}, Feld {field}: {sentence}.")


def _first_problem(error: ValidationError) -> tuple[str, str]:
    """The field and what is wrong with it, and how many other places there are."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "(ganze Datei)"
    if first["type"] == "value_error":
        sentence = str(first["ctx"]["error"])
    elif first["type"] == "literal_error":
        sentence = f"muss einer dieser Werte sein: {first['ctx']['expected']}"
    else:
        sentence = SENTENCES.get(first["type"], f"ist ungültig ({first['msg']})")
    more = len(error.errors()) - 1
    rest = f" (und {more} weitere Stelle{'n' if more > 1 else ''})" if more else ""
    return field, f"{sentence}{rest}"


def _line(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """The line at which a field stands; of its parent where the field is missing."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if str(p[0].value) == str(part)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
