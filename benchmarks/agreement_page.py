"""How long the server works for the agreement page of a large round, with intervals.

Usage: agreement_page.py [number of ratings]; `run.py` calls `measure` on the ratings it imported.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

WHOLE = "Übereinstimmung, ganze Seite"
MOST_SECONDS = 2.0
"""The page shall not take longer."""


def measure(slug: str) -> dict[str, tuple[float, float]]:
    """Seconds of every step on the released round of a scenario, in this process: on the clock, and
    of the processor alone."""
    from sqlmodel import select

    from reallabor.database import reading
    from reallabor.models import Scenario
    from reallabor.people import acting_person
    from reallabor.rating import disagreement
    from reallabor.rating.results import released_round
    from reallabor.rating.round_data import load_round

    found: dict[str, tuple[float, float]] = {}

    def clock(step: str, action: Callable[[], object]) -> None:
        begin, begin_cpu = time.perf_counter(), time.process_time()
        action()
        found[step] = (time.perf_counter() - begin, time.process_time() - begin_cpu)

    with reading() as session:
        scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).one()
        round_ = released_round(session, scenario)
        assert round_ is not None
        assert round_.id is not None
        person, number = acting_person(session), round_.id
        clock("Bewertungen lesen", lambda: load_round(session, round_))
    for step in (WHOLE, "dieselbe Seite noch einmal"):
        with reading() as session:
            clock(step, lambda: disagreement.agreement_of(session, number, actor=person))
    return found


def main(ratings: int) -> int:
    from run import reallabor, write_ratings

    with tempfile.TemporaryDirectory(prefix="reallabor-bench-") as folder:
        for name in [name for name in os.environ if name.startswith("REALLABOR_")]:
            del os.environ[name]
        os.environ["REALLABOR_HOME"] = folder
        file = Path(folder) / "ratings.csv"
        write_ratings(file, ratings)
        reallabor("import-ratings", "bench", str(file), "--create", "--scale", "1:5")
        return show(ratings)


def show(ratings: int) -> int:
    """Print the figures of the scenario `bench`; 1 where the page takes too long."""
    figures = measure("bench")
    for step, (seconds, processor) in figures.items():
        print(f"  {step:<36}{seconds:>16.2f} s   Prozessor {processor:.2f} s")
    whole = figures[WHOLE][0]
    if whole > MOST_SECONDS:
        print(f"  {ratings} Bewertungen: {whole:.2f} s statt höchstens {MOST_SECONDS:g} s")
    return int(whole > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
