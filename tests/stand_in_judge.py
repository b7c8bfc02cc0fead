"""Ersatzserver: stands in for a language model behind an OpenAI-compatible endpoint. It is no
model; it gives each output the levels that a test has laid down."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from building import CRITERIA

Reply = str | int | None
"""The model's text; or the status of a refusal; or None, for an answer that never comes."""


def levels(level: int | dict[str, int] = 4) -> str:
    """An answer in the form that is asked for."""
    given = level if isinstance(level, dict) else dict.fromkeys(CRITERIA, level)
    return json.dumps(
        {key: {"grund": f"Ersatzgrund {key}.", "stufe": each} for key, each in given.items()}
    )


class StandInJudge:
    """Answers as `reply` says, which gets the material and how often it was asked before."""

    def __init__(self, reply: Callable[[dict[str, str], int], Reply]) -> None:
        self.reply = reply
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.asked: dict[str, int] = {}
        self.closed = threading.Event()
        self._lock = threading.Lock()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with suppress(OSError):
                    stand_in._serve(self, json.loads(body))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def materials(self) -> list[dict[str, str]]:
        """What was to be judged, once per request."""
        return [json.loads(body["messages"][1]["content"]) for body in self.requests]

    @property
    def outputs(self) -> list[str]:
        """The outputs that were sent, sorted; once per request."""
        return sorted(each["ausgabe"] for each in self.materials)

    def _serve(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        found = json.loads(body["messages"][1]["content"])
        with self._lock:
            before = self.asked.get(found["ausgabe"], 0)
            self.asked[found["ausgabe"]] = before + 1
            self.requests.append(body)
            self.headers.append(dict(handler.headers))
        reply = self.reply(found, before)
        if reply is None:
            self.closed.wait(20)
            return
        status = 200 if isinstance(reply, str) else reply
        data = json.dumps({"choices": [{"message": {"content": reply}}]}).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def close(self) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
