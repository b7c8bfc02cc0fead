"""Reads the cases of a new scenario from a table."""

from collections.abc import Sequence

from reallabor.recording.columns import match_headings
from reallabor.recording.table import read_table
from reallabor.recording.table_rows import Problems, Row, TableRows, missing_column
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
        raise Problems(filename, [missing_column("die Eingaben (z. B. „Eingabe“)", table)])
    rows = TableRows(table, index)
    cases: list[CaseContent] = []
    seen: dict[str, int] = {}
    for place, row in enumerate(rows, start=1):
        case = _case(row, rows.problems, place)
        if case is None:
            continue
        if case.id in seen:
            rows.problems.append(
                f"Zeile {row.number}: Fall '{case.id}' steht schon in Zeile {seen[case.id]}."
            )
        seen[case.id] = row.number
        cases.append(case)
    if rows.problems:
        raise Problems(filename, rows.problems)
    return cases


def _case(row: Row, problems: Sequence[str], place: int) -> CaseContent | None:
    before = len(problems)
    text = {meaning: row.text(meaning) or "" for meaning in TITLES}
    if len(problems) > before:
        return None
    case_id = text[ID] or f"fall-{place:02d}"
    if not CASE_ID.fullmatch(case_id):
        row.problem(ID, f"'{case_id[:40]}' ist keine Kennung; erlaubt sind Buchstaben, Ziffern, "
                        "Punkt, Unterstrich und Bindestrich")  # fmt: skip
        return None
    if not text[INPUT]:
        row.problem(INPUT, "hier fehlt die Eingabe")
        return None
    try:
        edge = bool(read_value(_FLAG, text[EDGE]))
    except ValueError as refusal:
        row.problem(EDGE, str(refusal))
        return None
    return CaseContent(
        id=case_id, input=text[INPUT], reference=text[REFERENCE], topic=text[TOPIC], edge=edge
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
