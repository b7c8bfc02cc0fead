"""Models behind an endpoint: asked with retries and within limits, resumed without asking twice."""

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from building import COMMAND, Call, Trial, wait_until
from fielded import CASES, PROMPT, fielded_trial
from sqlmodel import select

from reallabor.database import reading
from reallabor.errors import (
    EndpointUnavailable,
    InvalidContent,
    ReallaborError,
    TrackingUnavailable,
    WrongState,
)
from reallabor.models import TrialRun, Way
from reallabor.recording.endpoint import Endpoint, endpoint_system, prompt_of
from reallabor.recording.journal import Journal, journal_root
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial
from reallabor.scenarios import load_scenario
from reallabor.settings import get_settings
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments, finished_runs, outputs_of

INPUTS = [case["input"] for case in CASES]
KEY = "sk-geheim-4711"
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
Reply = tuple[int, dict[str, str], bytes]


def answered(text: Any, usage: Any = USAGE) -> Reply:
    body = {"choices": [{"message": {"role": "assistant", "content": text}}], "usage": usage}
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


class StandInEndpoint:
    """A small stand-in for an OpenAI-compatible chat endpoint; it answers, fails, hangs and sends
    nonsense as `reply` says, which gets the text of the case and how often it was asked before."""

    def __init__(self, reply: Callable[[str, int], Reply | None]) -> None:
        self.reply = reply
        self.requests: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.at_once = self.most_at_once = 0
        self.closed = threading.Event()
        self._lock = threading.Lock()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with suppress(OSError):
                    stand_in._serve(self, body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _serve(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        prompt = body["messages"][0]["content"]
        text = next((text for text in INPUTS if text in prompt), prompt)
        with self._lock:
            before = self.asked[text]
            self.asked[text] += 1
            self.requests.append(body)
            self.headers.append(dict(handler.headers))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        found = self.reply(text, before)
        with self._lock:  # before the client can know of the answer
            self.at_once -= 1
        if found is None:  # hangs
            self.closed.wait(20)
            return
        status, headers, data = found
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if "X-Trickle" not in headers:
            handler.wfile.write(data)
            return
        for byte in data:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if self.closed.wait(float(headers["X-Trickle"])):
                return

    def close(self) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def stand_in() -> Iterator[Callable[[Callable[[str, int], Reply | None]], StandInEndpoint]]:
    made: list[StandInEndpoint] = []

    def make(reply: Callable[[str, int], Reply | None]) -> StandInEndpoint:
        made.append(StandInEndpoint(reply))
        return made[-1]

    yield make
    for each in made:
        each.close()


StandIn = Callable[[Callable[[str, int], Reply | None]], StandInEndpoint]


@pytest.fixture
def trial(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    made = fielded_trial(tmp_path / "content")
    monkeypatch.setenv("REALLABOR_CONTENT", str(made.content))
    get_settings.cache_clear()
    return made


def at(server: StandInEndpoint, **more: Any) -> Endpoint:
    return Endpoint(server.url, "Gemma 3 (27B)", **{"retries": 1, "timeout_s": 5.0, **more})


def asked_once(server: StandInEndpoint, trial: Trial, **more: Any) -> dict[str, Any]:
    """One question to the endpoint, without waiting between the attempts."""
    pauses: list[float] = []
    system = endpoint_system(at(server, **more), load_scenario(trial.slug), sleep=pauses.append)
    output = system(INPUTS[0])
    assert isinstance(output, dict)
    return {**output, "pauses": pauses}


def outputs(connection: Connection, trial: Trial) -> dict[str, Any]:
    """What MLflow holds of the one run, by case."""
    (run,) = [
        run
        for run in finished_runs(connection, experiments(connection)[trial.slug], since_ms=0)
        if names.CONTENT not in run.tags
    ]
    found = list(outputs_of(connection, run))
    assert len(found) == len({output.case_id for output in found})
    return {str(output.case_id): output for output in found} | {"run": run}


def unfinished(trial: Trial) -> list[Journal]:
    return Journal.unfinished(journal_root(), trial.slug)


# --- one answer -----------------------------------------------------------------------------------


def test_question_is_the_prompt_with_the_input(trial: Trial, stand_in: StandIn) -> None:
    server = stand_in(lambda *_: answered("gut"))
    asked_once(server, trial, seed=7, temperature=0.5, max_tokens=99)
    assert server.requests == [{
        "model": "Gemma 3 (27B)", "temperature": 0.5, "seed": 7, "max_tokens": 99,
        "messages": [{"role": "user", "content": PROMPT.replace("{{input}}", INPUTS[0])}],
    }]  # fmt: skip
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Nur Text.", {"text": "Nur Text."}),
        ('{"klasse": "Miete", "text": "kurz"}', {"text": "kurz", "klasse": "miete"}),
        ('Gern:\n```json\n{"klasse": "miete", "frist": "30.11.2026", "nachweise": ["a", "b"], '
         '"betrag": "1.612,50", "dringend": "ja"}\n```',
         {"text": "Klasse: miete\nFrist: 30.11.2026\nNachweise: a; b\nBetrag: 1612.5\n"
          "Dringend: ja", "klasse": "miete", "frist": "2026-11-30", "nachweise": ["a", "b"],
          "betrag": 1612.5, "dringend": True}),
        ('{"klasse": "steuer", "text": "x"}', {"text": "x", "klasse": "steuer"}),
        ('{"klasse": null, "text": "x"}', {"text": "x"}),
        ('{"klasse": ', {"text": '{"klasse":'}),
        ("[1, 2]", {"text": "[1, 2]"}),
    ],
)  # fmt: skip
def test_fields_are_read_from_the_answer(
    trial: Trial, stand_in: StandIn, answer: str, expected: dict[str, Any]
) -> None:
    found = asked_once(stand_in(lambda *_: answered(answer)), trial)
    del found["tokens"], found["cost_eur"], found["pauses"]
    assert found == expected


def test_tokens_and_cost_are_counted(trial: Trial, stand_in: StandIn) -> None:
    server = stand_in(lambda *_: answered("x"))
    found = asked_once(server, trial, price_input_eur=2.0, price_output_eur=10.0)
    assert found["tokens"] == 150
    assert found["cost_eur"] == pytest.approx((100 * 2 + 50 * 10) / 1e6)
    without = asked_once(stand_in(lambda *_: answered("x", None)), trial)
    assert without.get("tokens") is None
    assert without.get("cost_eur") is None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_failure_is_tried_again(trial: Trial, stand_in: StandIn, status: int) -> None:
    server = stand_in(lambda _, before: (status, {}, b"spaeter") if before < 2 else answered("gut"))
    found = asked_once(server, trial, retries=3)
    assert (found["text"], len(server.requests)) == ("gut", 3)
    first, second = found["pauses"]
    assert 0.1 <= first <= 0.5
    assert 0.1 <= second <= 1.0


def test_retry_after_is_kept(trial: Trial, stand_in: StandIn) -> None:
    server = stand_in(
        lambda _, before: (429, {"Retry-After": ("7", "900", "Mon, 1")[before]}, b"")
        if before < 3 else answered("gut")
    )  # fmt: skip
    pauses = asked_once(server, trial, retries=3)["pauses"]
    assert pauses[:2] == [7.0, 60.0]
    assert pauses[2] <= 2.0


def trickled(_text: str, _before: int) -> Reply:
    status, headers, data = answered("x" * 200)
    return status, {**headers, "X-Trickle": "0.05"}, data


@pytest.mark.parametrize(
    ("reply", "requests", "sentence"),
    [
        (lambda *_: (500, {}, b"kaputt"), 2, r"antwortet nicht brauchbar \(Status 500, 2 Versuche"),
        (lambda *_: None, 2, r"antwortet nicht brauchbar \(Zeit überschritten, 2 Versuche\)"),
        (trickled, 2, r"antwortet nicht brauchbar \(Zeit überschritten, 2 Versuche\)"),
        (lambda *_: (401, {}, b'{"error": "nein"}'), 1, r"lehnt die Anfrage ab \(Status 401: "),
        (lambda *_: (404, {}, b"not found"), 1, r"Modell 'Gemma 3 \(27B\)' und REALL"),
        (lambda *_: (302, {"Location": "http://x/"}, b""), 1, r"lehnt die Anfrage ab \(Status 302"),
        (lambda *_: (200, {}, b"<!doctype html><html>Anmeldung</html>"), 1,
         "antwortet eine Webseite statt eines Modells"),
        (lambda *_: (200, {}, b"\x00\x01 ja"), 1, "antwortet keinen JSON-Text statt eines Modells"),
    ],
    ids=["500", "hangs", "trickles", "401", "404", "redirect", "html", "binary"],
)  # fmt: skip
def test_useless_endpoint_is_a_sentence(
    trial: Trial,
    stand_in: StandIn,
    reply: Callable[[str, int], Reply | None],
    requests: int,
    sentence: str,
) -> None:
    server = stand_in(reply)
    begin = time.monotonic()
    with pytest.raises(EndpointUnavailable, match=sentence):
        asked_once(server, trial, timeout_s=0.5)
    assert len(server.requests) == requests
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (answered(""), "leeren Text"),
        (answered("  \n"), "leeren Text"),
        (answered(None), "leeren Text"),
        (answered(["x"]), "leeren Text"),
        ((200, {}, b"{}"), r"choices\[0\].message.content fehlt"),
        ((200, {}, b'{"choices": []}'), r"choices\[0\].message.content fehlt"),
        ((200, {}, b"[1]"), r"choices\[0\].message.content fehlt"),
        ((200, {}, b"null"), r"choices\[0\].message.content fehlt"),
        ((200, {}, b'"' + b"x" * 4_100_000 + b'"'), "länger als 4 MB"),
    ],
)
def test_nonsense_is_an_error_of_its_case(
    trial: Trial, stand_in: StandIn, reply: Reply, sentence: str
) -> None:
    with pytest.raises(ReallaborError, match=sentence) as refused:
        asked_once(stand_in(lambda *_: reply), trial)
    assert not isinstance(refused.value, EndpointUnavailable)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "", "http://"])
