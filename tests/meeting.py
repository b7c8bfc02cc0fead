"""A meeting of the steering group for tests: three members, one of them of the piloting house."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import building
from building import HOUSE, Trial
from sqlmodel import Session, select

from reallabor.database import reading, transaction
from reallabor.deciding.decisions import NewCondition, decide
from reallabor.deciding.meetings import MeetingPlan, item_of, open_meeting, plan_meeting
from reallabor.deciding.verifying import DecisionReport, verify_decision
from reallabor.deciding.voting import cast_vote, close_motion, open_motion, set_presence
from reallabor.german import today
from reallabor.models import Decision, Participant, Person, Role, row_id
from reallabor.rating.rounds import open_round, release_round

CHAIR, OTHER, PILOT = "Stefan Lenkung", "Mona Mitglied", "Pia Pilothaus"
"""Members; the last is of the house that trials the scenario."""
ORGANISER, GUEST = "Olga Organisation", "Dana Datenschutz"
CONDITIONS = [
    NewCondition("Hinweis ergänzen", "Paul Pilot", today() + timedelta(days=20)),
    NewCondition("Schulen", "Cora Bewertung", today() + timedelta(days=40)),
]
"""Two, with owner and day."""


@dataclass(frozen=True)
class Gathering:
    """The keys of a planned meeting."""

    slug: str
    meeting_id: int
    item_id: int
    people: dict[str, int]
    """Participants by name."""


def named(session: Session, name: str) -> Person:
    return session.exec(select(Person).where(Person.name == name)).one()


def release_results(session: Session, trial: Trial, level: float = 4) -> None:
    """Runs of two houses, rated by one person and released; everybody who takes part."""
    building.load_with_runs(session, trial)
    staff = building.add_staff(session)
    building.add_person(session, OTHER, Role.STEERING, organisation="Landkreis Beispiel")
    building.add_person(session, PILOT, Role.STEERING, organisation=HOUSE)
    round_ = open_round(session, trial.slug, actor=staff["organiser"])
    building.rate_all(session, round_, staff["anna"], level)
    release_round(session, row_id(round_.id), actor=staff["organiser"])


def plan(session: Session, slug: str, *, quorum: int = 2, guests: tuple[str, ...] = (GUEST,),
         members: tuple[str, ...] = (CHAIR, OTHER, PILOT)) -> MeetingPlan:  # fmt: skip
    return MeetingPlan(
        title="7. Sitzung", held_on=today() + timedelta(days=1), place="Heppenheim", quorum=quorum,
        members=[row_id(named(session, name).id) for name in members], guests=guests, slugs=[slug],
    )  # fmt: skip


def gather_people(trial: Trial, *, opened: bool = True, present: tuple[str, ...] = (CHAIR, OTHER)
                  ) -> Gathering:  # fmt: skip
    """A meeting on the trial's scenario, open and quorate where nothing else is said."""
    with transaction() as session:
        organiser = named(session, ORGANISER)
        meeting = plan_meeting(session, plan(session, trial.slug), actor=organiser)
        key = row_id(meeting.id)
        people = {
            each.name: row_id(each.id)
            for each in session.exec(select(Participant).where(Participant.meeting_id == key))
        }
        if opened:
            open_meeting(session, key, actor=organiser)
            for name in present:
                set_presence(session, people[name], True, actor=organiser)
        return Gathering(trial.slug, key, item_of(session, key, trial.slug), people)


def put(gathering: Gathering, verdict: str, *, secret: bool = False) -> int:
    """Open a motion; gives its key."""
    with transaction() as session:
        motion = open_motion(session, gathering.item_id, verdict, secret=secret,
                             actor=named(session, ORGANISER))  # fmt: skip
        return row_id(motion.id)


def vote(gathering: Gathering, motion_id: int, name: str, choice: str, *, by: str = "") -> None:
    with transaction() as session:
        cast_vote(session, motion_id, gathering.people[name], choice,
                  actor=named(session, by or name))  # fmt: skip


def adopt(gathering: Gathering, verdict: str, *, secret: bool = False) -> int:
    """A motion that all who are there adopt; gives its key."""
    motion_id = put(gathering, verdict, secret=secret)
    for name in (CHAIR, OTHER):
        vote(gathering, motion_id, name, "ja")
    with transaction() as session:
        close_motion(session, motion_id, actor=named(session, ORGANISER))
    return motion_id


def confirm(gathering: Gathering, verdict: str, *, by: str = CHAIR, **more: object) -> int:
    """Confirm the item; gives the decision's key."""
    details = {"reason": "Weil es trägt", "name": "Lenkungskreis", "departure": "Anders", **more}
    with transaction() as session:
        decision: Decision = decide(
            session, gathering.slug, verdict=verdict, item_id=gathering.item_id,
            actor=named(session, by), **details,  # type: ignore[arg-type]
        )  # fmt: skip
        return row_id(decision.id)


def verify(key: int) -> DecisionReport:
    """The decision, recomputed."""
    with reading() as session:
        return verify_decision(session, key)


def flag(slug: str, verdict: str = "Nachbessern", **more: Any) -> int:
    """A decision without a meeting; gives its key."""
    details = {"reason": "Grund", "name": "Ruth", "actor": CHAIR, **more}
    with transaction() as session:
        actor = named(session, details.pop("actor"))
        return row_id(decide(session, slug, verdict=verdict, actor=actor, **details).id)
