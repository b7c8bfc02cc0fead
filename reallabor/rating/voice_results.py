"""What voices say: answers per question with n, and worries. Below five answers only n is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from reallabor.errors import UnknownObject
from reallabor.models import Audience, Person, Survey, Voice, row_id
from reallabor.policies import may_read_voices, require
from reallabor.questionnaires import Questionnaire
from reallabor.statistics import Interval, mean_interval

FEWEST = 5
"""From this many answers on they are shown; fewer could be guessed back to a person."""
ACCEPTANCE = "nutzen"
"""Key of the question in `rueckmeldung.yaml` that is compared between scenarios: whether people
would work with the system."""


@dataclass(frozen=True)
class QuestionResult:
    """The answers to one question; without those who left it out."""

    question: str
    levels: dict[int, str]
    """Text of every level, in the standard wording."""
    n: int
    counts: dict[int, int] | None
    """Number of answers by level; None below FEWEST answers to this question."""
    mean: float | None
    """On 1 to the highest level; None below FEWEST, and where there is no interval."""
    interval: Interval | None


@dataclass(frozen=True)
class SurveyResult:
    """The answers of one survey, over both wordings and all ways in."""

    n: int
    questions: list[QuestionResult] | None
    """None below FEWEST answers."""
    worries: list[str]
    """Sorted by their text, so that nobody sees in which order they came; empty below FEWEST."""


def survey_result(session: Session, survey_id: int, *, actor: Person) -> SurveyResult:
    """The answers of a survey so far. Raises UnknownObject."""
    require(may_read_voices, actor)
    survey = session.get(Survey, survey_id)
    if survey is None:
        raise UnknownObject(f"Eine Befragung Nr. {survey_id} gibt es hier nicht.")
    voices = session.exec(select(Voice).where(Voice.survey_id == survey_id)).all()
    if len(voices) < FEWEST:
        return SurveyResult(len(voices), None, [])
    questionnaire = Questionnaire.model_validate(survey.questions)
    return SurveyResult(
        n=len(voices),
        questions=[
            _question(
                each.standard.question,
                each.standard.levels,
                [voice.answers[each.key] for voice in voices if each.key in voice.answers],
            )
            for each in questionnaire.questions
        ],
        worries=sorted(voice.worry for voice in voices if voice.worry),
    )


@dataclass(frozen=True)
class Acceptance:
    """Whether an audience would work with what is trialled: the survey with most answers."""

    heard: int
    """Answered questionnaires in it: what readiness asks for; 0 where nobody was asked."""
    answer: QuestionResult | None
    """Its answers to the question ACCEPTANCE; None where that was not asked."""


def acceptance(session: Session, demo: Mapping[int, bool]) -> dict[int, dict[Audience, Acceptance]]:
    """By scenario (row id) and audience. `demo` says by scenario whether its results are of the
    demonstration: voices of the demonstration count only there."""
    rows = session.exec(
        select(Survey, Voice.answers)
        .join(Voice, col(Voice.survey_id) == Survey.id)
        .where(col(Survey.scenario_id).in_(demo))
        .order_by(col(Survey.id))
    ).all()
    answers: dict[int, list[dict[str, int]]] = {}
    surveys: dict[int, Survey] = {}
    for survey, given in rows:
        if survey.demo == demo[survey.scenario_id]:
            surveys[row_id(survey.id)] = survey
            answers.setdefault(row_id(survey.id), []).append(dict(given))
    found = {each: dict.fromkeys(Audience, Acceptance(0, None)) for each in demo}
    for survey_id, survey in surveys.items():
        by_audience, audience = found[survey.scenario_id], Audience(survey.audience)
        # Of equally many answers the newer survey counts.
        if len(answers[survey_id]) >= by_audience[audience].heard:
            by_audience[audience] = _acceptance(survey, answers[survey_id])
    return found


def _acceptance(survey: Survey, answers: Sequence[Mapping[str, int]]) -> Acceptance:
    asked = {each.key: each for each in Questionnaire.model_validate(survey.questions).questions}
    question = asked.get(ACCEPTANCE)
    if question is None:
        return Acceptance(len(answers), None)
    given = [each[ACCEPTANCE] for each in answers if ACCEPTANCE in each]
    standard = question.standard
    return Acceptance(len(answers), _question(standard.question, standard.levels, given))


def _question(question: str, levels: dict[int, str], answers: list[Any]) -> QuestionResult:
    if len(answers) < FEWEST:
        return QuestionResult(question, levels, len(answers), None, None, None)
    interval = mean_interval(answers, lower=min(levels), upper=max(levels))
    return QuestionResult(
        question=question,
        levels=levels,
        n=len(answers),
        counts={level: answers.count(level) for level in levels},
        mean=sum(answers) / len(answers) if interval.reason is None else None,
        interval=interval,
    )
