"""Decisions of the steering group; append-only, the newest counts."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class Verdict(StrEnum):
    """The four possible decisions."""

    DEVELOP = "Weiterentwickeln"
    REVISE = "Nachbessern"
    DEFER = "Zurückstellen"
    STOP = "Beenden"


class Decision(SQLModel, table=True):
    """A verdict with its reason and the evidence as it stood then."""

    id: int | None = Field(default=None, primary_key=True)
    scenario_id: int = Field(foreign_key="scenario.id", index=True)
    verdict: Verdict = Field(sa_type=sa.String)
    reason: str
    dissent: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """What those say who voted against it."""
    review_on: date | None = None
    """When the steering group looks at it again."""
    decided_by: str
    """Name of the member who stands for the decision."""
    recorded_by: int = Field(foreign_key="person.id")
    evidence: dict[str, Any] = Field(sa_type=sa.JSON)
    evidence_sha256: str
    supersedes_id: int | None = Field(default=None, foreign_key="decision.id")
    demo: bool = False
    decided_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
