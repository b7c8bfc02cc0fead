"""The data version: every write that a comparison shows raises it, and rating itself does not."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import building
import pytest
from building import Trial
from sqlalchemy import update
from sqlmodel import Session, SQLModel, select

from reallabor.database import reading, transaction
from reallabor.deciding.decisions import decide
from reallabor.models import (
    Case,
    Condition,
    Decision,
    GateOutcome,
    GateReview,
    Organisation,
    Person,
    Rating,
    Remark,
    Round,
    Scenario,
    data_versions,
    row_id,
)
from reallabor.models.data_version import ALL, UNSHOWN, WAYS
from reallabor.rating.rounds import open_round, release_round


def versions() -> dict[int, int]:
    with reading() as session:
        return data_versions(session)


def only_round(session: Session) -> Round:
    return session.exec(select(Round)).one()


def named(session: Session, name: str) -> Person:
    return session.exec(select(Person).where(Person.name == name)).one()


@pytest.fixture
def rated(trial: Trial, platform_url: str) -> Trial:
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        open_round(session, trial.slug, actor=staff["organiser"])
    return trial


def test_every_table_is_shown_or_known_not_to_be() -> None:
    shown = {table.__tablename__ for table in WAYS}
    assert shown | UNSHOWN == set(SQLModel.metadata.tables)
    assert not shown & UNSHOWN


def test_rating_in_an_open_round_raises_nothing(rated: Trial) -> None:
    before = versions()
    with transaction() as session:
        round_ = only_round(session)
        building.rate_all(session, round_, named(session, "Anna Bewertung"), 4)
    with transaction() as session:  # once more: the first ratings are superseded
        round_ = only_round(session)
        building.rate_all(session, round_, named(session, "Anna Bewertung"), 2)
    assert versions() == before


def _release(session: Session, scenario: Scenario, actor: Person) -> None:
    release_round(session, row_id(only_round(session).id), actor=actor)


def _revise(session: Session, scenario: Scenario, actor: Person) -> None:
    session.exec(update(Rating).values(level=1.0))


def _remark(session: Session, scenario: Scenario, actor: Person) -> None:
    rating = session.exec(select(Rating)).first()
    assert rating is not None
    session.add(
        Remark(
            rater_id=rating.rater_id, output_id=rating.output_id, rework_minutes=12,
            submission=rating.submission,
        )
    )  # fmt: skip


def _decide(session: Session, scenario: Scenario, actor: Person) -> None:
    steering = named(session, "Stefan Lenkung")
    decide(session, scenario.slug, verdict="Beenden", reason="x", name="y", actor=steering)


def _review(session: Session, scenario: Scenario, actor: Person) -> None:
    session.add(
        GateReview(
            scenario_id=row_id(scenario.id), gate="personalrat", outcome=GateOutcome.PASSED,
            office="Personalrat", note="", legal_status=date(2026, 11, 1), content_sha256="",
            person_id=row_id(actor.id),
        )
    )  # fmt: skip


def _condition(session: Session, scenario: Scenario, actor: Person) -> None:
    decision = session.exec(select(Decision)).one()
    session.add(
        Condition(
            decision_id=row_id(decision.id), position=1, text="x", owner="y",
            due_on=date(2027, 1, 1),
        )
    )  # fmt: skip


def _rename(session: Session, scenario: Scenario, actor: Person) -> None:
    scenario.title = "Anders"


Write = Callable[[Session, Scenario, Person], None]


@pytest.mark.parametrize(
    ("first", "write"),
    [
        ([], _release), ([_release], _remark), ([_release], _decide), ([], _review),
        ([_release, _decide], _condition), ([], _rename),
    ],
)  # fmt: skip
def test_a_shown_write_raises_its_scenario_alone(
    rated: Trial, first: list[Write], write: Write
) -> None:
    with transaction() as session:
        organiser = named(session, "Olga Organisation")
        scenario = session.exec(select(Scenario).where(Scenario.slug == rated.slug)).one()
        building.rate_all(session, only_round(session), named(session, "Anna Bewertung"), 4)
        for step in first:
            step(session, scenario, organiser)
        number = row_id(scenario.id)
    before = versions()
    with transaction() as session:
        scenario = session.get_one(Scenario, number)
        write(session, scenario, named(session, "Olga Organisation"))
    after = versions()
    assert after.pop(number) == before.pop(number) + 1
    assert after == before


def test_a_statement_over_many_rows_raises_all(rated: Trial) -> None:
    before = versions()
    with transaction() as session:
        session.exec(update(Rating).values(comment=None))
    assert versions() == {**before, ALL: before.get(ALL, 0) + 1}


def test_what_is_rolled_back_raises_nothing_and_the_next_write_does(rated: Trial) -> None:
    before = versions()
    with transaction() as session:
        session.add(Organisation(name="Haus"))
        session.flush()
        session.rollback()
        session.add(Organisation(name="Anderes Haus", left_on=datetime.now(UTC).date()))
    assert versions() == {**before, ALL: before.get(ALL, 0) + 1}


@pytest.mark.parametrize("backend", ["postgresql"])  # SQLite lets one write at a time
def test_writers_in_opposite_order_do_not_block_each_other(rated: Trial) -> None:
    """One changes the scenario and then what all share, the other the other way round."""
    before = versions()
    with reading() as session:
        number = row_id(session.exec(select(Scenario.id)).one())
    both_began = threading.Barrier(2, timeout=20)

    def write(name: str, *, shared_first: bool) -> None:
        with transaction() as session:
            rows = [Organisation(name=name),
                    Case(scenario_id=number, key=name, input="Frage?")]  # fmt: skip
            first, second = rows if shared_first else rows[::-1]
            session.add(first)
            session.flush()
            both_began.wait()
            session.add(second)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write, "Eins", shared_first=True),
                     pool.submit(write, "Zwei", shared_first=False)]:  # fmt: skip
            done.result()
    assert versions() == {ALL: before.get(ALL, 0) + 2, number: before[number] + 2}
