"""Uploaded tables: every format is read, and whatever is wrong with a file is said in a German
sentence that names row and column."""

import io
import struct
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sheets
from building import Trial
from fielded import CASES, FIELDS, OUTPUTS, fielded_trial

from reallabor.errors import InvalidTable
from reallabor.recording import table as tables
from reallabor.recording.columns import guess_columns
from reallabor.recording.table import column_letter, read_table
from reallabor.recording.template import template
from reallabor.recording.uploads import Upload, read_upload, summary
from reallabor.recording.values import read_number, read_value
from reallabor.scenarios import FieldContent, ScenarioFolder, load_scenario
from reallabor.settings import get_settings

HEADER = ["Fall", "Ausgabe", "Klasse", "Frist", "Antwortzeit (ms)", "Kosten (EUR)"]
ROWS = [
    ["k-1", "Ein Brief,\nzwei Zeilen; „Zitat“", "miete", date(2026, 11, 30), 412.5, 0.002],
    ["k-2", 'Größe "XL"', "Widerspruch", None, 1200.0, None],
]


@pytest.fixture
def scenario(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScenarioFolder:
    trial: Trial = fielded_trial(tmp_path / "content", "felder")
    monkeypatch.setenv("REALLABOR_CONTENT", str(trial.content))
    get_settings.cache_clear()
    return load_scenario("felder")


def upload(scenario: ScenarioFolder, data: bytes, name: str = "a.xlsx", **more: Any) -> Upload:
    return read_upload(scenario, name, data, variant="eins", **more)


def refusal(scenario: ScenarioFolder, data: bytes, name: str = "a.xlsx", **more: Any) -> str:
    with pytest.raises(InvalidTable) as refused:
        upload(scenario, data, name, **more)
    assert f"'{name}'" in str(refused.value)
    return str(refused.value)


# --- formats --------------------------------------------------------------------------------------


def _excel_days(rows: sheets.Rows) -> sheets.Rows:
    """A day as the number that a cell without a date format holds."""
    zero = date(1899, 12, 30).toordinal()
    return [[float(c.toordinal() - zero) if isinstance(c, date) else c for c in r] for r in rows]


FORMATS = {
    "a.xlsx": sheets.xlsx,
    "tage.xlsx": lambda rows: sheets.xlsx(_excel_days(rows)),
    "a.xls": lambda rows: sheets.xls(_excel_days(rows)),
    "a.ods": sheets.ods,
    "semikolon.csv": lambda rows: sheets.separated(rows, ";"),
    "komma.csv": lambda rows: sheets.separated(rows, ","),
    "punkt.csv": lambda rows: sheets.separated(rows, ",", comma=False),
    "tab.tsv": lambda rows: sheets.separated(rows, "\t"),
    "bom.csv": lambda rows: sheets.separated(rows, ";", "utf-8-sig"),
    "ansi.csv": lambda rows: sheets.separated(rows, ";", "cp1252"),
    "unicode.txt": lambda rows: sheets.separated(rows, "\t", "utf-16"),
    "sep.csv": lambda rows: b"sep=;\r\n" + sheets.separated(rows, ";"),
    "a.jsonl": lambda rows: sheets.json_lines(
        [dict(zip(rows[0], [str(c) if isinstance(c, date) else c for c in row], strict=True))
         for row in rows[1:]]
    ),
    "verschachtelt.jsonl": lambda rows: sheets.json_lines(
        [{"case_id": row[0], "latency": row[4], "Kosten": row[5],
          "output": {"text": row[1], "klasse": row[2], "frist": str(row[3] or "")}}
         for row in rows[1:]]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_outputs(scenario: ScenarioFolder, name: str) -> None:
    found = upload(scenario, FORMATS[name]([HEADER, *ROWS]), name)
    assert [(e.case_id, e.output, e.latency_ms, e.cost_eur) for e in found.entries] == [
        ("k-1", {"text": "Ein Brief,\nzwei Zeilen; „Zitat“", "klasse": "miete",
                 "frist": "2026-11-30"}, 412.5, 0.002),
        ("k-2", {"text": 'Größe "XL"', "klasse": "widerspruch"}, 1200.0, None),
    ]  # fmt: skip
    assert found.missing == ["k-3", "k-4", "k-5", "k-6"]
    assert summary(found) == "2 Ausgaben zu 6 Fällen."


def test_rows_keep_their_numbers_in_the_file(scenario: ScenarioFolder) -> None:
    rows = [[], ["Bericht vom Oktober"], [], HEADER, ROWS[0], [], ["k-9", "x"]]
    for name, data in {
        "a.xlsx": sheets.xlsx(rows),
        "a.ods": sheets.ods(rows),
        "a.xls": sheets.xls(_excel_days(rows)),
    }.items():
        assert "Zeile 7, Spalte A („Fall“): einen Fall 'k-9' gibt es" in refusal(
            scenario, data, name
        )
    # In a csv a cell with two lines moves all that follow by one.
    assert "Zeile 8, Spalte A" in refusal(scenario, sheets.separated(rows), "a.csv")
    with_sep = b"sep=;\r\n" + sheets.separated(rows)
    assert "Zeile 9, Spalte A" in refusal(scenario, with_sep, "a.csv")


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (16383, "XFD")]
)
def test_columns_have_the_letters_of_excel(index: int, letters: str) -> None:
    assert column_letter(index) == letters == openpyxl.utils.get_column_letter(index + 1)


# --- columns --------------------------------------------------------------------------------------

FIELD_MODELS = [FieldContent.model_validate(each) for each in FIELDS]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Fall|Ausgabe", {"case": 0, "output": 1}),
        ("ID|Eingabe|KI-Antwort|Dauer", {"case": 0, "output": 2, "latency": 3}),
        ("Lfd. Nr.|Frage|Antworttext|Frist", {"case": 0, "output": 2, "frist": 3}),
        ("case_id|output|latency_ms|tokens|cost_eur|error",
         {"case": 0, "output": 1, "latency": 2, "tokens": 3, "cost": 4, "error": 5}),
        ("Fallnummer|Klasse|Nachweise (mit ; getrennt)", {"case": 0, "klasse": 1, "nachweise": 2}),
        ("Ausgabe|Fall", {"case": 1, "output": 0}),
        ("KENNUNG|  ausgabe |Fehlermeldung", {"case": 0, "output": 1, "error": 2}),
        ("Fall|Fall-ID|Ergebnis", {"case": 0, "output": 2}),
        ("Name|Farbe", {}),
    ],
)  # fmt: skip
def test_columns_are_guessed_from_headings(header: str, expected: dict[str, int]) -> None:
    assert guess_columns(header.split("|"), FIELD_MODELS).index == expected


