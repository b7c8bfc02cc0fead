"""Conflicts of interest on an agenda item: an own pilot is computed and shown, a declared conflict
takes the vote on that item."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import storable
from reallabor.deciding.meetings import locked_item, participants_of, running_meeting
from reallabor.errors import NotAllowed, UnknownObject, WrongState
from reallabor.models import (
    AgendaItem,
    Conflict,
    Motion,
    Organisation,
    Participant,
    Person,
    Scenario,
    TrialRun,
    Vote,
)
from reallabor.policies import may_run_meetings

OWN_PILOT, DECLARED = "own_pilot", "declared"


@dataclass(frozen=True)
class ConflictView:
    """Why somebody is not neutral on an item."""

    participant_id: int
    name: str
    organisation: str
    kind: str
    """`own_pilot` may vote, `declared` has no vote on the item."""
    reason: str


def conflicts_of(session: Session, item: AgendaItem) -> list[ConflictView]:
    """Declared ones first, then everybody whose organisation trialled or owns the scenario."""
    people = {each.id: each for each in participants_of(session, item.meeting_id)}
    declared = session.exec(
        select(Conflict).where(Conflict.item_id == item.id).order_by(col(Conflict.id))
    ).all()
    pilots = pilot_organisations(session, session.get_one(Scenario, item.scenario_id))
    found = [
        _view(session, people[each.participant_id], DECLARED, each.reason) for each in declared
    ]
    taken = {each.participant_id for each in declared}
    found += [
        _view(session, each, OWN_PILOT, "Die eigene Organisation erprobt das Szenario.")
        for each in people.values()
        if each.organisation_id in pilots and each.id not in taken and each.has_vote
    ]
    return found


def pilot_organisations(session: Session, scenario: Scenario) -> set[int]:
    """Row ids of the organisations that trialled a scenario, or that its Steckbrief names."""
    ids = set(
        session.exec(
            select(TrialRun.organisation_id).where(TrialRun.scenario_id == scenario.id).distinct()
        ).all()
    )
    named = str(scenario.content.get("organisation", ""))
    ids.update(session.exec(select(Organisation.id).where(Organisation.name == named)).all())
    return {key for key in ids if key is not None}


def declare_conflict(
    session: Session, item_id: int, participant_id: int, reason: str, *, actor: Person
) -> None:
    """Take the vote on this item from a participant, at their word. Repeating it changes the
    reason. Raises NotAllowed, WrongState."""
    item, participant = _place(session, item_id, participant_id, actor)
    voted = session.exec(
        select(Vote.id).join(Motion, col(Motion.id) == Vote.motion_id)
        .where(Motion.item_id == item_id, Vote.participant_id == participant_id)
    ).first()  # fmt: skip
    if voted is not None:
        raise WrongState(
            f"'{participant.name}' hat zu diesem Punkt schon abgestimmt; eine Befangenheit ist vor "
            "der Abstimmung zu erklären. Bitte in der Aussprache vermerken."
        )
    row = _declared(session, item_id, participant_id)
    row = row or Conflict(item_id=item_id, participant_id=participant_id)
    row.reason = storable(reason.strip())
    session.add(row)
    audit.record(session, "conflict_declared", audit.row_key(item), actor=actor,
                 details={"participant": participant_id})  # fmt: skip


def withdraw_conflict(
    session: Session, item_id: int, participant_id: int, *, actor: Person
) -> None:
    """Give the vote back, as long as nothing was put to the vote. Raises NotAllowed, WrongState."""
    item, _ = _place(session, item_id, participant_id, actor)
    if session.exec(select(Motion.id).where(Motion.item_id == item_id)).first() is not None:
        raise WrongState(
            "Zu diesem Punkt wurde schon abgestimmt; die Befangenheit bleibt im Protokoll."
        )
    row = _declared(session, item_id, participant_id)
    if row is not None:
        session.delete(row)
        audit.record(session, "conflict_withdrawn", audit.row_key(item), actor=actor,
                     details={"participant": participant_id})  # fmt: skip


def has_declared(session: Session, item_id: int, participant_id: int) -> bool:
    """Whether this participant has no vote on the item."""
    return _declared(session, item_id, participant_id) is not None


def _declared(session: Session, item_id: int, participant_id: int) -> Conflict | None:
    return session.exec(
        select(Conflict).where(
            Conflict.item_id == item_id, Conflict.participant_id == participant_id
        )
    ).first()


def _place(
    session: Session, item_id: int, participant_id: int, actor: Person
) -> tuple[AgendaItem, Participant]:
    item = locked_item(session, item_id)
    running_meeting(session, item.meeting_id)
    participant = session.get(Participant, participant_id)
    if participant is None or participant.meeting_id != item.meeting_id:
        raise UnknownObject("Diese Person nimmt an der Sitzung nicht teil.")
    if participant.person_id != actor.id and not may_run_meetings(actor):
        raise NotAllowed(
            f"Eine Befangenheit erklärt '{participant.name}' selbst, oder die Organisation trägt "
            f"sie ein; '{actor.name}' kann das nicht."
        )
    if item.decision_id is not None:
        raise WrongState("Dieser Punkt ist schon beschlossen.")
    return item, participant


def _view(session: Session, participant: Participant, kind: str, reason: str) -> ConflictView:
    house = session.get(Organisation, participant.organisation_id or 0)
    assert participant.id is not None
    return ConflictView(participant.id, participant.name, house.name if house else "", kind, reason)
