"""How the gates of a scenario stand: those of its rubric, which ratings and metrics decide, and
those of law, which people confirm. `findings` writes what people confirm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Day
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select

from reallabor.deciding.candidate import candidate_of
from reallabor.gates import GateContent, load_gates
from reallabor.german import ZONE, day, today
from reallabor.models import (
    Evidence,
    GateOutcome,
    GateReview,
    Round,
    Rubric,
    Scenario,
    TrialRun,
    row_id,
)
from reallabor.rating.results import RoundResult, VariantResult, released_round


class GateState(StrEnum):
    """How a gate stands."""

    PASSED = "passed"
    MISSED = "missed"
    OPEN = "open"


WORDS = {GateState.PASSED: "erfüllt", GateState.MISSED: "verfehlt", GateState.OPEN: "offen"}


@dataclass(frozen=True)
class EvidenceView:
    """A file or link behind a finding."""

    evidence_id: int
    title: str
    url: str
    """Empty for a file."""
    sha256: str
    """Empty for a link."""
    n_bytes: int
    missing: bool
    """Whether a check did not find the file in MLflow."""


@dataclass(frozen=True)
class Gate:
    """A gate of the rubric (from ratings) or of law (confirmed by a person)."""

    key: str
    title: str
    state: GateState
    of_law: bool = False
    article: str = ""
    office: str = ""
    """In which office it was confirmed; before that who may confirm it."""
    reviewed_on: Day | None = None
    expires_on: Day | None = None
    legal_status: Day | None = None
    """On which the finding rests; that of the gate's text where there is none."""
    note: str = ""
    evidence: list[EvidenceView] = field(default_factory=list)
    applies: bool = True
    """False where a person found that it does not concern the scenario; it is passed then."""
    stops: bool = False
    """Whether missing it ends the trial."""
    problem: str = ""
    """Why a finding does not count (any more), in German; empty where it does or there is none."""

    @property
    def standing(self) -> str:
        """How it stands, in German, such as `erfüllt` or `abgelaufen am 12.03.2026`."""
        return self.problem or (WORDS[self.state] if self.applies else "nicht anwendbar")

    @property
    def words(self) -> str:
        """The same with the day of the review, such as `erfüllt, geprüft am 12.03.2026`."""
        if self.problem or self.reviewed_on is None:
            return self.standing
        return f"{self.standing}, geprüft am {day(self.reviewed_on)}"


def standing_of(gates: Sequence[Gate]) -> GateState:
    """How gates stand together: missed where any is, else open where any is."""
    states = {gate.state for gate in gates}
    worst = (GateState.MISSED, GateState.OPEN)
    return next((state for state in worst if state in states), GateState.PASSED)


def scenario_gates(session: Session, scenario: Scenario, result: RoundResult | None) -> list[Gate]:
    """All gates of a scenario: those of the rubric under which people rated, then those of law.
    Findings of the demonstration count only for results of the demonstration."""
    # The rules under which people rated, not those of a rubric loaded since.
    round_ = session.get(Round, result.round_id) if result else None
    rubric_id = round_.rubric_id if round_ else scenario.rubric_id
    rubric = session.get(Rubric, rubric_id) if rubric_id else None
    rules = rubric.content.get("gates", []) if rubric else []
    gates = rubric_gates(rules, candidate_of(result) if result else None)
    demo = result.demo if result else counts_as_demo(session, scenario)
    return gates + law_gates(session, scenario, demo=demo)


def counts_as_demo(session: Session, scenario: Scenario) -> bool:
    """Whether what is found on this scenario now is part of the demonstration: its results are, or,
    before the first release, all of its runs."""
    if (round_ := released_round(session, scenario)) is not None:
        return round_.demo
    runs = session.exec(
        select(TrialRun.demo).where(TrialRun.scenario_id == scenario.id).distinct()
    ).all()
    return list(runs) == [True]


def rubric_gates(rules: Sequence[Mapping[str, Any]], variant: VariantResult | None) -> list[Gate]:
    """The gates that the ratings of the candidate, or the metrics of its runs, pass or miss; open
    without them."""
    return [Gate(rule["key"], rule["title"], _rubric_state(rule, variant)) for rule in rules]


