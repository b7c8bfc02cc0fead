"""Rating blind: what a person has to rate, one case after the other, and saving it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, func, select

from reallabor.content import storable
from reallabor.errors import InvalidRating, NotAllowed, WrongState
from reallabor.evaluations import CriterionContent, RubricContent
from reallabor.models import (
    Assignment,
    Case,
    Criterion,
    Output,
    Person,
    Rater,
    Rating,
    Remark,
    Round,
    Rubric,
    Scenario,
    now,
    row_id,
)
from reallabor.policies import may_rate, require

COMMENT_LIMIT = 2000
"""Longest comment in characters."""


@dataclass(frozen=True)
class OpenRating:
    """A round in which a person has been asked to rate; names no system."""

    round_id: int
    slug: str
    title: str
    total: int
    done: int
    demo: bool


@dataclass(frozen=True)
class SheetItem:
    """One output as its rater may see it: no variant, run or organisation, only a token."""

    token: str
    position: int
    input: str
    reference: str
    output: str
    levels: dict[str, int]
    comment: str

    @property
    def done(self) -> bool:
        return bool(self.levels)


def is_rated() -> ColumnElement[bool]:
    """SQL condition on `Assignment`: a rating of this output by this rater stands."""
    return (
        select(Rating.id)
        .where(
            Rating.rater_id == Assignment.rater_id,
            Rating.output_id == Assignment.output_id,
            col(Rating.superseded_at).is_(None),
        )
        .exists()
    )


def list_open_ratings(session: Session, person: Person) -> list[OpenRating]:
    """The unreleased rounds in which this person rates, oldest first."""
    done = is_rated()
    rows = session.exec(
        select(Round, Scenario, func.count(), func.count().filter(done))
        .select_from(Assignment)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Round, col(Round.id) == Rater.round_id)
        .join(Scenario, col(Scenario.id) == Round.scenario_id)
        .where(Rater.person_id == person.id, col(Round.released_at).is_(None))
        .group_by(col(Round.id), col(Scenario.id))
        .order_by(col(Round.opened_at))
    ).all()
    return [
        OpenRating(row_id(round_.id), scenario.slug, scenario.title, total, finished, round_.demo)
        for round_, scenario, total, finished in rows
    ]


def list_sheet_items(
    session: Session, round_id: int, *, actor: Person, first: int, last: int
) -> list[SheetItem]:
    """The outputs at positions `first` to `last` of this person's own order, with what the person
    has given so far. Empty where the person does not rate in this round."""
    rows = session.exec(
        select(Assignment, Case.input, Case.reference, Output.text)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Output, col(Output.id) == Assignment.output_id)
        .join(Case, col(Case.id) == Output.case_id)
        .where(
            Rater.round_id == round_id,
            Rater.person_id == actor.id,
            col(Assignment.position).between(first, last),
        )
        .order_by(col(Assignment.position))
    ).all()
    if not rows:
        return []
    rater_id = rows[0][0].rater_id
    outputs = [assignment.output_id for assignment, *_ in rows]
    levels: dict[int, dict[str, int]] = {}
    for output_id, key, level in session.exec(
        select(Rating.output_id, Criterion.key, Rating.level)
        .join(Criterion, col(Criterion.id) == Rating.criterion_id)
        .where(
            Rating.rater_id == rater_id,
            col(Rating.output_id).in_(outputs),
            col(Rating.superseded_at).is_(None),
        )
    ):
        levels.setdefault(output_id, {})[key] = round(level)
    remarks = dict(
        session.exec(
            select(Remark.output_id, Remark.text).where(
                Remark.rater_id == rater_id,
                col(Remark.output_id).in_(outputs),
                col(Remark.superseded_at).is_(None),
            )
        ).all()
    )
    return [
        SheetItem(
            token=assignment.token,
            position=assignment.position,
            input=input_ or "",
            reference=reference,
            output=text or "",
            levels=levels.get(assignment.output_id, {}),
            comment=remarks.get(assignment.output_id, ""),
        )
        for assignment, input_, reference, text in rows
    ]


def first_open_position(session: Session, round_id: int, *, actor: Person) -> int | None:
    """Where to go on: the first position without a rating, or None where all is rated."""
    return session.exec(
        select(func.min(Assignment.position))
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .where(Rater.round_id == round_id, Rater.person_id == actor.id, ~is_rated())
    ).one()


def submit_rating(
    session: Session,
    *,
    actor: Person,
    token: str,
    levels: Mapping[str, float],
    comment: str,
    submission: str,
) -> None:
    """Save one person's levels on all criteria of one output.

    Idempotent: the same `submission` changes nothing. A new submission for the same output
    supersedes the earlier one, which stays. Raises NotAllowed for another person's token,
    WrongState once the round is released, InvalidRating for missing or impossible levels.
    """
    require(may_rate, actor)
    found = session.exec(
        select(Assignment, Round)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Round, col(Round.id) == Rater.round_id)
        .where(Assignment.token == token, Rater.person_id == actor.id)
        # Shared lock: a release waits until this rating is in, or this one waits and is refused.
        .with_for_update(read=True, of=Round)
    ).first()
    if found is None:
        raise NotAllowed("Diese Ausgabe ist Ihnen nicht zugeteilt. Bitte die Startseite öffnen.")
    assignment, round_ = found
    # A double click waits here, and then finds the first one stored.
    session.exec(select(Assignment.id).where(Assignment.id == assignment.id).with_for_update())
    if _is_stored(session, submission, assignment):
        return
    if round_.released_at is not None:
        raise WrongState(
            "Diese Bewertungsrunde wurde inzwischen freigegeben; weitere Bewertungen sind nicht "
            "mehr möglich. Ihre bisherigen Bewertungen sind gespeichert."
        )
    criteria = _checked(session, round_, levels)
    if len(comment) > COMMENT_LIMIT:
        raise InvalidRating(
            f"Der Kommentar hat {len(comment)} Zeichen; möglich sind höchstens {COMMENT_LIMIT}."
        )
    moment = now()
    place = (assignment.rater_id, assignment.output_id)
    for table in (Rating, Remark):
        session.exec(
            update(table)
            .where(
                col(table.rater_id) == place[0],
                col(table.output_id) == place[1],
                col(table.superseded_at).is_(None),
            )
            .values(superseded_at=moment)
        )
    session.add_all(
        Rating(
            round_id=row_id(round_.id),
            rater_id=place[0],
            output_id=place[1],
            criterion_id=row_id(criterion.id),
            level=levels[criterion.key],
            submission=submission,
            created_at=moment,
        )
        for criterion in criteria
    )
    if comment.strip():
        session.add(
            Remark(
                rater_id=place[0],
                output_id=place[1],
                text=storable(comment.strip().replace("\x00", "")),
                submission=submission,
                created_at=moment,
            )
        )
    session.flush()


def _is_stored(session: Session, submission: str, assignment: Assignment) -> bool:
    try:
        uuid.UUID(submission)
    except ValueError as error:
        raise InvalidRating("Die Kennung dieser Bewertung ist ungültig.") from error
    known = session.exec(select(Rating).where(Rating.submission == submission).limit(1)).first()
    if known is None:
        return False
    if (known.rater_id, known.output_id) != (assignment.rater_id, assignment.output_id):
        raise InvalidRating("Die Kennung dieser Bewertung gehört zu einer anderen Ausgabe.")
    return True


def _checked(session: Session, round_: Round, levels: Mapping[str, float]) -> Sequence[Criterion]:
    rubric = session.get_one(Rubric, round_.rubric_id)
    criteria = session.exec(
        select(Criterion).where(Criterion.rubric_id == rubric.id).order_by(col(Criterion.position))
    ).all()
    if missing := [criterion.title for criterion in criteria if criterion.key not in levels]:
        raise InvalidRating(f"Bitte noch bewerten: {', '.join(missing)}.")
    if unknown := sorted(set(levels) - {criterion.key for criterion in criteria}):
        raise InvalidRating(f"Das Kriterium '{unknown[0]}' gibt es in '{rubric.name}' nicht.")
    for key, level in levels.items():
        if isinstance(level, bool) or not rubric.has_level(level):
            raise InvalidRating(
                f"Stufe {level} gibt es in '{rubric.name}' nicht (Kriterium {key}); "
                f"erlaubt: {rubric.scale_min:g}-{rubric.scale_max:g}."
            )
    return criteria


def sheet_criteria(session: Session, round_id: int) -> list[CriterionContent]:
    """The criteria of a round in the rubric's order, with the anchor texts of all levels."""
    round_ = session.get_one(Round, round_id)
    rubric = session.get_one(Rubric, round_.rubric_id)
    return RubricContent.model_validate(rubric.content).criteria
