"""What the app holds in memory, and how long people wait, while many look at the comparison page.

Everybody has a session of their own that stays open until memory is read, loads the page and picks
one scenario after the other; a few of them at any moment. They speak Streamlit's own protocol:
as many browsers on the server's cores would measure the browsers.
Usage: viewers.py [people] [scenarios] [at once]
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dataset import Size, build
from running import Running, platform, settle
from visitor import View, Visitor

PEOPLE = 30
SCENARIOS = 100
AT_ONCE = 4
CLICKS = 3
"""Scenarios that everybody picks after the one with which the page opens."""
MOST_MEGABYTES = 1024
PAGE = "vergleich"
CHOICE = "choice-szenario"
LAST_HEADING = "Beschluss"


@dataclass(frozen=True)
class Looked:
    """What so many people saw, and the megabytes of the app before, after the first of them, and
    when all had looked and nobody had left."""

    loads: list[View]
    """The very first one, of an app that has computed nothing yet, stands in front."""
    clicks: list[View]
    before: float
    first: float
    all: float
    peak: float


def main(people: int = PEOPLE, scenarios: int = SCENARIOS, at_once: int = AT_ONCE) -> int:
    """Print the figures; 1 where the app takes too much memory."""
    with tempfile.TemporaryDirectory(prefix="reallabor-bench-") as folder:
        home = Path(folder)
        environment = settle(home)
        size = Size(scenarios)
        build(size)
        names = add_people(people)
        with platform(home, environment) as running:
            looked = asyncio.run(look(running, names, scenarios, at_once))
    print(f"  {people} Personen auf der Vergleichsseite, {scenarios} Szenarien, "
          f"{size.ratings} Bewertungen, höchstens {at_once} Aufrufe zugleich:")  # fmt: skip
    report(looked)
    return int(looked.peak >= MOST_MEGABYTES)


def add_people(number: int) -> list[str]:
    """Members of the steering group, who see most of the page; gives their names. The
    demonstration counts as filled, so that the platform does not run it here."""
    from reallabor import audit, demo
    from reallabor.database import transaction
    from reallabor.models import Person, Role
    from reallabor.people import acting_person

    names = [f"Lenkung {each + 1:02d}" for each in range(number)]
    with transaction() as session:
        session.add_all(Person(name=name, roles=[Role.STEERING.value]) for name in names)
        audit.record(session, demo.FILLED, "demo", actor=acting_person(session), details={})
    return names


async def look(running: Running, names: Sequence[str], scenarios: int, at_once: int) -> Looked:
    """Everybody looks, the first person alone before the others."""
    turn = asyncio.Semaphore(at_once)
    before, _ = running.app_megabytes()
    people = [
        Visitor(running.url, PAGE, {"person": name, "szenario": _slug(number, 0, scenarios)})
        for number, name in enumerate(names)
    ]
    try:
        views = [await _one(people[0], turn, 0, scenarios)]
        first, _ = running.app_megabytes()
        views += await asyncio.gather(
            *(_one(each, turn, number, scenarios) for number, each in enumerate(people) if number)
        )
        everybody, peak = running.app_megabytes()
    finally:
        for each in people:
            await each.leave()
    return Looked([mine[0] for mine in views], [view for mine in views for view in mine[1:]],
                  before, first, everybody, peak)  # fmt: skip


async def _one(person: Visitor, turn: asyncio.Semaphore, number: int, scenarios: int) -> list[View]:
    """The views of one person, each of them proven to be the page that was asked for."""
    views = []
    for step in range(1 + CLICKS):
        slug = _slug(number, step, scenarios)
        title = f"Szenario {slug.removeprefix('szenario-')}"
        async with turn:
            view = await (person.choose(CHOICE, title) if step else person.visit())
        assert not view.exceptions, view.exceptions
        assert title in view.headings, f"{title}: {view.headings}"
        assert LAST_HEADING in view.headings, f"{title}: {view.headings}"
        assert person.query["szenario"] == slug, person.query
        views.append(view)
    return views


def _slug(number: int, step: int, scenarios: int) -> str:
    """Which scenario a person looks at in which step; never the one they look at already."""
    return f"szenario-{(number + step) % scenarios + 1:04d}"


def report(looked: Looked) -> None:
    # No figure per person: uncollected garbage is about as much as all their sessions together.
    print(f"    Speicher der App {looked.before:.0f} MB vorher, {looked.first:.0f} MB mit der "
          f"ersten Person, {looked.all:.0f} MB mit allen; höchstens {looked.peak:.0f} MB "
          f"(Ziel unter {MOST_MEGABYTES})")  # fmt: skip
    print(f"    allererster Aufruf {looked.loads[0].wait:.2f} s")
    for what, views in (("Seite öffnen", looked.loads[1:]), ("Szenario wählen", looked.clicks)):
        if not views:
            continue
        waits = sorted(view.wait for view in views)
        sizes = sorted(view.size for view in views)
        messages = sorted(len(view.messages) for view in views)
        middle = len(views) // 2
        print(f"    {what}: p50 {waits[middle]:.2f} s, p95 {waits[int(0.95 * len(waits))]:.2f} s "
              f"({len(views)} Aufrufe); {messages[middle]} Nachrichten, "
              f"{sizes[middle] / 1000:.0f} kB")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(*(int(each) for each in sys.argv[1:])))
