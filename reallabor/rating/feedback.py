"""What people said of one output, for MLflow: levels, remarks and what adjudication decided. Sent
after the release only."""

from sqlmodel import Session, col, select

from reallabor.database import reading
from reallabor.models import Criterion, OutboxEntry, Output, Rater, Rating, Remark, Round, Rubric
from reallabor.rating.adjudicated import holding
from reallabor.recording.hidden_outputs import is_hidden
from reallabor.tracking import Connection, publishing

COMMENT = "Anmerkung"
"""Name of the feedback that carries a rater's comment on a whole output."""
REWORK = "Nacharbeit in Minuten"
"""Name of the feedback that says how long somebody would have to work on the output."""
ADJUDICATION = "Klärung"
"""Pseudonym of whoever decided where raters disagreed."""


def send_feedback(connection: Connection, entry: OutboxEntry) -> None:
    """Bring all feedback of a released round on one output to MLflow; nothing where the output is
    in quarantine."""
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
