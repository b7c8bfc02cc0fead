"""The figures of scenarios as files: what one sees, for Excel and for programs."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.figures import TITLES, Cell, meanings, scenario_cells

HEAD = ("Kurzname", "Szenario", "Hinweis")
NUMBERS = {"value": "Wert", "low": "von (95 %)", "high": "bis (95 %)", "n": "n"}
"""What stands beside the text of a figure where it has a number."""
WORDS_ONLY = frozenset({"decision"})
"""Figures without any number."""
EXPLAINED = ("Kurzname", "Kennzahl", "Bedeutung", "Zu diesem Szenario")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def columns() -> list[str]:
    """Titles of all columns, in their order."""
    return [*HEAD, *(title for key in TITLES for title in _titles(key))]


def figures_csv(comparisons: Sequence[ScenarioComparison]) -> bytes:
    """UTF-8 with BOM, semicolons and decimal commas, as Excel expects in Germany; a text that
    begins like a formula is quoted."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";")
    writer.writerow(columns())
    for comparison in comparisons:
        writer.writerow([_german(value) for value in _row(comparison)])
    return file.getvalue().encode("utf-8-sig")


def figures_xlsx(comparisons: Sequence[ScenarioComparison]) -> bytes:
    """A sheet with the figures, numbers as numbers, and one that explains each."""
    from openpyxl import Workbook

    book, meant = Workbook(), meanings()
    sheet = book.active
    sheet.title = "Vergleich"
    _write(sheet, [columns(), *(_row(each) for each in comparisons)])
    sheet.freeze_panes = "C2"
    explained = book.create_sheet("Erläuterungen")
    _write(explained, [list(EXPLAINED), *(
        [each.slug, cell.title, meant[cell.key], cell.why]
        for each in comparisons
        for cell in scenario_cells(each)
    )])  # fmt: skip
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _titles(key: str) -> list[str]:
    if key in WORDS_ONLY:
        return [TITLES[key]]
    return [TITLES[key], *(f"{TITLES[key]}: {name}" for name in NUMBERS.values())]


def _row(comparison: ScenarioComparison) -> list[Any]:
    row: list[Any] = [
        comparison.slug, comparison.title, "Demodaten" if comparison.demo else ""
    ]  # fmt: skip
    for cell in scenario_cells(comparison):
        row += [cell.text, *_numbers(cell)]
    return row


def _numbers(cell: Cell) -> list[float | int | None]:
    return [] if cell.key in WORDS_ONLY else [getattr(cell, name) for name in NUMBERS]


def _german(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return repr(value).removesuffix(".0").replace(".", ",")
    text = " ".join(str(value).split("\r\n"))
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _write(sheet: Any, rows: Sequence[Sequence[Any]]) -> None:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font

    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row, start=1):
            if value is None:
                continue
            cell = sheet.cell(number, place)
            if isinstance(value, str):
                cell.value = ILLEGAL_CHARACTERS_RE.sub(" ", value)
                cell.data_type = "s"  # a text that begins with = is no formula
            else:
                cell.value = value
            if number == 1:
                cell.font = Font(bold=True)
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                sheet.column_dimensions[cell.column_letter].width = 18
