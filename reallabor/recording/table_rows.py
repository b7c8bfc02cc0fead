"""The rows of a table by what their columns mean: texts of cells, and a German sentence with row
and column for each that is of no use. What is wrong is collected; nothing is taken by halves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reallabor.content import storable
from reallabor.errors import InvalidTable
from reallabor.recording.table import Table, column_letter

_MOST_PROBLEMS = 12
_CELL_ERRORS = ("#REF!", "#DIV/0!", "#NAME?", "#N/A", "#NV", "#VALUE!", "#WERT!", "#NUM!", "#NULL!")


class Problems(InvalidTable):
    """All that keeps a table from being taken, a sentence each."""

    def __init__(self, name: str, sentences: Sequence[str]) -> None:
        self.sentences = list(sentences)
        shown = self.sentences[:_MOST_PROBLEMS]
        if len(self.sentences) > len(shown):
            shown.append(f"… und {len(self.sentences) - len(shown)} weitere Stellen.")
        super().__init__(f"'{name}' wurde nicht übernommen.\n" + "\n".join(shown))


def missing_column(what: str, table: Table) -> str:
    """The sentence about a column that nobody found; `what` is `die Fälle (z. B. „Fall“)`."""
    there = ", ".join(f"„{heading}“" for heading in table.header if heading)
    return f"Keine Spalte für {what} gefunden; vorhanden: {there}."


class TableRows:
    """Gives the rows of a table and collects what is wrong with them in `problems`."""

    def __init__(self, table: Table, index: Mapping[str, int]) -> None:
        self.problems: list[str] = []
        self.index = index
        """Index of the column for each meaning."""
        self.table = table

    def __iter__(self) -> Iterator["Row"]:
        for number, cells in self.table.rows:
            yield Row(self, number, cells)


class Row:
    """One row, with its number in the file."""

    def __init__(self, rows: TableRows, number: int, cells: Sequence[Any]) -> None:
        self.number = number
        self._rows = rows
        self._cells = cells

    def cell(self, meaning: str) -> Any:
        """What the cell holds; None where it is empty, has no column, or holds an error (which
        becomes a problem)."""
        at = self._rows.index.get(meaning)
        if at is None:
            return None
        cell = self._cells[at]
        if isinstance(cell, str):
            cell = cell.strip() or None
            if cell in _CELL_ERRORS:
                self.problem(meaning, f"die Zelle enthält den Fehlerwert {cell}")
                return None
        broken = self._rows.table.broken.get(f"{column_letter(at)}{self.number}")
        if cell is None and broken == "":
            self.problem(
                meaning,
                "die Zelle enthält eine Formel ohne gespeichertes Ergebnis; bitte in Excel öffnen "
                "und speichern, oder als Wert einfügen",
            )
        elif cell is None and broken is not None:
            self.problem(meaning, f"die Zelle enthält den Fehlerwert {broken}")
        return cell

    def text(self, meaning: str) -> str | None:
        """The cell as text that can be stored; whole numbers without the `.0` of a spreadsheet."""
        cell = self.cell(meaning)
        if cell is None:
            return None
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        return str(storable(str(cell))).strip() or None

    def problem(self, meaning: str, sentence: str) -> None:
        """Keep a problem with one cell; `sentence` has no stop at its end."""
        at = self._rows.index[meaning]
        self._rows.problems.append(
            f"Zeile {self.number}, Spalte {column_letter(at)} („{self._rows.table.header[at]}“): "
            f"{sentence}."
        )
