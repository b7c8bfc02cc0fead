"""Runs as pages show them: in one line, in full, and two side by side."""

import difflib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from reallabor.errors import UnknownObject, WrongState
from reallabor.models import (
    Case,
    Organisation,
    Output,
    Scenario,
    TrialRun,
    UnassignedOutput,
    Variant,
    Way,
    now,
    row_id,
)
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.hidden_outputs import HIDDEN, is_hidden
from reallabor.recording.measures import TITLES as MEASURE_TITLES
from reallabor.recording.taking_over import is_in_round
from reallabor.recording.undoing import UNDO
from reallabor.scenarios import FieldContent, fields_of

WAYS = {
    Way.RUN: "mit `reallabor run`",
    Way.PYTHON: "aus Python",
    Way.FILE: "aus einer Datei",
    Way.ENDPOINT: "über einen Endpunkt",
    Way.MLFLOW: "direkt in MLflow",
}
"""How a run came in, in German."""
_WORD = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)
_MOST_WORDS = 3_000
"""Beyond this, two texts are only said to differ: comparing costs the square of the length."""


@dataclass(frozen=True)
class RunSummary:
    """A trial run in one line."""

    run_id: int
    variant: str
    """Its title."""
    variant_key: str
    baseline: bool
    candidate: bool
    organisation: str
    """Empty where ratings were imported."""
    finished_at: datetime
    n_outputs: int
    n_failed: int
    n_unassigned: int
    complete: bool
    indicators: dict[str, float]
    tracking_run_id: str | None
    demo: bool
    way: Way

    @property
    def name(self) -> str:
        """Variant with its role."""
        if self.baseline:
            return f"{self.variant}, ohne KI"
        return f"{self.variant}, Kandidat" if self.candidate else self.variant


@dataclass(frozen=True)
class OutputView:
    """One output with the case it answers."""

    case: str
    topic: str
    edge: bool
    input: str
    reference: str
    text: str | None
    details: dict[str, Any]
    expected: dict[str, Any]
    error: str | None
    latency_ms: float | None
    tokens: int | None
    cost_eur: float | None


@dataclass(frozen=True)
class LooseOutput:
    """An output that fits no case."""

    unassigned_id: int
    hint: str
    input: str
    text: str


@dataclass(frozen=True)
class RunDetail:
    """Everything about one run."""

    summary: RunSummary
    slug: str
    scenario: str
    """Title of the scenario."""
    experiment_id: str | None
    started_at: datetime
    params: dict[str, str]
    fields: list[FieldContent]
    measures: dict[str, str]
    outputs: list[OutputView]
    loose: list[LooseOutput]
    open_cases: dict[int, str]
    """Cases without an output, by row id."""
    rated: bool
    undo_until: datetime | None
    """Until when an uploaded file can be taken back; None where it cannot."""


@dataclass(frozen=True)
class Part:
    """A piece of a text, and whether the other text has it too."""

    text: str
    changed: bool


@dataclass(frozen=True)
class CasePair:
    """One case in two runs."""

    case: str
    input: str
    left: OutputView | None
    right: OutputView | None
    same: bool

    @property
    def parts(self) -> tuple[list[Part], list[Part]]:
        """Both texts with their differences marked; computed only for what is shown."""
        left, right = (
            (each.text or each.error or "") if each else "" for each in (self.left, self.right)
        )
        if self.left and self.right:
            return marked(left, right)
        return [Part(left, False)], [Part(right, False)]


def list_runs(session: Session, slug: str) -> list[RunSummary]:
    """All runs of a scenario with outputs, newest first."""
    scenario = get_scenario(session, slug)
    rows = session.exec(
        select(TrialRun)
        .where(TrialRun.scenario_id == scenario.id, col(TrialRun.tracking_run_id).is_not(None))
        .order_by(col(TrialRun.finished_at).desc(), col(TrialRun.id).desc())
    ).all()
    return [run_summary(session, run) for run in rows]


def run_summary(session: Session, run: TrialRun) -> RunSummary:
    """One run in one line."""
    variant = session.get_one(Variant, run.variant_id)
    house = session.get(Organisation, run.organisation_id) if run.organisation_id else None
    outputs, failed = session.exec(
        select(func.count(), func.count(col(Output.error))).where(Output.run_id == run.id)
    ).one()
    loose = session.exec(
        select(func.count()).select_from(UnassignedOutput).where(UnassignedOutput.run_id == run.id)
    ).one()
    return RunSummary(
        run_id=row_id(run.id),
        variant=variant.title,
        variant_key=variant.key,
        baseline=variant.baseline,
        candidate=variant.candidate,
        organisation=house.name if house else "",
        finished_at=run.finished_at,
        n_outputs=outputs,
        n_failed=failed,
        n_unassigned=loose,
        complete=run.complete,
        indicators=run.indicators,
        tracking_run_id=run.tracking_run_id,
        demo=run.demo,
        way=run.way,
    )


