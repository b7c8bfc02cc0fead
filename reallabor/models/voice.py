"""Voices: what staff and SGB II clients say of a scenario; anonymous, apart from expert ratings."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class Audience(StrEnum):
    """Who is asked."""

    STAFF = "staff"
    CLIENTS = "clients"


class Channel(StrEnum):
    """How an answer came in."""

    TABLET = "tablet"
    PAPER = "paper"
    LINK = "link"


class Survey(SQLModel, table=True):
    """A questionnaire on one scenario for one audience; its questions never change."""

    id: int | None = Field(default=None, primary_key=True)
    scenario_id: int = Field(foreign_key="scenario.id", index=True)
    audience: Audience = Field(sa_type=sa.String)
    questions: dict[str, Any] = Field(sa_type=sa.JSON)
    """The content of the questionnaire as it was when the survey began."""
    about: str = ""
    """What is trialled, in the plain words of whoever opened the survey."""
    sample_input: str = ""
    """What the system was given for the sample; empty where that is not shown."""
    sample: str = ""
    """A text of the trial that those asked can read first; empty where there is none."""
    device_key: str = Field(unique=True)
    """Opens the questionnaire on a tablet in the house, as often as needed, until it is closed."""
    demo: bool = False
    opened_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    opened_by: int = Field(foreign_key="person.id")
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SurveyToken(SQLModel, table=True):
    """A link or QR code for one answer. Which answer it gave is not stored."""

    __tablename__ = "survey_token"
    id: int | None = Field(default=None, primary_key=True)
    survey_id: int = Field(foreign_key="survey.id", index=True)
    token_sha256: str = Field(unique=True)
    used: bool = False


class Voice(SQLModel, table=True):
    """One answered questionnaire. Only the day is kept, nothing about who answered."""

    id: int | None = Field(default=None, primary_key=True)
    survey_id: int = Field(foreign_key="survey.id", index=True)
    channel: Channel = Field(sa_type=sa.String)
    simple: bool = False
    """Whether it was answered in simple German."""
    answers: dict[str, int] = Field(sa_type=sa.JSON)
    """Level by key of the question; what was left out is missing."""
    worry: str = ""
    submission: str = Field(unique=True)
    """Id of the saving act; repeating it changes nothing."""
    received_on: date = Field(default_factory=lambda: now().date())
