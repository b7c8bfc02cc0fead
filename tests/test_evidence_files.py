"""Files behind gates: they reach MLflow unchanged whatever happens on the way, and are missed when
they vanish there."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import building
import pytest
from building import Call, Trial
from reviewing import (
    FILE,
    SCREENING,
    add_reviewers,
    find,
    gate_of,
    reviewer,
)
from sqlmodel import select
from tracked import MlflowServer, Proxy

from reallabor import audit
from reallabor.database import reading, transaction
from reallabor.deciding.gates import GateState
from reallabor.errors import EvidenceMissing, NotAllowed, TrackingUnavailable, UnknownObject
from reallabor.models import AuditEntry, Evidence, OutboxEntry, Role
from reallabor.rating.publishing import publish
from reallabor.recording.evidence_files import check_evidence, read_evidence
from reallabor.recording.projection import project
from reallabor.settings import get_settings
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import content_run, experiments


@pytest.fixture
def reviewed(trial: Trial, platform_url: str) -> Trial:
    """A scenario whose screening passed with one file."""
    with transaction() as session:
        building.load_shipped(session)
        add_reviewers(session)
    find(trial, SCREENING)
    return trial


@pytest.fixture(scope="module")
def damaged_server(start_mlflow: Callable[[], MlflowServer]) -> MlflowServer:
    return start_mlflow()


@pytest.fixture
def own_server(
    damaged_server: MlflowServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> MlflowServer:
    """A server whose artifact store the test may damage; the settings point to it."""
    monkeypatch.setenv("REALLABOR_TRACKING_URI", damaged_server.address)
    get_settings.cache_clear()
    return damaged_server


def only_file() -> Evidence:
    with reading() as session:
        return session.exec(select(Evidence)).one()


def evidence_runs(connection: Connection, slug: str) -> list[Any]:
    found = connection.client.search_runs([experiments(connection)[slug]])
    return [run for run in found if names.EVIDENCE in run.data.tags]


def stored_path(server: MlflowServer) -> Path:
    """The file as it lies in MLflow's artifact store."""
    row = only_file()
    (path,) = server.home.rglob(f"{row.tracking_run_id}/artifacts/{row.artifact_path}")
    return path


def assert_sent_once(connection: Connection, slug: str) -> None:
    row = only_file()
    assert (row.content, row.missing_since) == (None, None)
    assert row.artifact_path == f"evidence/{SCREENING}/{row.sha256[:12]}-Vorpr-fung-v2-.txt"
    (run,) = evidence_runs(connection, slug)
    assert (run.info.run_id, run.info.status) == (row.tracking_run_id, "FINISHED")
    folder = connection.client.list_artifacts(run.info.run_id, f"evidence/{SCREENING}")
    assert [each.path for each in folder] == [row.artifact_path]
    with reading() as session:
        assert read_evidence(session, connection, row.id or 0) == FILE.data


# --- there ----------------------------------------------------------------------------------------


def test_file_moves_to_mlflow_and_back(reviewed: Trial, connection: Connection) -> None:
    with reading() as session:  # before: from here, although nobody asks MLflow
        nowhere = Connection("http://127.0.0.1:9")
        assert read_evidence(session, nowhere, only_file().id or 0) == FILE.data
    publish(connection)
    assert_sent_once(connection, reviewed.slug)
    assert gate_of(reviewed, SCREENING).state == GateState.PASSED
    assert publish(connection).sent == 0


def test_evidence_run_is_neither_a_trial_nor_the_cases(
    reviewed: Trial, connection: Connection
) -> None:
    publish(connection)
    (evidence,) = evidence_runs(connection, reviewed.slug)
    assert content_run(connection, reviewed.slug) != evidence.info.run_id
    report = project(connection, slug=reviewed.slug, everything=True)
    assert (report.runs, report.notes) == (0, [])


def test_same_file_for_two_gates_of_one_office_is_kept_apart(
    reviewed: Trial, connection: Connection
) -> None:
    find(reviewed, "rechtsgrundlage-sozialdaten", files=[FILE])
    publish(connection)
    with reading() as session:
        rows = session.exec(select(Evidence)).all()
    assert len({row.artifact_path for row in rows}) == 2
    assert len({row.tracking_run_id for row in rows}) == 1


def test_file_stays_here_while_mlflow_is_down(reviewed: Trial, home: Path) -> None:
    with pytest.raises(TrackingUnavailable):
        publish(Connection("http://127.0.0.1:9"))
    assert only_file().content == FILE.data


