"""Comparison and agreement as the JSON that commands print, exports hold and decisions freeze."""

from dataclasses import asdict
from typing import Any

from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.figures import scenario_cells
from reallabor.deciding.gates import gate_json
from reallabor.deciding.readiness import agreement_rule
from reallabor.german import ZONE
from reallabor.rating.agreement import Agreement
from reallabor.rating.results import Figure
from reallabor.statistics import Estimate, Interval


def comparison_json(comparison: ScenarioComparison) -> dict[str, Any]:
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
            "id": decision.id,
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
        "figures": [asdict(cell) for cell in scenario_cells(comparison)],
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
