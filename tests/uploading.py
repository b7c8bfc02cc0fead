"""Tables to upload, and what tests of uploads look at."""

from datetime import date
from typing import Any

import pytest
import sheets
from building import HOUSE, Trial, add_person
from fielded import CASES
from sqlmodel import func, select

from reallabor.database import reading, transaction
from reallabor.errors import InvalidTable
from reallabor.models import Output, Person, Role, TrialRun
from reallabor.recording.journal import Journal, journal_root
from reallabor.recording.uploads import Upload, read_upload
from reallabor.scenarios import ScenarioFolder, load_scenario
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments

DOWN = Connection("http://127.0.0.1:9")
CASE_IDS = [case["id"] for case in CASES]


HEADER = ["Fall", "Ausgabe", "Klasse", "Frist", "Antwortzeit (ms)", "Kosten (EUR)"]
ROWS = [
    ["k-1", "Ein Brief,\nzwei Zeilen; „Zitat“", "miete", date(2026, 11, 30), 412.5, 0.002],
    ["k-2", 'Größe "XL"', "Widerspruch", None, 1200.0, None],
]


def upload(scenario: ScenarioFolder, data: bytes, name: str = "a.xlsx", **more: Any) -> Upload:
    return read_upload(scenario, name, data, variant="eins", **more)


def refusal(scenario: ScenarioFolder, data: bytes, name: str = "a.xlsx", **more: Any) -> str:
    with pytest.raises(InvalidTable) as refused:
        upload(scenario, data, name, **more)
    assert f"'{name}'" in str(refused.value)
    return str(refused.value)


def excel_days(rows: sheets.Rows) -> sheets.Rows:
    """A day as the number that a cell without a date format holds."""
    zero = date(1899, 12, 30).toordinal()
    return [[float(c.toordinal() - zero) if isinstance(c, date) else c for c in r] for r in rows]


def table(text: str = "Antwort", cases: list[str] = CASE_IDS) -> bytes:
    return sheets.xlsx([["Fall", "Ausgabe", "Klasse"],
                        *([case, f"{text} zu {case}", "miete"] for case in cases)])  # fmt: skip


def checked(
    trial: Trial, data: bytes | None = None, *, variant: str = "eins", **more: Any
) -> Upload:
    return read_upload(
        load_scenario(trial.slug), "a.xlsx", data or table(), variant=variant, **more
    )


def runs_of(connection: Connection, trial: Trial) -> list[Any]:
    """MLflow's own view, without the run that holds the cases."""
    experiment = experiments(connection).get(trial.slug)
    found = connection.client.search_runs([experiment]) if experiment else []
    return [run for run in found if names.CONTENT not in run.data.tags]


def traces_of(connection: Connection, trial: Trial) -> list[str]:
    experiment = experiments(connection)[trial.slug]
    found = connection.client.search_traces(locations=[experiment], include_spans=False)
    return sorted(trace.info.tags[names.CASE_ID] for trace in found)


def unfinished(trial: Trial) -> list[Journal]:
    return Journal.unfinished(journal_root(), trial.slug)


def person(*roles: Role, active: bool = True) -> Person:
    """Somebody with these roles, free of any session."""
    with transaction() as session:
        found = add_person(session, "Wer auch immer", *roles, organisation=HOUSE, active=active)
        session.refresh(found)
        session.expunge(found)
    return found


def pilot() -> Person:
    return person(Role.PILOT)


def assert_recorded_once(connection: Connection, trial: Trial) -> None:
    (run,) = runs_of(connection, trial)
    assert run.info.status == "FINISHED"
    assert traces_of(connection, trial) == CASE_IDS
    assert unfinished(trial) == []


def rows_in_database() -> tuple[int, int]:
    with reading() as session:
        return (
            session.exec(select(func.count()).select_from(TrialRun)).one(),
            session.exec(select(func.count()).select_from(Output)).one(),
        )
