"""A meeting of the demonstration: planned only, so that a visitor opens it, votes and decides."""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import Session, col, select

from reallabor.deciding.meetings import MeetingPlan, plan_meeting
from reallabor.german import today
from reallabor.models import Meeting, Person, Role, Round, Scenario, row_id

TITLE = "Probesitzung des Lenkungskreises"
MOST_ITEMS = 4
"""As many as one goes through in a first try."""


def plan_trial_meeting(session: Session, people: Sequence[Person], *, organiser: Person) -> None:
    """Plan it in a week for the steering group among these people, with scenarios whose round of
    the demonstration is released; nothing where there is none, or a meeting already."""
    slugs = session.exec(
        select(Scenario.slug)
        .join(Round, col(Round.scenario_id) == Scenario.id)
        .where(Round.demo, col(Round.released_at).is_not(None))
        .order_by(Scenario.slug)
        .distinct()
    ).all()
    members = [row_id(each.id) for each in people if Role.STEERING in each.roles]
    if not slugs or not members or session.exec(select(Meeting.id)).first() is not None:
        return
    plan = MeetingPlan(
        title=TITLE,
        held_on=today() + timedelta(days=7),
        quorum=len(members) // 2 + 1,
        members=members,
        slugs=slugs[:MOST_ITEMS],
        guests=[organiser.name],
        place="am eigenen Bildschirm",
    )
    plan_meeting(session, plan, actor=organiser)