def test_cut_connection_loses_nothing(
    reviewed: Trial, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutting = True

    def cut(data: bytes) -> None:
        if cutting and b"PUT" in data and b"evidence" in data:
            raise ConnectionResetError

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    # The same address both times: mlflow's client remembers where the files of a run lie.
    with Proxy(connection.address, cut) as proxy:
        with pytest.raises(TrackingUnavailable):
            publish(Connection(proxy.address))
        assert only_file().content == FILE.data
        cutting = False
        publish(Connection(proxy.address))
        assert_sent_once(Connection(proxy.address), reviewed.slug)


KILLED = """
import os, signal
from reallabor.rating import publishing
from reallabor.recording import evidence_files
from reallabor.tracking import Connection
def die(*a, **k): os.kill(os.getpid(), signal.SIGKILL)
def after(function):
    def call(*a, **k):
        function(*a, **k)
        die()
    return call
{patch}
publishing.publish(Connection.from_settings())
"""
POINTS = {
    "before-the-run": "evidence_files.recording.ensure_experiment = die",
    "run-open": "evidence_files.recording.finish_run = die",
    "before-storing": "evidence_files.artifacts.store_file = die",
    "stored": "evidence_files.artifacts.store_file = after(evidence_files.artifacts.store_file)",
    "confirmed": "evidence_files.artifacts.read_file = after(evidence_files.artifacts.read_file)",
    "before-the-rows": "evidence_files.transaction = die",
    "before-done": "publishing.SENDERS[publishing.Delivery.EVIDENCE] = "
    "after(publishing.SENDERS[publishing.Delivery.EVIDENCE])",
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_sender_loses_and_doubles_nothing(
    reviewed: Trial, connection: Connection, point: str
) -> None:
    code = KILLED.format(patch=POINTS[point])
    killed = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, env=os.environ
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with transaction() as session:  # the lease of the killed one is over
        for entry in session.exec(select(OutboxEntry)):
            entry.next_attempt_at = entry.created_at
            session.add(entry)
    publish(connection)
    assert_sent_once(connection, reviewed.slug)


# --- and no longer there --------------------------------------------------------------------------


def check(connection: Connection) -> list[str]:
    with reading() as session:
        actor = reviewer(session, Role.DATA_PROTECTION)
    return check_evidence(connection, actor=actor).missing


def test_deleted_file_opens_its_gate_until_it_is_back(
    reviewed: Trial, own_server: MlflowServer, call: Callable[..., Call]
) -> None:
    connection = Connection(own_server.address)
    publish(connection)
    path = stored_path(own_server)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == only_file().sha256
    assert check(connection) == []
    path.rename(path.with_suffix(".weg"))
    (sentence,) = check(connection)
    assert "'Vorprüfung (v2).txt' liegt nicht mehr in MLflow" in sentence
    gate = gate_of(reviewed, SCREENING)
    assert (gate.state, gate.words) == (GateState.OPEN, "Nachweis fehlt in MLflow")
    assert [each.missing for each in gate.evidence] == [True]
    with reading() as session, pytest.raises(EvidenceMissing):
        read_evidence(session, connection, only_file().id or 0)
    since = only_file().missing_since
    done = call("check-evidence", "--json")
    told = json.loads(done.out)
    assert (done.code, told["checked"], len(told["missing"])) == (1, 1, 1)
    assert only_file().missing_since == since
    path.with_suffix(".weg").rename(path)
    assert call("check-evidence").code == 0
    assert gate_of(reviewed, SCREENING).state == GateState.PASSED
    with reading() as session:
        actions = session.exec(select(AuditEntry.action)).all()
        assert audit.chain_breaks(session) == []
    assert actions[-2:] == ["evidence_missing", "evidence_found"]


def test_changed_file_is_no_evidence(reviewed: Trial, own_server: MlflowServer) -> None:
    connection = Connection(own_server.address)
    publish(connection)
    stored_path(own_server).write_bytes(b"Ergebnis der Vorpruefung?")
    (sentence,) = check(connection)
    assert "wurde verändert" in sentence
    assert gate_of(reviewed, SCREENING).state == GateState.OPEN


def test_deleted_run_keeps_files_until_mlflow_cleans_up(
    reviewed: Trial, own_server: MlflowServer
) -> None:
    connection = Connection(own_server.address)
    publish(connection)
    connection.client.delete_run(only_file().tracking_run_id)
    assert check(connection) == []


def test_missing_file_is_mended_by_a_new_finding(
    reviewed: Trial, own_server: MlflowServer
) -> None:  # fmt: skip
    connection = Connection(own_server.address)
    publish(connection)
    stored_path(own_server).unlink()
    check(connection)
    find(reviewed, SCREENING)
    assert gate_of(reviewed, SCREENING).state == GateState.PASSED
    publish(connection)
    assert check(connection) == []  # the same bytes under the same path serve both findings


def test_outage_marks_nothing(reviewed: Trial, connection: Connection) -> None:
    publish(connection)
    with pytest.raises(TrackingUnavailable):
        check(Connection("http://127.0.0.1:9"))
    assert only_file().missing_since is None


def test_check_and_reading_refuse_strangers(reviewed: Trial, connection: Connection) -> None:
    with transaction() as session:
        nobody = building.add_person(session, "Nora Niemand")
        with pytest.raises(NotAllowed):
            check_evidence(connection, actor=nobody)
        with pytest.raises(UnknownObject, match=r"Nr\. 99"):
            read_evidence(session, connection, 99)
