"""What the app holds in memory, and how long people wait, while many look at the comparison page.

Everybody has a browser page of their own that stays open, and looks at one scenario after the
other. Browsers and server share this machine, so only AT_ONCE pages load at any moment.
Usage: viewers.py [people] [scenarios]
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "browser"))

from dataset import Size, build
from running import FLAGS, Running, platform, settle

PEOPLE = 30
LOOKS = 2
"""Scenarios that everybody looks at."""
AT_ONCE = 2
MOST_MEGABYTES = 1024
READY = (
    '[data-testid="stApp"][data-test-connection-state="CONNECTED"]'
    '[data-test-script-state="notRunning"]'
)


def main(people: int, scenarios: int) -> None:
    with tempfile.TemporaryDirectory(prefix="reallabor-bench-") as folder:
        home = Path(folder)
        environment = settle(home)
        size = Size(scenarios)
        build(size)
        _fill_once()
        with platform(home, environment) as running:
            before = running.app_megabytes()
            waits = asyncio.run(look(running, people, scenarios))
            after = running.app_megabytes()
    waits.sort()
    print(f"  {people} Personen auf der Vergleichsseite, {scenarios} Szenarien, "
          f"{size.ratings} Bewertungen:")  # fmt: skip
    print(f"    Speicher der App {before:.0f} MB vorher, {after:.0f} MB danach "
          f"(Ziel unter {MOST_MEGABYTES})")  # fmt: skip
    print(f"    Klick bis fertige Seite: p50 {waits[len(waits) // 2]:.2f} s, "
          f"p95 {waits[int(0.95 * len(waits))]:.2f} s ({len(waits)} Aufrufe)")  # fmt: skip


def _fill_once() -> None:
    """Mark the demonstration as filled, so that the platform does not run it here."""
    from reallabor import audit, demo
    from reallabor.database import transaction
    from reallabor.people import acting_person

    with transaction() as session:
        demo.ensure_people(session)
        audit.record(session, demo.FILLED, "demo", actor=acting_person(session), details={})


async def look(running: Running, people: int, scenarios: int) -> list[float]:
    """Seconds from every call of the page to its being complete."""
    from find_chromium import find_chromium
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        turn = asyncio.Semaphore(AT_ONCE)
        waits = await asyncio.gather(
            *(_one(browser, turn, running.url, number, scenarios) for number in range(people))
        )
        await browser.close()
    return [wait for each in waits for wait in each]


async def _one(  # type: ignore[no-untyped-def]
    browser, turn: asyncio.Semaphore, url: str, number: int, scenarios: int
) -> list[float]:
    context = await browser.new_context(locale="de-DE")
    page = await context.new_page()
    page.set_default_timeout(120_000)
    waits = []
    for look in range(LOOKS):
        slug = f"szenario-{(number + 7 * look) % scenarios + 1:04d}"
        async with turn:
            begin = monotonic()
            await page.goto(f"{url}/vergleich?person=Ruth+Lenkungskreis&szenario={slug}")
            await page.locator(READY).wait_for()
            await page.locator('[data-testid="stSkeleton"]').first.wait_for(state="detached")
            waits.append(monotonic() - begin)
    return waits


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    main(*(numbers + [PEOPLE, 100][len(numbers) :]))
