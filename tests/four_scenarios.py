"""Four scenarios for one meeting of the steering group: one with the best score that misses a gate
of data protection, two that cannot be told apart, one with too few cases. Recorded and rated for
real in the platform whose environment this runs in: `python four_scenarios.py`."""

import random
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from building import Trial, add_person, small_trial
from reviewing import settle_worksheet
from sqlmodel import Session, col, select

from reallabor import policies
from reallabor.cli.screen import tracking
from reallabor.database import transaction
from reallabor.deciding.findings import EvidenceFile, EvidenceLink, record_finding
from reallabor.gates import load_gates
from reallabor.models import (
    Assignment,
    Audience,
    Case,
    GateOutcome,
    Organisation,
    Output,
    Person,
    Rater,
    Role,
    Scenario,
    TrialRun,
    Variant,
    row_id,
)
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.ratings import Judgement, submit_rating
from reallabor.rating.rounds import open_round, release_round
from reallabor.rating.surveys import open_survey
from reallabor.rating.voices import Sheet, enter_sheet
from reallabor.recording.catalogue import load_shipped
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial

BEST, FIRST, SECOND, FEW = "beste-auskunft", "gleich-eins", "gleich-zwei", "wenige-faelle"
TITLES = {
    BEST: "Auskunft mit Bestwert",
    FIRST: "Formularhilfe Nord",
    SECOND: "Formularhilfe Süd",
    FEW: "Neuer Versuch",
}
HOUSES = ("Jobcenter Musterstadt", "Jobcenter Beispielkreis")
ORGANISER, RATERS = "Sabine Schriftführung", ("Tarek Prüfblick", "Uta Prüfblick")
CHAIR, MEMBER, OWN_PILOT = "Viola Vorsitz", "Walter Mitglied", "Xenia Musterstadt"
"""Voting members; the last is of a house that trialled the scenarios itself."""
OFFICES = {
    "Yusuf Datenschutz": Role.DATA_PROTECTION,
    "Zoe Personalrat": Role.STAFF_COUNCIL,
    "Armin Sicherheit": Role.SECURITY,
    "Berta Fachseite": Role.SUBJECT,
}
_ELSEWHERE = "Landkreis Beispiel"
MISSED = "rechtsgrundlage-sozialdaten"
"""The gate of data protection that the scenario with the best score misses."""
CRITERIA = ("FR", "QU", "VS", "UE", "NE", "DS")


@dataclass(frozen=True)
class Plan:
    """How many cases a scenario has, and how often the candidate deserves each level."""

    cases: int
    levels: Mapping[int, float]
    baseline: Mapping[int, float]
    minutes: int
    """About how long an output of the candidate has to be worked on."""


_GOOD, _POOR = {2: 0.08, 3: 0.17, 4: 0.4, 5: 0.35}, {1: 0.3, 2: 0.4, 3: 0.3}
PLANS = {
    BEST: Plan(36, {4: 0.2, 5: 0.8}, _POOR, 1),
    FIRST: Plan(36, _GOOD, _POOR, 3),
    SECOND: Plan(36, _GOOD, _POOR, 3),
    FEW: Plan(8, _GOOD, _POOR, 4),
}


def write_folders(content: Path) -> list[Trial]:
    """The scenario folders, in `content` that holds rubrics and gates already."""
    trials = []
    for slug, plan in PLANS.items():
        trial = small_trial(content, slug)
        trial.change(
            title=TITLES[slug], organisation=HOUSES[0], baseline_minutes=10, yearly_volume=6000,
            variants=[
                {"key": "ki", "title": "Assistent"},
                {"key": "ohne", "title": "Ohne KI", "baseline": True},
            ],
            candidate="ki",
        )  # fmt: skip
        trial.write_cases(
            [
                {
                    "id": f"f-{n}", "input": f"Frage {n} zu {TITLES[slug]}?", "edge": n % 4 == 0,
                    "topic": ("Antrag", "Frist", "Geld")[n % 3],
                }
                for n in range(1, plan.cases + 1)
            ]
        )  # fmt: skip
        trials.append(trial)
    return trials


def fill() -> None:
    """Record every scenario in two houses, rate it by two people, release it, and ask people. None
    of it is demonstration, and neither are its people."""
    with transaction() as session:
        load_shipped(session)
        add_people(session)
    with tracking() as connection:
        for slug in PLANS:
            for house in HOUSES:
                record_trial(slug, connection=connection, organisation=house)
            project(connection, slug=slug)
    with transaction() as session:
        for slug, plan in PLANS.items():
            _rate(session, slug, plan)
            if slug != FEW:
                _ask(session, slug)
                _review(session, slug)
        for name in RATERS:
            named(session, name).active = False  # other tests choose among all evaluators


