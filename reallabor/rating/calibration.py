"""Who is calibrated for a rubric version, and how a round met its gold cases. People are shown
their own status only; of a round only figures over all its raters exist.

The rule: a person rates gold cases in training and sees reference and reason after each one. What
they gave FIRST for a case counts; there is no second answer. `enough` cases in a row are an
attempt, and whoever has `share` of its judgements within `tolerance` is calibrated for the rubric
version. Whoever misses may begin another attempt, on cases whose explanation they have not read:
with eight cases and attempts of four that is two. Afterwards new gold cases are needed. A case is
known by its key, so that a corrected text is not a new case. Cases met unmarked in a round are no
attempt: nothing was explained there.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from reallabor.errors import UnknownObject
from reallabor.models import GoldCase, GoldRating, GoldRule, Person, Rater, Rubric, row_id

FEWEST_RATERS = 3
"""A figure over fewer people would be a figure about a person."""

Attempt = Sequence[tuple[GoldRating, GoldCase]]
"""What a person gave, and the cases for which they gave it."""


@dataclass(frozen=True)
class Calibration:
    """One person's status for one rubric version."""

    rubric_id: int
    rubric: str
    """Name with version, such as `auskunft@1`."""
    title: str
    calibrated: bool
    reached_at: datetime | None
    attempt: int
    """From 1: the attempt that was passed, else the one that is open."""
    cases: int
    """Gold cases rated in that attempt."""
    enough: int
    judgements: int
    """Levels given in that attempt, one per case and criterion."""
    within: int
    """Of these, how many lie within tolerance."""
    needed: int
    """Judgements within tolerance that pass an attempt."""
    total: int
    """Judgements in a whole attempt."""
    tolerance: int
    unseen: int
    """Current gold cases whose explanation the person has not read."""

    @property
    def exhausted(self) -> bool:
        """Whether too few unread cases are left to finish the attempt."""
        return not self.calibrated and self.unseen < self.enough - self.cases

    @property
    def begun(self) -> bool:
        """Whether any case was rated in training."""
        return self.cases > 0 or self.attempt > 1


@dataclass(frozen=True)
class GoldFigure:
    """How near the raters of a round were to the reference on one criterion."""

    share: float | None
    """Share (0-1) of judgements within tolerance; None below FEWEST_RATERS."""
    n: int
    """Judgements on gold cases whose explanation the rater had not read before."""
    known: int
    """Judgements left out, because the rater knew the explanation from training."""


def list_gold_cases(session: Session, rubric_id: int) -> Sequence[GoldCase]:
    """The current gold cases of a rubric version in the order of training; empty where it has
    none."""
    return session.exec(
        select(GoldCase)
        .where(GoldCase.rubric_id == rubric_id, col(GoldCase.current))
        .order_by(col(GoldCase.position))
    ).all()


def fresh_gold_cases(session: Session, person: Person, rubric_id: int) -> list[int]:
    """Keys of the gold cases that this person has not met in training, those first that training
    gives last: whoever knows a case would recognise it among the outputs of a round."""
    trained = session.exec(
        select(GoldRating.gold_case_id).where(
            GoldRating.person_id == person.id, col(GoldRating.rater_id).is_(None)
        )
    ).all()
    cases = [row_id(case.id) for case in list_gold_cases(session, rubric_id)]
    return [case for case in reversed(cases) if case not in set(trained)]


def is_calibrated(session: Session, person: Person, rubric_id: int) -> bool:
    """Whether this person has passed an attempt; False where the rubric has no gold cases."""
    if session.get(GoldRule, rubric_id) is None:
        return False
    return calibration(session, person, rubric_id).calibrated


def calibration(session: Session, person: Person, rubric_id: int) -> Calibration:
    """The status of one person for one rubric version. Raises UnknownObject where the version has
    no gold cases."""
    rule = session.get(GoldRule, rubric_id)
    rubric = session.get(Rubric, rubric_id)
    if rule is None or rubric is None:
        raise UnknownObject(
            "Zu diesem Bewertungsraster gibt es keine Kalibrierfälle. Sie gehören nach "
            "evaluations/kalibrierung/."
        )
    answers = first_answers(session, person, rubric_id)
    known = {case.key for _, case in answers}
    cases = list_gold_cases(session, rubric_id)
    total = rule.enough * len(rubric.content["criteria"])
    needed = needed_judgements(rule, total)
    attempts = list(_attempts(answers, rule.enough))

    def passes(block: Attempt) -> bool:
        return len(block) == rule.enough and _hits(block, rule.tolerance) >= needed

    number = next((n for n, block in enumerate(attempts, 1) if passes(block)), len(attempts))
    block = attempts[number - 1]
    passed = passes(block)
    return Calibration(
        rubric_id=rubric_id,
        rubric=rubric.name,
        title=rubric.title,
        calibrated=passed,
        reached_at=block[-1][0].created_at if passed else None,
        attempt=number,
        cases=len(block),
        enough=rule.enough,
        judgements=sum(len(case.levels) for _, case in block),
        within=_hits(block, rule.tolerance),
        needed=needed,
        total=total,
        tolerance=rule.tolerance,
        unseen=sum(case.key not in known for case in cases),
    )


