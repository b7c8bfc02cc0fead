"""Files of ratings for tests, and taking them over."""

from pathlib import Path
from typing import Any

import building
from sqlmodel import Session, col, func, select

from reallabor.database import reading, transaction
from reallabor.models import (
    AuditEntry,
    Case,
    OutboxEntry,
    Person,
    Rater,
    Rating,
    Round,
    Rubric,
    Scenario,
)
from reallabor.rating.importing import ImportReport, import_ratings
from reallabor.rating.rating_file import read_ratings

HEADER = "case,variant,rater,criterion,level,comment,cluster\n"
ROWS = "".join(
    f"c{case},{variant},{rater},{criterion},{1 + (case + len(variant) + len(rater)) % 5},,\n"
    for case in range(4)
    for variant in ("alpha", "be")
    for rater in ("Ruth Rater", "Rolf Richter")
    for criterion in ("F", "G")
)
NUMBER = 32


def write(tmp_path: Path, rows: str, name: str = "r.csv") -> Path:
    file = tmp_path / name
    file.write_text(HEADER + rows, encoding="utf-8")
    return file


def take(slug: str, file: Path, **options: Any) -> ImportReport:
    """One import in a transaction of its own, as the pilot team does it."""
    with transaction() as session:
        pilot = session.exec(select(Person).where(Person.name == "Paul Pilot")).first()
        pilot = pilot or building.add_staff(session)["pilot"]
        return import_ratings(session, slug, read_ratings(file), actor=pilot, **options)


def current(session: Session) -> list[Rating]:
    return list(
        session.exec(
            select(Rating).where(col(Rating.superseded_at).is_(None)).order_by(col(Rating.id))
        ).all()
    )


def count_of(session: Session, table: Any) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


def assert_nothing_stored() -> None:
    with reading() as session:
        for table in (Scenario, Case, Round, Rater, Rating, Rubric, OutboxEntry, AuditEntry):
            assert count_of(session, table) == 0, table
