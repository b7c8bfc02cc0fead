"""Broken content: every message names file, line and field."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from building import Call, Trial
from sqlmodel import select

from reallabor.database import reading, transaction
from reallabor.errors import InvalidContent, UnknownObject
from reallabor.evaluations import load_calibration, load_rubric
from reallabor.gates import load_gates
from reallabor.models import Criterion, Rubric, Scenario
from reallabor.recording.catalogue import load_shipped
from reallabor.scenarios import load_scenario

CASE = {"id": "a", "input": "Frage?"}


def refusal_of_cases(trial: Trial, *lines: str) -> str:
    (trial.folder / "cases.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InvalidContent) as refusal:
        load_scenario(trial.slug)
    assert str(trial.folder / "cases.jsonl") in str(refusal.value)
    return str(refusal.value)


def line_of(path: Path, start: str) -> int:
    lines = path.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip().startswith(start))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_broken_yaml_names_its_line(trial: Trial) -> None:
    path = trial.folder / "scenario.yaml"
    edit(path, "task: Fragen", "task: [Fragen")
    with pytest.raises(InvalidContent, match=r"Zeile \d+: Das ist kein gültiges YAML") as refusal:
        load_scenario(trial.slug)
    line = int(str(refusal.value).split("Zeile ")[1].split(":")[0])
    assert abs(line - line_of(path, "task")) <= 2  # YAML notices where the bracket is missed
    assert str(path) in str(refusal.value)


def test_missing_field_is_named(trial: Trial) -> None:
    trial.change(task=None)
    with pytest.raises(InvalidContent, match=r"scenario\.yaml, Zeile 1, Feld task: fehlt"):
        load_scenario(trial.slug)


def test_missing_nested_field_names_parent_line(trial: Trial) -> None:
    trial.change(variants=[{"key": "eins", "title": "T"}, {"key": "zwei"}], candidate="eins")
    line = line_of(trial.folder / "scenario.yaml", "- key: zwei")
    with pytest.raises(InvalidContent, match=f"Zeile {line}, Feld variants.1.title: fehlt"):
        load_scenario(trial.slug)


def test_unknown_field_is_refused(trial: Trial) -> None:
    trial.change(farbe="blau")
    line = line_of(trial.folder / "scenario.yaml", "farbe")
    with pytest.raises(InvalidContent, match=f"Zeile {line}, Feld farbe: ist unbekannt"):
        load_scenario(trial.slug)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", "", "darf nicht leer sein"),
        ("legal_status", "gestern", "muss ein Datum wie 2026-11-01 sein"),
        ("baseline_minutes", 0, "ist zu klein"),
        ("baseline_minutes", float("nan"), "muss eine endliche Zahl sein"),
        ("yearly_volume", "viele", "muss eine ganze Zahl sein"),
        ("variants", [], "hat zu wenige Einträge"),
        ("candidate", "drei", "candidate nennt drei, das unter variants fehlt"),
        ("gates", "personalrat", "muss eine Liste sein"),
    ],
)
def test_wrong_value_is_explained(trial: Trial, field: str, value: object, sentence: str) -> None:
    trial.change(**{field: value})
    with pytest.raises(InvalidContent, match=sentence) as refusal:
        load_scenario(trial.slug)
    assert "Feld " in str(refusal.value)


def test_double_variant_is_refused(trial: Trial) -> None:
    trial.change(variants=[{"key": "eins", "title": "T"}, {"key": "eins", "title": "U"}])
    with pytest.raises(InvalidContent, match="variants nennt eins mehrfach"):
        load_scenario(trial.slug)


def test_double_case_id_names_both_lines(trial: Trial) -> None:
    message = refusal_of_cases(
        trial, json.dumps(CASE), "", json.dumps({**CASE, "id": "b"}), json.dumps(CASE)
    )
    assert "Zeile 4, Feld id: Der Fall 'a' steht schon in Zeile 1" in message


def test_empty_case_file_is_refused(trial: Trial) -> None:
    assert "Die Datei ist leer" in refusal_of_cases(trial, "", "  ")


def test_bad_json_names_line_and_place(trial: Trial) -> None:
    message = refusal_of_cases(trial, json.dumps(CASE), '{"id": "b", "input": }')
    assert "Zeile 2, Zeichen 22: Das ist kein gültiges JSON" in message


@pytest.mark.parametrize(
    ("case", "field"),
    [
        ({"id": "b"}, "Feld input: fehlt"),
        ({"id": "b c", "input": "x"}, "Feld id"),
        ({"id": "b", "input": ""}, "Feld input: darf nicht leer sein"),
        ({"id": "b", "input": "x", "egde": True}, "Feld egde: ist unbekannt"),
        ({"id": "b", "input": 5}, "Feld input: muss ein Text sein"),
        (["b"], "(ganze Datei): muss aus benannten Feldern bestehen"),
        ({"id": "b", "input": "N\x00L"}, "NUL"),
        ({"id": "b", "input": "halb \ud800"}, "halbes Zeichenpaar"),
    ],
)
def test_wrong_case_names_line_and_field(trial: Trial, case: object, field: str) -> None:
    message = refusal_of_cases(trial, json.dumps(CASE), json.dumps(case))
    assert "Zeile 2" in message
    assert field in message


def test_other_encoding_is_refused(trial: Trial) -> None:
    (trial.folder / "cases.jsonl").write_bytes('{"id": "a", "input": "Ü"}'.encode("cp1252"))
    with pytest.raises(InvalidContent, match="nicht in UTF-8"):
        load_scenario(trial.slug)


def test_unknown_slug_names_the_known(trial: Trial) -> None:
    with pytest.raises(UnknownObject, match=f"'nichts' .* vorhanden: {trial.slug}"):
        load_scenario("nichts")


def test_slug_is_no_path(trial: Trial) -> None:
    with pytest.raises(UnknownObject):
        load_scenario(f"../scenarios/{trial.slug}")


def test_system_that_cannot_start_is_named(trial: Trial) -> None:
    (trial.folder / "system.py").write_text("import gibtesnicht\n")
    with pytest.raises(InvalidContent, match=r"system\.py: Die Variante 'eins' .*gibtesnicht"):
        load_scenario(trial.slug).build_system("eins")
    (trial.folder / "system.py").unlink()
    with pytest.raises(InvalidContent, match=r"system\.py: Die Datei fehlt"):
        load_scenario(trial.slug).build_system("eins")


# --- rubrics and gates --------------------------------------------------------------------------


@pytest.fixture
def rubric(trial: Trial) -> Path:
    return trial.content / "evaluations" / "auskunft.yaml"


def refusal_of_rubric(path: Path) -> str:
    with pytest.raises(InvalidContent) as refusal:
        load_rubric("auskunft")
    assert str(path) in str(refusal.value)
    return str(refusal.value)


def test_weights_must_sum_to_hundred(rubric: Path) -> None:
    edit(rubric, "weight: 30", "weight: 29")
    message = refusal_of_rubric(rubric)
    assert "die Gewichte ergeben 99 statt 100" in message
    assert "Zeile" in message


def test_missing_anchor_is_named(rubric: Path) -> None:
    edit(rubric, "      3: Quelle ungenau", "      # 3: Quelle ungenau")
    message = refusal_of_rubric(rubric)
    assert "Feld criteria.1.levels: Bei 'QU' fehlt der Ankertext der Stufe 3" in message


def test_empty_anchor_is_refused(rubric: Path) -> None:
    data = yaml.safe_load(rubric.read_text("utf-8"))
    data["criteria"][0]["levels"][2] = " "
    rubric.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    assert "Feld criteria.0.levels.2: darf nicht leer sein" in refusal_of_rubric(rubric)


def test_anchor_outside_scale_is_refused(rubric: Path) -> None:
    edit(rubric, "max: 5", "max: 4")
    assert "außerhalb der Skala" in refusal_of_rubric(rubric)


def test_gate_on_unknown_criterion_is_refused(rubric: Path) -> None:
    edit(rubric, "criterion: DS", "criterion: XX")
    assert "das Kriterium XX gibt es nicht" in refusal_of_rubric(rubric)


def test_unknown_gate_rule_names_allowed_ones(rubric: Path) -> None:
    edit(rubric, "rule: median_at_least", "rule: mean_at_least")
    message = refusal_of_rubric(rubric)
    assert f"Zeile {line_of(rubric, 'rule: mean_at_least')}, Feld gates.2.rule" in message
    assert "muss einer dieser Werte sein" in message


def test_unknown_gate_in_scenario_is_found(trial: Trial, call: Callable[..., Call]) -> None:
    trial.change(gates=["personalrat", "gibtesnicht"], rubric="fremd")
    done = call("check-content", "--json")
    assert done.code == 1
    problems = json.loads(done.out)["problems"]
    assert any("Feld gates: 'gibtesnicht'" in problem for problem in problems)
    assert any("Feld rubric: Ein Bewertungsraster 'fremd'" in problem for problem in problems)


def test_check_content_reports_all_broken_files(
    trial: Trial, rubric: Path, call: Callable[..., Call]
) -> None:
    edit(rubric, "weight: 30", "weight: 31")
    trial.change(task=None)
    gates = trial.content / "evaluations" / "gates.yaml"
    edit(gates, "article:", "artikel:")
    done = call("check-content")
    assert (done.code, done.out) == (1, "")
    for path in (rubric, gates, trial.folder / "scenario.yaml"):
        assert str(path) in done.err
    with pytest.raises(InvalidContent, match=r"Feld gates\.0\.article: fehlt"):
        load_gates()


# --- gold cases -----------------------------------------------------------------------------------


@pytest.fixture
def gold(trial: Trial) -> Path:
    return trial.content / "evaluations" / "kalibrierung" / "auskunft.yaml"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("rubric: auskunft@1", "rubric: auskunft@2",
         "Feld rubric: Die Fälle gehören zu 'auskunft@2', das Bewertungsraster ist 'auskunft@1'"),
        ("rubric: auskunft@1", "rubric: auskunft", "Feld rubric: fehlt oder hat nicht"),
        ("UE: 5, NE: 4, DS: 5", "UE: 5, NE: 4",
         "Feld cases.0.levels: Im Fall 'weiterbewilligung' fehlt 'DS'"),
        ("UE: 5, NE: 4, DS: 5", "UE: 5, NE: 4, DS: 5, X: 1",
         "Feld cases.0.levels: Das Kriterium 'X' (Fall 'weiterbewilligung') gibt es in"),
        ("FR: 3, QU: 1", "FR: 6, QU: 1", "Feld cases.1.levels.FR: Stufe 6 (Fall 'stromsperre')"),
        ("FR: „Richtig und präzise“, denn Antrag, Zeitpunkt und Folge stimmen und beantworten die "
         "ganze Frage.", "FR: ' '", "Feld cases.0.explanation.FR: darf nicht leer sein"),
        ("- key: stromsperre", "- key: weiterbewilligung", "eine Kennung (key) steht zweimal da"),
        ("enough: 4", "enough: 5", "8 Fälle reichen nicht für zwei Durchgänge zu je 5"),
        ("share: 0.8", "share: 80", "Feld share: ist zu groß"),
        ("tolerance: 1", "toleranz: 1", "Feld tolerance: fehlt"),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_broken_gold_file_names_file_and_field(
    gold: Path, call: Callable[..., Call], old: str, new: str, sentence: str
) -> None:
    text = gold.read_text("utf-8")
    assert old in text
    gold.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidContent) as refusal:
        load_calibration("auskunft")
    assert str(gold) in str(refusal.value)
    assert sentence in str(refusal.value)
    checked = call("check-content")
    assert checked.code == 1
    assert str(refusal.value) in checked.err


# --- stored versions ----------------------------------------------------------------------------


def test_stored_rubric_version_never_changes(trial: Trial, rubric: Path, platform_url: str) -> None:
    with transaction() as session:
        load_shipped(session)
    edit(rubric, "Rechtlich falsch", "Ganz falsch")
    with (
        pytest.raises(InvalidContent, match=r"'auskunft@1' .*version auf 2 setzen"),
        transaction() as session,
    ):
        load_shipped(session, asked=trial.slug)
    with transaction() as session:  # for whoever asked for another one, all goes on
        assert load_shipped(session) == []
    edit(rubric, "version: 1", "version: 2")
    with transaction() as session:
        assert load_shipped(session) == [trial.slug]
    with reading() as session:
        of_that_key = select(Rubric).where(Rubric.key == "auskunft")
        rubrics = {row.version: row for row in session.exec(of_that_key)}
        scenario = session.exec(select(Scenario)).one()
        assert scenario.rubric_id == rubrics[2].id
    assert "Rechtlich falsch" in json.dumps(rubrics[1].content)
    assert "Ganz falsch" in json.dumps(rubrics[2].content)


def test_unchanged_content_is_not_loaded_again(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        assert load_shipped(session) == [trial.slug]
    with transaction() as session:
        before = len(session.exec(select(Criterion)).all())
        assert load_shipped(session) == []
        assert len(session.exec(select(Criterion)).all()) == before == 26


def test_removed_case_stays_but_is_not_current(trial: Trial, platform_url: str) -> None:
    from reallabor.models import Case

    with transaction() as session:
        load_shipped(session)
    trial.write_cases([CASE])
    with transaction() as session:
        load_shipped(session)
    with reading() as session:
        cases = session.exec(select(Case)).all()
    assert len(cases) == 7
    assert [case.key for case in cases if case.current] == ["a"]
