"""Takes the demonstration away, in MLflow and here, without a trace among real data."""

from sqlmodel import Session, SQLModel, col, delete, select

from reallabor import audit
from reallabor.database import reading, transaction
from reallabor.deciding.auditing import sealed_rows
from reallabor.demo_gates import remove_findings
from reallabor.models import (
    AgendaItem,
    Condition,
    Conflict,
    Decision,
    Delivery,
    Meeting,
    Motion,
    OutboxEntry,
    Output,
    Participant,
    Quarantine,
    Round,
    Scenario,
    Survey,
    SurveyToken,
    Tally,
    TrialRun,
    UnassignedOutput,
    Voice,
    Vote,
    row_id,
)
from reallabor.people import acting_person
from reallabor.rating.rounds import delete_rounds
from reallabor.recording.journal import Journal, journal_root
from reallabor.tracking import Connection, names, publishing
from reallabor.tracking import reading as tracking_reading


def remove(connection: Connection) -> int:
    """Take the demonstration away: runs with their traces in MLflow, then runs, ratings, rounds,
    findings and decisions here. The MLflow experiments stay. Gives the number of runs removed.

    MLflow goes first: a run that were still there would be taken over again. Safe to repeat.
    """
    connection.require()
    removed = 0
    for slug, experiment_id in tracking_reading.experiments(connection).items():
        runs = tracking_reading.demo_runs(connection, experiment_id)
        publishing.delete_runs(connection, experiment_id, runs)
        removed += len(runs)
        evidence = tracking_reading.demo_evidence_runs(connection, experiment_id)
        publishing.delete_runs(connection, experiment_id, evidence)
        if _decision_is_demo(slug):
            keys = [*names.DECISION_TAGS, names.DEMO]
            publishing.remove_tags(connection, experiment_id, keys)
        for journal in Journal.unfinished(journal_root(), slug):
            if journal.plan.demo:
                journal.remove()
    with transaction() as session:
        sealed = sealed_rows(session)
        changed = _delete_rows(session)
        details = {"runs": removed, audit.REMOVED: sorted(sealed - sealed_rows(session))}
        audit.record(session, "demo_removed", "demo", actor=acting_person(session),
                     details=details, seal=changed)  # fmt: skip
    return removed


def _decision_is_demo(slug: str) -> bool:
    """Whether the newest decision, the one that stands in MLflow, is one of the demonstration."""
    with reading() as session:
        newest = session.exec(
            select(Decision)
            .join(Scenario, col(Scenario.id) == Decision.scenario_id)
            .where(Scenario.slug == slug)
            .order_by(col(Decision.id).desc())
            .limit(1)
        ).first()
    return newest is not None and newest.demo


def _delete_rows(session: Session) -> list[SQLModel]:
    """Delete what hangs on demonstration runs and rounds, from the leaves to the root. Gives what
    pointed to a decision of the demonstration and stays without it."""
    rounds = [row_id(key) for key in session.exec(select(Round.id).where(Round.demo))]
    runs = select(TrialRun.id).where(TrialRun.demo)
    outputs = select(Output.id).where(col(Output.run_id).in_(runs))
    session.exec(delete(OutboxEntry).where(col(OutboxEntry.round_id).in_(rounds)))
    delete_rounds(session, rounds)
    surveys = select(Survey.id).where(Survey.demo)
    for table, condition in (
        (
            OutboxEntry,
            (col(OutboxEntry.kind) == Delivery.INDICATORS) & col(OutboxEntry.subject_id).in_(runs),
        ),
        (
            OutboxEntry,
            (col(OutboxEntry.kind) == Delivery.ERASURE) & col(OutboxEntry.subject_id).in_(outputs),
        ),
        (Quarantine, col(Quarantine.output_id).in_(outputs)),
        (Output, col(Output.run_id).in_(runs)),
        (UnassignedOutput, col(UnassignedOutput.run_id).in_(runs)),
        (TrialRun, col(TrialRun.demo)),
        (Voice, col(Voice.survey_id).in_(surveys)),
        (SurveyToken, col(SurveyToken.survey_id).in_(surveys)),
        (Survey, col(Survey.demo)),
    ):
        session.exec(delete(table).where(condition))
    changed: list[SQLModel] = []
    demo_decisions = session.exec(select(Decision.id).where(Decision.demo)).all()
    for decision in session.exec(select(Decision).where(~col(Decision.demo))):
        if decision.supersedes_id in demo_decisions:
            decision.supersedes_id = None
            session.add(decision)
            changed.append(decision)
    session.flush()
    session.exec(
        delete(OutboxEntry).where(
            col(OutboxEntry.kind) == "decision", col(OutboxEntry.subject_id).in_(demo_decisions)
        )
    )
    session.exec(delete(Condition).where(col(Condition.decision_id).in_(demo_decisions)))
    changed += _delete_meetings(session)
    session.exec(delete(Decision).where(col(Decision.demo)))
    remove_findings(session)
    return changed


def _delete_meetings(session: Session) -> list[AgendaItem]:
    """Meetings of the demonstration. A real one keeps its item without the decision: gives such
    items."""
    demo_decisions = select(Decision.id).where(Decision.demo)
    meetings = select(Meeting.id).where(Meeting.demo)
    items = select(AgendaItem.id).where(col(AgendaItem.meeting_id).in_(meetings))
    motions = select(Motion.id).where(col(Motion.item_id).in_(items))
    for table, condition in (
        (Vote, col(Vote.motion_id).in_(motions)),
        (Tally, col(Tally.motion_id).in_(motions)),
        (Motion, col(Motion.item_id).in_(items)),
        (Conflict, col(Conflict.item_id).in_(items)),
        (AgendaItem, col(AgendaItem.meeting_id).in_(meetings)),
        (Participant, col(Participant.meeting_id).in_(meetings)),
        (Meeting, col(Meeting.demo)),
    ):
        session.exec(delete(table).where(condition))
    kept = session.exec(
        select(AgendaItem).where(col(AgendaItem.decision_id).in_(demo_decisions))
    ).all()
    for item in kept:
        item.decision_id = None
        session.add(item)
    session.flush()
    return list(kept)
