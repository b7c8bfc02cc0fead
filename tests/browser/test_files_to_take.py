"""Files that people take from a page: they wait for a slow browser, and a failure is told."""

from conftest import Platform, Screen, new_screen, prose
from playwright.sync_api import Browser, expect

PILOT, STEERING = "Nadja Organisation", "Ruth Lenkungskreis"


def test_file_waits_for_a_slow_browser_while_others_work(
    screen: Screen, browser: Browser, platform: Platform
) -> None:
    screen.open("vergleich", STEERING)
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name="Tabelle als CSV-Datei").click()
    other = new_screen(browser, platform)
    for path in ("vergleich", "", "vergleich"):
        other.open(path, STEERING)
    other.page.context.close()
    answer = screen.page.request.get(download.value.url)
    assert answer.status == 200
    assert "vergleich.csv" in answer.headers["content-disposition"]


def test_file_that_cannot_be_made_is_said_in_german(screen: Screen, platform: Platform) -> None:
    screen.open("steckbrief", PILOT, szenario=platform.slug)
    readme = platform.trial.folder / "README.md"
    before = readme.read_bytes() if readme.exists() else None
    readme.write_bytes(b"\xff\xfe broken")
    try:
        screen.page.get_by_role("button", name="Als Dateien mitnehmen").click()
        said = screen.page.get_by_text(prose("Die Datei ließ sich nicht herstellen."))
        expect(said).to_be_visible()
    finally:
        readme.unlink() if before is None else readme.write_bytes(before)
