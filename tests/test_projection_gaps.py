"""The projection takes over what came late, from elsewhere or with odd clocks and numbers."""

import json
import math
import random
import shutil
import time
from datetime import UTC, datetime

import pytest
from building import Trial
from mlflow.entities import Metric
from sqlmodel import Session, func, select

from reallabor.database import reading, transaction
from reallabor.errors import WrongState
from reallabor.models import Output, Scenario, TrialRun, UnassignedOutput, Watermark
from reallabor.people import acting_person
from reallabor.rating.drafting import newest_runs
from reallabor.rating.rounds import open_round
from reallabor.recording.journal import Journal, journal_root
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial
from reallabor.tracking import Connection, names
from reallabor.tracking.recording import TraceRecord, ensure_experiment, open_run, send_traces

DAY_MS = 24 * 3600 * 1000


def now_ms() -> int:
    return round(time.time() * 1000)


def plain_run(connection: Connection, slug: str, *, end_time: int, **metrics: float) -> str:
    """A finished run as somebody without this package makes it."""
    experiment = ensure_experiment(connection, slug, slug)
    run = connection.client.create_run(experiment, run_name="eigenbau").info.run_id
    entries = [Metric(key, value, now_ms(), 0) for key, value in metrics.items()]
    connection.client.log_batch(run, metrics=entries)
    connection.client.set_terminated(run, "FINISHED", end_time=end_time)
    return str(run)


def counts(session: Session) -> tuple[int, int]:
    runs = session.exec(select(func.count()).select_from(TrialRun)).one()
    return runs, session.exec(select(func.count()).select_from(Output)).one()


