"""Rules for the content that is shipped: scenarios, knowledge bases, rubrics and gates."""

import itertools
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from building import REPOSITORY

from reallabor.checking import check_all
from reallabor.errors import UnknownObject
from reallabor.evaluations import load_gates, load_rubric, rubric_keys
from reallabor.scenarios import load_scenario, scenario_slugs

SCENARIOS = REPOSITORY / "scenarios"
EVALUATIONS = REPOSITORY / "evaluations"
SLUGS = scenario_slugs(SCENARIOS)
VARIANTS = [
    (slug, variant.key)
    for slug in SLUGS
    for variant in load_scenario(slug, SCENARIOS).content.variants
]
ALIKE = 0.6
"""Jaccard similarity of character 5-grams from which two texts count as near duplicates."""
E_MAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
PHONE = re.compile(r"(?<![\w.])(?:\+49|0)[\d /()-]{6,}\d")


def passages(slug: str) -> list[dict[str, Any]]:
    path = SCENARIOS / slug / "passages.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def grams(text: str) -> frozenset[str]:
    plain = re.sub(r"\W+", " ", text.casefold())
    return frozenset(plain[i : i + 5] for i in range(len(plain) - 4))


def test_all_shipped_content_is_in_order() -> None:
    report = check_all(REPOSITORY)
    assert report.problems == []
    assert report.scenarios == SLUGS
    assert SLUGS


@pytest.mark.parametrize("key", rubric_keys(EVALUATIONS))
def test_every_level_has_anchor_text(key: str) -> None:
    rubric = load_rubric(key, EVALUATIONS)
    for criterion in rubric.criteria:
        assert sorted(criterion.levels) == [1, 2, 3, 4, 5]
        assert len(set(criterion.levels.values())) == 5
    assert rubric.gates


def test_gates_name_law_and_date() -> None:
    gates = load_gates(EVALUATIONS)
    assert gates.legal_status >= date(2026, 1, 1)
    assert len({gate.key for gate in gates.gates}) == len(gates.gates)
    text = " ".join(gate.article for gate in gates.gates)
    for source in ("2024/1689", "Art. 5 ", "Art. 35 DSGVO", "§ 35 SGB I", "§ 31a SGB X", "Art. 22"):
        assert source in text


@pytest.mark.parametrize("slug", SLUGS)
class TestShippedScenario:
    def test_has_forty_cases_a_fifth_edge(self, slug: str) -> None:
        cases = load_scenario(slug, SCENARIOS).cases
        assert len(cases) == 40
        assert sum(case.edge for case in cases) >= 8
        assert all(case.reference.strip() for case in cases)

    def test_varies_in_topic_and_length(self, slug: str) -> None:
        cases = load_scenario(slug, SCENARIOS).cases
        lengths = sorted(len(case.input) for case in cases)
        assert len({case.topic for case in cases}) >= 15
        assert lengths[-1] > 3 * lengths[0]

    def test_reference_passages_exist(self, slug: str) -> None:
        known = {row["id"] for row in passages(slug)}
        named = {p for case in load_scenario(slug, SCENARIOS).cases for p in case.passages}
        assert named <= known
        assert named

    def test_has_no_near_duplicates(self, slug: str) -> None:
        cases = load_scenario(slug, SCENARIOS).cases
        texts = [(case.id, grams(case.input)) for case in cases]
        texts_of_base = [(row["id"], grams(row["text"])) for row in passages(slug)]
        for group in (texts, texts_of_base):
            for (one, a), (other, b) in itertools.combinations(group, 2):
                assert len(a & b) / len(a | b) < ALIKE, (one, other)

    def test_knowledge_base_names_source_and_date(self, slug: str) -> None:
        rows = passages(slug)
        assert 60 <= len(rows) <= 100
        assert len({row["id"] for row in rows}) == len(rows)
        for row in rows:
            assert row["source"].strip()
            assert date.fromisoformat(row["legal_status"]) >= date(2026, 1, 1)
            assert row["text"].strip()

    def test_holds_no_real_contacts(self, slug: str) -> None:
        allowed = set(load_scenario(slug, SCENARIOS).content.allowed_contacts)
        for path in sorted((SCENARIOS / slug).iterdir()):
            if not path.is_file():
                continue
            text = path.read_text("utf-8")
            for match in E_MAIL.finditer(text):
                domain = match.group(1).rsplit(".", 1)[1]
                assert domain in {"example", "invalid"} or match.group() in allowed, match.group()
            assert PHONE.search(text) is None, (path.name, PHONE.search(text))

    def test_has_two_systems_and_baseline(self, slug: str) -> None:
        content = load_scenario(slug, SCENARIOS).content
        assert sum(variant.baseline for variant in content.variants) == 1
        assert sum(not variant.baseline for variant in content.variants) >= 2
        assert not next(v for v in content.variants if v.key == content.candidate).baseline

    def test_unknown_variant_is_refused(self, slug: str) -> None:
        with pytest.raises(UnknownObject, match="keine Variante 'gibtesnicht'"):
            load_scenario(slug, SCENARIOS).build_system("gibtesnicht")

    def test_has_a_readme(self, slug: str) -> None:
        assert (SCENARIOS / slug / "README.md").read_text("utf-8").strip()


@pytest.mark.parametrize(("slug", "variant"), VARIANTS)
class TestShippedSystem:
    def test_survives_strange_questions(self, slug: str, variant: str) -> None:
        system = load_scenario(slug, SCENARIOS).build_system(variant)
        for question in (
            "",
            " ",
            "🎉👩🏽‍💼",
            "\u200fمرحبا بكم\u200f",
            "Miete " * 40_000,
            "\x00\t",
            "?!.,;",
            "§" * 99,
        ):
            answer = system(question)
            assert isinstance(answer, dict)
            assert str(answer["text"]).strip()
            assert len(str(answer["text"])) < 20_000
            assert isinstance(answer["handover"], bool)

    def test_answers_differ_by_case(self, slug: str, variant: str) -> None:
        folder = load_scenario(slug, SCENARIOS)
        system = folder.build_system(variant)
        answers = {str(system(case.input)) for case in folder.cases}
        assert len(answers) >= len(folder.cases) / 2

    def test_same_question_gives_same_answer(self, slug: str, variant: str) -> None:
        folder = load_scenario(slug, SCENARIOS)
        one, other = folder.build_system(variant), folder.build_system(variant)
        assert [one(c.input) for c in folder.cases] == [other(c.input) for c in folder.cases]

    def test_knows_no_case_by_heart(self, slug: str, variant: str) -> None:
        folder = load_scenario(slug, SCENARIOS)
        source = (folder.path / "system.py").read_text("utf-8")
        assert not [case.id for case in folder.cases if case.id in source]
        assert not [case.id for case in folder.cases if case.input[:30] in source]
        del variant

    def test_cited_sources_exist(self, slug: str, variant: str) -> None:
        folder = load_scenario(slug, SCENARIOS)
        system = folder.build_system(variant)
        known = {row["id"] for row in passages(slug)}
        answers = [system(case.input) for case in folder.cases]
        cited = {source for answer in answers for source in dict(answer)["sources"]}  # type: ignore[arg-type]
        assert cited
        assert cited <= known


def test_scenario_folders_are_no_packages() -> None:
    for folder in (SCENARIOS, EVALUATIONS, REPOSITORY / "tracking"):
        assert not list(Path(folder).rglob("__init__.py"))
