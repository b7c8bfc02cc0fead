"""What the scoring sheet offers beside the levels, at every size; what a closed browser keeps."""

import os
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import pytest
from building import small_trial, wait_until
from conftest import Platform, Screen, new_screen
from playwright.sync_api import Browser, Page, expect
from test_pages import violations
from test_whole_way_safety import app_process

ORGANISER, RATER, OTHER = "Nadja Organisation", "Miriam Bewertung", "Katrin Bewertung"
SLUG, TITLE = "bogen-probe", "Bogenprobe"
SYSTEM = """
def build(variant, folder):
    def answer(question):
        return {"text": "Erster Satz. Zweiter Satz mit Frist. Dritter Satz zu " + question,
                "sources": [], "handover": False}
    return answer
"""


@pytest.fixture(scope="module")
def sheet_platform(browser: Browser, platform: Platform) -> Platform:
    """A round of eight cases and two variants, planned in the app."""
    trial = small_trial(platform.trial.content, SLUG)
    variants = [{"key": key, "title": f"System {key.upper()}"} for key in ("ypsilon", "zett")]
    trial.change(title=TITLE, organisation="Haus Bogen", variants=variants, candidate="zett")
    trial.write_cases(
        [{"id": f"f-{n}", "input": f"Frage {n}?", "edge": False, "reference": "So ist es.",
          "passages": []} for n in range(8)]
    )  # fmt: skip
    (trial.folder / "system.py").write_text(SYSTEM, encoding="utf-8")
    platform.reallabor("run", SLUG)
    screen = new_screen(browser, platform)
    screen.open("bewertung-planen", ORGANISER, szenario=SLUG)
    screen.page.get_by_role("slider", name="Kalibrierfälle untermischen").press("Home")
    screen.rest()
    screen.page.get_by_role("button", name="Bewertungsrunde beginnen").click()
    expect(screen.page.get_by_text("läuft. Die Bewertenden sehen").first).to_be_visible()
    screen.page.context.close()
    return platform


@pytest.fixture
def sheet(browser: Browser, sheet_platform: Platform) -> Iterator[Screen]:
    screen = new_screen(browser, sheet_platform)
    open_sheet(screen, RATER)
    yield screen
    screen.page.context.close()
    assert not screen.faults, screen.faults


def open_sheet(screen: Screen, person: str) -> None:
    """The round of this file; other tests may have left rounds open for the same person."""
    screen.open("", person)
    heading = screen.page.get_by_role("heading", name=TITLE)
    card = screen.page.get_by_test_id("stVerticalBlock").filter(has=heading).last
    card.get_by_role("button").first.click()
    screen.rest()
    expect(screen.page.locator("fieldset").first).to_be_visible()


def total(page: Page) -> int:
    return int(page.locator(".count").inner_text().split(" von ")[1].split()[0])


def answers(platform: Platform) -> bool:
    with suppress(OSError):
        urllib.request.urlopen(f"{platform.url}/reallabor/ready", timeout=2)
        return True
    return False


def saved(page: Page) -> None:
    expect(page.locator(".safety", has_text="Alles gespeichert")).to_be_visible()


def close_with_unsent_score(screen: Screen) -> None:
    """Server killed, Enter, browser closed; then the server comes back."""
    page, platform = screen.page, screen.platform
    old = app_process(platform)
    assert old is not None
    os.kill(old, signal.SIGKILL)
    page.keyboard.press("Enter")
    expect(page.locator(".safety", has_text="noch nicht gespeichert")).to_be_visible()
    page.close()
    wait_until(lambda: answers(platform), within_s=60)


def kept(page: Page) -> list[str]:
    """What the sheets hold in the browser's storage."""
    keys = "Object.keys(localStorage).filter(key => key.startsWith('reallabor'))"
    return list(page.evaluate(keys))


def release(screen: Screen) -> None:
    """The round of this file, as an organiser does it."""
    screen.open("", ORGANISER)
    heading = screen.page.get_by_role("heading", name=TITLE)
    card = screen.page.get_by_test_id("stVerticalBlock").filter(has=heading).last
    card.get_by_role("button", name="Runde öffnen").click()
    screen.rest()
    screen.page.get_by_text("Ja, die Ergebnisse sollen jetzt sichtbar werden.").click()
    screen.rest()
    screen.page.get_by_role("button", name="Freigeben").click()
    expect(screen.page.get_by_text("ist freigegeben").first).to_be_visible()