def list_calibrations(session: Session, person: Person) -> list[Calibration]:
    """The status for the newest version of every rubric that has gold cases, by title."""
    rows = session.exec(
        select(Rubric)
        .join(GoldRule, col(GoldRule.rubric_id) == Rubric.id)
        .order_by(col(Rubric.version))
    ).all()
    newest = {rubric.key: rubric for rubric in rows}
    return [
        calibration(session, person, row_id(rubric.id))
        for rubric in sorted(newest.values(), key=lambda rubric: rubric.title)
    ]


def calibration_named(session: Session, person: Person, name: str) -> Calibration:
    """The status for the rubric version of that name (`auskunft@1`). Raises UnknownObject."""
    key, _, version = name.partition("@")
    found = session.exec(
        select(Rubric.id).where(Rubric.key == key, Rubric.version == _number(version))
    ).first()
    if found is None:
        raise UnknownObject(
            f"Ein Bewertungsraster '{name}' gibt es hier nicht. Bitte unter „Lernen“ wählen."
        )
    return calibration(session, person, row_id(found))


def first_answers(
    session: Session, person: Person, rubric_id: int
) -> list[tuple[GoldRating, GoldCase]]:
    """What the person gave in training, the first per case, in the order of giving."""
    rows = session.exec(
        select(GoldRating, GoldCase)
        .join(GoldCase, col(GoldCase.id) == GoldRating.gold_case_id)
        .where(
            GoldRating.person_id == person.id,
            GoldCase.rubric_id == rubric_id,
            col(GoldRating.rater_id).is_(None),
        )
        .order_by(col(GoldRating.id))
    ).all()
    first: dict[str, tuple[GoldRating, GoldCase]] = {}
    for rating, case in rows:
        first.setdefault(case.key, (rating, case))
    return list(first.values())


def needed_judgements(rule: GoldRule, total: int) -> int:
    """How many of `total` judgements must be within tolerance: the share, rounded up."""
    return math.ceil(rule.share * total - 1e-9)  # 0.8 of 25 is 20, not 21


def is_within(
    given: Mapping[str, float], reference: Mapping[str, int], criterion: str, tolerance: int
) -> bool:
    """Whether one judgement lies within tolerance; a missing one does not."""
    return criterion in given and abs(given[criterion] - reference[criterion]) <= tolerance


def _attempts(answers: Attempt, enough: int) -> Iterable[Attempt]:
    """The whole attempts, and at the end the open one, which may be empty."""
    for start in range(0, len(answers) + 1, enough):
        yield answers[start : start + enough]


def _hits(block: Attempt, tolerance: int) -> int:
    return sum(
        is_within(rating.levels, case.levels, key, tolerance)
        for rating, case in block
        for key in case.levels
    )


def gold_agreement(session: Session, round_id: int) -> dict[str, GoldFigure]:
    """Per criterion the share of judgements within tolerance on the gold cases of a round, over
    all raters together; empty where nobody rated one.

    A case counts only for those who had not read its explanation in training: the others knew the
    reference. No figure names or tells apart a rater.
    """
    rows = session.exec(
        select(GoldRating, GoldCase, GoldRule.tolerance)
        .join(Rater, col(Rater.id) == GoldRating.rater_id)
        .join(GoldCase, col(GoldCase.id) == GoldRating.gold_case_id)
        .join(GoldRule, col(GoldRule.rubric_id) == GoldCase.rubric_id)
        .where(Rater.round_id == round_id, col(GoldRating.superseded_at).is_(None))
    ).all()
    trained = _first_trained(session, {rating.person_id for rating, _, _ in rows})

    def is_new(rating: GoldRating, case: GoldCase) -> bool:
        read_at = trained.get((rating.person_id, case.rubric_id, case.key))
        return read_at is None or rating.created_at <= read_at

    told = len({rating.person_id for rating, case, _ in rows if is_new(rating, case)})
    figures = {}
    for criterion in dict.fromkeys(key for _, case, _ in rows for key in case.levels):
        asked = [row for row in rows if criterion in row[1].levels]
        hits = [
            is_within(rating.levels, case.levels, criterion, tolerance)
            for rating, case, tolerance in asked
            if is_new(rating, case)
        ]
        figures[criterion] = GoldFigure(
            share=sum(hits) / len(hits) if hits and told >= FEWEST_RATERS else None,
            n=len(hits),
            known=len(asked) - len(hits),
        )
    return figures


def _first_trained(session: Session, people: Iterable[int]) -> dict[tuple[int, int, str], datetime]:
    """When each of these people first read the explanation of a case, by rubric and key."""
    rows = session.exec(
        select(GoldRating.person_id, GoldCase.rubric_id, GoldCase.key, GoldRating.created_at)
        .join(GoldCase, col(GoldCase.id) == GoldRating.gold_case_id)
        .where(col(GoldRating.person_id).in_(list(people)), col(GoldRating.rater_id).is_(None))
        .order_by(col(GoldRating.id).desc())
    ).all()
    return {(person, rubric, key): moment for person, rubric, key, moment in rows}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0
