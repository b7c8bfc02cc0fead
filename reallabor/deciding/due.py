"""Conditions of decisions until they are met, and decisions that are to be looked at again. Only
what the current decision of a scenario asks for is due; a superseded one asks for nothing more."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import storable
from reallabor.deciding.comparison import current_decision
from reallabor.errors import NotAllowed, UnknownObject, WrongState
from reallabor.german import today
from reallabor.models import Condition, Decision, Person, Scenario, now, row_id
from reallabor.policies import may_confirm

SOON = timedelta(days=30)
"""How long before its date something is shown."""


@dataclass(frozen=True)
class DueCondition:
    """A condition that is not met yet."""

    condition_id: int
    slug: str
    title: str
    """Of the scenario."""
    text: str
    owner: str
    due_on: date
    overdue: bool
    demo: bool


@dataclass(frozen=True)
class DueReview:
    """A decision that the steering group wanted to look at again."""

    slug: str
    title: str
    verdict: str
    review_on: date
    overdue: bool
    demo: bool


def due_conditions(session: Session, person: Person) -> list[DueCondition]:
    """What is overdue or due within 30 days, earliest first: all of it for the steering group and
    the organisation, else what this person has to meet."""
    day = today()
    open_ones = session.exec(
        select(Condition, Decision, Scenario)
        .join(Decision, col(Decision.id) == Condition.decision_id)
        .join(Scenario, col(Scenario.id) == Decision.scenario_id)
        .where(col(Condition.met_at).is_(None), col(Condition.due_on) <= day + SOON)
    ).all()
    found = [
        DueCondition(
            row_id(each.id), scenario.slug, scenario.title, each.text, each.owner, each.due_on,
            each.due_on < day, decision.demo,
        )
        for each, decision, scenario in open_ones
        if (may_confirm(person) or each.owner == person.name)
        and _counts(session, scenario, decision)
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.due_on, each.condition_id))


def due_reviews(session: Session, person: Person) -> list[DueReview]:
    """Decisions to be looked at again, overdue or within 30 days, earliest first."""
    if not may_confirm(person):
        return []
    day = today()
    near = session.exec(
        select(Decision, Scenario)
        .join(Scenario, col(Scenario.id) == Decision.scenario_id)
        .where(col(Decision.review_on) <= day + SOON)
    ).all()
    found = [
        DueReview(scenario.slug, scenario.title, str(decision.verdict), decision.review_on,
                  decision.review_on < day, decision.demo)
        for decision, scenario in near
        if decision.review_on is not None and _counts(session, scenario, decision)
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.review_on, each.slug))


def mark_met(session: Session, condition_id: int, note: str, *, actor: Person) -> Condition:
    """Say that a condition is met, and how. Raises NotAllowed, WrongState, UnknownObject."""
    condition = session.exec(
        select(Condition).where(Condition.id == condition_id).with_for_update()
    ).first()
    if condition is None:
        raise UnknownObject(f"Eine Auflage Nr. {condition_id} gibt es hier nicht.")
    if not may_confirm(actor) and condition.owner != actor.name:
        raise NotAllowed(
            f"Die Auflage kann nur '{condition.owner}', der Lenkungskreis oder die Organisation "
            f"als erfüllt vermerken; '{actor.name}' nicht."
        )
    if condition.met_at is not None:
        raise WrongState("Diese Auflage ist schon als erfüllt vermerkt.")
    if not note.strip():
        raise WrongState("Bitte in einem Satz sagen, wodurch die Auflage erfüllt ist.")
    condition.met_at = now()
    condition.met_by = row_id(actor.id)
    condition.met_note = storable(note.strip())
    session.add(condition)
    audit.record(session, "condition_met", audit.row_key(condition), actor=actor, details={},
                 seal=[condition])  # fmt: skip
    return condition


def _counts(session: Session, scenario: Scenario, decision: Decision) -> bool:
    """Whether it is the decision on this scenario that counts now."""
    current = current_decision(session, scenario)
    return current is not None and current.id == decision.id
