"""Flagging a scenario: verdict, reason, conditions, and the evidence as it stood; by circulation or
as the result of a vote in a meeting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import digest, storable
from reallabor.deciding.comparison import current_decision
from reallabor.deciding.evidence import gather
from reallabor.deciding.meetings import locked_item, running_meeting
from reallabor.deciding.voting import adopted_motion
from reallabor.errors import ReallaborError, WrongState
from reallabor.german import ZONE, day, today
from reallabor.german import date as day_of
from reallabor.models import (
    AgendaItem,
    Condition,
    Decision,
    Delivery,
    Motion,
    Person,
    Scenario,
    now,
    row_id,
)
from reallabor.models.decision import Verdict
from reallabor.policies import may_confirm, may_decide, require
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.outbox import enqueue

__all__ = [
    "VERDICTS", "Decision", "IncompleteDecision", "NewCondition", "conditions_of", "decide",
    "old_resolution",
]  # fmt: skip

VERDICTS = tuple(each.value for each in Verdict)
"""The four possible decisions, most favourable first."""


class IncompleteDecision(ReallaborError):
    """Verdict, reason or name is missing or unknown, or a condition or date cannot hold."""


@dataclass(frozen=True)
class NewCondition:
    """What the steering group asks for, of whom, until when."""

    text: str
    owner: str
    due_on: date


def decide(
    session: Session,
    slug: str,
    *,
    verdict: str,
    reason: str,
    name: str,
    actor: Person,
    departure: str = "",
    dissent: str = "",
    conditions: Sequence[NewCondition] = (),
    review_on: date | None = None,
    item_id: int | None = None,
    seen: int | None = None,
) -> Decision:
    """Record a decision with its evidence; an earlier one is superseded and stays.

    With `item_id` it is the result of a vote: the verdict must be that of the adopted motion, and
    departing from the suggestion needs its own reason. Without, it is a decision by circulation.
    `seen` is the id of the decision that the actor had before them (0: none); where there is
    another by now, nothing is decided. The evidence is frozen as canonical JSON with its SHA-256;
    tags on the MLflow experiment and on the candidate's runs follow through the outbox. Raises
    IncompleteDecision, WrongState, NotAllowed.
    """
    require(may_confirm if item_id else may_decide, actor)
    _require_complete(verdict, reason, name, conditions, review_on)
    scenario = get_scenario(session, slug)
    item = _lock(session, scenario, item_id)
    earlier = current_decision(session, scenario)
    evidence = gather(session, slug, meeting_item_id=item_id)
    resolution: dict[str, Any] = storable({
        "verdict": verdict,
        "reason": reason.strip(),
        "departure": departure.strip(),
        "dissent": dissent.strip(),
        "conditions": [
            {"text": each.text.strip(), "owner": each.owner.strip(),
             "due_on": each.due_on.isoformat()}
            for each in conditions
        ],
        "review_on": review_on.isoformat() if review_on else None,
        "decided_by": name.strip(),
    })  # fmt: skip
    if earlier and earlier.recorded_by == actor.id and _same(earlier, evidence, resolution):
        return earlier  # pressed twice
    _require_possible(session, scenario, item, verdict, earlier, seen)
    if item and verdict != evidence["suggestion"]["verdict"] and not departure.strip():
        raise IncompleteDecision(
            f"Der Beschluss weicht vom Vorschlag '{evidence['suggestion']['verdict']}' ab. Bitte "
            "begründen, warum."
        )
    moment = now()
    resolution["decided_on"] = moment.astimezone(ZONE).date().isoformat()
    resolution["supersedes"] = _superseded(earlier)
    n, before = audit.head_of(session)
    frozen = {**evidence, "resolution": resolution, "audit": {"before": before, "n": n}}
    decision = Decision(
        scenario_id=row_id(scenario.id),
        verdict=Verdict(verdict),
        reason=resolution["reason"],
        dissent=resolution["dissent"],
        review_on=review_on,
        decided_by=resolution["decided_by"],
        recorded_by=row_id(actor.id),
        evidence=frozen,
        evidence_sha256=digest(frozen),
        supersedes_id=earlier.id if earlier else None,
        demo=evidence["demo"],
        decided_at=moment,
    )
    session.add(decision)
    session.flush()
    rows = [
        Condition(decision_id=row_id(decision.id), position=place, text=each["text"],
                  owner=each["owner"], due_on=date.fromisoformat(each["due_on"]))
        for place, each in enumerate(resolution["conditions"], start=1)
    ]  # fmt: skip
    session.add_all(rows)
    if item:
        item.decision_id = decision.id
        session.add(item)
    enqueue(session, Delivery.DECISION, row_id(decision.id))
    audit.record(
        session, "decided", audit.row_key(decision), actor=actor,
        details={"scenario": slug, "verdict": verdict, "evidence": decision.evidence_sha256,
                 **({"item": item.id} if item else {})},
        seal=[decision, *rows],
    )  # fmt: skip
    return decision


def old_resolution(decision: Decision) -> dict[str, Any] | None:
    """What was decided, for a decision of the first format: its evidence does not hold it. None for
    newer ones, which carry it in their evidence."""
    if decision.evidence.get("resolution"):
        return None
    return {
        "verdict": str(decision.verdict),
        "reason": decision.reason,
        "decided_by": decision.decided_by,
        "decided_on": decision.decided_at.astimezone(ZONE).date().isoformat(),
    }


def conditions_of(session: Session, decision_id: int) -> Sequence[Condition]:
    """The conditions of a decision, in its order."""
    return session.exec(
        select(Condition).where(Condition.decision_id == decision_id)
        .order_by(col(Condition.position))
    ).all()  # fmt: skip


def _require_complete(
    verdict: str,
    reason: str,
    name: str,
    conditions: Sequence[NewCondition],
    review_on: date | None,
) -> None:
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
    for each in conditions:
        if not each.text.strip() or not each.owner.strip():
            raise IncompleteDecision(
                "Zu jeder Auflage gehören ein Text und wer sie erfüllt. Bitte ergänzen oder die "
                "Auflage streichen."
            )
        if each.due_on <= today():
            raise IncompleteDecision(
                f"Die Auflage '{each.text.strip()}' ist bis {day(each.due_on)} fällig; die Frist "
                "muss in der Zukunft liegen."
            )
    if review_on is not None and review_on <= today():
        raise IncompleteDecision(
            f"Die Wiedervorlage am {day(review_on)} liegt nicht in der Zukunft. Bitte ein "
            "späteres Datum wählen."
        )


def _lock(session: Session, scenario: Scenario, item_id: int | None) -> AgendaItem | None:
    """Hold item, meeting and scenario, so that of two decisions at the same moment one comes
    first. Gives the item."""
    item = locked_item(session, item_id) if item_id else None
    if item:
        if item.scenario_id != scenario.id:
            raise WrongState(f"Der Tagesordnungspunkt gehört nicht zu '{scenario.slug}'.")
        running_meeting(session, item.meeting_id)
    session.exec(
        select(Scenario).where(Scenario.id == scenario.id).with_for_update()
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip
    return item


def _require_possible(  # noqa: PLR0917
    session: Session,
    scenario: Scenario,
    item: AgendaItem | None,
    verdict: str,
    earlier: Decision | None,
    seen: int | None,
) -> None:
    if item and item.decision_id is not None:
        raise WrongState(
            f"Über '{scenario.title}' hat diese Sitzung schon beschlossen: "
            f"{_in_words(session.get_one(Decision, item.decision_id))}. Ihr Entwurf wurde nicht "
            "bestätigt. Bitte die Seite neu laden."
        )
    if seen is not None and seen != (earlier.id if earlier else 0):
        stands = _in_words(earlier) if earlier else "keiner mehr"
        raise WrongState(
            f"Zu '{scenario.title}' gibt es inzwischen einen anderen Beschluss: {stands}. Bitte "
            "ansehen und dann neu entscheiden."
        )
    if scenario.stopped_at is not None and verdict == Verdict.DEVELOP:
        raise WrongState(
            f"'{scenario.title}' ist wegen einer verbotenen Praxis angehalten und kann nicht "
            "weiterentwickelt werden."
        )
    if item is None:
        return
    running = select(Motion.id).where(Motion.item_id == item.id, col(Motion.closed_at).is_(None))
    if session.exec(running).first() is not None:
        raise WrongState("Zu diesem Punkt wird noch abgestimmt. Bitte die Abstimmung schließen.")
    motion = adopted_motion(session, row_id(item.id), running_meeting(session, item.meeting_id))
    if motion is None:
        raise WrongState(
            "Zu diesem Punkt ist kein Antrag angenommen; bestätigt wird nur, was die Sitzung "
            "beschlossen hat. Bitte zuerst abstimmen."
        )
    if str(motion.verdict) != verdict:
        raise WrongState(
            f"Angenommen ist der Antrag '{motion.verdict}', nicht '{verdict}'. Bitte diesen "
            "bestätigen oder über einen anderen abstimmen."
        )


def _superseded(earlier: Decision | None) -> dict[str, Any] | None:
    if earlier is None:
        return None
    decided_on = earlier.decided_at.astimezone(ZONE).date().isoformat()
    return {"id": earlier.id, "verdict": str(earlier.verdict), "decided_on": decided_on}


def _same(earlier: Decision, evidence: Mapping[str, Any], resolution: Mapping[str, Any]) -> bool:
    """Whether the earlier decision says the same on the same evidence."""
    stored = earlier.evidence.get("resolution") or {}
    basis = {key: value for key, value in earlier.evidence.items() if key != "audit"}
    return (
        all(stored.get(key) == value for key, value in resolution.items())
        and {**basis, "resolution": None} == dict(evidence)
    )  # fmt: skip


def _in_words(decision: Decision) -> str:
    return f"{decision.verdict} am {day_of(decision.decided_at)}, {decision.decided_by}"
