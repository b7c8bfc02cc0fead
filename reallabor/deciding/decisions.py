"""Flagging a scenario: verdict, reason, name, and the evidence as it stood."""

from typing import Any

from sqlmodel import Session, select

from reallabor import audit
from reallabor.content import digest, storable
from reallabor.deciding.comparison import as_json, compare, current_decision
from reallabor.errors import ReallaborError
from reallabor.models import Decision, Delivery, Person, RoundRun, Scenario, TrialRun, row_id
from reallabor.models.decision import Verdict
from reallabor.policies import may_decide, require
from reallabor.rating.results import released_round
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.outbox import enqueue

VERDICTS = tuple(each.value for each in Verdict)
"""The four possible decisions, most favourable first."""


class IncompleteDecision(ReallaborError):
    """Verdict, reason or name is missing or unknown."""


def decide(
    session: Session, slug: str, *, verdict: str, reason: str, name: str, actor: Person
) -> Decision:
    """Record a decision with its evidence; an earlier one is superseded and stays.

    The evidence is frozen as canonical JSON with its SHA-256. Tags on the MLflow experiment
    follow through the outbox. Raises IncompleteDecision, NotAllowed.
    """
    require(may_decide, actor)
    if not verdict:
        raise IncompleteDecision("Bitte einen Beschluss auswählen.")
    if verdict not in VERDICTS:
        raise IncompleteDecision(
            f"'{verdict}' ist kein Beschluss; möglich sind: {', '.join(VERDICTS)}."
        )
    if not reason.strip():
        raise IncompleteDecision("Bitte den Beschluss begründen; ohne Grund wird er nicht gefasst.")
    if not name.strip():
        raise IncompleteDecision("Bitte den Namen angeben, der für den Beschluss steht.")
    scenario = get_scenario(session, slug)
    # Locked, so that of two decisions at the same moment one supersedes the other.
    session.exec(select(Scenario.id).where(Scenario.id == scenario.id).with_for_update()).one()
    comparison = compare(session, [slug])[0]
    evidence: dict[str, Any] = {
        "comparison": {**as_json(comparison), "decision": None},
        "runs": _run_ids(session, scenario),
        "scenario_sha256": scenario.content_sha256,
    }
    earlier = current_decision(session, scenario)
    if earlier and _same(earlier, verdict, reason, name, digest(evidence)):
        return earlier  # pressed twice
    decision = Decision(
        scenario_id=row_id(scenario.id),
        verdict=Verdict(verdict),
        reason=storable(reason.strip()),
        decided_by=storable(name.strip()),
        recorded_by=row_id(actor.id),
        evidence=evidence,
        evidence_sha256=digest(evidence),
        supersedes_id=earlier.id if earlier else None,
        demo=bool(comparison.result and comparison.result.demo),
    )
    session.add(decision)
    session.flush()
    enqueue(session, Delivery.DECISION, row_id(decision.id))
    audit.record(
        session, "decided", f"decision/{decision.id}", actor=actor,
        details={"scenario": slug, "verdict": verdict, "evidence": decision.evidence_sha256},
    )  # fmt: skip
    return decision


def _same(earlier: Decision, verdict: str, reason: str, name: str, evidence: str) -> bool:
    stored = (earlier.verdict, earlier.reason, earlier.decided_by, earlier.evidence_sha256)
    return stored == (verdict, storable(reason.strip()), storable(name.strip()), evidence)


def _run_ids(session: Session, scenario: Scenario) -> list[str]:
    round_ = released_round(session, scenario)
    if round_ is None:
        return []
    runs = session.exec(
        select(TrialRun.tracking_run_id)
        .join(RoundRun, RoundRun.run_id == TrialRun.id)  # type: ignore[arg-type]
        .where(RoundRun.round_id == round_.id)
    ).all()
    return sorted(run for run in runs if run is not None)
