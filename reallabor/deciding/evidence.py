"""What a decision rests on, in one dictionary: the same for the Beschlussvorlage before a meeting
and for what a decision freezes. Deterministic: no clock, every list in a fixed order."""

from dataclasses import asdict
from typing import Any

from sqlmodel import Session, col, select

from reallabor.content import digest, storable
from reallabor.deciding.candidate import candidate_of
from reallabor.deciding.comparison import compare
from reallabor.deciding.conflicts import conflicts_of
from reallabor.deciding.data_hash import round_data_sha256
from reallabor.deciding.figures import scenario_cells
from reallabor.deciding.gates import counts_as_demo, gate_json
from reallabor.deciding.meetings import get_item, get_meeting, participants_of
from reallabor.deciding.published import comparison_json
from reallabor.deciding.ranking_record import ranking_json
from reallabor.deciding.suggestion import suggestion
from reallabor.deciding.voting import adopted_motion, count_present, motion_result
from reallabor.gates import load_gates
from reallabor.german import ZONE
from reallabor.models import (
    AgendaItem,
    Meeting,
    Motion,
    Organisation,
    Participant,
    Round,
    RoundRun,
    Rubric,
    Scenario,
    TrialRun,
    Variant,
    Vote,
)
from reallabor.rating.results import RoundResult, released_round
from reallabor.recording.catalogue import get_scenario

FORMAT = 2
"""Decisions of the first version carry no format, only comparison, runs and scenario hash."""


def gather(session: Session, slug: str, *, meeting_item_id: int | None = None) -> dict[str, Any]:
    """Everything that a decision on a scenario rests on, but the resolution itself. Raises
    UnknownObject."""
    scenario = get_scenario(session, slug)
    comparison = compare(session, [slug])[0]
    round_ = released_round(session, scenario)
    verdict, why = suggestion(comparison.readiness, comparison)
    gathered = {
        "format": FORMAT,
        "scenario": _scenario(scenario),
        "comparison": {
            key: value
            for key, value in comparison_json(comparison).items()
            if key not in ("decision", "figures")  # the former changes it, the latter stand below
        },
        "figures": [
            # What was decided before is told by the resolution: it supersedes.
            asdict(cell)
            for cell in scenario_cells(comparison)
            if cell.key != "decision"
        ],
        "ranking": _ranking(session, meeting_item_id),
        "rubric": _rubric(session, round_),
        "round": _round(round_),
        "runs": _run_ids(session, round_),
        "candidate_runs": _candidate_runs(session, round_, comparison.result),
        "data_sha256": round_data_sha256(session, round_) if round_ else digest([]),
        "gates": [gate_json(each) for each in comparison.gates],
        "legal_status": load_gates().legal_status.isoformat(),
        "readiness": {
            "ready": comparison.readiness.ready,
            "missing": comparison.readiness.missing,
        },
        "suggestion": {"verdict": str(verdict), "reason": why},
        "meeting": meeting_record(session, meeting_item_id) if meeting_item_id else None,
        "resolution": None,
        "demo": counts_as_demo(session, scenario),
    }
    plain: dict[str, Any] = storable(gathered)
    return plain


def meeting_record(session: Session, item_id: int) -> dict[str, Any]:
    """Who met, and what they voted on one item."""
    item = get_item(session, item_id)
    meeting = get_meeting(session, item.meeting_id)
    people = participants_of(session, item.meeting_id)
    motions = session.exec(
        select(Motion).where(Motion.item_id == item_id).order_by(col(Motion.number))
    ).all()
    adopted = adopted_motion(session, item_id, meeting)
    present = adopted.n_present if adopted else None
    if present is None:
        present = count_present(session, meeting)
    return {
        "id": meeting.id,
        "title": meeting.title,
        "held_on": meeting.held_on.isoformat(),
        "place": meeting.place,
        "quorum": meeting.quorum,
        "n_present_voting": present,
        "quorate": present >= meeting.quorum,
        "participants": [_participant(session, each) for each in people],
        "conflicts": [
            {"name": each.name, "organisation": each.organisation, "kind": each.kind,
             "reason": each.reason}
            for each in conflicts_of(session, item)
        ],
        "note": item.note,
        "motions": [
            _motion(session, each, meeting) for each in motions if each.closed_at is not None
        ],
    }  # fmt: skip


