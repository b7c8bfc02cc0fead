"""Values of output fields: read from a cell or a text, compared with what was expected, shown."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from reallabor.scenarios import FieldContent

_GERMAN_DATE = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4}|\d{2})")
_YES = frozenset({"ja", "j", "x", "wahr", "true", "1", "yes"})
_NO = frozenset({"nein", "n", "falsch", "false", "0", "no", "-"})
_EXCEL_ZERO = date(1899, 12, 30).toordinal()
_LARGEST = 1e300
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000
"""Excel's serial numbers of days between 1954 and 2119; other numbers are no dates."""


def read_value(field: FieldContent, raw: Any) -> Any:
    """The value that a cell or a text means for a field; None where it is empty.

    Raises ValueError with the rest of a German sentence, such as "'morgen' ist kein Datum".
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if field.kind in ("list", "ranking"):
        parts = raw if isinstance(raw, list) else re.split(r"[;\n|]|,\s", _text(raw))
        entries = [_text(part) for part in parts if _text(part)]
        return [_known(field, entry) for entry in dict.fromkeys(entries)]
    if field.kind == "choice":
        return _known(field, _text(raw))
    readers: dict[str, Callable[[Any], Any]] = {
        "date": _date,
        "bool": _flag,
        "number": read_number,
    }
    reader: Callable[[Any], Any] = readers.get(field.kind, _text)
    return reader(raw)


def read_number(raw: Any) -> float:
    """A number in German or English writing: `1.234,5`, `1234.5`, `12 ms`, `0,02 €`."""
    if isinstance(raw, bool):
        raise ValueError(f"'{raw}' ist keine Zahl")
    if isinstance(raw, int | float):
        value = float(raw) if abs(raw) < _LARGEST else math.inf
    else:
        text = re.sub(r"\s*(ms|s|€|eur|euro|%)$", "", str(raw).strip().casefold())
        text = text.replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
        if "," in text and (text.rfind(",") > text.rfind(".")):
            text = text.replace(".", "").replace(",", ".")
        elif re.fullmatch(r"-?[1-9]\d{0,2}(\.\d{3})+", text):  # but not 0.002
            text = text.replace(".", "")
        else:
            text = text.replace(",", "")
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"'{str(raw)[:40]}' ist keine Zahl") from None
    if not math.isfinite(value):
        raise ValueError(f"'{raw}' ist keine Zahl")
    return value


def as_number(text: str) -> float | str:
    """The number, or the text where it is none: then the check of the form names the field."""
    try:
        value = read_number(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value


def comparable(field: FieldContent, value: Any) -> Any:
    """The value in the form in which two are compared: dates as ISO, texts without regard to case
    and blanks, lists as tuples; a value of the wrong kind stays what it is."""
    try:
        value = read_value(field, value)
    except ValueError:
        value = str(value)
    if isinstance(value, list):
        return tuple(_plain(entry) for entry in value)
    return _plain(value) if isinstance(value, str) else value


def value_text(value: Any) -> str:
    """A value of a field in German."""
    if value is None or value in ("", []):
        return "–"
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, dict | list):
        return "; ".join(map(str, value))
    text = str(value)
    if len(text) == 10 and text[4:5] == "-" and text[7:8] == "-":
        return ".".join(reversed(text.split("-")))
    return text


def values_text(fields: Sequence[FieldContent], values: Mapping[str, Any]) -> str:
    """The fields of an output as its text, where it came without one."""
    return "\n".join(f"{field.title}: {value_text(values.get(field.key))}" for field in fields)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _text(raw: Any) -> str:
    """A cell as text; whole numbers lose the `.0` that a spreadsheet gives them."""
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw).strip()


def _known(field: FieldContent, entry: str) -> str:
    if not field.values:
        return entry
    for value in field.values:
        if _plain(value) == _plain(entry):
            return value
    raise ValueError(f"'{entry[:40]}' gibt es nicht; möglich: {', '.join(field.values)}")


def _flag(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = _text(raw).casefold()
    if word in _YES | _NO:
        return word in _YES
    raise ValueError(f"'{word[:40]}' ist weder ja noch nein")


def _date(raw: Any) -> str:
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    if isinstance(raw, date):
        return raw.isoformat()
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        if _FIRST_SERIAL <= raw <= _LAST_SERIAL:
            return date.fromordinal(_EXCEL_ZERO + int(raw)).isoformat()
        raise ValueError(f"die Zahl {_text(raw)} ist kein Datum")
    text = str(raw).strip()
    if text.isdecimal() and _FIRST_SERIAL <= int(text) <= _LAST_SERIAL:
        return date.fromordinal(_EXCEL_ZERO + int(text)).isoformat()
    try:
        if match := _GERMAN_DATE.fullmatch(text):
            day, month, year = (int(part) for part in match.groups())
            return date(year + 2000 if year < 100 else year, month, day).isoformat()
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise ValueError(f"'{text[:40]}' ist kein Datum wie 30.11.2026") from None
