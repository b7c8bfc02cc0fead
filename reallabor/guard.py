"""Runs one command in a process group of its own and ends the whole group when the process that
started it is gone, even after kill -9. Started by `supervisor` as `python -m reallabor.guard`."""

import os
import signal
import subprocess
import sys
import time

GRACE_S = 8.0
"""How long a part may take to end by itself."""


def main(command: list[str], parent: int) -> int:
    """Run the command until it ends, a signal comes or `parent` is no longer our parent."""
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    child = subprocess.Popen(command, start_new_session=True)
    while child.poll() is None and not stopping and os.getppid() == parent:
        time.sleep(0.2)
    code = child.poll()
    _end_group(child)
    return 0 if stopping else (1 if code is None else code)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline and _group_lives(child):
            time.sleep(0.05)
    child.wait()


def _group_lives(child: subprocess.Popen[bytes]) -> bool:
    child.poll()
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], int(sys.argv[1])))
