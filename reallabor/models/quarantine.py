"""Outputs that nobody is shown, because somebody saw personal data in them."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class QuarantineVerdict(StrEnum):
    """What the organisation decided on a quarantined output."""

    RELEASED = "released"
    """No personal data: it is rated like any other."""
    ERASED = "erased"
    """The text is deleted here and in MLflow."""


class Quarantine(SQLModel, table=True):
    """One report on one output; in quarantine until decided, for 14 days at most."""

    __table_args__ = (
        sa.Index(
            "uq_quarantine_open",
            "output_id",
            unique=True,
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    output_id: int = Field(foreign_key="output.id", index=True)
    round_id: int | None = Field(default=None, foreign_key="rating_round.id")
    reported_by: int = Field(foreign_key="person.id")
    reported_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    verdict: QuarantineVerdict | None = Field(default=None, sa_type=sa.String)
    decided_by: int | None = Field(default=None, foreign_key="person.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
