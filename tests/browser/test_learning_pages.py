"""Learning in a browser: lessons with progress, and a training round from the keyboard alone."""

import re
from collections.abc import Mapping

import pytest
from building import REPOSITORY
from conftest import Platform, Screen, new_screen, prose
from playwright.sync_api import Browser, expect
from test_pages import violations

from reallabor.evaluations import GoldCaseContent, load_calibration
from reallabor.lessons import load_lessons

GOLD = load_calibration("auskunft", REPOSITORY / "evaluations")


def begin(screen: Screen, person: str) -> None:
    """From the menu to the first open case of the rubric."""
    screen.open("", person)
    screen.page.get_by_role("link", name="Lernen").click()
    expect(screen.page.get_by_role("heading", level=1, name="Lernen")).to_be_visible()
    screen.rest()
    link = re.compile("„Auskunft und Chat“ (beginnen|weiter üben)")
    screen.page.get_by_role("link", name=link).click()
    expect(screen.page.get_by_role("heading", level=1, name="Kalibrierung")).to_be_visible()
    screen.rest()


def rate(screen: Screen, levels: Mapping[str, int]) -> None:
    """All criteria from the keyboard: space takes the first level, arrows go down, Tab goes on."""
    page = screen.page
    expect(page.get_by_role("radiogroup")).to_have_count(len(levels))
    page.get_by_role("radio").first.focus()
    for level in levels.values():
        page.keyboard.press("Space")
        for _ in range(level - 1):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Bewerten und vergleichen")).to_be_focused()
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name=prose("Rückmeldung:"))
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    screen.rest()


def shifted(case: GoldCaseContent) -> dict[str, int]:
    """Levels that are all outside tolerance."""
    return {key: level + 3 if level <= 2 else level - 2 for key, level in case.levels.items()}


def test_training_round_from_the_keyboard(screen: Screen) -> None:
    page = screen.page
    begin(screen, "Emre Bewertung")
    for number, case in enumerate(GOLD.cases[: GOLD.enough], start=1):
        heading = f"Durchgang 1, Fall {number} von {GOLD.enough}"
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        expect(page.get_by_text(prose(case.output[:60])).first).to_be_visible()
        body = page.locator("body").inner_text()
        assert not any(reason[:40] in body for reason in case.explanation.values())
        rate(screen, {**case.levels, "FR": shifted(case)["FR"]})
        expect(page.get_by_role("heading", name=prose("5 von 6 Urteilen passen"))).to_be_visible()
        badges = page.locator(".stMarkdownBadge")
        expect(badges.filter(has_text="weicht ab")).to_have_count(1)
        expect(badges.filter(has_text="passt")).to_have_count(5)
        for reason in case.explanation.values():
            expect(page.get_by_text(prose(reason)).first).to_be_visible()
        if number < GOLD.enough:
            page.get_by_role("button", name="Nächster Fall").click()
    expect(
        page.get_by_text(prose("Sie sind kalibriert: 20 von 24 Urteilen passen"))
    ).to_be_visible()
    assert violations(screen) == []
    page.get_by_role("link", name="Bestätigung ansehen und drucken").click()
    expect(page.get_by_role("heading", level=1, name="Bestätigung")).to_be_visible()
    screen.rest()
    expect(page.get_by_role("heading", name="Emre Bewertung")).to_be_visible()
    expect(page.get_by_text(prose("davon 20 höchstens 1 Stufe neben der Referenz"))).to_be_visible()
    assert violations(screen) == []
    page.emulate_media(media="print")
    expect(page.get_by_text("Strg + P")).to_be_hidden()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.get_by_role("heading", name="Emre Bewertung")).to_be_visible()


def test_status_is_shown_to_oneself_only(screen: Screen) -> None:
    page = screen.page
    begin(screen, "Katrin Bewertung")
    rate(screen, GOLD.cases[0].levels)
    screen.open("lernen", "Katrin Bewertung")
    expect(page.get_by_text(prose("Durchgang 1: 1 von 4 Fällen bewertet"))).to_be_visible()
    for person in ("Nadja Organisation", "Ruth Lenkungskreis"):
        screen.open("lernen", person)
        expect(page.get_by_role("heading", name="Kalibrierung")).to_be_visible()
        expect(page.get_by_text(prose("Durchgang 1: 1 von 4 Fällen bewertet"))).to_have_count(0)
        assert "Katrin" not in page.get_by_test_id("stMain").inner_text()


def test_missed_attempt_goes_on_with_other_cases(screen: Screen) -> None:
    page = screen.page
    begin(screen, "Ruth Lenkungskreis")
    for number, case in enumerate(GOLD.cases[: GOLD.enough], start=1):
        expect(page.get_by_role("heading", name=f"Fall {number} von 4")).to_be_visible()
        rate(screen, shifted(case))
        expect(page.get_by_role("heading", name=prose("0 von 6 Urteilen"))).to_be_visible()
        if number < GOLD.enough:
            page.get_by_role("button", name="Nächster Fall").click()
    expect(page.get_by_text(prose("nötig sind 20 von 24 Urteilen"))).to_be_visible()
    page.get_by_role("button", name="Nächsten Durchgang beginnen").click()
    expect(page.get_by_role("heading", name="Durchgang 2, Fall 1 von 4")).to_be_visible()
    expect(page.get_by_text(prose(GOLD.cases[GOLD.enough].output[:60])).first).to_be_visible()
    screen.open("lernen", "Ruth Lenkungskreis")
    page.get_by_role("link", name="Erklärungen zu „Auskunft und Chat“ nachlesen").click()
    page.get_by_role("button", name="Fall 1: weiterbewilligung").click()
    expect(page.get_by_role("heading", name=prose("0 von 6 Urteilen"))).to_be_visible()


