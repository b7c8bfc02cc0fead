"""Decisions and the audit trail: append-only, with evidence that can be recomputed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import building
import pytest
from building import Call, Trial
from sqlalchemy import text
from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import digest
from reallabor.database import reading, transaction
from reallabor.deciding.comparison import compare
from reallabor.deciding.decisions import IncompleteDecision, decide
from reallabor.errors import UnknownObject
from reallabor.models import AuditEntry, Decision, OutboxEntry, Person
from reallabor.rating.rounds import open_round, release_round


@pytest.fixture
def released(trial: Trial, platform_url: str) -> Trial:
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        building.rate_all(session, round_, staff["anna"], 4)
        release_round(session, round_.id or 0, actor=staff["organiser"])
    return trial


def actor(session: Session) -> Person:
    return session.exec(select(Person).where(Person.name == "Stefan Lenkung")).one()


def flag(slug: str, **changes: str) -> None:
    details = {"verdict": "Nachbessern", "reason": "Grund", "name": "Ruth", **changes}
    with transaction() as session:
        decide(session, slug, actor=actor(session), **details)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"verdict": "Super"}, "'Super' ist kein Beschluss; möglich sind: Weiterentwickeln"),
        ({"verdict": ""}, "Beschluss auswählen"),
        ({"reason": " \n"}, "begründen"),
        ({"name": " "}, "Namen angeben"),
    ],
)
def test_incomplete_decision_stores_nothing(
    released: Trial, changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(IncompleteDecision, match=sentence):
        flag(released.slug, **changes)
    with reading() as session:
        assert session.exec(select(Decision)).all() == []
        assert not session.exec(select(OutboxEntry).where(OutboxEntry.kind == "decision")).all()


def test_unknown_scenario_gets_no_decision(released: Trial) -> None:
    with pytest.raises(UnknownObject, match="'nichts'"):
        flag("nichts")


def test_newer_decision_supersedes_and_keeps(released: Trial) -> None:
    flag(released.slug, verdict="Beenden", reason="Erst so")
    flag(released.slug, verdict="Weiterentwickeln", reason="Dann so")
    with reading() as session:
        first, second = session.exec(select(Decision).order_by(col(Decision.id))).all()
        shown = compare(session, [released.slug])[0].decision
    assert (first.verdict, first.reason, first.supersedes_id) == ("Beenden", "Erst so", None)
    assert second.supersedes_id == first.id
    assert shown is not None
    assert shown.id == second.id


def test_decision_on_a_demonstration_is_one_before_its_release(
    trial: Trial, platform_url: str
) -> None:
    """Its gates count findings of the demonstration, which go away with it."""
    with transaction() as session:
        building.load_with_runs(session, trial, demo=True)
        building.add_staff(session)
    flag(trial.slug)
    with reading() as session:
        assert session.exec(select(Decision)).one().demo


def test_evidence_hash_can_be_recomputed(released: Trial) -> None:
    flag(released.slug)
    with reading() as session:
        decision = session.exec(select(Decision)).one()
        runs = set(session.execute(text("SELECT tracking_run_id FROM trial_run")).scalars())
    assert digest(decision.evidence) == decision.evidence_sha256
    assert set(decision.evidence["runs"]) == runs
    comparison = decision.evidence["comparison"]
    assert comparison["rubric"] == "auskunft@1"
    assert comparison["variants"][0]["criteria"]["FR"]["mean"] == 4
    assert comparison["gates"]
    changed = {**decision.evidence, "runs": []}
    assert digest(changed) != decision.evidence_sha256


def test_evidence_stays_when_results_change(released: Trial) -> None:
    flag(released.slug)
    with transaction() as session:
        before = session.exec(select(Decision)).one().evidence
        organiser = session.exec(select(Person).where(Person.name == "Olga Organisation")).one()
        round_ = open_round(session, released.slug, actor=organiser)
        anna = session.exec(select(Person).where(Person.name == "Anna Bewertung")).one()
        building.rate_all(session, round_, anna, 1)
        release_round(session, round_.id or 0, actor=organiser)
    with reading() as session:
        assert session.exec(select(Decision)).one().evidence == before


def test_decide_command_shows_in_compare(released: Trial, call: Callable[..., Call]) -> None:
    done = call("decide", released.slug, "--verdict", "Zurückstellen", "--reason", "Später",
                "--name", "Ruth Beispiel", "--json")  # fmt: skip
    assert done.json["verdict"] == "Zurückstellen"
    assert len(done.json["evidence_sha256"]) == 64
    (scenario,) = call("compare", released.slug, "--json").json["scenarios"]
    decision = scenario["decision"]
    assert {key: decision[key] for key in ("verdict", "reason", "date")} == {
        "verdict": "Zurückstellen", "reason": "Später", "date": done.json["date"],
    }  # fmt: skip


def test_command_line_speaks_for_named_person(
    released: Trial, call: Callable[..., Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("decide", released.slug, "--verdict", "Beenden", "--reason", "G", "--name", "R")
    monkeypatch.setenv("REALLABOR_PERSON", "Anna Bewertung")
    refused = call(*arguments)
    assert refused.code == 1
    assert "nur Mitglieder des Lenkungskreises; 'Anna Bewertung'" in refused.err
    monkeypatch.setenv("REALLABOR_PERSON", "Nie Gesehen")
    assert "Eine Person 'Nie Gesehen' gibt es hier nicht" in call(*arguments).err
    monkeypatch.setenv("REALLABOR_PERSON", "Stefan Lenkung")
    assert call(*arguments).code == 0
    with reading() as session:
        decision = session.exec(select(Decision)).one()
        assert decision.recorded_by == actor(session).id


# --- audit trail --------------------------------------------------------------------------------


def test_every_act_is_in_the_trail(released: Trial) -> None:
    flag(released.slug)
    with reading() as session:
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        assert audit.chain_breaks(session) == []
    assert [entry.action for entry in entries] == ["round_opened", "round_released", "decided"]
    assert entries[0].previous_hash == ""
    assert [entry.previous_hash for entry in entries[1:]] == [e.hash for e in entries[:-1]]
    assert "Lenkung" not in str([entry.model_dump() for entry in entries])  # ids, never names


CHANGES: dict[str, Callable[[AuditEntry], Any]] = {
    "details": lambda entry: setattr(entry, "details", {"scenario": "x"}),
    "person": lambda entry: setattr(entry, "person_id", entry.person_id + 1),
    "subject": lambda entry: setattr(entry, "subject", "round/99"),
    "action": lambda entry: setattr(entry, "action", "decided"),
    "time": lambda entry: setattr(entry, "at", entry.at + timedelta(seconds=1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_edited_entry_breaks_the_chain(released: Trial, change: str) -> None:
    with transaction() as session:
        entry = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()[0]
        CHANGES[change](entry)
        session.add(entry)
        edited = entry.id
    with reading() as session:
        assert [each.entry for each in audit.chain_breaks(session)] == [edited]


def test_deleted_entry_breaks_the_chain(released: Trial) -> None:
    flag(released.slug)
    with transaction() as session:
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        session.delete(entries[1])
        follower = entries[2].id
    with reading() as session:
        assert [each.entry for each in audit.chain_breaks(session)] == [follower, None]
