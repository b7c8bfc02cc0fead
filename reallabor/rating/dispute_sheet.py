"""One dispute in full, as the person who decides it may see it: texts, anchors and ratings under
pseudonyms, nothing of system, run, organisation or people."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlmodel import Session, col, select

from reallabor.evaluations import CriterionContent, RubricContent
from reallabor.models import Case, Output, Rater, Rating, Remark, Round, Rubric
from reallabor.rating.disputes import Dispute


@dataclass(frozen=True)
class GivenRating:
    """What one rater said of the disputed criterion."""

    pseudonym: str
    level: float
    comment: str
    """On this criterion."""
    remark: str
    """On the whole output."""


@dataclass(frozen=True)
class Segment:
    """A piece of the output; the pseudonyms of all who marked it for this criterion."""

    text: str
    marked_by: tuple[str, ...]


@dataclass(frozen=True)
class DisputeSheet:
    """Everything that is needed to decide one dispute."""

    input: str
    reference: str
    output: list[Segment]
    criterion: CriterionContent
    ratings: list[GivenRating]
    """By pseudonym."""


def dispute_sheet(session: Session, round_: Round, dispute: Dispute) -> DisputeSheet:
    """The texts and ratings of a dispute that `list_disputes` gave this person."""
    output_id, criterion_id = dispute.place
    input_, reference, text = session.exec(
        select(Case.input, Case.reference, Output.text)
        .join(Output, col(Output.case_id) == Case.id)
        .where(Output.id == output_id)
    ).one()
    ratings = session.exec(
        select(Rater.id, Rater.pseudonym, Rating.level, Rating.comment)
        .join(Rating, col(Rating.rater_id) == Rater.id)
        .where(
            Rating.round_id == round_.id,
            Rating.output_id == output_id,
            Rating.criterion_id == criterion_id,
            col(Rating.superseded_at).is_(None),
        )
        .order_by(Rater.pseudonym)
    ).all()
    remarks = {
        remark.rater_id: remark
        for remark in session.exec(
            select(Remark).where(
                col(Remark.rater_id).in_([rater for rater, *_ in ratings]),
                Remark.output_id == output_id,
                col(Remark.superseded_at).is_(None),
            )
        )
    }
    rubric = session.get_one(Rubric, round_.rubric_id)
    criteria = RubricContent.model_validate(rubric.content).criteria
    return DisputeSheet(
        input=input_ or "",
        reference=reference,
        output=marked_segments(
            text or "",
            [
                (passage, pseudonym)
                for rater, pseudonym, *_ in ratings
                if rater in remarks
                for passage in remarks[rater].passages
                if passage.get("criterion") in (dispute.criterion, None, "")
            ],
        ),
        criterion=next(each for each in criteria if each.key == dispute.criterion),
        ratings=[
            GivenRating(
                pseudonym=pseudonym,
                level=level,
                comment=comment or "",
                remark=remarks[rater].text if rater in remarks else "",
            )
            for rater, pseudonym, level, comment in ratings
        ],
    )


def marked_segments(text: str, passages: Sequence[tuple[dict[str, Any], str]]) -> list[Segment]:
    """The text in pieces, cut wherever a marked passage begins or ends; joined they are the text.

    passages: `start` and `end` in characters of the text, and who marked them; what lies outside
    the text is cut off.
    """
    spans = [
        (max(0, passage["start"]), min(len(text), passage["end"]), who) for passage, who in passages
    ]
    ends = {end for start, stop, _ in spans if start < stop for end in (start, stop)}
    cuts = sorted({0, len(text)} | ends)
    return [
        Segment(
            text[start:stop],
            tuple(sorted({who for low, high, who in spans if low <= start and stop <= high})),
        )
        for start, stop in pairwise(cuts)
    ]
