"""Scenarios side by side: results, gates, readiness and decision. The same figures serve the page,
the command line, exports and the evidence of decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from reallabor.deciding.gates import Gate, gate_json, scenario_gates
from reallabor.deciding.readiness import Readiness, agreement_rule, readiness
from reallabor.german import ZONE
from reallabor.models import Decision, Organisation, Round, RoundRun, Scenario, Variant
from reallabor.rating.agreement import Agreement, round_agreement
from reallabor.rating.drafting import newest_runs
from reallabor.rating.judged import Judged
from reallabor.rating.results import Figure, RoundResult, released_round, round_result
from reallabor.rating.voice_results import voices_heard
from reallabor.recording.catalogue import get_scenario
from reallabor.statistics import Estimate, Interval


@dataclass(frozen=True)
class ScenarioComparison:
    """All that is known of one scenario; `result` is None before the first release."""

    slug: str
    title: str
    content: dict[str, Any]
    result: RoundResult | None
    agreement: dict[str, Agreement]
    gates: list[Gate]
    readiness: Readiness
    decision: Decision | None
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


def compare(session: Session, slugs: Sequence[str] = ()) -> list[ScenarioComparison]:
    """The named scenarios in this order, or all by title. Raises UnknownObject."""
    if slugs:
        scenarios = [get_scenario(session, slug) for slug in slugs]
    else:
        scenarios = list(session.exec(select(Scenario).order_by(Scenario.title)).all())
    return [_compare_one(session, scenario) for scenario in scenarios]


def _compare_one(session: Session, scenario: Scenario) -> ScenarioComparison:
    round_ = released_round(session, scenario)
    result, agreement = _figures(session, round_) if round_ else (None, {})
    gates = scenario_gates(session, scenario, result)
    return ScenarioComparison(
        slug=scenario.slug,
        title=scenario.title,
        content=scenario.content,
        result=result,
        agreement=agreement,
        gates=gates,
        readiness=readiness(
            scenario.slug,
            result,
            gates,
            agreement,
            voices_heard(session, scenario, demo=bool(result and result.demo)),
            stopped=scenario.stopped_at is not None,
        ),
        decision=current_decision(session, scenario),
        newer_unrated=newer_unrated(session, scenario, round_),
        experiment_id=scenario.experiment_id,
        stopped_at=scenario.stopped_at,
    )


_Figures = tuple[RoundResult, dict[str, Agreement]]
_KEPT: Judged[_Figures] = Judged()


def _figures(session: Session, round_: Round) -> _Figures:
    """Result and agreement of a round, kept as long as no judgement of it changes."""
    return _KEPT.get(
        session,
        round_,
        lambda: (
            round_result(session, round_),
            round_agreement(session, round_, with_interval=False),
        ),
    )


def current_decision(session: Session, scenario: Scenario) -> Decision | None:
    """The newest decision, a real one before one on demonstration data."""
    return session.exec(
        select(Decision)
        .where(Decision.scenario_id == scenario.id)
        .order_by(col(Decision.demo), col(Decision.id).desc())
        .limit(1)
    ).first()


def newer_unrated(session: Session, scenario: Scenario, round_: Round | None) -> list[str]:
    """Newest runs that are not part of the round that counts, where there is one."""
    if round_ is None:
        return []
    rated = set(session.exec(select(RoundRun.run_id).where(RoundRun.round_id == round_.id)).all())
    found = []
    for run in newest_runs(session, scenario):
        if run.id not in rated and run.demo == round_.demo:
            variant = session.get_one(Variant, run.variant_id)
            house = session.get(Organisation, run.organisation_id) if run.organisation_id else None
            found.append(f"{variant.title} ({house.name})" if house else variant.title)
    return found


def as_json(comparison: ScenarioComparison) -> dict[str, Any]:
    """The published form of `compare --json`; what cannot be determined is null with a reason."""
    result, decision = comparison.result, comparison.decision
    return {
        "slug": comparison.slug,
        "title": comparison.title,
        "n_cases": result.n_cases if result else 0,
        "n_raters": result.n_raters if result else 0,
        "n_organisations": result.n_organisations if result else 0,
        "round": result.number if result else None,
        "rubric": result.rubric if result else None,
        "n_adjudicated": result.n_adjudicated if result else 0,
        "gates": [gate_json(gate) for gate in comparison.gates],
        "readiness": {
            "ready": comparison.readiness.ready,
            "missing": comparison.readiness.missing,
        },
        "decision": None if decision is None else {
            "verdict": str(decision.verdict),
            "date": decision.decided_at.astimezone(ZONE).date().isoformat(),
            "reason": decision.reason,
            "by": decision.decided_by,
        },
        "stopped": comparison.stopped_at.astimezone(ZONE).date().isoformat()
        if comparison.stopped_at
        else None,
        "demo": comparison.demo,
        "newer_unrated": comparison.newer_unrated,
        "agreement": {
            key: {
                "alpha": each.alpha["ordinal"].value,
                "ac2": each.ac2.value,
                "rule": agreement_rule(each),
            }
            for key, each in comparison.agreement.items()
        },
        "variants": [
            {
                "variant": variant.variant,
                "title": variant.title,
                "baseline": variant.baseline,
                "candidate": variant.candidate,
                "n_cases": variant.n_cases,
                "n_ratings": variant.n_ratings,
                "score": variant.score.mean,
                **_reason("score", variant.score),
                "score_n": variant.score.n,
                "score_interval": _ends(variant.score.interval),
                "score_original": variant.score_original.mean,
                "score_original_interval": _ends(variant.score_original.interval),
                "n_adjudicated": variant.n_adjudicated,
                "low_share": variant.low_share,
                "criteria": {
                    key: _figure(figure) for key, figure in variant.criteria.items()
                },
                "organisations": [
                    {
                        "organisation": stratum.organisation,
                        "n_cases": stratum.n_cases,
                        "score": stratum.score.mean,
                        **_reason("score", stratum.score),
                        "score_interval": _ends(stratum.score.interval),
                        "metrics": stratum.metrics,
                    }
                    for stratum in variant.strata
                ],
            }
            for variant in (result.variants if result else [])
        ],
    }  # fmt: skip


def _figure(figure: Figure) -> dict[str, Any]:
    ends = _ends(figure.interval)
    return {
        "n": figure.n,
        "mean": figure.mean,
        **_reason("mean", figure),
        "median": figure.median,
        "interval": ends,
        **({"interval_reason": figure.interval.reason} if ends is None else {}),
        "interval_method": figure.interval.method,
    }


def _reason(key: str, figure: Figure) -> dict[str, str | None]:
    return {f"{key}_reason": figure.interval.reason} if figure.mean is None else {}


def _ends(interval: Interval) -> list[float] | None:
    if interval.low is None or interval.high is None:
        return None
    return [interval.low, interval.high]


def agreement_json(slug: str, agreement: dict[str, Agreement]) -> dict[str, Any]:
    """The published form of `agreement --json`."""
    return {
        "scenario": slug,
        "criteria": {key: _agreement(each) for key, each in agreement.items()},
    }


def _agreement(figures: Agreement) -> dict[str, Any]:
    ends = _ends(figures.alpha_interval)
    undetermined = [alpha for alpha in figures.alpha.values() if alpha.value is None]
    return {
        "units": figures.units,
        "raters": figures.raters,
        "ratings": figures.ratings,
        "alpha": {key: alpha.value for key, alpha in figures.alpha.items()},
        **({"alpha_reason": undetermined[0].reason} if undetermined else {}),
        "alpha_interval": ends,
        **({"alpha_interval_reason": figures.alpha_interval.reason} if ends is None else {}),
        **_estimate("ac2", figures.ac2),
        **_estimate("raw_agreement", figures.raw_agreement),
    }


def _estimate(key: str, estimate: Estimate) -> dict[str, Any]:
    reason = {f"{key}_reason": estimate.reason} if estimate.value is None else {}
    return {key: estimate.value, **reason}
