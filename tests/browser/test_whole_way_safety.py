"""No score is lost: reload with a half-filled sheet, and a server that stops and comes back."""

import os
import signal
from pathlib import Path

from building import wait_until
from conftest import Platform, Screen, new_screen
from playwright.sync_api import Browser, Page, expect

ORGANISER, RATER = "Nadja Organisation", "Jonas Bewertung"


def start_round(screen: Screen) -> None:
    """A round on the shipped scenario, where none runs yet."""
    screen.open("steckbrief", ORGANISER, szenario="buerger-chatbot")
    button = screen.page.locator(".st-key-open-buerger-chatbot button")
    if button.count():
        button.click()
        screen.rest()
        screen.page.get_by_text("die Runde soll trotzdem beginnen").click()
        screen.rest()
        screen.page.get_by_role("button", name="Bewertungsrunde beginnen").click()
        expect(screen.page.get_by_text("läuft. Die Bewertenden sehen").first).to_be_visible()


def first_level(page: Page, digits: str) -> None:
    page.locator("fieldset input").first.focus()
    for digit in digits:
        page.keyboard.press(digit)


def app_process(platform: Platform) -> int | None:
    """The process id of the running app, by its port."""
    port = platform.url.rsplit(":", 1)[1]
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_text("utf-8", "replace")
        except OSError:
            continue
        if f"--server.port={port}" in command and "reallabor.guard" not in command:
            return int(file.parent.name)
    return None


def test_half_filled_sheet_survives_reload(screen: Screen) -> None:
    start_round(screen)
    screen.open("bewerten", RATER)
    first_level(screen.page, "43")
    screen.page.wait_for_timeout(300)
    screen.page.reload()
    screen.rest()
    expect(screen.page.locator("fieldset input:checked")).to_have_count(2)


def test_score_arrives_after_the_server_was_killed(browser: Browser, platform: Platform) -> None:
    screen = new_screen(browser, platform)
    start_round(screen)
    screen.open("bewerten", RATER)
    page = screen.page
    first_level(page, "435544")
    old = app_process(platform)
    assert old is not None
    os.kill(old, signal.SIGKILL)
    page.keyboard.press("Enter")
    expect(page.locator(".safety", has_text="noch nicht gespeichert")).to_be_visible()
    wait_until(lambda: app_process(platform) not in (None, old), within_s=60)
    expect(page.locator(".safety", has_text="Alles gespeichert")).to_be_visible(timeout=90_000)
    screen.open("", RATER)
    expect(page.get_by_text("1 von").first).to_be_visible()
    page.context.close()
