"""Scenarios side by side: results, gates, readiness and decision. The same figures serve the page,
the command line, exports and the evidence of decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from reallabor.deciding.candidate import candidate_of
from reallabor.deciding.gates import Gate, scenario_gates
from reallabor.deciding.readiness import Readiness, readiness
from reallabor.deciding.versioned import Versioned
from reallabor.models import (
    Audience,
    Decision,
    Organisation,
    Round,
    RoundRun,
    Scenario,
    TrialRun,
    Variant,
    row_id,
)
from reallabor.rating.agreement import Agreement, agreement_of
from reallabor.rating.counting import count_assigned
from reallabor.rating.drafting import newest_runs_of
from reallabor.rating.results import (
    RoundResult,
    VariantResult,
    released_rounds,
    result_of,
)
from reallabor.rating.round_data import load_rounds
from reallabor.rating.voice_results import Acceptance, acceptance
from reallabor.recording.catalogue import get_scenario


@dataclass(frozen=True)
class ScenarioComparison:
    """All that is known of one scenario; `result` is None before the first release."""

    slug: str
    title: str
    content: dict[str, Any]
    phase: str
    """In German, as the list of scenarios has it."""
    organisations: dict[str, date | None]
    """The pilot's house and those whose runs were rated, by name; since when one has left."""
    result: RoundResult | None
    agreement: dict[str, Agreement]
    gates: list[Gate]
    readiness: Readiness
    voices: dict[Audience, Acceptance]
    decision: Decision | None
    """A copy that belongs to no session."""
    newer_unrated: list[str]
    """Runs that are newer than what was rated, as `Variante (Organisation)`."""
    experiment_id: str | None
    """MLflow's id of the experiment; None before the first run was taken over."""
    stopped_at: datetime | None = None
    """Since when a prohibited practice stops the trial."""

    @property
    def demo(self) -> bool:
        """Whether any of what is shown comes from the demonstration."""
        return bool(self.result and self.result.demo) or bool(self.decision and self.decision.demo)

    @property
    def candidate(self) -> VariantResult | None:
        """The variant that readiness and figures are about."""
        return candidate_of(self.result) if self.result else None


def compare(session: Session, slugs: Sequence[str] = ()) -> list[ScenarioComparison]:
    """The named scenarios in this order, or all by title. Raises UnknownObject."""
    if slugs:
        ids = [row_id(get_scenario(session, slug).id) for slug in slugs]
    else:
        ids = [row_id(each) for each in session.exec(select(Scenario.id).order_by(Scenario.title))]
    found = _KEPT.find(session, ids, lambda missing: _compare(session, missing))
    return [found[each] for each in ids]


_KEPT: Versioned[ScenarioComparison] = Versioned()


def _compare(session: Session, ids: Sequence[int]) -> dict[int, ScenarioComparison]:
    """A few queries for all of these scenarios (row ids), and the arithmetic of each."""
    rounds = released_rounds(session, ids)
    figures = _figures(session, rounds)
    results = {each: result for each, (result, _) in figures.items()}
    voices = acceptance(session, {each: each in results and results[each].demo for each in ids})
    decisions, houses = current_decisions(session, ids), _houses(session)
    newest = newest_runs_of(session, ids)
    open_ = set(
        session.exec(
            select(Round.scenario_id)
            .where(col(Round.scenario_id).in_(ids), col(Round.released_at).is_(None))
        )
    )  # fmt: skip
    newer = _newer_unrated(session, rounds, newest, {each.id: each.name for each in houses})
    found = {}
    scenarios = session.exec(
        select(Scenario).where(col(Scenario.id).in_(ids))
        .execution_options(populate_existing=True)  # the session may hold them from before
    ).all()  # fmt: skip
    for scenario in scenarios:
        key = row_id(scenario.id)
        result, agreement = figures.get(key, (None, {}))
        gates = scenario_gates(session, scenario, result)
        heard = {audience: each.heard for audience, each in voices[key].items()}
        found[key] = ScenarioComparison(
            slug=scenario.slug,
            title=scenario.title,
            content=scenario.content,
            phase=phase_of(
                stopped=scenario.stopped_at is not None, rating=key in open_,
                decided=key in decisions, released=result is not None,
                recorded=bool(newest[key]),
            ),
            organisations=_organisations(scenario, result, houses),
            result=result,
            agreement=agreement,
            gates=gates,
            readiness=readiness(
                scenario.slug, result, gates, agreement, heard,
                stopped=scenario.stopped_at is not None,
            ),
            voices=voices[key],
            decision=decisions.get(key),
            newer_unrated=newer.get(key, []),
            experiment_id=scenario.experiment_id,
            stopped_at=scenario.stopped_at,
        )  # fmt: skip
    return found


