"""Voices in a real browser: tablet, one-time link, paper from the keyboard; accessible, private."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Platform, Screen, new_screen, prose
from playwright.sync_api import Browser, BrowserContext, Page, expect
from test_pages import ENGLISH, violations

PILOT, RATER = "Nadja Organisation", "Emre Bewertung"
SLUG = "buerger-chatbot"
PUBLIC = "reallabor/rueckmeldung"


def demo_tablet(platform: Platform, audience: str) -> str:
    """The address of the demonstration's survey for a tablet."""
    with sqlite3.connect(platform.home / "reallabor.sqlite") as database:
        (key,) = database.execute(
            "SELECT device_key FROM survey JOIN scenario ON scenario.id = scenario_id"
            " WHERE slug = ? AND audience = ? AND closed_at IS NULL",
            (SLUG, audience),
        ).fetchone()
    return f"{platform.url}/{PUBLIC}/geraet/{key}"


def count_voices(platform: Platform) -> int:
    with sqlite3.connect(platform.home / "reallabor.sqlite") as database:
        return int(database.execute("SELECT count(*) FROM voice").fetchone()[0])


@pytest.fixture
def phone(browser: Browser, platform: Platform) -> Iterator[Screen]:
    """A narrow screen without JavaScript, as the public pages must work."""
    context = browser.new_context(
        locale="de-DE", viewport={"width": 390, "height": 844}, java_script_enabled=False
    )
    screen = Screen(context.new_page(), platform)
    screen.watch()
    yield screen
    context.close()
    assert not screen.faults, screen.faults


def choose(page: Page, question: str, answer: str) -> None:
    page.get_by_role("group", name=question).get_by_label(answer, exact=True).check()


def cookies(context: BrowserContext) -> list[str]:
    return [str(cookie.get("name")) for cookie in context.cookies()]


# --- the public pages ---------------------------------------------------------------------------


def test_tablet_takes_one_answer_after_the_other(phone: Screen, platform: Platform) -> None:
    page, before = phone.page, count_voices(platform)
    page.goto(demo_tablet(platform, "clients"))
    choose(page, "Würden Sie das Programm nutzen?", "Vielleicht")
    page.get_by_label("Macht Ihnen etwas Sorgen?").fill("Nur ein Geheimnis")
    page.get_by_role("checkbox", name="Einfache Sprache").check()
    group = page.get_by_role("group", name="Möchten Sie das Programm benutzen?")
    expect(group.get_by_label("Vielleicht")).to_be_checked()
    expect(page.get_by_label("Haben Sie Sorgen?")).to_have_value("Nur ein Geheimnis")
    page.get_by_role("button", name="Antworten abschicken").click()
    expect(page.get_by_role("heading", name="Vielen Dank!")).to_be_visible()
    assert count_voices(platform) == before + 1
    assert "Geheimnis" not in page.content()
    page.go_back()
    expect(page.get_by_role("button", name="Antworten abschicken")).to_be_visible()
    expect(page.locator("input:checked")).to_have_count(0)
    expect(page.locator("textarea")).to_have_value("")
    page.goto(f"{demo_tablet(platform, 'clients')}/danke")
    page.get_by_role("link", name="Neuer Fragebogen").click()
    expect(page.get_by_role("checkbox", name="Einfache Sprache")).not_to_be_checked()
    expect(page.locator("textarea")).to_have_value("")
    assert cookies(page.context) == []
    assert count_voices(platform) == before + 1


def test_tablet_returns_by_itself(phone: Screen, platform: Platform) -> None:
    page = phone.page
    page.goto(f"{demo_tablet(platform, 'staff')}/danke")
    expect(page.get_by_role("heading", name="Vielen Dank!")).to_be_visible()
    page.wait_for_url(re.compile(r"/geraet/[-a-z0-9]+$"), timeout=25_000)
    expect(page.get_by_role("button", name="Antworten abschicken")).to_be_visible()


def test_empty_sheet_is_told_and_can_go_on(phone: Screen, platform: Platform) -> None:
    page, before = phone.page, count_voices(platform)
    page.goto(demo_tablet(platform, "staff"))
    page.get_by_role("button", name="Antworten abschicken").click()
    expect(page.get_by_role("alert")).to_contain_text("Sie haben noch nichts beantwortet")
    expect(page.get_by_role("alert")).to_be_focused()
    choose(page, "Würden Sie mit dem Programm arbeiten?", "Eher ja")
    page.get_by_role("button", name="Antworten abschicken").click()
    expect(page.get_by_role("heading", name="Vielen Dank!")).to_be_visible()
    assert count_voices(platform) == before + 1