def test_sentence_comment_and_minutes_come_back(sheet: Screen) -> None:
    page = sheet.page
    page.locator("#output").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("#output mark")).to_have_text("Zweiter Satz mit Frist.")
    page.get_by_role("button", name="Kommentar zu Quellen").click()
    page.keyboard.type("Quelle 5 fehlt? ja r z")
    page.get_by_label("Nötige Nacharbeit").select_option("15")
    page.locator("fieldset input").first.focus()
    for digit in "435544":
        page.keyboard.press(digit)
    first = page.locator(".place").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".place")).not_to_have_text(first)
    saved(page)
    page.reload()
    sheet.rest()
    expect(page.locator(".place")).not_to_have_text(first)
    page.keyboard.press("Alt+z")
    expect(page.locator(".place")).to_have_text(first)
    expect(page.locator("#output mark")).to_have_text("Zweiter Satz mit Frist.")
    expect(page.locator("textarea:visible").first).to_have_value("Quelle 5 fehlt? ja r z")
    expect(page.get_by_label("Nötige Nacharbeit")).to_have_value("15")
    page.get_by_role("button", name="Markierung entfernen").click()
    expect(page.locator("#output mark")).to_have_count(0)
    expect(page.get_by_role("button", name="Änderung speichern")).to_be_visible()
    page.keyboard.press("Tab")


def test_selection_is_marked_with_the_mouse(sheet: Screen) -> None:
    page = sheet.page
    page.locator("#output").evaluate(
        """element => {
            const range = document.createRange();
            range.setStart(element.firstChild, 0);
            range.setEnd(element.firstChild, 12);
            const root = element.getRootNode();
            const selection = root.getSelection ? root.getSelection() : document.getSelection();
            selection.removeAllRanges();
            selection.addRange(range);
        }"""
    )
    button = page.locator(".mark-button")
    expect(button).to_be_enabled()
    button.click()
    expect(page.locator("#output mark")).to_have_text("Erster Satz.")


def test_declined_case_leaves_the_sheet(sheet: Screen) -> None:
    page = sheet.page
    before = total(page)
    page.get_by_role("button", name="Fall ablehnen").click()
    expect(page.get_by_role("button", name="Nicht lesbar")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Fall ablehnen")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Interessenkonflikt").click()
    saved(page)
    expect(page.locator(".count")).to_contain_text(f"von {before - 2} ")
    expect(page.locator(".place")).to_contain_text(f"von {before - 2}")


def test_reported_output_is_hidden_until_decided(browser: Browser, sheet: Screen) -> None:
    page = sheet.page
    before = total(page)
    page.get_by_role("button", name="Personendaten gesehen").click()
    page.get_by_role("button", name="Ja, Ausgabe jetzt sperren").click()
    saved(page)
    expect(page.locator(".count")).to_contain_text(f"von {before - 1} ")
    organiser = new_screen(browser, sheet.platform)
    organiser.open("", ORGANISER)
    expect(organiser.page.get_by_role("heading", name="Personendaten gemeldet")).to_be_visible()
    organiser.page.get_by_role("button", name="Keine Personendaten: wieder freigeben").first.click()
    expect(organiser.page.get_by_text("Die Ausgabe wird wieder bewertet").first).to_be_visible()
    organiser.page.context.close()
    page.reload()
    sheet.rest()
    expect(page.locator(".count")).to_contain_text(f"von {before} ")


@pytest.mark.parametrize(
    ("width", "height"), [(1440, 900), (1280, 720), (820, 1180), (720, 450), (390, 844)]
)
def test_sheet_works_at_every_size(
    browser: Browser, sheet_platform: Platform, width: int, height: int
) -> None:
    """1440 x 900 at 200 % zoom is 720 x 450."""
    screen = new_screen(browser, sheet_platform, width=width, height=height)
    open_sheet(screen, OTHER)
    page = screen.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("Fall ablehnen", "Personendaten gesehen"):
        page.get_by_role("button", name=name).click()
        assert violations(screen) == [], name
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Kommentar zu Quellen").click()
    assert violations(screen) == []
    if (width, height) == (1440, 900):
        page.get_by_role("button", name="Kommentar zu Quellen").click()
        boxes = [page.locator("#output").bounding_box(), page.locator(".primary").bounding_box()]
        boxes += [each.bounding_box() for each in page.locator("fieldset").all()]
        assert all(box and box["y"] >= 0 and box["y"] + box["height"] <= height for box in boxes)
    screen.page.context.close()
    assert not screen.faults, screen.faults


