"""What a released round has to tell MLflow; `publishing` sends it."""

from sqlmodel import Session, col, select

from reallabor.models import (
    Delivery,
    Judge,
    JudgeRating,
    Output,
    Rating,
    Round,
    RoundRun,
    TrialRun,
)
from reallabor.recording.outbox import enqueue


def enqueue_round(session: Session, round_: Round) -> None:
    """Everything that a released round has to tell MLflow."""
    runs = session.exec(
        select(TrialRun).join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
        .where(RoundRun.round_id == round_.id)
    ).all()  # fmt: skip
    for run in runs:
        assert run.id is not None
        if run.tracking_run_id is None:
            enqueue(session, Delivery.IMPORTED_RUN, run.id, round_.id)
        enqueue(session, Delivery.SCORES, run.id, round_.id)
    outputs = session.exec(
        select(Output.id)
        .where(
            col(Output.run_id).in_([run.id for run in runs]), col(Output.trace_id).is_not(None),
            # Not an EXISTS: SQLite would go through the round's ratings once for every output.
            col(Output.id).in_(select(Rating.output_id).where(Rating.round_id == round_.id)),
        )
    ).all()  # fmt: skip
    for output_id in outputs:
        assert output_id is not None
        enqueue(session, Delivery.FEEDBACK, output_id, round_.id)
    judged = session.exec(
        select(JudgeRating.output_id)
        .join(Judge, col(Judge.id) == JudgeRating.judge_id)
        .where(Judge.round_id == round_.id, col(JudgeRating.level).is_not(None))
        .distinct()
    ).all()
    for output_id in judged:
        enqueue_judgements(session, round_, output_id)


def enqueue_judgements(session: Session, round_: Round, output_id: int) -> None:
    """What language models said of one output of a released round."""
    enqueue(session, Delivery.JUDGEMENTS, output_id, round_.id)
