"""Recording under faults: killed, disk full, MLflow down, slow or restarted. Nothing that was
recorded is lost or doubled, and every refusal is a sentence."""

import os
import resource
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tracked
from building import (
    COMMAND,
    QUESTIONS,
    Call,
    Trial,
    reallabor,
    start_reallabor,
    wait_until,
)
from sqlmodel import select
from tracked import MlflowServer, Proxy

from reallabor.database import prepare_database, transaction
from reallabor.errors import StorageFull, TrackingUnavailable, WrongState
from reallabor.models import OutboxEntry, now
from reallabor.rating.publishing import publish
from reallabor.recording.journal import Journal, journal_root
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial
from reallabor.settings import get_settings
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments

VARIANTS = ("eins", "zwei", "alt")
TRACES = b"POST /v1/traces"


def assert_recorded_once(trial: Trial, connection: Connection) -> None:
    """MLflow holds one finished run per variant with one trace per case, and nothing else; taking
    them over and publishing twice adds each indicator once and doubles nothing."""
    experiment = experiments(connection)[trial.slug]
    prepare_database()
    taken = [project(connection, slug=trial.slug, everything=True) for _ in range(2)]
    assert [(each.runs, each.outputs, each.notes) for each in taken] == [(3, 18, []), (0, 0, [])]
    assert publish(connection).problems == []
    project(connection, slug=trial.slug, everything=True)
    with transaction() as session:  # as if the database did not know what MLflow holds
        for entry in session.exec(select(OutboxEntry)):
            entry.done_at, entry.next_attempt_at = None, now()
    assert publish(connection).problems == []
    assert len(tracked.content_runs(connection, trial.slug)) == 1
    runs = tracked.trial_runs(connection, trial.slug)
    assert Counter(run.data.tags[names.VARIANT] for run in runs) == Counter(VARIANTS)
    assert {run.info.status for run in runs} == {"FINISHED"}
    for run in runs:
        traces = connection.client.search_traces(
            locations=[experiment], run_id=run.info.run_id, include_spans=False
        )
        cases = Counter(trace.info.tags[names.CASE_ID] for trace in traces)
        assert cases == Counter(key for key, _, _ in QUESTIONS)
        histories = tracked.metric_histories(connection, run.info.run_id)
        assert histories["n_cases"] == [6]
        assert {key: len(values) for key, values in histories.items()} == dict.fromkeys(
            histories, 1
        )
    every = connection.client.search_traces(locations=[experiment], include_spans=False)
    assert len(every) == 18
    assert unfinished(trial) == []


def unfinished(trial: Trial) -> list[Journal]:
    return Journal.unfinished(journal_root(), trial.slug)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def test_killed_among_cases_runs_none_twice(
    trial: Trial, connection: Connection, call: Callable[..., Call]
) -> None:
    process = start_reallabor("run", trial.slug, TRIAL_SLEEP="0.3")
    wait_until(lambda: len(trial.calls()) >= 8)  # in the second variant
    time.sleep(0.1)  # the next case is being answered
    kill(process)
    before = len(trial.calls())
    assert before < 18
    assert len(unfinished(trial)) == 1
    assert call("run", trial.slug, "--resume").code == 0
    assert max(Counter(trial.calls()).values()) == 1
    assert len(trial.calls()) == 18
    assert_recorded_once(trial, connection)


def killed_at(
    trial: Trial,
    connection: Connection,
    marker: bytes,
    *,
    after_sending: bool = False,
    nth: int = 1,
) -> None:
    """Start a trial through a proxy and kill it when the marker passes for the nth time."""
    reached, count = threading.Event(), 0

    def hold(data: bytes) -> None:
        nonlocal count
        count += marker in data
        if count == nth and not reached.is_set():
            proxy.mute.set()  # MLflow may get it, but its answer never comes back
            reached.set()
            if not after_sending:
                proxy.closed.wait(60)

    with Proxy(connection.address, hold) as proxy:
        process = start_reallabor("run", trial.slug, REALLABOR_TRACKING_URI=proxy.address)
        assert reached.wait(60)
        time.sleep(0.7 if after_sending else 0)  # time for MLflow to store it
        kill(process)


