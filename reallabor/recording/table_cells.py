"""Reads the cells of an uploaded spreadsheet in a process of its own, with bounded memory and time:
whatever a file holds, the app lives on. Run as `python -m reallabor.recording.table_cells`."""

import io
import json
import re
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

MOST_MEMORY = 1 << 30
MOST_UNPACKED = 120_000_000
MOST_CELLS = 4_000_000
_OLE = b"\xd0\xcf\x11\xe0"
_BARE_FORMULA = re.compile(
    rb'<c r="([A-Z]+\d+)"[^>]*>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_ERROR_CELL = re.compile(
    rb'<c (?=[^>]*\bt="e")[^>]*\br="([A-Z]+\d+)"[^>]*>(?:(?!</c>).)*?<v>([^<]*)'
)
_SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml")
_CELL = re.compile(rb'<c\b[^>]*\br="([A-Z]+)(\d+)"')


class Refused(Exception):
    """The rest of a German sentence that begins with the name of the file."""


def read_cells(data: bytes) -> dict[str, Any]:
    """`sheets`: name, visible, rows (cells are texts, numbers, truth values, None or
    `{"date": ISO}` or `{"seconds": number}`) and broken cells (error values by address, empty for
    a formula without a result); `macros`."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

    broken, macros = _look_into(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = []
        for meta in book.sheets_metadata:
            visible = meta.visible == SheetVisibleEnum.Visible
            sheet = book.get_sheet_by_name(meta.name)
            _refuse_too_large(*(sheet.end or (0, 0)))
            rows = sheet.to_python(skip_empty_area=False) if visible else []
            sheets.append({
                "name": meta.name,
                "visible": visible,
                "rows": [[_cell(cell) for cell in row] for row in rows],
                "broken": broken.get(meta.name, {}),
            })  # fmt: skip
    except PasswordError:
        raise Refused(PROTECTED) from None
    except (CalamineError, OSError, ValueError, KeyError) as error:
        raise Refused(f"lässt sich nicht als Tabelle lesen ({str(error)[:120]}).") from None
    return {"sheets": sheets, "macros": macros}


PROTECTED = (
    "ist mit einem Passwort geschützt. Bitte in Excel unter Datei > Informationen den Schutz "
    "aufheben, speichern und noch einmal hochladen."
)


def _look_into(data: bytes) -> tuple[dict[str, dict[str, str]], bool]:
    """Broken cells by sheet, and whether there are macros; refuses what is protected or far larger
    than it looks."""
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Refused(PROTECTED)
        return {}, "_VBA_PROJECT".encode("utf-16-le") in data
    broken: dict[str, dict[str, str]] = {}
    parts: dict[str, bytes] = {}
    macros = False
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if member.flag_bits & 1:
                    raise Refused(PROTECTED)
                macros |= member.filename.endswith("vbaProject.bin")
                text = bytearray()
                with archive.open(member) as file:
                    while chunk := file.read(1 << 20):
                        unpacked += len(chunk)
                        if unpacked > MOST_UNPACKED:
                            raise Refused(
                                "ist entpackt größer als 120 MB und wird nicht gelesen. Bitte nur "
                                "die Tabelle mit den Ausgaben hochladen."
                            )
                        text += chunk
                if member.filename == "META-INF/manifest.xml" and b"encryption-data" in text:
                    raise Refused(PROTECTED)
                if member.filename in _BOOK_PARTS:
                    parts[member.filename] = bytes(text)
                if _SHEET_PART.fullmatch(member.filename):
                    _refuse_too_wide(bytes(text))
                    broken[member.filename] = _broken(bytes(text))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError):
        raise Refused("ist beschädigt oder keine Tabelle.") from None
    return {name: broken.get(part, {}) for name, part in _sheet_parts(parts).items()}, macros


def _broken(sheet: bytes) -> dict[str, str]:
    found = {address.decode(): "" for address in _BARE_FORMULA.findall(sheet)}
    errors = _ERROR_CELL.findall(sheet)
    return found | {address.decode(): value.decode("utf-8", "replace") for address, value in errors}


_BOOK, _RELATIONS = _BOOK_PARTS = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def _sheet_parts(parts: dict[str, bytes]) -> dict[str, str]:
    """In which part of the archive each sheet stands."""
    try:
        relations = ElementTree.fromstring(parts[_RELATIONS])
        book = ElementTree.fromstring(parts[_BOOK])
    except (KeyError, ElementTree.ParseError):
        return {}
    targets = {each.get("Id"): each.get("Target", "").removeprefix("/xl/") for each in relations}
    return {
        each.get("name", ""): f"xl/{targets.get(each.get(_R_ID))}"
        for each in book.iter()
        if each.tag.endswith("}sheet")
    }


def _refuse_too_wide(sheet: bytes) -> None:
    """One stray cell in the last column of the last row would ask for 17 billion cells."""
    columns = rows = 0
    for letters, digits in _CELL.findall(sheet):
        columns, rows = max(columns, _column(letters)), max(rows, int(digits))
    _refuse_too_large(rows - 1, columns - 1)


def _refuse_too_large(last_row: int, last_column: int) -> None:
    if (last_row + 1) * (last_column + 1) > MOST_CELLS:
        raise Refused(
            f"reicht bis Zeile {last_row + 1} und Spalte {last_column + 1}. Vermutlich steht "
            "weit außerhalb der Tabelle noch etwas; bitte dort löschen, oder die Tabelle in eine "
            "neue Datei kopieren."
        )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _cell(cell: Any) -> Any:
    if isinstance(cell, datetime | date):
        return {"date": cell.isoformat()}
    if isinstance(cell, time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return {"seconds": cell.total_seconds()}
    return None if cell == "" else cell


def main() -> int:
    """Data on standard input, JSON on standard output; a refusal is `{"refused": sentence}`."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    data = sys.stdin.buffer.read()
    try:
        answer = read_cells(data)
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    except MemoryError:
        answer = {"refused": "ist zu groß, um gelesen zu werden."}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
