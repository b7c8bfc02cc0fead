"""Runs one command and ends it, with all it started, when the process that started this one is
gone, even after kill -9. Started by `supervisor` as `python -m reallabor.guard`, as the leader of
a process group; the supervisor ends that group where this process itself was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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
    child = subprocess.Popen(command)
    while child.poll() is None and not stopping and os.getppid() == parent:
        time.sleep(0.2)
    code = child.poll()
    stopped = stopping or os.getppid() != parent
    _end_group(child)
    return 0 if stopped or code is None else code


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to end, wait, and end what is left; then this process goes with it."""
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline and (child.poll() is None or _others_live()):
        time.sleep(0.05)
    if child.poll() is None or _others_live():
        os.killpg(0, signal.SIGKILL)


def _others_live() -> bool:
    """Whether anybody but us is left in our group (Linux; elsewhere the child alone counts)."""
    group, own = os.getpgrp(), os.getpid()
    try:
        numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    except FileNotFoundError:
        return False
    return any(number != own and _group_of(number) == group for number in numbers)


def _group_of(number: int) -> int | None:
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[2])


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], int(sys.argv[1])))