def test_address_must_be_one(url: str) -> None:
    with pytest.raises(InvalidContent, match="ist keine Adresse eines Endpunkts"):
        Endpoint(url, "m")


def test_ceiling_needs_prices() -> None:
    with pytest.raises(InvalidContent, match="Eine Kostengrenze braucht Preise"):
        Endpoint("http://x/v1", "m", max_cost_eur=1)


@pytest.mark.parametrize("prompt", ["ohne Platzhalter", "{{input}} {{input}}"])
def test_prompt_needs_one_place_for_the_input(trial: Trial, prompt: str) -> None:
    (trial.folder / "prompt.md").write_text(prompt)
    with pytest.raises(InvalidContent, match=r"prompt\.md: "):
        prompt_of(load_scenario(trial.slug))


# --- a whole run ----------------------------------------------------------------------------------


def test_run_records_how_the_model_was_asked(
    trial: Trial, connection: Connection, platform_url: str, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: answered('{"klasse": "miete", "text": "kurz"}'))
    endpoint = at(server, seed=3, temperature=0.25, price_input_eur=1.0, price_output_eur=2.0)
    (recorded,) = record_trial(trial.slug, connection=connection, endpoint=endpoint)
    assert (recorded.variant, recorded.n_cases, recorded.n_failed) == (
        "endpunkt-gemma-3-27b", 6, 0,
    )  # fmt: skip
    found = outputs(connection, trial)
    run = found.pop("run")
    assert run.tags[names.VARIANT_TITLE] == "Endpunkt (Gemma 3 (27B))"
    assert run.tags[names.WAY] == "endpoint"
    assert run.params["endpoint.seed"] == "3"
    assert run.params["endpoint.temperature"] == "0.25"
    assert run.params["endpoint.url"] == server.url
    assert run.params["prompt"] == f"reallabor-{trial.slug}@1"
    assert {each.tokens for each in found.values()} == {150}
    assert [each.cost_eur for each in found.values()] == pytest.approx([0.0002] * 6)
    assert found["k-1"].output == {"text": "kurz", "klasse": "miete"}
    project(connection, slug=trial.slug, everything=True)
    with reading() as session:
        stored = session.exec(select(TrialRun)).one()
        assert stored.way == Way.ENDPOINT
        assert stored.indicators["tokens_mean"] == 150
        assert stored.indicators["macro_f1.n"] == 6


