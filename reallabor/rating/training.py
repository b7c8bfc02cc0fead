"""The training round: one gold case after the other, and what the reference says after each. The
rule by which it counts stands in `calibration`."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

from reallabor.errors import InvalidRating, UnknownObject, WrongState
from reallabor.evaluations import CriterionContent, RubricContent
from reallabor.models import (
    GoldAssignment,
    GoldCase,
    GoldRating,
    GoldRule,
    Person,
    Rater,
    Round,
    Rubric,
    row_id,
)
from reallabor.policies import may_learn, require
from reallabor.rating.calibration import (
    calibration,
    first_answers,
    is_within,
    list_gold_cases,
)


@dataclass(frozen=True)
class TrainingCase:
    """A gold case as somebody sees it who has not rated it yet."""

    gold_case_id: int
    key: str
    input: str
    reference: str
    output: str
    criteria: list[CriterionContent]
    """In the rubric's order, with the anchor texts of all levels."""


@dataclass(frozen=True)
class CriterionFeedback:
    """One judgement beside the reference."""

    title: str
    given: int
    given_anchor: str
    reference: int
    reference_anchor: str
    explanation: str
    within: bool


@dataclass(frozen=True)
class Feedback:
    """What the reference says of a case that this person has rated."""

    case: TrainingCase
    criteria: list[CriterionFeedback]

    @property
    def within(self) -> int:
        """Judgements within tolerance."""
        return sum(each.within for each in self.criteria)


def next_case(session: Session, rubric_id: int, *, actor: Person) -> TrainingCase | None:
    """The gold case that comes next in the open attempt; None where the person is calibrated, too
    few unread cases are left, or the unread ones stand in a round that this person rates: what is
    explained here must not be rated there. Raises UnknownObject where the rubric has no gold
    cases."""
    require(may_learn, actor)
    status = calibration(session, actor, rubric_id)
    if status.calibrated or status.exhausted:
        return None
    passed = {case.key for _, case in first_answers(session, actor, rubric_id)}
    passed |= _keys_in_rounds(session, actor, rubric_id)
    left = (case for case in list_gold_cases(session, rubric_id) if case.key not in passed)
    case = next(left, None)
    return _shown(session, case) if case else None


def submit_levels(
    session: Session,
    gold_case_id: int,
    levels: Mapping[str, int],
    *,
    actor: Person,
    submission: str,
) -> None:
    """Store what a person gives for the next gold case; from now on they may read its explanation.

    Idempotent: the same `submission` changes nothing. Raises InvalidRating for missing or
    impossible levels, WrongState where the case is not the next one of this person.
    """
    require(may_learn, actor)
    # Locked, so that two windows of one person cannot give two first answers.
    session.exec(select(Person.id).where(Person.id == actor.id).with_for_update()).one()
    if _is_stored(session, gold_case_id, actor, submission):
        return
    case = _gold_case(session, gold_case_id)
    coming = next_case(session, case.rubric_id, actor=actor)
    if coming is None or coming.gold_case_id != gold_case_id:
        raise WrongState(
            "Dieser Kalibrierfall ist gerade nicht an der Reihe; es zählt die erste Angabe. Bitte "
            "unter „Lernen“ weitermachen."
        )
    session.add(
        GoldRating(
            person_id=row_id(actor.id),
            gold_case_id=gold_case_id,
            levels=_checked(session, case.rubric_id, levels),
            submission=submission,
        )
    )
    session.flush()


