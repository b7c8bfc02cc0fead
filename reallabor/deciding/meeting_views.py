"""Meetings as they are read: on the two pages, by the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from reallabor.deciding.conflicts import ConflictView, conflicts_of
from reallabor.deciding.meetings import get_meeting, participants_of
from reallabor.deciding.voting import MotionResult, count_present, motion_result, vote_obstacle
from reallabor.models import (
    AgendaItem,
    Decision,
    Meeting,
    Motion,
    Organisation,
    Participant,
    Person,
    Scenario,
    Vote,
    row_id,
)
from reallabor.policies import may_run_meetings

PLANNED, OPEN, CLOSED = "geplant", "läuft", "geschlossen"


@dataclass(frozen=True)
class MeetingSummary:
    """A meeting in a list."""

    meeting_id: int
    title: str
    held_on: date
    place: str
    state: str
    n_items: int
    n_decided: int
    demo: bool


@dataclass(frozen=True)
class ParticipantView:
    """Somebody at a meeting."""

    participant_id: int
    person_id: int | None
    name: str
    organisation: str
    has_vote: bool
    present: bool


@dataclass(frozen=True)
class MotionView:
    """A motion with its result so far."""

    motion_id: int
    number: int
    verdict: str
    secret: bool
    result: MotionResult
    choices: dict[int, str | None]
    """By participant who voted: the choice, or None where the vote is secret."""


@dataclass(frozen=True)
class ItemView:
    """A scenario on the agenda."""

    item_id: int
    slug: str
    title: str
    position: int
    conflicts: list[ConflictView]
    motions: list[MotionView]
    """In the order in which they were put."""
    obstacles: dict[int, str]
    """By voting member who may not vote on the open motion: why; empty where none is open."""
    decision: Decision | None

    @property
    def open_motion(self) -> MotionView | None:
        return next((each for each in self.motions if not each.result.closed), None)

    @property
    def adopted(self) -> MotionView | None:
        """The newest adopted motion."""
        return next((each for each in reversed(self.motions) if each.result.adopted), None)

    @property
    def state(self) -> str:
        """Where the item stands, in German."""
        if self.decision:
            return f"beschlossen: {self.decision.verdict}"
        if self.open_motion:
            return "Abstimmung läuft"
        if self.adopted:
            return f"angenommen: {self.adopted.verdict}, noch zu bestätigen"
        return "abgelehnt" if self.motions else "offen"


@dataclass(frozen=True)
class MeetingView:
    """A whole meeting."""

    meeting: Meeting
    participants: list[ParticipantView]
    items: list[ItemView]
    n_present: int
    """Members with a vote who are there."""

    @property
    def state(self) -> str:
        return state_of(self.meeting)

    @property
    def quorate(self) -> bool:
        return self.n_present >= self.meeting.quorum

    def member_of(self, person_id: int | None) -> ParticipantView | None:
        """The participant that a person is."""
        found = [each for each in self.participants if each.person_id == person_id]
        return found[0] if found and person_id is not None else None


def state_of(meeting: Meeting) -> str:
    """German word for where a meeting stands."""
    if meeting.closed_at is not None:
        return CLOSED
    return OPEN if meeting.opened_at is not None else PLANNED


def list_meetings(session: Session) -> list[MeetingSummary]:
    """All meetings, newest day first."""
    meetings = session.exec(
        select(Meeting).order_by(col(Meeting.held_on).desc(), col(Meeting.id).desc())
    ).all()
    items = session.exec(select(AgendaItem.meeting_id, AgendaItem.decision_id)).all()
    return [
        MeetingSummary(
            row_id(each.id), each.title, each.held_on, each.place, state_of(each),
            sum(key == each.id for key, _ in items),
            sum(key == each.id and decision is not None for key, decision in items), each.demo,
        )
        for each in meetings
    ]  # fmt: skip


def open_meetings(session: Session, person: Person) -> list[MeetingSummary]:
    """Meetings that are not closed and that this person takes part in or runs, next day first."""
    own = session.exec(
        select(Participant.meeting_id).where(Participant.person_id == person.id)
    ).all()
    found = [
        each
        for each in list_meetings(session)
        if each.state != CLOSED and (each.meeting_id in own or may_run_meetings(person))
    ]
    return sorted(found, key=lambda each: (each.held_on, each.meeting_id))


def meeting_view(session: Session, meeting_id: int) -> MeetingView:
    """Everything about one meeting. Raises UnknownObject."""
    meeting = get_meeting(session, meeting_id)
    people = participants_of(session, meeting_id)
    items = session.exec(
        select(AgendaItem).where(AgendaItem.meeting_id == meeting_id)
        .order_by(col(AgendaItem.position))
    ).all()  # fmt: skip
    return MeetingView(
        meeting=meeting,
        participants=[_participant(session, each) for each in people],
        items=[_item(session, meeting, each, people) for each in items],
        n_present=count_present(session, meeting),
    )


def meeting_json(view: MeetingView) -> dict[str, Any]:
    """The published form of `meetings --json`."""
    return {
        "id": view.meeting.id,
        "title": view.meeting.title,
        "held_on": view.meeting.held_on.isoformat(),
        "place": view.meeting.place,
        "state": view.state,
        "quorum": view.meeting.quorum,
        "items": [
            {"id": item.item_id, "scenario": item.slug, "title": item.title, "state": item.state,
             "decision": item.decision.id if item.decision else None}
            for item in view.items
        ],
        "demo": view.meeting.demo,
    }  # fmt: skip


def _participant(session: Session, row: Participant) -> ParticipantView:
    house = session.get(Organisation, row.organisation_id or 0)
    return ParticipantView(
        row_id(row.id), row.person_id, row.name, house.name if house else "", row.has_vote,
        row.present,
    )  # fmt: skip


def _item(
    session: Session, meeting: Meeting, item: AgendaItem, people: Sequence[Participant]
) -> ItemView:  # fmt: skip
    scenario = session.get_one(Scenario, item.scenario_id)
    motions = session.exec(
        select(Motion).where(Motion.item_id == item.id).order_by(col(Motion.number))
    ).all()
    key = row_id(item.id)
    # Up to four queries a member, and every device looks every few seconds.
    voters = people if any(each.closed_at is None for each in motions) else []
    obstacles = {
        row_id(each.id): obstacle
        for each in voters
        if each.has_vote and (obstacle := vote_obstacle(session, meeting, key, each))
    }
    return ItemView(
        item_id=key,
        slug=scenario.slug,
        title=scenario.title,
        position=item.position,
        conflicts=conflicts_of(session, item),
        motions=[_motion(session, each, meeting) for each in motions],
        obstacles=obstacles,
        decision=session.get(Decision, item.decision_id) if item.decision_id else None,
    )


def _motion(session: Session, motion: Motion, meeting: Meeting) -> MotionView:
    votes = session.exec(
        select(Vote.participant_id, Vote.choice).where(Vote.motion_id == motion.id)
    ).all()
    return MotionView(
        row_id(motion.id), motion.number, str(motion.verdict), motion.secret,
        motion_result(session, motion, meeting),
        {key: None if choice is None else str(choice) for key, choice in votes},
    )  # fmt: skip
