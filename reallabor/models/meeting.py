"""Meetings (Sitzungen) of the steering group: agenda, participants, conflicts, votes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from reallabor.models.base import UtcDateTime, now
from reallabor.models.decision import Verdict


class Meeting(SQLModel, table=True):
    """One meeting: planned, then open, then closed; a closed one never changes."""

    id: int | None = Field(default=None, primary_key=True)
    title: str
    held_on: date
    place: str = ""
    quorum: int
    """Voting members who must be present."""
    profile_name: str = ""
    """Name of the weight profile under which scenarios are compared; empty: the default weights."""
    weights: dict[str, float] = Field(default_factory=dict, sa_type=sa.JSON)
    """The weights themselves, so that a later change of the profile changes no decision."""
    demo: bool = False
    created_by: int = Field(foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Participant(SQLModel, table=True):
    """Somebody at a meeting; guests have no vote and need no account."""

    __table_args__ = (sa.UniqueConstraint("meeting_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    meeting_id: int = Field(foreign_key="meeting.id")
    name: str
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id")
    person_id: int | None = Field(default=None, foreign_key="person.id")
    has_vote: bool = True
    present: bool = False


class AgendaItem(SQLModel, table=True):
    """One scenario on the agenda; a draft is kept here, what is confirmed is a Decision."""

    __tablename__ = "agenda_item"
    __table_args__ = (sa.UniqueConstraint("meeting_id", "scenario_id"),)
    id: int | None = Field(default=None, primary_key=True)
    meeting_id: int = Field(foreign_key="meeting.id")
    scenario_id: int = Field(foreign_key="scenario.id")
    position: int
    note: str = ""
    """What was discussed."""
    draft: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    """Verdict, reason, dissent, conditions and review date, not yet confirmed."""
    decision_id: int | None = Field(default=None, foreign_key="decision.id", unique=True)


class Conflict(SQLModel, table=True):
    """A participant who declared a conflict of interest on an item; they have no vote on it. That
    an organisation decides on its own pilot is computed, not stored."""

    __tablename__ = "conflict_of_interest"
    __table_args__ = (sa.UniqueConstraint("item_id", "participant_id"),)
    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="agenda_item.id")
    participant_id: int = Field(foreign_key="participant.id")
    reason: str = ""


class Choice(StrEnum):
    """A vote on a motion."""

    YES = "ja"
    NO = "nein"
    ABSTAIN = "Enthaltung"


class Motion(SQLModel, table=True):
    """A verdict that is put to the vote; an item may see several, one after the other."""

    __table_args__ = (sa.UniqueConstraint("item_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="agenda_item.id")
    number: int
    verdict: Verdict = Field(sa_type=sa.String)
    secret: bool = False
    opened_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    n_present: int | None = None
    """Voting members present when it closed: who leaves later changes no result."""


class Vote(SQLModel, table=True):
    """That a participant voted, and in an open vote how. Nothing about when."""

    __table_args__ = (sa.UniqueConstraint("motion_id", "participant_id"),)
    id: int | None = Field(default=None, primary_key=True)
    motion_id: int = Field(foreign_key="motion.id")
    participant_id: int = Field(foreign_key="participant.id")
    choice: Choice | None = Field(default=None, sa_type=sa.String)
    """None in a secret vote."""
    on_call: bool = False
    """Entered by the organisation on the member's word, or on the organisation's device."""


class Tally(SQLModel, table=True):
    """How often a choice was made in a secret vote: a count only, so that no row leads back to a
    person by its place."""

    motion_id: int = Field(foreign_key="motion.id", primary_key=True)
    choice: Choice = Field(sa_type=sa.String, primary_key=True)
    n: int = 0


class Condition(SQLModel, table=True):
    """A condition (Auflage) of a decision, with owner and due date."""

    id: int | None = Field(default=None, primary_key=True)
    decision_id: int = Field(foreign_key="decision.id", index=True)
    position: int
    text: str
    owner: str
    due_on: date
    met_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    met_by: int | None = Field(default=None, foreign_key="person.id")
    met_note: str = ""


class WeightProfile(SQLModel, table=True):
    """A named set of weights for the ranking; a changed one is a new row, the newest of a name
    counts."""

    __tablename__ = "weight_profile"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    weights: dict[str, float] = Field(sa_type=sa.JSON)
    """Share (0-1) by criterion key; they sum to 1."""
    retired: bool = False
    """Whether this row takes the name out of the list."""
    person_id: int = Field(foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
