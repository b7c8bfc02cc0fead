"""Lessons: what a lesson file must hold, and each person's progress."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import building
import pytest
from building import Call, Trial, person
from sqlmodel import select

from reallabor.database import reading, transaction
from reallabor.errors import InvalidContent, NotAllowed, UnknownObject
from reallabor.lessons import RoleKey, load_lesson, load_lessons
from reallabor.models import LessonRead, Role
from reallabor.rating.learning import (
    is_read,
    learning_paths,
    lessons_read,
    mark_read,
    mark_unread,
    next_lesson,
)


@pytest.fixture
def people(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        building.add_staff(session)


# --- files --------------------------------------------------------------------------------------


def test_files_and_tables_know_the_same_roles() -> None:
    assert set(get_args(RoleKey)) == {role.value for role in Role}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("---\ntitle: Wie man", "title: Wie man", "Zeile 1: Der Kopf fehlt"),
        ("title: Wie man bewertet\n", "", "Zeile 2, Feld title: fehlt"),
        ("roles: [evaluator, organiser]", "roles: [evaluator, chef]",
         "Zeile 3, Feld roles.1: muss einer dieser Werte sein"),
        ("roles: [evaluator, organiser]", "roles: []", "Feld roles: hat zu wenige Einträge"),
        ("minutes: 5", "minutes: 0", "Zeile 4, Feld minutes: ist zu klein"),
        ("order: 1", "platz: 1", "Feld order: fehlt"),
        ("title: Wie man", "title: [Wie man", "Das ist kein gültiges YAML"),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_broken_lesson_names_file_line_and_field(
    trial: Trial, call: Callable[..., Call], old: str, new: str, sentence: str
) -> None:
    path = trial.content / "evaluations" / "lernpfad" / "bewerten.md"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidContent) as refusal:
        load_lesson("bewerten")
    assert str(path) in str(refusal.value)
    assert sentence in str(refusal.value)
    checked = call("check-content")
    assert checked.code == 1
    assert sentence in checked.err


def test_lesson_without_text_is_refused(trial: Trial) -> None:
    path = trial.content / "evaluations" / "lernpfad" / "bewerten.md"
    head = path.read_text("utf-8").split("\n---\n")[0]
    path.write_text(f"{head}\n---\n \n", encoding="utf-8")
    with pytest.raises(InvalidContent, match="Unter dem Kopf steht kein Text"):
        load_lesson("bewerten")


def test_lesson_name_is_no_path(trial: Trial) -> None:
    for name in ("gibtesnicht", "../lernpfad/bewerten", ""):
        with pytest.raises(UnknownObject):
            load_lesson(name)


# --- progress -----------------------------------------------------------------------------------


def test_own_path_comes_first_and_in_order(people: None) -> None:
    with reading() as session:
        paths = learning_paths(session, person(session, "Stefan Lenkung"))
    assert paths[0].role == Role.STEERING
    assert {path.role for path in paths} == set(Role)
    for path in paths:
        orders = [step.lesson.order for step in path.steps]
        assert orders == sorted(orders)
        assert orders
        assert all(path.role.value in step.lesson.roles for step in path.steps)


def test_reading_is_counted_and_taken_back(people: None) -> None:
    with transaction() as session:
        anna = person(session, "Anna Bewertung")
        total = lessons_read(session, anna)[1]
        for _ in range(2):  # a second mark changes nothing
            mark_read(session, "bewerten", actor=anna)
        mark_read(session, "durchlauf", actor=anna)  # of another path: no progress in one's own
        assert lessons_read(session, anna) == (1, total)
        assert lessons_read(session, person(session, "Bert Bewertung")) == (0, total)
        assert is_read(session, "bewerten", actor=anna)
        mark_unread(session, "bewerten", actor=anna)
        mark_unread(session, "bewerten", actor=anna)
        assert lessons_read(session, anna) == (0, total)
        assert not is_read(session, "bewerten", actor=anna)


def test_lesson_in_two_paths_counts_once(people: None) -> None:
    with transaction() as session:
        both = building.add_person(session, "Berta Beides", Role.EVALUATOR, Role.ORGANISER)
        own = {lesson.key for lesson in load_lessons()
               if {"evaluator", "organiser"} & set(lesson.roles)}  # fmt: skip
        assert lessons_read(session, both) == (0, len(own))
        assert len(learning_paths(session, both)[0].steps) < len(own)


def test_next_lesson_is_the_next_unread_one(people: None) -> None:
    with transaction() as session:
        anna = person(session, "Anna Bewertung")
        own = [step.lesson.key for step in learning_paths(session, anna)[0].steps]

        def after(key: str) -> str | None:
            found = next_lesson(session, anna, key)
            return found.key if found else None

        assert after(own[0]) == own[1]
        mark_read(session, own[1], actor=anna)
        assert after(own[0]) == own[2]
        assert after(own[-1]) == own[0]
        for key in own[:-1]:
            mark_read(session, key, actor=anna)
        assert after(own[0]) == own[-1]
        assert after(own[-1]) is None


def test_person_without_a_role_marks_nothing(people: None) -> None:
    with transaction() as session:
        nora = person(session, "Nora Niemand")
        with pytest.raises(NotAllowed, match="Nora Niemand"):
            mark_read(session, "bewerten", actor=nora)
        assert lessons_read(session, nora) == (0, 0)
    with transaction() as session:
        with pytest.raises(UnknownObject):
            mark_read(session, "gibtesnicht", actor=person(session, "Anna Bewertung"))
        assert session.exec(select(LessonRead)).all() == []


def test_lessons_lie_in_the_content_folder(trial: Trial) -> None:
    folder = trial.content / "evaluations" / "lernpfad"
    for path in Path(folder).glob("*.md"):
        path.unlink()
    assert load_lessons() == []
