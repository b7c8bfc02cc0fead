"""What a round would be before it is opened: the outputs to rate and who may rate them. Planning
and opening both start here, so that what was shown is what comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from reallabor.errors import UnknownObject, WrongState
from reallabor.evaluations import RubricContent
from reallabor.models import (
    Case,
    Output,
    Person,
    Rubric,
    Scenario,
    TrialRun,
    row_id,
)
from reallabor.policies import may_rate
from reallabor.rating.calibration import is_calibrated
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.hidden_outputs import is_hidden
from reallabor.recording.rubric_versions import list_rubric_versions

OVERLAP = 2
"""Raters per output where nothing else is said."""
MOST_OVERLAP = 5


@dataclass(frozen=True)
class RoundChoice:
    """What an organiser chose for a new round; None stands for the usual."""

    runs: Sequence[int] | None = None
    """Keys of the runs; None: the newest of each variant and organisation."""
    rubric_id: int | None = None
    """A stored version; None: the scenario's own."""
    overlap: int = OVERLAP
    evaluators: Sequence[Person] | None = None
    """None: everybody who may rate."""
    due_on: date | None = None
    gold_cases: int = 0
    """How many gold cases every rater gets among the outputs, unmarked."""
    requires_calibration: bool = False
    seed: int | None = None


@dataclass(frozen=True)
class Draft:
    """A round that could be opened."""

    scenario: Scenario
    runs: list[TrialRun]
    rubric: Rubric
    outputs: dict[int, dict[int, int | None]]
    """Case to its outputs, each with the organisation whose run it is from."""
    evaluators: list[Person]
    failed: int
    """Outputs of the runs that nobody can rate because the system failed."""
    quarantined: int
    """Outputs that nobody is shown because somebody saw personal data in them."""

    @property
    def houses(self) -> dict[int, int | None]:
        """Organisation of each evaluator, by the person's key."""
        return {row_id(person.id): person.organisation_id for person in self.evaluators}

    @property
    def criteria(self) -> int:
        """How many criteria a rater judges per output."""
        return len(RubricContent.model_validate(self.rubric.content).criteria)


def draft_round(session: Session, slug: str, choice: RoundChoice) -> Draft:
    """The round that this choice makes. Real runs count where there are any, demonstration runs
    else; the two never meet in one round. Raises WrongState where nothing can be rated."""
    if not 1 <= choice.overlap <= MOST_OVERLAP:
        raise WrongState(
            f"{choice.overlap} Bewertungen je Ausgabe sind nicht vorgesehen; möglich sind 1 bis "
            f"{MOST_OVERLAP}."
        )
    scenario = get_scenario(session, slug)
    runs = newest_runs(session, scenario)
    if not runs:
        raise WrongState(
            f"Zu '{scenario.title}' ist noch kein Durchlauf aufgezeichnet. Bitte zuerst "
            f"`reallabor run {slug}` ausführen lassen; danach kann die Bewertung beginnen."
        )
    if choice.runs is not None:
        runs = _chosen_runs(session, scenario, choice.runs)
    outputs, failed, quarantined = _outputs(session, runs)
    if not outputs:
        raise WrongState(
            f"Zu '{scenario.title}' gibt es keine Ausgabe, die sich bewerten ließe: Alle Fälle "
            "sind fehlgeschlagen, oder es wurden nur Bewertungen eingelesen."
        )
    chosen = choice.evaluators
    evaluators = all_evaluators(session) if chosen is None else list(chosen)
    if unable := [person.name for person in evaluators if not may_rate(person)]:
        raise WrongState(
            f"'{unable[0]}' ist nicht als bewertende Person eingetragen. Bitte abwählen."
        )
    rubric = _rubric(session, scenario, choice)
    if choice.requires_calibration:
        require_calibrated(session, evaluators, rubric)
    return Draft(scenario, runs, rubric, outputs, evaluators, failed, quarantined)


def newest_runs(
    session: Session, scenario: Scenario, *, with_outputs: bool = True
) -> list[TrialRun]:
    """The newest finished run of each variant in each organisation; real ones where there are
    any, else those of the demonstration. Runs without any output count only where asked for."""
    key = row_id(scenario.id)
    return newest_runs_of(session, [key], with_outputs=with_outputs)[key]


