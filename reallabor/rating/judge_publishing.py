"""What language models said of one output, for MLflow: feedback with source LLM_JUDGE under names
of its own. `publishing` calls it, after the release only."""

import hashlib

from sqlmodel import Session, col, select

from reallabor.database import reading
from reallabor.models import (
    Criterion,
    Judge,
    JudgeRating,
    OutboxEntry,
    Output,
    Round,
    Rubric,
)
from reallabor.recording.hidden_outputs import is_hidden
from reallabor.tracking import Connection, publishing
from reallabor.tracking.judging import JudgeFeedback


def send_judgements(connection: Connection, entry: OutboxEntry) -> None:
    """Bring the levels of all judges on one output to MLflow; nothing where the output is in
    quarantine, because a reason may quote from it."""
    with reading() as session:
        round_ = session.get_one(Round, entry.round_id)
        trace_id = session.exec(
            select(Output.trace_id).where(Output.id == entry.subject_id, ~is_hidden())
        ).first()
        feedback = _feedback(session, entry.subject_id, round_)
        released_at = round_.released_at
    if trace_id is not None and released_at is not None:
        publishing.publish_feedback(connection, trace_id, feedback, released_at=released_at)


def _feedback(session: Session, output_id: int, round_: Round) -> list[JudgeFeedback]:
    rubric = session.get_one(Rubric, round_.rubric_id)
    rows = session.exec(
        select(Criterion.key, JudgeRating.level, JudgeRating.rationale, Judge)
        .join(JudgeRating, col(JudgeRating.criterion_id) == Criterion.id)
        .join(Judge, col(Judge.id) == JudgeRating.judge_id)
        .where(
            JudgeRating.output_id == output_id,
            Judge.round_id == round_.id,
            col(JudgeRating.level).is_not(None),
        )
        .order_by(col(Judge.id), col(Criterion.position))
    ).all()
    return [
        JudgeFeedback(
            criterion=key,
            level=float(level),
            model=judge.model,
            host=judge.host,
            prompt_sha256=hashlib.sha256(judge.prompt.encode()).hexdigest(),
            rubric=rubric.name,
            round_name=f"Runde {round_.number}",
            comment=rationale,
        )
        for key, level, rationale, judge in rows
        if level is not None
    ]
