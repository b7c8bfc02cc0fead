"""Meetings of the steering group: planned by the organisation, changed while planned, then open,
then closed for good. What happens on an item is in `voting`, `drafts` and `decisions`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, delete, func, select

from reallabor import audit
from reallabor.content import storable
from reallabor.deciding.profiles import find_profile
from reallabor.errors import InvalidMeeting, UnknownObject, WrongState
from reallabor.german import day, today
from reallabor.models import (
    AgendaItem,
    Conflict,
    Meeting,
    Motion,
    Organisation,
    Participant,
    Person,
    now,
    row_id,
)
from reallabor.people import list_people
from reallabor.policies import may_run_meetings, may_vote, require
from reallabor.rating.results import released_round
from reallabor.recording.catalogue import get_scenario


@dataclass(frozen=True)
class MeetingPlan:
    """What the organisation fixes beforehand."""

    title: str
    held_on: date
    quorum: int
    members: Sequence[int]
    """Row ids of people with a vote."""
    slugs: Sequence[str]
    """The agenda, in order."""
    guests: Sequence[str] = ()
    """Names; somebody who is known here brings their organisation along."""
    place: str = ""
    profile: str = ""
    """Name of a weight profile; empty: the default weights."""


def plan_meeting(session: Session, plan: MeetingPlan, *, actor: Person) -> Meeting:
    """A new meeting with participants and agenda. Raises InvalidMeeting, NotAllowed."""
    require(may_run_meetings, actor)
    meeting = Meeting(
        title="", held_on=plan.held_on, quorum=plan.quorum, created_by=row_id(actor.id)
    )
    _fill(session, meeting, plan)
    audit.record(session, "meeting_planned", audit.row_key(meeting), actor=actor, details={},
                 seal=[meeting])  # fmt: skip
    return meeting


def change_meeting(
    session: Session, meeting_id: int, plan: MeetingPlan, *, actor: Person
) -> Meeting:
    """Plan it anew, as long as it is not open. Raises InvalidMeeting, WrongState, NotAllowed."""
    require(may_run_meetings, actor)
    meeting = locked_meeting(session, meeting_id)
    if meeting.opened_at is not None:
        raise WrongState(
            f"Die Sitzung '{meeting.title}' hat schon begonnen; Tagesordnung und "
            "Beschlussfähigkeit stehen fest. Wer hinzukommt, lässt sich auf der Seite der Sitzung "
            "eintragen."
        )
    drafts = {
        item.scenario_id: (item.note, item.draft)
        for item in session.exec(select(AgendaItem).where(AgendaItem.meeting_id == meeting_id))
    }
    session.exec(delete(AgendaItem).where(col(AgendaItem.meeting_id) == meeting_id))
    session.exec(delete(Participant).where(col(Participant.meeting_id) == meeting_id))
    _fill(session, meeting, plan)
    for item in session.exec(select(AgendaItem).where(AgendaItem.meeting_id == meeting_id)):
        item.note, item.draft = drafts.get(item.scenario_id, ("", {}))
        session.add(item)
    audit.record(session, "meeting_changed", audit.row_key(meeting), actor=actor, details={},
                 seal=[meeting])  # fmt: skip
    return meeting


def open_meeting(session: Session, meeting_id: int, *, actor: Person) -> Meeting:
    """Begin: from now on people are present, vote and decide. Raises WrongState, NotAllowed."""
    require(may_run_meetings, actor)
    meeting = locked_meeting(session, meeting_id)
    if meeting.opened_at is not None:
        raise WrongState(f"Die Sitzung '{meeting.title}' hat schon begonnen.")
    meeting.opened_at = now()
    audit.record(session, "meeting_opened", audit.row_key(meeting), actor=actor, details={},
                 seal=[meeting])  # fmt: skip
    return meeting


def close_meeting(session: Session, meeting_id: int, *, actor: Person) -> Meeting:
    """End it for good; what was not decided stays undecided. Raises WrongState, NotAllowed."""
    require(may_run_meetings, actor)
    meeting = running_meeting(session, meeting_id)
    items = session.exec(
        select(AgendaItem).where(AgendaItem.meeting_id == meeting_id).order_by(col(AgendaItem.id))
    ).all()
    keys = [item.id for item in items]
    voting = session.exec(
        select(func.count()).select_from(Motion)
        .where(col(Motion.item_id).in_(keys), col(Motion.closed_at).is_(None))
    ).one()  # fmt: skip
    if voting:
        raise WrongState(
            "Es wird noch abgestimmt. Bitte die Abstimmung schließen, dann die Sitzung."
        )
    meeting.closed_at = now()
    people = participants_of(session, meeting_id)
    conflicts = session.exec(select(Conflict).where(col(Conflict.item_id).in_(keys))).all()
    audit.record(session, "meeting_closed", audit.row_key(meeting), actor=actor, details={},
                 seal=[meeting, *people, *items, *conflicts])  # fmt: skip
    return meeting


def add_member(session: Session, meeting_id: int, person: Person, *, actor: Person) -> Participant:
    """Somebody with a vote who was not planned. Raises InvalidMeeting, WrongState, NotAllowed."""
    require(may_run_meetings, actor)
    meeting = running_meeting(session, meeting_id)
    return _added(session, meeting, _member(session, meeting, row_id(person.id)), actor)


def add_guest(session: Session, meeting_id: int, name: str, *, actor: Person) -> Participant:
    """Somebody without a vote. Raises InvalidMeeting, WrongState, NotAllowed."""
    require(may_run_meetings, actor)
    meeting = running_meeting(session, meeting_id)
    return _added(session, meeting, _guest(session, meeting, name), actor)


def voting_people(session: Session) -> Sequence[Person]:
    """Everybody who may have a vote, by name."""
    gone = {
        house.id for house in session.exec(select(Organisation)) if has_left(house, today())
    }  # fmt: skip
    return [
        person
        for person in list_people(session)
        if may_vote(person) and person.organisation_id not in gone
    ]


def get_meeting(session: Session, meeting_id: int) -> Meeting:
    """Raises UnknownObject."""
    meeting = session.get(Meeting, meeting_id)
    if meeting is None:
        raise UnknownObject(f"Eine Sitzung Nr. {meeting_id} gibt es hier nicht.")
    return meeting


def locked_meeting(session: Session, meeting_id: int) -> Meeting:
    """The row as it is now, held to the end of the transaction. Raises UnknownObject."""
    get_meeting(session, meeting_id)
    return session.exec(
        select(Meeting).where(Meeting.id == meeting_id).with_for_update()
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip


def running_meeting(session: Session, meeting_id: int) -> Meeting:
    """The locked row of a meeting that is open. Raises WrongState, UnknownObject."""
    meeting = locked_meeting(session, meeting_id)
    if meeting.opened_at is None:
        raise WrongState(
            f"Die Sitzung '{meeting.title}' hat noch nicht begonnen. Die Organisation eröffnet sie "
            "auf ihrer Seite."
        )
    if meeting.closed_at is not None:
        raise WrongState(
            f"Die Sitzung '{meeting.title}' ist geschlossen; an ihr ändert sich nichts mehr. Bitte "
            "für Weiteres eine neue Sitzung planen."
        )
    return meeting


def get_item(session: Session, item_id: int) -> AgendaItem:
    """Raises UnknownObject."""
    item = session.get(AgendaItem, item_id)
    if item is None:
        raise UnknownObject(f"Einen Tagesordnungspunkt Nr. {item_id} gibt es hier nicht.")
    return item


def item_of(session: Session, meeting_id: int, slug: str) -> int:
    """The item of a scenario on the agenda of a meeting. Raises UnknownObject."""
    meeting = get_meeting(session, meeting_id)
    found = session.exec(
        select(AgendaItem.id).where(
            AgendaItem.meeting_id == meeting_id,
            AgendaItem.scenario_id == get_scenario(session, slug).id,
        )
    ).first()
    if found is None:
        raise UnknownObject(
            f"'{slug}' steht nicht auf der Tagesordnung der Sitzung '{meeting.title}'."
        )
    return found


def locked_item(session: Session, item_id: int) -> AgendaItem:
    """The row as it is now, held to the end of the transaction. Raises UnknownObject."""
    get_item(session, item_id)
    return session.exec(
        select(AgendaItem).where(AgendaItem.id == item_id).with_for_update()
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip


def participants_of(session: Session, meeting_id: int) -> Sequence[Participant]:
    """In the order in which they were named."""
    return session.exec(
        select(Participant).where(Participant.meeting_id == meeting_id)
        .order_by(col(Participant.id))
    ).all()  # fmt: skip


def has_left(house: Organisation, on: date) -> bool:
    """Whether an organisation no longer took part on that day."""
    return house.left_on is not None and house.left_on <= on


def _fill(session: Session, meeting: Meeting, plan: MeetingPlan) -> None:
    """Set the meeting to the plan; its participants and agenda are gone or were never there."""
    meeting.title = storable(plan.title.strip())
    meeting.held_on, meeting.quorum = plan.held_on, plan.quorum
    meeting.place = storable(plan.place.strip())
    meeting.profile_name = plan.profile
    meeting.weights = dict(find_profile(session, plan.profile).weights) if plan.profile else {}
    scenarios = [get_scenario(session, slug) for slug in dict.fromkeys(plan.slugs)]
    members = list(dict.fromkeys(plan.members))
    for missing, sentence in (
        (not meeting.title, "Bitte der Sitzung einen Titel geben."),
        (not scenarios, "Bitte mindestens ein Szenario auf die Tagesordnung setzen."),
        (not members, "Bitte mindestens ein stimmberechtigtes Mitglied einladen."),
        (not 1 <= plan.quorum <= max(1, len(members)),
         f"Beschlussfähig ab {plan.quorum} geht nicht: Eingeladen sind {len(members)} "
         "Stimmberechtigte. Bitte eine Zahl von 1 bis dahin wählen."),
    ):  # fmt: skip
        if missing:
            raise InvalidMeeting(sentence)
    rounds = [released_round(session, scenario) for scenario in scenarios]
    meeting.demo = all(each is not None and each.demo for each in rounds)
    session.add(meeting)
    session.flush()
    for key in members:
        session.add(_member(session, meeting, key))
        session.flush()
    for name in dict.fromkeys(filter(None, (guest.strip() for guest in plan.guests))):
        session.add(_guest(session, meeting, name))
        session.flush()
    session.add_all(
        AgendaItem(meeting_id=row_id(meeting.id), scenario_id=row_id(scenario.id), position=place)
        for place, scenario in enumerate(scenarios, start=1)
    )
    session.flush()


def _member(session: Session, meeting: Meeting, person_id: int) -> Participant:
    person = session.get(Person, person_id)
    if person is None:
        raise UnknownObject(f"Eine Person Nr. {person_id} gibt es hier nicht.")
    if not may_vote(person):
        raise InvalidMeeting(
            f"'{person.name}' gehört nicht zum Lenkungskreis und hat keine Stimme. Bitte als Gast "
            "einladen."
        )
    return _new(session, meeting, person.name, person, has_vote=True)


def _guest(session: Session, meeting: Meeting, name: str) -> Participant:
    name = storable(name.strip())
    if not name:
        raise InvalidMeeting("Bitte den Namen des Gastes angeben.")
    known = session.exec(select(Person).where(Person.name == name)).first()
    return _new(session, meeting, name, known, has_vote=False)


def _new(
    session: Session, meeting: Meeting, name: str, person: Person | None, *, has_vote: bool
) -> Participant:
    if any(each.name == name for each in participants_of(session, row_id(meeting.id))):
        raise InvalidMeeting(f"'{name}' steht schon auf der Liste der Teilnehmenden.")
    house = session.get(Organisation, person.organisation_id or 0) if person else None
    if house and house.left_on and has_left(house, meeting.held_on):
        raise InvalidMeeting(
            f"'{name}' kommt von '{house.name}', die Organisation ist seit {day(house.left_on)} "
            "ausgeschieden. Bitte ohne diese Person planen."
        )
    return Participant(
        meeting_id=row_id(meeting.id),
        name=name,
        person_id=person.id if person else None,
        organisation_id=house.id if house else None,
        has_vote=has_vote,
    )


def _added(
    session: Session, meeting: Meeting, participant: Participant, actor: Person
) -> Participant:
    participant.present = True
    session.add(participant)
    session.flush()
    audit.record(session, "participant_added", audit.row_key(meeting), actor=actor,
                 details={"participant": participant.id})  # fmt: skip
    return participant
