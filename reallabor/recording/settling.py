"""Keeps completeness and indicators of a run up to what is stored of it."""

from sqlmodel import Session, col, select

from reallabor.models import (
    Case,
    Delivery,
    Output,
    Scenario,
    TrialRun,
    UnassignedOutput,
    row_id,
)
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.hidden_outputs import ERASED
from reallabor.recording.indicators import indicators
from reallabor.recording.measures import Answer, metric_names
from reallabor.recording.outbox import enqueue
from reallabor.scenarios import fields_of, measures_of


def settle(session: Session, row: TrialRun) -> None:
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
        if output.error != ERASED
    ]  # fmt: skip
    measures = measures_of(scenario.content)
    found = indicators(answers, fields=fields_of(scenario.content), measures=measures)
    before = row.indicators
    # A bound, say, that no longer holds with more outputs must not stay.
    outdated = {name for measure in measures for name in metric_names(measure)}
    kept = {name: value for name, value in before.items() if name not in outdated}
    row.indicators = {**kept, **found}
    current = session.exec(
        select(Case.id).where(Case.scenario_id == row.scenario_id, Case.current)
    ).all()
    loose = select(UnassignedOutput.id).where(UnassignedOutput.run_id == row.id)
    row.complete = session.exec(loose).first() is None and len(rows) >= len(current)
    session.add(row)
    session.flush()
    # An incomplete run is settled at every look; only new figures are worth a message.
    if row.indicators != before and row.tracking_run_id:
        enqueue(session, Delivery.INDICATORS, row_id(row.id))


def resettle(session: Session, slug: str) -> None:
    """Compute the indicators of all runs of a scenario anew, after its measures or fields changed:
    no table may show figures of two definitions."""
    scenario = get_scenario(session, slug)
    for run in session.exec(
        select(TrialRun).where(
            TrialRun.scenario_id == scenario.id, col(TrialRun.tracking_run_id).is_not(None)
        )
    ).all():
        settle(session, run)
