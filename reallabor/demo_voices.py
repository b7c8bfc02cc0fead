"""Scripted voices for the demonstration, by a documented rule; invented like its people."""

import random
import uuid

from sqlmodel import Session, select

from reallabor.models import Audience, Person, Survey, row_id
from reallabor.questionnaires import Questionnaire
from reallabor.rating.surveys import open_survey, sample_choices
from reallabor.rating.voices import Sheet, enter_sheet
from reallabor.recording.catalogue import get_scenario

SHEETS = (
    {Audience.STAFF: 9, Audience.CLIENTS: 14},
    {Audience.STAFF: 6, Audience.CLIENTS: 4},
)
"""Answers in the first and the second scenario; the four clients are too few to be shown."""
ABOUT = "Ein Computer-Programm hilft bei dieser Aufgabe: {}. Entscheiden werden weiter Menschen."
WORRIES = {
    Audience.STAFF: (
        "Ich möchte sehen, woher eine Auskunft kommt.",
        "Spart nur Zeit, wenn ich nicht alles noch einmal prüfen muss.",
        "Wer haftet, wenn etwas Falsches herausgeht?",
    ),
    Audience.CLIENTS: (
        "Ich will trotzdem mit einem Menschen sprechen können.",
        "Was passiert mit dem, was ich schreibe?",
        "Gut, dass es auch abends geht.",
        "Manche Wörter sind schwer.",
    ),
}
"""Every third sheet carries one, in turn."""


def fill_voices(session: Session, slug: str, place: int, *, actor: Person) -> bool:
    """A survey of each audience with scripted answers; False where the demonstration has one here
    already, or `place` is beyond those that get voices."""
    scenario = get_scenario(session, slug)
    known = select(Survey.id).where(Survey.scenario_id == scenario.id, Survey.demo)
    if place >= len(SHEETS) or session.exec(known).first() is not None:
        return False
    sample = next(iter(sample_choices(session, slug, actor=actor)), None)
    for audience, n in SHEETS[place].items():
        survey = open_survey(
            session, slug, audience, actor=actor, about=ABOUT.format(scenario.title),
            output_id=sample.output_id if sample else None,
        )  # fmt: skip
        for number in range(n):
            sheet = scripted_sheet(slug, audience, number, survey.questions)
            enter_sheet(session, row_id(survey.id), sheet, actor=actor)
    return True


def scripted_sheet(
    slug: str, audience: Audience, number: int, questions: dict[str, object]
) -> Sheet:
    """One sheet by rule: a level is normal around 70 % of the scale (sd 20 %), rounded and kept on
    the scale; one answer in ten is left out; every fourth sheet is in simple German."""
    questionnaire = Questionnaire.model_validate(questions)
    rng = random.Random(f"{slug}/{audience.value}/{number}")
    most = questionnaire.levels
    answers = {
        question.key: min(most, max(1, round(1 + (most - 1) * rng.gauss(0.7, 0.2))))
        for question in questionnaire.questions
        if rng.random() > 0.1
    }
    worries = WORRIES[audience]
    worry = worries[number // 3 % len(worries)] if number % 3 == 0 else ""
    submission = str(uuid.uuid5(uuid.NAMESPACE_URL, f"demo/{slug}/{audience.value}/{number}"))
    answers = answers or {questionnaire.questions[0].key: most}
    return Sheet(answers, worry, number % 4 == 3, submission)
