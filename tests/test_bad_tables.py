"""Whatever is wrong with a table is said in a German sentence that names row and column."""

import io
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sheets
from uploading import HEADER, refusal, upload

from reallabor.recording import table as tables
from reallabor.recording.table import read_table
from reallabor.scenarios import ScenarioFolder

# --- bad cells: all named by row and column ------------------------------------------------------


def test_all_problems_are_named_at_once(scenario: ScenarioFolder) -> None:
    rows = [
        HEADER,
        ["k-1", "gut", "steuer", None, None, None],
        ["k-1", "doppelt"],
        [None, "ohne Fall"],
        ["k-7", "fremd"],
        ["k-2", "x", None, "morgen"],
        ["k-4", "x", None, None, "schnell", -1],
    ]
    lines = refusal(scenario, sheets.xlsx(rows)).split("\n")
    assert lines == [
        "'a.xlsx' wurde nicht übernommen.",
        "Zeile 2, Spalte C („Klasse“): 'steuer' gibt es nicht; möglich: widerspruch, miete, "
        "sonstiges.",
        "Zeile 3, Spalte A („Fall“): Fall 'k-1' steht schon in Zeile 2.",
        "Zeile 4, Spalte A („Fall“): hier fehlt der Fall.",
        "Zeile 5, Spalte A („Fall“): einen Fall 'k-7' gibt es in 'felder' nicht.",
        "Zeile 6, Spalte D („Frist“): 'morgen' ist kein Datum wie 30.11.2026.",
        "Zeile 7, Spalte E („Antwortzeit (ms)“): 'schnell' ist keine Zahl.",
        "Zeile 7, Spalte F („Kosten (EUR)“): -1 ist negativ.",
    ]


def test_many_problems_are_counted(scenario: ScenarioFolder) -> None:
    rows = [["Fall", "Ausgabe"], *([f"x-{n}", "a"] for n in range(100))]
    lines = refusal(scenario, sheets.xlsx(rows)).split("\n")
    assert len(lines) == 14
    assert lines[-1] == "… und 88 weitere Stellen."


def test_output_and_error_exclude_each_other(scenario: ScenarioFolder) -> None:
    rows = [["Fall", "Ausgabe", "Fehler"], ["k-1", "Text", "Zeitüberschreitung"]]
    said = refusal(scenario, sheets.xlsx(rows))
    assert "Zeile 2, Spalte C („Fehler“): hier stehen eine Ausgabe und ein Fehler" in said


def test_formula_without_result_is_named(scenario: ScenarioFolder) -> None:
    rows = [["Fall", "Ausgabe"], ["k-1", '="a"&"b"'], ["k-2", "gut"]]
    said = refusal(scenario, sheets.xlsx(rows))
    assert "Zeile 2, Spalte B („Ausgabe“): die Zelle enthält eine Formel ohne gespeichertes" in said
    # A formula on another sheet at the same place is none of our business.
    data = sheets.xlsx([["Fall", "Ausgabe"], ["k-1", None], ["k-2", "gut"]],
                       Auswertung=[["x", "y"], ["a", "=1+1"]])  # fmt: skip
    assert upload(scenario, data).missing == ["k-1", "k-3", "k-4", "k-5", "k-6"]


def test_formula_with_result_counts_as_its_result(scenario: ScenarioFolder) -> None:
    data = sheets.xlsx([["Fall", "Ausgabe"], ["k-1", '="a"&"b"']])

    def computed(sheet: bytes) -> bytes:
        sheet = sheet.replace(b"<v></v>", b"<v/>")  # as lxml writes it
        assert sheet.count(b"<v/>") == 1
        return sheet.replace(b'<c r="B2">', b'<c r="B2" t="str">').replace(b"<v/>", b"<v>ab</v>")

    data = sheets.repacked(data, {"xl/worksheets/sheet1.xml": computed})
    assert upload(scenario, data).entries[0].output == {"text": "ab"}


@pytest.mark.parametrize("error", ["#DIV/0!", "#N/A", "#REF!", "#NAME?"])
def test_error_value_is_no_empty_cell(scenario: ScenarioFolder, error: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(sheets.xlsx([["Fall", "Ausgabe"], ["k-1", "x"]])))
    book.active["B2"] = error  # openpyxl writes it as an error cell
    assert book.active["B2"].data_type == "e"
    said = refusal(scenario, sheets.saved(book))
    assert f"Zeile 2, Spalte B („Ausgabe“): die Zelle enthält den Fehlerwert {error}" in said
    csv = sheets.separated([["Fall", "Ausgabe"], ["k-1", error]])
    assert f"Spalte B („Ausgabe“): die Zelle enthält den Fehlerwert {error}" in refusal(
        scenario, csv, "a.csv"
    )


