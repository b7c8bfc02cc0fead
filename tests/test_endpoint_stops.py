"""What stops a run over an endpoint, and what does not; resumed, no case is asked twice."""

import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from building import COMMAND, Call, Trial, wait_until
from stand_in import INPUTS, Reply, StandIn, answered, at, outputs, unfinished

from reallabor.errors import EndpointUnavailable, TrackingUnavailable, WrongState
from reallabor.recording.endpoint import Endpoint
from reallabor.recording.trials import record_trial
from reallabor.tracking import Connection


def test_lone_outage_of_one_case_is_its_error(
    fielded: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda text, _: (500, {}, b"") if text in INPUTS[1:3] else answered("gut"))
    endpoint = at(server, retries=0, parallel=1)
    (recorded,) = record_trial(fielded.slug, connection=connection, endpoint=endpoint)
    assert (recorded.n_cases, recorded.n_failed) == (6, 2)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_refused_question_is_an_error_of_its_case(
    fielded: Trial, connection: Connection, stand_in: StandIn, status: int
) -> None:
    """Four in a row, more than would count as an outage."""
    server = stand_in(
        lambda text, _: answered("gut") if text in (INPUTS[0], INPUTS[5])
        else (status, {}, b"maximum context length is 4096 tokens")
    )  # fmt: skip
    endpoint = at(server, parallel=1)
    (recorded,) = record_trial(fielded.slug, connection=connection, endpoint=endpoint)
    assert (recorded.n_cases, recorded.n_failed) == (6, 4)
    assert f"Status {status}: maximum context" in outputs(connection, fielded)["k-2"].error
    assert Counter(server.asked.values()) == Counter({1: 6})


@pytest.mark.parametrize(
    ("good", "status"), [(0, 400), (1, 401), (1, 403), (1, 404), (1, 500)],
    ids=["all-refused", "401", "403", "404", "500"],
)  # fmt: skip
def test_refusal_of_all_questions_stops_and_resumes(
    fielded: Trial, connection: Connection, stand_in: StandIn, good: int, status: int
) -> None:
    server = stand_in(
        lambda text, _: answered("gut") if text in INPUTS[:good] else (status, {}, b"nein")
    )
    endpoint = at(server, parallel=1, retries=0)
    with pytest.raises(EndpointUnavailable, match=rf"Status {status}.* {good} Ausgaben sind gesi"):
        record_trial(fielded.slug, connection=connection, endpoint=endpoint)
    assert len(server.requests) == good + 3
    server.reply = lambda *_: answered("gut")
    (recorded,) = record_trial(fielded.slug, connection=connection, resume=True, endpoint=endpoint)
    assert (recorded.n_cases, recorded.n_failed) == (6, 0)


def test_outage_stops_and_resume_asks_what_is_missing(
    fielded: Trial, connection: Connection, stand_in: StandIn
) -> None:
    down = threading.Event()

    def reply(text: str, _: int) -> Reply:
        if text == INPUTS[2]:
            down.set()
        return (200, {}, b"<html>Wartung</html>") if down.is_set() else answered(f"zu {text[:9]}")

    server = stand_in(reply)
    endpoint = at(server, parallel=1)
    with pytest.raises(EndpointUnavailable, match=r"eine Webseite .* 2 Ausgaben sind gesichert"):
        record_trial(fielded.slug, connection=connection, endpoint=endpoint)
    assert len(server.requests) == 5  # three in a row without an answer are enough
    server.reply = lambda text, _: answered(f"zu {text[:9]}")
    with pytest.raises(WrongState, match="bitte zum Fortsetzen --endpoint und --model"):
        record_trial(fielded.slug, connection=connection, resume=True)
    with pytest.raises(WrongState, match=r"mit anderen Angaben \(seed\)"):
        record_trial(fielded.slug, connection=connection, resume=True, endpoint=at(server, seed=2))
    (recorded,) = record_trial(fielded.slug, connection=connection, resume=True, endpoint=endpoint)
    assert (recorded.n_cases, recorded.n_failed) == (6, 0)
    assert [server.asked[text] for text in INPUTS] == [1, 1, 2, 2, 2, 1]
    assert len(outputs(connection, fielded)) == 7
    assert unfinished(fielded) == []


