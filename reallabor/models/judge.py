"""What an LLM judge said: a column of its own, never part of a score."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class Judge(SQLModel, table=True):
    """One pass of one model over the outputs of one round."""

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="rating_round.id", index=True)
    model: str
    host: str
    """Where the model ran, without credentials."""
    prompt: str
    """The instructions, as they were sent with every output."""
    started_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    started_by: int = Field(foreign_key="person.id")
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class JudgeRating(SQLModel, table=True):
    """One level of a judge on one criterion, or why there is none."""

    __tablename__ = "judge_rating"
    __table_args__ = (sa.UniqueConstraint("judge_id", "output_id", "criterion_id"),)
    id: int | None = Field(default=None, primary_key=True)
    judge_id: int = Field(foreign_key="judge.id")
    output_id: int = Field(foreign_key="output.id", index=True)
    criterion_id: int = Field(foreign_key="criterion.id")
    level: float | None = None
    rationale: str = ""
    error: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