def feedback(session: Session, rubric_id: int, key: str, *, actor: Person) -> Feedback:
    """What this person gave first for a case beside level and explanation of the reference.
    Raises UnknownObject where they have not rated it: the reference is not shown before."""
    require(may_learn, actor)
    rule = session.get(GoldRule, rubric_id)
    answers = {
        case.key: (rating, case) for rating, case in first_answers(session, actor, rubric_id)
    }
    if rule is None or key not in answers:
        raise UnknownObject(
            "Zu diesem Kalibrierfall gibt es für Sie noch keine Rückmeldung. Sie erscheint, sobald "
            "Sie ihn bewertet haben."
        )
    rating, gold = answers[key]
    case = _shown(session, gold)
    return Feedback(
        case=case,
        criteria=[
            CriterionFeedback(
                title=each.title,
                given=rating.levels[each.key],
                given_anchor=each.levels[rating.levels[each.key]],
                reference=gold.levels[each.key],
                reference_anchor=each.levels[gold.levels[each.key]],
                explanation=gold.explanations[each.key],
                within=is_within(rating.levels, gold.levels, each.key, rule.tolerance),
            )
            for each in case.criteria
        ],
    )


def rated_keys(session: Session, rubric_id: int, *, actor: Person) -> list[str]:
    """The cases whose feedback this person may read again, in the order of rating."""
    return [case.key for _, case in first_answers(session, actor, rubric_id)]


def _keys_in_rounds(session: Session, person: Person, rubric_id: int) -> set[str]:
    """The gold cases among the outputs that this person has in rounds that are not released, rated
    or not: until the release a rating can be changed."""
    return set(
        session.exec(
            select(GoldCase.key)
            .join(GoldAssignment, col(GoldAssignment.gold_case_id) == GoldCase.id)
            .join(Rater, col(Rater.id) == GoldAssignment.rater_id)
            .join(Round, col(Round.id) == Rater.round_id)
            .where(
                GoldCase.rubric_id == rubric_id,
                Rater.person_id == person.id,
                col(Rater.left_at).is_(None),
                col(GoldAssignment.ended_at).is_(None),
                col(Round.released_at).is_(None),
            )
        ).all()
    )


def _gold_case(session: Session, gold_case_id: int) -> GoldCase:
    case = session.get(GoldCase, gold_case_id)
    if case is None:
        raise UnknownObject("Diesen Kalibrierfall gibt es nicht. Bitte „Lernen“ öffnen.")
    return case


def _shown(session: Session, case: GoldCase) -> TrainingCase:
    return TrainingCase(
        gold_case_id=row_id(case.id),
        key=case.key,
        input=case.input,
        reference=case.reference,
        output=case.output,
        criteria=_rubric(session, case.rubric_id).criteria,
    )


def _rubric(session: Session, rubric_id: int) -> RubricContent:
    return RubricContent.model_validate(session.get_one(Rubric, rubric_id).content)


def _is_stored(session: Session, gold_case_id: int, actor: Person, submission: str) -> bool:
    try:
        uuid.UUID(submission)
    except ValueError as error:
        raise InvalidRating("Die Kennung dieser Angabe ist ungültig.") from error
    known = session.exec(select(GoldRating).where(col(GoldRating.submission) == submission)).first()
    if known is None:
        return False
    if (known.person_id, known.gold_case_id) != (actor.id, gold_case_id):
        raise InvalidRating("Die Kennung dieser Angabe gehört zu einem anderen Fall.")
    return True


def _checked(session: Session, rubric_id: int, levels: Mapping[str, int]) -> dict[str, int]:
    rubric = _rubric(session, rubric_id)
    if missing := [each.title for each in rubric.criteria if each.key not in levels]:
        raise InvalidRating(f"Bitte noch bewerten: {', '.join(missing)}.")
    if unknown := sorted(set(levels) - {each.key for each in rubric.criteria}):
        raise InvalidRating(f"Das Kriterium '{unknown[0]}' gibt es in '{rubric.name}' nicht.")
    for each in rubric.criteria:
        level = levels[each.key]
        if isinstance(level, bool) or level not in each.levels:
            raise InvalidRating(
                f"Stufe {level} gibt es in '{rubric.name}' nicht (Kriterium {each.key}); erlaubt: "
                f"{rubric.scale.min:g}-{rubric.scale.max:g}."
            )
    return {key: int(level) for key, level in levels.items()}
