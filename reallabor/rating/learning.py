"""The learning path: which lessons belong to whom, and which somebody has marked as read."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, select

from reallabor.lessons import Lesson, load_lesson, load_lessons
from reallabor.models import LessonRead, Person, Role, row_id
from reallabor.policies import may_learn, require


@dataclass(frozen=True)
class PathStep:
    """A lesson as one person stands to it."""

    lesson: Lesson
    read: bool


@dataclass(frozen=True)
class LearningPath:
    """The lessons of one role."""

    role: Role
    steps: Sequence[PathStep]

    @property
    def done(self) -> int:
        """Lessons marked as read."""
        return sum(step.read for step in self.steps)


def learning_paths(session: Session, person: Person) -> list[LearningPath]:
    """The path of every role, those of the person first; a lesson may be part of several."""
    read = set(session.exec(select(LessonRead.lesson).where(LessonRead.person_id == person.id)))
    steps = [PathStep(lesson, lesson.key in read) for lesson in load_lessons()]
    roles = sorted(Role, key=lambda role: role.value not in person.roles)  # stable: own ones first
    return [
        LearningPath(role, [step for step in steps if role.value in step.lesson.roles])
        for role in roles
    ]


def lessons_read(session: Session, person: Person) -> tuple[int, int]:
    """How many of the person's own lessons are read, and how many there are."""
    own = {
        step.lesson.key: step.read
        for path in learning_paths(session, person)
        if path.role.value in person.roles
        for step in path.steps
    }
    return sum(own.values()), len(own)


def next_lesson(session: Session, person: Person, key: str) -> Lesson | None:
    """The unread lesson that follows in the person's own paths, else the first unread one before;
    None where all are read."""
    own = {
        step.lesson.key: step
        for path in learning_paths(session, person)
        if path.role.value in person.roles
        for step in path.steps
    }
    place = next((step.lesson.order for step in own.values() if step.lesson.key == key), 0)
    unread = [step.lesson for step in own.values() if not step.read and step.lesson.key != key]
    return min(unread, key=lambda lesson: (lesson.order <= place, lesson.order), default=None)


def is_read(session: Session, key: str, *, actor: Person) -> bool:
    """Whether the person has marked the lesson as read."""
    return session.get(LessonRead, (actor.id, key)) is not None


def mark_read(session: Session, key: str, *, actor: Person) -> None:
    """Note that the person has read the lesson; again changes nothing. Raises UnknownObject."""
    require(may_learn, actor)
    load_lesson(key)
    session.merge(LessonRead(person_id=row_id(actor.id), lesson=key))
    session.flush()


def mark_unread(session: Session, key: str, *, actor: Person) -> None:
    """Take the mark away, where there is one."""
    require(may_learn, actor)
    if found := session.get(LessonRead, (actor.id, key)):
        session.delete(found)
        session.flush()
