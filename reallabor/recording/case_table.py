"""Reads the cases of a new scenario from a table."""

from collections.abc import Sequence
from typing import Any

from reallabor.content import storable
from reallabor.recording.columns import match_headings
from reallabor.recording.table import Table, column_letter, read_table
from reallabor.recording.uploads import Problems
from reallabor.recording.values import read_value
from reallabor.scenarios import CASE_ID, CaseContent, FieldContent

ID, INPUT, REFERENCE, TOPIC, EDGE = "id", "input", "reference", "topic", "edge"
TITLES = {
    ID: "Fall",
    INPUT: "Eingabe",
    REFERENCE: "Referenz",
    TOPIC: "Thema",
    EDGE: "Grenzfall",
}
"""Headings of the template, by meaning; only the input must be there."""
_WORDS = {
    ID: ["fall", "fallid", "fallnummer", "id", "kennung", "nr", "lfdnr", "case"],
    INPUT: ["eingabe", "eingabetext", "frage", "text", "schreiben", "brief", "input", "anfrage",
            "falltext", "sachverhalt"],
    REFERENCE: ["referenz", "referenzantwort", "lösung", "musterlösung", "erwartet", "reference",
                "hinweis"],
    TOPIC: ["thema", "bereich", "kategorie", "topic"],
    EDGE: ["grenzfall", "randfall", "edge", "schwierig"],
}  # fmt: skip
_FLAG = FieldContent(key="edge", title="Grenzfall", kind="bool")


def read_cases(filename: str, data: bytes, *, sheet: str | None = None) -> list[CaseContent]:
    """All cases of a table; rows without an id are numbered. Raises InvalidTable with row and
    column of everything that is wrong."""
    table = read_table(filename, data, _is_header, sheet=sheet)
    index = match_headings(table.header, _WORDS)
    if INPUT not in index:
        there = ", ".join(f"„{heading}“" for heading in table.header if heading)
        raise Problems(
            filename,
            [f"Keine Spalte für die Eingaben (z. B. „Eingabe“) gefunden; vorhanden: {there}."],
        )
    problems: list[str] = []
    cases: list[CaseContent] = []
    seen: dict[str, int] = {}
    for place, (number, row) in enumerate(table.rows, start=1):
        case = _case(table, index, row, number, place, problems)
        if case is None:
            continue
        if case.id in seen:
            problems.append(
                f"Zeile {number}: Fall '{case.id}' steht schon in Zeile {seen[case.id]}."
            )
        seen[case.id] = number
        cases.append(case)
    if problems:
        raise Problems(filename, problems)
    return cases


def _case(  # noqa: PLR0917
    table: Table,
    index: dict[str, int],
    row: list[Any],
    number: int,
    place: int,
    problems: list[str],
) -> CaseContent | None:
    def text(meaning: str) -> str:
        cell = row[index[meaning]] if meaning in index else None
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        return str(storable(str(cell))).strip() if cell is not None else ""

    def problem(meaning: str, sentence: str) -> None:
        at = index[meaning]
        problems.append(
            f"Zeile {number}, Spalte {column_letter(at)} („{table.header[at]}“): {sentence}."
        )

    case_id = text(ID) or f"fall-{place:02d}"
    if not CASE_ID.fullmatch(case_id):
        problem(ID, f"'{case_id[:40]}' ist keine Kennung; erlaubt sind Buchstaben, Ziffern, "
                    "Punkt, Unterstrich und Bindestrich")  # fmt: skip
        return None
    if not text(INPUT):
        problem(INPUT, "hier fehlt die Eingabe")
        return None
    try:
        edge = bool(read_value(_FLAG, text(EDGE)))
    except ValueError as refusal:
        problem(EDGE, str(refusal))
        return None
    return CaseContent(
        id=case_id, input=text(INPUT), reference=text(REFERENCE), topic=text(TOPIC), edge=edge
    )


def case_template() -> bytes:
    """An empty xlsx file with the headings and one example."""
    import io

    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    book = Workbook()
    sheet = book.active
    sheet.title = "Fälle"
    example = ("fall-01", "Beispiel, bitte überschreiben: die Frage, der Brief oder die Notiz.",
               "Woran man eine gute Ausgabe erkennt.", "Miete", "nein")  # fmt: skip
    for column, (title, text) in enumerate(zip(TITLES.values(), example, strict=True), start=1):
        sheet.cell(1, column, title).font = Font(bold=True)
        sheet.cell(2, column, text).alignment = Alignment(wrap_text=True, vertical="top")
    for letter, width in zip("ABCDE", (12, 70, 50, 20, 12), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _is_header(row: Sequence[str]) -> bool:
    return INPUT in match_headings(row, _WORDS) and all(len(cell) <= 60 for cell in row)