def law_gates(session: Session, scenario: Scenario, *, demo: bool) -> list[Gate]:
    """The gates of `gates.yaml` that concern the scenario, each with its newest finding."""
    content = load_gates()
    newest = newest_findings(session, scenario, demo=demo)
    evidence = evidence_of(session, [row_id(review.id) for review in newest.values()])
    return [
        _law_gate(each, review, evidence.get(row_id(review.id), []))
        if (review := newest.get(each.key))
        else Gate(
            each.key, each.title, GateState.OPEN, of_law=True, article=each.article,
            office=" oder ".join(each.offices), legal_status=content.legal_status,
            stops=each.stops,
        )
        for each in content.gates_of(scenario.content)
    ]  # fmt: skip


def newest_findings(session: Session, scenario: Scenario, *, demo: bool) -> dict[str, GateReview]:
    """The finding that counts, by gate."""
    reviews = session.exec(
        select(GateReview)
        .where(GateReview.scenario_id == scenario.id, GateReview.demo == demo)
        .order_by(col(GateReview.id))
    ).all()
    return {review.gate: review for review in reviews}


def evidence_of(session: Session, reviews: Sequence[int]) -> dict[int, list[EvidenceView]]:
    """Files and links by finding; without the bytes of files."""
    rows = session.exec(
        select(
            Evidence.review_id, Evidence.id, Evidence.title, Evidence.url, Evidence.sha256,
            Evidence.n_bytes, Evidence.missing_since,
        )  # type: ignore[call-overload]
        .where(col(Evidence.review_id).in_(reviews))
        .order_by(col(Evidence.id))
    ).all()  # fmt: skip
    found: dict[int, list[EvidenceView]] = {}
    for review_id, key, title, url, sha256, n_bytes, missing_since in rows:
        view = EvidenceView(key, title, url, sha256, n_bytes, missing_since is not None)
        found.setdefault(review_id, []).append(view)
    return found


def reviewed_on(review: GateReview) -> Day:
    """The day of the finding, in Germany."""
    return review.reviewed_at.astimezone(ZONE).date()


def problem_of(
    content: GateContent, review: GateReview, evidence: Sequence[EvidenceView]
) -> str:  # fmt: skip
    """Why a finding that let the gate pass does not count any more; empty where it does."""
    if review.outcome == GateOutcome.MISSED:
        return ""
    if any(each.missing for each in evidence):
        return "Nachweis fehlt in MLflow"
    if review.content_sha256 != content.sha256:
        return "Text hat sich geändert, bitte neu prüfen"
    if review.expires_on is not None and review.expires_on < today():
        return f"abgelaufen am {day(review.expires_on)}"
    return ""


def gate_json(gate: Gate) -> dict[str, Any]:
    """The published form, as in the evidence of decisions."""
    return {
        "key": gate.key,
        "title": gate.title,
        "state": gate.state.value,
        "words": gate.words,
        "article": gate.article,
        "office": gate.office,
        "reviewed_on": _iso(gate.reviewed_on),
        "expires_on": _iso(gate.expires_on),
        "legal_status": _iso(gate.legal_status),
        "note": gate.note,
        "evidence": [
            {"title": each.title, "url": each.url, "sha256": each.sha256} for each in gate.evidence
        ],
    }


def _iso(day: Day | None) -> str | None:
    return day.isoformat() if day else None


def _law_gate(content: GateContent, review: GateReview, evidence: list[EvidenceView]) -> Gate:
    problem = problem_of(content, review, evidence)
    missed = review.outcome == GateOutcome.MISSED
    passed = GateState.OPEN if problem else GateState.PASSED
    return Gate(
        content.key,
        content.title,
        GateState.MISSED if missed else passed,
        of_law=True,
        article=content.article,
        office=review.office,
        reviewed_on=reviewed_on(review),
        expires_on=review.expires_on,
        legal_status=review.legal_status,
        note=review.note,
        evidence=evidence,
        applies=review.outcome != GateOutcome.NOT_APPLICABLE,
        stops=content.stops,
        problem=problem,
    )


def _rubric_state(rule: Mapping[str, Any], variant: VariantResult | None) -> GateState:
    if rule["rule"] == "metric_at_least":
        values = [each.metrics.get(rule["metric"]) for each in variant.strata] if variant else []
        known = [value for value in values if value is not None]
        if not known or len(known) < len(values):
            return GateState.OPEN
        return GateState.PASSED if min(known) >= rule["level"] else GateState.MISSED
    figure = variant.criteria.get(rule["criterion"]) if variant else None
    if figure is None or figure.median is None or figure.lowest is None:
        return GateState.OPEN
    if rule["rule"] == "no_level":
        passed = figure.lowest > rule["level"]
    else:
        passed = figure.median >= rule["level"]
    return GateState.PASSED if passed else GateState.MISSED