def _scenario(scenario: Scenario) -> dict[str, Any]:
    content = scenario.content
    return {
        "slug": scenario.slug,
        "title": scenario.title,
        **{key: str(content.get(key, "")) for key in ("organisation", "task", "helps", "ai_kind")},
        "risk_class": content.get("risk_class") or {},
        "content_sha256": scenario.content_sha256,
        "legal_status": str(content.get("legal_status", "")),
    }


def _ranking(session: Session, meeting_item_id: int | None) -> dict[str, Any] | None:
    """The order under the weights of the meeting, over the scenarios on its agenda; without a
    meeting over all, under the default weights."""
    if meeting_item_id is None:
        return ranking_json(compare(session))
    item = get_item(session, meeting_item_id)
    meeting = get_meeting(session, item.meeting_id)
    slugs = session.exec(
        select(Scenario.slug)
        .join(AgendaItem, col(AgendaItem.scenario_id) == Scenario.id)
        .where(AgendaItem.meeting_id == meeting.id)
        .order_by(col(AgendaItem.position))
    ).all()
    return ranking_json(compare(session, slugs), meeting.weights or None, meeting.profile_name)


def _rubric(session: Session, round_: Round | None) -> dict[str, str] | None:
    if round_ is None:
        return None
    rubric = session.get_one(Rubric, round_.rubric_id)
    return {"name": rubric.name, "sha256": rubric.content_sha256}


def _round(round_: Round | None) -> dict[str, Any] | None:
    if round_ is None or round_.released_at is None:
        return None
    released_on = round_.released_at.astimezone(ZONE).date().isoformat()
    return {"id": round_.id, "number": round_.number, "released_on": released_on}


def _runs(session: Session, round_: Round | None) -> list[tuple[str, str]]:
    """Tracking id and variant of every run of the round that MLflow knows."""
    if round_ is None:
        return []
    rows = session.exec(
        select(TrialRun.tracking_run_id, Variant.key)
        .join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
        .join(Variant, col(Variant.id) == TrialRun.variant_id)
        .where(RoundRun.round_id == round_.id)
    ).all()
    return sorted((run, variant) for run, variant in rows if run is not None)


def _run_ids(session: Session, round_: Round | None) -> list[str]:
    return [run for run, _ in _runs(session, round_)]


def _candidate_runs(
    session: Session, round_: Round | None, result: RoundResult | None
) -> list[str]:
    candidate = candidate_of(result) if result else None
    if candidate is None:
        return []
    return [run for run, variant in _runs(session, round_) if variant == candidate.variant]


def _participant(session: Session, participant: Participant) -> dict[str, Any]:
    house = session.get(Organisation, participant.organisation_id or 0)
    return {
        "name": participant.name,
        "organisation": house.name if house else "",
        "has_vote": participant.has_vote,
        "present": participant.present,
    }


def _motion(session: Session, motion: Motion, meeting: Meeting) -> dict[str, Any]:
    result = motion_result(session, motion, meeting)
    rows = session.exec(
        select(Participant.name, Vote.choice, Vote.on_call)
        .join(Participant, col(Participant.id) == Vote.participant_id)
        .where(Vote.motion_id == motion.id)
    ).all()
    votes = None if motion.secret else [
        {"name": name, "choice": str(choice), "on_call": on_call}
        for name, choice, on_call in sorted(rows)
    ]  # fmt: skip
    return {
        "number": motion.number,
        "verdict": str(motion.verdict),
        "secret": motion.secret,
        "yes": result.yes,
        "no": result.no,
        "abstain": result.abstain,
        "on_call": sum(on_call for _, _, on_call in rows),
        "votes": votes,
        "adopted": result.adopted,
    }
