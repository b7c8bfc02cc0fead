"""MLflow as tests meet it: servers of their own, a bad line to one, its own view of the runs."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from reallabor.settings import Settings
from reallabor.supervisor import _free_port, _wait, tracking_part
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments


def trial_runs(connection: Connection, slug: str) -> list[Any]:
    """MLflow's own view: every run of the scenario, whatever its state, but those that hold its
    cases or the evidence of its gates."""
    found = connection.client.search_runs([experiments(connection)[slug]])
    ours = {names.CONTENT, names.EVIDENCE}
    return [run for run in found if not ours & set(run.data.tags)]


def content_runs(connection: Connection, slug: str) -> list[Any]:
    """The runs that hold the cases of a scenario as files."""
    found = connection.client.search_runs([experiments(connection)[slug]])
    return [run for run in found if names.CONTENT in run.data.tags]


def traces(connection: Connection, slug: str) -> list[Any]:
    return list(connection.client.search_traces(locations=[experiments(connection)[slug]]))


def metric_histories(connection: Connection, run_id: str) -> dict[str, list[float]]:
    """All values that each metric of a run ever had, in MLflow."""
    keys = connection.client.get_run(run_id).data.metrics
    return {
        key: [metric.value for metric in connection.client.get_metric_history(run_id, key)]
        for key in keys
    }


class Proxy:
    """Stands between a client and MLflow. `before` sees every connection (as b"") and every piece
    that the client sends; it may wait or raise OSError (the connection is cut). `delay_s` holds
    every answer back for a while, `mute` for good."""

    def __init__(self, address: str, before: Callable[[bytes], None] = lambda _data: None,
                 *, delay_s: float = 0.0) -> None:  # fmt: skip
        self.upstream = int(address.rsplit(":", 1)[1])
        self.before = before
        self.delay_s = delay_s
        self.mute = threading.Event()
        self.closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self.closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            self.before(b"")
            server = socket.create_connection(("127.0.0.1", self.upstream))
        except OSError:
            client.close()
            return
        threading.Thread(target=self._answers, args=(server, client), daemon=True).start()
        here, there = (f"127.0.0.1:{port}".encode() for port in (self.port, self.upstream))
        with suppress(OSError):
            while data := client.recv(65536):
                self.before(data)
                server.sendall(data.replace(here, there))  # MLflow checks the Host header
        for end in (client, server):
            end.close()

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if self.delay_s:
                    self.closed.wait(self.delay_s)
                if not self.mute.is_set():
                    client.sendall(data)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class MlflowServer:
    """A real MLflow server as the platform starts it; can be stopped and started again."""

    def __init__(self, settings: Settings) -> None:
        port = _free_port()
        self.home = settings.home
        self.address = f"http://127.0.0.1:{port}"
        self._part = tracking_part(settings, port, workers=1)

    def start(self) -> None:
        self._part.start()
        _wait(self._part, Connection(self.address).answers)

    def stop(self) -> None:
        self._part.stop()