def test_ids_are_read_with_blanks_and_as_numbers(scenario: ScenarioFolder) -> None:
    named = [case.model_copy(update={"id": name}) for case, name in
             zip(scenario.cases, ["7", "A", "a", "08", "x.1", "y"], strict=True)]  # fmt: skip
    renamed = scenario.model_copy(update={"cases": named})
    rows = [["Fall", "Ausgabe"], [7, "s"], ["A ", "g"], ["\u00a0a", "k"], ["X.1  ", "p"]]
    found = upload(renamed, sheets.xlsx(rows))
    texts = {entry.case_id: entry.output["text"] for entry in found.entries if entry.output}
    assert texts == {"7": "s", "A": "g", "a": "k", "x.1": "p"}


def test_longest_cell_of_excel_is_noted(scenario: ScenarioFolder) -> None:
    rows = [["Fall", "Ausgabe"], ["k-1", "ä" * 32_767]]
    (note,) = upload(scenario, sheets.xlsx(rows)).notes
    assert note.startswith("Zeile 2: Die Ausgabe ist genau 32767 Zeichen lang")


# --- bad sheets -----------------------------------------------------------------------------------


def test_hidden_sheets_are_left_out_and_named(scenario: ScenarioFolder) -> None:
    good, other = [["Fall", "Ausgabe"], ["k-1", "gut"]], [["Fall", "Ausgabe"], ["k-1", "alt"]]
    book = openpyxl.load_workbook(io.BytesIO(sheets.xlsx(good, Alt=other, Uralt=other)))
    book["Alt"].sheet_state, book["Uralt"].sheet_state = "hidden", "veryHidden"
    found = upload(scenario, sheets.saved(book))
    assert found.entries[0].output == {"text": "gut"}
    assert found.notes == ["Ausgeblendet und nicht gelesen: Alt, Uralt."]


def test_two_sheets_with_outputs_need_a_choice(scenario: ScenarioFolder) -> None:
    rows = [["Fall", "Ausgabe"], ["k-1", "x"]]
    data = sheets.xlsx(rows, title="Mai", Juni=[["Fall", "Ausgabe"], ["k-1", "y"]], Notiz=[["a"]])
    assert "mehrere Blätter mit Ausgaben: 'Mai', 'Juni'. Bitte eines" in refusal(scenario, data)
    assert upload(scenario, data, sheet="Juni").entries[0].output == {"text": "y"}
    assert "kein sichtbares Blatt 'Juli'" in refusal(scenario, data, sheet="Juli")


def test_merged_title_above_the_header_is_no_header(scenario: ScenarioFolder) -> None:
    rows = [["Ergebnisse Oktober"], [None, "System"], ["Fall", "Ausgabe"], ["k-1", "x"]]
    book = openpyxl.load_workbook(io.BytesIO(sheets.xlsx(rows)))
    book.active.merge_cells("A1:F1")
    book.active.merge_cells("B2:D2")
    assert upload(scenario, sheets.saved(book)).entries[0].output == {"text": "x"}


def test_header_in_two_rows_is_said(scenario: ScenarioFolder) -> None:
    rows = [["Fall", "System", None], [None, "Ausgabe", "Zeit"], ["k-1", "x", 3]]
    book = openpyxl.load_workbook(io.BytesIO(sheets.xlsx(rows)))
    book.active.merge_cells("A1:A2")
    book.active.merge_cells("B1:C1")
    said = refusal(scenario, sheets.saved(book))
    assert "Keine Spalte für die Ausgaben (z. B. „Ausgabe“) gefunden; vorhanden: „Fall“" in said


def test_macros_are_noted_and_not_run(scenario: ScenarioFolder) -> None:
    data = sheets.repacked(
        sheets.xlsx([["Fall", "Ausgabe"], ["k-1", "x"]]), {"xl/vbaProject.bin": b"\xd0\xcf" * 50}
    )
    found = upload(scenario, data, "a.xlsm")
    assert found.entries[0].output == {"text": "x"}
    assert found.notes == ["Die Datei enthält Makros; sie wurden nicht ausgeführt."]


def test_stray_cell_far_outside_is_refused_quickly(scenario: ScenarioFolder) -> None:
    book = openpyxl.load_workbook(io.BytesIO(sheets.xlsx([["Fall", "Ausgabe"], ["k-1", "x"]])))
    book.active["XFD1048576"] = "hier"
    assert "reicht bis Zeile 1048576 und Spalte 16384" in refusal(scenario, sheets.saved(book))


# --- bad files ------------------------------------------------------------------------------------


def encrypted_ole() -> bytes:
    """What Excel saves with a password: a compound file around an encrypted package."""
    return sheets.compound({"EncryptionInfo": b"\x04\x00\x04\x00" + b"\x40" * 60,
                            "EncryptedPackage": b"\x99" * 5000})  # fmt: skip


def flagged() -> bytes:
    """An archive whose members are marked as encrypted."""
    data = bytearray(sheets.xlsx([["Fall", "Ausgabe"], ["k-1", "x"]]))
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    return bytes(data)


def bomb(size: int = 130_000_000) -> bytes:
    """A sheet that unpacks to far more than it looks."""
    good = sheets.xlsx([["Fall", "Ausgabe"], ["k-1", "x"]])
    return sheets.repacked(good, {"xl/worksheets/sheet9.xml": b" " * size})


