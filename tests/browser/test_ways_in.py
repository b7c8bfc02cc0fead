"""A pilot team in a real browser: makes a scenario, uploads cases and two variants from Excel, sees
indicators against the baseline; takes an upload back; is told in German what is wrong."""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Platform, Screen, new_screen, prose
from openpyxl import Workbook, load_workbook
from playwright.sync_api import Browser, expect
from test_pages import violations

PILOT = "Nadja Organisation"
TITLE = "Kündigungen vorsortieren"
SLUG = "kuendigungen-vorsortieren"


def xlsx(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


def cases(path: Path) -> Path:
    rows: list[list[Any]] = [["Fall", "Eingabe", "Referenz", "Thema", "Grenzfall"]]
    rows += [
        [f"k-{n}", f"Schreiben {n}: Ich kündige zum Ende des Monats, Gründe wie besprochen.",
         "Kündigung, Frist prüfen", "Kündigung", "ja" if n == 4 else "nein"]
        for n in range(1, 6)
    ]  # fmt: skip
    return xlsx(path, rows)


def outputs(path: Path, text: str, n: int = 5) -> Path:
    rows: list[list[Any]] = [["Fall", "Ausgabe", "Antwortzeit (ms)"]]
    rows += [
        [f"k-{number}", f"{text} Nummer {number}.", 100 * number] for number in range(1, n + 1)
    ]
    return xlsx(path, rows)


def choose(screen: Screen, label: str, option: str) -> None:
    screen.page.get_by_role("combobox", name=label).click()
    screen.page.get_by_role("option", name=option).click()
    screen.rest()


def upload(screen: Screen, file: Path) -> None:
    screen.page.locator('input[type="file"]').set_input_files(file)
    screen.rest()


@pytest.fixture(scope="module")
def created(browser: Browser, platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The scenario, made with the form in the app."""
    folder = tmp_path_factory.mktemp("cases")
    screen = new_screen(browser, platform)
    screen.open("szenarien", PILOT)
    page = screen.page
    page.get_by_role("link", name="Neues Szenario anlegen").click()
    expect(page.get_by_role("heading", level=1, name="Neues Szenario")).to_be_visible()
    for label, text in {
        "Titel": TITLE,
        "Was soll das System tun?": "Kündigungen erkennen und weiterleiten.",
        "Wem hilft es?": "Der Poststelle.",
        "Art der KI": "Klassifikation",
        "Variante, die weiterentwickelt werden soll (Kandidat)": "Assistent A",
    }.items():
        page.get_by_label(label, exact=True).fill(text)
        page.keyboard.press("Tab")
        screen.rest()
    for number, level, reason in ((0, "2 von 5", "Ohne Schnittstelle."), (1, "4 von 5", "Fast.")):
        page.get_by_role("radio", name=level).nth(number).check(force=True)
        screen.rest()
        expect(page.get_by_text(prose("fehlt die Begründung; bitte ergänzen"))).to_be_visible()
        page.get_by_label(": Begründung").nth(number).fill(reason)
        page.keyboard.press("Tab")
        expect(page.get_by_text(prose("fehlt die Begründung; bitte ergänzen"))).to_have_count(0)
    page.get_by_label("Kosten je Fall in EUR", exact=True).fill("0,01")
    page.keyboard.press("Tab")
    screen.rest()
    upload(screen, cases(folder / "faelle.xlsx"))
    expect(page.get_by_text(prose("5 Fälle gelesen, davon 1 Grenzfall"))).to_be_visible()
    choose(screen, "Raster", "Eigenes Raster schreiben")
    page.get_by_label("Name des Rasters").fill("Vorsortieren")
    for number in range(3):
        page.get_by_label("Name", exact=True).nth(number).fill(f"Kriterium {number}")
        page.get_by_label("Gewicht in Prozent").nth(number).fill(("40", "30", "30")[number])
        for level in range(1, 6):
            page.get_by_label(f"Stufe {level}").nth(number).fill(f"Text {number} zu Stufe {level}")
    page.keyboard.press("Tab")
    screen.rest()
    page.get_by_role("button", name="Szenario anlegen").click()
    expect(page.get_by_text(prose(f"„{TITLE}“ ist angelegt")).first).to_be_visible()
    expect(page.get_by_text("Noch kein Durchlauf").first).to_be_visible()
    screen.page.context.close()
    assert not screen.faults, screen.faults
    return SLUG


def take(screen: Screen, slug: str, file: Path, variant: str) -> None:
    screen.open("hochladen", PILOT, szenario=slug)
    choose(screen, "Von welcher Variante sind die Ausgaben?", variant)
    upload(screen, file)
    expect(screen.page.get_by_text(prose("5 Ausgaben zu 5 Fällen."))).to_be_visible()
    screen.page.get_by_role("button", name="Durchlauf übernehmen").click()
    heading = screen.page.get_by_role("heading", level=1, name="Durchlauf", exact=True)
    expect(heading).to_be_visible()
    screen.rest()


def test_pilot_team_sees_indicators_against_baseline(
    screen: Screen, created: str, tmp_path: Path
) -> None:
    page = screen.page
    take(screen, created, outputs(tmp_path / "a.xlsx", "Kündigung erkannt."), "Assistent A")
    expect(
        page.get_by_text(prose("5 Ausgaben von „Assistent A“ aufgezeichnet")).first
    ).to_be_visible()
    baseline = outputs(tmp_path / "b.xlsx", "Brief.")
    take(screen, created, baseline, "Wie bisher, ohne KI")
    screen.open("steckbrief", PILOT, szenario=created)
    table = page.get_by_test_id("stTable").filter(has_text="Wörter je Antwort")
    expect(table).to_contain_text("Assistent A, Kandidat")
    expect(table).to_contain_text("ohne KI")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    take(screen, created, baseline, "Wie bisher, ohne KI")
    expect(page.get_by_text(prose("schon hochgeladen; es hat sich nichts geändert")).first
           ).to_be_visible()  # fmt: skip

    screen.open("steckbrief", PILOT, szenario=created)
    page.get_by_role("link", name="Zwei Durchläufe Fall für Fall").click()
    expect(page.get_by_text(prose("5 Fälle von 5 verschieden"))).to_be_visible()
    expect(page.locator("mark").first).to_be_visible()


def test_upload_is_undone_within_the_hour(screen: Screen, created: str, tmp_path: Path) -> None:
    page = screen.page
    take(screen, created, outputs(tmp_path / "c.xlsx", "Irrtum."), "Assistent A")
    page.get_by_role("button", name="Hochladen rückgängig machen").click()
    expect(page.get_by_text(prose("Der Durchlauf „Assistent A“ ist zurückgenommen")).first
           ).to_be_visible()  # fmt: skip


def test_wrong_file_is_refused_row_by_row(screen: Screen, created: str, tmp_path: Path) -> None:
    screen.open("hochladen", PILOT, szenario=created)
    choose(screen, "Von welcher Variante sind die Ausgaben?", "Assistent A")
    file = xlsx(tmp_path / "falsch.xlsx", [["Fall", "Ausgabe"], ["k-1", "gut"], ["k-99", "wer?"],
                                           ["k-1", "doppelt"]])  # fmt: skip
    upload(screen, file)
    page = screen.page
    expect(page.get_by_text("Zeile 3, Spalte A")).to_be_visible()
    expect(page.get_by_text(prose("Fall 'k-1' steht schon in Zeile 2"))).to_be_visible()
    expect(page.get_by_role("button", name="Durchlauf übernehmen")).to_have_count(0)


def test_half_the_cases_need_a_confirmation(screen: Screen, created: str, tmp_path: Path) -> None:
    screen.open("hochladen", PILOT, szenario=created)
    choose(screen, "Von welcher Variante sind die Ausgaben?", "Assistent A")
    upload(screen, outputs(tmp_path / "halb.xlsx", "Halb.", n=2))
    take_it = screen.page.get_by_role("button", name="Durchlauf übernehmen")
    expect(screen.page.get_by_text(prose("Zu 3 Fällen fehlt die Ausgabe"))).to_be_visible()
    expect(take_it).to_be_disabled()
    screen.page.get_by_text("Trotzdem übernehmen").click()
    expect(take_it).to_be_enabled()


def test_template_holds_the_cases(screen: Screen, created: str) -> None:
    screen.open("hochladen", PILOT, szenario=created)
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name="Excel-Vorlage mit allen Fällen").click()
    book = load_workbook(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert [cell.value for cell in book["Ausgaben"]["A"]][1:] == [f"k-{n}" for n in range(1, 6)]


def test_scenario_is_taken_along_as_files(screen: Screen, created: str) -> None:
    screen.open("steckbrief", PILOT, szenario=created)
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name="Als Dateien mitnehmen").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert f"scenarios/{created}/scenario.yaml" in archive.namelist()
        cases = archive.read(f"scenarios/{created}/cases.jsonl").decode().splitlines()
    assert [json.loads(case)["id"] for case in cases] == [f"k-{n}" for n in range(1, 6)]


def test_steckbrief_shows_what_the_form_asked(screen: Screen, created: str) -> None:
    screen.open("steckbrief", PILOT, szenario=created)
    page = screen.page
    for text in ("2 von 5: In Wochen einsetzbar", "Begründung: Ohne Schnittstelle.",
                 "4 von 5: In fast allen Häusern einsetzbar", "0,01 EUR je Fall"):  # fmt: skip
        expect(page.get_by_text(prose(text)).first).to_be_visible()
    expect(page.get_by_text("nicht angegeben")).to_have_count(0)
    page.get_by_role("heading", name="Für den Vergleich").scroll_into_view_if_needed()
    assert violations(screen) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_wrong_cases_are_refused_row_by_row(screen: Screen, created: str, tmp_path: Path) -> None:
    screen.open("steckbrief", PILOT, szenario=created)
    page = screen.page
    page.get_by_text("Fälle ersetzen").first.click()
    rows = [["Fall", "Eingabe"], ["k 1", "Leerzeichen"], ["k-2", None]]
    upload(screen, xlsx(tmp_path / "faelle.xlsx", rows))
    expect(page.get_by_text(prose("Zeile 2, Spalte A („Fall“): 'k 1' ist keine"))).to_be_visible()
    expect(page.get_by_text(prose("Zeile 3, Spalte B („Eingabe“): hier fehlt"))).to_be_visible()
    expect(page.get_by_role("button", name="Fälle ersetzen")).to_have_count(0)


def test_evaluator_may_not_upload(screen: Screen, created: str) -> None:
    screen.open("hochladen", "Emre Bewertung", szenario=created)
    expect(screen.page.get_by_text("können nur Pilotteams und die Organisation")).to_be_visible()
