"""Runs that come as a table: checked as a whole, shown before they are taken, recorded once, and
undone within the hour."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlmodel import Session, col, delete, select

from reallabor import audit
from reallabor.content import digest, storable
from reallabor.database import reading, transaction
from reallabor.errors import InvalidTable, ReallaborError, UnknownObject, WrongState
from reallabor.german import count
from reallabor.models import (
    Delivery,
    OutboxEntry,
    Output,
    Person,
    Scenario,
    TrialRun,
    UnassignedOutput,
    Variant,
    Way,
    now,
    row_id,
)
from reallabor.policies import may_record, require
from reallabor.recording.columns import (
    CASE,
    COST,
    ERROR,
    LATENCY,
    OUTPUT,
    TOKENS,
    Columns,
    chosen_columns,
    guess_columns,
    is_header,
    with_unit,
)
from reallabor.recording.journal import Journal, JournalEntry, journal_root
from reallabor.recording.projection import project
from reallabor.recording.sending import RecordedRun, send_journal
from reallabor.recording.table import Table, column_letter, read_table
from reallabor.recording.taking_over import is_in_round
from reallabor.recording.values import read_number, read_value
from reallabor.scenarios import FieldContent, ScenarioFolder, require_key
from reallabor.tracking import Connection, publishing

Progress = Callable[[int, int], None]
"""Called with outputs sent and outputs in all."""
log = structlog.get_logger()

UNDO = timedelta(hours=1)
"""For how long an upload can be taken back."""
_POINT = re.compile(r"-?(?:\d+\.\d{1,2}|\d+\.\d{4,}|0\.\d+|\d{4,}\.\d+)")
"""A number with a decimal point that cannot be a German one with dots between thousands."""
_UNIT = re.compile(r"m?s$")
_MOST_PROBLEMS = 12
_EXCEL_LIMIT = 32_767
_CELL_ERRORS = ("#REF!", "#DIV/0!", "#NAME?", "#N/A", "#NV", "#VALUE!", "#WERT!", "#NUM!", "#NULL!")
_NEXT_STEP = (
    "sie werden gesendet, sobald MLflow wieder antwortet (durch den Hintergrunddienst, oder indem "
    "Sie dieselbe Datei noch einmal einlesen)."
)


@dataclass(frozen=True)
class Upload:
    """A checked table, ready to be recorded."""

    scenario: ScenarioFolder
    variant: str
    title: str
    organisation: str
    entries: list[JournalEntry]
    missing: list[str]
    """Cases without an output in the table."""
    notes: list[str]
    filename: str

    @property
    def key(self) -> str:
        """The same for the same outputs, so that repeating an upload doubles nothing."""
        versions = {case.id: case.sha256 for case in self.scenario.cases}
        rows = [
            [versions[entry.case_id], entry.case_id, entry.output, entry.error, entry.latency_ms,
             entry.tokens, entry.cost_eur]
            for entry in sorted(self.entries, key=lambda entry: entry.case_id)
        ]  # fmt: skip
        return f"file/{digest([self.scenario.slug, self.variant, self.organisation, rows])[:40]}"


class Problems(InvalidTable):
    """All that keeps a table from being taken, a sentence each."""

    def __init__(self, name: str, sentences: Sequence[str]) -> None:
        self.sentences = list(sentences)
        shown = self.sentences[:_MOST_PROBLEMS]
        if len(self.sentences) > len(shown):
            shown.append(f"… und {len(self.sentences) - len(shown)} weitere Stellen.")
        super().__init__(f"'{name}' wurde nicht übernommen.\n" + "\n".join(shown))


def read_upload(
    scenario: ScenarioFolder,
    filename: str,
    data: bytes,
    *,
    variant: str,
    title: str = "",
    organisation: str = "",
    columns: Mapping[str, str] | None = None,
    sheet: str | None = None,
) -> Upload:
    """A file as it came, read and checked; `columns` names headings by meaning where the guess will
    not do. Raises InvalidTable."""
    table = read_table(filename, data, is_header(scenario.content.fields), sheet=sheet)
    return check_upload(
        scenario, table, columns_of(table, scenario, columns),
        filename=filename, variant=variant, title=title, organisation=organisation,
    )  # fmt: skip


def columns_of(
    table: Table, scenario: ScenarioFolder, columns: Mapping[str, str] | None = None
) -> Columns:
    """The guessed columns, with those that a person named by their headings put first. Raises
    InvalidTable."""
    fields = scenario.content.fields
    guessed = guess_columns(table.header, fields)
    if columns:
        named = chosen_columns(table.header, columns, fields)
        free = {key: at for key, at in guessed.index.items() if at not in named.index.values()}
        guessed = with_unit({**free, **named.index}, table.header)
    return guessed


def check_upload(
    scenario: ScenarioFolder,
    table: Table,
    columns: Columns,
    *,
    filename: str,
    variant: str,
    title: str = "",
    organisation: str = "",
) -> Upload:
    """The outputs of a table, all or nothing. Raises Problems, naming row and column of each."""
    require_key(variant)
    problems: list[str] = []
    if CASE not in columns:
        problems.append(_no_column("die Fälle (z. B. „Fall“)", table))
    if OUTPUT not in columns and not any(f.key in columns for f in scenario.content.fields):
        problems.append(_no_column("die Ausgaben (z. B. „Ausgabe“)", table))
    if problems:
        raise Problems(filename, problems)
    reader = _Reader(scenario, table, columns)
    for number, row in table.rows:
        reader.read(number, row)
    if reader.problems:
        raise Problems(filename, reader.problems)
    if not reader.entries:
        raise Problems(filename, ["In keiner Zeile steht eine Ausgabe."])
    named = {each.key: each.title for each in scenario.content.variants}
    return Upload(
        scenario=scenario,
        variant=variant,
        title=title.strip() or named.get(variant, variant),
        organisation=organisation or scenario.content.organisation,
        entries=list(reader.entries.values()),
        missing=[case.id for case in scenario.cases if case.id not in reader.entries],
        notes=[*table.notes, *reader.notes],
        filename=filename,
    )


def take_upload(
    upload: Upload, connection: Connection, *, actor: Person, progress: Progress | None = None
) -> tuple[RecordedRun, int]:
    """Record an upload and take it over at once; gives the row id of its run too. Raises NotAllowed
    and what `record_upload` raises."""
    require(may_record, actor)
    recorded = record_upload(upload, connection, progress=progress)
    project(connection, slug=upload.scenario.slug, everything=True)
    with reading() as session:
        run_id = session.exec(
            select(TrialRun.id).where(TrialRun.tracking_run_id == recorded.run_id)
        ).one()
    return recorded, row_id(run_id)


def record_upload(
    upload: Upload,
    connection: Connection,
    *,
    demo: bool = False,
    progress: Progress | None = None,
) -> RecordedRun:
    """Record the outputs as one run. The same ones again change nothing (`unchanged`), and an
    interrupted upload is completed. Raises TrackingUnavailable: then they are kept and sent later.
    """
    journal = next(
        (each for each in Journal.unfinished(journal_root(), upload.scenario.slug)
         if each.plan.key == upload.key),
        None,
    )  # fmt: skip
    if journal is None:
        journal = Journal.create(
            journal_root(),
            upload.scenario,
            variants=[upload.variant],
            organisation=upload.organisation,
            way=Way.FILE.value,
            key=upload.key,
            demo=demo,
            titles={upload.variant: upload.title},
            params={"file": storable(upload.filename)[:250]},
            entries=upload.entries,
        )
    with journal.locked():
        return send_journal(journal, connection, next_step=_NEXT_STEP, progress=progress)[0]


def send_kept(connection: Connection) -> list[RecordedRun]:
    """Send the uploads that were kept while MLflow was down; for the worker."""
    sent: list[RecordedRun] = []
    for folder in sorted(path for path in journal_root().glob("*") if path.is_dir()):
        for journal in Journal.unfinished(journal_root(), folder.name):
            if journal.plan.way == Way.FILE and journal.closed:
                try:
                    with journal.locked():
                        sent += send_journal(journal, connection, next_step=_NEXT_STEP)
                except (ReallaborError, FileNotFoundError) as refusal:
                    # Still down, or somebody else is sending it; one must not hold up the others.
                    log.warning("upload_kept", scenario=folder.name, reason=str(refusal))
    return sent


def undo_upload(tracking_run_id: str, *, actor: Person, connection: Connection) -> str:
    """Take an upload of the last hour back, here and in MLflow; gives the title of its variant.

    Raises NotAllowed, UnknownObject, and WrongState where the hour is over or people rate the run.
    May be repeated after an interruption.
    """
    require(may_record, actor)
    with reading() as session:
        run = _undoable(session, tracking_run_id)
        experiment_id = session.get_one(Scenario, run.scenario_id).experiment_id
    connection.require()
    # MLflow goes first: a run that were still there would be taken over again.
    publishing.delete_runs(connection, experiment_id or "", [tracking_run_id])
    with transaction() as session:
        run = _undoable(session, tracking_run_id)
        variant = session.get_one(Variant, run.variant_id)
        scenario = session.get_one(Scenario, run.scenario_id)
        title = variant.title
        for table in (Output, UnassignedOutput):
            session.exec(delete(table).where(col(table.run_id) == run.id))
        session.exec(
            delete(OutboxEntry).where(
                col(OutboxEntry.kind) == Delivery.INDICATORS, col(OutboxEntry.subject_id) == run.id
            )
        )
        session.delete(run)
        session.flush()
        declared = {each["key"] for each in scenario.content.get("variants", [])}
        others = select(TrialRun.id).where(TrialRun.variant_id == variant.id)
        if variant.key not in declared and session.exec(others).first() is None:
            session.delete(variant)
        details = {"scenario": scenario.slug, "variant": variant.key, "run": tracking_run_id}
        audit.record(session, "upload_undone", f"run/{row_id(run.id)}", actor=actor,
                     details=details)  # fmt: skip
    return title


def _undoable(session: Session, tracking_run_id: str) -> TrialRun:
    run = session.exec(
        select(TrialRun).where(TrialRun.tracking_run_id == tracking_run_id).with_for_update()
    ).first()
    if run is None:
        raise UnknownObject("Diesen Durchlauf gibt es hier nicht mehr; bitte die Seite neu laden.")
    if run.way != Way.FILE:
        raise WrongState("Rückgängig machen lassen sich nur Durchläufe aus einer Datei.")
    if is_in_round(session, run):
        raise WrongState(
            "Der Durchlauf wird schon bewertet und lässt sich nicht mehr zurücknehmen."
        )
    if now() - run.taken_at > UNDO:
        raise WrongState(
            "Die Stunde zum Rückgängigmachen ist vorbei. Der Durchlauf bleibt; eine berichtigte "
            "Datei ergibt einen neuen, und der neueste zählt."
        )
    return run


class _Reader:
    """Reads rows into journal entries and collects what is wrong with them."""

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
        if meaning == LATENCY and isinstance(cell, str) and (unit := _UNIT.search(cell)):
            factor = 1.0 if unit.group() == "ms" else 1000.0
        try:
            value = read_number(cell) * factor
        except ValueError as problem:
            self._problem(number, meaning, str(problem))
            return None
        if value < 0:
            self._problem(number, meaning, f"{str(cell).removesuffix('.0')} ist negativ")
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


def _no_column(what: str, table: Table) -> str:
    there = ", ".join(f"„{heading}“" for heading in table.header if heading)
    return f"Keine Spalte für {what} gefunden; vorhanden: {there}."


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "ja" if value else "nein"
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def summary(upload: Upload) -> str:
    """One German sentence about what would be recorded."""
    total = len(upload.scenario.cases)
    failed = sum(entry.error is not None for entry in upload.entries)
    sentence = f"{count(len(upload.entries), 'Ausgabe', 'Ausgaben')} zu {total} Fällen"
    if failed:
        sentence += f", davon {failed} mit Fehler"
    return sentence + "."
