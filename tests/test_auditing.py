"""The audit trail against everything that can be done to it by hand: entries and rows changed,
taken away, put in, swapped; and what it must not mistake for that."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import meeting
import pytest
from building import Call, Trial
from meeting import CHAIR, ORGANISER, OTHER, gather_people, named
from sqlalchemy import text
from sqlmodel import col, select

from reallabor import audit
from reallabor.content import digest
from reallabor.database import reading, transaction
from reallabor.deciding.auditing import AuditReport, verify_audit
from reallabor.deciding.decisions import NewCondition, decide
from reallabor.deciding.due import mark_met
from reallabor.deciding.meetings import close_meeting
from reallabor.deciding.verifying import verify_decision
from reallabor.errors import WrongState
from reallabor.german import today
from reallabor.models import AgendaItem, AuditEntry, Condition, Decision, Person, now, row_id
from reallabor.tracking import names


@pytest.fixture
def decided(trial: Trial, platform_url: str) -> Trial:
    """A closed meeting with one open and one secret vote, a decision with conditions, one met."""
    with transaction() as session:
        meeting.release_results(session, trial)
    gathering = gather_people(trial)
    meeting.adopt(gathering, "Beenden", secret=True)
    meeting.adopt(gathering, "Nachbessern")
    meeting.confirm(gathering, "Nachbessern", dissent="Ein Mitglied war dagegen", conditions=[
        NewCondition("Hinweis ergänzen", "Paul Pilot", today() + timedelta(days=20)),
        NewCondition("Schulen", "Olga Organisation", today() + timedelta(days=40)),
    ])  # fmt: skip
    with transaction() as session:
        condition = session.exec(select(Condition.id).order_by(col(Condition.id))).first()
        mark_met(session, row_id(condition), "Steht jetzt da", actor=named(session, ORGANISER))
        close_meeting(session, gathering.meeting_id, actor=named(session, ORGANISER))
    return trial


def report() -> AuditReport:
    with reading() as session:
        return verify_audit(session)


def by_hand(statement: str, **values: Any) -> None:
    """What somebody with access to the database could do."""
    with transaction() as session:
        done = session.connection().execute(text(statement), values)
        assert done.rowcount > 0


def test_untouched_trail_is_whole(decided: Trial) -> None:
    found = report()
    assert (found.breaks, found.remarks, found.whole) == ([], [], True)
    assert found.records >= 15


BY_HAND = {
    "verdict": ("UPDATE decision SET verdict = 'Weiterentwickeln'", "Beschluss"),
    "reason": ("UPDATE decision SET reason = 'Weil es so ist'", "Beschluss"),
    "dissent": ("UPDATE decision SET dissent = ''", "Beschluss"),
    "name": ("UPDATE decision SET decided_by = 'Jemand'", "Beschluss"),
    "day": ("UPDATE decision SET decided_at = '2020-01-01 00:00:00+00:00'", "Beschluss"),
    "hash": ("UPDATE decision SET evidence_sha256 = 'x'", "Beschluss"),
    "condition": ("UPDATE condition SET text = 'Nichts' WHERE position = 2", "Auflage"),
    "due": ("UPDATE condition SET due_on = '2040-01-01' WHERE position = 2", "Auflage"),
    "unmet": ("UPDATE condition SET met_at = NULL WHERE met_at IS NOT NULL", "Auflage"),
    "no condition": ("DELETE FROM condition WHERE position = 2", "Auflage"),
    "new condition": (
        "INSERT INTO condition (id, decision_id, position, text, owner, due_on, met_note)"
        " SELECT 99, id, 3, 'Neu', 'Wer', '2030-01-01', '' FROM decision", "Auflage"),
    "vote": ("UPDATE vote SET choice = 'nein' WHERE choice = 'ja'", "Stimme"),
    "tally": ("UPDATE tally SET n = n + 1 WHERE choice = 'nein'", "Auszählung"),
    "no vote": ("DELETE FROM vote", "Stimme"),
    "motion": ("UPDATE motion SET n_present = 9", "Antrag"),
    "quorum": ("UPDATE meeting SET quorum = 1", "Sitzung"),
    "presence": ("UPDATE participant SET present = NOT present", "Teilnehmer"),
    "new participant": (
        "INSERT INTO participant (id, meeting_id, name, has_vote, present)"
        " SELECT 99, id, 'Neu', true, true FROM meeting", "Teilnehmer-Zeile 99"),
    "new conflict": (
        "INSERT INTO conflict_of_interest (id, item_id, participant_id, reason)"
        " SELECT 99, (SELECT min(id) FROM agenda_item), min(id), '' FROM participant",
        "Befangenheit 99"),
    "note": ("UPDATE agenda_item SET note = 'Anders'", "Tagesordnungspunkt"),
    "new decision": (
        "INSERT INTO decision (id, scenario_id, verdict, reason, dissent, decided_by, recorded_by,"
        " evidence, evidence_sha256, demo, decided_at) SELECT 99, scenario_id, verdict, reason,"
        " dissent, decided_by, recorded_by, evidence, evidence_sha256, demo, decided_at"
        " FROM decision", "Beschluss 99"),
    "first entry": ("DELETE FROM audit_entry WHERE id = (SELECT min(id) FROM audit_entry)",
                    "schließt an einen Eintrag an, den es nicht mehr gibt"),
    "last entry": ("DELETE FROM audit_entry WHERE id = (SELECT max(id) FROM audit_entry)",
                   "1 Eintrag fehlt"),
    "actor": ("UPDATE audit_entry SET person_id = 77 WHERE action = 'decided'",
              "nach dem Schreiben geändert"),
    "head": ("DELETE FROM audit_head", "Endstand des Protokolls fehlt"),
    "everything": ("DELETE FROM audit_entry", "Einträge fehlen"),
}  # fmt: skip


@pytest.mark.parametrize("change", BY_HAND)
def test_change_by_hand_is_found(decided: Trial, change: str, call: Callable[..., Call]) -> None:
    statement, word = BY_HAND[change]
    by_hand(statement)
    found = report()
    assert not found.whole
    assert any(word in each.what for each in found.breaks), found.breaks
    done = call("verify-audit")
    assert done.code == 1
    assert word in done.err
    assert "letzte Sicherung" in done.out


def test_evidence_edited_by_hand_is_found(decided: Trial) -> None:
    with transaction() as session:
        decision = session.exec(select(Decision)).one()
        evidence = {**decision.evidence, "runs": []}
        session.connection().execute(
            text("UPDATE decision SET evidence = :new, evidence_sha256 = :sha"),
            {"new": json.dumps(evidence), "sha": digest(evidence)},
        )
    words = [each.what for each in report().breaks]
    assert any("nennt eine andere Prüfsumme der Belege" in each for each in words)


def test_recomputed_tail_is_found(decided: Trial) -> None:
    """Somebody cuts the last entry off and writes another one that follows properly."""
    with transaction() as session:
        last = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first()
        assert last is not None
        last.details = {}
        last.hash = audit._hash(last)
        session.add(last)
    assert [each.what for each in report().breaks if each.subject == "audit"] == [
        "Der letzte Eintrag ist nicht der, der zuletzt geschrieben wurde."
    ]


def test_rewritten_trail_is_shown_by_mlflow(decided: Trial) -> None:
    """Whoever rewrites decision, trail and head is found only by what lies outside."""
    with transaction() as session:
        decision = session.exec(select(Decision)).one()
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "decided")).one()
        tags = {
            names.DECISION_ID: str(decision.id), names.DECISION_SHA256: decision.evidence_sha256,
            names.DECISION_AUDIT: entry.hash,
        }  # fmt: skip
        assert verify_audit(session, tags={decided.slug: tags}).whole
    other = {**tags, names.DECISION_SHA256: "f" * 64, names.DECISION_AUDIT: "e" * 64}
    with reading() as session:
        found = verify_audit(session, tags={decided.slug: other})
    where = f"decision/{tags[names.DECISION_ID]}"
    assert [each.subject for each in found.breaks] == [where, "audit"]


def test_acting_after_a_cut_heals_nothing(decided: Trial) -> None:
    by_hand(BY_HAND["last entry"][0])
    with transaction() as session:
        audit.record(session, "probe", "probe", actor=named(session, CHAIR), details={})
    assert not report().whole


def test_without_head_nothing_is_recorded(decided: Trial) -> None:
    by_hand("DELETE FROM audit_head")
    with pytest.raises(WrongState, match="Endstand"), transaction() as session:
        audit.record(session, "probe", "probe", actor=named(session, CHAIR), details={})


# --- what is no break ---------------------------------------------------------------------------


def test_clock_put_back_is_a_remark(
    decided: Trial, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Call]
) -> None:
    monkeypatch.setattr("reallabor.audit.now", lambda: now() - timedelta(days=400))
    with transaction() as session:
        audit.record(session, "probe", "probe", actor=named(session, OTHER), details={})
    found = report()
    assert found.whole
    assert len(found.remarks) == 1
    assert "die Uhr ging nach" in found.remarks[0]
    assert call("verify-audit", "--json").json["remarks"] == found.remarks


def test_gap_of_a_rolled_back_act_is_no_break(decided: Trial) -> None:
    """PostgreSQL's sequences leave a gap where a transaction was rolled back."""
    with suppress(RuntimeError), transaction() as session:
        audit.record(session, "probe", "probe", actor=named(session, CHAIR), details={})
        raise RuntimeError
    with transaction() as session:
        audit.record(session, "probe", "probe", actor=named(session, CHAIR), details={})
    assert report().whole


