"""Gold cases: outputs with reference levels, to calibrate people. They are kept apart from what is
trialled, so that they can never count in a result."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class GoldRule(SQLModel, table=True):
    """When somebody counts as calibrated for a rubric version; as the file has it now."""

    __tablename__ = "gold_rule"
    rubric_id: int = Field(foreign_key="rubric.id", primary_key=True)
    tolerance: int
    """Levels by which a judgement may differ from the reference."""
    share: float
    """Share (0-1) of the judgements of an attempt that must be within tolerance."""
    enough: int
    """Gold cases in one attempt."""
    content_sha256: str


class GoldCase(SQLModel, table=True):
    """One gold case of a rubric version; a changed text is a new row, the old one stays."""

    __tablename__ = "gold_case"
    __table_args__ = (sa.UniqueConstraint("rubric_id", "key", "content_sha256"),)
    id: int | None = Field(default=None, primary_key=True)
    rubric_id: int = Field(foreign_key="rubric.id")
    key: str
    position: int
    current: bool = True
    input: str
    reference: str = ""
    output: str
    levels: dict[str, int] = Field(sa_type=sa.JSON)
    """The reference level of every criterion, by key."""
    explanations: dict[str, str] = Field(sa_type=sa.JSON)
    """Why each criterion has this level, by key."""
    content_sha256: str


class GoldAssignment(SQLModel, table=True):
    """A gold case among the outputs that a rater rates in a round; looks like any of them."""

    __tablename__ = "gold_assignment"
    __table_args__ = (sa.UniqueConstraint("rater_id", "gold_case_id"),)
    id: int | None = Field(default=None, primary_key=True)
    token: str = Field(unique=True)
    rater_id: int = Field(foreign_key="rater.id")
    gold_case_id: int = Field(foreign_key="gold_case.id")
    position: int
    """In one order with the rater's assignments; no two are equal."""
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class GoldRating(SQLModel, table=True):
    """One person's levels on a gold case: in training, or in a round where `rater_id` is set.
    Append-only; what was given first in training counts for calibration."""

    __tablename__ = "gold_rating"
    __table_args__ = (sa.Index("ix_gold_rating_person", "person_id", "gold_case_id"),)
    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    gold_case_id: int = Field(foreign_key="gold_case.id")
    rater_id: int | None = Field(default=None, foreign_key="rater.id", index=True)
    levels: dict[str, int] = Field(sa_type=sa.JSON)
    extras: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    """Comments, passages and minutes, so that a gold case reopens as it was left."""
    submission: str = Field(unique=True)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    superseded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LessonRead(SQLModel, table=True):
    """A lesson of the learning path that a person has marked as read."""

    __tablename__ = "lesson_read"
    person_id: int = Field(foreign_key="person.id", primary_key=True)
    lesson: str = Field(primary_key=True)
    read_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