def test_run_from_the_future_hides_no_later_run(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    plain_run(connection, trial.slug, end_time=now_ms() + DAY_MS)
    project(connection, slug=trial.slug)
    with reading() as session:
        assert session.exec(select(Watermark.end_time_ms)).one() <= now_ms()
    record_trial(trial.slug, connection=connection, variant="eins")
    assert project(connection, slug=trial.slug).runs == 1


def test_run_from_the_past_is_found_by_the_full_look(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    record_trial(trial.slug, connection=connection, variant="eins")
    project(connection, slug=trial.slug)
    plain_run(connection, trial.slug, end_time=now_ms() - DAY_MS)
    assert project(connection, slug=trial.slug).runs == 0
    assert project(connection, slug=trial.slug, everything=True).runs == 1


def test_odd_run_keeps_no_other_out(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    """One run that counts 10^400 tokens, one from the year 3,170,843, and one of an organisation
    whose name no index of PostgreSQL takes."""
    experiment = ensure_experiment(connection, trial.slug, trial.slug)
    late, house = 10**17, random.Random(1).randbytes(3000).hex()
    for name, start_time, tags in (("viel", 0, {}), ("spät", late, {}),
                                   ("lang", 0, {names.ORGANISATION: house})):  # fmt: skip
        run = connection.client.create_run(experiment, start_time, tags, run_name=name)
        record = TraceRecord(
            case_id="f-1", case_sha256="", input="?", output={"text": "x"}, error=None,
            started_at=datetime.now(UTC), latency_ms=None, tokens=10**400,
        )  # fmt: skip
        send_traces(connection, experiment, run.info.run_id, [record], stored={})
        connection.client.set_terminated(run.info.run_id, "FINISHED", end_time=now_ms())
    record_trial(trial.slug, connection=connection, variant="eins")
    report = project(connection, slug=trial.slug)
    assert (report.runs, report.outputs, report.unassigned) == (4, 6, 3)
    with reading() as session:
        assert set(session.exec(select(UnassignedOutput.tokens))) == {None}
        assert max(session.exec(select(TrialRun.started_at))).year == 9999


def test_outputs_that_came_later_are_added(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    cases = (trial.folder / "cases.jsonl").read_text("utf-8")
    trial.write_cases([{"id": "f-1", "input": "Eine Frage, die es nur hier gab."}])
    with transaction() as session:
        acting_person(session)
    record_trial(trial.slug, connection=connection, variant="eins")
    recorded = shutil.copy(trial.folder / "cases.jsonl", trial.content / "cases.neu")
    (trial.folder / "cases.jsonl").write_text(cases, "utf-8")
    report = project(connection, slug=trial.slug)
    assert (report.runs, report.outputs, report.unassigned) == (1, 0, 1)
    with reading() as session:
        scenario = session.exec(select(Scenario)).one()
        assert newest_runs(session, scenario) == [], "a run without outputs displaces no other"
        assert session.exec(select(UnassignedOutput.hint)).one() == "f-1"
        assert not session.exec(select(TrialRun.complete)).one()
    shutil.copy(recorded, trial.folder / "cases.jsonl")
    assert project(connection, slug=trial.slug).outputs == 1
    with reading() as session:
        assert counts(session) == (1, 1)
        assert session.exec(select(UnassignedOutput)).all() == []
        assert session.exec(select(TrialRun.complete)).one()
        assert session.exec(select(TrialRun.indicators)).one()["n_cases"] == 1


def test_bound_that_no_longer_holds_is_gone(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    """`a` is found and `b` missed; as long as only `a` is known, nothing was missed."""
    trial.change(
        fields=[{"key": "papers", "title": "Papiere", "kind": "list"}],
        measures=[{"kind": "critical_recall", "fields": ["papers"]}],
    )
    (trial.folder / "system.py").write_text(
        "def build(variant, folder):\n"
        "    return lambda text: {'text': text, 'papers': ['pass'] if text == 'A?' else []}\n"
    )
    cases = [{"id": k, "input": f"{k.upper()}?", "expected": {"papers": ["pass"]}} for k in "ab"]
    trial.write_cases(cases)
    record_trial(trial.slug, connection=connection, variant="eins")
    trial.write_cases(cases[:1])
    project(connection, slug=trial.slug)
    with reading() as session:
        first = session.exec(select(TrialRun.indicators)).one()
    assert (first["critical_recall"], first["critical_recall.missed"]) == (1, 0)
    assert first["critical_recall.bound"] == pytest.approx(0.05)
    trial.write_cases(cases)
    project(connection, slug=trial.slug)
    with reading() as session:
        second = session.exec(select(TrialRun.indicators)).one()
    assert (second["critical_recall"], second["critical_recall.missed"]) == (0.5, 1)
    assert "critical_recall.bound" not in second


def test_metric_that_is_not_a_number_is_left_out(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    plain_run(connection, trial.slug, end_time=now_ms(), verlust=math.nan, kosten=2.0)
    assert project(connection, slug=trial.slug).runs == 1
    with reading() as session:
        assert session.exec(select(TrialRun.indicators)).one() == {"kosten": 2.0}


def interrupted(trial: Trial, connection: Connection, *, after: int) -> Journal:
    """A trial that stopped after some cases."""

    class Stopped(BaseException):
        pass

    def stop(_variant: str, done: int, _total: int) -> None:
        if done == after:
            raise Stopped

    with pytest.raises(Stopped):
        record_trial(trial.slug, connection=connection, variant="eins", progress=stop)
    (journal,) = Journal.unfinished(journal_root(), trial.slug)
    return journal


def test_resume_never_mixes_two_states_of_a_system(trial: Trial, connection: Connection) -> None:
    journal = interrupted(trial, connection, after=3)
    system = trial.folder / "system.py"
    before = system.read_text("utf-8")
    system.write_text(before.replace("Antwort von", "Neue Antwort von"), "utf-8")
    with pytest.raises(WrongState, match="wurde seit Beginn des Durchlaufs geändert"):
        record_trial(trial.slug, connection=connection, resume=True)
    assert len(journal.entries("eins")) == 3
    system.write_text(before, "utf-8")
    assert record_trial(trial.slug, connection=connection, resume=True)[0].n_cases == 6


def test_run_made_twice_by_a_late_answer_counts_once(trial: Trial, connection: Connection) -> None:
    journal = interrupted(trial, connection, after=6)
    experiment = ensure_experiment(connection, trial.slug, trial.slug)
    key = f"{journal.plan.key}/eins"
    for _ in range(2):
        connection.client.create_run(experiment, tags={names.RUN_KEY: key})
    (recorded,) = record_trial(trial.slug, connection=connection, resume=True)
    left = connection.client.search_runs([experiment])
    assert [run.info.run_id for run in left] == [recorded.run_id]
    assert left[0].info.status == "FINISHED"


def test_opened_run_is_remembered_in_the_journal(trial: Trial, connection: Connection) -> None:
    journal = interrupted(trial, connection, after=6)
    experiment = ensure_experiment(connection, trial.slug, trial.slug)
    first = open_run(
        connection, experiment, run_key="k", name="n", started_at=datetime.now(UTC), tags={}
    ).run_id
    journal.remember_run("eins", first)
    (recorded,) = record_trial(trial.slug, connection=connection, resume=True)
    assert recorded.run_id == first


def test_round_needs_an_output_to_rate(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    trial.write_cases([{"id": "f-1", "input": "Alles kaputt hier."}])
    record_trial(trial.slug, connection=connection, variant="eins")
    project(connection, slug=trial.slug)
    with transaction() as session, pytest.raises(WrongState, match="keine Ausgabe"):
        open_round(session, trial.slug, actor=acting_person(session))


def test_plan_keeps_what_the_run_is_made_of(trial: Trial, connection: Connection) -> None:
    journal = interrupted(trial, connection, after=1)
    plan = json.loads((journal.folder / "plan.json").read_text("utf-8"))
    assert len(plan["code_sha256"]) == 64
    assert plan["reallabor"]
