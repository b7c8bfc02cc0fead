"""The demonstration: really runs the shipped trials and rates them by a documented rule. Everything
it makes is marked as demonstration and can be taken away without a trace among real data."""

import random
import uuid
from collections.abc import Callable, Sequence

from sqlmodel import Session, SQLModel, col, delete, select

from reallabor import audit
from reallabor.database import prepare_database, reading, transaction
from reallabor.deciding.auditing import sealed_rows
from reallabor.demo_gates import fill_findings, remove_findings
from reallabor.demo_voices import fill_voices
from reallabor.models import (
    AgendaItem,
    Assignment,
    AuditEntry,
    Case,
    Condition,
    Conflict,
    Criterion,
    Decision,
    Delivery,
    Meeting,
    Motion,
    OutboxEntry,
    Output,
    Participant,
    Person,
    Quarantine,
    Rater,
    Role,
    Round,
    Scenario,
    Survey,
    SurveyToken,
    Tally,
    TrialRun,
    UnassignedOutput,
    Variant,
    Voice,
    Vote,
    row_id,
)
from reallabor.people import acting_person
from reallabor.policies import offices_of
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.ratings import Judgement, submit_rating
from reallabor.rating.rounds import delete_rounds, open_round, release_round
from reallabor.recording.catalogue import get_organisation, load_shipped
from reallabor.recording.journal import Journal, journal_root
from reallabor.recording.measures import Answer, case_quality
from reallabor.recording.projection import project
from reallabor.recording.readability import readability
from reallabor.recording.trials import Progress, record_trial
from reallabor.scenarios import fields_of, load_scenario, measures_of, scenario_slugs
from reallabor.tracking import Connection, names, publishing
from reallabor.tracking import reading as tracking_reading

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
            organiser = session.exec(select(Person).where(Person.name == PEOPLE[0][0])).one()
            fill_voices(session, slug, place, actor=organiser)
            fill_findings(session, slug, place, reviewers=_reviewers(session))
        place += 1
    if filled or not is_filled():
        with transaction() as session:
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


def _reviewers(session: Session) -> dict[str, Person]:
    """Who of the demonstration holds which office."""
    people = session.exec(select(Person).where(col(Person.name).in_([each[0] for each in PEOPLE])))
    return {office: person for person in people for office in offices_of(person)}


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
        organiser = session.exec(select(Person).where(Person.name == PEOPLE[0][0])).one()
        round_ = open_round(
            session, slug, actor=organiser, choice=RoundChoice(evaluators=people, seed=SEED)
        )
        _rate(session, round_, people)
        release_round(session, row_id(round_.id), actor=organiser)
    return True


def _rate(session: Session, round_: Round, people: Sequence[Person]) -> None:
    criteria = session.exec(
        select(Criterion.key).where(Criterion.rubric_id == round_.rubric_id)
    ).all()
    by_id = {person.id: person for person in people}
    variant_of = dict(
        session.exec(
            select(TrialRun.id, Variant.key).join(Variant, col(Variant.id) == TrialRun.variant_id)
        ).all()
    )
    rows = session.exec(
        select(Assignment, Rater, Output, Case)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Output, col(Output.id) == Assignment.output_id)
        .join(Case, col(Case.id) == Output.case_id)
        .where(Rater.round_id == round_.id)
        .order_by(col(Assignment.rater_id), col(Assignment.position))
    ).all()
    scenario = session.get_one(Scenario, round_.scenario_id)
    quality: dict[int | None, float] = {}
    for assignment, rater, output, case in rows:
        person = by_id[rater.person_id]
        rng = random.Random(f"{person.name}/{case.key}/{variant_of[output.run_id]}")
        if output.id not in quality:  # the same for every rater; costly for long texts
            quality[output.id] = scripted_quality(scenario, case, output)
        levels = scripted_levels(
            criteria, quality[output.id], output.text or "", edge=case.edge,
            handover=bool(output.details.get("handover")), rng=rng,
        )  # fmt: skip
        submit_rating(
            session,
            Judgement(
                levels, rework_minutes=scripted_minutes(scenario, case, quality[output.id], rng)
            ),
            actor=person,
            token=assignment.token,
            submission=str(uuid.uuid5(uuid.NAMESPACE_URL, assignment.token)),
        )


