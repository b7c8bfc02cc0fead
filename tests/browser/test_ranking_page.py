"""The ranking in a real browser: a moved weight ranks anew, stands in the address, and comes back
from it; accessible in both themes and on a narrow screen."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import building
import pytest
from building import REPOSITORY, Trial
from conftest import Platform, new_screen, prose, until_ready
from playwright.sync_api import Browser, Locator, expect
from test_pages import ENGLISH, violations

from reallabor.database import transaction
from reallabor.rating.rounds import open_round, release_round
from reallabor.supervisor import STREAMLIT, _free_port


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def ranked(trial: Trial, platform_url: str, home: Path) -> Iterator[Platform]:
    """The app alone on two rated scenarios: "Antrag" is rated best, "Brief" has the better
    estimates and misses a gate."""
    other = building.small_trial(trial.content)
    trial.change(title="Antrag")
    best = {"level": 1, "reason": "Geschätzt."}
    other.change(title="Brief", effort=best, transfer={"level": 5, "reason": "Geschätzt."})
    levels = {trial: 5.0, other: {**dict.fromkeys(building.CRITERIA, 4.0), "UE": 1.0}}
    with transaction() as session:
        building.load_with_runs(session, trial)
        for variant in ("eins", "zwei", "alt"):
            building.add_run(session, other.slug, variant)
        staff = building.add_staff(session)
        for each in (trial, other):
            round_ = open_round(session, each.slug, actor=staff["organiser"])
            for token in building.tokens(session, round_, staff["anna"]):
                building.rate(session, staff["anna"], token, levels[each])
            release_round(session, round_.id or 0, actor=staff["organiser"])
    shutil.copy(REPOSITORY / "app.py", trial.content / "app.py")
    port = _free_port()
    environment = {**os.environ, "REALLABOR_DEMO": "1", "REALLABOR_APP_PORT": str(port)}
    options = STREAMLIT | {"server.address": "127.0.0.1", "server.port": str(port)}
    log = home / "app.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", REPOSITORY / "reallabor/ui/server.py",
             *(f"--{name}={value}" for name, value in options.items())],
            env=environment, stdout=file, stderr=file, cwd=trial.content,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    until_ready(process, url, log)
    yield Platform(url, "", home, environment, trial)
    process.terminate()
    process.wait(30)


def first_rows(table: Locator) -> list[str]:
    return table.locator("tbody th").all_inner_texts()


def test_ranking_follows_its_weights(browser: Browser, ranked: Platform) -> None:
    screen = new_screen(browser, ranked)
    page = screen.page
    only_quality = {f"gewicht-{key}": "0" for key in ("benefit", "staff", "clients", "effort")}
    screen.open("vergleich", "Stefan Lenkung", **only_quality)
    table = page.locator(".st-key-ranking-table")
    expect(table.locator("tbody th").first).to_have_text("Antrag")

    def weight(name: str) -> Locator:
        return page.get_by_role("slider", name=name)

    weight("Qualität").press("Home")
    expect(table.locator("tbody th").first).to_have_text("Brief")
    expect(page.get_by_text("Ausschlusskriterium verfehlt. Daran ändert")).to_be_visible()
    expect(page).to_have_url(re.compile(r"gewicht-quality=0(&|$)"))
    expect(weight("Qualität")).to_be_focused()

    sent = page.url
    again = new_screen(browser, ranked)
    again.page.goto(sent)
    again.rest()
    expect(again.page.locator(".st-key-ranking-table tbody th").first).to_have_text("Brief")
    assert first_rows(again.page.locator(".st-key-ranking-table")) == ["Brief", "Antrag"]
    expect(again.page.get_by_role("slider", name="Qualität")).to_have_value("0")
    for each in (screen, again):
        assert not each.faults, each.faults
        each.page.context.close()


def test_missing_estimate_leads_to_its_place(browser: Browser, ranked: Platform) -> None:
    screen = new_screen(browser, ranked)
    page = screen.page
    screen.open("vergleich", "Olga Organisation")
    page.get_by_role("link", name="Antrag: „Geringer Einführungsaufwand“").click()
    expect(page.get_by_role("heading", level=1, name="Steckbrief")).to_be_visible()
    expect(page.get_by_role("heading", level=2, name="Antrag")).to_be_visible()
    place = f"Zu ergänzen in scenarios/{ranked.slug}/scenario.yaml: effort"
    expect(page.get_by_text(prose(place))).to_be_visible()
    assert not screen.faults, screen.faults
    page.context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_ranking_is_accessible_german_and_narrow(
    browser: Browser, ranked: Platform, dark: bool
) -> None:
    screen = new_screen(browser, ranked, dark=dark)
    screen.open("vergleich", "Stefan Lenkung", **{"gewicht-quality": "viel"})
    expect(screen.page.get_by_text("Der Link nennt für Qualität kein Gewicht")).to_be_visible()
    for name in ("Gewichte als Profil speichern", "Woher kommen Zahlen"):
        screen.page.locator("summary", has_text=name).click()
    expect(screen.page.get_by_text("Haus netto im Jahr").first).to_be_visible()
    screen.page.wait_for_timeout(500)
    assert violations(screen) == []
    words = screen.all_words()
    assert [word for word in ENGLISH if word in words] == []
    screen.page.set_viewport_size({"width": 390, "height": 844})
    screen.page.wait_for_timeout(300)
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not screen.faults, screen.faults
    screen.page.context.close()
