"""The audit trail: each entry carries the hash of the one before it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime


class AuditEntry(SQLModel, table=True):
    """Who did what to which object; people appear by id only, never by name."""

    __tablename__ = "audit_entry"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    person_id: int
    action: str
    subject: str
    details: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    previous_hash: str
    hash: str = Field(unique=True)


class AuditHead(SQLModel, table=True):
    """How long the trail is and how it ends; one row, so that a cut-off end is noticed."""

    __tablename__ = "audit_head"
    id: int = Field(default=1, primary_key=True)
    n: int = 0
    hash: str = ""
    """Of the newest entry; empty where there is none."""
