"""Rounds in which raters disagree, and the decisions on them, for tests."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import building
from building import CRITERIA, OTHER, Trial
from sqlmodel import Session, col, select

from reallabor.database import transaction
from reallabor.deciding.comparison import compare
from reallabor.deciding.published import comparison_json
from reallabor.models import Assignment, Case, Output, Person, Rater, Role, Round, row_id
from reallabor.rating.adjudicating import decide_level, list_disputes
from reallabor.rating.disputes import Dispute
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.rounds import open_round, release_round

NEUTRAL = "Otto Organisation"
"""An organiser of another house than the one whose runs are rated."""


@dataclass
class Rated:
    """An open round on one variant: Anna and Bert rate all five cases."""

    slug: str
    round_id: int


Levels = Mapping[str, Mapping[str, tuple[float, float]]]
"""Levels of Anna and Bert by case and criterion; 4 and 4 where nothing is said."""


DISAGREED: Levels = {
    "f-1": {"FR": (4, 5), "NE": (1, 5)},
    "f-2": {"FR": (2, 4), "VS": (5, 2)},
    "f-4": {"NE": (2, 4), "DS": (4, 3)},
}


def rated(trial: Trial, levels: Levels = DISAGREED, **options: Any) -> Rated:
    with transaction() as session:
        building.load_with_runs(session, trial, ["eins"])
        people = building.add_staff(session)
        building.add_person(session, NEUTRAL, Role.ORGANISER, organisation=OTHER)
        round_ = open_round(
            session, trial.slug, actor=people["organiser"],
            choice=RoundChoice(evaluators=[people["anna"], people["bert"]], **options),
        )  # fmt: skip
        for place, name in enumerate(("anna", "bert")):
            for case, token in cases_of(session, round_, people[name]):
                given = {key: pair[place] for key, pair in levels.get(case, {}).items()}
                building.rate(session, people[name], token, {**dict.fromkeys(CRITERIA, 4), **given})
        return Rated(trial.slug, row_id(round_.id))


def cases_of(session: Session, round_: Round, person: Person) -> list[tuple[str, str]]:
    rows = session.exec(
        select(Case.key, Assignment.token)
        .join(Output, col(Output.case_id) == Case.id)
        .join(Assignment, col(Assignment.output_id) == Output.id)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .where(Rater.round_id == round_.id, Rater.person_id == person.id)
    ).all()
    return [tuple(row) for row in rows]


def person(session: Session, name: str = NEUTRAL) -> Person:
    return session.exec(select(Person).where(col(Person.name).startswith(name))).one()


def disputes(session: Session, rated: Rated, name: str = NEUTRAL) -> list[Dispute]:
    return list_disputes(session, rated.round_id, actor=person(session, name))


def case_of(session: Session, dispute: Dispute) -> str:
    return session.exec(
        select(Case.key)
        .join(Output, col(Output.case_id) == Case.id)
        .where(Output.id == dispute.place[0])
    ).one()


def decide(session: Session, rated: Rated, dispute: Dispute, level: float, **options: Any) -> Any:
    who = person(session, options.pop("who", NEUTRAL))
    return decide_level(
        session, rated.round_id, options.pop("token", dispute.token), level=level, actor=who,
        **{"seen": dispute.seen, "submission": str(uuid.uuid4()), **options},
    )  # fmt: skip


def the_dispute(session: Session, rated: Rated, case: str, criterion: str) -> Dispute:
    (found,) = [each for each in disputes(session, rated)
                if (case_of(session, each), each.criterion) == (case, criterion)]  # fmt: skip
    return found


def rate_again(session: Session, rated: Rated, name: str, case: str, **levels: float) -> None:
    """One rater changes an output; what is not named stays 4."""
    who = person(session, name)
    round_ = session.get_one(Round, rated.round_id)
    token = dict(cases_of(session, round_, who))[case]
    building.rate(session, who, token, {**dict.fromkeys(CRITERIA, 4), **levels})


def release(session: Session, rated: Rated) -> dict[str, Any]:
    release_round(session, rated.round_id, actor=person(session))
    return comparison_json(compare(session, [rated.slug])[0])
