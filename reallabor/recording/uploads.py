"""Runs that come as a table: checked as a whole, shown before they are taken, recorded once, and
undone within the hour."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from sqlmodel import select

from reallabor import audit
from reallabor.content import digest, storable
from reallabor.database import reading, transaction
from reallabor.errors import ReallaborError, TrackingRefused, WrongState
from reallabor.german import count
from reallabor.models import Person, TrialRun, Way, row_id
from reallabor.policies import may_record, require
from reallabor.recording.columns import (
    CASE,
    OUTPUT,
    Columns,
    chosen_columns,
    guess_columns,
    is_header,
    with_unit,
)
from reallabor.recording.journal import Journal, JournalEntry, journal_root
from reallabor.recording.projection import project
from reallabor.recording.recordable import require_recordable
from reallabor.recording.sending import RecordedRun, send_journal
from reallabor.recording.table import Table, read_table
from reallabor.recording.table_rows import Problems, missing_column
from reallabor.recording.undoing import finish_withdrawals
from reallabor.recording.upload_rows import RowReader
from reallabor.scenarios import ScenarioFolder, require_key
from reallabor.tracking import Connection

Progress = Callable[[int, int], None]
"""Called with outputs sent and outputs in all."""
log = structlog.get_logger()

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
        problems.append(missing_column("die Fälle (z. B. „Fall“)", table))
    if OUTPUT not in columns and not any(f.key in columns for f in scenario.content.fields):
        problems.append(missing_column("die Ausgaben (z. B. „Ausgabe“)", table))
    if problems:
        raise Problems(filename, problems)
    reader = RowReader(scenario, table, columns)
    reader.read()
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
    """Record an upload and take it over at once; gives the row id of its run too. Raises what
    `record_upload` raises, NotAllowed, and WrongState where the scenario is stopped or the run was
    undone meanwhile."""
    require(may_record, actor)
    require_recordable(upload.scenario.slug)
    finish_withdrawals(connection)  # else the run of the same outputs would be found, and hidden
    recorded = record_upload(upload, connection, progress=progress)
    project(connection, slug=upload.scenario.slug, everything=True)
    with reading() as session:
        run_id = session.exec(
            select(TrialRun.id).where(TrialRun.tracking_run_id == recorded.run_id)
        ).first()
    if run_id is None:
        raise WrongState(
            f"Der Durchlauf aus '{upload.filename}' ist in MLflow aufgezeichnet, hier aber nicht "
            "angekommen: Er wurde gerade zurückgenommen, oder er ließ sich nicht übernehmen. Bitte "
            "die Datei noch einmal einlesen; hilft das nicht, steht Näheres im Protokoll."
        )
    if not recorded.unchanged:
        with transaction() as session:
            details = {
                "scenario": upload.scenario.slug, "variant": upload.variant,
                "organisation": upload.organisation, "outputs": recorded.n_cases,
            }  # fmt: skip
            audit.record(session, "run_uploaded", f"run/{run_id}", actor=actor, details=details)
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
            way=Way.FILE,
            key=upload.key,
            demo=demo,
            titles={upload.variant: upload.title},
            params={"file": storable(upload.filename)[:250]},
            entries=upload.entries,
        )
    return _send(journal, connection, progress)


def send_kept(connection: Connection) -> list[RecordedRun]:
    """Send the uploads that were kept while MLflow was down; for the worker."""
    sent: list[RecordedRun] = []
    for folder in sorted(path for path in journal_root().glob("*") if path.is_dir()):
        for journal in Journal.unfinished(journal_root(), folder.name):
            if journal.plan.way == Way.FILE and journal.closed:
                try:
                    require_recordable(folder.name)
                    sent.append(_send(journal, connection))
                except (ReallaborError, FileNotFoundError) as refusal:
                    # Still down, or somebody else is sending it; one must not hold up the others.
                    log.warning("upload_kept", scenario=folder.name, reason=str(refusal))
    return sent


def _send(
    journal: Journal, connection: Connection, progress: Progress | None = None
) -> RecordedRun:
    with journal.locked():
        try:
            return send_journal(journal, connection, next_step=_NEXT_STEP, progress=progress)[0]
        except TrackingRefused:
            journal.remove()  # would be refused again and again; the person still has the file
            raise


def summary(upload: Upload) -> str:
    """One German sentence about what would be recorded."""
    total = len(upload.scenario.cases)
    failed = sum(entry.error is not None for entry in upload.entries)
    sentence = f"{count(len(upload.entries), 'Ausgabe', 'Ausgaben')} zu {total} Fällen"
    if failed:
        sentence += f", davon {failed} mit Fehler"
    return sentence + "."
