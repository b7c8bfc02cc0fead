"""What a person has to rate, one output after the other, as their browser may see it."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from reallabor.evaluations import CriterionContent, RubricContent
from reallabor.models import (
    Assignment,
    Case,
    Criterion,
    GoldAssignment,
    GoldCase,
    GoldRating,
    Output,
    Person,
    Rater,
    Rating,
    Remark,
    Round,
    Rubric,
    Scenario,
    row_id,
)
from reallabor.recording.stopping import stop_sentence


@dataclass(frozen=True)
class OpenRating:
    """A round in which a person has been asked to rate; names no system."""

    round_id: int
    slug: str
    title: str
    total: int
    done: int
    demo: bool
    due_on: date | None = None
    stop: str = ""
    """Why nothing can be rated at present; empty where it can."""


@dataclass(frozen=True)
class SheetItem:
    """One output as its rater may see it: no variant, run or organisation, only a token."""

    token: str
    position: int
    """1, 2, ... over what this person has."""
    input: str
    reference: str
    output: str
    levels: dict[str, int]
    comment: str
    comments: dict[str, str] = field(default_factory=dict)
    """By key of the criterion."""
    passages: list[dict[str, Any]] = field(default_factory=list)
    """Marked as evidence: `start` and `end` in characters of the output, `criterion` or ""."""
    rework_minutes: int | None = None

    @property
    def done(self) -> bool:
        return bool(self.levels)


@dataclass(frozen=True)
class _Place:
    """One entry of a person's order."""

    token: str
    row: int
    """Key of the output, or of the gold case."""
    rater_id: int
    gold: bool
    done: bool


@dataclass(frozen=True)
class Sheet:
    """A person's order in one round and a window of it."""

    order: list[str]
    """The tokens of all that this person has, in their order."""
    total: int
    done: int
    position: int
    """Where to begin: the first that is not rated, else the last."""
    items: list[SheetItem]


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


def is_gold_rated() -> ColumnElement[bool]:
    """The same on `GoldAssignment`."""
    return (
        select(GoldRating.id)
        .where(
            GoldRating.rater_id == GoldAssignment.rater_id,
            GoldRating.gold_case_id == GoldAssignment.gold_case_id,
            col(GoldRating.superseded_at).is_(None),
        )
        .exists()
    )


def list_open_ratings(session: Session, person: Person) -> list[OpenRating]:
    """The unreleased rounds in which this person rates, oldest first; gold cases are counted like
    any output."""
    total: dict[int, int] = {}
    done: dict[int, int] = {}
    for table, rated in ((Assignment, is_rated()), (GoldAssignment, is_gold_rated())):
        rows = session.exec(
            select(Rater.round_id, func.count(), func.count().filter(rated))
            .select_from(table)
            .join(Rater, col(Rater.id) == table.rater_id)
            .where(
                Rater.person_id == person.id,
                col(Rater.left_at).is_(None),
                col(table.ended_at).is_(None),
            )
            .group_by(col(Rater.round_id))
        ).all()
        for round_id, given, finished in rows:
            total[round_id] = total.get(round_id, 0) + given
            done[round_id] = done.get(round_id, 0) + finished
    rounds = session.exec(
        select(Round, Scenario)
        .join(Scenario, col(Scenario.id) == Round.scenario_id)
        .where(col(Round.id).in_(total), col(Round.released_at).is_(None))
        .order_by(col(Round.opened_at))
    ).all()
    return [
        OpenRating(
            row_id(round_.id), scenario.slug, scenario.title, total[row_id(round_.id)],
            done[row_id(round_.id)], round_.demo, round_.due_on,
            stop_sentence(scenario) if scenario.stopped_at else "",
        )
        for round_, scenario in rounds
    ]  # fmt: skip


def ended_rating(session: Session, person: Person, round_id: int | None) -> int | None:
    """The round of that number, or without one the newest, in which this person rated and rates no
    more: it was released, or they were taken out. None where there is none."""
    wanted = (
        select(Round.id)
        .join(Rater, col(Rater.round_id) == Round.id)
        .where(
            Rater.person_id == person.id,
            col(Round.released_at).is_not(None) | col(Rater.left_at).is_not(None),
        )
        .order_by(col(Round.opened_at).desc())
    )
    if round_id is not None:
        wanted = wanted.where(Round.id == round_id)
    return session.exec(wanted.limit(1)).first()


def load_sheet(
    session: Session,
    round_id: int,
    *,
    actor: Person,
    position: int | None = None,
    before: int = 0,
    after: int = 0,
) -> Sheet:
    """The order of this person in a round, with the items from `before` places ahead of `position`
    to `after` behind it; without a position from where they go on. Empty where the person does not
    rate in this round, or rates in it no more."""
    places = _places(session, round_id, actor)
    first_open = next((n for n, place in enumerate(places, 1) if not place.done), len(places))
    position = min(max(position or first_open, 1), len(places)) if places else 0
    first = max(position - before, 1)
    window = places[first - 1 : position + after]
    return Sheet(
        order=[place.token for place in places],
        total=len(places),
        done=sum(place.done for place in places),
        position=position,
        items=_items(session, window, first),
    )


