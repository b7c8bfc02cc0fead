"""How each kind of message reaches MLflow. A new kind is a function and a line in `SENDERS`. Each
may be called twice for a message without harm."""

import hashlib
from collections.abc import Callable

from sqlmodel import col, func, select

from reallabor.database import reading, transaction
from reallabor.german import ZONE
from reallabor.models import (
    AuditEntry,
    Decision,
    Delivery,
    OutboxEntry,
    Output,
    Rating,
    Round,
    Scenario,
    TrialRun,
    Variant,
)
from reallabor.rating.feedback import send_feedback
from reallabor.rating.judge_publishing import send_judgements
from reallabor.rating.results import round_result
from reallabor.recording import shared_cases
from reallabor.recording.catalogue import stored_scenario
from reallabor.recording.evidence_files import send_evidence
from reallabor.recording.indicators import indicator_names
from reallabor.recording.undoing import delete_withdrawn
from reallabor.scenarios import measures_of
from reallabor.tracking import Connection, names, publishing, recording

Sender = Callable[[Connection, OutboxEntry], None]
"""Sends one message. Raises TrackingUnavailable where MLflow is down, and another ReallaborError
where it refuses; the message then stays due."""


def _send_imported_run(connection: Connection, entry: OutboxEntry) -> None:
    with reading() as session:
        run = session.get_one(TrialRun, entry.subject_id)
        scenario = session.get_one(Scenario, run.scenario_id)
        variant = session.get_one(Variant, run.variant_id)
        round_ = session.get_one(Round, entry.round_id)
        started_at, slug, title = run.started_at, scenario.slug, scenario.title
        # From the secret, so that two databases on one MLflow never share a key; not to be undone.
        secret = f"{round_.pseudonym_key}/{run.id}".encode()
        key = f"import/{hashlib.sha256(secret).hexdigest()[:24]}"
        tags = {
            names.VARIANT: variant.key,
            names.SCENARIO: slug,
            names.IMPORTED: "true",
        }
    experiment_id = recording.ensure_experiment(connection, slug, title)
    run_id = recording.open_run(
        connection, experiment_id, run_key=key, name=tags[names.VARIANT], started_at=started_at,
        tags=tags,
    ).run_id  # fmt: skip
    recording.finish_run(
        connection, run_id, params={"variant": tags[names.VARIANT]}, artifacts=[],
        finished_at=started_at,
    )  # fmt: skip
    with transaction() as session:
        run = session.get_one(TrialRun, entry.subject_id)
        run.tracking_run_id = run_id
        session.add(run)


def _send_scores(connection: Connection, entry: OutboxEntry) -> None:
    with reading() as session:
        run = session.get_one(TrialRun, entry.subject_id)
        round_ = session.get_one(Round, entry.round_id)
        result = round_result(session, round_, run_id=run.id)
        newest = session.exec(
            select(func.max(Rating.created_at)).where(Rating.round_id == round_.id)
        ).one()
        run_id, number, released_at = run.tracking_run_id, round_.number, round_.released_at
    if run_id is None or released_at is None or not result.variants:
        return
    variant = result.variants[0]
    figures = {
        **{key: figure.mean for key, figure in variant.criteria.items()},
        "total": variant.score.mean,
        "total_low": variant.score.interval.low,
        "total_high": variant.score.interval.high,
        "n_cases": float(variant.n_cases),
        "n_raters": float(result.n_raters),
    }
    publishing.publish_scores(
        connection,
        run_id,
        {key: value for key, value in figures.items() if value is not None},
        {names.RUBRIC: result.rubric, names.ROUND: str(number)},
        step=number,
        at=max(released_at, newest or released_at),
    )


