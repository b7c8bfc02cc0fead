"""`make bench`: recording, import, agreement and ranking in one run on an own home; then the
comparison, many who look at it, and scoring, on homes of their own.

Every figure stands beside something measured in the same run, because absolute times of a shared
machine say little. Usage: run.py [number of ratings]
"""

import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import agreement
import agreement_page
import comparison_page
import ranking
import scoring
import viewers

OUTPUTS = 1000
ONE_BY_ONE = 100


def main(ratings: int) -> None:
    with tempfile.TemporaryDirectory(prefix="reallabor-bench-") as folder:
        home = Path(folder)
        for name in [name for name in os.environ if name.startswith("REALLABOR_")]:
            del os.environ[name]
        os.environ["REALLABOR_HOME"] = str(home)
        print(f"{os.cpu_count()} Kerne, Python {sys.version.split()[0]}")
        recording(home)
        importing(home, ratings)
        agreement.main()
        ranking.main()
    comparison_page.main(list(comparison_page.SIZES))
    viewers.main()
    scoring.main([1, 25, 30])


def recording(home: Path) -> None:
    """Outputs per second over HTTP on SQLite, from the first call to the finished run: through
    `trial_run` and through a table, beside mlflow.start_span one by one."""
    import reallabor
    from reallabor.recording.uploads import read_upload, record_upload
    from reallabor.scenarios import load_scenario
    from reallabor.settings import Settings, get_settings
    from reallabor.supervisor import tracking_connection
    from reallabor.tracking import recording as port

    content = home / "content"
    write_scenario_folder(content / "scenarios" / "bench")
    scenario = load_scenario("bench", content / "scenarios")
    table = write_table(home / "bench.csv")
    with tracking_connection(Settings()) as connection:
        assert connection.client  # importing mlflow takes a second, once per program
        os.environ["REALLABOR_CONTENT"] = str(content)
        os.environ["REALLABOR_TRACKING_URI"] = connection.address
        get_settings.cache_clear()

        def from_python() -> None:
            with reallabor.trial_run("bench", variant="python") as run:
                for case in run.cases():
                    run.record(case.id, "Antwort " * 100, latency_ms=12.0)

        def from_table() -> None:
            upload = read_upload(scenario, table.name, table.read_bytes(), variant="tabelle")
            record_upload(upload, connection)

        python = OUTPUTS / seconds(from_python)
        file = OUTPUTS / seconds(from_table)
        experiment = port.ensure_experiment(connection, "bench", "Bench")
        theirs = ONE_BY_ONE / seconds(lambda: one_by_one(connection.address, experiment))
    del os.environ["REALLABOR_CONTENT"], os.environ["REALLABOR_TRACKING_URI"]
    get_settings.cache_clear()
    line("(b) aus Python", f"{python:.0f} Ausgaben/s", f"Verhältnis {python / theirs:.1f}")
    line("(c) aus einer Tabelle", f"{file:.0f} Ausgaben/s", f"Verhältnis {file / theirs:.1f}")
    line("mlflow.start_span einzeln", f"{theirs:.0f} Ausgaben/s")


def write_scenario_folder(folder: Path) -> None:
    """A scenario with as many cases as outputs are measured."""
    folder.mkdir(parents=True)
    (folder / "scenario.yaml").write_text(
        "title: Bench\norganisation: Bench\nlegal_status: 2026-11-01\ntask: Messen\nhelps: uns\n"
        "ai_kind: keine\nrisk_class: {class: minimal, article: keiner, reason: Messung}\n"
        "rubric: auskunft\nbaseline_minutes: 1\nyearly_volume: 1\ncandidate: python\n"
        "variants:\n  - {key: python, title: Python}\n",
        encoding="utf-8",
    )
    with (folder / "cases.jsonl").open("w", encoding="utf-8") as file:
        for number in range(OUTPUTS):
            case = {"id": f"c-{number}", "input": f"Frage {number} " * 50}
            file.write(json.dumps(case) + "\n")


def write_table(path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Fall", "Ausgabe", "Antwortzeit (ms)"])
        writer.writerows([f"c-{number}", "Antwort " * 100, "12,5"] for number in range(OUTPUTS))
    return path


def one_by_one(address: str, experiment: str) -> None:
    import mlflow

    mlflow.set_tracking_uri(address)
    mlflow.set_experiment(experiment_id=experiment)
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
    for number in range(ONE_BY_ONE):
        with mlflow.start_span(name="case") as span:
            span.set_inputs({"question": f"Frage {number} " * 50})
            span.set_outputs({"text": "Antwort " * 100})
    mlflow.flush_trace_async_logging()


def importing(home: Path, ratings: int) -> None:
    """A file of ratings through the command line, as whole processes."""
    file = home / "ratings.csv"
    write_ratings(file, ratings)
    plain = seconds(lambda: parse_only(file))
    took = seconds(lambda: reallabor("import-ratings", "bench", str(file), "--create",
                                     "--scale", "1:5"))  # fmt: skip
    again = seconds(lambda: reallabor("import-ratings", "bench", str(file), "--create"))
    compared = seconds(lambda: reallabor("compare", "--json"))
    agreed = seconds(lambda: reallabor("agreement", "bench", "--json"))
    empty = seconds(lambda: reallabor("--help"))
    line(f"{ratings} Bewertungen einlesen", f"{took:.1f} s", f"csv allein {plain:.1f} s")
    line("dieselbe Datei noch einmal", f"{again:.1f} s")
    line("compare --json darauf", f"{compared:.1f} s", f"davon Start {empty:.1f} s")
    line("agreement mit Intervallen darauf", f"{agreed:.1f} s")
    agreement_page.show(ratings)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    line("größter Speicher eines Befehls", f"{peak:.0f} MB")


def write_ratings(file: Path, ratings: int) -> None:
    """Five criteria, two raters per output, four variants, documents of ten cases."""
    rng = random.Random(1)
    cases = ratings // (5 * 2 * 4)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["case", "variant", "rater", "criterion", "level", "cluster"])
        for case in range(cases):
            for variant in range(4):
                quality = rng.gauss(3.5 + 0.2 * variant, 0.8)
                for rater in rng.sample(range(12), 2):
                    for criterion in ("FR", "QU", "VS", "UE", "NE"):
                        level = min(5, max(1, round(quality + rng.gauss(0, 0.6))))
                        writer.writerow([f"c-{case}", f"v-{variant}", f"Person {rater}", criterion,
                                         level, f"d-{case // 10}"])  # fmt: skip


def parse_only(file: Path) -> None:
    with file.open(encoding="utf-8", newline="") as stream:
        for _row in csv.DictReader(stream):
            pass


def reallabor(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from reallabor.cli import main; main()", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr}")
    return done.stdout


def seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def line(what: str, figure: str, beside: str = "") -> None:
    print(f"  {what:<36}{figure:>18}   {beside}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
