"""Reads a table that somebody uploads: xlsx, xls, ods, csv or jsonl, into a header and rows with
their numbers in the file. Knows nothing of what the columns mean."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import PurePath
from typing import Any

from reallabor.content import BrokenLine, json_lines
from reallabor.errors import InvalidTable

MOST_BYTES = 20_000_000
MOST_ROWS = 50_000
SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
ENDINGS = (*SPREADSHEETS, ".csv", ".tsv", ".txt", ".jsonl", ".ndjson")
_READING_S = 60.0
_MOJIBAKE = re.compile("Ã[\u0080-\u00bf\u0152-\u0178\u2013-\u203a¤¶¼Ÿ„–œ€]")
"""What umlauts in UTF-8 look like when they are read as Windows-1252."""
_HEADER_ROWS = 30

IsHeader = Callable[[Sequence[str]], bool]
"""Whether a row of texts is the header."""


@dataclass(frozen=True)
class Table:
    """One sheet of a file: rows that hold something, with their row numbers in the file."""

    header: list[str]
    rows: list[tuple[int, list[Any]]]
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)
    """All visible sheets, where there are several."""
    notes: list[str] = field(default_factory=list)
    """German sentences about what was left out."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Error values such as `#DIV/0!` by address (`C5`); empty for a formula without a result."""


Grid = list[tuple[int, list[Any]]]
"""Rows of cells with their numbers in the file."""


@dataclass(frozen=True)
class Book:
    """A file that was read, before it is known which sheet and which row is the header."""

    name: str
    sheets: dict[str, Grid] = field(default_factory=dict)
    """The visible sheets that hold something."""
    notes: list[str] = field(default_factory=list)
    broken: dict[str, dict[str, str]] = field(default_factory=dict)
    """Per sheet what `Table.broken` holds."""
    whole: Table | None = None
    """Set where the file has no grid (jsonl)."""

    def table(self, is_header: IsHeader, *, sheet: str | None = None) -> Table:
        """The table of one sheet: the named one, else the only one with such a header.

        The header is the first row that `is_header` knows, within the first 30; else the first row
        that is not empty. Raises InvalidTable.
        """
        if self.whole is not None:
            return self.whole
        chosen = sheet if sheet is not None else self._sheet(is_header)
        if chosen not in self.sheets:
            there = ", ".join(f"'{each}'" for each in self.sheets)
            raise InvalidTable(
                f"'{self.name}' hat kein sichtbares Blatt '{chosen}' mit Inhalt; es gibt: {there}."
            )
        return _table(
            self.name, self.sheets[chosen], is_header,
            sheet=chosen, sheets=list(self.sheets), notes=self.notes,
            broken=self.broken.get(chosen),
        )  # fmt: skip

    def _sheet(self, is_header: IsHeader) -> str:
        known = [
            sheet
            for sheet, grid in self.sheets.items()
            if _header_at([[_label(cell) for cell in row] for _, row in grid[:_HEADER_ROWS]],
                          is_header) is not None
        ]  # fmt: skip
        if len(known) > 1:
            raise InvalidTable(
                f"'{self.name}' enthält mehrere Blätter mit Ausgaben: "
                f"{', '.join(repr(sheet) for sheet in known)}. Bitte eines davon wählen."
            )
        return known[0] if known else next(iter(self.sheets))


def open_book(name: str, data: bytes) -> Book:
    """Read a file. Raises InvalidTable with a sentence that says what to do."""
    ending = PurePath(name).suffix.casefold()
    if ending not in ENDINGS:
        raise InvalidTable(
            f"'{name}': Dateien mit der Endung '{ending or 'ohne'}' werden nicht gelesen. Möglich "
            f"sind {', '.join(ENDINGS)}."
        )
    if len(data) > MOST_BYTES:
        raise InvalidTable(
            f"'{name}' ist {len(data) / 1e6:.0f} MB groß; gelesen werden höchstens "
            f"{MOST_BYTES / 1e6:.0f} MB. Bitte nur die Tabelle mit den Ausgaben hochladen."
        )
    if not data.strip():
        raise InvalidTable(f"'{name}' ist leer.")
    if ending in SPREADSHEETS:
        return _spreadsheet(name, data)
    if ending in (".jsonl", ".ndjson"):
        return Book(name, whole=_json_lines(name, _decoded(name, data)))
    return Book(name, sheets={"": _separated(name, _decoded(name, data))})


def read_table(name: str, data: bytes, is_header: IsHeader, *, sheet: str | None = None) -> Table:
    """The table in a file. Raises InvalidTable with a sentence that says what to do."""
    return open_book(name, data).table(is_header, sheet=sheet)


