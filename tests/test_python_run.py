"""Recording from a team's own Python program: nothing lost, nothing doubled, little needed."""

import math
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from building import HOUSE, Call, Trial, wait_until
from fielded import CASES, OUTPUTS

import reallabor
from reallabor.database import prepare_database, transaction
from reallabor.errors import (
    InvalidContent,
    TrackingRefused,
    TrackingUnavailable,
    UnknownObject,
    WrongState,
)
from reallabor.rating.publishing import publish
from reallabor.recording.catalogue import load_shipped
from reallabor.recording.journal import Journal, journal_root
from reallabor.recording.shared_cases import fetch_scenario, publish_cases
from reallabor.scenarios import load_scenario
from reallabor.settings import get_settings
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments, finished_runs, outputs_of

CASE_IDS = [case["id"] for case in CASES]
NOWHERE = "http://127.0.0.1:9"


def record_all(slug: str, **more: Any) -> str:
    with reallabor.trial_run(slug, **{"variant": "eigenbau", **more}) as run:
        for case in run.cases():
            known = OUTPUTS["eins"][case.id]
            run.record(case.id, None if known.error else known.answer, error=known.error,
                       latency_ms=10, tokens=7, cost_eur=0.01)  # fmt: skip
    assert run.recorded is not None
    return run.recorded.run_id


def record_until(slug: str, case_id: str, failure: BaseException) -> None:
    """Record one case after the other; something goes wrong at this one."""
    with reallabor.trial_run(slug, variant="eigenbau") as run:
        for case in run.cases():
            if case.id == case_id:
                raise failure
            run.record(case.id, f"zu {case.id}")


def runs_of(connection: Connection, slug: str) -> list[Any]:
    experiment = experiments(connection).get(slug)
    found = connection.client.search_runs([experiment]) if experiment else []
    return [run for run in found if names.CONTENT not in run.data.tags]


def unfinished(fielded: Trial) -> list[Journal]:
    return Journal.unfinished(journal_root(), fielded.slug)


def assert_recorded_once(connection: Connection, fielded: Trial) -> None:
    (run,) = runs_of(connection, fielded.slug)
    assert run.info.status == "FINISHED"
    experiment = experiments(connection)[fielded.slug]
    traces = connection.client.search_traces(
        locations=[experiment], run_id=run.info.run_id, include_spans=False
    )
    assert sorted(trace.info.tags[names.CASE_ID] for trace in traces) == CASE_IDS
    assert unfinished(fielded) == []


def test_run_holds_what_was_recorded(fielded: Trial, connection: Connection) -> None:
    run_id = record_all(fielded.slug, title="Eigenbau 2", params={"modell": "x", "Wärme": 0.2})
    assert_recorded_once(connection, fielded)
    (run,) = finished_runs(connection, experiments(connection)[fielded.slug], since_ms=0)
    assert run.run_id == run_id
    assert run.tags[names.VARIANT] == "eigenbau"
    assert run.tags[names.VARIANT_TITLE] == "Eigenbau 2"
    assert run.tags[names.ORGANISATION] == HOUSE
    assert run.tags[names.WAY] == "python"
    assert (run.params["modell"], run.params["Wärme"]) == ("x", "0.2")
    outputs = {each.case_id: each for each in outputs_of(connection, run)}
    assert outputs["k-2"].output == OUTPUTS["eins"]["k-2"].answer
    assert (outputs["k-2"].latency_ms, outputs["k-2"].tokens, outputs["k-2"].cost_eur) == (
        10, 7, 0.01,
    )  # fmt: skip
    assert outputs["k-3"].error == "ValueError: nicht lesbar"


def test_latency_is_measured_where_nobody_says_it(fielded: Trial, connection: Connection) -> None:
    with reallabor.trial_run(fielded.slug, variant="eigenbau") as run:
        for case in run.cases():
            run.record(case.id, "Text")
    (stored,) = finished_runs(connection, experiments(connection)[fielded.slug], since_ms=0)
    for output in outputs_of(connection, stored):
        assert output.latency_ms is not None
        assert 0 < output.latency_ms < 5000


