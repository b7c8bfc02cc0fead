"""Organisations and the people in them."""

from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class Role(StrEnum):
    """What a person may be here for; one person may have several roles."""

    PILOT = "pilot"
    EVALUATOR = "evaluator"
    ORGANISER = "organiser"
    STEERING = "steering"


class Organisation(SQLModel, table=True):
    """A Jobcenter or municipality."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class Person(SQLModel, table=True):
    """Somebody who acts; judgements refer to a pseudonym (`Rater`), not to this row."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id")
    roles: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    active: bool = True
    demo: bool = False