def _send_indicators(connection: Connection, entry: OutboxEntry) -> None:
    with reading() as session:
        run = session.get(TrialRun, entry.subject_id)
        if run is None or run.tracking_run_id is None:
            return  # undone since
        run_id, finished_at = run.tracking_run_id, run.finished_at
        content = session.get_one(Scenario, run.scenario_id).content
        # Metrics that somebody else logged stand in MLflow already.
        ours = indicator_names(measures_of(content))
        figures = {name: value for name, value in run.indicators.items() if name in ours}
        outputs = session.exec(
            select(func.count()).select_from(Output).where(Output.run_id == run.id)
        ).one()
    # A higher step is what MLflow shows: with every output mapped by hand the figures are newer.
    publishing.publish_indicators(connection, run_id, figures, step=outputs, at=finished_at)


def _send_cases(connection: Connection, entry: OutboxEntry) -> None:
    with reading() as session:
        scenario = stored_scenario(session, session.get_one(Scenario, entry.subject_id).slug)
    shared_cases.publish_cases(connection, scenario)


def _send_withdrawal(connection: Connection, entry: OutboxEntry) -> None:
    delete_withdrawn(connection, entry.key.partition("/")[2])


def _send_erasure(connection: Connection, entry: OutboxEntry) -> None:
    with reading() as session:
        output = session.get_one(Output, entry.subject_id)
        run = session.get_one(TrialRun, output.run_id)
        experiment_id = session.get_one(Scenario, run.scenario_id).experiment_id
        trace_id = output.trace_id
    if experiment_id and trace_id:
        publishing.delete_trace(connection, experiment_id, trace_id)


def _send_evidence(connection: Connection, entry: OutboxEntry) -> None:
    send_evidence(connection, entry.subject_id)


def _send_decision(connection: Connection, entry: OutboxEntry) -> None:
    with reading() as session:
        decision = session.get_one(Decision, entry.subject_id)
        scenario = session.get_one(Scenario, decision.scenario_id)
        later = session.exec(
            select(Decision.id).where(
                Decision.scenario_id == decision.scenario_id, col(Decision.id) > decision.id
            )
        ).first()
        slug, title = scenario.slug, scenario.title
        entry_hash = session.exec(
            select(AuditEntry.hash).where(
                AuditEntry.action == "decided", AuditEntry.subject == f"decision/{decision.id}"
            )
        ).first()
        of_decision = {
            names.DECISION: str(decision.verdict),
            names.DECISION_ID: str(decision.id),
            names.DECISION_SHA256: decision.evidence_sha256,
        }
        review_on = decision.review_on.isoformat() if decision.review_on else None
        runs = decision.evidence.get("candidate_runs", [])
        tags = {
            **of_decision,
            names.DECISION_REASON: decision.reason,
            names.DECISION_BY: decision.decided_by,
            names.DECISION_DATE: decision.decided_at.astimezone(ZONE).date().isoformat(),
            names.DEMO: "true" if decision.demo else "false",
            **({names.DECISION_AUDIT: entry_hash} if entry_hash else {}),
            **({names.DECISION_REVIEW_ON: review_on} if review_on else {}),
        }
    if later is None:  # an older decision must not overwrite a newer one
        experiment_id = recording.ensure_experiment(connection, slug, title)
        publishing.publish_tags(connection, experiment_id, tags)
        if review_on is None:  # that of the decision before
            publishing.remove_tags(connection, experiment_id, [names.DECISION_REVIEW_ON])
        for run_id in runs:
            publishing.publish_run_tags(connection, run_id, of_decision)


SENDERS: dict[Delivery, Sender] = {
    Delivery.IMPORTED_RUN: _send_imported_run,
    Delivery.FEEDBACK: send_feedback,
    Delivery.JUDGEMENTS: send_judgements,
    Delivery.SCORES: _send_scores,
    Delivery.DECISION: _send_decision,
    Delivery.INDICATORS: _send_indicators,
    Delivery.CASES: _send_cases,
    Delivery.WITHDRAWAL: _send_withdrawal,
    Delivery.ERASURE: _send_erasure,
    Delivery.EVIDENCE: _send_evidence,
}
"""By kind; `publishing` looks here."""