@pytest.mark.parametrize(
    ("marker", "after_sending", "nth"),
    [
        (b"GET /health", False, 1),  # all cases done, nothing sent
        (b"runs/create", True, 1),  # the run is made, its id never came back
        (TRACES, False, 1),  # the run is there without traces
        (TRACES, True, 2),  # the second variant's traces are stored, the answer was lost
        (b"runs/log-batch", True, 1),  # parameters are there, the run is unfinished
        (b"runs/update", True, 3),  # everything is there, only the journal does not know
    ],
    ids=["before-sending", "run-made", "no-traces", "traces-stored", "params", "finished"],
)
def test_killed_while_sending_doubles_nothing(
    trial: Trial, connection: Connection, marker: bytes, after_sending: bool, nth: int
) -> None:
    killed_at(trial, connection, marker, after_sending=after_sending, nth=nth)
    assert len(trial.calls()) == 18
    record_trial(trial.slug, connection=connection, resume=True)
    assert len(trial.calls()) == 18
    assert_recorded_once(trial, connection)


def test_torn_last_line_is_run_again(trial: Trial, connection: Connection) -> None:
    down = Connection("http://127.0.0.1:9")
    with pytest.raises(TrackingUnavailable):
        record_trial(trial.slug, connection=down)
    (journal,) = unfinished(trial)
    file = journal.folder / "zwei.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]) + lines[-1][:-10])
    record_trial(trial.slug, connection=connection, resume=True)
    calls = Counter(trial.calls())
    assert sum(calls.values()) == 19
    assert [call for call, times in calls.items() if times == 2] == ["zwei\t'Darf ich umziehen?'"]
    assert_recorded_once(trial, connection)


def test_two_processes_share_no_journal(
    trial: Trial, connection: Connection, call: Callable[..., Call]
) -> None:
    process = start_reallabor("run", trial.slug, TRIAL_SLEEP="0.3")
    try:
        wait_until(lambda: len(trial.calls()) >= 1)
        second = call("run", trial.slug, "--resume")
        assert second.code == 1
        assert "läuft gerade in einem anderen Prozess" in second.err
        assert second.out == ""
        assert process.wait(60) == 0
    finally:
        process.kill()
    assert max(Counter(trial.calls()).values()) == 1
    assert_recorded_once(trial, connection)


def test_nothing_to_resume_is_refused(trial: Trial, connection: Connection) -> None:
    with pytest.raises(WrongState, match=f"Zu '{trial.slug}' gibt es keinen unterbrochenen"):
        record_trial(trial.slug, connection=connection, resume=True)


def test_resume_takes_the_asked_organisation(trial: Trial, connection: Connection) -> None:
    with pytest.raises(TrackingUnavailable):
        record_trial(trial.slug, connection=Connection("http://127.0.0.1:9"), variant="eins",
                     organisation="Haus A")  # fmt: skip
    with pytest.raises(WrongState):
        record_trial(trial.slug, connection=connection, organisation="Haus B", resume=True)
    with pytest.raises(WrongState):
        record_trial(trial.slug, connection=connection, variant="zwei", resume=True)
    done = record_trial(trial.slug, connection=connection, organisation="Haus A", resume=True)
    assert [each.variant for each in done] == ["eins"]


def test_resumed_trial_keeps_its_cases(trial: Trial, connection: Connection) -> None:
    with pytest.raises(TrackingUnavailable):
        record_trial(trial.slug, connection=Connection("http://127.0.0.1:9"), variant="eins")
    trial.write_cases([{"id": "neu", "input": "Neu?"}])
    (done,) = record_trial(trial.slug, connection=connection, resume=True)
    assert done.n_cases == 6


# --- disk ---------------------------------------------------------------------------------------


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1300, 1300))


