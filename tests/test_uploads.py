"""Runs from a file: recorded once, completed after any interruption, undone within the hour."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sheets
from building import HOUSE, Call, Proxy, Trial, add_person, add_staff, rate, tokens
from fielded import CASES, fielded_trial
from sqlmodel import col, func, select

from reallabor import worker
from reallabor.database import reading, transaction
from reallabor.errors import (
    InvalidTable,
    NotAllowed,
    TrackingUnavailable,
    UnknownObject,
    WrongState,
)
from reallabor.models import (
    AuditEntry,
    Delivery,
    OutboxEntry,
    Output,
    Person,
    Role,
    Scenario,
    TrialRun,
    UnassignedOutput,
    Variant,
    Way,
    row_id,
)
from reallabor.rating.publishing import publish
from reallabor.rating.rounds import open_round, release_round
from reallabor.recording import undoing
from reallabor.recording.journal import Journal, journal_root
from reallabor.recording.projection import project
from reallabor.recording.undoing import undo_upload
from reallabor.recording.uploads import (
    Upload,
    read_upload,
    record_upload,
    send_kept,
    take_upload,
)
from reallabor.scenarios import load_scenario
from reallabor.settings import get_settings
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments

DOWN = Connection("http://127.0.0.1:9")
CASE_IDS = [case["id"] for case in CASES]


@pytest.fixture
def trial(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    made = fielded_trial(tmp_path / "content")
    monkeypatch.setenv("REALLABOR_CONTENT", str(made.content))
    get_settings.cache_clear()
    return made


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


# --- recording ------------------------------------------------------------------------------------


def test_file_becomes_one_run(trial: Trial, connection: Connection, platform_url: str) -> None:
    recorded = record_upload(checked(trial), connection)
    assert (recorded.n_cases, recorded.n_failed, recorded.unchanged) == (6, 0, False)
    assert_recorded_once(connection, trial)
    (run,) = runs_of(connection, trial)
    assert run.data.tags[names.VARIANT] == "eins"
    assert run.data.params["file"] == "a.xlsx"
    assert project(connection, slug=trial.slug).outputs == 6
    with reading() as session:
        stored = session.exec(select(TrialRun)).one()
        assert (stored.way, stored.complete) == (Way.FILE, True)
        assert "latency_p50_ms" not in stored.indicators  # nobody measured it
        assert set(session.exec(select(Output.latency_ms))) == {None}


def test_same_file_twice_changes_nothing(trial: Trial, connection: Connection) -> None:
    first = record_upload(checked(trial), connection)
    again = record_upload(checked(trial), connection)
    assert (again.run_id, again.unchanged) == (first.run_id, True)
    # The same outputs in another order and format are the same outputs.
    rows = [["Ausgabe", "Klasse", "Fall"],
            *([f"Antwort zu {case}", "Miete", case] for case in reversed(CASE_IDS))]  # fmt: skip
    csv = read_upload(load_scenario(trial.slug), "b.csv", sheets.separated(rows), variant="eins")
    assert record_upload(csv, connection).unchanged
    assert_recorded_once(connection, trial)


def test_changed_file_is_a_new_run(trial: Trial, connection: Connection, platform_url: str) -> None:
    record_upload(checked(trial), connection)
    changed = record_upload(checked(trial, table("Neu")), connection)
    other = record_upload(checked(trial, organisation="Haus B"), connection)
    third = record_upload(checked(trial, variant="zweite-idee", title="Zweite Idee"), connection)
    assert {each.unchanged for each in (changed, other, third)} == {False}
    assert len(runs_of(connection, trial)) == 4
    assert project(connection, slug=trial.slug).runs == 4
    with reading() as session:
        assert session.exec(select(Variant.title).where(Variant.key == "zweite-idee")).one() == (
            "Zweite Idee"
        )


def test_same_outputs_to_a_changed_case_are_a_new_run(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    record_upload(checked(trial), connection)
    project(connection, slug=trial.slug)
    trial.write_cases([{**CASES[0], "input": "Ganz anders."}, *CASES[1:]])
    assert not record_upload(checked(trial), connection).unchanged
    project(connection, slug=trial.slug)
    assert rows_in_database() == (2, 12)


def test_failed_cases_need_no_output(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    rows = [["Fall", "Ausgabe", "Fehler"], ["k-1", "gut"], ["k-2", None, "Zeit überschritten"]]
    recorded = record_upload(checked(trial, sheets.xlsx(rows)), connection)
    assert (recorded.n_cases, recorded.n_failed) == (2, 1)
    project(connection, slug=trial.slug)
    with reading() as session:
        failed = session.exec(select(Output).where(col(Output.text).is_(None))).one()
        assert failed.error == "Zeit überschritten"
        assert not session.exec(select(TrialRun.complete)).one()


# --- all or nothing -------------------------------------------------------------------------------


def test_refused_file_stores_nothing(
    trial: Trial, connection: Connection, call: Callable[..., Call], tmp_path: Path
) -> None:
    file = tmp_path / "schlecht.xlsx"
    file.write_bytes(table(cases=[*CASE_IDS, "k-9"]))
    done = call("import-run", trial.slug, file, "--variant", "eins")
    assert (done.code, done.out) == (1, "")
    assert "Zeile 8, Spalte A („Fall“): einen Fall 'k-9' gibt es" in done.err
    assert trial.slug not in experiments(connection)
    assert unfinished(trial) == []


def test_half_of_the_cases_needs_a_word(
    trial: Trial, connection: Connection, call: Callable[..., Call], tmp_path: Path
) -> None:
    file = tmp_path / "halb.xlsx"
    file.write_bytes(table(cases=CASE_IDS[:3]))
    arguments = ("import-run", trial.slug, file, "--variant", "eins")
    refused = call(*arguments)
    assert refused.code == 1
    assert "Zu 3 von 6 Fällen fehlt die Ausgabe (k-4, k-5, k-6)" in refused.err
    assert trial.slug not in experiments(connection)
    done = call(*arguments, "--partial", "--json").json
    assert (done["n_cases"], done["missing"], done["unchanged"]) == (3, CASE_IDS[3:], False)
    again = call(*arguments, "--partial")
    assert "schon eingelesen; es hat sich nichts geändert" in again.out


@pytest.mark.parametrize(
    ("name", "size", "sentence"),
    [("fehlt.xlsx", 0, "lässt sich nicht lesen"), ("gross.xlsx", 200_000_000, "ist 200 MB groß")],
)
def test_unreadable_file_is_a_sentence(  # noqa: PLR0917
    trial: Trial, call: Callable[..., Call], tmp_path: Path, name: str, size: int, sentence: str
) -> None:
    if size:
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    done = call("import-run", trial.slug, tmp_path / name, "--variant", "eins")
    assert (done.code, done.out) == (1, "")
    assert sentence in done.err


@pytest.mark.parametrize("variant", ["Mein System", "../x", "", "ä"])
def test_variant_needs_a_short_name(
    trial: Trial, call: Callable[..., Call], tmp_path: Path, variant: str
) -> None:
    (tmp_path / "a.xlsx").write_bytes(table())
    done = call("import-run", trial.slug, tmp_path / "a.xlsx", "--variant", variant)
    assert done.code == 1
    assert "kein Kurzname" in done.err


def test_template_command_writes_the_file(
    trial: Trial, call: Callable[..., Call], tmp_path: Path
) -> None:
    target = tmp_path / "vorlage.xlsx"
    done = call("template", trial.slug, "--output", target, "--json")
    assert done.json == {"file": str(target), "cases": 6}
    refused = call("import-run", trial.slug, target, "--variant", "eins")
    assert "In keiner Zeile steht eine Ausgabe" in refused.err
    assert call("template", trial.slug, "--output", tmp_path / "fehlt" / "x.xlsx").code == 1


# --- interruptions --------------------------------------------------------------------------------


def test_outage_keeps_the_upload_for_the_worker(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    with pytest.raises(TrackingUnavailable, match="sie werden gesendet, sobald MLflow wieder"):
        record_upload(checked(trial), DOWN)
    with pytest.raises(TrackingUnavailable):
        record_upload(checked(trial), DOWN)  # asked again: not kept twice
    assert len(unfinished(trial)) == 1
    assert send_kept(DOWN) == []
    assert len(unfinished(trial)) == 1
    stop = threading.Event()
    thread = threading.Thread(target=worker.work, args=(stop,), kwargs={"pause_s": 0.05})
    thread.start()
    try:
        deadline = datetime.now(UTC) + timedelta(seconds=30)
        while rows_in_database() != (1, 6) and datetime.now(UTC) < deadline:
            stop.wait(0.05)
    finally:
        stop.set()
        thread.join()
    assert rows_in_database() == (1, 6)
    assert_recorded_once(connection, trial)
    assert record_upload(checked(trial), connection).unchanged


def test_one_refused_upload_holds_up_no_other(
    trial: Trial, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrackingUnavailable):
        record_upload(checked(trial), DOWN)
    (broken,) = unfinished(trial)
    (broken.folder / "content" / trial.slug / "scenario.yaml").write_text("kaputt")
    with pytest.raises(TrackingUnavailable):
        record_upload(checked(trial, table("Neu")), DOWN)
    sent = send_kept(connection)
    assert len(sent) == 1
    assert [each.folder for each in unfinished(trial)] == [broken.folder]


KILLED = """
import os, signal, sys
from pathlib import Path
from reallabor.recording.uploads import read_upload, record_upload
from reallabor.scenarios import load_scenario
from reallabor.tracking import Connection
upload = read_upload(load_scenario(sys.argv[1]), "a.xlsx", Path(sys.argv[2]).read_bytes(),
                     variant="eins")
