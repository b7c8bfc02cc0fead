"""What is each person's to do: the start page and the scenarios page read it."""

from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from reallabor.deciding.comparison import current_decision, phase_of
from reallabor.deciding.due import DueCondition, DueReview, due_conditions, due_reviews
from reallabor.deciding.meeting_views import MeetingSummary, open_meetings
from reallabor.deciding.reviewing import ReviewTask, review_tasks
from reallabor.german import count
from reallabor.models import (
    Assignment,
    Case,
    Decision,
    Output,
    Person,
    Round,
    Scenario,
    row_id,
)
from reallabor.policies import may_decide, may_open_round, may_rate, may_record, may_release
from reallabor.rating.drafting import newest_runs
from reallabor.rating.progress import RoundProgress, round_progress
from reallabor.rating.quarantine import QuarantineEntry, list_quarantine
from reallabor.rating.results import released_round
from reallabor.rating.rounds import open_rounds
from reallabor.rating.sheet import OpenRating, list_open_ratings
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.runs import RunSummary, run_summary
from reallabor.recording.stopping import stop_sentence


@dataclass(frozen=True)
class ScenarioSummary:
    """Where a scenario stands, and what is next."""

    slug: str
    title: str
    task: str
    organisation: str
    experiment_id: str | None
    runs: list[RunSummary]
    open_round: RoundProgress | None
    released: Round | None
    decision: Decision | None
    unrated_runs: bool
    """Whether the newest runs are not part of any round yet."""
    n_cases: int = 0
    """Current cases."""
    stop: str = ""
    """Why the trial is stopped by a prohibited practice; empty where it is not."""

    @property
    def demo(self) -> bool:
        """Whether any of what is shown comes from the demonstration."""
        rounds = [each for each in (self.open_round, self.released) if each]
        return any(run.demo for run in self.runs) or any(each.demo for each in rounds)

    @property
    def phase(self) -> str:
        """German name of the phase."""
        return phase_of(
            stopped=bool(self.stop), rating=self.open_round is not None,
            decided=self.decision is not None, released=self.released is not None,
            recorded=bool(self.runs),
        )  # fmt: skip

    @property
    def next_step(self) -> str:
        """What has to happen next, in one German sentence."""
        if self.stop:
            return self.stop
        if self.open_round:
            left = self.open_round.total - self.open_round.done
            if left:
                return f"Bewertende: noch {count(left, 'Bewertung', 'Bewertungen')} offen."
            return "Organisation: Ergebnisse freigeben."
        steps = {
            "Pilotteam: Fälle ergänzen.": not self.n_cases,
            "Pilotteam: ersten Durchlauf aufzeichnen oder hochladen.": not self.runs,
            "Organisation: Bewertung der neuesten Durchläufe starten.": self.unrated_runs,
            "Lenkungskreis: beschließen.": self.released and not self.decision,
        }
        return next((step for step, due in steps.items() if due), "Nichts offen.")


@dataclass(frozen=True)
class Agenda:
    """What one person may do now."""

    ratings: list[OpenRating]
    to_open: list[ScenarioSummary]
    to_release: list[ScenarioSummary]
    to_decide: list[ScenarioSummary]
    quarantine: list[QuarantineEntry]
    """Outputs in which somebody saw personal data."""
    reviews: list[ReviewTask]
    """Gates of the person's offices that are not passed, or soon expire."""
    meetings: list[MeetingSummary]
    """Those not closed that the person takes part in or runs."""
    conditions: list[DueCondition]
    """Overdue, or due soon."""
    again: list[DueReview]
    """Decisions to be looked at again, overdue or soon."""

    @property
    def empty(self) -> bool:
        return not any(vars(self).values())


def agenda(session: Session, person: Person) -> Agenda:
    """The tasks of a person, by role."""
    scenarios = list_scenarios(session)
    return Agenda(
        ratings=list_open_ratings(session, person),
        to_open=[each for each in scenarios if may_open_round(person)
                 and each.unrated_runs and not each.open_round and not each.stop],
        to_release=[each for each in scenarios if may_release(person) and each.open_round],
        to_decide=[each for each in scenarios if may_decide(person)
                   and each.released and not each.decision],
        quarantine=list_quarantine(session) if may_release(person) else [],
        reviews=review_tasks(session, person),
        meetings=open_meetings(session, person),
        conditions=due_conditions(session, person),
        again=due_reviews(session, person),
    )  # fmt: skip


def runs_are_hidden(session: Session, slug: str, person: Person) -> bool:
    """Whether this person must not see the runs and systems of a scenario: because they rate it at
    present, or because they only rate and its newest runs are still to be rated. Who has read
    outputs under the name of their system cannot rate them blind."""
    if any(rating.slug == slug for rating in list_open_ratings(session, person)):
        return True
    if not may_rate(person) or may_record(person) or may_decide(person):
        return False
    scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).first()
    if scenario is None:
        return False
    summary = _summary(session, scenario)
    return summary.unrated_runs or summary.open_round is not None


def list_scenarios(session: Session) -> list[ScenarioSummary]:
    """All scenarios by title."""
    scenarios = session.exec(select(Scenario).order_by(Scenario.title)).all()
    return [_summary(session, scenario) for scenario in scenarios]


def scenario_summary(session: Session, slug: str) -> ScenarioSummary:
    """One scenario. Raises UnknownObject."""
    return _summary(session, get_scenario(session, slug))


def _summary(session: Session, scenario: Scenario) -> ScenarioSummary:
    runs = newest_runs(session, scenario)
    rated = set(
        session.exec(
            select(Output.run_id)
            .join(Assignment, col(Assignment.output_id) == Output.id)
            .where(col(Output.run_id).in_([run.id for run in runs]))
            .distinct()
        ).all()
    )
    running = open_rounds(session, scenario)
    return ScenarioSummary(
        slug=scenario.slug,
        title=scenario.title,
        task=str(scenario.content.get("task", "")),
        organisation=str(scenario.content.get("organisation", "")),
        experiment_id=scenario.experiment_id,
        stop=stop_sentence(scenario) if scenario.stopped_at else "",
        runs=[run_summary(session, run) for run in runs],
        open_round=round_progress(session, row_id(running[0].id)) if running else None,
        released=released_round(session, scenario),
        decision=current_decision(session, scenario),
        unrated_runs=any(
            run.id not in rated and run.tracking_run_id and scenario.experiment_id for run in runs
        ),
        n_cases=session.exec(
            select(func.count())
            .select_from(Case)
            .where(Case.scenario_id == scenario.id, Case.current)
        ).one(),
    )
