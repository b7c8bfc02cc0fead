"""Takes an uploaded run back within the hour: here at once, in MLflow as soon as it answers."""

from contextlib import suppress
from datetime import timedelta

from sqlmodel import Session, col, delete, select

from reallabor import audit
from reallabor.database import CATALOGUE_LOCK, reading, take_turns, transaction
from reallabor.errors import TrackingUnavailable, UnknownObject, WrongState
from reallabor.models import (
    Delivery,
    OutboxEntry,
    Output,
    Person,
    Scenario,
    TrialRun,
    UnassignedOutput,
    Variant,
    Way,
    now,
    row_id,
)
from reallabor.policies import may_record, require, require_own_run
from reallabor.recording.taking_over import is_in_round
from reallabor.tracking import Connection, publishing

UNDO = timedelta(hours=1)
"""For how long an upload can be taken back."""


def undo_upload(tracking_run_id: str, *, actor: Person, connection: Connection) -> str:
    """Take an upload of the last hour back; gives the title of its variant.

    Our rows go in one transaction that also makes the deletion in MLflow due; until that is done
    the projection leaves the run alone. Raises NotAllowed, UnknownObject, and WrongState where the
    hour is over or people rate the run; then nothing has happened anywhere.
    """
    require(may_record, actor)
    with transaction() as session:
        take_turns(session, CATALOGUE_LOCK)  # a projection may be at it
        run = _undoable(session, tracking_run_id)
        require_own_run(actor, run.organisation_id)
        title = _withdraw(session, run, tracking_run_id, actor)
    with suppress(TrackingUnavailable):  # it stays due; the worker does it
        finish_withdrawals(connection)
    return title


def withdrawn_runs(session: Session) -> frozenset[str]:
    """MLflow's ids of the runs that were taken back and are still to be deleted there."""
    keys = session.exec(
        select(OutboxEntry.key).where(
            col(OutboxEntry.kind) == Delivery.WITHDRAWAL, col(OutboxEntry.done_at).is_(None)
        )
    ).all()
    return frozenset(key.partition("/")[2] for key in keys)


def finish_withdrawals(connection: Connection) -> None:
    """Delete in MLflow what was taken back here. May be repeated. Raises TrackingUnavailable."""
    with reading() as session:
        due = withdrawn_runs(session)
    for run_id in sorted(due):
        connection.require()
        delete_withdrawn(connection, run_id)
        with transaction() as session:
            entry = session.exec(select(OutboxEntry).where(OutboxEntry.key == _key(run_id))).one()
            entry.done_at = now()
            session.add(entry)


def delete_withdrawn(connection: Connection, run_id: str) -> None:
    """Delete one run that was taken back, with its traces; harmless where it is gone."""
    with reading() as session:
        entry = session.exec(select(OutboxEntry).where(OutboxEntry.key == _key(run_id))).one()
        experiment_id = session.get_one(Scenario, entry.subject_id).experiment_id
    publishing.delete_runs(connection, experiment_id or "", [run_id])


def _key(run_id: str) -> str:
    return f"{Delivery.WITHDRAWAL}/{run_id}"


def _withdraw(session: Session, run: TrialRun, tracking_run_id: str, actor: Person) -> str:
    variant = session.get_one(Variant, run.variant_id)
    scenario = session.get_one(Scenario, run.scenario_id)
    title, run_id = variant.title, row_id(run.id)
    for table in (Output, UnassignedOutput):
        session.exec(delete(table).where(col(table.run_id) == run_id))
    session.exec(
        delete(OutboxEntry).where(
            col(OutboxEntry.kind) == Delivery.INDICATORS, col(OutboxEntry.subject_id) == run_id
        )
    )
    session.delete(run)
    session.flush()
    declared = {each["key"] for each in scenario.content.get("variants", [])}
    others = select(TrialRun.id).where(TrialRun.variant_id == variant.id)
    if variant.key not in declared and session.exec(others).first() is None:
        session.delete(variant)
    session.add(
        OutboxEntry(
            key=_key(tracking_run_id), kind=Delivery.WITHDRAWAL, subject_id=row_id(scenario.id)
        )
    )
    details = {"scenario": scenario.slug, "variant": variant.key, "run": tracking_run_id}
    audit.record(session, "upload_undone", f"run/{run_id}", actor=actor, details=details)
    return title


def _undoable(session: Session, tracking_run_id: str) -> TrialRun:
    run = session.exec(
        select(TrialRun).where(TrialRun.tracking_run_id == tracking_run_id).with_for_update()
    ).first()
    if run is None:
        raise UnknownObject("Diesen Durchlauf gibt es hier nicht mehr; bitte die Seite neu laden.")
    # The same lock that opening a round takes: either the round sees the run, or we see the round.
    session.exec(select(Scenario.id).where(Scenario.id == run.scenario_id).with_for_update()).one()
    if run.way != Way.FILE:
        raise WrongState("Rückgängig machen lassen sich nur Durchläufe aus einer Datei.")
    if is_in_round(session, run):
        raise WrongState(
            "Der Durchlauf wird schon bewertet und lässt sich nicht mehr zurücknehmen."
        )
    if now() - run.taken_at > UNDO:
        raise WrongState(
            "Die Stunde zum Rückgängigmachen ist vorbei. Der Durchlauf bleibt; eine berichtigte "
            "Datei ergibt einen neuen, und der neueste zählt."
        )
    return run