def scripted_levels(
    criteria: Sequence[str], quality: float, text: str, *, edge: bool, handover: bool,
    rng: random.Random,
) -> dict[str, float]:  # fmt: skip
    """Levels 1-5 by rule, from how far the output is as expected, plus noise of the rater.

    With quality q (0-1): FR, IT and AN = 1.4 + 3.4 q; QU, VO and RS = 1.8 + 2.8 q; VS falls from
    4.6 to 2.6 with the Wiener Sachtextformel from 8 to 16; UE = 4.6 where an edge case is handed
    over, 2.2 where it is not, 4.0 elsewhere; NE = 4.5 and DS = 4.6; what is not named 3 + q. Every
    level gets normal noise (sd 0.45), is rounded and kept in 1-5.
    """
    figures = readability(text)
    hardness = min(max(((figures.wstf1 if figures else 12) - 8) / 8, 0), 1)
    right, whole = 1.4 + 3.4 * quality, 1.8 + 2.8 * quality
    expected = {
        "FR": right, "IT": right, "AN": right, "QU": whole, "VO": whole, "RS": whole,
        "VS": 4.6 - 2.0 * hardness,
        "UE": (4.6 if handover else 2.2) if edge else 4.0,
        "NE": 4.5,
        "DS": 4.6,
    }  # fmt: skip
    return {
        key: float(min(5, max(1, round(expected.get(key, 3.0 + quality) + rng.gauss(0, 0.45)))))
        for key in criteria
    }


def scripted_minutes(
    scenario: Scenario, case: Case, quality: float, rng: random.Random
) -> int | None:
    """Minutes of rework for about every third case: of the minutes without AI the share 0.8 (1 - q)
    with normal noise (sd 0.1), never below 0; None for the other cases."""
    if sum(case.key.encode()) % 3:
        return None
    share = 0.8 * (1 - quality) + rng.gauss(0, 0.1)
    return max(0, round(share * float(scenario.content["baseline_minutes"])))


def scripted_quality(scenario: Scenario, case: Case, output: Output) -> float:
    """How far an output is as expected, 0-1: by the measures of the scenario where they say
    something of this case; else 1 where the first source is a passage of the case, 0.75 where any
    is, 0.7 where the output hands over to a person, 0.2 where neither; 0.6 without any of these."""
    measures, fields = measures_of(scenario.content), fields_of(scenario.content)
    quality = case_quality(measures, fields, Answer(case, output.text, output.details))
    if quality is not None:
        return quality
    if not case.passages and "handover" not in output.details:
        return 0.6
    sources = output.details.get("sources") or []
    if sources and sources[0] in case.passages:
        return 1.0
    if set(sources) & set(case.passages):
        return 0.75
    return 0.7 if output.details.get("handover") else 0.2


def remove(connection: Connection) -> int:
    """Take the demonstration away: runs with their traces in MLflow, then runs, ratings, rounds,
    findings and decisions here. The MLflow experiments stay. Gives the number of runs removed.

    MLflow goes first: a run that were still there would be taken over again. Safe to repeat.
    """
    connection.require()
    removed = 0
    for slug, experiment_id in tracking_reading.experiments(connection).items():
        runs = tracking_reading.demo_runs(connection, experiment_id)
        publishing.delete_runs(connection, experiment_id, runs)
        removed += len(runs)
        evidence = tracking_reading.demo_evidence_runs(connection, experiment_id)
        publishing.delete_runs(connection, experiment_id, evidence)
        if _decision_is_demo(slug):
            keys = [*names.DECISION_TAGS, names.DEMO]
            publishing.remove_tags(connection, experiment_id, keys)
        for journal in Journal.unfinished(journal_root(), slug):
            if journal.plan.demo:
                journal.remove()
    with transaction() as session:
        sealed = sealed_rows(session)
        changed = _delete_rows(session)
        details = {"runs": removed, audit.REMOVED: sorted(sealed - sealed_rows(session))}
        audit.record(session, "demo_removed", "demo", actor=acting_person(session),
                     details=details, seal=changed)  # fmt: skip
    return removed


