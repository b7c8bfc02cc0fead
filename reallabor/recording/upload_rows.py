"""Reads the rows of an uploaded table into outputs; names row and column of all that is wrong."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from reallabor.content import storable
from reallabor.limits import MOST_COST_EUR, MOST_LATENCY_MS, MOST_TOKENS
from reallabor.recording.columns import CASE, COST, ERROR, LATENCY, OUTPUT, TOKENS, Columns
from reallabor.recording.journal import JournalEntry
from reallabor.recording.table import Table
from reallabor.recording.table_rows import Row, TableRows
from reallabor.recording.values import read_number, read_value, values_text
from reallabor.scenarios import FieldContent, ScenarioFolder

_POINT = re.compile(r"-?(?:\d+\.\d{1,2}|\d+\.\d{4,}|0\.\d+|\d{4,}\.\d+)")
"""A number with a decimal point that cannot be a German one with dots between thousands."""
_UNIT = re.compile(r"m?s$")
_EXCEL_LIMIT = 32_767
_MOST = {LATENCY: MOST_LATENCY_MS, TOKENS: MOST_TOKENS, COST: MOST_COST_EUR}


class RowReader:
    """Collects journal entries by case, German sentences about problems, and notes."""

    def __init__(self, scenario: ScenarioFolder, table: Table, columns: Columns) -> None:
        self.entries: dict[str, JournalEntry] = {}
        self.notes: list[str] = []
        self._cases = {case.id.casefold(): case.id for case in scenario.cases}
        self._cases |= {case.id: case.id for case in scenario.cases}
        self._slug = scenario.slug
        self._fields = [field for field in scenario.content.fields if field.key in columns]
        self._columns = columns
        self._rows = TableRows(table, columns.index)
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

    @property
    def problems(self) -> list[str]:
        return self._rows.problems

    def read(self) -> None:
        """Read all rows."""
        for row in self._rows:
            self._read(row)

    def _read(self, row: Row) -> None:
        before = len(self.problems)
        case_id = self._case(row)
        text = row.text(OUTPUT)
        error = row.text(ERROR)
        values = {field.key: value for field in self._fields
                  if (value := self._value(row, field)) is not None}  # fmt: skip
        latency = self._number(row, LATENCY, self._columns.latency_factor)
        tokens = self._number(row, TOKENS)
        cost = self._number(row, COST)
        if case_id is None or len(self.problems) > before:
            return
        if text is None and values:
            text = values_text(self._fields, values)
        if text is None and error is None:
            return  # not filled in: the case is missing
        if text is not None and error is not None:
            row.problem(
                ERROR, "hier stehen eine Ausgabe und ein Fehler; bitte eines von beiden leeren"
            )
            return
        output = None if error is not None else {"text": text, **values}
        if output is not None and text is not None and len(text) == _EXCEL_LIMIT:
            self.notes.append(
                f"Zeile {row.number}: Die Ausgabe ist genau {_EXCEL_LIMIT} Zeichen lang, so viel, "
                "wie eine Excel-Zelle fasst; vermutlich fehlt das Ende."
            )
        self.entries[case_id] = JournalEntry(
            case_id, self._started_at, latency, storable(output), storable(error),
            None if tokens is None else round(tokens), cost,
        )  # fmt: skip

    def _case(self, row: Row) -> str | None:
        name = row.text(CASE)
        if name is None:
            row.problem(CASE, "hier fehlt der Fall")
            return None
        case_id = self._cases.get(name) or self._cases.get(name.casefold())
        if case_id is None:
            row.problem(CASE, f"einen Fall '{name[:60]}' gibt es in '{self._slug}' nicht")
            return None
        if case_id in self._seen:
            before = self._seen[case_id]
            row.problem(CASE, f"Fall '{case_id}' steht schon in Zeile {before}")
            return None
        self._seen[case_id] = row.number
        return case_id

    def _figure(self, row: Row, meaning: str) -> Any:
        cell = row.cell(meaning)
        if isinstance(cell, str) and self._columns.index[meaning] in self._english:
            with suppress(ValueError):
                return float(cell)
        return cell

    def _number(self, row: Row, meaning: str, factor: float = 1.0) -> float | None:
        cell = self._figure(row, meaning)
        if cell is None:
            return None
        if meaning == LATENCY and isinstance(cell, timedelta):
            cell, factor = cell.total_seconds(), 1000.0  # an Excel duration knows its unit
        elif meaning == LATENCY and isinstance(cell, str) and (unit := _UNIT.search(cell)):
            factor = 1.0 if unit.group() == "ms" else 1000.0
        try:
            value = read_number(cell) * factor
        except ValueError as problem:
            row.problem(meaning, str(problem))
            return None
        if value < 0:
            row.problem(meaning, f"{str(cell).removesuffix('.0')} ist negativ")
            return None
        if value > _MOST[meaning]:
            row.problem(meaning, f"{cell} ist zu groß; steht hier eine andere Angabe?")
            return None
        return value

    def _value(self, row: Row, field: FieldContent) -> Any:
        cell = self._figure(row, field.key) if field.kind == "number" else row.cell(field.key)
        try:
            return read_value(field, cell)
        except ValueError as problem:
            row.problem(field.key, str(problem))
            return None