def sheet_key(session: Session, round_id: int, *, actor: Person) -> str:
    """Names this person's work in this round towards their browser, which keeps unsent scores under
    it: the same at every visit, unique beyond this database, and nothing can be read from it."""
    round_ = session.get_one(Round, round_id)
    text = f"sheet/{actor.id}".encode()
    return hmac.new(round_.pseudonym_key.encode(), text, hashlib.sha256).hexdigest()[:20]


def sheet_criteria(session: Session, round_id: int) -> list[CriterionContent]:
    """The criteria of a round in the rubric's order, with the anchor texts of all levels."""
    round_ = session.get_one(Round, round_id)
    rubric = session.get_one(Rubric, round_.rubric_id)
    return RubricContent.model_validate(rubric.content).criteria


def _places(session: Session, round_id: int, actor: Person) -> list[_Place]:
    mine = (
        Rater.round_id == round_id,
        Rater.person_id == actor.id,
        col(Rater.left_at).is_(None),
        col(Rater.round_id).in_(select(Round.id).where(col(Round.released_at).is_(None))),
    )
    found: list[tuple[int, _Place]] = []
    for token, row, rater_id, place, done in session.exec(
        select(  # type: ignore[call-overload]
            Assignment.token, Assignment.output_id, Assignment.rater_id, Assignment.position,
            is_rated(),
        )
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .where(*mine, col(Assignment.ended_at).is_(None))
    ):  # fmt: skip
        found.append((place, _Place(token, row, rater_id, gold=False, done=done)))
    for token, row, rater_id, place, done in session.exec(
        select(  # type: ignore[call-overload]
            GoldAssignment.token, GoldAssignment.gold_case_id, GoldAssignment.rater_id,
            GoldAssignment.position, is_gold_rated(),
        )
        .join(Rater, col(Rater.id) == GoldAssignment.rater_id)
        .where(*mine, col(GoldAssignment.ended_at).is_(None))
    ):  # fmt: skip
        found.append((place, _Place(token, row, rater_id, gold=True, done=done)))
    return [place for _, place in sorted(found, key=lambda each: each[0])]


def _items(session: Session, window: Sequence[_Place], first: int) -> list[SheetItem]:
    if not window:
        return []
    outputs = _output_items(session, [place for place in window if not place.gold])
    gold = _gold_items(session, [place for place in window if place.gold])
    return [
        SheetItem(token=place.token, position=position,
                  **(gold if place.gold else outputs)[place.row])
        for position, place in enumerate(window, first)
    ]  # fmt: skip


def _output_items(session: Session, places: Sequence[_Place]) -> dict[int, dict[str, Any]]:
    if not places:
        return {}
    ids = [place.row for place in places]
    rater_id = places[0].rater_id
    items: dict[int, dict[str, Any]] = {
        row_id(output_id): {
            "input": input_ or "", "reference": reference, "output": text or "",
            "levels": {}, "comments": {}, "comment": "",
        }
        for output_id, input_, reference, text in session.exec(
            select(Output.id, Case.input, Case.reference, Output.text)
            .join(Case, col(Case.id) == Output.case_id)
            .where(col(Output.id).in_(ids))
        )
    }  # fmt: skip
    for output_id, key, level, comment in session.exec(
        select(Rating.output_id, Criterion.key, Rating.level, Rating.comment)
        .join(Criterion, col(Criterion.id) == Rating.criterion_id)
        .where(
            Rating.rater_id == rater_id,
            col(Rating.output_id).in_(ids),
            col(Rating.superseded_at).is_(None),
        )
    ):
        items[output_id]["levels"][key] = round(level)
        if comment:
            items[output_id]["comments"][key] = comment
    for remark in session.exec(
        select(Remark).where(
            Remark.rater_id == rater_id,
            col(Remark.output_id).in_(ids),
            col(Remark.superseded_at).is_(None),
        )
    ):
        items[remark.output_id] |= {
            "comment": remark.text,
            "passages": remark.passages,
            "rework_minutes": remark.rework_minutes,
        }
    return items


def _gold_items(session: Session, places: Sequence[_Place]) -> dict[int, dict[str, Any]]:
    if not places:
        return {}
    ids = [place.row for place in places]
    items: dict[int, dict[str, Any]] = {
        row_id(case.id): {
            "input": case.input, "reference": case.reference, "output": case.output,
            "levels": {}, "comment": "",
        }
        for case in session.exec(select(GoldCase).where(col(GoldCase.id).in_(ids)))
    }  # fmt: skip
    for rating in session.exec(
        select(GoldRating).where(
            GoldRating.rater_id == places[0].rater_id,
            col(GoldRating.gold_case_id).in_(ids),
            col(GoldRating.superseded_at).is_(None),
        )
    ):
        items[rating.gold_case_id] |= {"levels": rating.levels, **rating.extras}
    return items
