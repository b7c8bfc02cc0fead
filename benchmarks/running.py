"""A running platform for the measurements that need one."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep


@dataclass(frozen=True)
class Running:
    """A `reallabor up`."""

    url: str
    pid: int

    def app_megabytes(self) -> tuple[float, float]:
        """What the app's process holds in memory now, and the most it ever held; MLflow and the
        worker are not in it."""
        for child in _children(self.pid):
            command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
            if b"streamlit" in command and b"reallabor.guard" not in command:
                status = Path(f"/proc/{child}/status").read_text("ascii")
                now, most = (
                    int(status.partition(name)[2].split()[0]) / 1024
                    for name in ("VmRSS:", "VmHWM:")
                )
                return now, most
        raise AssertionError("the app's process was not found")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # threads come and go
            found += [int(child) for child in file.read_text("ascii").split()]
    return found + [each for child in found for each in _children(child)]


def settle(home: Path) -> dict[str, str]:
    """Make `home` the one of this process, with free ports; gives the environment."""
    from reallabor.settings import get_settings
    from reallabor.supervisor import _free_port

    own = {
        "REALLABOR_HOME": str(home),
        "REALLABOR_DEMO": "1",
        "REALLABOR_APP_PORT": str(_free_port()),
        "REALLABOR_TRACKING_PORT": str(_free_port()),
    }
    for name in [name for name in os.environ if name.startswith("REALLABOR_")]:
        del os.environ[name]
    os.environ.update(own)
    get_settings.cache_clear()
    return dict(os.environ)


@contextmanager
def platform(home: Path, environment: dict[str, str]) -> Iterator[Running]:
    """The platform on this home, from the first answer of the app to its end."""
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from reallabor.cli import main; main()", "up"],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    running = Running(f"http://127.0.0.1:{environment['REALLABOR_APP_PORT']}", process.pid)
    try:
        _wait_for(running.url, process)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + 120
    while monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/reallabor/ready", timeout=2)
            return
        sleep(0.3)
    raise SystemExit("Die Plattform ist nicht gestartet.")
