"""Recording a trial: what MLflow holds afterwards, and what the platform takes over from it."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import tracked
from building import FAILING, HOUSE, Call, Trial
from sqlmodel import col, select

from reallabor.database import reading
from reallabor.errors import ContentChanged, UnknownObject
from reallabor.models import Case, Output, Scenario, TrialRun, UnassignedOutput, Variant
from reallabor.rating.publishing import publish
from reallabor.recording.journal import journal_root
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial
from reallabor.scenarios import load_scenario
from reallabor.tracking import Connection, names, recording
from reallabor.tracking.reading import experiments, finished_runs, outputs_of

VARIANTS = ["eins", "zwei", "alt"]
TITLES = ["System eins", "System zwei", "Ohne KI"]


runs_of = tracked.trial_runs


def traces_of(connection: Connection, slug: str, run_id: str) -> list[Any]:
    experiment = experiments(connection)[slug]
    return list(connection.client.search_traces(locations=[experiment], run_id=run_id))


def test_trial_records_run_per_variant(trial: Trial, connection: Connection) -> None:
    recorded = record_trial(trial.slug, connection=connection)
    assert [each.variant for each in recorded] == VARIANTS
    runs = runs_of(connection, trial.slug)
    assert Counter(run.data.tags[names.VARIANT] for run in runs) == Counter(VARIANTS)
    assert {run.info.status for run in runs} == {"FINISHED"}
    for run in runs:
        assert run.data.tags[names.ORGANISATION] == HOUSE
        assert names.DEMO not in run.data.tags
        assert run.data.params["variant"] == run.data.tags[names.VARIANT]
    assert {run.info.run_name.split(" 20")[0] for run in runs} == set(TITLES)


def test_indicators_come_from_the_stored_outputs(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    record_trial(trial.slug, connection=connection)
    project(connection, slug=trial.slug)
    with reading() as session:
        stored = {
            variant: run.indicators
            for variant, run in session.exec(
                select(Variant.key, TrialRun).join(TrialRun, col(TrialRun.variant_id) == Variant.id)
            ).all()
        }
    assert set(stored) == set(VARIANTS)
    for metrics in stored.values():
        assert metrics["n_cases"] == 6
        assert metrics["failure_share"] == pytest.approx(1 / 6)
        assert {"latency_p50_ms", "latency_p95_ms", "amstad_mean", "wstf1_mean"} <= set(metrics)
    assert stored["eins"]["passage_hit_share"] == pytest.approx(5 / 6)  # a failed case is no hit
    assert stored["zwei"]["passage_hit_share"] == 0

    assert all(run.data.metrics == {} for run in runs_of(connection, trial.slug))
    publish(connection)
    published = {
        run.data.tags[names.VARIANT]: run.data.metrics for run in runs_of(connection, trial.slug)
    }
    assert published == stored


def test_every_case_becomes_one_trace(trial: Trial, connection: Connection) -> None:
    run_id = record_trial(trial.slug, connection=connection, variant="eins")[0].run_id
    traces = {
        trace.info.tags[names.CASE_ID]: trace for trace in traces_of(connection, trial.slug, run_id)
    }
    assert len(traces) == 6
    root = traces["f-1"].data.spans[0]
    assert root.inputs == {"question": "Wann bekomme ich Geld?"}
    assert root.outputs["text"] == "Antwort von eins auf: Wann bekomme ich Geld?"
    assert root.outputs["sources"] == ["p-1"]
    assert traces["f-1"].info.trace_id == recording.trace_id(run_id, "f-1")


def test_error_of_one_case_keeps_the_others(trial: Trial, connection: Connection) -> None:
    recorded = record_trial(trial.slug, connection=connection, variant="eins")[0]
    assert (recorded.n_cases, recorded.n_failed) == (6, 1)
    (run,) = finished_runs(connection, experiments(connection)[trial.slug], since_ms=0)
    outputs = {output.case_id: output for output in outputs_of(connection, run)}
    assert [key for key, output in outputs.items() if output.error] == list(FAILING)
    assert "ValueError" in (outputs["f-3"].error or "")
    assert outputs["f-3"].output is None


def test_scenario_and_cases_are_artifacts_with_hash(
    trial: Trial, connection: Connection, tmp_path: Path
) -> None:
    recorded = record_trial(trial.slug, connection=connection, variant="eins")[0]
    (run,) = runs_of(connection, trial.slug)
    assert run.info.run_id == recorded.run_id
    stored = tmp_path / "stored" / trial.slug
    stored.mkdir(parents=True)
    for name in ("scenario.yaml", "cases.jsonl"):
        connection.client.download_artifacts(recorded.run_id, name, str(stored))
    ours, theirs = load_scenario(trial.slug), load_scenario(trial.slug, stored.parent)
    assert (theirs.content, theirs.cases) == (ours.content, ours.cases)
    assert run.data.tags[names.SCENARIO_SHA256] == ours.sha256 == theirs.sha256
    assert run.data.tags[names.CASES_SHA256] == ours.cases_sha256 == theirs.cases_sha256
    assert len(run.data.tags[names.CASES_SHA256]) == 64
    assert run.data.params["scenario_sha256"] == run.data.tags[names.SCENARIO_SHA256]
    assert len(run.data.params["code_sha256"]) == 64


def test_finished_trial_leaves_no_journal(trial: Trial, connection: Connection) -> None:
    record_trial(trial.slug, connection=connection, variant="eins")
    assert list((journal_root() / trial.slug).iterdir()) == []


def test_unknown_variant_runs_nothing(trial: Trial, connection: Connection) -> None:
    with pytest.raises(UnknownObject, match="keine Variante 'drei'; es gibt: eins, zwei, alt"):
        record_trial(trial.slug, connection=connection, variant="drei")
    assert trial.calls() == []
    assert not journal_root().exists()


STRANGE = {
    "lang": "ä" * 200_000,
    "emoji": "👩🏽‍💼 Antrag 🎉",
    "rechts": "\u200fمرحبا بكم في مركز العمل\u200f",
    "leerzeichen": "eins\u2028zwei\u0085drei\x0bvier",
    "steuer": "Zeile\r\nTab\tGlocke\x07",
}


def test_strange_texts_come_back_unchanged(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    trial.write_cases([{"id": key, "input": text} for key, text in STRANGE.items()])
    record_trial(trial.slug, connection=connection, variant="eins")
    report = project(connection, slug=trial.slug)
    assert (report.runs, report.outputs) == (1, len(STRANGE))
    (run,) = finished_runs(connection, experiments(connection)[trial.slug], since_ms=0)
    for output in outputs_of(connection, run):
        assert output.input == {"question": STRANGE[output.case_id or ""]}
        assert output.output["text"].endswith(STRANGE[output.case_id or ""])
    with reading() as session:
        rows = session.exec(select(Case, Output.text).join(Output)).all()
        assert len(rows) == len(STRANGE)
        for case, text in rows:
            assert case.input == STRANGE[case.key]
            assert text == f"Antwort von eins auf: {STRANGE[case.key]}"


def test_unstorable_characters_are_replaced_everywhere(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    (trial.folder / "system.py").write_text(
        "def build(variant, folder):\n"
        "    return lambda question: {'text': 'a\\x00b\\ud800c', 'note': ['d\\x00\\udfff'],"
        " 'k\\udc00': 1}\n"
    )
    recorded = record_trial(trial.slug, connection=connection, variant="eins")[0]
    assert recorded.n_failed == 0
    assert project(connection, slug=trial.slug).outputs == 6
    with reading() as session:
        texts = set(session.exec(select(Output.text)))
        details = session.exec(select(Output.details)).first()
    assert texts == {"a\ufffdb?c"}
    assert details == {"note": ["d\ufffd?"], "k?": 1}


def test_odd_answers_of_a_system_are_case_errors(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    (trial.folder / "system.py").write_text(
        "answers = iter([None, 5, {'text': 3}, {'text': 'x', 'p': float('nan')},"
        " {'text': 'x', 'p': object()}, {'text': 'gut', 'sources': [{'id': 1}]}])\n"
        "def build(variant, folder):\n    return lambda question: next(answers)\n"
    )
    recorded = record_trial(trial.slug, connection=connection, variant="eins")[0]
    assert (recorded.n_cases, recorded.n_failed) == (6, 5)
    project(connection, slug=trial.slug)
    with reading() as session:
        metrics = session.exec(select(TrialRun.indicators)).one()
    assert (metrics["n_cases"], metrics["failure_share"]) == (6, pytest.approx(5 / 6))
    assert metrics["passage_hit_share"] == 0


def test_other_content_under_same_id_is_refused(trial: Trial, connection: Connection) -> None:
    run_id = record_trial(trial.slug, connection=connection, variant="eins")[0].run_id
    experiment = experiments(connection)[trial.slug]
    stored = recording.stored_outputs(connection, experiment, run_id)
    record = recording.TraceRecord(
        case_id="f-1", case_sha256="0" * 64, input="Wann bekomme ich Geld?",
        output={"text": "etwas anderes"}, error=None, started_at=datetime.now(UTC), latency_ms=1,
    )  # fmt: skip
    with pytest.raises(ContentChanged, match="Fall 'f-1'"):
        recording.send_traces(connection, experiment, run_id, [record], stored=stored)
    traces = {t.info.tags[names.CASE_ID]: t for t in traces_of(connection, trial.slug, run_id)}
    assert traces["f-1"].data.spans[0].outputs["text"].startswith("Antwort von eins")


def test_run_command_prints_clean_json(
    trial: Trial, connection: Connection, call: Callable[..., Call]
) -> None:
    done = call("run", trial.slug, "--variant", "zwei", "--organisation", "Haus B", "--json")
    assert done.json["scenario"] == trial.slug
    (run,) = done.json["runs"]
    assert (run["variant"], run["n_cases"], run["n_failed"]) == ("zwei", 6, 1)
    (stored,) = runs_of(connection, trial.slug)
    assert stored.data.tags[names.ORGANISATION] == "Haus B"


# --- projection ---------------------------------------------------------------------------------


def test_projection_takes_each_run_once(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    record_trial(trial.slug, connection=connection)
    first, second = project(connection, slug=trial.slug), project(connection, slug=trial.slug)
    assert (first.runs, first.outputs, first.notes) == (3, 18, [])
    assert (second.runs, second.outputs) == (0, 0)
    with reading() as session:
        rows = session.exec(
            select(Case.key, Variant.key, Output.text, Output.error, Output.latency_ms)
            .join(Output, col(Output.case_id) == Case.id)
            .join(TrialRun, col(TrialRun.id) == Output.run_id)
            .join(Variant, col(Variant.id) == TrialRun.variant_id)
        ).all()
        runs = session.exec(select(TrialRun)).all()
    assert len(rows) == 18
    assert {(case, text is None) for case, _, text, _, _ in rows if case == "f-3"} == {
        ("f-3", True)
    }
    assert all(latency is not None for *_, latency in rows)
    assert all(run.indicators["n_cases"] == 6 and not run.demo for run in runs)


def test_changed_case_becomes_new_version(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    trial.write_cases([{"id": "a", "input": "Alt?"}, {"id": "b", "input": "Gleich?"}])
    record_trial(trial.slug, connection=connection, variant="eins")
    project(connection, slug=trial.slug)
    trial.write_cases([{"id": "a", "input": "Neu?"}, {"id": "b", "input": "Gleich?"}])
    record_trial(trial.slug, connection=connection, variant="eins")
    project(connection, slug=trial.slug)
    with reading() as session:
        cases = session.exec(select(Case).order_by(col(Case.id))).all()
        outputs = Counter(session.exec(select(Output.case_id)))
    assert [(c.key, c.version, c.current) for c in cases] == [
        ("a", 1, False), ("b", 1, True), ("a", 2, True),
    ]  # fmt: skip
    assert [outputs[c.id] for c in cases] == [1, 2, 1]


PLAIN = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment(sys.argv[2])
with mlflow.start_run(run_name="eigenbau"):
    mlflow.log_param("k", 3)
    mlflow.log_metric("kosten", 1.5)
    for case, text in (("f-1", "Antwort\\x00 eins"), ("f-2", "Antwort zwei"), ("x-9", "fremd")):
        with mlflow.start_span(name="antwort") as span:
            span.set_inputs({"question": case})
            span.set_outputs(text)
            mlflow.update_current_trace(tags={"case_id": case})
mlflow.flush_trace_async_logging(terminate=True)
"""


