"""The page Vergleich in a real browser: what one sees can be taken along, and a link shows it."""

import csv
import io
from pathlib import Path

import pytest
from conftest import Screen
from playwright.sync_api import expect

STEERING = "Ruth Lenkungskreis"


@pytest.mark.parametrize(
    ("kind", "label", "start"),
    [("PNG", "Diagramm als PNG speichern", b"\x89PNG"),
     ("SVG", "Diagramm als Bild speichern", b"<svg ")],
    ids=["png", "svg"],
)  # fmt: skip
def test_chart_is_saved_without_a_request(
    screen: Screen, kind: str, label: str, start: bytes
) -> None:
    screen.open("vergleich", STEERING, szenario="buerger-chatbot")
    screen.page.get_by_test_id("stRadio").get_by_text(kind, exact=True).click()
    screen.rest()
    button = screen.page.get_by_label(label).first
    expect(button).to_be_attached()
    with screen.page.expect_download() as download:
        button.dispatch_event("click")
    assert download.value.suggested_filename.endswith(f".{kind.lower()}")
    assert Path(download.value.path()).read_bytes().startswith(start)


def test_file_has_what_the_filter_shows(screen: Screen) -> None:
    screen.open("vergleich", STEERING, ki="gibt es nicht")
    expect(screen.page.get_by_text("Der Link nennt bei „Art der KI“")).to_be_visible()
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name="Tabelle als CSV-Datei").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    table = screen.page.locator(".st-key-overview-table")
    assert len(rows) == table.locator("tbody tr").count()
    for row in rows:
        expect(table.get_by_text(row["Szenario"]).first).to_be_visible()
