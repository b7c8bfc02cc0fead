"""Imports that are killed, meet each other or find no space."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import building
from building import Call, Trial, start_reallabor
from imports import NUMBER, ROWS, assert_nothing_stored, count_of, take, write

from reallabor.database import reading
from reallabor.models import Rating, Round

KILLED = """
import os, signal, sys
from pathlib import Path
from reallabor.database import prepare_database, transaction
from reallabor.people import acting_person
from reallabor.rating.importing import import_ratings
from reallabor.rating.rating_file import read_ratings
prepare_database()
with transaction() as session:
    import_ratings(session, "neu", read_ratings(Path(sys.argv[1])), actor=acting_person(session),
                   create=True, scale=(1, 5))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_import_leaves_nothing_half(
    tmp_path: Path, platform_url: str, trial: Trial, call: Callable[..., Call]
) -> None:
    file = write(tmp_path, ROWS)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert_nothing_stored()
    done = call("import-ratings", "neu", file, "--create", "--scale", "1:5", "--json")
    assert done.json["ratings"] == NUMBER


def test_two_processes_import_a_file_once(tmp_path: Path, empty_url: str, trial: Trial) -> None:
    file = write(tmp_path, ROWS)
    processes = [
        start_reallabor("import-ratings", "neu", file, "--create", "--scale", "1:5", "--json")
        for _ in range(2)
    ]
    reports = []
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        reports.append(json.loads(out))
    assert sorted(report["ratings"] for report in reports) == [0, NUMBER]
    with reading() as session:
        assert count_of(session, Rating) == NUMBER
        assert count_of(session, Round) == 1


def test_two_imports_at_the_same_moment_count_once(tmp_path: Path, platform_url: str) -> None:
    """Closer together than two processes can be started."""
    take("anderes", write(tmp_path, "a,v,x,F,3,,\n", "a.csv"), create=True)  # people are there
    file = write(tmp_path, ROWS)
    barrier = threading.Barrier(4)

    def import_it(_: int) -> int:
        barrier.wait()
        return take("neu", file, create=True, scale=(1, 5)).ratings

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(import_it, range(4)))
    assert sorted(taken) == [0, 0, 0, NUMBER]
    with reading() as session:
        assert count_of(session, Rating) == NUMBER + 1
        assert count_of(session, Round) == 2


def test_full_disk_during_import_is_a_sentence(
    tmp_path: Path, home: Path, trial: Trial, call: Callable[..., Call]
) -> None:
    assert call("import-ratings", "neu", write(tmp_path, ROWS), "--create").code == 0
    rows = "".join(f"c{i},v,x,F,3,{'K' * 300},\n" for i in range(3000))
    many = write(tmp_path, rows, "many.csv")
    size = 300_000  # bytes that one file may have
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f {size // 1024}; exec {building.COMMAND} import-ratings "
         f"viele {many} --create"],
        env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "Plattform-Datenbank" in done.stderr
    with reading() as session:
        assert count_of(session, Rating) == NUMBER
    assert call("import-ratings", "viele", many, "--create").code == 0
