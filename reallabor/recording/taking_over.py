"""Stores a finished run of MLflow in the platform database: finds the case of every output, keeps
apart what belongs to none, and computes the indicators. One rule for all ways in."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import digest, storable
from reallabor.database import CATALOGUE_LOCK, take_turns
from reallabor.errors import UnknownObject, WrongState
from reallabor.models import (
    Case,
    Delivery,
    Output,
    Person,
    RoundRun,
    Scenario,
    TrialRun,
    UnassignedOutput,
    Variant,
    Way,
    row_id,
)
from reallabor.policies import may_record, require, require_own_run
from reallabor.recording.catalogue import get_organisation
from reallabor.recording.indicators import indicators
from reallabor.recording.measures import Answer, metric_names
from reallabor.recording.outbox import enqueue
from reallabor.scenarios import FieldContent, MeasureContent
from reallabor.tracking import names
from reallabor.tracking.reading import FinishedRun, StoredOutput


@dataclass
class ProjectionReport:
    """What one look at MLflow brought."""

    runs: int = 0
    outputs: int = 0
    unassigned: int = 0
    notes: list[str] = field(default_factory=list)
    """German sentences about runs or outputs that could not be taken over."""


def store_run(
    session: Session,
    scenario: Scenario,
    run: FinishedRun,
    stored: Sequence[StoredOutput],
    report: ProjectionReport,
) -> None:
    """Store a run with its outputs, or add what a run taken over before was missing. An output that
    was taken over stays as it is, whatever became of its trace since."""
    row = session.exec(select(TrialRun).where(TrialRun.tracking_run_id == run.run_id)).first()
    if row is None:
        row = _new_run(session, scenario, run)
        report.runs += 1
    else:
        _note_changes(session, row, stored, report, run.name)
        if row.complete or is_in_round(session, row):
            return  # somebody else was faster, or what people rate must not change
    _store_outputs(session, row, stored, report, run.name)


def resettle(session: Session, slug: str) -> None:
    """Compute the indicators of all runs of a scenario anew, after its measures or fields changed:
    no table may show figures of two definitions."""
    scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).one()
    for run in session.exec(
        select(TrialRun).where(
            TrialRun.scenario_id == scenario.id, col(TrialRun.tracking_run_id).is_not(None)
        )
    ).all():
        _settle(session, run)


def is_in_round(session: Session, row: TrialRun) -> bool:
    """Whether people rate this run, or have rated it."""
    rounds = select(RoundRun.round_id).where(RoundRun.run_id == row.id)
    return session.exec(rounds).first() is not None


def assign_output(session: Session, unassigned_id: int, case_id: int, *, actor: Person) -> None:
    """Say by hand which case an output answers.

    Raises NotAllowed, UnknownObject, and WrongState where the case has an output in this run or
    the run is being rated.
    """
    require(may_record, actor)
    take_turns(session, CATALOGUE_LOCK)  # a projection or another person may be at it as well
    loose = session.get(UnassignedOutput, unassigned_id)
    if loose is None:
        raise UnknownObject("Diese Ausgabe ist schon zugeordnet; bitte die Seite neu laden.")
    run = session.get_one(TrialRun, loose.run_id)
    require_own_run(actor, run.organisation_id)
    case = session.get(Case, case_id)
    if case is None or case.scenario_id != run.scenario_id:
        raise UnknownObject("Diesen Fall gibt es in dem Szenario des Durchlaufs nicht.")
    if is_in_round(session, run):
        raise WrongState("Der Durchlauf wird schon bewertet; zuordnen lässt sich nichts mehr.")
    taken = select(Output.id).where(Output.run_id == run.id, Output.case_id == case_id)
    if session.exec(taken).first() is not None:
        raise WrongState(
            f"Fall '{case.key}' hat in diesem Durchlauf schon eine Ausgabe. Bitte einen anderen "
            "Fall wählen oder die Ausgabe liegen lassen."
        )
    _assign(session, loose, case_id)
    session.flush()
    _settle(session, run)
    details = {"case": case.key, "trace": loose.trace_id}
    audit.record(session, "output_assigned", f"run/{run.id}", actor=actor, details=details)


def _assign(session: Session, loose: UnassignedOutput, case_id: int) -> None:
    session.add(
        Output(
            run_id=loose.run_id,
            case_id=case_id,
            trace_id=loose.trace_id,
            text=loose.text,
            details=loose.details,
            error=loose.error,
            latency_ms=loose.latency_ms,
            tokens=loose.tokens,
            cost_eur=loose.cost_eur,
            content_sha256=loose.content_sha256,
        )
    )
    session.delete(loose)


def _new_run(session: Session, scenario: Scenario, run: FinishedRun) -> TrialRun:
    scenario.experiment_id = run.experiment_id
    session.add(scenario)
    key = storable(run.tags.get(names.VARIANT) or run.name or "ohne-namen")
    title = storable(run.tags.get(names.VARIANT_TITLE) or key)
    organisation = run.tags.get(names.ORGANISATION) or scenario.content.get("organisation")
    way = run.tags.get(names.WAY) or (Way.RUN if names.RUN_KEY in run.tags else Way.MLFLOW)
    row = TrialRun(
        scenario_id=row_id(scenario.id),
        variant_id=_variant(session, row_id(scenario.id), key, title),
        organisation_id=get_organisation(session, organisation).id if organisation else None,
        tracking_run_id=run.run_id,
        started_at=run.started_at,
        finished_at=run.finished_at,
        params=storable(run.params),
        indicators={key: value for key, value in run.metrics.items() if math.isfinite(value)},
        demo=run.tags.get(names.DEMO) == "true",
        way=Way(way) if way in set(Way) else Way.MLFLOW,
        complete=False,
    )
    session.add(row)
    session.flush()
    return row


def _variant(session: Session, scenario_id: int, key: str, title: str) -> int:
    found = session.exec(
        select(Variant).where(Variant.scenario_id == scenario_id, Variant.key == key)
    ).first()
    if found is None:
        found = Variant(scenario_id=scenario_id, key=key, title=title)
        session.add(found)
        session.flush()
    return row_id(found.id)


def _note_changes(
    session: Session,
    row: TrialRun,
    stored: Sequence[StoredOutput],
    report: ProjectionReport,
    name: str,
) -> None:
    """MLflow lets a trace be overwritten under its id; what was taken over first counts."""
    known = {
        trace_id: digest([text, details, error])
        for trace_id, text, details, error in session.exec(
            select(Output.trace_id, Output.text, Output.details, Output.error).where(
                Output.run_id == row.id
            )
        ).all()
    }
    for output in stored:
        before = known.get(output.trace_id)
        if before is not None and before != _content(output)[3]:
            report.notes.append(
                f"Durchlauf '{name}': Die Ausgabe zu Fall '{output.case_id or output.trace_id}' "
                "wurde in MLflow nachträglich geändert. Es gilt die zuerst übernommene; für "
                "geänderte Ausgaben bitte einen neuen Durchlauf aufzeichnen."
            )


def _store_outputs(
    session: Session,
    row: TrialRun,
    stored: Sequence[StoredOutput],
    report: ProjectionReport,
    name: str,
) -> None:
    cases = _Cases(session, row.scenario_id)
    own = session.exec(select(Output.case_id, Output.trace_id).where(Output.run_id == row.id)).all()
    taken = {case_id for case_id, _ in own}
    unassigned = select(UnassignedOutput).where(UnassignedOutput.run_id == row.id)
    loose = {each.trace_id: each for each in session.exec(unassigned).all()}
    here = {trace_id for _, trace_id in own} | set(loose)
    elsewhere = _known_traces(session, [output.trace_id for output in stored]) - here
    # In the order of the cases, whatever order MLflow gives: then all that follows from row ids,
    # down to the last digit of a figure, is the same whichever way the run came.
    placed = sorted(
        ((cases.find(output), output) for output in stored),
        key=lambda pair: (pair[0] is None, pair[0] or 0),
    )
    for case_id, output in placed:
        if output.trace_id in loose:
            if case_id is not None and case_id not in taken:  # its case became known since
                _assign(session, loose[output.trace_id], case_id)
                taken.add(case_id)
                report.outputs += 1
            continue
        if output.trace_id in here:
            continue
        if output.trace_id in elsewhere:
            report.notes.append(
                f"Durchlauf '{name}': Die Ausgabe {output.trace_id} gehört schon zu einem "
                "anderen Durchlauf und wurde nicht übernommen."
            )
            continue
        here.add(output.trace_id)
        text, details, error, content_sha256 = _content(output)
        common: dict[str, Any] = {
            "run_id": row_id(row.id),
            "trace_id": output.trace_id,
            "text": text,
            "details": details,
            "error": error,
            "latency_ms": output.latency_ms,
            "tokens": output.tokens,
            "cost_eur": output.cost_eur,
            "content_sha256": content_sha256,
        }
        if case_id is None or case_id in taken:
            report.unassigned += 1
            report.notes.append(
                f"Durchlauf '{name}': Eine Ausgabe (Fall '{output.case_id or 'ohne Angabe'}') "
                + ("gehört zu einem Fall, der schon eine hat" if case_id else "ist keinem Fall "
                   "dieses Szenarios zuzuordnen")
                + "; sie steht beim Durchlauf unter „nicht zugeordnet“."
            )  # fmt: skip
            asked = _input_text(output.input)
            session.add(
                UnassignedOutput(**common, hint=storable(output.case_id or ""), input=asked)
            )
            continue
        taken.add(case_id)
        report.outputs += 1
        session.add(Output(**common, case_id=case_id))
    session.flush()
    _settle(session, row)


def _settle(session: Session, row: TrialRun) -> None:
    """Bring completeness and indicators of a run up to what is stored of it."""
    scenario = session.get_one(Scenario, row.scenario_id)
    rows = session.exec(
        select(Output, Case).join(Case, col(Case.id) == Output.case_id)
        .where(Output.run_id == row.id)
        .order_by(col(Case.key), col(Case.id))
    ).all()  # fmt: skip
    answers = [
        Answer(case, output.text, output.details, output.error, output.latency_ms, output.tokens,
               output.cost_eur)
        for output, case in rows
    ]  # fmt: skip
    measures = [MeasureContent.model_validate(m) for m in scenario.content.get("measures", [])]
    found = indicators(
        answers,
        fields=[FieldContent.model_validate(each) for each in scenario.content.get("fields", [])],
        measures=measures,
    )
    before = row.indicators
    # A bound, say, that no longer holds with more outputs must not stay.
    outdated = {name for measure in measures for name in metric_names(measure)}
    kept = {name: value for name, value in before.items() if name not in outdated}
    row.indicators = {**kept, **found}
    current = session.exec(
        select(Case.id).where(Case.scenario_id == row.scenario_id, Case.current)
    ).all()
    row.complete = not _loose_traces(session, row) and len(answers) >= len(current)
    session.add(row)
    session.flush()
    # An incomplete run is settled at every look; only new figures are worth a message.
    if row.indicators != before and row.tracking_run_id:
        enqueue(session, Delivery.INDICATORS, row_id(row.id))


def _loose_traces(session: Session, row: TrialRun) -> set[str | None]:
    loose = select(UnassignedOutput.trace_id).where(UnassignedOutput.run_id == row.id)
    return set(session.exec(loose).all())


def _known_traces(session: Session, trace_ids: list[str]) -> set[str | None]:
    outputs = select(Output.trace_id).where(col(Output.trace_id).in_(trace_ids))
    loose = select(UnassignedOutput.trace_id).where(col(UnassignedOutput.trace_id).in_(trace_ids))
    return set(session.exec(outputs).all()) | set(session.exec(loose).all())


class _Cases:
    """Finds the version of a case that an output belongs to: by its id, else by its very text."""

    def __init__(self, session: Session, scenario_id: int) -> None:
        cases = session.exec(select(Case).where(Case.scenario_id == scenario_id)).all()
        self._by_hash = {(case.key, case.content_sha256): case.id for case in cases}
        current = [case for case in cases if case.current]
        self._current = {case.key: case.id for case in current}
        texts = Counter(_folded(case.input) for case in current if case.input)
        self._by_text = {
            _folded(case.input): case.id
            for case in current
            if case.input and texts[_folded(case.input)] == 1
        }

    def find(self, output: StoredOutput) -> int | None:
        if output.case_id is not None and output.case_sha256 is not None:
            return self._by_hash.get((output.case_id, output.case_sha256))
        if output.case_id is not None:
            return self._current.get(output.case_id)
        found = {self._by_text.get(_folded(text)) for text in _texts(output.input)} - {None}
        return found.pop() if len(found) == 1 else None


def _folded(text: str) -> str:
    """Line ends and blanks at the ends differ from tool to tool; nothing else may."""
    return text.replace("\r\n", "\n").strip()


def _texts(value: Any) -> list[str]:
    """All texts in the input of a span: the text itself, or those of its fields."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    return []


def _input_text(value: Any) -> str | None:
    return storable("\n".join(_texts(value))) or None


def _content(output: StoredOutput) -> tuple[str | None, dict[str, Any], str | None, str]:
    """The text of an output, what the system said beside it, its error, and the hash of all three;
    the same whichever way the output came in."""
    value, error = storable(output.output), storable(output.error)
    text: str | None
    details: dict[str, Any] = {}
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        text, details = value["text"], {key: each for key, each in value.items() if key != "text"}
    elif value is None or isinstance(value, str):
        text = value
    else:
        text = str(value)
    return text, details, error, digest([text, details, error])
