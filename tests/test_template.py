"""The template for a run: filled in it comes back whole, and what must not change is locked."""

import io
from datetime import date

import openpyxl
import sheets
from fielded import CASES, FIELDS, OUTPUTS
from uploading import refusal, upload

from reallabor.recording.template import template
from reallabor.scenarios import ScenarioFolder


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