def test_same_prompt_keeps_its_version(
    trial: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: answered("gut"))
    for template, version in ((PROMPT, 1), (PROMPT, 1), ("Neu: {{input}}", 2), (PROMPT, 1)):
        (trial.folder / "prompt.md").write_text(template)
        (recorded,) = record_trial(trial.slug, connection=connection, endpoint=at(server))
        run = connection.client.get_run(recorded.run_id)
        assert run.data.params["prompt"] == f"reallabor-{trial.slug}@{version}"
    stored = connection.client.get_prompt_version(f"reallabor-{trial.slug}", "2")
    assert stored.template == "Neu: {{input}}"


@pytest.mark.parametrize("parallel", [1, 3])
def test_requests_at_once_are_bounded(
    trial: Trial, connection: Connection, stand_in: StandIn, parallel: int
) -> None:
    def slow(text: str, before: int) -> Reply:
        time.sleep(0.15)
        return answered("gut")

    server = stand_in(slow)
    record_trial(trial.slug, connection=connection, endpoint=at(server, parallel=parallel))
    assert server.most_at_once == parallel
    assert Counter(server.asked.values()) == Counter({1: 6})


def test_bad_answer_of_one_case_keeps_the_others(
    trial: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda text, _: answered("" if text == INPUTS[1] else "gut"))
    (recorded,) = record_trial(trial.slug, connection=connection, endpoint=at(server))
    assert (recorded.n_cases, recorded.n_failed) == (6, 1)
    assert "leeren Text" in outputs(connection, trial)["k-2"].error


