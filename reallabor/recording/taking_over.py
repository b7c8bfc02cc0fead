"""Stores a finished run of MLflow in the platform database: finds the case of every output, keeps
apart what belongs to none. One rule for all ways in."""

import math
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
from reallabor.recording.matching import CaseFinder, input_text, output_content
from reallabor.recording.settling import settle
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
    settle(session, run)
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
    key = _name(run.tags.get(names.VARIANT) or run.name or "ohne-namen")
    title = _name(run.tags.get(names.VARIANT_TITLE) or key)
    organisation = _name(
        run.tags.get(names.ORGANISATION) or scenario.content.get("organisation") or ""
    )
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


def _name(given: str) -> str:
    """MLflow takes names of thousands of signs, of which no index of PostgreSQL wants to know."""
    return str(storable(given))[:200]


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
        if before is not None and before != output_content(output)[3]:
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
    cases = CaseFinder(session, row.scenario_id)
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
        text, details, error, content_sha256 = output_content(output)
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
            asked = input_text(output.input)
            session.add(
                UnassignedOutput(**common, hint=storable(output.case_id or ""), input=asked)
            )
            continue
        taken.add(case_id)
        report.outputs += 1
        session.add(Output(**common, case_id=case_id))
    session.flush()
    settle(session, row)


def _known_traces(session: Session, trace_ids: list[str]) -> set[str | None]:
    outputs = select(Output.trace_id).where(col(Output.trace_id).in_(trace_ids))
    loose = select(UnassignedOutput.trace_id).where(col(UnassignedOutput.trace_id).in_(trace_ids))
    return set(session.exec(outputs).all()) | set(session.exec(loose).all())
