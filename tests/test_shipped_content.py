"""Rules for the content that is shipped: scenarios, knowledge bases, rubrics and gates."""

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY

from reallabor.checking import check_all
from reallabor.errors import ReallaborError, UnknownObject
from reallabor.evaluations import load_rubric, rubric_keys
from reallabor.gates import load_gates
from reallabor.recording.values import read_value
from reallabor.scenarios import FieldContent, ScenarioFolder, System, load_scenario, scenario_slugs

SCENARIOS = REPOSITORY / "scenarios"
EVALUATIONS = REPOSITORY / "evaluations"
SLUGS = [
    "buerger-chatbot", "gespraechsvermerk", "posteingang", "stellen-extraktion", "stellenmatching",
    "verstaendliche-schreiben", "vollstaendigkeit", "wissensassistent",
]  # fmt: skip
WEIGHTS = {
    "auskunft": {"FR": 30, "QU": 15, "VS": 20, "UE": 20, "NE": 10, "DS": 5},
    "einfache-sprache": {"IT": 40, "VS": 35, "VO": 15, "NE": 10},
    "vermerk": {"IT": 40, "VO": 25, "NE": 15, "DS": 10, "AN": 10},
    "recherche": {"FR": 35, "QU": 30, "RS": 20, "VO": 10, "AN": 5},
    "klassifikation": {"FR": 50, "AN": 50},
    "uebersetzung": {"IT": 45, "VS": 25, "VO": 15, "NE": 15},
}
"""Weights of the criteria by rubric, A to F."""
ALIKE = 0.6
"""Jaccard similarity of character 5-grams from which two texts count as near duplicates."""
MOST_CHARS = 20_000
STRANGE = (
    "",
    " ",
    "🎉👩🏽‍💼",
    "\u200fمرحبا بكم\u200f",
    "Miete " * 40_000,
    "\x00\t",
    "?!.,;",
    "§" * 99,
)
E_MAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
PHONE = re.compile(r"(?<![\w.])(?:\+49|0)[\d /()-]{6,}\d")


@cache
def scenario(slug: str) -> ScenarioFolder:
    return load_scenario(slug, SCENARIOS)


@cache
def system(slug: str, variant: str) -> System:
    return scenario(slug).build_system(variant)


@cache
def answers(slug: str, variant: str) -> list[Any]:
    """What a variant gives for every case, in the order of the cases."""
    return [system(slug, variant)(case.input) for case in scenario(slug).cases]


def variants_of(slug: str) -> list[str]:
    """None where the scenario does not load: other tests say so."""
    try:
        return [variant.key for variant in scenario(slug).content.variants]
    except ReallaborError:
        return []


def rows_of(slug: str, name: str) -> list[dict[str, Any]]:
    """The rows of a data file of a scenario; none where there is no such file."""
    path = SCENARIOS / slug / name
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def passages(slug: str) -> list[dict[str, Any]]:
    return rows_of(slug, "passages.jsonl")


def texts_of(slug: str) -> dict[str, str]:
    """What systems learn from and what they are tried on, by id."""
    train = {
        f"train {number}": row["input"]
        for number, row in enumerate(rows_of(slug, "train.jsonl"), start=1)
    }
    return {**train, **{case.id: case.input for case in scenario(slug).cases}}


def grams(text: str) -> frozenset[str]:
    """Character 5-grams, without regard to case, to which figures stand there, and to signs."""
    plain = re.sub(r"\W+", " ", re.sub(r"\d", "0", text.lower()))
    return frozenset(plain[i : i + 5] for i in range(max(1, len(plain) - 4)))