@pytest.mark.parametrize(
    ("heading", "factor"),
    [("Antwortzeit (ms)", 1), ("latency_ms", 1), ("Antwortzeit (s)", 1000), ("latency_s", 1000),
     ("Dauer in Sekunden", 1000), ("Zeit [sek]", 1000), ("Antwortzeit", 1)],
)  # fmt: skip
def test_unit_of_latency_is_read_from_heading(heading: str, factor: float) -> None:
    assert guess_columns(["Fall", "Ausgabe", heading], []).latency_factor == factor


def test_chosen_columns_win_over_the_guess(scenario: ScenarioFolder) -> None:
    data = sheets.xlsx([["Fall", "Ausgabe", "Endfassung"], ["k-1", "roh", "fertig"]])
    (entry,) = upload(scenario, data, columns={"output": "Endfassung"}).entries
    assert entry.output == {"text": "fertig"}
    with pytest.raises(InvalidTable, match="Eine Spalte 'Text' gibt es nicht; vorhanden: Fall"):
        upload(scenario, data, columns={"output": "Text"})
    with pytest.raises(InvalidTable, match="Eine Bedeutung 'ausgang' gibt es nicht"):
        upload(scenario, data, columns={"ausgang": "Fall"})


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "number"),
    [("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1.234", 1234), ("0.002", 0.002), ("0,002", 0.002),
     ("12 ms", 12), ("0,02 €", 0.02), ("-1,5", -1.5), (" 7 ", 7), (3, 3), ("1 234,50", 1234.5),
     ("1\u00a0234", 1234), ("412.5", 412.5), ("-1.234.567,8", -1234567.8)],
)  # fmt: skip
def test_numbers_are_read_as_written(raw: Any, number: float) -> None:
    assert read_number(raw) == number


