"""Findings on gates, as tests record them."""

from typing import Any

from building import Trial, add_person
from sqlmodel import Session, select

from reallabor.database import reading, transaction
from reallabor.deciding.comparison import compare
from reallabor.deciding.findings import EvidenceFile, EvidenceLink, record_finding
from reallabor.deciding.gates import Gate
from reallabor.deciding.worksheets import answer_worksheet
from reallabor.gates import load_gates
from reallabor.models import GateOutcome, Person, Role
from reallabor.policies import OFFICES

NOTE = "Geprüft mit dem Ergebnis: in Ordnung."
FILE = EvidenceFile("Vorprüfung (v2).txt", b"Ergebnis der Vorpruefung")
LINK = EvidenceLink("Vereinbarung", "https://akten.example/1")
PERSONNEL = "personalrat"
SCREENING = "dsfa-vorpruefung"
STOPPING = "verbotene-praktiken"


def add_reviewers(session: Session) -> dict[str, Person]:
    """One person per office, by office."""
    return {
        office: add_person(session, f"{role.value.title().replace('_', ' ')} Prüfung", role)
        for office, role in OFFICES.items()
    }


def settle_worksheet(session: Session, slug: str, worksheet: str, actor: Person) -> None:
    """Answer every question of a worksheet."""
    sheet = next(each for each in load_gates().worksheets if each.key == worksheet)
    for item in sheet.items:
        answer_worksheet(
            session, slug, worksheet, item.key, text="Nein, geprüft.", done=True, actor=actor
        )


def reviewer(session: Session, role: Role) -> Person:
    """The person of `add_reviewers` with this role."""
    people = session.exec(select(Person)).all()
    return next(each for each in people if each.roles == [role.value])


def find(trial: Trial, gate: str = PERSONNEL, **changes: Any) -> int:
    """A finding with all that it needs; gives its id."""
    roles = {PERSONNEL: Role.STAFF_COUNCIL}
    role = changes.pop("role", roles.get(gate, Role.DATA_PROTECTION))
    office = "Personalrat" if role == Role.STAFF_COUNCIL else "DSB"
    wanted: dict[str, Any] = {
        "outcome": GateOutcome.PASSED, "office": office, "note": NOTE,
        "files": [FILE] if gate == SCREENING else [],
        "links": [LINK] if gate == PERSONNEL else [],
    }  # fmt: skip
    with transaction() as session:
        name = changes.pop("name", None)
        named = session.exec(select(Person).where(Person.name == name)).first()
        actor = named or reviewer(session, role)
        done = record_finding(session, trial.slug, gate, actor=actor, **{**wanted, **changes})
        return done.id or 0


def gate_of(trial: Trial, key: str = PERSONNEL) -> Gate:
    """How the gate stands in the comparison."""
    with reading() as session:
        (comparison,) = compare(session, [trial.slug])
    return next(gate for gate in comparison.gates if gate.key == key)
