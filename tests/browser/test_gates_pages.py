"""Prüfpunkte in a real browser: accessible, in German, and one office's way from the start page to
a confirmed gate whose file is fetched back."""

import pytest
from conftest import Platform, Screen, new_screen, prose
from playwright.sync_api import Browser, expect
from test_pages import ENGLISH, violations

SLUG, GATE = "kleiner-versuch", "personalrat"
COUNCIL = "Petra Personalrat"


@pytest.mark.parametrize(
    "person", ["Daniel Datenschutz", "Ruth Lenkungskreis", "Petra Personalrat"]
)
def test_gates_are_accessible_and_german(screen: Screen, person: str) -> None:
    screen.open("pruefpunkte", person, szenario="buerger-chatbot", punkt="dsfa-vorpruefung")
    expect(screen.page.get_by_role("heading", level=1, name="Prüfpunkte")).to_be_visible()
    expect(screen.page.get_by_text("Demodaten").first).to_be_visible()
    screen.page.wait_for_timeout(300)
    assert violations(screen) == []
    words = screen.all_words()
    assert [word for word in ENGLISH if word in words] == []


def test_gates_fit_a_narrow_screen(browser: Browser, platform: Platform) -> None:
    screen = new_screen(browser, platform, width=390, height=844)
    screen.open("pruefpunkte", "Daniel Datenschutz", szenario="buerger-chatbot")
    wide = screen.page.evaluate("document.documentElement.scrollWidth")
    screen.page.context.close()
    assert wide <= 390
    assert not screen.faults


def test_office_confirms_a_gate_from_its_start_page(screen: Screen) -> None:
    page = screen.page
    screen.open("", COUNCIL)
    expect(page.get_by_text("Prüfpunkte: 1 offen").first).to_be_visible()
    page.locator(f".st-key-review-{SLUG} button").click()
    expect(
        page.get_by_role("heading", level=2, name="Beteiligung des Personalrats")
    ).to_be_visible()
    screen.rest()
    page.get_by_role("button", name="Ergebnis festhalten").click()
    expect(page.get_by_text("Bitte ein Ergebnis wählen.")).to_be_visible()
    page.get_by_test_id("stRadioGroup").get_by_text("erfüllt", exact=True).click()
    page.get_by_role("textbox", name="Begründung").fill(
        "Dienstvereinbarung vom 1. Oktober liegt vor."
    )
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "vereinbarung.txt", "mimeType": "text/plain", "buffer": b"Einverstanden."}
    )
    expect(page.get_by_text("vereinbarung.txt").first).to_be_visible()
    page.get_by_role("button", name="Ergebnis festhalten").click()
    expect(page.get_by_text(prose("„Beteiligung des Personalrats“: erfüllt festgehalten.")).first
           ).to_be_visible()  # fmt: skip
    screen.open("pruefpunkte", COUNCIL, szenario=SLUG, punkt=GATE)
    page.get_by_role("button", name="Datei holen: vereinbarung.txt").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Geprüfte Datei speichern").click()
    assert download.value.path().read_bytes() == b"Einverstanden."
