"""Sends what is due to MLflow: feedback of people and models, scores, imported runs and decisions.
Every message may be sent twice without harm; what fails stays due."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy import update
from sqlmodel import Session, col, func, select

from reallabor.database import reading, transaction
from reallabor.errors import ReallaborError, TrackingUnavailable
from reallabor.german import ZONE
from reallabor.models import (
    Criterion,
    Decision,
    Delivery,
    OutboxEntry,
    Output,
    Rater,
    Rating,
    Remark,
    Round,
    Rubric,
    Scenario,
    TrialRun,
    Variant,
    now,
    row_id,
)
from reallabor.rating.adjudicated import holding
from reallabor.rating.judge_publishing import send_judgements
from reallabor.rating.results import round_result
from reallabor.recording import shared_cases
from reallabor.recording.catalogue import stored_scenario
from reallabor.recording.evidence_files import send_evidence
from reallabor.recording.hidden_outputs import is_hidden
from reallabor.recording.indicators import indicator_names
from reallabor.recording.undoing import delete_withdrawn
from reallabor.scenarios import measures_of
from reallabor.tracking import Connection, names, publishing, recording

log = structlog.get_logger()

LEASE = timedelta(minutes=5)
"""For how long an entry that is being sent is left alone by others."""
LONGEST_PAUSE = timedelta(hours=1)
BATCH = 100
"""Messages claimed at once; few enough to be sent within the lease."""
WORKERS = 4
"""Messages under way at once; MLflow takes about 100 feedbacks a second one by one."""
COMMENT = "Anmerkung"
"""Name of the feedback that carries a rater's comment on a whole output."""
REWORK = "Nacharbeit in Minuten"
"""Name of the feedback that says how long somebody would have to work on the output."""
ADJUDICATION = "Klärung"
"""Pseudonym of whoever decided where raters disagreed."""


@dataclass
class PublishReport:
    """What one call sent, and what is still due."""

    sent: int = 0
    due: int = 0
    problems: list[str] = field(default_factory=list)


def publish(
    connection: Connection, *, progress: Callable[[int, int], None] | None = None
) -> PublishReport:
    """Send all messages that are due. Raises TrackingUnavailable where MLflow is down; what was
    sent by then is not sent again."""
    report = PublishReport(due=_count_due())
    total = report.due
    while entries := _claim():
        try:
            connection.require()
        except TrackingUnavailable as outage:
            _release([row_id(entry.id) for entry in entries], str(outage))
            raise
        with ThreadPoolExecutor(WORKERS) as pool:
            for entry, failure in pool.map(lambda e: (e, _attempt(connection, e)), entries):
                if isinstance(failure, TrackingUnavailable):
                    _release([row_id(each.id) for each in entries], str(failure))
                    raise failure
                if failure is None:
                    report.sent += 1
                else:
                    report.problems.append(f"{entry.key}: {failure}")
                if progress:
                    progress(report.sent, total)
    report.due = _count_due()
    return report


def _claim() -> list[OutboxEntry]:
    moment = now()
    with transaction() as session:
        entries = session.exec(
            select(OutboxEntry)
            .where(col(OutboxEntry.done_at).is_(None), OutboxEntry.next_attempt_at <= moment)
            # Runs first and by themselves: feedback and scores need them.
            .order_by(col(OutboxEntry.kind) != Delivery.IMPORTED_RUN, col(OutboxEntry.id))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        if any(entry.kind == Delivery.IMPORTED_RUN for entry in entries):
            entries = [entry for entry in entries if entry.kind == Delivery.IMPORTED_RUN]
        session.exec(
            update(OutboxEntry)
            .where(col(OutboxEntry.id).in_([entry.id for entry in entries]))
            .values(next_attempt_at=moment + LEASE, attempts=OutboxEntry.attempts + 1)
        )
        for entry in entries:
            session.refresh(entry)
        session.expunge_all()
    return list(entries)


def _attempt(connection: Connection, entry: OutboxEntry) -> ReallaborError | None:
    try:
        _SENDERS[entry.kind](connection, entry)
    except TrackingUnavailable as error:
        _release([row_id(entry.id)], str(error))
        return error
    except ReallaborError as error:
        log.warning("publish_refused", key=entry.key, error=str(error))
        pause = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(entry.attempts, 12)))
        _release([row_id(entry.id)], str(error), pause)
        return error
    with transaction() as session:
        # Only if nothing made it due again in the meantime.
        session.exec(
            update(OutboxEntry)
            .where(
                col(OutboxEntry.id) == entry.id,
                col(OutboxEntry.next_attempt_at) == entry.next_attempt_at,
            )
            .values(done_at=now(), last_error=None)
        )
    return None


