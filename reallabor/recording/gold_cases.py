"""Keeps the gold cases of a rubric version as the database has them; called by the catalogue."""

from sqlalchemy import update
from sqlmodel import Session, col, select

from reallabor.database import CATALOGUE_LOCK, take_turns
from reallabor.evaluations import CalibrationContent
from reallabor.models import GoldCase, GoldRule, Rubric, row_id


def store_gold_cases(session: Session, rubric: Rubric, content: CalibrationContent) -> bool:
    """Bring rule and cases to this content; gives whether anything changed.

    A changed case is a new row. What is no longer in the file stays and is not current: what
    people gave for it still counts.
    """
    if _is_current(session, rubric, content):
        return False
    take_turns(session, CATALOGUE_LOCK)  # somebody else may be loading it right now
    if _is_current(session, rubric, content):
        return False
    rubric_id = row_id(rubric.id)
    stored = session.exec(select(GoldCase).where(GoldCase.rubric_id == rubric_id)).all()
    known = {(case.key, case.content_sha256): case for case in stored}
    session.exec(update(GoldCase).where(col(GoldCase.rubric_id) == rubric_id).values(current=False))
    for position, case in enumerate(content.cases, start=1):
        row = known.get((case.key, case.sha256)) or GoldCase(
            rubric_id=rubric_id,
            key=case.key,
            position=position,
            input=case.input,
            reference=case.reference,
            output=case.output,
            levels=case.levels,
            explanations=case.explanation,
            content_sha256=case.sha256,
        )
        row.position = position
        row.current = True
        session.add(row)
    session.merge(
        GoldRule(
            rubric_id=rubric_id,
            tolerance=content.tolerance,
            share=content.share,
            enough=content.enough,
            content_sha256=content.sha256,
        )
    )
    session.flush()
    return True


def _is_current(session: Session, rubric: Rubric, content: CalibrationContent) -> bool:
    rule = session.get(GoldRule, rubric.id, populate_existing=True)
    return rule is not None and rule.content_sha256 == content.sha256
