"""Speaks to `evaluations/lernpfad/`: the lessons of the learning path, Markdown with a head."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reallabor.content import Content, load_front_matter
from reallabor.errors import UnknownObject
from reallabor.settings import get_settings

Text = Annotated[str, StringConstraints(min_length=1)]
RoleKey = Literal[
    "pilot", "evaluator", "organiser", "steering",
    "data_protection", "staff_council", "security", "subject",
]  # fmt: skip
"""The roles of `reallabor.models.Role`; named anew, because files are checked where no database
library is installed."""


class Question(Content):
    """A check question; the answer is folded until the reader wants it."""

    question: Text
    answer: Text


class LessonHead(Content):
    """What stands in the head of a lesson."""

    title: Text
    roles: Annotated[list[RoleKey], Field(min_length=1)]
    """For whom the lesson is part of the path."""
    minutes: Annotated[int, Field(ge=1)]
    """How long reading takes."""
    order: Annotated[int, Field(ge=1)]
    """Place in the path, ascending."""
    questions: Annotated[list[Question], Field(min_length=1, max_length=2)]


class Lesson(LessonHead):
    """A lesson; `key` is its file name, `body` its Markdown, headings from the second level."""

    key: str
    body: str


def lesson_keys(folder: Path | None = None) -> list[str]:
    """The lessons that lie in the folder, sorted by name."""
    folder = folder or get_settings().content / "evaluations"
    return sorted(path.stem for path in (folder / "lernpfad").glob("*.md"))


def load_lesson(key: str, folder: Path | None = None) -> Lesson:
    """The lesson of that name. Raises UnknownObject, and InvalidContent with file and line."""
    folder = folder or get_settings().content / "evaluations"
    if key not in lesson_keys(folder):
        raise UnknownObject(f"Eine Lektion '{key}' gibt es hier nicht. Bitte „Lernen“ öffnen.")
    head, body = load_front_matter(folder / "lernpfad" / f"{key}.md", LessonHead)
    return Lesson(key=key, body=body, **head.model_dump())


def load_lessons(folder: Path | None = None) -> list[Lesson]:
    """All lessons in the order of the path."""
    lessons = [load_lesson(key, folder) for key in lesson_keys(folder)]
    return sorted(lessons, key=lambda lesson: (lesson.order, lesson.key))
