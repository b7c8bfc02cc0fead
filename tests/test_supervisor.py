"""`reallabor up`: one call starts everything, watches it, and leaves nothing behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import building
import pytest
from building import COMMAND, Call, Trial, wait_until

from reallabor.errors import NotStarted
from reallabor.settings import Settings
from reallabor.supervisor import Part, _watch, read_environment

pytestmark = pytest.mark.xdist_group("supervisor")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes(home: Path) -> dict[int, str]:
    """All living processes that were started with this home, by id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"REALLABOR_HOME={home}\0".encode() in environment and state != "Z":
            found[int(folder.name)] = command
    return {pid: command for pid, command in found.items() if pid != os.getpid()}


class Platform:
    """One running `reallabor up`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.app_port, self.tracking_port = free_port(), free_port()
        self.log = home.parent / "up.log"
        self.process = subprocess.Popen(
            [COMMAND, "up"],
            env={
                **{k: v for k, v in os.environ.items() if k != "REALLABOR_TRACKING_URI"},
                "REALLABOR_APP_PORT": str(self.app_port),
                "REALLABOR_TRACKING_PORT": str(self.tracking_port),
                "REALLABOR_POLL_SECONDS": "1",
            },
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        return self.log.read_text("utf-8")

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.said()
            return "Beenden mit Strg+C" in self.said()

        wait_until(ready, within_s=90)

    def part(self, word: str) -> int:
        """The process of a part itself, not that of its guard."""
        found = [
            pid for pid, command in processes(self.home).items()
            if word in command and "reallabor.guard" not in command
        ]  # fmt: skip
        return min(found)


@pytest.fixture
def platform(home: Path, trial: Trial, mlflow_template: Path) -> Iterator[Platform]:
    shutil.copytree(mlflow_template / "mlflow", home / "mlflow")
    started = Platform(home)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
            try:
                started.process.wait(60)
            except subprocess.TimeoutExpired:
                started.process.kill()
        for pid in processes(home):
            os.kill(pid, signal.SIGKILL)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def test_platform_lives_and_ends_as_one(
    platform: Platform, trial: Trial, call: Callable[..., Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One start serves several rules, because starting everything takes seconds."""
    platform.wait_until_ready()
    home = platform.home

    # The two addresses are printed and answer.
    assert f"http://127.0.0.1:{platform.app_port}" in platform.said()
    assert f"http://127.0.0.1:{platform.tracking_port}" in platform.said()
    assert urlopen(f"http://127.0.0.1:{platform.tracking_port}/health").read() == b"OK"
    assert answers(platform.app_port)

    # Without REALLABOR_DEMO nothing is filled.
    monkeypatch.delenv("REALLABOR_TRACKING_URI")
    monkeypatch.setenv("REALLABOR_TRACKING_PORT", str(platform.tracking_port))
    assert trial.calls() == []
    assert "Demonstration" not in platform.said()

    # A second start on the same home is refused, and so is a taken port elsewhere.
    second = call("up")
    assert (second.code, second.out) == (1, "")
    assert f"Reallabor läuft auf {home} schon" in second.err
    monkeypatch.setenv("REALLABOR_HOME", str(home.parent / "other"))
    monkeypatch.setenv("REALLABOR_APP_PORT", str(platform.app_port))
    taken = call("up")
    assert taken.code == 1
    assert f"Der Port {platform.app_port} für die App ist belegt" in taken.err
    assert "REALLABOR_APP_PORT" in taken.err
    monkeypatch.setenv("REALLABOR_APP_PORT", str(free_port()))
    taken = call("up")
    assert taken.code == 1
    assert f"Der Port {platform.tracking_port} für MLflow ist belegt" in taken.err
    assert "REALLABOR_TRACKING_PORT" in taken.err
    monkeypatch.setenv("REALLABOR_HOME", str(home))

    # A command on this home uses the running MLflow; the worker takes the run over.
    done = call("run", trial.slug, "--variant", "eins", "--json")
    assert done.json["runs"][0]["n_cases"] == 6
    compared = call("compare", "--json").json["scenarios"]
    assert [scenario["slug"] for scenario in compared] == [trial.slug]

    # A part that dies is started again.
    for word in ("mlflow server", "reallabor.worker"):
        before = platform.part(word)
        os.kill(before, signal.SIGKILL)
        wait_until(
            lambda word=word, before=before: any(
                word in command and "guard" not in command and pid != before
                for pid, command in processes(home).items()
            ),
            within_s=60,
        )
    wait_until(lambda: answers(platform.tracking_port), within_s=60)
    assert platform.process.poll() is None

    # SIGTERM ends everything.
    platform.process.send_signal(signal.SIGTERM)
    assert platform.process.wait(60) == 0
    assert "wird beendet" in platform.said()
    wait_until(lambda: not processes(home), within_s=5)
    assert not answers(platform.app_port)
    assert not answers(platform.tracking_port)


def test_killed_supervisor_leaves_no_orphan(platform: Platform) -> None:
    wait_until(lambda: len(processes(platform.home)) >= 3, within_s=60)
    platform.process.kill()
    platform.process.wait()
    wait_until(lambda: not processes(platform.home), within_s=40)


def test_part_that_keeps_dying_stops_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "part.log"
    part = Part("Probe", ["sh", "-c", "echo letzte Worte; exit 3"], {}, log)
    monkeypatch.setattr("reallabor.supervisor.time.sleep", lambda _s: part.process.wait())  # type: ignore[union-attr]
    part.start()
    with pytest.raises(NotStarted, match=r"Probe bricht immer wieder ab(.|\n)*letzte Worte"):
        _watch([part])
    assert log.read_text().count("letzte Worte") >= 6


def test_missing_environment_file_starts_nothing(
    home: Path, trial: Trial, call: Callable[..., Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    (trial.content / "tracking" / "mlflow.env").unlink()
    monkeypatch.delenv("REALLABOR_TRACKING_URI")
    done = call("run", trial.slug)
    assert (done.code, done.out) == (1, "")
    assert "mlflow.env fehlt" in done.err
    assert trial.calls() == []


def test_closed_network_is_the_default() -> None:
    variables = read_environment(building.REPOSITORY / "tracking" / "mlflow.env")
    assert variables == {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_MODEL_CATALOG_URI": "",
        "MLFLOW_ENABLE_AI_GATEWAY": "false",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_ALLOW_MODEL_CODE_EXECUTION": "false",
    }


def test_command_ends_its_own_server(home: Path, trial: Trial, mlflow_template: Path) -> None:
    shutil.copytree(mlflow_template / "mlflow", home / "mlflow")
    environment = {k: v for k, v in os.environ.items() if k != "REALLABOR_TRACKING_URI"}
    done = subprocess.run([COMMAND, "run", trial.slug, "--variant", "eins"], env=environment,
                          capture_output=True, text=True, check=False, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"eins: 6 Fälle aufgezeichnet, 1 fehlgeschlagen", done.stdout)
    wait_until(lambda: not processes(home), within_s=10)
    assert time.monotonic()


def test_settings_are_never_read_elsewhere() -> None:
    """Only `settings` reads REALLABOR_ variables from the environment."""
    package = building.REPOSITORY / "reallabor"
    for path in package.rglob("*.py"):
        if path.name != "settings.py":
            assert not re.search(r"environ(\.get)?[\[(]\s*\"REALLABOR_", path.read_text("utf-8"))
    assert Settings.model_config["env_prefix"] == "REALLABOR_"
