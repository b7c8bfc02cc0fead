"""Rules for the shipped gold cases and lessons: what makes a calibration worth something."""

import math
import re
from collections.abc import Iterable

import pytest
from building import REPOSITORY
from test_shipped_content import (
    E_MAIL,
    EVALUATIONS,
    PHONE,
    SLUGS,
    WEIGHTS,
    grams,
    near_duplicates,
    texts_of,
)

from reallabor.evaluations import (
    CalibrationContent,
    GoldCaseContent,
    calibration_keys,
    load_calibration,
    load_rubric,
)
from reallabor.lessons import Lesson, lesson_keys, load_lessons

LESSONS = load_lessons(EVALUATIONS)
GUESSING = 0.05
"""Most often that somebody who guesses may pass an attempt."""
UNSAFE = re.compile(r"<|~~|\$|!\[|\]\(|https?:|(?<!\w):[a-z_]+(?:\[|:)")
"""What Streamlit would draw as something else than text, or what leads out of the house."""


def attempts(content: CalibrationContent) -> list[list[GoldCaseContent]]:
    """The first two attempts, as everybody gets them."""
    return [content.cases[: content.enough], content.cases[content.enough : 2 * content.enough]]


def references(cases: Iterable[GoldCaseContent]) -> list[int]:
    return [level for case in cases for level in case.levels.values()]


def needed(content: CalibrationContent, judgements: int) -> int:
    return math.ceil(content.share * judgements - 1e-9)


def chance_of_guessing(content: CalibrationContent, cases: list[GoldCaseContent]) -> float:
    """Probability that levels drawn at random from 1-5 pass: the exact sum over all ways."""
    exactly = [1.0]
    for level in references(cases):
        hit = sum(abs(level - drawn) <= content.tolerance for drawn in range(1, 6)) / 5
        longer = [0.0] * (len(exactly) + 1)
        for hits, probability in enumerate(exactly):
            longer[hits] += probability * (1 - hit)
            longer[hits + 1] += probability * hit
        exactly = longer
    return sum(exactly[needed(content, len(references(cases))) :])


def test_every_rubric_has_gold_cases() -> None:
    assert calibration_keys(EVALUATIONS) == sorted(WEIGHTS)


@pytest.mark.parametrize("key", sorted(WEIGHTS))
class TestGoldCases:
    def test_eight_cases_make_two_attempts(self, key: str) -> None:
        content = load_calibration(key, EVALUATIONS)
        assert len(content.cases) == 8 == 2 * content.enough
        assert content.rubric == load_rubric(key, EVALUATIONS).name

    def test_levels_of_each_criterion_spread(self, key: str) -> None:
        content = load_calibration(key, EVALUATIONS)
        for criterion in WEIGHTS[key]:
            levels = {case.levels[criterion] for case in content.cases}
            assert len(levels) >= 4, criterion
            assert min(levels) <= 2, criterion
            assert max(levels) == 5, criterion

    def test_same_level_for_everything_never_calibrates(self, key: str) -> None:
        content = load_calibration(key, EVALUATIONS)
        for cases in attempts(content):
            levels = references(cases)
            for given in range(1, 6):
                hits = sum(abs(given - level) <= content.tolerance for level in levels)
                assert hits < needed(content, len(levels)), given

    def test_guessing_hardly_ever_calibrates(self, key: str) -> None:
        content = load_calibration(key, EVALUATIONS)
        for cases in attempts(content):
            assert chance_of_guessing(content, cases) < GUESSING

    def test_halo_of_the_first_criterion_does_not_calibrate(self, key: str) -> None:
        if len(WEIGHTS[key]) == 2:
            pytest.skip("two criteria that go together by nature")
        content = load_calibration(key, EVALUATIONS)
        for cases in attempts(content):
            hits = sum(
                abs(level - next(iter(case.levels.values()))) <= content.tolerance
                for case in cases
                for level in case.levels.values()
            )
            assert hits < needed(content, len(references(cases)))

    def test_explanation_cites_the_anchor_of_its_level(self, key: str) -> None:
        anchors = {each.key: each.levels for each in load_rubric(key, EVALUATIONS).criteria}
        for case in load_calibration(key, EVALUATIONS).cases:
            for criterion, explanation in case.explanation.items():
                cited = re.findall("„([^“]*)“", explanation)
                anchor = anchors[criterion][case.levels[criterion]]
                assert any(len(each) >= 8 and each in anchor for each in cited), (
                    case.key, criterion, anchor,
                )  # fmt: skip
                assert explanation.endswith((".", ".“")), (case.key, criterion)
                assert not re.search(r"[^\d]\. [A-ZÄÖÜ]", explanation), (case.key, criterion)

    def test_texts_carry_no_real_contact(self, key: str) -> None:
        for case in load_calibration(key, EVALUATIONS).cases:
            text = f"{case.input}\n{case.reference}\n{case.output}"
            assert not E_MAIL.search(text), case.key
            assert not PHONE.search(text), case.key
            assert not re.search(r"\bDE\d", text), case.key


def test_gold_cases_are_no_copies_of_trialled_ones() -> None:
    gold = {
        f"{key}/{case.key}": case.input
        for key in WEIGHTS
        for case in load_calibration(key, EVALUATIONS).cases
    }
    trialled = [grams(text) for slug in SLUGS for text in texts_of(slug).values()]
    assert near_duplicates(gold) == []
    for name, text in gold.items():
        own = grams(text)
        # How much of the gold case stands in a single case: a shortened copy would be found.
        assert max(len(own & other) / len(own) for other in trialled) < 0.7, name


# --- lessons ------------------------------------------------------------------------------------


def test_every_role_has_a_path() -> None:
    for role in ("pilot", "evaluator", "organiser", "steering"):
        assert sum(role in lesson.roles for lesson in LESSONS) >= 3
    assert len({lesson.order for lesson in LESSONS}) == len(LESSONS) >= 9


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.key)
class TestLesson:
    def test_is_short_and_has_an_example_with_numbers(self, lesson: Lesson) -> None:
        words = lesson.body.split()
        assert 200 <= len(words) <= 500
        assert any(re.search(r"\d", word) for word in words)
        assert "## " in lesson.body
        assert not re.search(r"^# ", lesson.body, re.MULTILINE)

    def test_sentences_are_short(self, lesson: Lesson) -> None:
        prose = re.sub(r"```.*?```", "", lesson.body, flags=re.DOTALL)
        prose = re.sub(r"^[#|].*$", "", prose, flags=re.MULTILINE)
        sentences = [
            each for each in re.split(r"[.!?:]\s|\n\n|\n- |\n\d\. ", prose) if each.strip()
        ]
        lengths = [len(sentence.split()) for sentence in sentences]
        assert sum(lengths) / len(lengths) <= 13
        assert max(lengths) <= 35

    def test_is_drawn_as_text_and_leads_nowhere(self, lesson: Lesson) -> None:
        asked = [text for each in lesson.questions for text in (each.question, each.answer)]
        for text in (lesson.title, lesson.body, *asked):
            assert not UNSAFE.search(text), UNSAFE.search(text)

    def test_minutes_fit_the_length(self, lesson: Lesson) -> None:
        assert len(lesson.body.split()) / 150 <= lesson.minutes <= len(lesson.body.split()) / 50


def test_lesson_files_have_no_other_neighbours() -> None:
    names = {path.name for path in (REPOSITORY / "evaluations" / "lernpfad").iterdir()}
    assert names == {f"{key}.md" for key in lesson_keys(EVALUATIONS)}
