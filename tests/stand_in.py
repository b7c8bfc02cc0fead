"""A stand-in for the endpoint of a model, and what tests of endpoint runs look at."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from building import Trial
from fielded import CASES

from reallabor.recording.endpoint import Endpoint
from reallabor.recording.journal import Journal, journal_root
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


StandIn = Callable[[Callable[[str, int], Reply | None]], StandInEndpoint]


def at(server: StandInEndpoint, **more: Any) -> Endpoint:
    return Endpoint(server.url, "Gemma 3 (27B)", **{"retries": 1, "timeout_s": 5.0, **more})


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
