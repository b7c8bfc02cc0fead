"""The Excel file that a pilot team fills in: the cases are in it already, what must not change is
locked, and every column says what belongs there."""

import io
from typing import Any

from reallabor.recording.columns import CASE, COST, ERROR, LATENCY, OUTPUT, TITLES, TOKENS
from reallabor.scenarios import FieldContent, ScenarioFolder

INPUT_TITLE = "Eingabe"
_HINTS = {
    CASE: "Kennung des Falls; bitte nicht ändern.",
    OUTPUT: "Was das System zu diesem Fall ausgegeben hat, wörtlich.",
    LATENCY: "Wie lange das System brauchte, in Millisekunden; darf leer bleiben.",
    TOKENS: "Verbrauchte Token; darf leer bleiben.",
    COST: "Kosten dieser Ausgabe in Euro; darf leer bleiben.",
    ERROR: "Nur wenn das System keine Ausgabe gab: was geschah.",
}
_KINDS = {
    "text": "Text",
    "choice": "eine der Auswahlmöglichkeiten",
    "date": "Datum wie 30.11.2026",
    "number": "Zahl",
    "list": "mehrere Einträge, mit Semikolon getrennt",
    "ranking": "mehrere Einträge, der beste zuerst, mit Semikolon getrennt",
    "bool": "ja oder nein",
}
_MOST_CHOICE_CHARS = 250
_CELL_CHARS = 32_000


def template(scenario: ScenarioFolder) -> bytes:
    """An xlsx file with one row per case of the scenario."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    sheet.title = "Ausgaben"
    columns = _columns(scenario.content.fields)
    locked = PatternFill("solid", fgColor="EEF2F5")
    free = Protection(locked=False)
    wrap = Alignment(wrap_text=True, vertical="top")

    def write(row: int, column: int, value: str) -> Any:
        cell = sheet.cell(row, column)
        cell.value = ILLEGAL_CHARACTERS_RE.sub(" ", value)[:_CELL_CHARS]
        cell.data_type = "s"  # a text that begins with = is no formula
        return cell

    for number, (title, _, width) in enumerate(columns, start=1):
        cell = write(1, number, title)
        cell.font, cell.fill = Font(bold=True), locked
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        sheet.column_dimensions[cell.column_letter].width = width
    for row, case in enumerate(scenario.cases, start=2):
        for number, text in enumerate((case.id, case.input), start=1):
            cell = write(row, number, text)
            cell.alignment, cell.fill = wrap, locked
        for number in range(3, len(columns) + 1):
            cell = sheet.cell(row, number)
            cell.protection, cell.alignment = free, wrap
    last = len(scenario.cases) + 1
    for number, field in enumerate(scenario.content.fields, start=4):
        letter = sheet.cell(1, number).column_letter
        choices = ["ja", "nein"] if field.kind == "bool" else field.values
        quoted = ",".join(choices)
        listable = len(quoted) < _MOST_CHOICE_CHARS and not any(set(',"') & set(c) for c in choices)
        if field.kind in ("choice", "bool") and listable:
            rule = DataValidation(type="list", formula1=f'"{quoted}"', allow_blank=True)
            rule.error, rule.errorTitle = "Bitte einen Eintrag der Liste wählen.", field.title
            sheet.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}{last}")
        elif field.kind == "date":
            for row in range(2, last + 1):
                sheet[f"{letter}{row}"].number_format = "DD.MM.YYYY"
    sheet.freeze_panes = "C2"
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False
    _write_hints(book.create_sheet("Hinweise"), scenario, columns)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _columns(fields: list[FieldContent]) -> list[tuple[str, str, int]]:
    """Title, hint and width of each column."""
    head = [(TITLES[CASE], _HINTS[CASE], 12), (INPUT_TITLE, "Was das System bekommt; bitte nicht "
            "ändern.", 60), (TITLES[OUTPUT], _HINTS[OUTPUT], 70)]  # fmt: skip
    own = [(field.title, f"{field.hint} ({_kind(field)})".strip(), 24) for field in fields]
    tail = [(TITLES[key], _HINTS[key], 14) for key in (LATENCY, TOKENS, COST, ERROR)]
    return head + own + tail


def _kind(field: FieldContent) -> str:
    if field.values:
        return f"{_KINDS[field.kind]}; möglich: {', '.join(field.values)}"
    return _KINDS[field.kind]


def _write_hints(sheet: Any, scenario: ScenarioFolder, columns: list[tuple[str, str, int]]) -> None:
    from openpyxl.styles import Alignment, Font

    rows = [
        (f"Durchlauf zu: {scenario.content.title}", ""),
        ("Aufgabe", scenario.content.task),
        ("So geht es", "Je Fall die Ausgabe Ihres Systems in die Spalte „Ausgabe“ kopieren, Datei "
         "speichern, dann in der App hochladen. Eine Datei je Variante."),
        ("Bitte nicht", "Keine echten Personendaten eintragen; keine Kennungen ändern."),
        ("", ""),
        ("Spalte", "Was hineingehört"),
        *((title, hint) for title, hint, _ in columns),
    ]  # fmt: skip
    for number, (left, right) in enumerate(rows, start=1):
        for column, text in enumerate((left, right), start=1):
            cell = sheet.cell(number, column)
            cell.value = text
            cell.data_type = "s"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.cell(number, 1).font = Font(bold=True)
    sheet.column_dimensions["A"].width = 28
    sheet.column_dimensions["B"].width = 90
