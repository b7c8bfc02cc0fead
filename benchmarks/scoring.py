"""How long people wait while they score, in a real browser on the running platform.

For 1, 25 and 30 people at once: from Enter to the next case on screen, and from Enter to the
server's word that the score is stored. Server and browsers share this machine.
Usage: scoring.py [people ...]
"""

import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "browser"))

from running import platform, settle

CASES = 200
EACH = 20
"""Outputs that each of many people rates; one person alone rates all."""
PAUSE_S = (2.0, 6.0)
"""Between two outputs of one of many people; real people read longer."""
RUBRIC = "auskunft"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
"""Of Chromium."""

WATCH = """
() => {
  const all = [...document.querySelectorAll("*")];
  const root = all.find((e) => e.shadowRoot?.querySelector(".sheet")).shadowRoot;
  const since = (mark) => performance.now() - mark.enter;
  const place = root.querySelector(".place");
  const safety = root.querySelector(".safety");
  const marks = (window.marks = []);
  let open = null;
  root.addEventListener("keydown", (event) => {
    if (event.key === "Enter") marks.push((open = { enter: performance.now() }));
  }, true);
  new MutationObserver(() => {
    const mark = open;
    requestAnimationFrame(() => setTimeout(() => {
      if (mark && !mark.next) mark.next = since(mark);
    }));
  }).observe(place, { childList: true, characterData: true, subtree: true });
  new MutationObserver(() => {
    const saved = safety.textContent === "Alles gespeichert";
    if (saved && open && !open.saved) open.saved = since(open);
  }).observe(safety, { childList: true, characterData: true, subtree: true });
}
"""


def main(people: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory(prefix="reallabor-bench-") as folder:
        home = Path(folder)
        for number in people:
            measure(home / str(number), number)


def measure(home: Path, people: int) -> None:
    """One platform, so many people; prints what they waited for."""
    home.mkdir()
    environment = settle(home)
    names = prepare(people)
    with platform(home, environment) as running:
        marks = asyncio.run(score(running.url, names, CASES if people == 1 else EACH))
    expected = sum(len(mine) for mine in marks)
    report(people, [mark for mine in marks for mark in mine], stored(), expected)


def prepare(people: int) -> list[str]:
    """People, a run per variant and an open round, as the platform itself would have written
    them; gives the names of those who rate."""
    from sqlmodel import select

    from reallabor import audit, demo
    from reallabor.database import prepare_database, transaction
    from reallabor.models import Case, Origin, Output, Person, Role, Scenario, TrialRun, Variant
    from reallabor.people import acting_person
    from reallabor.rating.drafting import RoundChoice
    from reallabor.rating.rounds import open_round
    from reallabor.recording.catalogue import load_shipped
    from reallabor.settings import get_settings

    get_settings.cache_clear()
    prepare_database()
    rng = random.Random(1)
    words = "Der Antrag wird geprüft und der Bescheid kommt mit der Post nach Hause".split()
    with transaction() as session:
        load_shipped(session)
        audit.record(session, demo.FILLED, "demo", actor=acting_person(session), details={})
        rubric = session.exec(
            select(Scenario.rubric_id).where(Scenario.slug == "buerger-chatbot")
        ).one()
        scenario = Scenario(slug="bench", title="Messung", origin=Origin.CREATED,
                            content_sha256="", rubric_id=rubric)  # fmt: skip
        evaluators = [
            Person(name=f"Person {number}", roles=[Role.EVALUATOR.value])
            for number in range(people)
        ]
        organiser = Person(name="Organisation", roles=[Role.ORGANISER.value])
        session.add_all([scenario, organiser, *evaluators])
        session.flush()
        cases = [
            Case(scenario_id=scenario.id, key=f"f-{n}", input=" ".join(rng.choices(words, k=25)),
                 reference=" ".join(rng.choices(words, k=40)))
            for n in range(CASES)
        ]  # fmt: skip
        variants = [
            Variant(scenario_id=scenario.id, key=key, title=key)
            for key in ("eins", "zwei")[: 1 if people == 1 else 2]
        ]
        session.add_all([*cases, *variants])
        session.flush()
        moment = datetime.now(UTC)
        for variant in variants:
            run = TrialRun(scenario_id=scenario.id, variant_id=variant.id, started_at=moment,
                           finished_at=moment, tracking_run_id=variant.key)  # fmt: skip
            session.add(run)
            session.flush()
            session.add_all(
                Output(run_id=run.id, case_id=case.id, text=" ".join(rng.choices(words, k=90)))
                for case in cases
            )
        session.flush()
        choice = RoundChoice(overlap=min(5, people), evaluators=evaluators, seed=1)
        open_round(session, "bench", actor=organiser, choice=choice)
        return [person.name for person in evaluators]


async def score(url: str, names: Sequence[str], each: int) -> list[list[dict[str, float]]]:
    """All people at once, each in a browser page of their own."""
    from find_chromium import find_chromium
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        pages = []
        for name in names:
            context = await browser.new_context(locale="de-DE", bypass_csp=True)
            page = await context.new_page()
            await page.goto(f"{url}/bewerten?person={quote(name)}")
            await page.locator("fieldset").first.wait_for()
            await page.evaluate(WATCH)
            pages.append(page)
        pause = len(names) > 1
        marks = await asyncio.gather(*(rate(page, each, pause=pause) for page in pages))
        await browser.close()
    return list(marks)


async def rate(page, each: int, *, pause: bool) -> list[dict[str, float]]:  # type: ignore[no-untyped-def]
    rng = random.Random()
    await page.locator("fieldset input").first.focus()
    criteria = await page.locator("fieldset").count()
    for number in range(each):
        if pause:
            await asyncio.sleep(rng.uniform(*PAUSE_S))
        for _ in range(criteria):
            await page.keyboard.press(rng.choice("2345"))
        await page.keyboard.press("Enter")
        # The next one only when this one is stored: else one figure would hold two waits.
        await page.wait_for_function(
            f"window.marks.length > {number} && window.marks[{number}].saved"
        )
    return list(await page.evaluate("window.marks"))


def stored() -> int:
    """Outputs with a rating, as the database has them."""
    from sqlmodel import col, func, select

    from reallabor.database import reading
    from reallabor.models import Rating

    with reading() as session:
        pairs = (
            select(Rating.rater_id, Rating.output_id)
            .where(col(Rating.superseded_at).is_(None))
            .distinct()
            .subquery()
        )
        return session.exec(select(func.count()).select_from(pairs)).one()


def report(people: int, marks: Sequence[dict[str, float]], kept: int, expected: int) -> None:
    import numpy as np

    who = "1 Person" if people == 1 else f"{people} Personen zugleich"
    for what, key in (("Enter bis nächster Fall", "next"), ("Enter bis gespeichert", "saved")):
        values = [mark[key] for mark in marks if key in mark]
        middle, high = np.percentile(values, [50, 95])
        print(
            f"  {what}, {who}: p50 {middle:.0f} ms, p95 {high:.0f} ms ({len(values)} Bewertungen)"
        )
    print(
        f"  gespeichert {kept} von {expected}, {'nichts' if kept == expected else 'ETWAS'} verloren"
    )


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [1, 25, 30])