def test_numbers_named_by_the_system_count(fielded: Trial, connection: Connection) -> None:
    with reallabor.trial_run(fielded.slug, variant="eigenbau") as run:
        run.record("k-1", {"text": "a", "tokens": 12, "cost_eur": 0.5})
        run.record("k-2", {"text": "b", "tokens": 12}, tokens=np.int64(3), cost_eur=np.float64(1))
    (stored,) = finished_runs(connection, experiments(connection)[fielded.slug], since_ms=0)
    found = {o.case_id: (o.output, o.tokens, o.cost_eur) for o in outputs_of(connection, stored)}
    assert found == {"k-1": ({"text": "a"}, 12, 0.5), "k-2": ({"text": "b"}, 3, 1.0)}


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named", "kind", "sentence"),
    [
        (("k-9", "x"), {}, UnknownObject, "Einen Fall 'k-9' gibt es in diesem Szenario nicht"),
        (("k-2",), {}, InvalidContent, "entweder eine Ausgabe oder einen Fehler"),
        (("k-2", "x"), {"error": "y"}, InvalidContent, "entweder eine Ausgabe oder einen Fehler"),
        (("k-2", 5), {}, InvalidContent, "lässt sich nicht speichern"),
        (("k-2", {"antwort": "x"}), {}, InvalidContent, "ein Text oder ein dict mit 'text'"),
        (("k-2", {"text": "x", "p": math.nan}), {}, InvalidContent, "lässt sich nicht speichern"),
        (("k-2", {"text": "x", "p": object()}), {}, InvalidContent, "lässt sich nicht speichern"),
        (("k-2", "x"), {"latency_ms": math.nan}, InvalidContent, "latency_ms muss eine endliche"),
        (("k-2", "x"), {"cost_eur": math.inf}, InvalidContent, "cost_eur muss eine endliche Zahl"),
        (("k-2", "x"), {"tokens": -1}, InvalidContent, "tokens .* -1"),
        (("k-2", "x"), {"tokens": 2**31}, InvalidContent, "zwischen 0 und 2.147.483.647 liegen"),
        (("k-2", "x"), {"tokens": "7"}, InvalidContent, "tokens muss eine endliche Zahl sein"),
        (("k-2", "x"), {"tokens": True}, InvalidContent, "tokens muss eine endliche Zahl sein"),
        (("k-1", "anders"), {}, WrongState, "Fall 'k-1' hat in diesem Durchlauf schon eine andere"),
        (("k-1",), {"error": "e"}, WrongState, "Fall 'k-1' hat in diesem Durchlauf schon eine"),
    ],
)  # fmt: skip
def test_what_is_no_output_is_refused(  # noqa: PLR0917
    fielded: Trial,
    connection: Connection,
    arguments: tuple[Any, ...],
    named: dict[str, Any],
    kind: type[Exception],
    sentence: str,
) -> None:
    with reallabor.trial_run(fielded.slug, variant="eigenbau") as run:
        run.record("k-1", "erst")
        with pytest.raises(kind, match=sentence):
            run.record(*arguments, **named)
        run.record("k-1", "erst")  # the same again is harmless
        run.record("k-2", "zwei")
    (stored,) = finished_runs(connection, experiments(connection)[fielded.slug], since_ms=0)
    found = {output.case_id: output.output for output in outputs_of(connection, stored)}
    assert found == {"k-1": {"text": "erst"}, "k-2": {"text": "zwei"}}


@pytest.mark.parametrize(
    ("params", "kind", "sentence"),
    [
        ({"prompt": "x" * 6001}, TrackingRefused, "6001 Zeichen lang; MLflow nimmt höchstens 6000"),
        ({"Temperatur (°C)": 1}, InvalidContent, r"'Temperatur \(°C\)' geht nicht als Name"),
        ({"a//b": 1}, InvalidContent, "geht nicht als Name"),
        ({"k" * 251: 1}, InvalidContent, "geht nicht als Name"),
    ],
)
def test_params_that_mlflow_refuses_are_refused_first(
    fielded: Trial,
    connection: Connection,
    params: dict[str, Any],
    kind: type[Exception],
    sentence: str,
) -> None:
    with (
        pytest.raises(kind, match=sentence),
        reallabor.trial_run(fielded.slug, variant="eigenbau", params=params),
    ):
        pytest.fail("nothing may be recorded")
    assert unfinished(fielded) == []


