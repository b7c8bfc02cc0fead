"""Starts and watches the parts of the platform: MLflow server, worker and app. A part that dies is
started again; one that keeps dying stops all with a clear line."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from reallabor.errors import NotStarted, StorageFull
from reallabor.settings import Settings
from reallabor.tracking import Connection

log = structlog.get_logger()

START_S = 90.0
"""Longest wait for a part to answer; MLflow needs about 5 s here."""
RESTARTS = 5
WINDOW_S = 60.0
"""A part that dies more than RESTARTS times within this window stops everything."""

STREAMLIT = {
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "minimal",
    "runner.magicEnabled": "false",
    "runner.postScriptGC": "false",
    "server.enableStaticServing": "false",
    "server.fileWatcherType": "none",
    "server.headless": "true",
    "server.maxUploadSize": "20",
    "theme.paddingTop": "3rem",
    "theme.light.primaryColor": "#0b5c8a",
    "theme.light.linkColor": "#0b5c8a",
    "theme.dark.primaryColor": "#7cc0ea",
    "theme.dark.linkColor": "#7cc0ea",
}
"""Measured and reasoned in docs/adr/0004-streamlit-settings.md."""


@dataclass
class Part:
    """One program of the platform."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log_file: Path
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        self._end_leftovers()
        guard = [sys.executable, "-m", "reallabor.guard", str(os.getpid())]
        with self.log_file.open("ab") as file:
            self.process = subprocess.Popen(
                guard + self.command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; we end the parts in order
            )

    def _end_leftovers(self) -> None:
        """What a killed guard left behind in its group would hold the port."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        self._end_leftovers()

    @property
    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def last_words(self) -> str:
        """The last lines of its log."""
        lines = self.log_file.read_text("utf-8", "replace").strip().splitlines()
        return "\n".join(lines[-5:])


def run_platform(
    settings: Settings,
    *,
    say: Callable[[str], None],
    before_app: Callable[[Connection], None] = lambda _connection: None,
) -> None:
    """Start all parts, print their addresses and watch over them until Ctrl-C or SIGTERM.

    `before_app` runs once MLflow answers (the demonstration is filled there). Raises NotStarted
    where a port is taken, the platform already runs on this home, or a part keeps dying.
    """
    with _only_one(settings):
        _require_free(settings.host, settings.app_port, "die App", "REALLABOR_APP_PORT")
        parts: list[Part] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _interrupt)
        try:
            if settings.embedded_tracking:
                port = settings.tracking_port
                _require_free("127.0.0.1", port, "MLflow", "REALLABOR_TRACKING_PORT")
                say("MLflow wird gestartet …")
                parts.append(tracking_part(settings, port, workers=2))
                parts[0].start()
                _wait(parts[0], Connection(settings.tracking_address).answers)
            connection = Connection.from_settings(settings)
            connection.require()
            before_app(connection)
            address = {"REALLABOR_TRACKING_URI": settings.tracking_address}
            parts += [_worker_part(settings, address), _app_part(settings, address)]
            for part in parts[-2:]:
                part.start()
            _wait(parts[-1], lambda: _answers(settings.host, settings.app_port))
            say(f"Reallabor läuft:  App     http://{settings.host}:{settings.app_port}")
            say(f"                  MLflow  {settings.tracking_address}")
            say("Beenden mit Strg+C.")
            _watch(parts)
        except KeyboardInterrupt:
            say("Reallabor wird beendet …")
        finally:
            for part in reversed(parts):
                part.stop()


@contextmanager
def tracking_connection(
    settings: Settings, *, say: Callable[[str], None] = lambda _sentence: None
) -> Iterator[Connection]:
    """A connection to MLflow for one command: the configured server, the one of a running
    `reallabor up` on this home, or an own server for as long as the command takes."""
    if not settings.embedded_tracking or _is_running(settings):
        yield Connection.from_settings(settings)
        return
    say("MLflow wird für diesen Befehl gestartet …")
    port = _free_port()
    part = tracking_part(settings, port, workers=1)
    part.start()
    try:
        connection = Connection(f"http://127.0.0.1:{port}", timeout_s=settings.tracking_timeout_s)
        _wait(part, connection.answers)
        yield connection
    finally:
        part.stop()


def tracking_part(settings: Settings, port: int, *, workers: int) -> Part:
    """The MLflow server on this home, its database brought to the newest version before."""
    folder = settings.home / "mlflow"
    environment = read_environment(settings.content / "tracking" / "mlflow.env")
    store = f"sqlite:///{folder / 'mlflow.sqlite'}"
    try:
        (folder / "artifacts").mkdir(parents=True, exist_ok=True)
        (settings.home / "logs").mkdir(exist_ok=True)
    except OSError as error:
        raise StorageFull(
            f"Der Ordner {folder} lässt sich nicht anlegen ({error.strerror}). Bitte Platz und "
            "Rechte prüfen oder REALLABOR_HOME auf einen anderen Ordner setzen."
        ) from error
    log_file = settings.home / "logs" / "mlflow.log"
    _upgrade_store(folder, store, environment, log_file)
    hosts = ",".join(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
    command = [
        sys.executable, "-m", "mlflow", "server",
        "--backend-store-uri", store,
        "--artifacts-destination", str(folder / "artifacts"),
        "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers),
        "--allowed-hosts", hosts, "--x-frame-options", "SAMEORIGIN",
        "--uvicorn-opts",
        "--no-server-header --log-level warning --timeout-graceful-shutdown 3",
    ]  # fmt: skip
    return Part("MLflow", command, environment, log_file)


def read_environment(file: Path) -> dict[str, str]:
    """Variables of an environment file: NAME=value, lines with # are comments."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise NotStarted(
            f"{file} fehlt; ohne diese Vorgaben würde MLflow das Internet ansprechen. Bitte aus "
            "dem Quellordner starten oder REALLABOR_CONTENT dorthin zeigen lassen."
        ) from error
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def _upgrade_store(folder: Path, store: str, environment: dict[str, str], log_file: Path) -> None:
    mark = folder / "store.version"
    if mark.exists() and mark.read_text() == version("mlflow"):
        return
    with (folder / ".upgrade.lock").open("w") as lock, log_file.open("ab") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-m", "mlflow", "db", "upgrade", store],
            env={**os.environ, **environment}, stdout=log, stderr=log, check=False,
        )  # fmt: skip
        if done.returncode:
            raise NotStarted(
                f"Die Datenbank von MLflow unter {folder} lässt sich nicht vorbereiten; Näheres "
                f"steht in {log_file}."
            )
        import sqlite3

        with contextlib.closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as database:
            database.execute("PRAGMA journal_mode=WAL")
        mark.write_text(version("mlflow"))


