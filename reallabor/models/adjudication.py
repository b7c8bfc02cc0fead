"""What was decided where raters disagree; the ratings themselves stay as they were given."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class Adjudication(SQLModel, table=True):
    """The level that holds for one criterion of one output; a revision is a new row."""

    __table_args__ = (
        sa.Index(
            "uq_adjudication_current",
            "round_id",
            "output_id",
            "criterion_id",
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="rating_round.id")
    output_id: int = Field(foreign_key="output.id", index=True)
    criterion_id: int = Field(foreign_key="criterion.id")
    level: float
    adopted_id: int | None = Field(default=None, foreign_key="rating.id")
    """The rating whose level was adopted; None where a third level was decided."""
    reason: str = ""
    """Needed for a third level."""
    basis: str
    """Digest of the ratings that were decided on; where they are others today, the adjudication is
    outdated and counts no more."""
    decided_by: int = Field(foreign_key="person.id")
    submission: str = Field(unique=True)
    """Id of the deciding act; repeating it changes nothing."""
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    superseded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
