"""Uploaded tables: every format, heading and value is read as it was meant."""

from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
import sheets
from fielded import FIELDS
from uploading import HEADER, ROWS, excel_days, refusal, upload

from reallabor.errors import InvalidTable
from reallabor.recording.columns import guess_columns
from reallabor.recording.table import column_letter
from reallabor.recording.uploads import summary
from reallabor.recording.values import read_number, read_value
from reallabor.scenarios import FieldContent, ScenarioFolder

# --- formats --------------------------------------------------------------------------------------


FORMATS = {
    "a.xlsx": sheets.xlsx,
    "tage.xlsx": lambda rows: sheets.xlsx(excel_days(rows)),
    "a.xls": lambda rows: sheets.xls(excel_days(rows)),
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
        "a.xls": sheets.xls(excel_days(rows)),
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