def test_decision_of_the_first_format_is_whole(decided: Trial, call: Callable[..., Call]) -> None:
    evidence = {"comparison": {"variants": []}, "runs": [], "scenario_sha256": "s"}
    with transaction() as session:
        scenario_id = session.exec(select(Decision.scenario_id)).one()
        old = Decision(
            scenario_id=scenario_id, verdict="Beenden", reason="R", decided_by="N",
            recorded_by=row_id(named(session, CHAIR).id), evidence=evidence,
            evidence_sha256=digest(evidence),
        )  # fmt: skip
        session.add(old)
        session.flush()
        audit.record(session, "decided", f"decision/{old.id}", actor=named(session, CHAIR),
                     details={"verdict": "Beenden", "evidence": digest(evidence)})  # fmt: skip
        key = old.id
    found = report()
    assert found.whole
    assert any("früheren Programmversion" in each for each in found.remarks)
    by_hand("UPDATE decision SET verdict = 'Nachbessern' WHERE id = :key", key=key)
    assert not report().whole


def test_every_sealed_column_counts(decided: Trial) -> None:
    """A seal covers all columns: each one changed alone is another digest."""
    with reading() as session:
        decision = session.exec(select(Decision)).one()
        before = audit.row_digest(decision)
        session.expunge(decision)
    for column in Decision.__table__.columns:  # type: ignore[attr-defined]
        kept = getattr(decision, column.key)
        object.__setattr__(decision, column.key, "anders")
        assert audit.row_digest(decision) != before, column.key
        object.__setattr__(decision, column.key, kept)


