"""A round that people and a stand-in for a language model rate; for the tests of judges."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import building
import pytest
from building import CRITERIA, Trial
from sqlmodel import col, select
from stand_in_judge import Reply, StandInJudge

from reallabor.database import reading, transaction
from reallabor.models import (
    Assignment,
    Criterion,
    JudgeRating,
    Output,
    Person,
    Rater,
    Rating,
    Round,
)
from reallabor.rating.judge_passes import JudgeReport
from reallabor.rating.judging import judge_round
from reallabor.rating.rounds import open_round, release_round
from reallabor.recording.endpoint import Endpoint

MODEL = "Ersatzmodell 7B"
FAILING = ("f-3",)
StandIn = Callable[[Callable[[dict[str, str], int], Reply]], StandInJudge]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    made: list[StandInJudge] = []

    def make(reply: Callable[[dict[str, str], int], Reply]) -> StandInJudge:
        made.append(StandInJudge(reply))
        return made[-1]

    yield make
    for each in made:
        each.close()


@dataclass(frozen=True)
class OpenRound:
    """A round over three variants of six cases, one of which failed everywhere."""

    trial: Trial
    round_id: int

    @property
    def slug(self) -> str:
        return self.trial.slug


@pytest.fixture
def open_(trial: Trial, platform_url: str) -> OpenRound:
    with transaction() as session:
        building.load_with_runs(session, trial, failing=FAILING)
        staff = building.add_staff(session)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        return OpenRound(trial, round_.id or 0)


def person(name: str = "Olga Organisation") -> Person:
    with reading() as session:
        found = session.exec(select(Person).where(Person.name == name)).one()
        session.expunge(found)
        return found


def endpoint_at(server: StandInJudge, **more: Any) -> Endpoint:
    return Endpoint(server.url, MODEL, **{"retries": 0, "timeout_s": 5.0, **more})


def judge(open_: OpenRound, server: StandInJudge, **more: Any) -> JudgeReport:
    return judge_round(open_.slug, endpoint_at(server, **more), actor=person())


def rate_by(open_: OpenRound, level: Callable[[str, str], int]) -> None:
    """Everybody has rated what they were given, the same on all criteria; `level` takes name and
    text of the output. Rows as `submit_rating` writes them, because there are many."""
    with transaction() as session:
        round_ = session.get_one(Round, open_.round_id)
        criteria = session.exec(select(Criterion.id).where(Criterion.rubric_id == round_.rubric_id))
        criterion_ids = criteria.all()
        rows = session.exec(
            select(Rater.id, Person.name, Output.id, Output.text)
            .join(Assignment, col(Assignment.rater_id) == Rater.id)
            .join(Output, col(Output.id) == Assignment.output_id)
            .join(Person, col(Person.id) == Rater.person_id)
            .where(Rater.round_id == round_.id)
        ).all()
        session.add_all(
            Rating(
                round_id=open_.round_id, rater_id=rater_id, output_id=output_id,
                criterion_id=criterion_id, level=level(name.split()[0], text or ""),
                submission=f"{rater_id}/{output_id}",
            )
            for rater_id, name, output_id, text in rows
            for criterion_id in criterion_ids
        )  # fmt: skip


def release(open_: OpenRound) -> None:
    with transaction() as session:
        organiser = session.exec(select(Person).where(Person.name == "Olga Organisation")).one()
        release_round(session, open_.round_id, actor=organiser)


def stored() -> dict[str, dict[str, Any]]:
    """Levels and errors by text of the output and criterion, of all judges together."""
    with reading() as session:
        rows = session.exec(
            select(Output.text, Criterion.key, JudgeRating)
            .join(JudgeRating, col(JudgeRating.output_id) == Output.id)
            .join(Criterion, col(Criterion.id) == JudgeRating.criterion_id)
        ).all()
    found: dict[str, dict[str, Any]] = {}
    for text, key, rating in rows:
        found.setdefault(text, {})[key] = rating.level if rating.error is None else rating.error
        assert (rating.error is None) == (rating.rationale == f"Ersatzgrund {key}.")
    assert all(set(each) == set(CRITERIA) for each in found.values())
    return found
