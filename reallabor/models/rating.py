"""Rounds, who rates what, and the ratings themselves (append-only)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class RoundOrigin(StrEnum):
    """How the ratings of a round came to be."""

    BLIND = "blind"
    IMPORTED = "imported"


class Round(SQLModel, table=True):
    """A round of rating: fixed runs, fixed rubric version, open until released."""

    __tablename__ = "rating_round"
    __table_args__ = (sa.UniqueConstraint("scenario_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    scenario_id: int = Field(foreign_key="scenario.id")
    number: int
    rubric_id: int = Field(foreign_key="rubric.id")
    origin: RoundOrigin = Field(default=RoundOrigin.BLIND, sa_type=sa.String)
    overlap: int = 2
    seed: int = 0
    candidate_id: int | None = Field(default=None, foreign_key="variant.id")
    """The variant that the pilot team had named when the round began."""
    pseudonym_key: str
    """Secret behind `Rater.name_key`; destroying it cuts the way back to names."""
    demo: bool = False
    due_on: date | None = None
    requires_calibration: bool = Field(default=False, sa_column_kwargs={"server_default": "0"})
    """Whether only people who are calibrated for the rubric version may rate."""
    opened_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    opened_by: int = Field(foreign_key="person.id")
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    released_by: int | None = Field(default=None, foreign_key="person.id")


class RoundRun(SQLModel, table=True):
    """A run that is rated in a round."""

    __tablename__ = "round_run"
    round_id: int = Field(foreign_key="rating_round.id", primary_key=True)
    run_id: int = Field(foreign_key="trial_run.id", primary_key=True)


class Rater(SQLModel, table=True):
    """A rater in one round, under a pseudonym that is valid for that round only."""

    __table_args__ = (
        sa.UniqueConstraint("round_id", "pseudonym"),
        sa.UniqueConstraint("round_id", "name_key"),
    )
    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="rating_round.id")
    pseudonym: str
    name_key: str
    """HMAC of the person or imported name under the round's key."""
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Since when this person rates no more in the round; what they rated stays."""


class EndReason(StrEnum):
    """Why somebody no longer has to rate an output; the first three they say themselves."""

    UNREADABLE = "unreadable"
    CONFLICT = "conflict"
    PERSONAL_DATA = "personal_data"
    MOVED = "moved"
    """Given to somebody else, to even out the load or because the rater left the round."""
    QUARANTINED = "quarantined"
    """Nobody rates the output: personal data was seen in it."""

    @property
    def declined(self) -> bool:
        """Whether the rater said so; a rating that comes later is refused then."""
        return self in (EndReason.UNREADABLE, EndReason.CONFLICT, EndReason.PERSONAL_DATA)


class Assignment(SQLModel, table=True):
    """One output that one rater is asked to rate; `token` is all the browser ever learns."""

    __table_args__ = (
        sa.UniqueConstraint("rater_id", "output_id"),
        sa.UniqueConstraint("rater_id", "position"),
    )
    id: int | None = Field(default=None, primary_key=True)
    token: str = Field(unique=True)
    rater_id: int = Field(foreign_key="rater.id")
    output_id: int = Field(foreign_key="output.id")
    position: int
    """Ascending in the rater's own order, gold cases among them; what the rater sees is counted
    from 1 over what is still theirs."""
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_because: EndReason | None = Field(default=None, sa_type=sa.String)


class Rating(SQLModel, table=True):
    """One level on one criterion. Level and comment never change: a revision is a new row."""

    __table_args__ = (
        sa.Index(
            "uq_rating_current",
            "rater_id",
            "output_id",
            "criterion_id",
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        ),
        sa.Index("ix_rating_round", "round_id"),
        sa.Index("ix_rating_submission", "submission"),
    )
    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="rating_round.id")
    rater_id: int = Field(foreign_key="rater.id")
    output_id: int = Field(foreign_key="output.id")
    criterion_id: int = Field(foreign_key="criterion.id")
    level: float
    comment: str | None = None
    submission: str
    """Id of the saving act or of the imported file; repeating it changes nothing."""
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    superseded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Remark(SQLModel, table=True):
    """What a rater says of a whole output beside the levels; revisions as in `Rating`."""

    __table_args__ = (sa.Index("ix_remark_rater", "rater_id", "output_id"),)
    id: int | None = Field(default=None, primary_key=True)
    rater_id: int = Field(foreign_key="rater.id")
    output_id: int = Field(foreign_key="output.id")
    text: str = ""
    rework_minutes: int | None = None
    """How long somebody would have to work on the output before it could be used."""
    passages: list[dict[str, Any]] = Field(
        default_factory=list, sa_type=sa.JSON, sa_column_kwargs={"server_default": "[]"}
    )
    """Marked as evidence: `start` and `end` in characters of the output, `criterion` its key."""
    submission: str
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    superseded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
