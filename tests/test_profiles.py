"""Named weight profiles: the newest of a name counts, nothing is overwritten, and who may."""

import building
import pytest
from sqlmodel import Session, col, select

from reallabor.comparison_scales import KEYS
from reallabor.database import reading, transaction
from reallabor.deciding.profiles import (
    find_profile,
    list_profiles,
    retire_profile,
    save_profile,
)
from reallabor.errors import InvalidProfile, InvalidWeights, NotAllowed, UnknownObject
from reallabor.models import AuditEntry, Person, WeightProfile

POINTS = dict(zip(KEYS, (40, 20, 15, 15, 5, 5), strict=True))
OTHER = dict(zip(KEYS, (1, 1, 0, 0, 0, 0), strict=True))


@pytest.fixture(autouse=True)
def staff(platform_url: str) -> None:
    with transaction() as session:
        building.add_staff(session)


def named(session: Session, name: str) -> Person:
    return session.exec(select(Person).where(Person.name == name)).one()


def save(name: str, weights: dict[str, float] = POINTS, by: str = "Stefan Lenkung") -> None:
    with transaction() as session:
        save_profile(session, name, weights, actor=named(session, by))


def retire(name: str, by: str = "Stefan Lenkung") -> None:
    with transaction() as session:
        retire_profile(session, name, actor=named(session, by))


def rows() -> list[tuple[str, float, bool]]:
    with reading() as session:
        found = session.exec(select(WeightProfile).order_by(col(WeightProfile.id))).all()
        return [(each.name, each.weights["quality"], each.retired) for each in found]


def listed() -> list[str]:
    with reading() as session:
        return [each.name for each in list_profiles(session)]


def test_saved_weights_sum_to_one() -> None:
    save("  Nutzen \n zuerst ", {key: 7 * points for key, points in POINTS.items()})
    with reading() as session:
        (profile,) = list_profiles(session)
        assert find_profile(session, "Nutzen zuerst") == profile
    assert sum(profile.weights.values()) == pytest.approx(1)
    assert list(profile.weights) == list(KEYS)
    assert profile.weights["quality"] == pytest.approx(0.4)


def test_changed_profile_is_a_new_row() -> None:
    save("Vorsichtig")
    save("Vorsichtig", OTHER)
    assert rows() == [("Vorsichtig", 0.4, False), ("Vorsichtig", 0.5, False)]
    with reading() as session:
        assert find_profile(session, "Vorsichtig").weights["quality"] == 0.5
    assert listed() == ["Vorsichtig"]


def test_same_weights_again_change_nothing() -> None:
    save("Vorsichtig")
    save("Vorsichtig")
    assert len(rows()) == 1
    with reading() as session:
        assert len(session.exec(select(AuditEntry)).all()) == 1


def test_profiles_are_listed_by_name() -> None:
    for name in ("zuletzt", "Anfang", "mitte"):
        save(name)
    assert listed() == ["Anfang", "mitte", "zuletzt"]


def test_retired_profile_leaves_the_list_and_can_come_back() -> None:
    save("Vorsichtig")
    save("Anders")
    retire("Vorsichtig")
    assert listed() == ["Anders"]
    with reading() as session, pytest.raises(UnknownObject, match="'Vorsichtig' gibt es nicht"):
        find_profile(session, "Vorsichtig")
    with pytest.raises(UnknownObject):
        retire("Vorsichtig")
    save("Vorsichtig")
    assert listed() == ["Anders", "Vorsichtig"]
    assert [each for each in rows() if each[0] == "Vorsichtig"] == [
        ("Vorsichtig", 0.4, False), ("Vorsichtig", 0.4, True), ("Vorsichtig", 0.4, False),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", " \n ", "x" * 61, "Vorgabe", "vorgabe "])
def test_name_is_refused_and_nothing_stored(name: str) -> None:
    with pytest.raises(InvalidProfile, match="Name"):
        save(name)
    assert rows() == []


@pytest.mark.parametrize(
    ("weights", "error"),
    [
        (dict.fromkeys(KEYS, 0.0), InvalidWeights),
        (POINTS | {"quality": -1}, InvalidWeights),
        (POINTS | {"quality": float("nan")}, InvalidWeights),
        ({"quality": 1.0}, InvalidWeights),
        (POINTS | {"eleganz": 1}, UnknownObject),
    ],
)
def test_weights_are_refused_and_nothing_stored(
    weights: dict[str, float], error: type[Exception]
) -> None:
    with pytest.raises(error, match="Gewicht"):
        save("Vorsichtig", weights)
    assert rows() == []


@pytest.mark.parametrize(
    ("person", "may"),
    [
        ("Stefan Lenkung", True), ("Olga Organisation", True), ("Paul Pilot", False),
        ("Anna Bewertung", False), ("Nora Niemand", False),
    ],
)  # fmt: skip
def test_who_may_save_and_retire(person: str, may: bool) -> None:
    save("Vorsichtig")
    if may:
        save("Vorsichtig", OTHER, by=person)
        retire("Vorsichtig", by=person)
        assert len(rows()) == 3
        return
    with pytest.raises(NotAllowed, match="nur der Lenkungskreis"):
        save("Vorsichtig", OTHER, by=person)
    with pytest.raises(NotAllowed, match=f"'{person}' hat diese Aufgabe nicht"):
        retire("Vorsichtig", by=person)
    assert rows() == [("Vorsichtig", 0.4, False)]


def test_every_change_is_in_the_trail_without_names() -> None:
    save("Gewichte von Ruth")
    retire("Gewichte von Ruth")
    with reading() as session:
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        assert [each.action for each in entries] == ["profile_saved", "profile_retired"]
        assert entries[0].details["weights"]["quality"] == pytest.approx(0.4)
        assert "Ruth" not in str([each.model_dump() for each in entries])