def _release(ids: list[int], error: str, pause: timedelta = timedelta()) -> None:
    """Make entries that were not sent due again after a pause."""
    with transaction() as session:
        session.exec(
            update(OutboxEntry)
            .where(
                col(OutboxEntry.id).in_(ids),
                col(OutboxEntry.done_at).is_(None),
            )
            .values(next_attempt_at=now() + pause, last_error=error)
        )


def _count_due() -> int:
    with reading() as session:
        return session.exec(
            select(func.count()).select_from(OutboxEntry).where(col(OutboxEntry.done_at).is_(None))
        ).one()


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


def _send_feedback(connection: Connection, entry: OutboxEntry) -> None:
    with reading() as session:
        shown = select(Output).where(Output.id == entry.subject_id, ~is_hidden())
        output = session.exec(shown).first()
        if output is None:
            return  # hidden or erased; due again when it is released from quarantine
        round_ = session.get_one(Round, entry.round_id)
        rubric = session.get_one(Rubric, round_.rubric_id)
        feedback = _feedback(session, output, round_, rubric.name)
        trace_id, released_at = output.trace_id, round_.released_at
    if trace_id is not None and released_at is not None:
        publishing.publish_feedback(connection, trace_id, feedback, released_at=released_at)


def _feedback(
    session: Session, output: Output, round_: Round, rubric: str
) -> list[publishing.HumanFeedback]:
    name = f"Runde {round_.number}"
    levels = session.exec(
        select(Criterion.key, Rating.level, Rater.pseudonym, Rating.comment)
        .join(Rating, col(Rating.criterion_id) == Criterion.id)
        .join(Rater, col(Rater.id) == Rating.rater_id)
        .where(
            Rating.output_id == output.id,
            Rating.round_id == round_.id,
            col(Rating.superseded_at).is_(None),
        )
        .order_by(Rater.pseudonym, col(Criterion.position))
    ).all()
    remarks = session.exec(
        select(Rater.pseudonym, Remark.text, Remark.rework_minutes)
        .join(Remark, col(Remark.rater_id) == Rater.id)
        .where(
            Remark.output_id == output.id,
            Rater.round_id == round_.id,
            col(Remark.superseded_at).is_(None),
        )
        .order_by(Rater.pseudonym)
    ).all()
    keys = dict(
        session.exec(
            select(Criterion.id, Criterion.key).where(Criterion.rubric_id == round_.rubric_id)
        ).all()
    )
    decided = holding(session, round_, output_id=output.id)
    return [
        publishing.HumanFeedback(key, float(level), pseudonym, rubric, name, comment)
        for key, level, pseudonym, comment in levels
    ] + [
        publishing.HumanFeedback(title, value, pseudonym, rubric, name, None)
        for pseudonym, text, minutes in remarks
        for title, value in ((COMMENT, text), (REWORK, minutes))
        if value not in ("", None)
    ] + [
        publishing.HumanFeedback(
            keys[criterion], row.level, ADJUDICATION, rubric, name, row.reason or None,
            adjudicated=True,
        )
        for (_, criterion), row in sorted(decided.items())
    ]  # fmt: skip


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
        tags = {
            names.DECISION: decision.verdict,
            names.DECISION_REASON: decision.reason,
            names.DECISION_BY: decision.decided_by,
            names.DECISION_DATE: decision.decided_at.astimezone(ZONE).date().isoformat(),
            names.DEMO: "true" if decision.demo else "false",
        }
    if later is None:  # an older decision must not overwrite a newer one
        experiment_id = recording.ensure_experiment(connection, slug, title)
        publishing.publish_tags(connection, experiment_id, tags)


_SENDERS = {
    Delivery.IMPORTED_RUN: _send_imported_run,
    Delivery.FEEDBACK: _send_feedback,
    Delivery.JUDGEMENTS: send_judgements,
    Delivery.SCORES: _send_scores,
    Delivery.DECISION: _send_decision,
    Delivery.INDICATORS: _send_indicators,
    Delivery.CASES: _send_cases,
    Delivery.WITHDRAWAL: _send_withdrawal,
    Delivery.ERASURE: _send_erasure,
    Delivery.EVIDENCE: _send_evidence,
}
