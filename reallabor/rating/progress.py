"""How far an open round is; of each rater only what they have and whether it is done, never when or
how fast."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, func, select

from reallabor.models import (
    Assignment,
    EndReason,
    GoldAssignment,
    Organisation,
    Person,
    Rater,
    Round,
    Rubric,
    Scenario,
    row_id,
)
from reallabor.rating.rounds import stored_round
from reallabor.rating.sheet import is_gold_rated, is_rated


@dataclass(frozen=True)
class RaterProgress:
    """One person in a round."""

    person_id: int
    name: str
    organisation: str
    total: int
    """Outputs to rate, gold cases among them."""
    finished: bool
    left: bool
    """Taken out of the round; what they rated counts."""


@dataclass(frozen=True)
class RoundProgress:
    """A round in one look. Gold cases are counted nowhere but in the totals of the raters."""

    round_id: int
    number: int
    slug: str
    title: str
    rubric: str
    overlap: int
    demo: bool
    due_on: date | None
    opened_at: datetime
    released_at: datetime | None
    total: int
    done: int
    short: int
    """Outputs that fewer than `overlap` people have, because nobody else may rate them."""
    raters: list[RaterProgress]
    """By organisation and name; empty for imported ratings."""


def round_progress(session: Session, round_id: int) -> RoundProgress:
    """How far a round is. Raises UnknownObject."""
    round_ = stored_round(session, round_id)
    scenario = session.get_one(Scenario, round_.scenario_id)
    rubric = session.get_one(Rubric, round_.rubric_id)
    outputs = _counts(session, round_, gold=False)
    gold = _counts(session, round_, gold=True)
    raters = [
        RaterProgress(
            row_id(person.id), person.name, house or "",
            total=outputs.get(rater, (0, 0))[0] + gold.get(rater, (0, 0))[0],
            finished=all(total == done for total, done in (outputs.get(rater, (0, 0)),
                                                           gold.get(rater, (0, 0)))),
            left=left_at is not None,
        )
        for rater, left_at, person, house in session.exec(
            select(Rater.id, Rater.left_at, Person, Organisation.name)
            .join(Person, col(Person.id) == Rater.person_id)
            .join(Organisation, col(Organisation.id) == Person.organisation_id, isouter=True)
            .where(Rater.round_id == round_id)
            .order_by(Organisation.name, Person.name)
        )
    ]  # fmt: skip
    return RoundProgress(
        round_id=round_id,
        number=round_.number,
        slug=scenario.slug,
        title=scenario.title,
        rubric=f"{rubric.title} ({rubric.name})",
        overlap=round_.overlap,
        demo=round_.demo,
        due_on=round_.due_on,
        opened_at=round_.opened_at,
        released_at=round_.released_at,
        total=sum(total for total, _ in outputs.values()),
        done=sum(done for _, done in outputs.values()),
        short=_short(session, round_),
        raters=raters,
    )


def _counts(session: Session, round_: Round, *, gold: bool) -> dict[int | None, tuple[int, int]]:
    """Given and rated per rater."""
    table, rated = (GoldAssignment, is_gold_rated()) if gold else (Assignment, is_rated())
    rows = session.exec(
        select(Rater.id, func.count(), func.count().filter(rated))
        .select_from(table)
        .join(Rater, col(Rater.id) == table.rater_id)
        .where(Rater.round_id == round_.id, col(table.ended_at).is_(None) | rated)
        .group_by(col(Rater.id))
    ).all()
    return {rater: (total, done) for rater, total, done in rows}


def _short(session: Session, round_: Round) -> int:
    """Outputs that were handed out and that too few people still have; hidden ones not counted."""
    held = func.count().filter(col(Assignment.ended_at).is_(None))
    hidden = func.count().filter(col(Assignment.ended_because) == EndReason.QUARANTINED)
    rows = (
        select(Assignment.output_id)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .where(Rater.round_id == round_.id)
        .group_by(col(Assignment.output_id))
        .having((held < round_.overlap) & (hidden == 0))
        .subquery()
    )
    return session.exec(select(func.count()).select_from(rows)).one()