def add_people(session: Session) -> None:
    """Everybody who has a part in the meeting and before it."""
    roles = {
        ORGANISER: ([Role.ORGANISER, Role.PILOT], _ELSEWHERE),
        **{name: ([Role.EVALUATOR], _ELSEWHERE) for name in RATERS},
        CHAIR: ([Role.STEERING], _ELSEWHERE),
        MEMBER: ([Role.STEERING], "Stadt Beispielhausen"),
        OWN_PILOT: ([Role.STEERING], HOUSES[0]),
        **{name: ([role], _ELSEWHERE) for name, role in OFFICES.items()},
    }
    for name, (own, house) in roles.items():
        add_person(session, name, *own, organisation=house)


def named(session: Session, name: str) -> Person:
    return session.exec(select(Person).where(Person.name == name)).one()


def _rate(session: Session, slug: str, plan: Plan) -> None:
    organiser = named(session, ORGANISER)
    people = {row_id(each.id): each for each in (named(session, name) for name in RATERS)}
    round_ = open_round(
        session, slug, actor=organiser,
        choice=RoundChoice(evaluators=list(people.values()), seed=7),
    )  # fmt: skip
    rows = session.exec(
        select(Assignment, Rater.person_id, Case.key, Variant.baseline, Organisation.name)
        .select_from(Assignment)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Output, col(Output.id) == Assignment.output_id)
        .join(Case, col(Case.id) == Output.case_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(Variant, col(Variant.id) == TrialRun.variant_id)
        .join(Organisation, col(Organisation.id) == TrialRun.organisation_id)
        .where(Rater.round_id == round_.id)
        .order_by(col(Assignment.id))
    ).all()
    for assignment, person_id, case, baseline, house in rows:
        person = people[person_id or 0]
        truth = random.Random(f"{slug}/{case}/{baseline}/{house}")
        noise = random.Random(f"{slug}/{case}/{baseline}/{house}/{person.name}")
        wanted = plan.baseline if baseline else plan.levels
        levels = {}
        for key in CRITERIA:
            level = truth.choices(list(wanted), list(wanted.values()))[0]
            if key == "UE" and not baseline:
                level = max(level, 4)  # its median is a gate of the rubric
            # One rater in twelve sees it a level lower; nobody below 2, which could miss a gate.
            levels[key] = float(max(level - (noise.random() < 1 / 12), min(level, 2)))
        minutes = None if baseline else plan.minutes + truth.choice([0, 1, 2])
        submit_rating(
            session, Judgement(levels, rework_minutes=minutes), actor=person,
            token=assignment.token, submission=str(uuid.uuid4()),
        )  # fmt: skip
    release_round(session, row_id(round_.id), actor=organiser)


def _ask(session: Session, slug: str) -> None:
    organiser = named(session, ORGANISER)
    for audience, n in ((Audience.STAFF, 8), (Audience.CLIENTS, 11)):
        survey = open_survey(
            session, slug, audience, about="Ein Programm hilft bei Auskünften.", actor=organiser
        )
        most = int(survey.questions["levels"])
        keys = [each["key"] for each in survey.questions["questions"] if not each["needs_sample"]]
        for number in range(n):
            level = most - (number % 3 == 0)
            sheet = Sheet(dict.fromkeys(keys, level), "", False, str(uuid.uuid4()))
            enter_sheet(session, row_id(survey.id), sheet, actor=organiser)


def _review(session: Session, slug: str) -> None:
    """Every gate confirmed with evidence by its office; the one with the best score has no
    protection of data."""
    offices = {office: name for name, role in OFFICES.items()
               for office, own in policies.OFFICES.items() if own == role}  # fmt: skip
    scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).one()
    content = load_gates()
    settle_worksheet(session, slug, "art-5", named(session, offices["DSB"]))
    for gate in content.gates_of(scenario.content):
        missed = slug == BEST and gate.key == MISSED
        office = gate.offices[0]
        record_finding(
            session, slug, gate.key, office=office, actor=named(session, offices[office]),
            outcome=GateOutcome.MISSED if missed else GateOutcome.PASSED,
            note="Für Anfragen im Klartext fehlt die Rechtsgrundlage." if missed
            else "Geprüft, keine Einwände.",
            files=[EvidenceFile(f"{gate.key}.txt", f"Vermerk zu {gate.title}".encode())],
            links=[EvidenceLink("Akte", "https://akten.example/1")],
        )  # fmt: skip


if __name__ == "__main__":
    fill()
    print("gefüllt", file=sys.stderr)