def run_detail(session: Session, run_id: int) -> RunDetail:
    """One run with all its outputs, in the order of the cases. Raises UnknownObject."""
    run = session.get(TrialRun, run_id)
    if run is None:
        raise UnknownObject(
            f"Einen Durchlauf Nr. {run_id} gibt es hier nicht; vielleicht wurde er zurückgenommen."
        )
    scenario = session.get_one(Scenario, run.scenario_id)
    outputs = _outputs(session, run)
    answered = {output.case for output in outputs}
    current = session.exec(
        select(Case).where(Case.scenario_id == scenario.id, Case.current).order_by(col(Case.key))
    ).all()
    loose = session.exec(
        select(UnassignedOutput)
        .where(UnassignedOutput.run_id == run.id)
        .order_by(col(UnassignedOutput.id))
    ).all()
    rated = is_in_round(session, run)
    undo_until = run.taken_at + UNDO if run.way == Way.FILE and not rated else None
    return RunDetail(
        summary=run_summary(session, run),
        slug=scenario.slug,
        scenario=scenario.title,
        experiment_id=scenario.experiment_id,
        started_at=run.started_at,
        params=run.params,
        fields=fields_of(scenario.content),
        measures=measure_titles(scenario.content),
        outputs=outputs,
        loose=[
            LooseOutput(row_id(each.id), each.hint, each.input or "", each.text or each.error or "")
            for each in loose
        ],
        open_cases={row_id(case.id): case.key for case in current if case.key not in answered},
        rated=rated,
        undo_until=undo_until if undo_until and undo_until > now() else None,
    )


def measure_titles(content: dict[str, Any]) -> dict[str, str]:
    """German titles of the scenario's measures, by metric name."""
    return {
        each.get("key") or each["kind"]: each.get("title") or MEASURE_TITLES[each["kind"]]
        for each in content.get("measures", [])
    }


def compare_runs(session: Session, left_id: int, right_id: int) -> list[CasePair]:
    """Two runs of one scenario case by case; those that differ first. Raises UnknownObject, and
    WrongState for runs of two scenarios."""
    runs = [session.get(TrialRun, run_id) for run_id in (left_id, right_id)]
    left, right = runs
    if left is None or right is None:
        raise UnknownObject("Einen der beiden Durchläufe gibt es hier nicht mehr.")
    if left.scenario_id != right.scenario_id:
        raise WrongState("Gegenüberstellen lassen sich nur Durchläufe desselben Szenarios.")
    first = {output.case: output for output in _outputs(session, left)}
    second = {output.case: output for output in _outputs(session, right)}
    pairs = [
        _pair(case, first.get(case), second.get(case)) for case in sorted(first.keys() | second)
    ]
    return sorted(pairs, key=lambda pair: pair.same)


def marked(left: str, right: str) -> tuple[list[Part], list[Part]]:
    """Both texts in pieces, word by word, with what only one of them has marked."""
    a, b = _WORD.findall(left), _WORD.findall(right)
    if len(a) > _MOST_WORDS or len(b) > _MOST_WORDS:
        return [Part(left, False)], [Part(right, False)]
    lefts: list[Part] = []
    rights: list[Part] = []
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if i < j:
            lefts.append(Part("".join(a[i:j]), tag != "equal"))
        if k < m:
            rights.append(Part("".join(b[k:m]), tag != "equal"))
    return lefts, rights


def _pair(case: str, left: OutputView | None, right: OutputView | None) -> CasePair:
    known = left or right
    assert known is not None
    same = (
        left is not None
        and right is not None
        and (left.text, left.error, left.details) == (right.text, right.error, right.details)
    )
    return CasePair(case, known.input, left, right, same)


def _outputs(session: Session, run: TrialRun) -> list[OutputView]:
    rows = session.exec(
        select(Output, Case, is_hidden())
        .join(Case, col(Case.id) == Output.case_id)
        .where(Output.run_id == run.id)
        .order_by(col(Case.key), col(Case.id))
    ).all()
    return [
        OutputView(
            case=case.key,
            topic=case.topic,
            edge=case.edge,
            input=case.input or "",
            reference=case.reference,
            text=None if hidden else output.text,
            details={} if hidden else output.details,
            expected=case.expected,
            error=output.error or (HIDDEN if hidden else None),
            latency_ms=output.latency_ms,
            tokens=output.tokens,
            cost_eur=output.cost_eur,
        )
        for output, case, hidden in rows
    ]