def column_letter(index: int) -> str:
    """`A` for 0, `AA` for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _spreadsheet(name: str, data: bytes) -> Book:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "reallabor.recording.table_cells"],
            input=data, capture_output=True, timeout=_READING_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InvalidTable(f"'{name}' ließ sich nicht in {_READING_S:.0f} s lesen.") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise InvalidTable(
            f"'{name}' lässt sich nicht lesen; die Datei ist zu groß oder beschädigt. Bitte in "
            "Excel öffnen und als neue .xlsx-Datei speichern."
        ) from None
    if "refused" in answer:
        raise InvalidTable(f"'{name}' {answer['refused']}")
    hidden = [sheet["name"] for sheet in answer["sheets"] if not sheet["visible"]]
    notes = [f"Ausgeblendet und nicht gelesen: {', '.join(hidden)}."] if hidden else []
    if answer["macros"]:
        notes.append("Die Datei enthält Makros; sie wurden nicht ausgeführt.")
    sheets = {
        sheet["name"]: [
            (number, [_cell(cell) for cell in row])
            for number, row in enumerate(sheet["rows"], start=1)
        ]
        for sheet in answer["sheets"]
        if sheet["visible"] and any(_said(cell) for row in sheet["rows"] for cell in row)
    }
    if not sheets:
        raise InvalidTable(f"'{name}' enthält kein sichtbares Blatt mit Inhalt.")
    broken = {sheet["name"]: sheet["broken"] for sheet in answer["sheets"]}
    return Book(name, sheets, notes, broken)


def _said(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""


def _label(cell: Any) -> str:
    return " ".join(str(cell).split()) if _said(cell) else ""


def _header_at(rows: list[list[str]], is_header: IsHeader) -> int | None:
    return next((at for at, row in enumerate(rows) if is_header(row)), None)


def _cell(cell: Any) -> Any:
    """Dates and durations come in a wrapping from the reading process."""
    if isinstance(cell, dict) and "seconds" in cell:
        return timedelta(seconds=cell["seconds"])
    if isinstance(cell, dict):
        return datetime.fromisoformat(cell["date"]) if "T" in cell["date"] else date.fromisoformat(
            cell["date"]
        )  # fmt: skip
    return cell


def _decoded(name: str, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("cp1252", "replace")  # Excel's way in Germany
        if _MOJIBAKE.search(text):
            line = data[: error.start].count(b"\n") + 1
            raise InvalidTable(
                f"'{name}', Zeile {line}: Dort steht ein Zeichen, das nicht zur übrigen Datei "
                "(UTF-8) passt. Bitte im Editor als UTF-8 speichern und noch einmal wählen."
            ) from None
    if "\x00" in text:
        raise InvalidTable(f"'{name}' ist keine Textdatei. Bitte als .csv oder .xlsx speichern.")
    return text


def _separated(name: str, text: str) -> list[tuple[int, list[Any]]]:
    """Rows of a csv with the number of the line on which each begins."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    if first.casefold().startswith("sep=") and len(first.strip()) == 5:
        separator, text = first.strip()[4], text.lstrip("\r\n").split("\n", 1)[-1]
        offset = 2
    else:
        offset = 1
        separator = max(";\t,", key=first.count)
    csv.field_size_limit(2_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, list[Any]]] = []
    line = 0
    try:
        for row in reader:
            rows.append((line + offset, list(row)))
            line = reader.line_num
    except csv.Error as error:
        raise InvalidTable(
            f"'{name}', ab Zeile {line + offset}: Die Anführungszeichen gehen nicht auf ({error}). "
            'Texte mit Zeilenumbruch stehen in "…", ein Anführungszeichen darin wird verdoppelt.'
        ) from None
    return rows


def _json_lines(name: str, text: str) -> Table:
    header: list[str] = []
    objects: list[tuple[int, dict[str, Any]]] = []
    try:
        for number, row in json_lines(text):
            if not isinstance(row, dict):
                raise BrokenLine(number, 1, "")
            output = row.pop("output", None)
            if isinstance(output, dict):
                row.update(output)
                if "text" in row:
                    row["output"] = row.pop("text")
            elif output is not None:
                row["output"] = output
            header += [key for key in row if key not in header]
            objects.append((number, row))
    except BrokenLine as error:
        raise InvalidTable(
            f"'{name}', Zeile {error.number}: Das ist kein JSON-Objekt. Jede Zeile ist ein eigener "
            "Eintrag in geschweiften Klammern."
        ) from None
    _refuse_too_long(name, len(objects))
    return Table(header, [(number, [row.get(key) for key in header]) for number, row in objects])


def _table(
    name: str,
    grid: list[tuple[int, list[Any]]],
    is_header: IsHeader,
    *,
    sheet: str = "",
    sheets: Sequence[str] = (),
    notes: Sequence[str] = (),
    broken: Mapping[str, str] | None = None,
) -> Table:
    filled = [(number, row) for number, row in grid if any(_said(cell) for cell in row)]
    if len(filled) < 2:
        raise InvalidTable(f"'{name}' enthält keine Zeilen unter einer Überschrift.")
    _refuse_too_long(name, len(filled))
    at = _header_at([[_label(cell) for cell in row] for _, row in filled[:_HEADER_ROWS]], is_header)
    at = at or 0
    header = [_label(cell) for cell in filled[at][1]]
    while header and not header[-1]:
        header.pop()
    width = len(header)
    rows = [(number, [*row[:width], *[None] * (width - len(row))])
            for number, row in filled[at + 1 :]]  # fmt: skip
    rows = [(number, row) for number, row in rows if any(_said(cell) for cell in row)]
    if not rows:
        raise InvalidTable(f"'{name}' enthält keine Zeilen unter der Überschrift.")
    return Table(header, rows, sheet, list(sheets), list(notes), broken or {})


def _refuse_too_long(name: str, rows: int) -> None:
    if rows > MOST_ROWS:
        raise InvalidTable(f"'{name}' hat {rows} Zeilen; gelesen werden höchstens {MOST_ROWS}.")
