"""Conditions and reviews of decisions: shown in time, to whom they concern, until they are met."""

from datetime import timedelta

import pytest
from building import Trial
from meeting import CHAIR, CONDITIONS, ORGANISER, flag, named
from sqlmodel import col, select

from reallabor.database import reading, transaction
from reallabor.deciding.due import due_conditions, due_reviews, mark_met
from reallabor.errors import NotAllowed, WrongState
from reallabor.german import today
from reallabor.models import Condition, row_id


def test_conditions_come_due(released: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    flag(released.slug, conditions=CONDITIONS, review_on=today() + timedelta(days=50))

    def due(name: str, days: int) -> list[tuple[str, bool]]:
        day = today() + timedelta(days=days)
        monkeypatch.setattr("reallabor.deciding.due.today", lambda: day)
        with reading() as session:
            person = named(session, name)
            found = [(each.text, each.overdue) for each in due_conditions(session, person)]
            return found + [
                ("Wiedervorlage", each.overdue) for each in due_reviews(session, person)
            ]

    assert due(CHAIR, 0) == [("Hinweis ergänzen", False)]
    assert due(ORGANISER, 21) == [
        ("Hinweis ergänzen", True), ("Schulen", False), ("Wiedervorlage", False)
    ]  # fmt: skip
    assert due("Cora Bewertung", 21) == [("Schulen", False)]
    assert due("Bert Bewertung", 21) == []


def test_met_condition_is_done(released: Trial) -> None:
    flag(released.slug, conditions=CONDITIONS)
    with reading() as session:
        key = row_id(session.exec(select(Condition.id).order_by(col(Condition.id))).first())
    for name, note, error, sentence in (
        ("Bert Bewertung", "Da", NotAllowed, "kann nur 'Paul Pilot'"),
        ("Paul Pilot", " ", WrongState, "in einem Satz"),
    ):
        with pytest.raises(error, match=sentence), transaction() as session:
            mark_met(session, key, note, actor=named(session, name))
    with transaction() as session:
        mark_met(session, key, "Hinweis steht da", actor=named(session, "Paul Pilot"))
    with pytest.raises(WrongState, match="schon als erfüllt"), transaction() as session:
        mark_met(session, key, "Noch einmal", actor=named(session, CHAIR))
    with reading() as session:
        assert due_conditions(session, named(session, "Paul Pilot")) == []


def test_superseded_decision_asks_for_nothing(released: Trial) -> None:
    flag(released.slug, conditions=CONDITIONS)
    flag(released.slug, "Beenden")
    with reading() as session:
        assert due_conditions(session, named(session, CHAIR)) == []