def forged() -> bytes:
    """The same, whose table of contents says it were small."""
    data = bytearray(bomb())
    at = data.rfind(b"PK\x01\x02", 0, data.find(b"sheet9.xml", len(data) // 2))
    struct.pack_into("<I", data, at + 24, 1000)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("a.xlsx", encrypted_ole, "ist mit einem Passwort geschützt. Bitte in Excel unter"),
        ("a.xlsx", flagged, "ist mit einem Passwort geschützt"),
        ("a.ods", lambda: sheets.ods([["a"]], encrypted=True), "ist mit einem Passwort geschützt"),
        ("a.xlsx", bomb, "ist entpackt größer als 120 MB"),
        ("a.xlsx", forged, "ist beschädigt oder keine Tabelle"),
        ("a.xlsx", lambda: b"", "ist leer"),
        ("a.csv", lambda: b" \r\n ", "ist leer"),
        ("a.xlsx", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3" + b"x" * 900, "ist beschädigt oder"),
        ("a.csv", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"\x00" * 9, "ist keine Textdatei"),
        ("a.pdf", lambda: b"%PDF-1.7", "Dateien mit der Endung '.pdf' werden nicht gelesen"),
        ("ausgaben", lambda: b"Fall;Ausgabe", "Endung 'ohne' werden nicht gelesen"),
        ("a.xls", lambda: b"<html><table></table></html>", "ist beschädigt oder keine Tabelle"),
        ("a.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 900, "lässt sich nicht"),
        ("a.xlsx", lambda: sheets.zipped({"word/document.xml": b"<x/>"}), "lässt sich nicht"),
        ("a.xlsx", lambda: sheets.xlsx([[]]), "enthält kein"),
        ("a.xlsx", lambda: sheets.xlsx([["Fall", "Ausgabe"]]), "enthält keine Zeilen unter einer"),
        ("a.csv", lambda: b"Fall;Ausgabe\n", "enthält keine Zeilen unter einer"),
        ("a.xlsx", lambda: sheets.xlsx([["Name", "Farbe"], ["a", "b"]]), "Keine Spalte für die F"),
        ("a.csv", lambda: b'Fall;Ausgabe\nk-1;"offen\nk-2;x\n', "ab Zeile 2: Die Anführungszei"),
        ("a.csv", lambda: b'Fall;Ausgabe\nk-1;"a"b\n', "ab Zeile 2: Die Anführungszeichen"),
        ("a.jsonl", lambda: b'{"case": "k-1"}\n[1]\n', "Zeile 2: Das ist kein JSON-Objekt"),
        ("a.jsonl", lambda: b'\n{"case": \n', "Zeile 2: Das ist kein JSON-Objekt"),
        ("a.jsonl", lambda: b"[" * 200_000 + b"\n", "Zeile 1: Das ist kein JSON-Objekt"),
        ("a.jsonl", lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF", "ist keine Textdatei"),
        ("a.csv", lambda: b"Fall;Ausgabe\n" + b"k;x\n" * 50_001, "hat 50002 Zeilen; gelesen w"),
    ],
)  # fmt: skip
def test_bad_file_is_refused_in_a_sentence(
    scenario: ScenarioFolder, name: str, make: Any, sentence: str
) -> None:
    said = refusal(scenario, make(), name)
    assert sentence in said
    assert "Traceback" not in said
    assert len(said) < 1000


def test_large_file_is_refused_unread(
    scenario: ScenarioFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_spreadsheet", None)  # must not be reached
    assert "ist 200 MB groß; gelesen werden höchstens 20 MB" in refusal(
        scenario, bytes(200_000_000)
    )


def test_reader_that_hangs_is_given_up(
    scenario: ScenarioFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_READING_S", 0.01)
    data = sheets.xlsx([["Fall", "Ausgabe"], ["k-1", "x"]])
    assert "ließ sich nicht in 0 s lesen" in refusal(scenario, data)


def test_reader_that_dies_is_a_sentence(
    scenario: ScenarioFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -9 $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    data = sheets.xlsx([["Fall", "Ausgabe"], ["k-1", "x"]])
    assert "lässt sich nicht lesen; die Datei ist zu groß oder beschädigt" in refusal(
        scenario, data
    )


def test_archive_in_an_archive_is_not_unpacked(scenario: ScenarioFolder) -> None:
    inner = bomb()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/embeddings/x.xlsx", inner)
    assert "lässt sich nicht als Tabelle lesen" in refusal(scenario, file.getvalue())


def test_header_is_found_within_thirty_rows() -> None:
    grid = [["-"]] * 20 + [["Fall", "Ausgabe"], ["1", "x"]]
    found = read_table(
        "a.csv", sheets.separated(grid), lambda row: list(row) == ["Fall", "Ausgabe"]
    )
    assert (found.header, found.rows) == (["Fall", "Ausgabe"], [(22, ["1", "x"])])