def test_file_limit_loses_no_written_case(trial: Trial, connection: Connection) -> None:
    done = subprocess.run(
        [COMMAND, "run", trial.slug], env=dict(os.environ), preexec_fn=_limited,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "lässt sich nicht schreiben" in done.stderr
    assert "--resume" in done.stderr
    assert "Traceback" not in done.stderr
    (journal,) = unfinished(trial)
    kept = len(journal.entries("eins"))
    assert 0 < kept < 6
    record_trial(trial.slug, connection=connection, resume=True)
    assert len(trial.calls()) == 19  # only the one that found no room was asked again
    assert_recorded_once(trial, connection)


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A file system of 64 kB, full but for a little."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("cannot mount a file system here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk_is_a_sentence_and_resumes(
    trial: Trial, connection: Connection, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALLABOR_HOME", str(small_disk))
    get_settings.cache_clear()
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 24 * 1024)  # leaves room for the plan and some of the outputs
    trial.write_cases([{"id": f"c{i}", "input": "Frage " + "x" * 300} for i in range(60)])
    with pytest.raises(StorageFull, match="No space left on device"):
        record_trial(trial.slug, connection=connection, variant="eins")
    calls = len(trial.calls())
    assert 0 < calls < 60
    ballast.unlink()
    (done,) = record_trial(trial.slug, connection=connection, resume=True)
    assert done.n_cases == 60
    assert len(trial.calls()) == 61


def test_full_disk_before_the_start_runs_nothing(
    trial: Trial, connection: Connection, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALLABOR_HOME", str(small_disk))
    get_settings.cache_clear()
    (small_disk / "ballast").write_bytes(b"x" * 64 * 1024)
    with pytest.raises(StorageFull):
        record_trial(trial.slug, connection=connection)
    assert trial.calls() == []
    assert unfinished(trial) == []


def test_unwritable_home_is_a_sentence(
    trial: Trial, call: Callable[..., Call], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("kein Ordner")
    monkeypatch.setenv("REALLABOR_HOME", str(tmp_path / "file"))
    for arguments in (["run", trial.slug], ["project"], ["demo"], ["up"]):
        done = call(*arguments)
        assert (done.code, done.out) == (1, ""), arguments
        assert str(tmp_path / "file") in done.err


# --- MLflow -------------------------------------------------------------------------------------


def test_mlflow_down_keeps_journal_and_resumes(
    trial: Trial, connection: Connection, call: Callable[..., Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALLABOR_TRACKING_URI", "http://127.0.0.1:9")
    done = call("run", trial.slug)
    assert (done.code, done.out) == (1, "")
    assert "MLflow unter http://127.0.0.1:9 ist nicht erreichbar" in done.err
    assert len(trial.calls()) == 18
    monkeypatch.setenv("REALLABOR_TRACKING_URI", connection.address)
    assert call("run", trial.slug, "--resume").code == 0
    assert len(trial.calls()) == 18
    assert_recorded_once(trial, connection)


def test_slow_mlflow_is_waited_for(trial: Trial, connection: Connection) -> None:
    with Proxy(connection.address, delay_s=0.15) as proxy:
        record_trial(trial.slug, connection=Connection(proxy.address), variant="eins")
    record_trial(trial.slug, connection=connection, variant="zwei")
    record_trial(trial.slug, connection=connection, variant="alt")
    assert_recorded_once(trial, connection)


def test_silent_mlflow_is_given_up(
    trial: Trial, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hold(data: bytes) -> None:
        if TRACES in data:
            proxy.closed.wait(60)

    pauses: list[float] = []
    monkeypatch.setattr("reallabor.tracking.client.time.sleep", pauses.append)
    with Proxy(connection.address, hold) as proxy:
        silent = Connection(proxy.address, timeout_s=0.3)
        with pytest.raises(TrackingUnavailable, match="nicht erreichbar"):
            record_trial(trial.slug, connection=silent)
    assert len(pauses) >= 4
    monkeypatch.undo()
    get_settings.cache_clear()


def test_restart_of_mlflow_in_mid_run(
    trial: Trial, start_mlflow: Callable[[], MlflowServer]
) -> None:
    server = start_mlflow()
    restarted: list[threading.Thread] = []

    def restart() -> None:
        server.stop()
        server.start()

    def on_traces(data: bytes) -> None:
        if restarted:
            restarted[0].join(25)  # how long a restart takes here must not decide
        elif TRACES in data:
            thread = threading.Thread(target=restart)
            thread.start()
            restarted.append(thread)
            raise ConnectionResetError

    with Proxy(server.address, on_traces) as proxy:
        record_trial(trial.slug, connection=Connection(proxy.address))
    restarted[0].join()
    assert_recorded_once(trial, Connection(server.address))


def test_interrupted_command_keeps_its_journal(trial: Trial, connection: Connection) -> None:
    process = start_reallabor("run", trial.slug, TRIAL_SLEEP="1")
    wait_until(lambda: len(trial.calls()) >= 2)
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:  # Python drops one that meets a finalizer; press it again
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    done = reallabor("run", trial.slug, "--resume")
    assert done.returncode == 0, done.stderr
    assert_recorded_once(trial, connection)
