"""Worksheets of the law: who fills them, which answer counts, and the gate that waits for them."""

from typing import Any

import building
import pytest
from building import Trial
from reviewing import (
    STOPPING,
    find,
    gate_of,
    reviewer,
)
from sqlmodel import select

from reallabor.database import reading, transaction
from reallabor.deciding.gates import GateState
from reallabor.deciding.worksheets import answer_worksheet, list_worksheets
from reallabor.errors import InvalidFinding, ReallaborError
from reallabor.models import (
    Role,
    WorksheetAnswer,
)


def progress(slug: str) -> dict[str, str]:
    with reading() as session:
        return {view.sheet.key: view.progress for view in list_worksheets(session, slug)}


def test_worksheets_of_high_risk_appear_with_it(reviewed: Trial) -> None:
    assert progress(reviewed.slug) == {"art-5": "0 von 8 geklärt"}
    risk = {"class": "Hochrisiko", "high_risk": True, "article": "Anhang III", "reason": "x"}
    reviewed.change(risk_class=risk)
    with transaction() as session:
        building.load_shipped(session)
    assert progress(reviewed.slug) == {
        "art-5": "0 von 8 geklärt", "art-26": "0 von 10 geklärt", "art-27": "0 von 6 geklärt",
    }  # fmt: skip
    assert gate_of(reviewed, "grundrechte-folgenabschaetzung").state == GateState.OPEN


def answer(slug: str, item: str = "a", text: str = "Nein.", *, done: bool = True,
           role: Role = Role.DATA_PROTECTION, worksheet: str = "art-5") -> None:  # fmt: skip
    with transaction() as session:
        actor = reviewer(session, role)
        answer_worksheet(session, slug, worksheet, item, text=text, done=done, actor=actor)


def test_newest_answer_counts_and_repeating_it_adds_none(reviewed: Trial) -> None:
    for text, done in (("Nein.", True), ("Nein.", True), ("Doch, unklar.", False)):
        answer(reviewed.slug, text=text, done=done)
    with reading() as session:
        assert len(session.exec(select(WorksheetAnswer)).all()) == 2
        first = list_worksheets(session, reviewed.slug)[0].items[0]
    assert (first.text, first.done) == ("Doch, unklar.", False)
    assert progress(reviewed.slug)["art-5"] == "0 von 8 geklärt"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"text": " "}, "Geklärt ist eine Frage erst mit einer Antwort"),
        ({"text": "x" * 4001}, "4001 Zeichen"),
        ({"item": "z"}, "'art-5/z' gibt es"),
        ({"worksheet": "art-27"}, "'art-27/a' gibt es"),
        ({"role": Role.EVALUATOR}, "Arbeitsblätter ausfüllen können nur"),
        ({"role": Role.STEERING}, "Arbeitsblätter ausfüllen können nur"),
    ],
    ids=str,
)
def test_refused_answer_is_not_stored(
    reviewed: Trial, changes: dict[str, Any], refusal: str
) -> None:  # fmt: skip
    with pytest.raises(ReallaborError, match=refusal):
        answer(reviewed.slug, **changes)
    with reading() as session:
        assert session.exec(select(WorksheetAnswer)).all() == []


def test_settled_checklist_lets_its_gate_pass(reviewed: Trial) -> None:
    for item in "abcdefg":
        answer(reviewed.slug, item)
    with pytest.raises(InvalidFinding, match=r"offen: Art\. 5 Abs\. 1 Buchst\. h\."):
        find(reviewed, STOPPING)
    answer(reviewed.slug, "h")
    find(reviewed, STOPPING)
    assert gate_of(reviewed, STOPPING).state == GateState.PASSED