def test_lone_outage_of_one_case_is_its_error(
    trial: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda text, _: (500, {}, b"") if text in INPUTS[1:3] else answered("gut"))
    endpoint = at(server, retries=0, parallel=1)
    (recorded,) = record_trial(trial.slug, connection=connection, endpoint=endpoint)
    assert (recorded.n_cases, recorded.n_failed) == (6, 2)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_refused_question_is_an_error_of_its_case(
    trial: Trial, connection: Connection, stand_in: StandIn, status: int
) -> None:
    """Four in a row, more than would count as an outage."""
    server = stand_in(
        lambda text, _: answered("gut") if text in (INPUTS[0], INPUTS[5])
        else (status, {}, b"maximum context length is 4096 tokens")
    )  # fmt: skip
    endpoint = at(server, parallel=1)
    (recorded,) = record_trial(trial.slug, connection=connection, endpoint=endpoint)
    assert (recorded.n_cases, recorded.n_failed) == (6, 4)
    assert f"Status {status}: maximum context" in outputs(connection, trial)["k-2"].error
    assert Counter(server.asked.values()) == Counter({1: 6})


@pytest.mark.parametrize(
    ("good", "status"), [(0, 400), (1, 401), (1, 403), (1, 404), (1, 500)],
    ids=["all-refused", "401", "403", "404", "500"],
)  # fmt: skip
def test_refusal_of_all_questions_stops_and_resumes(
    trial: Trial, connection: Connection, stand_in: StandIn, good: int, status: int
) -> None:
    server = stand_in(
        lambda text, _: answered("gut") if text in INPUTS[:good] else (status, {}, b"nein")
    )
    endpoint = at(server, parallel=1, retries=0)
    with pytest.raises(EndpointUnavailable, match=rf"Status {status}.* {good} Ausgaben sind gesi"):
        record_trial(trial.slug, connection=connection, endpoint=endpoint)
    assert len(server.requests) == good + 3
    server.reply = lambda *_: answered("gut")
    (recorded,) = record_trial(trial.slug, connection=connection, resume=True, endpoint=endpoint)
    assert (recorded.n_cases, recorded.n_failed) == (6, 0)


