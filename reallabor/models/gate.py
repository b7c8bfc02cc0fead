"""What people confirmed before a scenario may go into use: gates of law with their evidence, and
the worksheets of high-risk systems. Append-only; the newest entry of a gate or question counts."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now


class GateOutcome(StrEnum):
    """What a reviewer found."""

    PASSED = "passed"
    MISSED = "missed"
    NOT_APPLICABLE = "not_applicable"


class GateReview(SQLModel, table=True):
    """One finding on one gate of `gates.yaml` for one scenario."""

    __tablename__ = "gate_review"
    __table_args__ = (sa.Index("ix_gate_review_gate", "scenario_id", "gate"),)
    id: int | None = Field(default=None, primary_key=True)
    scenario_id: int = Field(foreign_key="scenario.id")
    gate: str
    """Key in `gates.yaml`."""
    outcome: GateOutcome = Field(sa_type=sa.String)
    office: str
    """In which office the person confirmed, as `gates.yaml` names it, such as `DSB`."""
    note: str
    legal_status: date
    """The legal status of `gates.yaml` on which the finding rests."""
    content_sha256: str
    """Hash of the gate's text as it was read by the reviewer."""
    expires_on: date | None = None
    person_id: int = Field(foreign_key="person.id")
    reviewed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    demo: bool = False


class Evidence(SQLModel, table=True):
    """A file or link behind a finding. MLflow owns files; until it has them the bytes lie here."""

    id: int | None = Field(default=None, primary_key=True)
    review_id: int = Field(foreign_key="gate_review.id", index=True)
    title: str
    """File name, or what the link leads to."""
    url: str = ""
    """Empty for a file."""
    sha256: str = ""
    """Of the file's bytes; empty for a link."""
    n_bytes: int = 0
    content: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    """None for a link, and once MLflow holds the file."""
    tracking_run_id: str = ""
    """MLflow's run whose artifact the file is; empty until it was sent."""
    artifact_path: str = ""
    missing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Since when a check did not find the file in MLflow, or found another one there."""


class WorksheetAnswer(SQLModel, table=True):
    """One answer on a worksheet (Art. 26, Art. 27 AI Act); the newest of a question counts."""

    __tablename__ = "worksheet_answer"
    __table_args__ = (sa.Index("ix_worksheet_answer_item", "scenario_id", "worksheet", "item"),)
    id: int | None = Field(default=None, primary_key=True)
    scenario_id: int = Field(foreign_key="scenario.id")
    worksheet: str
    item: str
    """Keys in `gates.yaml`."""
    text: str
    done: bool
    """Whether the answerer holds the point for settled."""
    person_id: int = Field(foreign_key="person.id")
    answered_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    demo: bool = False
