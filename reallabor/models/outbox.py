"""What is still to be sent to MLflow; written in the transaction that makes it due."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class Delivery(StrEnum):
    """Kinds of messages to MLflow."""

    IMPORTED_RUN = "imported_run"
    FEEDBACK = "feedback"
    JUDGEMENTS = "judgements"
    """What language models said of an output."""
    SCORES = "scores"
    DECISION = "decision"
    INDICATORS = "indicators"
    CASES = "cases"
    WITHDRAWAL = "withdrawal"
    """A run that was taken back here and is to be deleted there."""
    ERASURE = "erasure"
    """An output whose text was erased here; its trace is to be deleted there."""
    EVIDENCE = "evidence"
    """A file behind a confirmed gate; it becomes an artifact there."""


class OutboxEntry(SQLModel, table=True):
    """One idempotent message; `subject_id` is the row it is about."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("ix_outbox_due", "done_at", "next_attempt_at"),)
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    """What the message is about in words, such as `feedback/17/3`; one entry per key."""
    kind: Delivery = Field(sa_type=sa.String)
    subject_id: int
    """FEEDBACK, JUDGEMENTS and ERASURE: output; SCORES, INDICATORS and IMPORTED_RUN: run;
    DECISION: decision; EVIDENCE: evidence; CASES and WITHDRAWAL: scenario."""
    round_id: int | None = Field(default=None, foreign_key="rating_round.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    attempts: int = 0
    next_attempt_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None