def test_endpoint_never_continues_a_run_of_a_system(
    fielded: Trial, connection: Connection, stand_in: StandIn
) -> None:
    class Stopped(BaseException):
        pass

    def stop(_variant: str, done: int, _total: int) -> None:
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        record_trial(fielded.slug, connection=connection, variant="eins", progress=stop)
    server = stand_in(lambda *_: answered("vom Modell"))
    with pytest.raises(WrongState, match="keinen unterbrochenen Durchlauf"):
        record_trial(fielded.slug, connection=connection, resume=True, endpoint=at(server))
    assert server.requests == []
    assert len(unfinished(fielded)[0].entries("eins")) == 2


def test_outage_of_mlflow_needs_no_further_answer(
    fielded: Trial, connection: Connection, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = stand_in(lambda *_: answered("gut"))
    with monkeypatch.context() as patch:
        calls = iter([True])
        patch.setattr(Connection, "answers", lambda *_, **__: next(calls, False))
        with pytest.raises(TrackingUnavailable, match="Alle Ausgaben sind gesichert"):
            record_trial(fielded.slug, connection=connection, endpoint=at(server))
    (recorded,) = record_trial(fielded.slug, connection=connection, resume=True)
    assert recorded.n_cases == 6
    assert len(server.requests) == 6


def test_cost_ceiling_stops_and_resumes(
    fielded: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: answered("gut"))
    prices = {"price_input_eur": 10_000.0, "parallel": 1}  # 100 tokens: one euro a case
    with pytest.raises(WrongState, match=r"Die Kostengrenze von 2,50 Euro ist nach 3 von 6 Fällen"):
        record_trial(
            fielded.slug, connection=connection, endpoint=at(server, max_cost_eur=2.5, **prices)
        )
    assert len(server.requests) == 3
    with pytest.raises(WrongState, match=r"Die Kostengrenze von 2,50 Euro"):  # still reached
        record_trial(fielded.slug, connection=connection, resume=True,
                     endpoint=at(server, max_cost_eur=2.5, **prices))  # fmt: skip
    assert len(server.requests) == 3
    (recorded,) = record_trial(
        fielded.slug, connection=connection, resume=True,
        endpoint=at(server, max_cost_eur=99, **prices),
    )  # fmt: skip
    assert recorded.n_cases == 6
    assert Counter(server.asked.values()) == Counter({1: 6})


def test_ceiling_without_known_cost_stops(
    fielded: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: answered("gut", usage=None))
    endpoint = at(server, max_cost_eur=5, price_input_eur=1.0, parallel=1)
    with pytest.raises(WrongState, match="nennt keinen Verbrauch"):
        record_trial(fielded.slug, connection=connection, endpoint=endpoint)
    assert len(server.requests) == 1
    assert len(unfinished(fielded)[0].entries(endpoint.variant)) == 1


def test_killed_run_asks_no_case_twice(
    fielded: Trial, connection: Connection, stand_in: StandIn
) -> None:
    def reply(text: str, before: int) -> Reply | None:
        return None if text == INPUTS[3] and before == 0 else answered("gut")

    server = stand_in(reply)
    command = [COMMAND, "run", fielded.slug, "--endpoint", server.url, "--model", "m",
               "--parallel", "1"]  # fmt: skip
    process = subprocess.Popen(
        command,
        env=dict(os.environ),
    )
    wait_until(lambda: server.asked[INPUTS[3]] == 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = subprocess.run(
        [*command, "--resume", "--json"], env=dict(os.environ), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [server.asked[text] for text in INPUTS] == [1, 1, 1, 2, 1, 1]
    assert len(outputs(connection, fielded)) == 7


def test_nobody_at_the_address_is_a_sentence(
    fielded: Trial, connection: Connection, call: Callable[..., Call]
) -> None:
    endpoint = Endpoint("http://127.0.0.1:9/v1", "m", retries=0)
    with pytest.raises(EndpointUnavailable, match=r"\(keine Verbindung, 1 Versuche\)"):
        record_trial(fielded.slug, connection=connection, endpoint=endpoint)
    assert len(unfinished(fielded)) == 1