def test_plain_mlflow_run_counts_like_others(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    subprocess.run(
        [sys.executable, "-c", PLAIN, connection.address, f"reallabor/{trial.slug}"],
        check=True, capture_output=True, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
    )  # fmt: skip
    report = project(connection, slug=trial.slug)
    assert (report.runs, report.outputs) == (1, 2)
    assert len(report.notes) == 1
    assert "x-9" in report.notes[0]
    with reading() as session:
        loose = session.exec(select(UnassignedOutput)).one()
        assert (loose.hint, loose.text) == ("x-9", "fremd")
        run = session.exec(select(TrialRun)).one()
        assert not run.complete
        variant = session.get_one(Variant, run.variant_id)
        texts = dict(session.exec(select(Case.key, Output.text).join(Output)).all())
    assert variant.key == "eigenbau"
    assert run.params == {"k": "3"}
    assert run.indicators["kosten"] == 1.5
    assert (run.indicators["n_cases"], run.indicators["failure_share"]) == (2, 0)
    assert texts == {"f-1": "Antwort\ufffd eins", "f-2": "Antwort zwei"}

    publish(connection)
    again = project(connection, slug=trial.slug, everything=True)
    assert (again.runs, again.outputs, again.unassigned) == (0, 0, 0)
    assert publish(connection).sent == 0
    histories = tracked.metric_histories(connection, run.tracking_run_id or "")
    assert {key: values[-1] for key, values in histories.items()} == run.indicators
    assert {key: len(values) for key, values in histories.items()} == dict.fromkeys(histories, 1)


KILLED = """
import os, signal
from reallabor.recording.projection import project
from reallabor.tracking import Connection
project(Connection.from_settings(), slug="{slug}",
        on_run=lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_killed_projection_finishes_when_repeated(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    record_trial(trial.slug, connection=connection)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED.format(slug=trial.slug)], check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL
    with reading() as session:
        assert len(session.exec(select(TrialRun)).all()) == 1
    assert project(connection, slug=trial.slug).runs == 2
    with reading() as session:
        assert len(session.exec(select(TrialRun)).all()) == 3
        assert len(session.exec(select(Output)).all()) == 18


def test_two_projections_take_runs_once(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    record_trial(trial.slug, connection=connection)
    failures: list[BaseException] = []
    barrier = threading.Barrier(2)

    def take_over() -> None:
        try:
            barrier.wait()
            project(Connection.from_settings(), slug=trial.slug)
        except BaseException as failure:  # noqa: BLE001 - a thread would lose it
            failures.append(failure)

    threads = [threading.Thread(target=take_over) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with reading() as session:
        assert len(session.exec(select(TrialRun)).all()) == 3
        assert len(session.exec(select(Output)).all()) == 18
        assert len(session.exec(select(Scenario)).all()) == 1


def test_run_without_platform_database_records(
    trial: Trial, connection: Connection, call: Callable[..., Call], home: Path
) -> None:
    assert call("run", trial.slug, "--variant", "eins").code == 0
    assert len(runs_of(connection, trial.slug)) == 1
    assert not (home / "reallabor.sqlite").exists()


def test_trace_in_two_runs_counts_in_first(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    first = record_trial(trial.slug, connection=connection, variant="eins")[0]
    project(connection, slug=trial.slug)
    experiment = experiments(connection)[trial.slug]
    other = connection.client.create_run(experiment, run_name="auswertung").info.run_id
    trace_id = recording.trace_id(first.run_id, "f-1")
    connection.client.link_traces_to_run([trace_id], other)
    connection.client.set_terminated(other)
    report = project(connection, slug=trial.slug)
    assert (report.runs, report.outputs) == (1, 0)
    assert trace_id in report.notes[0]
