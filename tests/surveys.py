"""Builds surveys for tests: one per audience on the small trial, and sheets to answer them."""

import uuid
from typing import Any

from sqlmodel import Session, select

from reallabor.database import transaction
from reallabor.models import Audience, Person, Survey
from reallabor.rating.surveys import make_links, open_survey
from reallabor.rating.voices import Sheet

ABOUT = "Ein Programm beantwortet Fragen."
CLIENT_KEYS = ("hilfreich", "nutzen", "vertrauen")
"""What clients are asked where no sample is shown; three levels each."""


def person(session: Session, name: str) -> Person:
    return session.exec(select(Person).where(Person.name == name)).one()


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