def test_circulated_decision_needs_no_meeting(decided: Trial) -> None:
    with transaction() as session:
        actor: Person = named(session, CHAIR)
        decide(session, decided.slug, verdict="Zurückstellen", reason="G", name="N", actor=actor)
    assert report().whole


def test_removed_row_hides_nothing_of_its_successor(decided: Trial) -> None:
    """SQLite gives the number of a removed decision to the next one."""
    with transaction() as session:
        old = session.exec(select(Decision)).one()
        keys = [audit.row_key(old), *map(audit.row_key, session.exec(select(Condition)))]
        for statement in ("UPDATE agenda_item SET decision_id = NULL", "DELETE FROM condition",
                          "DELETE FROM decision"):  # fmt: skip
            session.connection().execute(text(statement))
        item = session.exec(select(AgendaItem)).one()
        session.refresh(item)
        audit.record(session, "demo_removed", "demo", actor=named(session, CHAIR),
                     details={audit.REMOVED: keys}, seal=[item])  # fmt: skip
        session.expunge_all()
        decide(session, decided.slug, verdict="Beenden", reason="so", name="S",
               actor=named(session, CHAIR))  # fmt: skip
    with reading() as session:
        new = session.exec(select(Decision)).one()
        assert verify_decision(session, row_id(new.id)).holds
    assert report().whole
    by_hand("DELETE FROM decision")
    assert [each.what.partition(";")[0] for each in report().breaks] == [
        f"Beschluss {new.id} fehlt"
    ]