def test_params_at_the_limits_are_taken(fielded: Trial, connection: Connection) -> None:
    params = {"prompt": "x" * 6000, "k" * 250: "ä", "a/b c.d-e_f:g": None}
    record_all(fielded.slug, params=params)
    assert_recorded_once(connection, fielded)


def test_nothing_recorded_is_nothing_sent(fielded: Trial, connection: Connection) -> None:
    with (
        pytest.raises(WrongState, match="keine Ausgabe aufgezeichnet"),
        reallabor.trial_run(fielded.slug, variant="eigenbau"),
    ):
        pass
    assert unfinished(fielded) == []
    assert runs_of(connection, fielded.slug) == []


@pytest.mark.parametrize("variant", ["Mein System", "a/b", ""])
def test_variant_needs_a_short_name(fielded: Trial, connection: Connection, variant: str) -> None:
    with (
        pytest.raises(InvalidContent, match="kein Kurzname"),
        reallabor.trial_run(fielded.slug, variant=variant),
    ):
        pytest.fail("nothing may be recorded")


# --- interruptions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure", [ValueError("kaputt"), ConnectionError("weg"), KeyboardInterrupt(), OSError(2, "x")]
)
def test_exception_in_the_block_keeps_what_is_there(
    fielded: Trial, connection: Connection, failure: BaseException
) -> None:
    with pytest.raises(type(failure)) as raised:
        record_until(fielded.slug, "k-4", failure)
    assert raised.value is failure, "what the caller's own code raised is not ours to translate"
    assert runs_of(connection, fielded.slug) == []
    (journal,) = unfinished(fielded)
    assert list(journal.entries("eigenbau")) == CASE_IDS[:3]
    with reallabor.trial_run(fielded.slug, variant="eigenbau", resume=True) as run:
        assert run.missing == CASE_IDS[3:]
        for case in run.cases():
            run.record(case.id, f"zu {case.id}")
    assert_recorded_once(connection, fielded)


def test_exception_before_the_first_output_leaves_nothing(
    fielded: Trial, connection: Connection
) -> None:
    with pytest.raises(ZeroDivisionError), reallabor.trial_run(fielded.slug, variant="eigenbau"):
        _ = 1 / 0
    assert unfinished(fielded) == []


SCRIPT = """
import sys, time
from pathlib import Path
import reallabor

with reallabor.trial_run(sys.argv[1], variant="eigenbau", resume=True) as run:
    for case in run.cases():
        with Path(sys.argv[2]).open("a") as calls:
            calls.write(case.id + "\\n")
        run.record(case.id, "zu " + case.id)
        time.sleep(float(sys.argv[3]))
"""


