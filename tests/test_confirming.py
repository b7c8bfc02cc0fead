"""Confirming a decision: frozen evidence, what is refused, and of two at once one wins."""

import json
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import meeting
import pytest
from building import Trial
from meeting import CHAIR, CONDITIONS, OTHER, Gathering, flag, gather_people, verify
from sqlalchemy import text
from sqlmodel import col, select

from reallabor.content import digest
from reallabor.database import reading, transaction
from reallabor.deciding.decisions import IncompleteDecision, NewCondition
from reallabor.deciding.evidence import gather
from reallabor.errors import NotAllowed, ReallaborError, WrongState
from reallabor.german import today
from reallabor.models import AgendaItem, AuditEntry, Condition, Decision

# --- evidence -----------------------------------------------------------------------------------


def test_evidence_is_the_same_every_time(adopted: Gathering) -> None:
    with reading() as session:
        first = gather(session, adopted.slug, meeting_item_id=adopted.item_id)
    with reading() as session:
        second = gather(session, adopted.slug, meeting_item_id=adopted.item_id)
    assert json.dumps(first) == json.dumps(second)
    assert first["format"] == 2
    assert set(first["candidate_runs"]) < set(first["runs"])
    assert first["resolution"] is None
    assert first["suggestion"]["verdict"] == "Zurückstellen"
    assert [each["kind"] for each in first["meeting"]["conflicts"]] == ["own_pilot"]


def test_confirmed_decision_freezes_the_meeting(adopted: Gathering) -> None:
    key = meeting.confirm(adopted, "Nachbessern", dissent="Anders", conditions=CONDITIONS,
                          review_on=today() + timedelta(days=90))  # fmt: skip
    with reading() as session:
        decision = session.get_one(Decision, key)
        assert session.get_one(AgendaItem, adopted.item_id).decision_id == key
        rows = session.exec(select(Condition).order_by(col(Condition.position))).all()
    assert digest(decision.evidence) == decision.evidence_sha256
    resolution = decision.evidence["resolution"]
    assert (resolution["verdict"], resolution["dissent"]) == ("Nachbessern", "Anders")
    assert [each.text for each in rows] == [each["text"] for each in resolution["conditions"]]
    assert decision.evidence["meeting"]["motions"][0]["adopted"]
    assert decision.review_on == today() + timedelta(days=90)
    assert verify(key).holds


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"conditions": [NewCondition("A", "B", today())]}, "muss in der Zukunft liegen"),
        ({"conditions": [NewCondition("A", " ", today())]}, "ein Text und wer sie erfüllt"),
        ({"review_on": today()}, "liegt nicht in der Zukunft"),
        ({"departure": " "}, "weicht vom Vorschlag 'Zurückstellen' ab"),
    ],
)
def test_incomplete_resolution_stores_nothing(
    adopted: Gathering, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(IncompleteDecision, match=sentence):
        meeting.confirm(adopted, "Nachbessern", **change)
    with reading() as session:
        assert session.exec(select(Decision)).all() == []
        assert session.exec(select(Condition)).all() == []


def test_only_the_adopted_verdict_is_confirmed(released: Trial) -> None:
    gathering = gather_people(released)
    with pytest.raises(WrongState, match="kein Antrag angenommen"):
        meeting.confirm(gathering, "Beenden")
    meeting.adopt(gathering, "Beenden")
    with pytest.raises(WrongState, match="Angenommen ist der Antrag 'Beenden'"):
        meeting.confirm(gathering, "Weiterentwickeln")
    meeting.put(gathering, "Zurückstellen")
    with pytest.raises(WrongState, match="wird noch abgestimmt"):
        meeting.confirm(gathering, "Beenden")
    with pytest.raises(NotAllowed):
        meeting.confirm(gathering, "Beenden", by="Anna Bewertung")


def test_stopped_scenario_is_not_developed(released: Trial) -> None:
    with transaction() as session:
        session.connection().execute(text("UPDATE scenario SET stopped_at = '2026-01-01 00:00:00'"))
    with pytest.raises(WrongState, match="wegen einer verbotenen Praxis angehalten"):
        flag(released.slug, "Weiterentwickeln")
    flag(released.slug, "Beenden")


def test_other_decision_meanwhile_is_refused(released: Trial) -> None:
    first = flag(released.slug, seen=0)
    with pytest.raises(WrongState, match="inzwischen einen anderen Beschluss: Nachbessern am"):
        flag(released.slug, "Beenden", seen=0)
    flag(released.slug, "Beenden", seen=first)


def test_second_confirmation_gets_a_sentence(adopted: Gathering) -> None:
    key = meeting.confirm(adopted, "Nachbessern")
    assert meeting.confirm(adopted, "Nachbessern") == key  # pressed twice
    with pytest.raises(WrongState, match="hat diese Sitzung schon beschlossen: Nachbessern am"):
        meeting.confirm(adopted, "Nachbessern", by=OTHER)


def test_same_decision_twice_is_one(released: Trial) -> None:
    assert flag(released.slug) == flag(released.slug)
    with reading() as session:
        assert len(session.exec(select(Decision)).all()) == 1


def test_two_confirm_at_once_one_wins(adopted: Gathering) -> None:
    """Two transactions that have both begun before either commits."""
    ready, outcomes = threading.Barrier(2), {}

    def act(name: str) -> None:
        ready.wait()
        try:
            outcomes[name] = meeting.confirm(adopted, "Nachbessern", by=name, reason=name)
        except ReallaborError as refusal:
            outcomes[name] = str(refusal)

    people = [threading.Thread(target=act, args=(name,)) for name in (CHAIR, OTHER)]
    for each in people:
        each.start()
    for each in people:
        each.join(60)
    assert sorted(type(each).__name__ for each in outcomes.values()) == ["int", "str"]
    assert "hat diese Sitzung schon beschlossen" in str(outcomes)
    with reading() as session:
        assert len(session.exec(select(Decision)).all()) == 1
        decided = session.exec(select(AuditEntry).where(AuditEntry.action == "decided")).all()
    assert len(decided) == 1


ACT = """
import sys
sys.path.insert(0, sys.argv[3])
from meeting import Gathering, confirm
slug, item = sys.argv[1], int(sys.argv[2])
sys.stdin.readline()
try:
    print(confirm(Gathering(slug, 0, item, {}), "Nachbessern", by=sys.argv[4]))
except Exception as refusal:
    print(type(refusal).__name__, refusal)
"""


def test_two_processes_confirm_at_once(adopted: Gathering, request: pytest.FixtureRequest) -> None:
    tests = str(request.path.parent)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", ACT, adopted.slug, str(adopted.item_id), tests, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in (CHAIR, OTHER)
    ]  # fmt: skip
    for each in started:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    said = sorted(each.communicate(timeout=120)[0].strip() for each in started)
    assert said[0].isdecimal()
    assert said[1].startswith("WrongState Über")
    with reading() as session:
        assert len(session.exec(select(Decision)).all()) == 1
