"""Trial runs and their outputs: the read model of what MLflow holds."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now
from reallabor.ways import Way


class TrialRun(SQLModel, table=True):
    """One run of one variant in one organisation."""

    __tablename__ = "trial_run"
    __table_args__ = (sa.Index("ix_trial_run_scenario", "scenario_id"),)
    id: int | None = Field(default=None, primary_key=True)
    scenario_id: int = Field(foreign_key="scenario.id")
    variant_id: int = Field(foreign_key="variant.id")
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id")
    tracking_run_id: str | None = Field(default=None, unique=True)
    """MLflow's run id; empty for imported ratings until they are published."""
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime = Field(sa_type=UtcDateTime)
    params: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    indicators: dict[str, float] = Field(default_factory=dict, sa_type=sa.JSON)
    complete: bool = True
    """False while outputs are missing: such a run is read again."""
    demo: bool = False
    way: Way = Field(default=Way.RUN, sa_type=sa.String,
                     sa_column_kwargs={"server_default": Way.RUN.value})  # fmt: skip
    taken_at: datetime = Field(
        default_factory=now,
        sa_type=UtcDateTime,
        sa_column_kwargs={"server_default": "2026-11-01 00:00:00"},
    )
    """When it was taken over from MLflow; an uploaded file can be undone for an hour."""


class Output(SQLModel, table=True):
    """What a run gave for one case."""

    __table_args__ = (sa.UniqueConstraint("run_id", "case_id"),)
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="trial_run.id")
    case_id: int = Field(foreign_key="trial_case.id", index=True)
    trace_id: str | None = Field(default=None, unique=True)
    text: str | None = None
    """None where only ratings were imported, or where the system failed (then `error` says how)."""
    details: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    """What the system said beside the text, such as sources and hand-over."""
    error: str | None = None
    latency_ms: float | None = None
    tokens: int | None = None
    cost_eur: float | None = None
    content_sha256: str = ""


class UnassignedOutput(SQLModel, table=True):
    """An output of a taken-over run whose case is not known yet; somebody maps it by hand."""

    __tablename__ = "unassigned_output"
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="trial_run.id", index=True)
    trace_id: str = Field(unique=True)
    hint: str = ""
    """What the trace says of its case, where it says anything."""
    input: str | None = None
    text: str | None = None
    details: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    error: str | None = None
    latency_ms: float | None = None
    tokens: int | None = None
    cost_eur: float | None = None
    content_sha256: str = ""
