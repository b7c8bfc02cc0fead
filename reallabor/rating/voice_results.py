"""What voices say: answers per question with n, and worries. Below five answers only n is told."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from reallabor.errors import UnknownObject
from reallabor.models import Audience, Person, Scenario, Survey, Voice
from reallabor.policies import may_read_voices, require
from reallabor.questionnaires import Questionnaire
from reallabor.rating.surveys import count_voices
from reallabor.statistics import Interval, mean_interval

FEWEST = 5
"""From this many answers on they are shown; fewer could be guessed back to a person."""


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


def voices_heard(session: Session, scenario: Scenario, *, demo: bool) -> dict[Audience, int]:
    """The most answers that one survey has, by audience: what readiness asks for. Voices of the
    demonstration count only for results of the demonstration."""
    surveys = session.exec(
        select(Survey).where(Survey.scenario_id == scenario.id, Survey.demo == demo)
        .order_by(col(Survey.id))
    ).all()  # fmt: skip
    heard = dict.fromkeys(Audience, 0)
    for survey in surveys:
        audience = Audience(survey.audience)
        heard[audience] = max(heard[audience], count_voices(session, survey))
    return heard


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
