"""A new scenario's folder: complete, without complaint, and runnable at once."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from building import Call, Trial, new_slug
from fielded import FIELDS

from reallabor.scenarios import load_scenario
from reallabor.tracking import Connection


def test_new_scenario_passes_the_check_and_runs(
    fielded: Trial, connection: Connection, call: Callable[..., Call]
) -> None:
    slug = new_slug("neu")
    made = call("new-scenario", slug, "--title", "Ein neuer Versuch", "--json").json
    assert sorted(path.name for path in Path(made["folder"]).iterdir()) == [
        "README.md", "cases.jsonl", "prompt.md", "scenario.yaml", "system.py",
    ]  # fmt: skip
    checked = call("check-content", "--json").json
    assert checked["problems"] == []
    assert slug in checked["scenarios"]
    runs = call("run", slug, "--json").json["runs"]
    assert [(run["variant"], run["n_cases"], run["n_failed"]) for run in runs] == [
        ("erste-idee", 2, 0), ("ohne-ki", 2, 0),
    ]  # fmt: skip


def test_new_scenario_offers_its_estimates(fielded: Trial, call: Callable[..., Call]) -> None:
    slug = new_slug("neu")
    path = Path(call("new-scenario", slug, "--json").json["folder"]) / "scenario.yaml"
    assert load_scenario(slug).content.effort is None
    path.write_text(re.sub(r"(?m)^#(?=\S|  )", "", path.read_text("utf-8")), "utf-8")
    content = load_scenario(slug).content
    assert content.effort is not None
    assert content.transfer is not None
    assert (content.effort.level, content.transfer.level) == (3, 3)
    assert content.cost_per_case_eur == 0.01
    assert call("check-content", "--json").json["problems"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["Mein Szenario"], "kein Kurzname"),
        (["../oben"], "kein Kurzname"),
        (["neu", "--rubric", "gibt-es-nicht"], "Ein Bewertungsraster 'gibt-es-nicht' gibt es"),
    ],
)
def test_refused_scenario_leaves_no_folder(
    fielded: Trial, call: Callable[..., Call], arguments: list[str], sentence: str
) -> None:
    before = sorted((fielded.content / "scenarios").iterdir())
    done = call("new-scenario", *arguments)
    assert done.code == 1
    assert sentence in done.err
    assert sorted((fielded.content / "scenarios").iterdir()) == before


def test_existing_folder_is_not_touched(fielded: Trial, call: Callable[..., Call]) -> None:
    before = (fielded.folder / "scenario.yaml").read_text("utf-8")
    done = call("new-scenario", fielded.slug)
    assert done.code == 1
    assert "gibt es schon; es wurde nichts geändert" in done.err
    assert (fielded.folder / "scenario.yaml").read_text("utf-8") == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"measures": [{"kind": "exact", "fields": ["fehlt"]}]}, "measures nennt fehlt, fehlt in"),
        ({"measures": [{"kind": "exact", "fields": ["frist"]}] * 2}, "exact mehrfach; bitte key"),
        ({"measures": [{"kind": "exact"}]}, "bei exact fehlt fields"),
        ({"measures": [{"kind": "genau", "fields": ["frist"]}]}, "muss einer dieser Werte sein"),
        ({"fields": [{"key": "frist", "title": "Frist", "kind": "choice"}], "measures": []},
         "values fehlt bei der Auswahl 'frist'"),
        ({"fields": [{"key": "Frist!", "title": "Frist"}], "measures": []}, "fields.0.key"),
        ({"candidate": "drei"}, "candidate nennt drei"),
    ],
)  # fmt: skip
def test_check_names_file_line_and_field(
    fielded: Trial, call: Callable[..., Call], change: dict[str, object], sentence: str
) -> None:
    fielded.change(**change)
    done = call("check-content")
    assert done.code == 1
    said = " ".join((done.out + done.err).split())
    assert f"{fielded.folder / 'scenario.yaml'}, Zeile " in said
    assert ", Feld " in said
    assert sentence in said


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"klase": "miete"}, "expected.klase: dieses Feld steht nicht unter fields in "
         "scenario.yaml; dort stehen: klasse, frist, nachweise, betrag, dringend, orte"),
        ({"klasse": "steuer"}, "expected.klasse: 'steuer' gibt es nicht; möglich: widerspruch, "),
        ({"klasse": ["miete"]}, "expected.klasse: ein Feld der Art choice hat einen einzelnen"),
        ({"frist": "bald"}, "expected.frist: 'bald' ist kein Datum wie 30.11.2026."),
        ({"betrag": "viel"}, "expected.betrag: 'viel' ist keine Zahl."),
        ({"dringend": "sehr"}, "expected.dringend: 'sehr' ist weder ja noch nein."),
        ({"nachweise": {"a": 1}}, "expected.nachweise: benannte Einträge mit ihrem Gewinn gibt"),
        ({"orte": {"Bonn": 1}}, "expected.orte: 'Bonn' gibt es nicht; möglich: Hanau, Gießen."),
        ({"orte": {"Hanau": "gut"}}, "expected.orte: der Gewinn eines Eintrags ist eine Zahl"),
        ({"orte": {"Hanau": 5000}}, "expected.orte: der Gewinn eines Eintrags ist eine Zahl"),
    ],
)  # fmt: skip
def test_check_names_what_no_output_can_be(
    fielded: Trial, call: Callable[..., Call], expected: dict[str, object], said: str
) -> None:
    orte = {"key": "orte", "title": "Orte", "kind": "ranking", "values": ["Hanau", "Gießen"]}
    fielded.change(fields=[*FIELDS, orte])
    good = {"id": "k-1", "input": "eins", "expected": {"orte": {"Hanau": 2, "gießen": 0.5},
            "nachweise": ["a"], "frist": None, "klasse": "Miete"}}  # fmt: skip
    fielded.write_cases([good])
    assert call("check-content").code == 0
    fielded.write_cases([good, {"id": "k-2", "input": "zwei", "expected": expected}])
    done = call("check-content", "--json")
    assert done.code == 1
    (problem,) = json.loads(done.out)["problems"]
    assert problem.startswith(f"{fielded.folder / 'cases.jsonl'}, Zeile 2, Feld {said}")