def phase_of(*, stopped: bool, rating: bool, decided: bool, released: bool, recorded: bool) -> str:
    """German name of where a scenario stands."""
    phases = {
        "gestoppt": stopped,
        "wird bewertet": rating,
        "beschlossen": decided,
        "bewertet, zum Beschluss": released,
        "erprobt": recorded,
    }
    return next((phase for phase, reached in phases.items() if reached), "vorbereitet")


def _figures(
    session: Session, rounds: Mapping[int, Round]
) -> dict[int, tuple[RoundResult, dict[str, Agreement]]]:
    """Result and agreement of the round that counts, by scenario."""
    listed = list(rounds.values())
    assigned = count_assigned(session, listed)
    return {
        data.round_.scenario_id: (
            result_of(session, data, assigned[row_id(data.round_.id)]),
            agreement_of(data, with_interval=False),
        )
        for data in load_rounds(session, listed)
    }


def current_decision(session: Session, scenario: Scenario) -> Decision | None:
    """The newest decision, a real one before one on demonstration data."""
    return session.exec(
        select(Decision)
        .where(Decision.scenario_id == scenario.id)
        .order_by(col(Decision.demo), col(Decision.id).desc())
        .limit(1)
    ).first()


def current_decisions(session: Session, scenarios: Sequence[int]) -> dict[int, Decision]:
    """`current_decision` of many scenarios (row ids), by row id; copies that belong to no
    session."""
    rows = session.exec(
        select(Decision)
        .where(col(Decision.scenario_id).in_(scenarios))
        .order_by(col(Decision.demo).desc(), col(Decision.id))
    ).all()
    current = {decision.scenario_id: decision for decision in rows}
    return {
        key: Decision(**{name: getattr(row, name) for name in Decision.model_fields})
        for key, row in current.items()
    }


def _houses(session: Session) -> list[Organisation]:
    return list(session.exec(select(Organisation).order_by(Organisation.name)))


def _organisations(
    scenario: Scenario, result: RoundResult | None, houses: Sequence[Organisation]
) -> dict[str, date | None]:
    rated = (
        {each.organisation for variant in result.variants for each in variant.strata}
        if result
        else set()
    )
    names = rated | {str(scenario.content.get("organisation", ""))}
    left_on = {house.name: house.left_on for house in houses}
    return {name: left_on.get(name) for name in sorted(names - {""})}


def _newer_unrated(
    session: Session,
    rounds: Mapping[int, Round],
    newest: Mapping[int, Sequence[TrialRun]],
    houses: Mapping[int | None, str],
) -> dict[int, list[str]]:
    """By scenario the newest runs that are not part of the round that counts."""
    ids = [each.id for each in rounds.values()]
    rated = set(
        session.exec(
            select(RoundRun.round_id, RoundRun.run_id).where(col(RoundRun.round_id).in_(ids))
        ).all()
    )
    unrated = {
        key: [run for run in newest[key]
              if (round_.id, run.id) not in rated and run.demo == round_.demo]
        for key, round_ in rounds.items()
    }  # fmt: skip
    variants = {run.variant_id for runs in unrated.values() for run in runs}
    titles = dict(
        session.exec(select(Variant.id, Variant.title).where(col(Variant.id).in_(variants))).all()
    )
    return {
        key: [
            f"{titles[run.variant_id]} ({houses[run.organisation_id]})"
            if run.organisation_id
            else titles[run.variant_id]
            for run in runs
        ]
        for key, runs in unrated.items()
    }
