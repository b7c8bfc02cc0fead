"""What reviewers see: the gates of a scenario with their texts, findings and worksheets, and what
an office has still to review."""

from dataclasses import dataclass
from datetime import date as Day
from datetime import timedelta

from sqlmodel import Session, select

from reallabor.deciding.findings import FindingView, list_findings
from reallabor.deciding.gates import Gate, GateState, counts_as_demo, law_gates
from reallabor.deciding.worksheets import WorksheetView, list_worksheets
from reallabor.gates import GateContent, load_gates
from reallabor.german import count, today
from reallabor.models import Person, Scenario
from reallabor.policies import offices_of
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.stopping import stop_sentence

SOON = timedelta(days=30)
"""How long before it expires a finding is announced."""


@dataclass(frozen=True)
class GateCard:
    """One gate as a reviewer reads it."""

    content: GateContent
    gate: Gate
    history: list[FindingView]
    """Newest first; those that count and those that do not."""


@dataclass(frozen=True)
class Desk:
    """All that is to be reviewed in one scenario."""

    slug: str
    title: str
    stop: str
    """Why the trial is stopped; empty where it is not."""
    demo: bool
    """Whether what is found now is part of the demonstration."""
    legal_status: Day
    note: str
    cards: list[GateCard]
    worksheets: list[WorksheetView]

    @property
    def summary(self) -> str:
        """`9 von 12 Prüfpunkten erfüllt, 1 verfehlt, 2 offen.`"""
        counts = {state: sum(card.gate.state == state for card in self.cards)
                  for state in GateState}  # fmt: skip
        return (
            f"{counts[GateState.PASSED]} von {count(len(self.cards), 'Prüfpunkt', 'Prüfpunkten')} "
            f"erfüllt, {counts[GateState.MISSED]} verfehlt, {counts[GateState.OPEN]} offen."
        )


@dataclass(frozen=True)
class ReviewTask:
    """What one person has to review in one scenario."""

    slug: str
    title: str
    demo: bool
    open: list[Gate]
    """Open or missed gates of the person's offices."""
    expiring: list[Gate]
    """Passed ones that expire within `SOON`."""

    @property
    def first(self) -> str:
        """Key of the gate to begin with."""
        return (self.open + self.expiring)[0].key


def review_desk(session: Session, slug: str) -> Desk:
    """The gates of law and the worksheets of a scenario. Raises UnknownObject."""
    scenario = get_scenario(session, slug)
    content = load_gates()
    demo = counts_as_demo(session, scenario)
    gates = {gate.key: gate for gate in law_gates(session, scenario, demo=demo)}
    history = list_findings(session, slug)
    return Desk(
        slug=slug,
        title=scenario.title,
        stop=stop_sentence(scenario) if scenario.stopped_at else "",
        demo=demo,
        legal_status=content.legal_status,
        note=content.note,
        cards=[
            GateCard(each, gates[each.key], history.get(each.key, []))
            for each in content.gates_of(scenario.content)
        ],
        worksheets=list_worksheets(session, slug),
    )


def review_tasks(session: Session, person: Person) -> list[ReviewTask]:
    """The scenarios in which gates of the person's offices are not passed, or soon expire."""
    offices = set(offices_of(person))
    if not offices:
        return []
    mine = {gate.key for gate in load_gates().gates if offices & set(gate.offices)}
    tasks = []
    for scenario in session.exec(select(Scenario).order_by(Scenario.title)).all():
        demo = counts_as_demo(session, scenario)
        gates = [each for each in law_gates(session, scenario, demo=demo) if each.key in mine]
        task = ReviewTask(
            scenario.slug,
            scenario.title,
            demo,
            open=[gate for gate in gates if gate.state != GateState.PASSED],
            expiring=[gate for gate in gates if gate.state == GateState.PASSED and _soon(gate)],
        )
        if task.open or task.expiring:
            tasks.append(task)
    return tasks


def _soon(gate: Gate) -> bool:
    return gate.expires_on is not None and gate.expires_on <= today() + SOON
