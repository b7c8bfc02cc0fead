"""Who acts: finding people and the person for whom the command line speaks."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from reallabor.database import CATALOGUE_LOCK, take_turns
from reallabor.errors import UnknownObject
from reallabor.models import Organisation, Person, Role
from reallabor.settings import get_settings

__all__ = [
    "COMMAND_LINE", "Person", "acting_person", "get_person", "list_organisations", "list_people",
    "organisation_of",
]  # fmt: skip

COMMAND_LINE = "Kommandozeile"
"""Stands for whoever has access to the machine; it neither rates nor holds an office."""


def get_person(session: Session, name: str) -> Person:
    """The active person of that name. Raises UnknownObject."""
    person = session.exec(select(Person).where(Person.name == name, Person.active)).first()
    if person is None:
        known = ", ".join(person.name for person in list_people(session)) or "niemand"
        raise UnknownObject(f"Eine Person '{name}' gibt es hier nicht; bekannt: {known}.")
    return person


def organisation_of(session: Session, person: Person) -> str:
    """Name of the person's organisation; empty where there is none."""
    house = session.get(Organisation, person.organisation_id) if person.organisation_id else None
    return house.name if house else ""


def list_organisations(session: Session) -> list[str]:
    """Names of all organisations, sorted."""
    return sorted(session.exec(select(Organisation.name)).all())


def list_people(session: Session) -> Sequence[Person]:
    """All active people but the command line, by name."""
    return session.exec(
        select(Person).where(Person.active, Person.name != COMMAND_LINE).order_by(col(Person.name))
    ).all()


def acting_person(session: Session) -> Person:
    """The person of REALLABOR_PERSON, else the command line itself."""
    if name := get_settings().person:
        return get_person(session, name)
    command_line = select(Person).where(Person.name == COMMAND_LINE)
    person = session.exec(command_line).first()
    if person is None:
        take_turns(session, CATALOGUE_LOCK)  # two first commands at once make one person
        person = session.exec(command_line).first()
    if person is None:
        roles = [Role.PILOT, Role.ORGANISER, Role.STEERING]
        person = Person(name=COMMAND_LINE, roles=[role.value for role in roles])
        session.add(person)
        session.flush()
    return person