def test_killed_program_runs_no_case_twice(
    fielded: Trial, connection: Connection, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"

    def start(pause: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SCRIPT, fielded.slug, str(calls), pause])

    process = start("60")
    wait_until(lambda: unfinished(fielded) and unfinished(fielded)[0].entries("eigenbau"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert runs_of(connection, fielded.slug) == []
    assert start("0").wait(60) == 0
    assert Counter(calls.read_text().split()) == Counter(CASE_IDS)
    assert_recorded_once(connection, fielded)


@pytest.mark.parametrize("later", ["command", "block"])
def test_outage_at_the_end_loses_nothing(
    fielded: Trial,
    connection: Connection,
    call: Callable[..., Call],
    monkeypatch: pytest.MonkeyPatch,
    later: str,
) -> None:
    monkeypatch.setenv("REALLABOR_TRACKING_URI", NOWHERE)
    get_settings.cache_clear()
    with pytest.raises(TrackingUnavailable, match=f"reallabor run {fielded.slug} --resume"):
        record_all(fielded.slug)
    monkeypatch.setenv("REALLABOR_TRACKING_URI", connection.address)
    # Somewhere without the folder of the scenario, too.
    monkeypatch.setenv("REALLABOR_CONTENT", str(fielded.content / "nirgends"))
    get_settings.cache_clear()
    if later == "command":
        done = call("run", fielded.slug, "--resume", "--json").json
        assert [(r["variant"], r["n_cases"], r["n_failed"]) for r in done["runs"]] == [
            ("eigenbau", 6, 1)
        ]
    else:
        with reallabor.trial_run(fielded.slug, variant="eigenbau", resume=True) as run:
            assert list(run.cases()) == []
    assert_recorded_once(connection, fielded)


def test_resume_sends_no_unfinished_program(
    fielded: Trial, connection: Connection, call: Callable[..., Call]
) -> None:
    with pytest.raises(ValueError, match="halt"):
        record_until(fielded.slug, "k-2", ValueError("halt"))
    done = call("run", fielded.slug, "--resume")
    assert "keinen unterbrochenen Durchlauf" in done.err
    assert len(unfinished(fielded)) == 1


def test_second_program_may_not_write_too(fielded: Trial, connection: Connection) -> None:
    with pytest.raises(ValueError, match="halt"):
        record_until(fielded.slug, "k-2", ValueError("halt"))
    with reallabor.trial_run(fielded.slug, variant="eigenbau", resume=True):
        with (
            pytest.raises(WrongState, match="läuft gerade in einem anderen Prozess"),
            reallabor.trial_run(fielded.slug, variant="eigenbau", resume=True),
        ):
            pytest.fail("two must not write")
        assert len(unfinished(fielded)[0].entries("eigenbau")) == 1


# --- needing little -------------------------------------------------------------------------------


def test_published_cases_are_the_same_cases(fielded: Trial, connection: Connection) -> None:
    scenario = load_scenario(fielded.slug)
    publish_cases(connection, scenario)
    publish_cases(connection, scenario)
    fetched = fetch_scenario(connection, fielded.slug)
    assert fetched.sha256 == scenario.sha256
    assert [case.sha256 for case in fetched.cases] == [case.sha256 for case in scenario.cases]
    experiment = experiments(connection)[fielded.slug]
    assert len(connection.client.search_runs([experiment])) == 1


def test_newest_published_cases_count(fielded: Trial, connection: Connection) -> None:
    first = load_scenario(fielded.slug)
    fielded.write_cases([{"id": "neu", "input": "Neu?"}])
    second = load_scenario(fielded.slug)
    for scenario in (first, second, first):
        publish_cases(connection, scenario)
        assert fetch_scenario(connection, fielded.slug).sha256 == scenario.sha256


BARE = """
import sys
for name in ("sqlmodel", "sqlalchemy", "streamlit", "scipy", "numpy", "pandas", "openpyxl",
             "python_calamine", "sklearn", "alembic", "psycopg", "plotly"):
    sys.modules[name] = None
import reallabor
with reallabor.trial_run(sys.argv[1], variant="fern", params={"modell": "m"}) as run:
    for case in run.cases():
        run.record(case.id, "zu " + case.input, latency_ms=5)
print(run.recorded.n_cases)
"""


@pytest.mark.parametrize("backend", ["sqlite"])
def test_bare_environment_records_from_the_address_alone(
    fielded: Trial, connection: Connection, platform_url: str, tmp_path: Path
) -> None:
    prepare_database()
    with transaction() as session:
        load_shipped(session)
    publish(connection)  # what the platform does by itself: cases lie in MLflow
    elsewhere = tmp_path / "anderswo"
    elsewhere.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REALLABOR_")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BARE), fielded.slug], cwd=elsewhere, text=True,
        env={**kept, "REALLABOR_TRACKING_URI": connection.address,
             "REALLABOR_CONTENT": str(elsewhere)},
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "6\n"), done.stderr
    (run,) = runs_of(connection, fielded.slug)
    assert run.data.tags[names.VARIANT] == "fern"
    assert list((elsewhere / "data" / "journal" / fielded.slug).iterdir()) == []


def test_unknown_scenario_says_where_it_looked(fielded: Trial, connection: Connection) -> None:
    with (
        pytest.raises(UnknownObject, match=r"Zum Szenario 'gibt-es-nicht' liegen unter .* keine"),
        reallabor.trial_run("gibt-es-nicht", variant="eigenbau"),
    ):
        pytest.fail("there is nothing to record")
