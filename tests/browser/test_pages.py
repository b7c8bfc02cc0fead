"""What holds for every page: accessible, German, narrow screens, headings, empty states."""

import re
from pathlib import Path

import pytest
from conftest import Platform, Screen, new_screen
from playwright.sync_api import Browser, expect

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
PAGES = {
    "start": ("", "Was ist zu tun?"),
    "szenarien": ("szenarien", "Szenarien"),
    "bewerten": ("bewerten", "Bewerten"),
    "vergleich": ("vergleich", "Vergleich der Szenarien"),
    "steckbrief": ("steckbrief", "Steckbrief"),
    "durchlauf": ("durchlauf", "Durchlauf"),
    "hochladen": ("hochladen", "Durchlauf hochladen"),
    "gegenueberstellung": ("gegenueberstellung", "Zwei Durchläufe gegenüberstellen"),
    "neues-szenario": ("neues-szenario", "Neues Szenario"),
    "lernen": ("lernen", "Lernen"),
    "lektion": ("lektion", "Ein Intervall lesen"),
    "kalibrierung": ("kalibrierung", "Kalibrierung"),
    "bestaetigung": ("bestaetigung", "Bestätigung"),
    "uebereinstimmung": ("uebereinstimmung", "Übereinstimmung"),
    "klaerung": ("klaerung", "Klärung"),
    "neue-fassung": ("neue-fassung", "Neue Fassung eines Bewertungsrasters"),
    "rueckmeldungen": ("rueckmeldungen", "Rückmeldungen"),
    "pruefpunkte": ("pruefpunkte", "Prüfpunkte"),
}
UPLOADER = {"presentation-role-conflict"}
"""Streamlit's own fault in its file uploader; minor, and there is no way around it."""
QUERIES = {
    "durchlauf": {"durchlauf": "1"},
    "gegenueberstellung": {"a": "1", "b": "2"},
    "lektion": {"lektion": "intervall"},
    "kalibrierung": {"raster": "recherche@1"},
    "bestaetigung": {"raster": "recherche@1"},
    "uebereinstimmung": {"runde": "1"},
    "klaerung": {"runde": "1"},
    "neue-fassung": {"raster": "auskunft"},
}
"""What an address needs to show more than a question."""


def query_of(name: str, platform: Platform) -> dict[str, str]:
    found = QUERIES.get(name, {})
    return {**found, "szenario": platform.slug} if name == "gegenueberstellung" else found


PEOPLE = ("Nadja Organisation", "Emre Bewertung", "Ruth Lenkungskreis")
ENGLISH = (
    "Press ", "Skip to", "No results", "Select all", "Choose an option", "Clear value", "Rerun",
    "Running", "Settings", "Search", "Close", "Open", "Loading", "Fullscreen", "Copy to",
    "Made with", "Deploy", "required", "Sidebar", "App pages", "Upload", "per file", "Browse",
)  # fmt: skip


def violations(screen: Screen) -> list[tuple[str, str]]:
    screen.page.evaluate(AXE)
    found = screen.page.evaluate(
        "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', "
        "'best-practice']})"
    )
    return [
        (each["id"], each["nodes"][0]["html"][:160])
        for each in found["violations"]
        if not (each["id"] in UPLOADER and 'stFileUploaderDropzone"' in each["nodes"][0]["html"])
    ]


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_accessibility_violation(screen: Screen, name: str, person: str) -> None:
    path, title = PAGES[name]
    screen.open(path, person, **query_of(name, screen.platform))
    expect(screen.page.get_by_role("heading", level=1, name=title)).to_be_visible()
    assert screen.page.evaluate("document.documentElement.lang") == "de"
    screen.page.wait_for_timeout(300)
    assert violations(screen) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_comparison_is_accessible_in_both_themes(
    browser: Browser, platform: Platform, dark: bool
) -> None:
    screen = new_screen(browser, platform, dark=dark)
    screen.open("vergleich", "Ruth Lenkungskreis")
    screen.page.wait_for_timeout(500)
    found = violations(screen)
    screen.page.context.close()
    assert found == []


@pytest.mark.parametrize("name", PAGES)
def test_page_shows_no_english(screen: Screen, name: str) -> None:
    screen.open(PAGES[name][0], "Nadja Organisation", **query_of(name, screen.platform))
    words = screen.all_words()
    assert [word for word in ENGLISH if word in words] == []


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_narrow_screen(browser: Browser, platform: Platform, name: str) -> None:
    screen = new_screen(browser, platform, width=390, height=844)
    screen.open(PAGES[name][0], "Nadja Organisation", **query_of(name, platform))
    wide = screen.page.evaluate("document.documentElement.scrollWidth")
    screen.page.context.close()
    assert wide <= 390
    assert not screen.faults


def test_visitor_is_asked_who_they_are(screen: Screen) -> None:
    screen.open("")
    expect(screen.page.get_by_role("heading", name="Wer sind Sie?")).to_be_visible()
    screen.page.get_by_role("button", name="Ruth Lenkungskreis").click()
    expect(screen.page.get_by_role("heading", name="Wer sind Sie?")).to_have_count(0)
    expect(screen.page).to_have_url(re.compile("person=Ruth"))
    screen.page.reload()
    screen.rest()
    expect(screen.page.get_by_role("heading", name="Wer sind Sie?")).to_have_count(0)


def test_demonstration_is_marked_on_every_page_that_shows_it(screen: Screen) -> None:
    for path in ("szenarien", "vergleich"):
        screen.open(path, "Ruth Lenkungskreis", szenario="buerger-chatbot")
        expect(screen.page.get_by_text("Demodaten").first).to_be_visible()


def test_answers_carry_security_headers(screen: Screen, platform: Platform) -> None:
    answer = screen.page.request.get(platform.url)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
