"""What a comparison keeps in the process: never old figures, never what was not committed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import building
import pytest
from building import Trial
from sqlalchemy import event
from sqlmodel import Session, select
from test_results import all_cases, but, released
from test_variants import another_round

from reallabor.database import get_engine, reading, transaction
from reallabor.deciding.comparison import ScenarioComparison, compare
from reallabor.deciding.decisions import decide
from reallabor.deciding.evidence import gather
from reallabor.deciding.history import history
from reallabor.deciding.variants import compare_variants
from reallabor.deciding.versioned import Versioned
from reallabor.models import Organisation, Person, Role, Round, Scenario
from reallabor.rating.results import result_of, round_result
from reallabor.rating.round_data import load_rounds
from reallabor.settings import get_settings


def shown(trial: Trial) -> ScenarioComparison:
    with reading() as session:
        return compare(session, [trial.slug])[0]


def test_second_look_computes_nothing(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    assert shown(trial) is shown(trial)


def test_every_decision_is_seen_at_once(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    for verdict in ("Nachbessern", "Beenden"):
        with transaction() as session:
            actor = session.exec(select(Person).where(Person.name == "Stefan Lenkung")).one()
            decide(session, trial.slug, verdict=verdict, reason="so", name="S", actor=actor)
        decision = shown(trial).decision
        assert decision is not None
        assert decision.verdict == verdict


def test_what_is_rolled_back_was_never_kept(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    before = shown(trial)

    class Broken(Exception):
        pass

    def rename(session: Session, title: str, end: Exception | None = None) -> None:
        scenario = session.exec(select(Scenario).where(Scenario.slug == trial.slug)).one()
        scenario.title = title
        session.add(scenario)
        session.flush()
        assert compare(session, [trial.slug])[0].title == title
        if end:
            raise end

    with pytest.raises(Broken), transaction() as session:
        rename(session, "Nie gespeichert", Broken())
    assert shown(trial).title == before.title
    with transaction() as session:
        rename(session, "Gespeichert")
    assert shown(trial).title == "Gespeichert"


def test_house_that_leaves_is_seen_at_once(trial: Trial, platform_url: str) -> None:
    from reallabor.german import today

    released(trial, all_cases(6, 4))
    assert shown(trial).organisations == {building.HOUSE: None}
    with transaction() as session:
        house = session.exec(select(Organisation).where(Organisation.name == building.HOUSE)).one()
        house.left_on = today()
        session.add(house)
    assert shown(trial).organisations == {building.HOUSE: today()}


def test_changed_rules_are_applied_at_once(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    before = shown(trial)
    file = trial.content / "evaluations" / "gates.yaml"
    file.write_text(file.read_text("utf-8") + "\n# berichtigt\n", encoding="utf-8")
    assert shown(trial) is not before


def test_rounds_together_are_as_one_by_one(trial: Trial, platform_url: str) -> None:
    released(trial, {**{key: but(4, FR=2) for key in all_cases(6, 4)}, **all_cases(4, 3, "zwei")},
             variants=("eins", "zwei"))  # fmt: skip
    with reading() as session:
        rounds = session.exec(select(Round)).all()
        together = [result_of(session, data, 0).variants for data in load_rounds(session, rounds)]
        assert together == [round_result(session, each).variants for each in rounds]


def test_only_so_many_are_kept(trial: Trial, platform_url: str) -> None:
    computed: list[list[int]] = []

    def compute(ids: Sequence[int]) -> dict[int, str]:
        computed.append(list(ids))
        return {each: f"Nr. {each}" for each in ids}

    kept: Versioned[str] = Versioned(2)
    with reading() as session:
        assert kept.find(session, [1, 2, 3], compute) == {1: "Nr. 1", 2: "Nr. 2", 3: "Nr. 3"}
        assert kept.find(session, [2, 3], compute) == {2: "Nr. 2", 3: "Nr. 3"}
        assert kept.find(session, [1], compute) == {1: "Nr. 1"}
    assert computed == [[1, 2, 3], [1]]


def test_unsaved_changes_are_not_kept(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        building.add_person(session, "Rita", Role.ORGANISER, organisation="Neues Haus")
        kept: Versioned[str] = Versioned()
        kept.find(session, [1], lambda ids: dict.fromkeys(ids, "aus einer offenen Transaktion"))
        assert kept.find(session, [1], lambda ids: dict.fromkeys(ids, "neu")) == {1: "neu"}


@contextmanager
def before_versions(act: Callable[[], None]) -> Iterator[None]:
    """Somebody else acts at the moment at which a reader asks for the versions."""
    engine, waiting = get_engine(get_settings().platform_url), [act]

    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM data_version" in statement and waiting:
            waiting.pop()()

    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert not waiting


def title(session: Session, slug: str) -> object:
    return gather(session, slug)["comparison"]["title"]  # which has read the scenario before


def counting_rounds(session: Session, slug: str) -> object:
    return [step.number for step in history(session, slug) if step.counts]


def scores(session: Session, slug: str) -> object:
    compared = compare_variants(session, slug)
    return compared and [case.scores for case in compared.cases]


@pytest.mark.parametrize("look", [title, counting_rounds, scores])
def test_what_changes_while_it_is_read_is_not_kept(
    trial: Trial, platform_url: str, look: Callable[[Session, str], object]
) -> None:
    """PostgreSQL shows a reader what others commit between two of its queries."""
    released(trial, all_cases(6, 3))
    seen = []

    def act() -> None:
        another_round(trial, 5)
        with transaction() as session:
            scenario = session.exec(select(Scenario).where(Scenario.slug == trial.slug)).one()
            scenario.title = "Neu"
            session.add(scenario)

    with before_versions(act), reading() as session:
        seen.append(look(session, trial.slug))
    with reading() as session:
        seen.append(look(session, trial.slug))
    with transaction() as session:  # any write: from here on everything is computed anew
        actor = session.exec(select(Person).where(Person.name == "Stefan Lenkung")).one()
        decide(session, trial.slug, verdict="Beenden", reason="so", name="S", actor=actor)
    with reading() as session:
        assert look(session, trial.slug) == seen[1]
