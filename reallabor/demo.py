"""The demonstration: really runs the shipped trials and rates them by a documented rule. Everything
it makes is marked as demonstration and can be taken away without a trace among real data."""

from collections.abc import Callable

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.database import prepare_database, reading, transaction
from reallabor.demo_gates import fill_findings
from reallabor.demo_meeting import plan_trial_meeting
from reallabor.demo_ratings import rate_by_script
from reallabor.demo_voices import fill_voices
from reallabor.models import (
    AuditEntry,
    Person,
    Role,
    Round,
    Scenario,
    TrialRun,
    row_id,
)
from reallabor.people import acting_person
from reallabor.policies import offices_of
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.rounds import open_round, release_round
from reallabor.recording.catalogue import get_organisation, load_shipped
from reallabor.recording.journal import Journal, journal_root
from reallabor.recording.projection import project
from reallabor.recording.trials import Progress, record_trial
from reallabor.scenarios import load_scenario, scenario_slugs
from reallabor.tracking import Connection

FILLED = "demo_filled"
"""Audit action: the demonstration was filled here once, so `make run` does not fill it again."""

PEOPLE: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("Nadja Organisation", "Jobcenter Neue Wege, Kreis Bergstraße", (Role.ORGANISER, Role.PILOT)),
    ("Emre Bewertung", "Jobcenter Musterkreis", (Role.EVALUATOR,)),
    ("Katrin Bewertung", "Jobcenter Musterkreis", (Role.EVALUATOR,)),
    ("Jonas Bewertung", "Stadt Beispielhausen", (Role.EVALUATOR,)),
    ("Leyla Bewertung", "Jobcenter Neue Wege, Kreis Bergstraße", (Role.EVALUATOR,)),
    ("Miriam Bewertung", "Landkreis Beispiel", (Role.EVALUATOR,)),
    ("Ruth Lenkungskreis", "Landkreis Beispiel", (Role.STEERING,)),
    ("Sven Lenkungskreis", "Jobcenter Musterkreis", (Role.STEERING,)),
    ("Amira Lenkungskreis", "Jobcenter Neue Wege, Kreis Bergstraße", (Role.STEERING,)),
    ("Daniel Datenschutz", "Landkreis Beispiel", (Role.DATA_PROTECTION,)),
    ("Petra Personalrat", "Jobcenter Musterkreis", (Role.STAFF_COUNCIL,)),
    ("Ines Informationssicherheit", "Landkreis Beispiel", (Role.SECURITY,)),
    ("Farid Fachseite", "Jobcenter Neue Wege, Kreis Bergstraße", (Role.SUBJECT,)),
)
"""Invented people, a role in the family name; nobody rates the pilot of the own organisation."""

SEED = 2026
"""Who rates what is the same at every start."""
RATERS = 3
"""How many people rate a scenario by script: the first who are not of the house that trials it."""


def is_filled() -> bool:
    """Whether the demonstration was ever filled here."""
    with reading() as session:
        return (
            session.exec(select(AuditEntry.id).where(AuditEntry.action == FILLED)).first()
            is not None
        )


def fill(
    connection: Connection,
    *,
    say: Callable[[str], None] = lambda _sentence: None,
    progress: Progress | None = None,
) -> list[str]:
    """Run and rate all shipped trials that have no demonstration yet; gives their slugs.

    Killed at any moment and called again, it finishes without doubling anything.
    """
    prepare_database()
    with transaction() as session:
        load_shipped(session)
        ensure_people(session)
    filled, place = [], 0
    for slug in scenario_slugs():
        if not (load_scenario(slug).path / "system.py").is_file():
            continue  # nothing that could be run
        if _has_runs(slug, demo=False):
            say(f"'{slug}' hat schon echte Durchläufe und bekommt keine Demodaten.")
            continue
        if not _has_runs(slug, demo=True):
            project(connection, slug=slug)  # recorded, but killed before it was taken over
        if not _has_runs(slug, demo=True):
            say(f"Demonstration: '{slug}' wird erprobt …")
            interrupted = any(each.plan.demo for each in Journal.unfinished(journal_root(), slug))
            record_trial(
                slug, connection=connection, demo=True, resume=interrupted, progress=progress
            )
            project(connection, slug=slug)
        if _rate_and_release(slug):
            filled.append(slug)
        with transaction() as session:
            people = _people(session)
            fill_voices(session, slug, place, actor=people[0])
            reviewers = {office: person for person in people for office in offices_of(person)}
            fill_findings(session, slug, place, reviewers=reviewers)
        place += 1
    if filled or not is_filled():
        with transaction() as session:
            people = _people(session)
            plan_trial_meeting(session, people, organiser=people[0])
            details = {"slugs": filled}
            audit.record(session, FILLED, "demo", actor=acting_person(session), details=details)
    return filled


def ensure_people(session: Session) -> None:
    """The people of the demonstration, made where they are missing."""
    known = set(session.exec(select(Person.name)).all())
    for name, organisation, roles in PEOPLE:
        if name not in known:
            session.add(
                Person(
                    name=name,
                    organisation_id=get_organisation(session, organisation).id,
                    roles=[role.value for role in roles],
                    demo=True,
                )
            )
    session.flush()


def _people(session: Session) -> list[Person]:
    """The people of the demonstration in their order; the first organises."""
    names = [name for name, _, _ in PEOPLE]
    people = session.exec(select(Person).where(col(Person.name).in_(names)))
    return sorted(people, key=lambda person: names.index(person.name))


def _has_runs(slug: str, *, demo: bool) -> bool:
    with reading() as session:
        found = session.exec(
            select(TrialRun.id)
            .join(Scenario, col(Scenario.id) == TrialRun.scenario_id)
            .where(Scenario.slug == slug, TrialRun.demo == demo)
        ).first()
    return found is not None


def _rate_and_release(slug: str) -> bool:
    """One demonstration round, rated by script; False where there is one or real runs exist."""
    with transaction() as session:
        scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).one()
        runs = session.exec(select(TrialRun).where(TrialRun.scenario_id == scenario.id)).all()
        rounds = session.exec(select(Round).where(Round.scenario_id == scenario.id)).all()
        if any(round_.demo for round_ in rounds) or not all(run.demo for run in runs):
            return False
        houses = {run.organisation_id for run in runs}
        people = [
            person
            for name, _, roles in PEOPLE
            if Role.EVALUATOR in roles
            for person in session.exec(select(Person).where(Person.name == name))
            if person.organisation_id not in houses
        ][:RATERS]
        organiser = _people(session)[0]
        round_ = open_round(
            session, slug, actor=organiser, choice=RoundChoice(evaluators=people, seed=SEED)
        )
        rate_by_script(session, round_, people)
        release_round(session, row_id(round_.id), actor=organiser)
    return True