def test_missing_level_is_asked_for(screen: Screen) -> None:
    page = screen.page
    screen.open("kalibrierung", "Nadja Organisation", raster="klassifikation@1")
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Bewerten und vergleichen").click()
    expect(page.get_by_text("Bitte noch bewerten: Arbeitsnutzen.")).to_be_visible()
    expect(page.get_by_role("radio").first).to_be_checked()
    assert violations(screen) == []


@pytest.mark.parametrize("person", ["Emre Bewertung", "Nadja Organisation"])
def test_unknown_rubric_ends_in_a_sentence(screen: Screen, person: str) -> None:
    for path in ("kalibrierung", "bestaetigung"):
        screen.open(path, person, raster="<b>nichts</b>@1")
        expect(screen.page.get_by_text("<b>nichts</b>@1' gibt es hier nicht")).to_be_visible()
    screen.open("kalibrierung", person, raster="vermerk@1", fall="termin-fehlt")
    expect(screen.page.get_by_text("noch keine Rückmeldung")).to_be_visible()
    screen.open("lektion", person, lektion="../bewerten")
    expect(screen.page.get_by_text("gibt es hier nicht")).to_be_visible()


def test_lessons_are_read_and_counted(screen: Screen) -> None:
    page = screen.page
    screen.open("lernen", "Katrin Bewertung")
    expect(page.get_by_text("0 von 5 Lektionen gelesen")).to_be_visible()
    page.get_by_role("link", name=re.compile("Wie man bewertet")).first.click()
    expect(page.get_by_role("heading", level=1, name="Wie man bewertet")).to_be_visible()
    screen.rest()
    answer = page.get_by_text("Eine hohe, zum Beispiel 5.")
    expect(answer).to_be_hidden()
    page.get_by_text("Antwort zu Frage 1").click()
    expect(answer).to_be_visible()
    assert violations(screen) == []
    page.get_by_role("button", name="Als gelesen markieren").click()
    expect(page.get_by_role("button", name="Markierung zurücknehmen")).to_be_visible()
    page.get_by_role("button", name=re.compile("Nächste Lektion: Textstellen")).click()
    heading = page.get_by_role("heading", level=1, name=re.compile("Textstellen"))
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    screen.open("lernen", "Katrin Bewertung")
    expect(page.get_by_text("1 von 5 Lektionen gelesen")).to_be_visible()
    expect(
        page.get_by_role("link", name="Wie man bewertet (5 Minuten, gelesen)").first
    ).to_be_visible()
    page.get_by_role("link", name=re.compile("Wie man bewertet")).first.click()
    page.get_by_role("button", name="Markierung zurücknehmen").click()
    expect(page.get_by_role("button", name="Als gelesen markieren")).to_be_visible()
    screen.open("lernen", "Katrin Bewertung")
    expect(page.get_by_text("0 von 5 Lektionen gelesen")).to_be_visible()


@pytest.mark.parametrize(
    ("person", "title"),
    [
        ("Daniel Datenschutz", "Datenschutz"),
        ("Petra Personalrat", "Personalrat"),
        ("Ines Informationssicherheit", "Informationssicherheit"),
        ("Farid Fachseite", "Fachseite"),
    ],
)
def test_every_office_has_a_path(screen: Screen, person: str, title: str) -> None:
    screen.open("lernen", person)
    expect(screen.page.get_by_role("heading", name=f"Lernpfad: {title}")).to_be_visible()
    screen.page.get_by_role("link", name="Einen Prüfpunkt bestätigen").first.click()
    expect(screen.page.get_by_role("heading", name="Einen Prüfpunkt bestätigen")).to_be_visible()


def test_every_lesson_is_accessible_on_a_narrow_screen(
    browser: Browser, platform: Platform
) -> None:
    screen = new_screen(browser, platform, width=390, height=844)
    for lesson in load_lessons(REPOSITORY / "evaluations"):
        screen.open("lektion", "Ruth Lenkungskreis", lektion=lesson.key)
        expect(screen.page.get_by_role("heading", level=1, name=lesson.title)).to_be_visible()
        assert violations(screen) == [], lesson.key
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= 390, lesson.key
    screen.page.context.close()
    assert not screen.faults


def test_training_case_fits_a_narrow_screen(browser: Browser, platform: Platform) -> None:
    screen = new_screen(browser, platform, width=390, height=844)
    screen.open("kalibrierung", "Nadja Organisation", raster="uebersetzung@1")
    expect(screen.page.get_by_role("radiogroup")).to_have_count(4)
    wide = screen.page.evaluate("document.documentElement.scrollWidth")
    screen.page.context.close()
    assert wide <= 390
    assert not screen.faults