def test_outage_stops_and_resume_asks_what_is_missing(
    trial: Trial, connection: Connection, stand_in: StandIn
) -> None:
    down = threading.Event()

    def reply(text: str, _: int) -> Reply:
        if text == INPUTS[2]:
            down.set()
        return (200, {}, b"<html>Wartung</html>") if down.is_set() else answered(f"zu {text[:9]}")

    server = stand_in(reply)
    endpoint = at(server, parallel=1)
    with pytest.raises(EndpointUnavailable, match=r"eine Webseite .* 2 Ausgaben sind gesichert"):
        record_trial(trial.slug, connection=connection, endpoint=endpoint)
    assert len(server.requests) == 5  # three in a row without an answer are enough
    server.reply = lambda text, _: answered(f"zu {text[:9]}")
    with pytest.raises(WrongState, match="bitte zum Fortsetzen --endpoint und --model"):
        record_trial(trial.slug, connection=connection, resume=True)
    with pytest.raises(WrongState, match=r"mit anderen Angaben \(seed\)"):
        record_trial(trial.slug, connection=connection, resume=True, endpoint=at(server, seed=2))
    (recorded,) = record_trial(trial.slug, connection=connection, resume=True, endpoint=endpoint)
    assert (recorded.n_cases, recorded.n_failed) == (6, 0)
    assert [server.asked[text] for text in INPUTS] == [1, 1, 2, 2, 2, 1]
    assert len(outputs(connection, trial)) == 7
    assert unfinished(trial) == []


def test_endpoint_never_continues_a_run_of_a_system(
    trial: Trial, connection: Connection, stand_in: StandIn
) -> None:
    class Stopped(BaseException):
        pass

    def stop(_variant: str, done: int, _total: int) -> None:
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        record_trial(trial.slug, connection=connection, variant="eins", progress=stop)
    server = stand_in(lambda *_: answered("vom Modell"))
    with pytest.raises(WrongState, match="keinen unterbrochenen Durchlauf"):
        record_trial(trial.slug, connection=connection, resume=True, endpoint=at(server))
    assert server.requests == []
    assert len(unfinished(trial)[0].entries("eins")) == 2


