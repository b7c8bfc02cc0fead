"""Takes the pictures of the README; `make pictures` sets REALLABOR_PICTURES to their folder."""

import os
from pathlib import Path

import four_scenarios as four
import pytest
from conftest import Platform, new_screen
from playwright.sync_api import Browser, expect

FOLDER = os.environ.get("REALLABOR_PICTURES")
pytestmark = pytest.mark.skipif(not FOLDER, reason="only with `make pictures`")


def test_pictures_of_main_pages(browser: Browser, platform: Platform) -> None:
    folder = Path(str(FOLDER))
    folder.mkdir(parents=True, exist_ok=True)
    screen = new_screen(browser, platform)
    page = screen.page
    screen.open("steckbrief", "Nadja Organisation", szenario="buerger-chatbot")
    page.get_by_role("heading", name="Kennzahlen").scroll_into_view_if_needed()
    page.wait_for_timeout(800)
    page.screenshot(path=folder / "scenario.png")
    screen.open("steckbrief", "Nadja Organisation", szenario="buerger-chatbot")
    page.get_by_role("button", name="Neue Bewertungsrunde planen").click()
    screen.rest()
    page.get_by_text("Ich habe das gesehen").click()  # one system of the trial names itself
    screen.rest()
    page.get_by_role("button", name="Bewertungsrunde beginnen").click()
    expect(page.get_by_text("läuft. Die Bewertenden sehen").first).to_be_visible()
    screen.open("bewerten", "Emre Bewertung")
    page.locator("fieldset input").first.focus()
    for digit in "43":
        page.keyboard.press(digit)
    page.wait_for_timeout(400)
    page.screenshot(path=folder / "rate.png")
    page.keyboard.press("5")
    for digit in "544":
        page.keyboard.press(digit)
    page.keyboard.press("Enter")
    expect(page.locator(".safety", has_text="Alles gespeichert")).to_be_visible()
    screen.open("", "Emre Bewertung")
    page.screenshot(path=folder / "start.png")
    page.context.close()


def test_pictures_of_the_comparison(browser: Browser, gathered: Platform) -> None:
    folder = Path(str(FOLDER))
    screen = new_screen(browser, gathered, height=1150)
    screen.open("vergleich", four.CHAIR, szenario=four.FIRST)
    screen.page.wait_for_timeout(1500)
    screen.page.screenshot(path=folder / "compare.png")
    heading = screen.page.get_by_role("heading", name="Rangfolge unter gewählten Gewichten")
    heading.evaluate("element => element.scrollIntoView()")
    screen.page.wait_for_timeout(800)
    screen.page.screenshot(path=folder / "ranking.png")
    screen.page.context.close()