def test_questionnaire_is_answered_by_keyboard(screen: Screen, platform: Platform) -> None:
    page, before = screen.page, count_voices(platform)
    page.goto(demo_tablet(platform, "clients"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="Einfache Sprache")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Enter")  # sends nothing by accident
    assert page.locator("input:checked").count() == 4
    page.keyboard.press("Tab")
    page.keyboard.type("Mit der Tastatur")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Vielen Dank!")).to_be_visible()
    assert count_voices(platform) == before + 1


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", ["", "?sprache=einfach", "/danke", "/gibt/es/nicht"])
def test_public_page_is_accessible_and_fits(
    browser: Browser, platform: Platform, path: str, width: int
) -> None:
    # The policy of these pages forbids even the checker's script.
    context = browser.new_context(viewport={"width": width, "height": 844}, bypass_csp=True,
                                  locale="de-DE")  # fmt: skip
    screen = Screen(context.new_page(), platform)
    screen.watch()
    tablet = demo_tablet(platform, "clients")
    wrong = f"{platform.url}/{PUBLIC}/2345-6789"
    screen.page.goto(wrong if "nicht" in path else f"{tablet}{path}")
    found = violations(screen)
    widths = [screen.page.evaluate("document.documentElement.scrollWidth")]
    # 200 % zoom halves the room; the text must not need sideways scrolling.
    screen.page.set_viewport_size({"width": max(320, width // 2), "height": 422})
    widths.append(screen.page.evaluate("document.documentElement.scrollWidth"))
    assert screen.page.evaluate("document.documentElement.lang") == "de"
    small = screen.page.evaluate(
        "[...document.querySelectorAll('button:not([hidden]), a, fieldset label')]"
        ".filter(e => e.getBoundingClientRect().height < 44).length"
    )
    stored = cookies(context)
    context.close()
    assert found == []
    assert (widths[0] <= width, widths[1] <= max(320, width // 2)) == (True, True)
    assert small == 0
    assert stored == []
    assert not screen.faults


# --- the page of those who ask ------------------------------------------------------------------


def end_survey(screen: Screen) -> None:
    """End it; on a busy machine a click may meet a page that is just being drawn, so once more."""
    panel(screen, "Befragung beenden")
    screen.rest()
    button = screen.page.get_by_role("button", name="Befragung beenden")
    said = screen.page.get_by_text("Die Befragung ist beendet").first
    button.click()
    with suppress(AssertionError):
        expect(said).to_be_visible(timeout=8_000)
    if not said.is_visible() and button.is_visible():
        button.click()
    expect(said).to_be_visible()


@pytest.fixture(scope="module")
def survey(browser: Browser, platform: Platform) -> Platform:
    """The demonstration's survey of the small trial ended, and a new one opened, in the app."""
    screen = new_screen(browser, platform)
    screen.open("steckbrief", PILOT, szenario=platform.slug)
    page = screen.page
    page.get_by_role("link", name="Rückmeldungen").click()
    expect(page.get_by_role("heading", level=1, name="Rückmeldungen")).to_be_visible()
    expect(page.get_by_text("läuft seit")).to_be_visible()
    screen.rest()
    end_survey(screen)
    expect(page.get_by_role("heading", name=prose("Frühere Befragung"))).to_be_visible()
    screen.rest()
    page.get_by_role("button", name="Befragung beginnen").click()
    expect(page.get_by_text("worum es geht (höchstens")).to_be_visible()
    page.get_by_role("textbox", name=prose("Worum geht es?")).fill(
        "Ein Programm beantwortet Fragen."
    )
    page.keyboard.press("Tab")
    screen.rest()
    page.get_by_role("button", name="Befragung beginnen").click()
    expect(page.get_by_text("Die Befragung läuft").first).to_be_visible()
    page.context.close()
    assert not screen.faults, screen.faults
    return platform


def panel(screen: Screen, name: str) -> None:
    summary = screen.page.locator("summary").filter(has_text=name)
    summary.click()
    expect(screen.page.locator("details[open]").filter(has=summary)).to_be_visible()
    screen.rest()


def downloaded(screen: Screen, name: str) -> str:
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name=name).click()
    return Path(download.value.path()).read_text("utf-8")


def test_link_from_the_sheet_gives_one_answer(
    screen: Screen, phone: Screen, survey: Platform
) -> None:
    screen.open("rueckmeldungen", PILOT, szenario=survey.slug)
    panel(screen, "Links und QR-Codes zum Ausschneiden")
    screen.page.get_by_role("button", name="Links anlegen").click()
    expect(screen.page.get_by_text("16 Links sind angelegt")).to_be_visible()
    sheet = downloaded(screen, "Blatt mit 16 Links")
    links = re.findall(r'class="link">([^<]+)<', sheet)
    assert len(links) == len(set(links)) == sheet.count("<svg") == 16
    phone.page.goto(links[0])
    choose(phone.page, "Würden Sie das Programm nutzen?", "Ja")
    phone.page.get_by_role("button", name="Antworten abschicken").click()
    expect(phone.page.get_by_role("heading", name="Vielen Dank!")).to_be_visible()
    phone.page.goto(links[0])
    expect(phone.page.get_by_text("Mit diesem Link hat schon jemand geantwortet")).to_be_visible()
    assert cookies(phone.page.context) == []
    screen.open("rueckmeldungen", PILOT, szenario=survey.slug)
    panel(screen, "Links und QR-Codes zum Ausschneiden")
    expect(screen.page.get_by_text(prose("1 von 16 Links benutzt"))).to_be_visible()


def test_paper_is_entered_from_the_keyboard(screen: Screen, survey: Platform) -> None:
    page, before = screen.page, count_voices(survey)
    screen.open("rueckmeldungen", PILOT, szenario=survey.slug)
    panel(screen, "Papierbogen drucken")
    paper = downloaded(screen, "Papierbogen")
    assert paper.count('class="box"') == 2 * 3 * 3
    assert "Möchten Sie das Programm benutzen?" in paper
    panel(screen, "Papierbögen eingeben")
    digits = page.get_by_label(prose("Ziffern (3 Fragen)"))
    digits.click()
    for number, typed in enumerate(("123", "333", "20-", "313", "222"), start=1):
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        expect(page.get_by_text("Zuletzt gespeichert:")).to_be_visible()
        expect(digits).to_have_value("")
        expect(digits).to_be_focused()  # the next sheet at once
        assert count_voices(survey) == before + number
    page.keyboard.type("129")
    page.keyboard.press("Enter")
    expect(page.get_by_text(prose("„9“ bei Frage 3 gibt es nicht"))).to_be_visible()
    expect(digits).to_have_value("129")
    assert count_voices(survey) == before + 5
    page.get_by_role("button", name="Letzten Bogen zurücknehmen").click()
    expect(page.get_by_role("button", name="Letzten Bogen zurücknehmen")).to_have_count(0)
    assert count_voices(survey) == before + 4


def test_few_answers_show_only_their_number(screen: Screen, survey: Platform) -> None:
    """The ended survey of the demonstration has four."""
    screen.open("rueckmeldungen", RATER, szenario=survey.slug)
    expect(screen.page.get_by_text("4 Antworten", exact=True)).to_be_visible()
    expect(screen.page.get_by_text(prose("Gezeigt wird ab 5 Antworten")).last).to_be_visible()
    words = screen.all_words()
    assert "mit einem Menschen sprechen" not in words


def test_reader_sees_results_but_no_tools(screen: Screen, platform: Platform) -> None:
    screen.open("rueckmeldungen", RATER, szenario=SLUG)
    page = screen.page
    expect(page.locator("table.voices")).to_have_count(4)
    expect(page.get_by_text("fließen in keinen Punktwert ein")).to_be_visible()
    expect(page.get_by_text("Demodaten").first).to_be_visible()
    for tool in ("Papierbögen eingeben", "Befragung beenden", "Tablet im Haus"):
        expect(page.locator("summary").filter(has_text=tool)).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_page_with_all_panels_open_is_accessible(
    browser: Browser, platform: Platform, dark: bool
) -> None:
    screen = new_screen(browser, platform, dark=dark)
    screen.open("rueckmeldungen", PILOT, szenario=SLUG)
    for summary in screen.page.locator("summary").all():
        summary.click()
    expect(screen.page.get_by_alt_text("QR-Code zum Fragebogen auf dem Tablet")).to_be_visible()
    screen.page.wait_for_timeout(500)
    found, words = violations(screen), screen.all_words()
    screen.page.context.close()
    assert found == []
    assert [word for word in ENGLISH if word in words] == []
    assert not screen.faults


def test_tablet_of_an_ended_survey_says_so(screen: Screen, phone: Screen, survey: Platform) -> None:
    screen.open("rueckmeldungen", PILOT, szenario=survey.slug)
    panel(screen, "Tablet im Haus")
    address = screen.page.get_by_test_id("stCode").inner_text().strip()
    end_survey(screen)
    phone.page.goto(address)
    expect(phone.page.get_by_text("Diese Befragung ist beendet")).to_be_visible()