def newest_runs_of(
    session: Session, scenarios: Sequence[int], *, with_outputs: bool = True
) -> dict[int, list[TrialRun]]:
    """`newest_runs` of many scenarios (row ids), by row id of the scenario."""
    found: dict[int, list[TrialRun]] = {each: [] for each in scenarios}
    for run in session.exec(
        select(TrialRun)
        .where(
            col(TrialRun.scenario_id).in_(scenarios),
            not with_outputs or select(Output.id).where(Output.run_id == TrialRun.id).exists(),
        )
        # A run in which cases are missing never hides a complete one.
        .order_by(col(TrialRun.complete), col(TrialRun.finished_at), col(TrialRun.id))
    ):
        found[run.scenario_id].append(run)
    return {each: _newest(runs) for each, runs in found.items()}


def _newest(runs: Sequence[TrialRun]) -> list[TrialRun]:
    demo = all(run.demo for run in runs)
    newest = {(run.variant_id, run.organisation_id): run for run in runs if run.demo == demo}
    return sorted(newest.values(), key=lambda run: row_id(run.id))


def all_evaluators(session: Session) -> list[Person]:
    """Everybody who may rate."""
    people = session.exec(select(Person).order_by(col(Person.id)))
    return [person for person in people if may_rate(person)]


def rubric_versions(session: Session, scenario: Scenario) -> dict[int, str]:
    """All stored versions of the scenario's rubric, newest first: key to title and name."""
    own = session.get(Rubric, scenario.rubric_id) if scenario.rubric_id else None
    if own is None:
        return {}
    found = reversed(list_rubric_versions(session, own.key))
    return {row_id(rubric.id): f"{rubric.title} ({rubric.name})" for rubric in found}


def require_calibrated(session: Session, people: Sequence[Person], rubric: Rubric) -> None:
    """Raises WrongState where somebody is not calibrated for this rubric version."""
    missing = [
        person.name for person in people if not is_calibrated(session, person, row_id(rubric.id))
    ]
    if missing:
        raise WrongState(
            f"Für '{rubric.name}' noch nicht kalibriert: {', '.join(missing)}. Die Kalibrierung "
            "steht unter „Lernen“; bis dahin bitte abwählen, oder die Runde für alle öffnen."
        )


def _chosen_runs(session: Session, scenario: Scenario, ids: Sequence[int]) -> list[TrialRun]:
    runs = session.exec(
        select(TrialRun)
        .where(TrialRun.scenario_id == scenario.id, col(TrialRun.id).in_(ids))
        .order_by(col(TrialRun.id))
    ).all()
    if len(runs) < len(set(ids)) or not runs:
        raise UnknownObject(
            f"Ein gewählter Durchlauf gehört nicht zu '{scenario.title}' oder wurde inzwischen "
            "zurückgenommen. Bitte neu auswählen."
        )
    if len({run.demo for run in runs}) > 1:
        raise WrongState(
            "Durchläufe der Demonstration und echte lassen sich nicht zusammen bewerten. Bitte "
            "nur die einen oder die anderen wählen."
        )
    twice = [(run.variant_id, run.organisation_id) for run in runs]
    if len(set(twice)) < len(twice):
        raise WrongState(
            "Zwei der gewählten Durchläufe sind von derselben Variante und Organisation; gezählt "
            "wird immer nur einer. Bitte einen abwählen."
        )
    return list(runs)


def _outputs(
    session: Session, runs: Sequence[TrialRun]
) -> tuple[dict[int, dict[int, int | None]], int, int]:
    house_of = {run.id: run.organisation_id for run in runs}
    rows = session.exec(
        select(  # type: ignore[call-overload]
            Output.id, Output.case_id, Output.run_id, col(Output.text).is_not(None), is_hidden()
        )
        .join(Case, col(Case.id) == Output.case_id)
        .where(col(Output.run_id).in_(list(house_of)))
        .order_by(col(Output.case_id), col(Output.id))
    ).all()
    outputs: dict[int, dict[int, int | None]] = {}
    failed = quarantined = 0
    for output_id, case_id, run_id, has_text, hidden in rows:
        if hidden:
            quarantined += 1
        elif not has_text:
            failed += 1
        else:
            outputs.setdefault(case_id, {})[row_id(output_id)] = house_of[run_id]
    return outputs, failed, quarantined


def _rubric(session: Session, scenario: Scenario, choice: RoundChoice) -> Rubric:
    rubric = session.get(Rubric, choice.rubric_id or scenario.rubric_id)
    if rubric is None:
        raise UnknownObject(
            f"Zu '{scenario.title}' gibt es kein Bewertungsraster in dieser Fassung. Bitte eine "
            "vorhandene wählen."
        )
    return rubric
