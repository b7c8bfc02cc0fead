"""Organisations and the people in them."""

from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class Role(StrEnum):
    """What a person may be here for; one person may have several roles."""

    PILOT = "pilot"
    EVALUATOR = "evaluator"
    ORGANISER = "organiser"
    STEERING = "steering"
    DATA_PROTECTION = "data_protection"
    STAFF_COUNCIL = "staff_council"
    SECURITY = "security"
    SUBJECT = "subject"
    """Fachseite: answers for the task itself."""


class Organisation(SQLModel, table=True):
    """A Jobcenter or municipality."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    left_on: date | None = None
    """Since when it no longer takes part; what it trialled stays."""


class Person(SQLModel, table=True):
    """Somebody who acts; judgements refer to a pseudonym (`Rater`), not to this row."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id")
    roles: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    active: bool = True
    demo: bool = False
