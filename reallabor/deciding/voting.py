"""Presence and votes. A motion puts one verdict to the vote; it is adopted where more say yes than
no and the quorum was met. Of a secret vote only who voted and the counts are kept, in rows that do
not lead to each other, and neither the audit trail nor a log says more."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import case, update
from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.deciding.conflicts import has_declared
from reallabor.deciding.meetings import (
    has_left,
    locked_item,
    running_meeting,
)
from reallabor.errors import InvalidMeeting, NotAllowed, UnknownObject, VoteRefused, WrongState
from reallabor.models import (
    Choice,
    Meeting,
    Motion,
    Organisation,
    Participant,
    Person,
    Tally,
    Verdict,
    Vote,
    now,
    row_id,
)
from reallabor.policies import may_run_meetings, may_vote, require

CHOICES = tuple(each.value for each in Choice)
"""The three possible votes."""


@dataclass(frozen=True)
class MotionResult:
    """How a motion went; the counts of an open secret vote are not told."""

    yes: int
    no: int
    abstain: int
    n_present: int
    """Voting members present when it closed, or now."""
    quorate: bool
    closed: bool

    @property
    def adopted(self) -> bool:
        return self.closed and self.quorate and self.yes > self.no


def set_presence(
    session: Session, participant_id: int, present: bool, *, actor: Person
) -> Participant:
    """Note that somebody came or left. Raises NotAllowed, WrongState."""
    require(may_run_meetings, actor)
    participant = session.get(Participant, participant_id)
    if participant is None:
        raise UnknownObject("Diese Person nimmt an der Sitzung nicht teil.")
    meeting = running_meeting(session, participant.meeting_id)
    if present and (lost := _lost_vote(meeting, participant, *_behind(session, participant))):
        raise InvalidMeeting(f"{lost} Als Mitglied kann die Person nicht mehr teilnehmen.")
    if participant.present != present:
        participant.present = present
        session.add(participant)
        audit.record(session, "presence_noted", audit.row_key(meeting), actor=actor,
                     details={"participant": participant_id, "present": present})  # fmt: skip
    return participant


def open_motion(
    session: Session, item_id: int, verdict: str, *, secret: bool, actor: Person
) -> Motion:
    """Put a verdict to the vote. Raises NotAllowed, WrongState, VoteRefused."""
    require(may_run_meetings, actor)
    item = locked_item(session, item_id)
    meeting = running_meeting(session, item.meeting_id)
    if verdict not in {each.value for each in Verdict}:
        raise InvalidMeeting("Bitte den Beschluss auswählen, über den abgestimmt werden soll.")
    if item.decision_id is not None:
        raise WrongState("Dieser Punkt ist schon beschlossen; abgestimmt wird nicht mehr.")
    motions = session.exec(select(Motion).where(Motion.item_id == item_id)).all()
    if any(each.closed_at is None for each in motions):
        raise WrongState("Zu diesem Punkt wird schon abgestimmt. Bitte erst diese Abstimmung "
                         "schließen.")  # fmt: skip
    _require_quorum(session, meeting)
    motion = Motion(
        item_id=item_id, number=len(motions) + 1, verdict=Verdict(verdict), secret=secret
    )
    session.add(motion)
    session.flush()
    if secret:
        session.add_all(Tally(motion_id=row_id(motion.id), choice=each) for each in Choice)
    audit.record(session, "motion_opened", audit.row_key(motion), actor=actor,
                 details={"verdict": verdict, "secret": secret}, seal=[motion])  # fmt: skip
    return motion


def cast_vote(
    session: Session, motion_id: int, participant_id: int, choice: str, *, actor: Person
) -> None:
    """One vote, by the member, or by the organisation on the member's word. It cannot be changed.
    Raises VoteRefused, NotAllowed."""
    motion = _locked_motion(session, motion_id)
    item = locked_item(session, motion.item_id)
    participant = session.get(Participant, participant_id)
    if choice not in CHOICES:
        raise VoteRefused(f"'{choice}' ist keine Stimme; möglich sind: {', '.join(CHOICES)}.")
    if participant is None or participant.meeting_id != item.meeting_id:
        raise VoteRefused("Wer nicht an der Sitzung teilnimmt, kann nicht abstimmen.")
    _require_own_vote(participant, actor)
    if motion.closed_at is not None:
        raise VoteRefused(
            f"Die Abstimmung ist geschlossen; die Stimme von '{participant.name}' zählt nicht mehr."
        )
    meeting = running_meeting(session, item.meeting_id)
    _require_vote(session, meeting, item.id or 0, participant)
    _require_quorum(session, meeting)
    if _voted(session, motion_id, participant_id):
        raise VoteRefused(
            f"'{participant.name}' hat zu diesem Antrag schon abgestimmt; eine Stimme gilt."
        )
    session.add(
        Vote(motion_id=motion_id, participant_id=participant_id,
             choice=None if motion.secret else Choice(choice),
             on_call=participant.person_id != actor.id)
    )  # fmt: skip
    if motion.secret:
        # All three counts, not the one: PostgreSQL stamps every row with the transaction that wrote
        # it last (xmin), and a count written alone would bear the stamp of the voter's row.
        session.exec(
            update(Tally)
            .where(col(Tally.motion_id) == motion_id)
            .values(n=Tally.n + case((col(Tally.choice) == choice, 1), else_=0))
        )
    session.flush()


def close_motion(session: Session, motion_id: int, *, actor: Person) -> MotionResult:
    """End the vote and hold its result fast. Raises NotAllowed, WrongState."""
    require(may_run_meetings, actor)
    motion = _locked_motion(session, motion_id)
    item = locked_item(session, motion.item_id)
    meeting = running_meeting(session, item.meeting_id)
    if motion.closed_at is not None:
        raise WrongState("Diese Abstimmung ist schon geschlossen.")
    motion.closed_at = now()
    motion.n_present = count_present(session, meeting)
    session.add(motion)
    votes = session.exec(select(Vote).where(Vote.motion_id == motion_id)).all()
    tallies = session.exec(
        select(Tally).where(Tally.motion_id == motion_id)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    result = motion_result(session, motion, meeting)
    audit.record(
        session, "motion_closed", audit.row_key(motion), actor=actor,
        details={"yes": result.yes, "no": result.no, "abstain": result.abstain,
                 "present": result.n_present, "adopted": result.adopted},
        seal=[motion, *votes, *tallies],
    )  # fmt: skip
    return result


def motion_result(session: Session, motion: Motion, meeting: Meeting) -> MotionResult:
    """The counts so far, or as they were when it closed; none of a secret vote that is open."""
    closed = motion.closed_at is not None
    counts: Counter[str] = Counter()
    if not motion.secret:
        choices = session.exec(select(Vote.choice).where(Vote.motion_id == motion.id)).all()
        counts.update(str(each) for each in choices)
    elif closed:
        for row in session.exec(select(Tally).where(Tally.motion_id == motion.id)):
            counts[str(row.choice)] += row.n
    present = motion.n_present
    if present is None:
        present = count_present(session, meeting)
    return MotionResult(
        yes=counts[Choice.YES], no=counts[Choice.NO], abstain=counts[Choice.ABSTAIN],
        n_present=present, quorate=present >= meeting.quorum, closed=closed,
    )  # fmt: skip


def adopted_motion(session: Session, item_id: int, meeting: Meeting) -> Motion | None:
    """The newest adopted motion of an item; an older one is overruled by it."""
    motions = session.exec(
        select(Motion).where(Motion.item_id == item_id).order_by(col(Motion.number).desc())
    ).all()
    return next((each for each in motions if motion_result(session, each, meeting).adopted), None)


def count_present(session: Session, meeting: Meeting) -> int:
    """Members with a vote who are there; a conflict on one item does not lessen the quorum. Who
    lost the vote since the invitation does not count, but in a closed meeting all do who were
    there."""
    there = session.exec(
        select(Participant, Person, Organisation)
        .outerjoin(Person, col(Person.id) == Participant.person_id)
        .outerjoin(Organisation, col(Organisation.id) == Participant.organisation_id)
        .where(
            Participant.meeting_id == meeting.id, col(Participant.has_vote),
            col(Participant.present),
        )
    ).all()  # fmt: skip
    if meeting.closed_at is not None:
        return len(there)
    return sum(_lost_vote(meeting, *row) is None for row in there)


def vote_obstacle(
    session: Session, meeting: Meeting, item_id: int, participant: Participant
) -> str | None:
    """Why a participant has no vote on an item, as a German sentence; None where they have."""
    name = participant.name
    if not participant.has_vote:
        return f"'{name}' ist zu Gast und hat keine Stimme."
    if lost := _lost_vote(meeting, participant, *_behind(session, participant)):
        return f"{lost} Die Stimme zählt nicht."
    if not participant.present:
        return f"'{name}' ist nicht als anwesend eingetragen; abstimmen können nur Anwesende."
    if has_declared(session, item_id, row_id(participant.id)):
        return f"'{name}' ist bei diesem Punkt befangen und stimmt nicht mit ab."
    return None


def _lost_vote(
    meeting: Meeting, participant: Participant, person: Person | None, house: Organisation | None
) -> str | None:
    """Why a member has no vote any more, as a German sentence; None where nothing changed."""
    name = participant.name
    if house is not None and has_left(house, meeting.held_on):
        return f"Die Organisation von '{name}' ist ausgeschieden."
    if not participant.has_vote or person is None:
        return None
    if not person.active:
        return f"'{name}' ist im Reallabor nicht mehr aktiv."
    if not may_vote(person):
        return f"'{name}' gehört nicht mehr zum Lenkungskreis."
    return None


def _behind(
    session: Session, participant: Participant
) -> tuple[Person | None, Organisation | None]:
    """The person and the organisation of a participant."""
    return (
        session.get(Person, participant.person_id or 0),
        session.get(Organisation, participant.organisation_id or 0),
    )


def _require_vote(
    session: Session, meeting: Meeting, item_id: int, participant: Participant
) -> None:
    if obstacle := vote_obstacle(session, meeting, item_id, participant):
        raise VoteRefused(obstacle)


def _require_own_vote(participant: Participant, actor: Person) -> None:
    if participant.person_id == actor.id:
        require(may_vote, actor)
    elif not may_run_meetings(actor):
        raise NotAllowed(
            f"Jede Person stimmt für sich selbst ab; '{actor.name}' kann die Stimme von "
            f"'{participant.name}' nicht abgeben. Das kann nur die Organisation auf Zuruf."
        )


def _require_quorum(session: Session, meeting: Meeting) -> None:
    present = count_present(session, meeting)
    if present < meeting.quorum:
        raise VoteRefused(
            f"Nicht beschlussfähig: {present} von mindestens {meeting.quorum} Stimmberechtigten "
            "sind anwesend. Abgestimmt werden kann, sobald genug eingetragen sind."
        )


def _voted(session: Session, motion_id: int, participant_id: int) -> bool:
    found = select(Vote.id).where(
        Vote.motion_id == motion_id, Vote.participant_id == participant_id
    )
    return session.exec(found).first() is not None


def _locked_motion(session: Session, motion_id: int) -> Motion:
    if session.get(Motion, motion_id) is None:
        raise UnknownObject(f"Einen Antrag Nr. {motion_id} gibt es hier nicht.")
    return session.exec(
        select(Motion).where(Motion.id == motion_id).with_for_update()
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip
