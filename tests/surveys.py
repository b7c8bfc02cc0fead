"""Builds surveys for tests: one per audience on the small trial, and sheets to answer them."""

import uuid
from typing import Any

from building import person

from reallabor.database import reading, transaction
from reallabor.models import Audience, Survey
from reallabor.rating.surveys import close_survey, make_links, open_survey
from reallabor.rating.voice_results import SurveyResult, survey_result
from reallabor.rating.voices import Access, Sheet, enter_sheet, submit_voice

ABOUT = "Ein Programm beantwortet Fragen."
CLIENT_KEYS = ("hilfreich", "nutzen", "vertrauen")
"""What clients are asked where no sample is shown; three levels each."""


def opened(slug: str, audience: Audience = Audience.CLIENTS, **options: Any) -> Survey:
    """A survey that the pilot team has just opened."""
    with transaction() as session:
        survey = open_survey(session, slug, audience, about=ABOUT,
                             actor=person(session, "Paul Pilot"), **options)  # fmt: skip
        session.refresh(survey)
        session.expunge(survey)
    return survey


def links(survey: Survey, n: int = 1) -> list[str]:
    with transaction() as session:
        return make_links(session, survey.id or 0, n, actor=person(session, "Paul Pilot"))


def sheet(
    level: int | None = 2, *, worry: str = "", simple: bool = False, submission: str = "",
    **answers: int,
) -> Sheet:  # fmt: skip
    """An answer with the same level on all questions, but for those named."""
    levels = {} if level is None else dict.fromkeys(CLIENT_KEYS, level)
    return Sheet({**levels, **answers}, worry, simple, submission or str(uuid.uuid4()))


def submit(access: Access, sheet: Sheet) -> None:
    with transaction() as session:
        submit_voice(session, access, sheet)


def tablet(survey: Survey) -> Access:
    return Access(survey.device_key, device=True)


def enter(survey: Survey, sheet: Sheet, name: str = "Paul Pilot") -> None:
    with transaction() as session:
        enter_sheet(session, survey.id or 0, sheet, actor=person(session, name))


def close(survey: Survey) -> None:
    with transaction() as session:
        close_survey(session, survey.id or 0, actor=person(session, "Paul Pilot"))


def result(survey: Survey) -> SurveyResult:
    with reading() as session:
        actor = person(session, "Nora Niemand")
        return survey_result(session, survey.id or 0, actor=actor)