def _worker_part(settings: Settings, environment: dict[str, str]) -> Part:
    command = [sys.executable, "-m", "reallabor.worker"]
    return Part("Hintergrunddienst", command, environment, settings.home / "logs" / "worker.log")


def _app_part(settings: Settings, environment: dict[str, str]) -> Part:
    options = {
        **STREAMLIT,
        "server.address": settings.host,
        "server.port": str(settings.app_port),
    }
    command = [sys.executable, "-m", "streamlit", "run", "reallabor/ui/server.py"]
    command[-1] = str(Path(__file__).parent / "ui" / "server.py")
    command += [f"--{name}={value}" for name, value in options.items()]
    # Any other name in Host or Origin is refused: no foreign page reaches the app by DNS tricks.
    hosts = ("127.0.0.1", "localhost", settings.host, urlsplit(settings.public_address).hostname)
    command += [f"--server.allowedHosts={host}" for host in dict.fromkeys(hosts)]
    # Nobody may name another address for himself; who runs a proxy in front names that here.
    proxies = {"FORWARDED_ALLOW_IPS": os.environ.get("FORWARDED_ALLOW_IPS", "")}
    log_file = settings.home / "logs" / "app.log"
    return Part("App", command, {**environment, **proxies}, log_file)


def _watch(parts: list[Part]) -> None:
    while True:
        time.sleep(0.5)
        for part in parts:
            if not part.died:
                continue
            moment = time.monotonic()
            part.deaths = [death for death in part.deaths if moment - death < WINDOW_S] + [moment]
            if len(part.deaths) > RESTARTS:
                raise NotStarted(
                    f"{part.name} bricht immer wieder ab; alles wurde beendet. Zuletzt stand in "
                    f"{part.log_file}:\n{part.last_words()}"
                )
            log.warning("part_restarted", part=part.name, deaths=len(part.deaths))
            part.start()


def _wait(part: Part, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if part.died:
            break
        if ready():
            return
        time.sleep(0.2)
    raise NotStarted(
        f"{part.name} ist nicht gestartet. Zuletzt stand in {part.log_file}:\n{part.last_words()}"
    )


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        file = (settings.home / ".up.lock").open("w")
    except OSError as error:
        raise StorageFull(
            f"Der Ordner {settings.home} lässt sich nicht beschreiben ({error.strerror}). Bitte "
            "Rechte prüfen oder REALLABOR_HOME auf einen anderen Ordner setzen."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotStarted(
                f"Reallabor läuft auf {settings.home} schon. Bitte das andere Fenster benutzen "
                "oder dort mit Strg+C beenden."
            ) from error
        yield


def _is_running(settings: Settings) -> bool:
    """Whether a `reallabor up` holds this home; its MLflow is then on the configured port."""
    path = settings.home / ".up.lock"
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _require_free(host: str, port: int, what: str, setting: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotStarted(
                f"Der Port {port} für {what} ist belegt. Bitte das andere Programm beenden oder "
                f"{setting} auf einen freien Port setzen."
            ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