@pytest.mark.parametrize(
    "raw", ["", "viel", "nan", "inf", float("inf"), float("nan"), True, "1.2.3,4,5", 10**400]
)
def test_what_is_no_number_is_refused(raw: Any) -> None:
    with pytest.raises(ValueError, match="ist keine Zahl"):
        read_number(raw)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [("date", "30.11.2026", "2026-11-30"), ("date", "1.2.26", "2026-02-01"),
     ("date", datetime(2026, 11, 30, 8), "2026-11-30"), ("date", 46356.0, "2026-11-30"),  # noqa: DTZ001
     ("date", "46356", "2026-11-30"), ("date", "2026-11-30T08:00", "2026-11-30"),
     ("bool", "Ja", True), ("bool", "x", True), ("bool", "nein", False), ("bool", 0.0, False),
     ("list", "a; b ;a;\nc", ["a", "b", "c"]), ("ranking", ["st-2", "st-1"], ["st-2", "st-1"]),
     ("list", "a, b", ["a", "b"]), ("text", 7.0, "7"), ("number", "3,5", 3.5), ("text", " ", None)],
)  # fmt: skip
def test_field_values_have_one_form(kind: str, raw: Any, value: Any) -> None:
    field = FieldContent.model_validate({"key": "f", "title": "F", "kind": kind})
    assert read_value(field, raw) == value


@pytest.mark.parametrize(
    ("cells", "latency"),
    [
        (["412.125", "98.5"], 412.125),  # the second says that the point is a decimal one
        (["412.125", "0.5"], 412.125),
        (["1.412", "2.500"], 1412.0),  # German thousands
        (["1,5 s", "2"], 1500.0),
        (["412 ms", "2"], 412.0),
    ],
)
def test_point_of_a_column_is_read_one_way(
    scenario: ScenarioFolder, cells: list[str], latency: float
) -> None:
    rows = [["Fall", "Ausgabe", "Zeit"], ["k-1", "a", cells[0]], ["k-2", "b", cells[1]]]
    assert upload(scenario, sheets.separated(rows), "a.csv").entries[0].latency_ms == latency


# --- template -------------------------------------------------------------------------------------


def test_filled_template_comes_back_whole(scenario: ScenarioFolder) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(scenario)))
    sheet = book["Ausgaben"]
    headings = {cell.value: cell.column for cell in sheet[1]}
    known = OUTPUTS["eins"]
    for row in range(2, sheet.max_row + 1):
        each = known[sheet.cell(row, 1).value]
        if each.error:
            sheet.cell(row, headings["Fehler"], each.error)
            continue
        sheet.cell(row, headings["Ausgabe"], each.text)
        for field in FIELDS:
            value = each.fields.get(field["key"])
            if isinstance(value, list):
                value = "; ".join(value)
            elif isinstance(value, bool):
                value = "ja" if value else "nein"
            elif value is not None and field["kind"] == "date":
                value = date.fromisoformat(value)
            sheet.cell(row, headings[field["title"]], value)
        sheet.cell(row, headings["Token"], each.tokens)
    found = upload(scenario, sheets.saved(book), "vorlage.xlsx")
    assert (found.missing, found.notes) == ([], [])
    for entry in found.entries:
        each = known[entry.case_id]
        assert entry.error == each.error
        assert entry.output == (None if each.error else each.answer)
        assert entry.tokens == each.tokens


def test_template_locks_what_must_not_change(scenario: ScenarioFolder) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(template(scenario)))["Ausgaben"]
    assert sheet.protection.sheet
    assert [cell.value for cell in sheet["A"][1:]] == [case["id"] for case in CASES]
    assert sheet["B3"].value == CASES[1]["input"]
    locked = [cell.protection.locked for cell in sheet[2]]
    assert locked == [True, True] + [False] * (len(locked) - 2)
    (choice, flag) = sheet.data_validations.dataValidation
    assert choice.formula1 == '"widerspruch,miete,sonstiges"'
    assert (str(choice.sqref), str(flag.sqref)) == ("D2:D7", "H2:H7")


def test_empty_template_holds_no_output(scenario: ScenarioFolder) -> None:
    assert "In keiner Zeile steht eine Ausgabe" in refusal(scenario, template(scenario))


def test_input_that_looks_like_a_formula_stays_text(scenario: ScenarioFolder) -> None:
    case = scenario.cases[0].model_copy(update={"input": '=HYPERLINK("http://x";"klick")'})
    changed = scenario.model_copy(update={"cases": [case]})
    sheet = openpyxl.load_workbook(io.BytesIO(template(changed)))["Ausgaben"]
    assert (sheet["B2"].data_type, sheet["B2"].value) == ("s", case.input)


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
        assert sheet.count(b"<v />") == 1
        return sheet.replace(b'<c r="B2">', b'<c r="B2" t="str">').replace(b"<v />", b"<v>ab</v>")

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
