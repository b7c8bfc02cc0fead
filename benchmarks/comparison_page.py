"""How long the server works for the comparison page of many scenarios: cold, warm, drawn, beside
`mlflow.search_runs` and pandas over as many runs.

Usage: comparison_page.py [scenarios] [cases] [raters] ...; several sizes may follow each other.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dataset

SIZES = (dataset.Size(100, 200, 3), dataset.Size(100, 556, 3))
MOST_COLD_S = {360_000: 3.0, 1_000_800: 8.0}
MOST_WARM_S = 0.3
RUNS_A_SCENARIO = 2.5 * len(dataset.VARIANTS)
METRICS = 9
"""Per run, as publishing writes them: six criteria, total with both ends."""


def measure(folder: Path) -> dict[str, float]:
    """Seconds of `compare` in a fresh process, first and second time, and of the drawn page."""
    done = subprocess.run(
        [sys.executable, __file__, "--inside", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def inside(folder: Path) -> None:
    """In an own process: nothing is warm but the imports."""
    dataset.use_home(folder)
    os.environ["REALLABOR_DEMO"] = "1"
    from streamlit.testing.v1 import AppTest

    from reallabor.database import reading
    from reallabor.deciding.comparison import compare

    found = {}
    for step in ("cold", "warm"):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        with reading() as session:
            compare(session)
        found[step] = time.perf_counter() - begin
        found[f"{step}_cpu"] = time.process_time() - begin_cpu
    root = Path(__file__).parent.parent
    page = AppTest.from_file(str(root / "app.py"), default_timeout=120)
    page.session_state["person"] = "Stefan Lenkung"
    page.run()
    page.switch_page("reallabor/ui/pages/compare.py").run()
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        page.run()
        times.append(time.perf_counter() - begin)
    assert not page.exception, page.exception
    found["page"] = sorted(times)[2]
    found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def theirs(runs: int) -> float:
    """Seconds of `mlflow.search_runs` over so many runs, and a mean per variant with pandas."""
    import mlflow
    from mlflow.entities import Metric, Param

    from reallabor.settings import Settings
    from reallabor.supervisor import tracking_connection

    with tracking_connection(Settings()) as connection:
        mlflow.set_tracking_uri(connection.address)
        client = connection.client
        experiment = client.create_experiment("bench")
        for number in range(runs):
            run = client.create_run(experiment)
            client.log_batch(
                run.info.run_id,
                metrics=[Metric(f"score.{k}", 60.0 + (number * k) % 30, 0, 1)
                         for k in range(METRICS)],
                params=[Param("variant", dataset.VARIANTS[number % 3])],
            )  # fmt: skip
        begin = time.perf_counter()
        found = mlflow.search_runs(experiment_ids=[experiment], max_results=50_000)
        found.groupby("params.variant")[[f"metrics.score.{k}" for k in range(METRICS)]].mean()
        return time.perf_counter() - begin


def main(sizes: list[dataset.Size]) -> int:
    """Print the figures of these sizes; 1 where a page takes too long."""
    late = 0
    with tempfile.TemporaryDirectory(prefix="reallabor-bench-") as folder:
        home = Path(folder)
        dataset.use_home(home / "mlflow")
        beside = theirs(int(sizes[0].scenarios * RUNS_A_SCENARIO))
        for size in sizes:
            own = home / str(size.ratings)
            own.mkdir()
            dataset.use_home(own)
            dataset.build(size)
            found = measure(own)
            print(f"  Vergleich über {size.scenarios} Szenarien, {size.ratings} Bewertungen")
            for step, name in (("cold", "kalt"), ("warm", "warm")):
                show(name, found[step], f"Prozessor {found[f'{step}_cpu']:.2f} s, "
                     f"{found[step] / beside:.2f} mal mlflow")  # fmt: skip
            show("ganze Seite, warm", found["page"])
            print(f"    {'größter Speicher':<34}{found['memory_mb']:>12.0f} MB")
            late += found["cold"] > MOST_COLD_S.get(size.ratings, float("inf"))
            late += found["warm"] > MOST_WARM_S
        show("mlflow.search_runs und pandas", beside)
    return int(late > 0)


def show(step: str, seconds: float, beside: str = "") -> None:
    print(f"    {step:<34}{seconds:>12.3f} s    {beside}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]))
        sys.exit(0)
    given = [int(each) for each in sys.argv[1:]]
    chosen = [dataset.Size(*given[place : place + 3]) for place in range(0, len(given), 3)]
    sys.exit(main(chosen or list(SIZES)))