def test_outage_of_mlflow_needs_no_further_answer(
    trial: Trial, connection: Connection, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = stand_in(lambda *_: answered("gut"))
    with monkeypatch.context() as patch:
        calls = iter([True])
        patch.setattr(Connection, "answers", lambda *_, **__: next(calls, False))
        with pytest.raises(TrackingUnavailable, match="Alle Ausgaben sind gesichert"):
            record_trial(trial.slug, connection=connection, endpoint=at(server))
    (recorded,) = record_trial(trial.slug, connection=connection, resume=True)
    assert recorded.n_cases == 6
    assert len(server.requests) == 6


def test_cost_ceiling_stops_and_resumes(
    trial: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: answered("gut"))
    prices = {"price_input_eur": 10_000.0, "parallel": 1}  # 100 tokens: one euro a case
    with pytest.raises(WrongState, match=r"Die Kostengrenze von 2,50 Euro ist nach 3 von 6 Fällen"):
        record_trial(
            trial.slug, connection=connection, endpoint=at(server, max_cost_eur=2.5, **prices)
        )
    assert len(server.requests) == 3
    with pytest.raises(WrongState, match=r"Die Kostengrenze von 2,50 Euro"):  # still reached
        record_trial(trial.slug, connection=connection, resume=True,
                     endpoint=at(server, max_cost_eur=2.5, **prices))  # fmt: skip
    assert len(server.requests) == 3
    (recorded,) = record_trial(
        trial.slug, connection=connection, resume=True,
        endpoint=at(server, max_cost_eur=99, **prices),
    )  # fmt: skip
    assert recorded.n_cases == 6
    assert Counter(server.asked.values()) == Counter({1: 6})


def test_ceiling_without_known_cost_stops(
    trial: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: answered("gut", usage=None))
    endpoint = at(server, max_cost_eur=5, price_input_eur=1.0, parallel=1)
    with pytest.raises(WrongState, match="nennt keinen Verbrauch"):
        record_trial(trial.slug, connection=connection, endpoint=endpoint)
    assert len(server.requests) == 1
    assert len(unfinished(trial)[0].entries(endpoint.variant)) == 1


def test_key_is_sent_and_stored_nowhere(  # noqa: PLR0917
    trial: Trial,
    connection: Connection,
    call: Callable[..., Call],
    stand_in: StandIn,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REALLABOR_ENDPOINT_KEY", KEY)
    get_settings.cache_clear()
    journals: list[str] = []

    def reply(text: str, _: int) -> Reply:
        journals.extend(
            file.read_text("utf-8", "replace") for file in home.rglob("*") if file.is_file()
        )
        if text == INPUTS[0]:
            return 403, {}, f"Incorrect API key provided: {KEY}".encode()
        return answered("gut")

    server = stand_in(reply)
    address = server.url.replace("http://", "http://nutzer:passwort@")
    done = call("run", trial.slug, "--endpoint", address, "--model", "m", "--parallel", "1")
    assert done.code == 0, done.err
    assert {each["Authorization"] for each in server.headers} == {f"Bearer {KEY}"}
    found = outputs(connection, trial)
    assert "Incorrect API key provided: …" in found["k-1"].error
    run = connection.client.get_run(found["run"].run_id)
    stored = [str(run.data), *(str(vars(each)) for each in found.values()), done.out, done.err]
    assert any(trial.slug in text for text in journals)
    for text in (*stored, *journals):
        assert KEY not in text
        assert "passwort" not in text


def test_killed_run_asks_no_case_twice(
    trial: Trial, connection: Connection, stand_in: StandIn
) -> None:
    def reply(text: str, before: int) -> Reply | None:
        return None if text == INPUTS[3] and before == 0 else answered("gut")

    server = stand_in(reply)
    command = [COMMAND, "run", trial.slug, "--endpoint", server.url, "--model", "m",
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
    assert len(outputs(connection, trial)) == 7


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--endpoint", "http://127.0.0.1:9/v1"], "--endpoint und --model gehören zusammen"),
        (["--model", "m"], "--endpoint und --model gehören zusammen"),
        (["--endpoint", "http://x/v1", "--model", "m", "--variant", "eins"], "bitte ohne"),
    ],
)
def test_half_an_endpoint_is_wrong_usage(
    trial: Trial, call: Callable[..., Call], arguments: list[str], sentence: str
) -> None:
    done = call("run", trial.slug, *arguments)
    assert done.code == 2
    assert sentence in " ".join(done.err.split())


def test_nobody_at_the_address_is_a_sentence(
    trial: Trial, connection: Connection, call: Callable[..., Call]
) -> None:
    endpoint = Endpoint("http://127.0.0.1:9/v1", "m", retries=0)
    with pytest.raises(EndpointUnavailable, match=r"\(keine Verbindung, 1 Versuche\)"):
        record_trial(trial.slug, connection=connection, endpoint=endpoint)
    assert len(unfinished(trial)) == 1
