"""Scenarios with their variants and cases."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class Origin(StrEnum):
    """Where a scenario came from."""

    SHIPPED = "shipped"
    IMPORTED = "imported"
    CREATED = "created"
    """Made with the form in the app."""


class Scenario(SQLModel, table=True):
    """A use-case scenario; `content` is its Steckbrief as in `scenario.yaml`."""

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    title: str
    origin: Origin = Field(sa_type=sa.String)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    content_sha256: str
    rubric_id: int | None = Field(default=None, foreign_key="rubric.id")
    experiment_id: str | None = None
    """MLflow's id, for links; known once a run was taken over."""
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Since when a prohibited practice stops the trial: nothing is recorded or rated any more."""
    loaded_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Variant(SQLModel, table=True):
    """A system that is trialled in a scenario; `baseline` is the way without AI."""

    __table_args__ = (sa.UniqueConstraint("scenario_id", "key"),)
    id: int | None = Field(default=None, primary_key=True)
    scenario_id: int = Field(foreign_key="scenario.id")
    key: str
    title: str
    description: str = ""
    baseline: bool = False
    candidate: bool = False


class Case(SQLModel, table=True):
    """One version of one case; a changed case is a new row, the old one stays for its ratings."""

    __tablename__ = "trial_case"
    __table_args__ = (
        sa.UniqueConstraint("scenario_id", "key", "version"),
        sa.Index("ix_trial_case_hash", "scenario_id", "content_sha256"),
    )
    id: int | None = Field(default=None, primary_key=True)
    scenario_id: int = Field(foreign_key="scenario.id")
    key: str
    version: int = 1
    current: bool = True
    input: str | None = None
    reference: str = ""
    passages: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    topic: str = ""
    edge: bool = False
    cluster: str | None = None
    expected: dict[str, Any] = Field(
        default_factory=dict, sa_type=sa.JSON, sa_column_kwargs={"server_default": "{}"}
    )
    content_sha256: str = ""