def test_closed_browser_sends_the_score_when_it_comes_back(
    browser: Browser, sheet_platform: Platform
) -> None:
    """Server killed, Enter, browser closed: the score lies in the browser's storage until both are
    back, and goes to its own output."""
    screen = new_screen(browser, sheet_platform)
    open_sheet(screen, OTHER)
    page = screen.page
    done = int(page.locator(".count").inner_text().split()[0])
    page.locator("fieldset input").first.focus()
    for digit in "222222":
        page.keyboard.press(digit)
    close_with_unsent_score(screen)
    again = Screen(screen.page.context.new_page(), sheet_platform)
    open_sheet(again, OTHER)
    expect(again.page.locator(".count")).to_contain_text(f"{done + 1} von ", timeout=60_000)
    expect(again.page.locator(".safety", has_text="Alles gespeichert")).to_be_visible()
    assert kept(again.page) == [], "nothing stays in the browser once it is stored"
    again.page.context.close()


def test_two_tabs_store_the_last_word_once(browser: Browser, sheet_platform: Platform) -> None:
    """The same assignment in two tabs: both are stored, the later one counts."""
    screen = new_screen(browser, sheet_platform)
    open_sheet(screen, "Emre Bewertung")
    other = Screen(screen.page.context.new_page(), sheet_platform)
    open_sheet(other, "Emre Bewertung")
    place = screen.page.locator(".place").inner_text()
    assert other.page.locator(".place").inner_text() == place
    for tab, digits in ((screen, "333333"), (other, "444444")):
        tab.page.locator("fieldset input").first.focus()
        for digit in digits:
            tab.page.keyboard.press(digit)
        tab.page.keyboard.press("Enter")
        saved(tab.page)
    third = Screen(screen.page.context.new_page(), sheet_platform)
    open_sheet(third, "Emre Bewertung")
    expect(third.page.locator(".count")).to_contain_text("1 von ")
    third.page.keyboard.press("Alt+z")
    third.page.locator("fieldset input").first.focus()
    third.page.keyboard.press("Alt+z")
    expect(third.page.locator(".place")).to_have_text(place)
    assert (
        third.page.locator("fieldset input:checked").evaluate_all(
            "each => each.map(radio => radio.value)"
        )
        == ["4"] * 6
    )
    screen.page.context.close()


def test_score_that_missed_the_release_is_answered(
    browser: Browser, sheet_platform: Platform
) -> None:
    """One browser was closed with an unsent score, another one has the sheet open: both are told
    once that the round is over, and keep nothing. Releases the round of this file."""
    closed, open_ = (new_screen(browser, sheet_platform) for _ in range(2))
    open_sheet(closed, "Jonas Bewertung")
    address = closed.page.url
    closed.page.locator("fieldset input").first.focus()
    for digit in "333333":
        closed.page.keyboard.press(digit)
    close_with_unsent_score(closed)
    open_sheet(open_, OTHER)
    open_.page.locator("fieldset input").first.focus()
    for key in ("4" * 6, ("Enter",), "4" * 6):
        for each in key:
            open_.page.keyboard.press(each)
    saved(open_.page)  # the first of the two: without any rating nothing can be released
    release(new_screen(browser, sheet_platform))
    open_.page.keyboard.press("Enter")
    again = Screen(closed.page.context.new_page(), sheet_platform)
    again.page.goto(address)
    for screen in (open_, again):
        page = screen.page
        refusal = page.locator("#refusal", has_text="Nicht gespeichert: Diese Bewertungsrunde")
        expect(refusal).to_be_visible()
        expect(page.get_by_text("ist für Sie abgeschlossen")).to_be_visible()
        assert violations(screen) == []
        expect(page.locator("fieldset:visible, .count:visible, .finished:visible")).to_have_count(0)
        assert kept(page) == []
        page.get_by_role("button", name="Verstanden").click()
        page.reload()
        screen.rest()
        expect(page.get_by_text("ist für Sie abgeschlossen")).to_be_visible()
        expect(page.get_by_text("Nicht gespeichert")).to_have_count(0)
        page.context.close()
        assert not screen.faults, screen.faults