record_upload(upload, Connection.from_settings())
"""


@pytest.mark.parametrize(
    ("marker", "after_sending"),
    [(b"GET /health", False), (b"runs/create", True), (b"POST /v1/traces", True),
     (b"runs/update", True)],
    ids=["before-sending", "run-made", "traces-stored", "finished"],
)  # fmt: skip
def test_killed_upload_is_completed_by_repeating(
    trial: Trial, connection: Connection, tmp_path: Path, marker: bytes, after_sending: bool
) -> None:
    (tmp_path / "a.xlsx").write_bytes(table())
    reached = threading.Event()

    def hold(data: bytes) -> None:
        if marker in data and not reached.is_set():
            proxy.mute.set()
            reached.set()
            if not after_sending:
                proxy.closed.wait(60)

    with Proxy(connection.address, hold) as proxy:
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, trial.slug, str(tmp_path / "a.xlsx")],
            env={**os.environ, "REALLABOR_TRACKING_URI": proxy.address},
        )
        assert reached.wait(60)
        if after_sending:
            threading.Event().wait(0.5)  # time for MLflow to store it
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(unfinished(trial)) == 1
    record_upload(checked(trial), connection)
    assert_recorded_once(connection, trial)


# --- undo -----------------------------------------------------------------------------------------


def taken_over(trial: Trial, connection: Connection, **more: Any) -> str:
    run_id = record_upload(checked(trial, **more), connection).run_id
    project(connection, slug=trial.slug, everything=True)
    return run_id


def test_upload_is_undone_within_the_hour(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    run_id = taken_over(trial, connection, variant="neue-idee", title="Neue Idee")
    assert rows_in_database() == (1, 6)
    actor = pilot()
    assert undo_upload(run_id, actor=actor, connection=connection) == "Neue Idee"
    assert rows_in_database() == (0, 0)
    assert runs_of(connection, trial) == []
    assert traces_of(connection, trial) == []
    with reading() as session:
        assert session.exec(select(Variant).where(Variant.key == "neue-idee")).first() is None
        kinds = session.exec(select(AuditEntry.action)).all()
    assert "upload_undone" in kinds
    publish(connection)  # what was due for the run is no longer
    assert project(connection, slug=trial.slug, everything=True).runs == 0
    with pytest.raises(UnknownObject, match="gibt es hier nicht mehr"):
        undo_upload(run_id, actor=actor, connection=connection)
    # The same file may come again.
    assert not record_upload(checked(trial, variant="neue-idee"), connection).unchanged
    project(connection, slug=trial.slug, everything=True)
    assert rows_in_database() == (1, 6)


def test_after_an_hour_an_upload_stays(
    trial: Trial, connection: Connection, platform_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = taken_over(trial, connection)
    later = datetime.now(UTC) + timedelta(hours=1, seconds=1)
    monkeypatch.setattr(undoing, "now", lambda: later)
    actor = pilot()
    with pytest.raises(WrongState, match="Die Stunde zum Rückgängigmachen ist vorbei"):
        undo_upload(run_id, actor=actor, connection=connection)
    assert rows_in_database() == (1, 6)
    assert_recorded_once(connection, trial)
    monkeypatch.setattr(undoing, "now", lambda: later - timedelta(seconds=20))
    undo_upload(run_id, actor=actor, connection=connection)
    assert rows_in_database() == (0, 0)


@pytest.mark.parametrize("released", [False, True])
def test_upload_in_a_round_stays(
    trial: Trial, connection: Connection, platform_url: str, released: bool
) -> None:
    run_id = taken_over(trial, connection)
    with transaction() as session:
        staff = add_staff(session)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        if released:
            token = tokens(session, round_, staff["anna"])[0]
            rate(session, staff["anna"], token, {"FR": 4, "AN": 4})
            release_round(session, row_id(round_.id), actor=staff["organiser"])
    with pytest.raises(WrongState, match="wird schon bewertet"):
        undo_upload(run_id, actor=pilot(), connection=connection)
    assert rows_in_database() == (1, 6)
    assert_recorded_once(connection, trial)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize(
    ("roles", "active", "allowed"),
    [((Role.PILOT,), True, True), ((Role.ORGANISER,), True, True), ((Role.PILOT,), False, False),
     ((Role.EVALUATOR,), True, False), ((Role.STEERING,), True, False), ((), True, False)],
)  # fmt: skip
def test_only_pilots_and_organisers_undo(  # noqa: PLR0917
    trial: Trial,
    connection: Connection,
    platform_url: str,
    roles: tuple[Role, ...],
    active: bool,
    allowed: bool,
) -> None:
    run_id = taken_over(trial, connection)
    actor = person(*roles, active=active)
    if allowed:
        undo_upload(run_id, actor=actor, connection=connection)
    else:
        with pytest.raises(NotAllowed, match="nur Pilotteams und die Organisation"):
            undo_upload(run_id, actor=actor, connection=connection)
    assert rows_in_database() == ((0, 0) if allowed else (1, 6))
    assert len(runs_of(connection, trial)) == (0 if allowed else 1)


def test_run_of_another_way_is_not_undone(
    trial: Trial, connection: Connection, platform_url: str, call: Callable[..., Call]
) -> None:
    (run,) = call("run", trial.slug, "--variant", "eins", "--json").json["runs"]
    project(connection, slug=trial.slug, everything=True)
    with pytest.raises(WrongState, match="nur Durchläufe aus einer Datei"):
        undo_upload(run["run_id"], actor=pilot(), connection=connection)
    assert rows_in_database() == (1, 6)


@pytest.mark.parametrize("stopped_after", ["traces", "run"])
def test_killed_undo_is_completed_by_the_worker(
    trial: Trial,
    connection: Connection,
    platform_url: str,
    monkeypatch: pytest.MonkeyPatch,
    stopped_after: str,
) -> None:
    run_id = taken_over(trial, connection)
    actor = pilot()

    class Stopped(BaseException):
        pass

    def stop(*_: Any, **__: Any) -> None:
        raise Stopped

    with monkeypatch.context() as patch:  # what a kill at this moment leaves
        if stopped_after == "traces":
            patch.setattr(type(connection.client), "delete_run", stop)
        else:
            patch.setattr(undoing, "finish_withdrawals", stop)
        with pytest.raises(Stopped):
            undo_upload(run_id, actor=actor, connection=connection)
    assert rows_in_database() == (0, 0)
    project(connection, slug=trial.slug, everything=True, verify=True)
    assert rows_in_database() == (0, 0)  # not taken over again while its deletion is due
    publish(connection)

    assert runs_of(connection, trial) == []
    with reading() as session:
        left = session.exec(select(func.count()).select_from(UnassignedOutput)).one()
        due = session.exec(select(OutboxEntry).where(OutboxEntry.kind == "indicators")).all()
    assert (left, due) == (0, [])


def test_outage_while_undoing_is_made_up_later(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    run_id, actor = taken_over(trial, connection), pilot()
    undo_upload(run_id, actor=actor, connection=DOWN)
    assert rows_in_database() == (0, 0)
    assert len(runs_of(connection, trial)) == 1  # still there, and left alone
    project(connection, slug=trial.slug, everything=True)
    assert rows_in_database() == (0, 0)
    # The same file again finishes the deletion first, so that it is a run of its own.
    again, _ = take_upload(checked(trial), connection, actor=actor)
    assert not again.unchanged
    assert again.run_id != run_id
    assert rows_in_database() == (1, 6)
    assert_recorded_once(connection, trial)


def test_upload_undone_by_somebody_else_is_a_sentence(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    project(connection, slug=trial.slug)  # so that the scenario is there

    def undone(sent: int, total: int) -> None:
        (journal,) = unfinished(trial)
        with transaction() as session:
            scenario = session.exec(select(Scenario)).one()
            session.add(
                OutboxEntry(
                    key=f"withdrawal/{journal.run_id('eins')}",
                    kind=Delivery.WITHDRAWAL,
                    subject_id=row_id(scenario.id),
                )
            )

    with pytest.raises(WrongState, match=r"'a\.xlsx' ist in MLflow aufgezeichnet, hier aber nicht"):
        take_upload(checked(trial), connection, actor=pilot(), progress=undone)
    assert rows_in_database() == (0, 0)


def test_pilot_of_another_house_may_not_undo(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    run_id = taken_over(trial, connection)
    with transaction() as session:
        stranger = add_person(session, "Fremd", Role.PILOT, organisation="Anderes Haus")
        session.expunge(stranger)
    with pytest.raises(NotAllowed, match="gehört einer anderen Organisation"):
        undo_upload(run_id, actor=stranger, connection=connection)
    assert rows_in_database() == (1, 6)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_impossible_figure_is_named_and_stops_nobody(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    with pytest.raises(InvalidTable, match=r"Zeile 2, Spalte C .*zu groß"):
        read_upload(
            load_scenario(trial.slug), "zahl.csv",
            f"Fall;Ausgabe;Token\n{CASE_IDS[0]};gut;1e20\n".encode(), variant="eins",
        )  # fmt: skip
