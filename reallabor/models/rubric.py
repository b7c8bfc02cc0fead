"""Stored versions of rubrics; a version never changes."""

import math
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class Rubric(SQLModel, table=True):
    """`key@version` with the whole content as it was loaded."""

    __table_args__ = (sa.UniqueConstraint("key", "version"),)
    id: int | None = Field(default=None, primary_key=True)
    key: str
    version: int
    title: str
    content: dict[str, Any] = Field(sa_type=sa.JSON)
    content_sha256: str
    scale_min: float
    scale_max: float
    scale_declared: bool = True
    """False where the scale was only read from the data: then there is no score."""
    higher_is_better: bool = True
    loaded_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)

    @property
    def name(self) -> str:
        return f"{self.key}@{self.version}"

    def has_level(self, level: float) -> bool:
        """Whether this is one of the whole levels of the scale."""
        return (
            math.isfinite(level)
            and float(level).is_integer()
            and self.scale_min <= level <= self.scale_max
        )


class Criterion(SQLModel, table=True):
    """One criterion of a rubric version; ratings point here."""

    __table_args__ = (sa.UniqueConstraint("rubric_id", "key"),)
    id: int | None = Field(default=None, primary_key=True)
    rubric_id: int = Field(foreign_key="rubric.id")
    key: str
    title: str
    position: int
    weight: float
    """Share of the score in percent; the weights of one rubric sum to 100."""
