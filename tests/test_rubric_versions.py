"""A rubric in a new version: the stored one stays, the file follows where it can be written."""

from typing import Any

import building
import pytest
from building import Trial
from sqlmodel import Session, select

from reallabor.checking import check_all
from reallabor.database import reading, transaction
from reallabor.errors import InvalidContent, NotAllowed, UnknownObject, WrongState
from reallabor.evaluations import RubricContent, load_rubric
from reallabor.models import AuditEntry, Person, Role, Round, Rubric, Scenario
from reallabor.rating.rounds import open_round
from reallabor.recording.catalogue import load_shipped
from reallabor.recording.rubric_versions import (
    create_rubric_version,
    list_rubric_versions,
    newest_rubric,
    write_rubric_file,
)

CLEARER = "Im Kern richtig; was fehlt, ändert das Ergebnis nicht"


def organiser(session: Session) -> Person:
    return building.add_person(session, "Olga", Role.ORGANISER)


def change(base: RubricContent, **levels: str) -> dict[str, Any]:
    """The texts of the criterion FR with some levels changed: `three="…"`."""
    number = {"one": 1, "three": 3, "five": 5}
    first = base.criteria[0]
    changed = {number[name]: text for name, text in levels.items()}
    return {"FR": {"question": first.question, "levels": {**first.levels, **changed}}}


def new_version(session: Session, actor: Person | None = None, **levels: str) -> RubricContent:
    base = newest_rubric(session, "auskunft")
    return create_rubric_version(
        session, base, change(base, **levels or {"three": CLEARER}),
        actor=actor or organiser(session),
    )  # fmt: skip


def test_new_version_leaves_the_stored_one(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_shipped(session)
        before = list_rubric_versions(session, "auskunft")[0].model_dump()
        content = new_version(session)
        assert content.name == "auskunft@2"
        old, new = list_rubric_versions(session, "auskunft")
        assert old.model_dump() == before
        assert new.content["criteria"][0]["levels"]["3"] == CLEARER
        assert new.content["criteria"][1:] == old.content["criteria"][1:]
        assert new.content["gates"] == old.content["gates"]
        assert session.exec(select(AuditEntry.action)).all()[-1] == "rubric_version_created"


def test_running_round_keeps_its_version(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        new_version(session, staff["organiser"])
        kept = session.get_one(Rubric, session.get_one(Round, round_.id).rubric_id)
        assert kept.name == "auskunft@1"
        assert session.get_one(Rubric, session.exec(select(Scenario)).one().rubric_id) == kept


@pytest.mark.parametrize("role", [Role.PILOT, Role.EVALUATOR, Role.STEERING])
def test_only_organisers_write_versions(trial: Trial, platform_url: str, role: Role) -> None:
    with transaction() as session:
        load_shipped(session)
        with pytest.raises(NotAllowed, match="neu fassen"):
            new_version(session, building.add_person(session, "Paul", role))
        assert len(list_rubric_versions(session, "auskunft")) == 1


def test_nothing_changed_makes_no_version(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_shipped(session)
        base = newest_rubric(session, "auskunft")
        with pytest.raises(InvalidContent, match="nichts geändert"):
            create_rubric_version(session, base, change(base), actor=organiser(session))
        assert len(list_rubric_versions(session, "auskunft")) == 1


def test_level_without_text_is_refused(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_shipped(session)
        with pytest.raises(InvalidContent):
            new_version(session, five=" ")
        assert len(list_rubric_versions(session, "auskunft")) == 1


def test_older_version_is_no_base(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_shipped(session)
        who = organiser(session)
        base = newest_rubric(session, "auskunft")
        new_version(session, who)
        with pytest.raises(WrongState, match="inzwischen die Fassung 2"):
            create_rubric_version(session, base, change(base, one="Ganz falsch"), actor=who)


def test_unknown_rubric_and_criterion_are_named(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_shipped(session)
        with pytest.raises(UnknownObject, match="gibtesnicht"):
            newest_rubric(session, "gibtesnicht")
        base = newest_rubric(session, "auskunft")
        with pytest.raises(InvalidContent, match="XX"):
            create_rubric_version(session, base, {"XX": {}}, actor=organiser(session))


def test_file_follows_and_loads_as_stored(trial: Trial, platform_url: str) -> None:
    path = trial.content / "evaluations" / "auskunft.yaml"
    comment = path.read_text("utf-8").split("key:")[0]
    with transaction() as session:
        load_shipped(session)
        content = new_version(session)
    assert write_rubric_file(content) == path
    assert path.read_text("utf-8").startswith(comment)
    assert comment.startswith("#")
    assert load_rubric("auskunft") == content
    check_all()
    with transaction() as session:
        load_shipped(session)  # the file is the new version: scenarios that name it follow
        scenario = session.exec(select(Scenario)).one()
        assert session.get_one(Rubric, scenario.rubric_id).name == "auskunft@2"
    assert write_rubric_file(content) is None  # it is there already


def test_unwritable_folder_leaves_the_database_ahead(trial: Trial, platform_url: str) -> None:
    folder = trial.content / "evaluations"
    path = folder / "auskunft.yaml"
    with transaction() as session:
        load_shipped(session)
        content = new_version(session)
    (folder / ".auskunft.yaml.neu").mkdir()  # stands in the way, also for root
    before = path.read_bytes()
    assert write_rubric_file(content) is None
    assert path.read_bytes() == before
    with transaction() as session:
        load_shipped(session)  # the older file goes on to load
        assert [each.version for each in list_rubric_versions(session, "auskunft")] == [1, 2]
    with reading() as session:
        assert newest_rubric(session, "auskunft") == content