def near_duplicates(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs of texts that say almost the same, by name."""
    found = []
    by_size = sorted(((name, grams(text)) for name, text in texts.items()), key=lambda e: len(e[1]))
    for number, (one, a) in enumerate(by_size):
        for other, b in itertools.islice(by_size, number + 1, None):
            if len(a) < ALIKE * len(b):
                break  # all that follow are larger still: too much of them is not in the first
            shared = len(a & b)
            if shared >= ALIKE * (len(a) + len(b) - shared):
                found.append((one, other))
    return found


def assert_is_output(answer: Any, fields: Iterable[FieldContent]) -> None:
    """A text people can read, and nothing beside it but what the Steckbrief declares."""
    assert isinstance(answer, dict)
    assert isinstance(answer["text"], str)
    assert answer["text"].strip()
    assert len(answer["text"]) < MOST_CHARS
    declared = {field.key: field for field in fields}
    assert set(answer) - {"text"} <= set(declared)
    for key, field in declared.items():
        read_value(field, answer.get(key))  # raises ValueError for what is none


# --- all at once --------------------------------------------------------------------------------


def test_all_shipped_content_is_in_order() -> None:
    report = check_all(REPOSITORY)
    assert report.problems == []
    assert report.scenarios == SLUGS


def test_all_eight_scenarios_are_shipped() -> None:
    assert scenario_slugs(SCENARIOS) == SLUGS


def test_scenario_folders_are_no_packages() -> None:
    for folder in (SCENARIOS, EVALUATIONS, REPOSITORY / "tracking"):
        assert not list(Path(folder).rglob("__init__.py"))


# --- rubrics and gates --------------------------------------------------------------------------


@pytest.mark.parametrize("key", sorted({*WEIGHTS, *rubric_keys(EVALUATIONS)}))
def test_every_level_has_anchor_text(key: str) -> None:
    rubric = load_rubric(key, EVALUATIONS)
    for criterion in rubric.criteria:
        assert sorted(criterion.levels) == [1, 2, 3, 4, 5]
        assert len(set(criterion.levels.values())) == 5
    assert rubric.gates


@pytest.mark.parametrize("key", WEIGHTS)
def test_rubric_has_the_proposed_weights(key: str) -> None:
    rubric = load_rubric(key, EVALUATIONS)
    assert {criterion.key: criterion.weight for criterion in rubric.criteria} == WEIGHTS[key]
    assert rubric.higher_is_better


@pytest.mark.parametrize("slug", SLUGS)
def test_metric_of_rubric_gate_is_measured(slug: str) -> None:
    rubric = load_rubric(scenario(slug).content.rubric, EVALUATIONS)
    measured = {measure.name for measure in scenario(slug).content.measures}
    wanted = {gate.metric for gate in rubric.gates if gate.rule == "metric_at_least"}
    assert wanted <= measured


def test_gates_name_law_and_date() -> None:
    gates = load_gates(EVALUATIONS)
    assert gates.legal_status >= date(2026, 1, 1)
    assert len({gate.key for gate in gates.gates}) == len(gates.gates)
    text = " ".join(gate.article for gate in gates.gates)
    for source in ("2024/1689", "Art. 5 ", "Art. 35 DSGVO", "§ 35 SGB I", "§ 31a SGB X", "Art. 22"):
        assert source in text


# --- the rule against near duplicates -----------------------------------------------------------

PAIRS = {
    "another number": (
        "Ihr Antrag vom 3. Mai ging am 12.05.2026 ein, es fehlen 563 Euro.",
        "Ihr Antrag vom 9. Mai ging am 28.11.2025 ein, es fehlen 471 Euro.",
        True,
    ),
    "another number of figures": (
        "Ich wohne seit 3 Jahren zur Miete und zahle 430 Euro warm im Monat.",
        "Ich wohne seit 12 Jahren zur Miete und zahle 1.120 Euro warm im Monat.",
        True,
    ),
    "another case and other signs": (
        "Guten Tag, bis wann muss ich den Antrag abgeben?",
        "GUTEN TAG - bis wann muss ich den Antrag abgeben!!",
        True,
    ),
    "another name": (
        "Frau Probst hat den Termin am Montag um 9 Uhr abgesagt und ruft noch einmal an.",
        "Frau Müller hat den Termin am Montag um 9 Uhr abgesagt und ruft noch einmal an.",
        True,
    ),
    "same subject, other words": (
        "Bis wann muss der Antrag bei Ihnen sein?",
        "Welche Frist gilt, wenn ich weiter Geld bekommen will?",
        False,
    ),
    "part of a longer text": (
        "Der Vertrag liegt bei.",
        "Der Vertrag liegt bei. Außerdem sende ich die Abrechnung der Heizkosten und bitte um "
        "Rückruf wegen der Klassenfahrt meiner Tochter im Frühjahr.",
        False,
    ),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_rule_sees_templates_as_duplicates(kind: str) -> None:
    one, other, alike = PAIRS[kind]
    assert bool(near_duplicates({"one": one, "other": other})) is alike
    assert bool(near_duplicates({"other": other, "one": one})) is alike


def test_rule_sees_the_pair_among_many() -> None:
    texts = {case.id: case.input for case in scenario(SLUGS[0]).cases}
    assert near_duplicates(texts) == []
    number = re.compile(r"\d")
    first = next(key for key, text in texts.items() if number.search(text))
    copied = {**texts, "kopie": number.sub("7", texts[first])}
    assert [set(pair) for pair in near_duplicates(copied)] == [{first, "kopie"}]


# --- scenarios ----------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", [pytest.param(s, marks=pytest.mark.xdist_group(s)) for s in SLUGS])
class TestShippedScenario:
    def test_has_forty_cases_a_fifth_edge(self, slug: str) -> None:
        cases = scenario(slug).cases
        assert len(cases) >= 40
        assert sum(case.edge for case in cases) >= len(cases) / 5
        assert all(case.reference.strip() for case in cases)

    def test_varies_in_topic_and_length(self, slug: str) -> None:
        cases = scenario(slug).cases
        lengths = sorted(len(case.input) for case in cases)
        assert len({case.topic for case in cases if case.topic.strip()}) >= 15
        assert lengths[-1] > 3 * lengths[0]

    def test_expects_only_readable_values_of_its_fields(self, slug: str) -> None:
        fields = {field.key: field for field in scenario(slug).content.fields}
        for case in scenario(slug).cases:
            assert set(case.expected) <= set(fields), case.id
            for key, value in case.expected.items():
                if isinstance(value, dict):
                    assert fields[key].kind == "ranking", case.id
                    assert all(gain > 0 for gain in value.values()), case.id
                    value = list(value)  # noqa: PLW2901
                read_value(fields[key], value)

    def test_every_measure_has_something_expected(self, slug: str) -> None:
        # Sources are also held against the passages that a case names.
        expected = [
            {**({"sources": case.passages} if case.passages else {}), **case.expected}
            for case in scenario(slug).cases
        ]
        for measure in scenario(slug).content.measures:
            for key in measure.fields:
                assert sum(key in each for each in expected) >= len(expected) / 2, key
            values = {str(each.get(key)) for each in expected for key in measure.fields}
            assert measure.kind == "kept" or len(values) > 1

    def test_learns_from_enough_texts(self, slug: str) -> None:
        if not (SCENARIOS / slug / "train.jsonl").exists():
            pytest.skip("no variant learns")
        texts = [row["input"] for row in rows_of(slug, "train.jsonl")]
        assert len(set(texts)) >= 150
        assert all(text.strip() for text in texts)

    def test_has_no_near_duplicates(self, slug: str) -> None:
        assert near_duplicates(texts_of(slug)) == []

    def test_knowledge_base_has_no_near_duplicates(self, slug: str) -> None:
        rows = passages(slug) + rows_of(slug, "adverts.jsonl")
        assert near_duplicates({row["id"]: row["text"] for row in rows}) == []

    def test_reference_passages_exist(self, slug: str) -> None:
        named = {p for case in scenario(slug).cases for p in case.passages}
        assert named <= {row["id"] for row in passages(slug)}
        assert bool(named) is bool(passages(slug))

    def test_knowledge_base_names_source_and_date(self, slug: str) -> None:
        rows = passages(slug)
        if not rows:
            pytest.skip("no knowledge base")
        assert 60 <= len(rows) <= 100
        assert len({row["id"] for row in rows}) == len(rows)
        for row in rows:
            assert row["source"].strip()
            assert date.fromisoformat(row["legal_status"]) >= date(2026, 1, 1)
            assert row["text"].strip()

    def test_expected_ranking_names_known_entries(self, slug: str) -> None:
        known = {row["id"] for row in passages(slug) + rows_of(slug, "adverts.jsonl")}
        ranked = [field.key for field in scenario(slug).content.fields if field.kind == "ranking"]
        for case in scenario(slug).cases:
            assert {entry for key in ranked for entry in case.expected.get(key, [])} <= known

    def test_holds_no_real_contacts(self, slug: str) -> None:
        allowed = set(scenario(slug).content.allowed_contacts)
        for path in sorted((SCENARIOS / slug).iterdir()):
            if not path.is_file():
                continue
            text = path.read_text("utf-8")
            for match in E_MAIL.finditer(text):
                domain = match.group(1).rsplit(".", 1)[1]
                assert domain in {"example", "invalid"} or match.group() in allowed, match.group()
            assert PHONE.search(text) is None, (path.name, PHONE.search(text))

    def test_has_two_systems_and_baseline(self, slug: str) -> None:
        content = scenario(slug).content
        assert sum(variant.baseline for variant in content.variants) == 1
        assert sum(not variant.baseline for variant in content.variants) >= 2
        assert not next(v for v in content.variants if v.key == content.candidate).baseline

    def test_prompt_takes_the_input_once(self, slug: str) -> None:
        prompt = (SCENARIOS / slug / "prompt.md").read_text("utf-8")
        assert prompt.count("{{input}}") == 1
        assert set(re.findall(r"\{\{.*?\}\}", prompt)) <= {"{{input}}", "{{passages}}"}
        has_knowledge = bool(passages(slug) or rows_of(slug, "adverts.jsonl"))
        assert ("{{passages}}" in prompt) is has_knowledge
        for field in scenario(slug).content.fields:
            assert f'"{field.key}"' in prompt

    def test_unknown_variant_is_refused(self, slug: str) -> None:
        with pytest.raises(UnknownObject, match="keine Variante 'gibtesnicht'"):
            scenario(slug).build_system("gibtesnicht")

    def test_has_a_readme(self, slug: str) -> None:
        assert (SCENARIOS / slug / "README.md").read_text("utf-8").strip()


# --- systems ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "variant"),
    [
        pytest.param(slug, variant, marks=pytest.mark.xdist_group(slug))
        for slug in SLUGS
        for variant in variants_of(slug)
    ],
)
class TestShippedSystem:
    def test_gives_text_and_declared_fields(self, slug: str, variant: str) -> None:
        for answer in answers(slug, variant):
            assert_is_output(answer, scenario(slug).content.fields)

    def test_survives_strange_questions(self, slug: str, variant: str) -> None:
        for question in STRANGE:
            assert_is_output(system(slug, variant)(question), scenario(slug).content.fields)

    def test_answers_differ_by_case(self, slug: str, variant: str) -> None:
        different = {str(answer) for answer in answers(slug, variant)}
        assert len(different) >= len(scenario(slug).cases) / 2

    def test_same_question_gives_same_answer(self, slug: str, variant: str) -> None:
        folder = scenario(slug)
        another = folder.build_system(variant)
        assert [another(case.input) for case in folder.cases] == answers(slug, variant)

    def test_knows_no_case_by_heart(self, slug: str, variant: str) -> None:
        folder = scenario(slug)
        source = (folder.path / "system.py").read_text("utf-8")
        assert not [case.id for case in folder.cases if case.id in source]
        assert not [case.id for case in folder.cases if case.input[:30] in source]
        del variant

    def test_cited_sources_exist(self, slug: str, variant: str) -> None:
        if not passages(slug):
            pytest.skip("no knowledge base")
        cited = {source for answer in answers(slug, variant) for source in answer["sources"]}
        assert cited
        assert cited <= {row["id"] for row in passages(slug)}

    def test_says_whether_it_hands_over(self, slug: str, variant: str) -> None:
        if "handover" not in {field.key for field in scenario(slug).content.fields}:
            pytest.skip("no hand-over in this scenario")
        given = answers(slug, variant) + [system(slug, variant)(text) for text in STRANGE]
        assert all(isinstance(answer["handover"], bool) for answer in given)
