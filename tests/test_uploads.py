"""Runs from a file: recorded once, and completed after any interruption."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sheets
from building import Call, Trial
from fielded import CASES
from sqlmodel import col, select
from tracked import Proxy
from uploading import (
    CASE_IDS,
    DOWN,
    assert_recorded_once,
    checked,
    rows_in_database,
    runs_of,
    table,
    unfinished,
)

from reallabor import worker
from reallabor.database import reading
from reallabor.errors import InvalidTable, TrackingUnavailable
from reallabor.models import Output, TrialRun, Variant, Way
from reallabor.recording.projection import project
from reallabor.recording.uploads import read_upload, record_upload, send_kept
from reallabor.scenarios import load_scenario
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments

# --- recording ------------------------------------------------------------------------------------


def test_file_becomes_one_run(fielded: Trial, connection: Connection, platform_url: str) -> None:
    recorded = record_upload(checked(fielded), connection)
    assert (recorded.n_cases, recorded.n_failed, recorded.unchanged) == (6, 0, False)
    assert_recorded_once(connection, fielded)
    (run,) = runs_of(connection, fielded)
    assert run.data.tags[names.VARIANT] == "eins"
    assert run.data.params["file"] == "a.xlsx"
    assert project(connection, slug=fielded.slug).outputs == 6
    with reading() as session:
        stored = session.exec(select(TrialRun)).one()
        assert (stored.way, stored.complete) == (Way.FILE, True)
        assert "latency_p50_ms" not in stored.indicators  # nobody measured it
        assert set(session.exec(select(Output.latency_ms))) == {None}


def test_same_file_twice_changes_nothing(fielded: Trial, connection: Connection) -> None:
    first = record_upload(checked(fielded), connection)
    again = record_upload(checked(fielded), connection)
    assert (again.run_id, again.unchanged) == (first.run_id, True)
    # The same outputs in another order and format are the same outputs.
    rows = [["Ausgabe", "Klasse", "Fall"],
            *([f"Antwort zu {case}", "Miete", case] for case in reversed(CASE_IDS))]  # fmt: skip
    csv = read_upload(load_scenario(fielded.slug), "b.csv", sheets.separated(rows), variant="eins")
    assert record_upload(csv, connection).unchanged
    assert_recorded_once(connection, fielded)


def test_changed_file_is_a_new_run(
    fielded: Trial, connection: Connection, platform_url: str
) -> None:
    record_upload(checked(fielded), connection)
    changed = record_upload(checked(fielded, table("Neu")), connection)
    other = record_upload(checked(fielded, organisation="Haus B"), connection)
    third = record_upload(checked(fielded, variant="zweite-idee", title="Zweite Idee"), connection)
    assert {each.unchanged for each in (changed, other, third)} == {False}
    assert len(runs_of(connection, fielded)) == 4
    assert project(connection, slug=fielded.slug).runs == 4
    with reading() as session:
        assert session.exec(select(Variant.title).where(Variant.key == "zweite-idee")).one() == (
            "Zweite Idee"
        )


def test_same_outputs_to_a_changed_case_are_a_new_run(
    fielded: Trial, connection: Connection, platform_url: str
) -> None:
    record_upload(checked(fielded), connection)
    project(connection, slug=fielded.slug)
    fielded.write_cases([{**CASES[0], "input": "Ganz anders."}, *CASES[1:]])
    assert not record_upload(checked(fielded), connection).unchanged
    project(connection, slug=fielded.slug)
    assert rows_in_database() == (2, 12)


def test_failed_cases_need_no_output(
    fielded: Trial, connection: Connection, platform_url: str
) -> None:
    rows = [["Fall", "Ausgabe", "Fehler"], ["k-1", "gut"], ["k-2", None, "Zeit überschritten"]]
    recorded = record_upload(checked(fielded, sheets.xlsx(rows)), connection)
    assert (recorded.n_cases, recorded.n_failed) == (2, 1)
    project(connection, slug=fielded.slug)
    with reading() as session:
        failed = session.exec(select(Output).where(col(Output.text).is_(None))).one()
        assert failed.error == "Zeit überschritten"
        assert not session.exec(select(TrialRun.complete)).one()


# --- all or nothing -------------------------------------------------------------------------------


def test_refused_file_stores_nothing(
    fielded: Trial, connection: Connection, call: Callable[..., Call], tmp_path: Path
) -> None:
    file = tmp_path / "schlecht.xlsx"
    file.write_bytes(table(cases=[*CASE_IDS, "k-9"]))
    done = call("import-run", fielded.slug, file, "--variant", "eins")
    assert (done.code, done.out) == (1, "")
    assert "Zeile 8, Spalte A („Fall“): einen Fall 'k-9' gibt es" in done.err
    assert fielded.slug not in experiments(connection)
    assert unfinished(fielded) == []


def test_half_of_the_cases_needs_a_word(
    fielded: Trial, connection: Connection, call: Callable[..., Call], tmp_path: Path
) -> None:
    file = tmp_path / "halb.xlsx"
    file.write_bytes(table(cases=CASE_IDS[:3]))
    arguments = ("import-run", fielded.slug, file, "--variant", "eins")
    refused = call(*arguments)
    assert refused.code == 1
    assert "Zu 3 von 6 Fällen fehlt die Ausgabe (k-4, k-5, k-6)" in refused.err
    assert fielded.slug not in experiments(connection)
    done = call(*arguments, "--partial", "--json").json
    assert (done["n_cases"], done["missing"], done["unchanged"]) == (3, CASE_IDS[3:], False)
    again = call(*arguments, "--partial")
    assert "schon eingelesen; es hat sich nichts geändert" in again.out


@pytest.mark.parametrize(
    ("name", "size", "sentence"),
    [("fehlt.xlsx", 0, "lässt sich nicht lesen"), ("gross.xlsx", 200_000_000, "ist 200 MB groß")],
)
def test_unreadable_file_is_a_sentence(  # noqa: PLR0917
    fielded: Trial, call: Callable[..., Call], tmp_path: Path, name: str, size: int, sentence: str
) -> None:
    if size:
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    done = call("import-run", fielded.slug, tmp_path / name, "--variant", "eins")
    assert (done.code, done.out) == (1, "")
    assert sentence in done.err


@pytest.mark.parametrize("variant", ["Mein System", "../x", "", "ä"])
def test_variant_needs_a_short_name(
    fielded: Trial, call: Callable[..., Call], tmp_path: Path, variant: str
) -> None:
    (tmp_path / "a.xlsx").write_bytes(table())
    done = call("import-run", fielded.slug, tmp_path / "a.xlsx", "--variant", variant)
    assert done.code == 1
    assert "kein Kurzname" in done.err


def test_template_command_writes_the_file(
    fielded: Trial, call: Callable[..., Call], tmp_path: Path
) -> None:
    target = tmp_path / "vorlage.xlsx"
    done = call("template", fielded.slug, "--output", target, "--json")
    assert done.json == {"file": str(target), "cases": 6}
    refused = call("import-run", fielded.slug, target, "--variant", "eins")
    assert "In keiner Zeile steht eine Ausgabe" in refused.err
    assert call("template", fielded.slug, "--output", tmp_path / "fehlt" / "x.xlsx").code == 1


# --- interruptions --------------------------------------------------------------------------------


def test_outage_keeps_the_upload_for_the_worker(
    fielded: Trial, connection: Connection, platform_url: str
) -> None:
    with pytest.raises(TrackingUnavailable, match="sie werden gesendet, sobald MLflow wieder"):
        record_upload(checked(fielded), DOWN)
    with pytest.raises(TrackingUnavailable):
        record_upload(checked(fielded), DOWN)  # asked again: not kept twice
    assert len(unfinished(fielded)) == 1
    assert send_kept(DOWN) == []
    assert len(unfinished(fielded)) == 1
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
    assert_recorded_once(connection, fielded)
    assert record_upload(checked(fielded), connection).unchanged


def test_one_refused_upload_holds_up_no_other(
    fielded: Trial, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrackingUnavailable):
        record_upload(checked(fielded), DOWN)
    (broken,) = unfinished(fielded)
    (broken.folder / "content" / fielded.slug / "scenario.yaml").write_text("kaputt")
    with pytest.raises(TrackingUnavailable):
        record_upload(checked(fielded, table("Neu")), DOWN)
    sent = send_kept(connection)
    assert len(sent) == 1
    assert [each.folder for each in unfinished(fielded)] == [broken.folder]


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
    fielded: Trial, connection: Connection, tmp_path: Path, marker: bytes, after_sending: bool
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
            [sys.executable, "-c", KILLED, fielded.slug, str(tmp_path / "a.xlsx")],
            env={**os.environ, "REALLABOR_TRACKING_URI": proxy.address},
        )
        assert reached.wait(60)
        if after_sending:
            threading.Event().wait(0.5)  # time for MLflow to store it
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(unfinished(fielded)) == 1
    record_upload(checked(fielded), connection)
    assert_recorded_once(connection, fielded)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_impossible_figure_is_named_and_stops_nobody(
    fielded: Trial, connection: Connection, platform_url: str
) -> None:
    with pytest.raises(InvalidTable, match=r"Zeile 2, Spalte C .*zu groß"):
        read_upload(
            load_scenario(fielded.slug), "zahl.csv",
            f"Fall;Ausgabe;Token\n{CASE_IDS[0]};gut;1e20\n".encode(), variant="eins",
        )  # fmt: skip
