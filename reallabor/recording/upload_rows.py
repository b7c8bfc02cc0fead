"""Reads the rows of an uploaded table into outputs; names row and column of all that is wrong."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from reallabor.content import storable
from reallabor.limits import MOST_COST_EUR, MOST_LATENCY_MS, MOST_TOKENS
from reallabor.recording.columns import CASE, COST, ERROR, LATENCY, OUTPUT, TOKENS, Columns
from reallabor.recording.journal import JournalEntry
from reallabor.recording.table import Table, column_letter
from reallabor.recording.values import read_number, read_value
from reallabor.scenarios import FieldContent, ScenarioFolder

_POINT = re.compile(r"-?(?:\d+\.\d{1,2}|\d+\.\d{4,}|0\.\d+|\d{4,}\.\d+)")
"""A number with a decimal point that cannot be a German one with dots between thousands."""
_UNIT = re.compile(r"m?s$")
_EXCEL_LIMIT = 32_767
_CELL_ERRORS = ("#REF!", "#DIV/0!", "#NAME?", "#N/A", "#NV", "#VALUE!", "#WERT!", "#NUM!", "#NULL!")


_MOST = {LATENCY: MOST_LATENCY_MS, TOKENS: MOST_TOKENS, COST: MOST_COST_EUR}


class RowReader:
    """Collects journal entries by case, German sentences about problems, and notes."""

    def __init__(self, scenario: ScenarioFolder, table: Table, columns: Columns) -> None:
        self.entries: dict[str, JournalEntry] = {}
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._cases = {case.id.casefold(): case.id for case in scenario.cases}
        self._cases |= {case.id: case.id for case in scenario.cases}
        self._slug = scenario.slug
        self._fields = [field for field in scenario.content.fields if field.key in columns]
        self._columns, self._table = columns, table
        self._seen: dict[str, int] = {}
        self._started_at = datetime.now(UTC).isoformat()
        # `412.125` is 412,125 where another number of the column shows that its point is no dot
        # between thousands.
        self._english = {
            at
            for at in columns.index.values()
            if any(isinstance(row[at], str) and _POINT.fullmatch(row[at].strip())
                   for _, row in table.rows)
        }  # fmt: skip

    def read(self, number: int, row: list[Any]) -> None:
        before = len(self.problems)
        case_id = self._case(number, row)
        text = self._text(number, row, OUTPUT)
        error = self._text(number, row, ERROR)
        values = {field.key: value for field in self._fields
                  if (value := self._value(number, row, field)) is not None}  # fmt: skip
        latency = self._number(number, row, LATENCY, self._columns.latency_factor)
        tokens = self._number(number, row, TOKENS)
        cost = self._number(number, row, COST)
        if case_id is None or len(self.problems) > before:
            return
        if text is None and values:
            text = "\n".join(f"{field.title}: {_shown(values.get(field.key))}"
                             for field in self._fields)  # fmt: skip
        if text is None and error is None:
            return  # not filled in: the case is missing
        if text is not None and error is not None:
            self._problem(number, ERROR, "hier stehen eine Ausgabe und ein Fehler; bitte eines "
                          "von beiden leeren")  # fmt: skip
            return
        output = None if error is not None else {"text": text, **values}
        if output is not None and text is not None and len(text) == _EXCEL_LIMIT:
            self.notes.append(
                f"Zeile {number}: Die Ausgabe ist genau {_EXCEL_LIMIT} Zeichen lang, so viel, wie "
                "eine Excel-Zelle fasst; vermutlich fehlt das Ende."
            )
        self.entries[case_id] = JournalEntry(
            case_id, self._started_at, latency, storable(output), storable(error),
            None if tokens is None else round(tokens), cost,
        )  # fmt: skip

    def _case(self, number: int, row: list[Any]) -> str | None:
        name = self._text(number, row, CASE)
        if name is None:
            self._problem(number, CASE, "hier fehlt der Fall")
            return None
        case_id = self._cases.get(name) or self._cases.get(name.casefold())
        if case_id is None:
            self._problem(number, CASE, f"einen Fall '{name[:60]}' gibt es in '{self._slug}' nicht")
            return None
        if case_id in self._seen:
            before = self._seen[case_id]
            self._problem(number, CASE, f"Fall '{case_id}' steht schon in Zeile {before}")
            return None
        self._seen[case_id] = number
        return case_id

    def _raw(self, number: int, row: list[Any], meaning: str) -> Any:
        at = self._columns.index.get(meaning)
        if at is None:
            return None
        cell = row[at]
        if isinstance(cell, str):
            cell = cell.strip() or None
            if cell in _CELL_ERRORS:
                self._problem(number, meaning, f"die Zelle enthält den Fehlerwert {cell}")
                return None
        broken = self._table.broken.get(f"{column_letter(at)}{number}")
        if cell is None and broken == "":
            self._problem(
                number, meaning,
                "die Zelle enthält eine Formel ohne gespeichertes Ergebnis; bitte in Excel öffnen "
                "und speichern, oder als Wert einfügen",
            )  # fmt: skip
        elif cell is None and broken is not None:
            self._problem(number, meaning, f"die Zelle enthält den Fehlerwert {broken}")
        return cell

    def _text(self, number: int, row: list[Any], meaning: str) -> str | None:
        cell = self._raw(number, row, meaning)
        if cell is None:
            return None
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        return str(cell).strip() or None

    def _figure(self, number: int, row: list[Any], meaning: str) -> Any:
        cell = self._raw(number, row, meaning)
        if isinstance(cell, str) and self._columns.index[meaning] in self._english:
            with suppress(ValueError):
                return float(cell)
        return cell

    def _number(
        self, number: int, row: list[Any], meaning: str, factor: float = 1.0
    ) -> float | None:
        cell = self._figure(number, row, meaning)
        if cell is None:
            return None
        if meaning == LATENCY and isinstance(cell, timedelta):
            cell, factor = cell.total_seconds(), 1000.0  # an Excel duration knows its unit
        elif meaning == LATENCY and isinstance(cell, str) and (unit := _UNIT.search(cell)):
            factor = 1.0 if unit.group() == "ms" else 1000.0
        try:
            value = read_number(cell) * factor
        except ValueError as problem:
            self._problem(number, meaning, str(problem))
            return None
        if value < 0:
            self._problem(number, meaning, f"{str(cell).removesuffix('.0')} ist negativ")
            return None
        if value > _MOST[meaning]:
            self._problem(number, meaning, f"{cell} ist zu groß; steht hier eine andere Angabe?")
            return None
        return value

    def _value(self, number: int, row: list[Any], field: FieldContent) -> Any:
        numeric = field.kind == "number"
        cell = (self._figure if numeric else self._raw)(number, row, field.key)
        try:
            return read_value(field, cell)
        except ValueError as problem:
            self._problem(number, field.key, str(problem))
            return None

    def _problem(self, number: int, meaning: str, sentence: str) -> None:
        at = self._columns.index[meaning]
        heading = self._table.header[at]
        self.problems.append(
            f"Zeile {number}, Spalte {column_letter(at)} („{heading}“): {sentence}."
        )


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "ja" if value else "nein"
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