def _decision_is_demo(slug: str) -> bool:
    """Whether the newest decision, the one that stands in MLflow, is one of the demonstration."""
    with reading() as session:
        newest = session.exec(
            select(Decision)
            .join(Scenario, col(Scenario.id) == Decision.scenario_id)
            .where(Scenario.slug == slug)
            .order_by(col(Decision.id).desc())
            .limit(1)
        ).first()
    return newest is not None and newest.demo


def _delete_rows(session: Session) -> list[SQLModel]:
    """Delete what hangs on demonstration runs and rounds, from the leaves to the root. Gives what
    pointed to a decision of the demonstration and stays without it."""
    rounds = [row_id(key) for key in session.exec(select(Round.id).where(Round.demo))]
    runs = select(TrialRun.id).where(TrialRun.demo)
    outputs = select(Output.id).where(col(Output.run_id).in_(runs))
    session.exec(delete(OutboxEntry).where(col(OutboxEntry.round_id).in_(rounds)))
    delete_rounds(session, rounds)
    surveys = select(Survey.id).where(Survey.demo)
    for table, condition in (
        (
            OutboxEntry,
            (col(OutboxEntry.kind) == Delivery.INDICATORS) & col(OutboxEntry.subject_id).in_(runs),
        ),
        (
            OutboxEntry,
            (col(OutboxEntry.kind) == Delivery.ERASURE) & col(OutboxEntry.subject_id).in_(outputs),
        ),
        (Quarantine, col(Quarantine.output_id).in_(outputs)),
        (Output, col(Output.run_id).in_(runs)),
        (UnassignedOutput, col(UnassignedOutput.run_id).in_(runs)),
        (TrialRun, col(TrialRun.demo)),
        (Voice, col(Voice.survey_id).in_(surveys)),
        (SurveyToken, col(SurveyToken.survey_id).in_(surveys)),
        (Survey, col(Survey.demo)),
    ):
        session.exec(delete(table).where(condition))
    changed: list[SQLModel] = []
    demo_decisions = session.exec(select(Decision.id).where(Decision.demo)).all()
    for decision in session.exec(select(Decision).where(~col(Decision.demo))):
        if decision.supersedes_id in demo_decisions:
            decision.supersedes_id = None
            session.add(decision)
            changed.append(decision)
    session.flush()
    session.exec(
        delete(OutboxEntry).where(
            col(OutboxEntry.kind) == "decision", col(OutboxEntry.subject_id).in_(demo_decisions)
        )
    )
    session.exec(delete(Condition).where(col(Condition.decision_id).in_(demo_decisions)))
    changed += _delete_meetings(session)
    session.exec(delete(Decision).where(col(Decision.demo)))
    remove_findings(session)
    return changed


def _delete_meetings(session: Session) -> list[AgendaItem]:
    """Meetings of the demonstration. A real one keeps its item without the decision: gives such
    items."""
    demo_decisions = select(Decision.id).where(Decision.demo)
    meetings = select(Meeting.id).where(Meeting.demo)
    items = select(AgendaItem.id).where(col(AgendaItem.meeting_id).in_(meetings))
    motions = select(Motion.id).where(col(Motion.item_id).in_(items))
    for table, condition in (
        (Vote, col(Vote.motion_id).in_(motions)),
        (Tally, col(Tally.motion_id).in_(motions)),
        (Motion, col(Motion.item_id).in_(items)),
        (Conflict, col(Conflict.item_id).in_(items)),
        (AgendaItem, col(AgendaItem.meeting_id).in_(meetings)),
        (Participant, col(Participant.meeting_id).in_(meetings)),
        (Meeting, col(Meeting.demo)),
    ):
        session.exec(delete(table).where(condition))
    kept = session.exec(
        select(AgendaItem).where(col(AgendaItem.decision_id).in_(demo_decisions))
    ).all()
    for item in kept:
        item.decision_id = None
        session.add(item)
    session.flush()
    return list(kept)
