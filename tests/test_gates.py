"""Gates of law: who may confirm them, with what, for how long, and what a finding changes."""

from datetime import date, timedelta
from typing import Any

import building
import pytest
from building import Trial
from reviewing import (
    FILE,
    LINK,
    PERSONNEL,
    SCREENING,
    STOPPING,
    add_reviewers,
    find,
    gate_of,
)
from sqlmodel import SQLModel, col, func, select

from reallabor import audit
from reallabor.database import reading, transaction
from reallabor.deciding import findings, gates, versioned
from reallabor.deciding.comparison import compare
from reallabor.deciding.findings import (
    MOST_BYTES,
    EvidenceFile,
    EvidenceLink,
    list_findings,
)
from reallabor.deciding.gates import GateState
from reallabor.errors import InvalidFinding, NotAllowed, UnknownObject
from reallabor.gates import GENERAL_GATES, load_gates
from reallabor.german import day, today
from reallabor.models import (
    AuditEntry,
    Delivery,
    Evidence,
    GateOutcome,
    GateReview,
    OutboxEntry,
    Role,
    TrialRun,
)
from reallabor.policies import OFFICES

GATE_OF_OFFICE = {
    "DSB": SCREENING,
    "Personalrat": PERSONNEL,
    "ISB": "informationssicherheit",
    "Fachseite": "ki-vo-klasse",
}
WRITTEN: tuple[type[SQLModel], ...] = (GateReview, Evidence, OutboxEntry, AuditEntry)


def counts() -> list[int]:
    with reading() as session:
        return [session.exec(select(func.count()).select_from(each)).one() for each in WRITTEN]


# --- who ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("office", GATE_OF_OFFICE)
@pytest.mark.parametrize("role", Role)
def test_office_confirms_its_own_gates_only(reviewed: Trial, role: Role, office: str) -> None:
    with transaction() as session:
        building.add_person(session, "Wer Auchimmer", role)
    before = counts()
    arguments: dict[str, Any] = {"name": "Wer Auchimmer", "office": office, "files": [FILE]}
    if OFFICES[office] == role:
        find(reviewed, GATE_OF_OFFICE[office], **arguments)
        assert gate_of(reviewed, GATE_OF_OFFICE[office]).state == GateState.PASSED
    else:
        with pytest.raises(NotAllowed, match="'Wer Auchimmer' hat diese Aufgabe nicht"):
            find(reviewed, GATE_OF_OFFICE[office], **arguments)
        assert counts() == before


def test_foreign_office_and_inactive_person_are_refused(reviewed: Trial) -> None:
    with transaction() as session:
        building.add_person(session, "Weg", Role.STAFF_COUNCIL, active=False)
    before = counts()
    with pytest.raises(NotAllowed, match="bestätigt Personalrat, nicht 'DSB'"):
        find(reviewed, role=Role.DATA_PROTECTION)
    with pytest.raises(NotAllowed, match="'Weg'"):
        find(reviewed, name="Weg")
    assert counts() == before


# --- with what ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "changes", "sentence"),
    [
        (PERSONNEL, {"note": " \n"}, "in einem Satz begründen"),
        (PERSONNEL, {"note": "x" * 4001}, "4001 Zeichen"),
        (PERSONNEL, {"links": []}, "fehlt eine Datei oder ein Verweis als Nachweis"),
        (SCREENING, {"files": [], "links": [LINK]}, "fehlt eine Datei als Nachweis"),
        (SCREENING, {"files": [EvidenceFile("leer.txt", b"")]}, "'leer.txt' ist leer"),
        (SCREENING, {"files": [EvidenceFile("zu-gross.pdf", b"x" * (MOST_BYTES + 1))]},
         "'zu-gross.pdf' ist 20 MB groß; möglich sind höchstens 20 MB"),
        (PERSONNEL, {"links": [EvidenceLink("", "javascript:alert(1)")]}, "ist kein Verweis"),
        (PERSONNEL, {"links": [EvidenceLink("", "https:// leer.example")]}, "ist kein Verweis"),
        (PERSONNEL, {"links": [EvidenceLink("", "http://[kaputt")]}, "ist kein Verweis"),
        (PERSONNEL, {"links": [LINK] * 11}, "höchstens 10 Nachweise"),
        (SCREENING, {"expires_on": date(2199, 1, 1)}, "kann nicht am 01.01.2199 ablaufen"),
        (PERSONNEL, {"expires_on": date(2020, 1, 1)}, "möglich ist ein Tag ab heute"),
        (STOPPING, {"outcome": GateOutcome.NOT_APPLICABLE}, "gilt für jedes Szenario"),
        (STOPPING, {}, "erst bestätigen, wenn das Arbeitsblatt"),
        ("ki-hinweis", {}, "Einen Prüfpunkt 'ki-hinweis' hat"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_incomplete_finding_stores_nothing(
    reviewed: Trial, gate: str, changes: dict[str, Any], sentence: str
) -> None:
    before = counts()
    with pytest.raises((InvalidFinding, UnknownObject), match=sentence):
        find(reviewed, gate, **changes)
    assert counts() == before


def test_finding_keeps_file_text_and_expiry(reviewed: Trial) -> None:
    number = find(reviewed, SCREENING)
    text = next(each for each in load_gates().gates if each.key == SCREENING)
    with reading() as session:
        review = session.get_one(GateReview, number)
        (file,) = session.exec(select(Evidence)).all()
        (message,) = session.exec(
            select(OutboxEntry).where(col(OutboxEntry.kind) == Delivery.EVIDENCE)
        ).all()
        entry = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first()
        assert audit.chain_breaks(session) == []
    assert (review.office, review.content_sha256) == ("DSB", text.sha256)
    assert review.legal_status == load_gates().legal_status
    assert (file.content, file.n_bytes, file.title) == (FILE.data, len(FILE.data), FILE.name)
    assert message.subject_id == file.id
    assert entry is not None
    assert (entry.action, entry.details["evidence"]) == ("gate_reviewed", [file.sha256])
    assert "Prüfung" not in str(entry.model_dump())  # neither name nor note
    gate = gate_of(reviewed, SCREENING)
    assert gate.words == f"erfüllt, geprüft am {day(today())}"
    assert gate.expires_on == review.expires_on
    assert review.expires_on is not None
    assert timedelta(days=700) < review.expires_on - today() < timedelta(days=740)


def test_path_in_file_name_is_cut(reviewed: Trial) -> None:
    find(reviewed, SCREENING, files=[EvidenceFile("..\\..\\C:/ordner/a b.txt", b"x")])
    assert [each.title for each in gate_of(reviewed, SCREENING).evidence] == ["a b.txt"]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 11, 22), 12, date(2027, 11, 22)),
        (date(2026, 12, 1), 24, date(2028, 12, 1)),
    ],
)
def test_months_end_within_their_month(start: date, months: int, end: date) -> None:
    assert findings._months_on(start, months) == end


# --- what counts --------------------------------------------------------------------------------


def test_pressing_twice_makes_one_finding(reviewed: Trial) -> None:
    assert find(reviewed) == find(reviewed)
    assert find(reviewed, note="Etwas anderes.") > 1
    with reading() as session:
        assert len(session.exec(select(GateReview)).all()) == 2


def test_newest_finding_counts_and_earlier_ones_stay(reviewed: Trial) -> None:
    find(reviewed)
    find(reviewed, outcome=GateOutcome.MISSED, note="Zustimmung zurückgezogen.", links=[])
    assert gate_of(reviewed).state == GateState.MISSED
    find(reviewed, outcome=GateOutcome.NOT_APPLICABLE, note="Betrifft niemanden.", links=[])
    gate = gate_of(reviewed)
    assert (gate.state, gate.words) == (
        GateState.PASSED, f"nicht anwendbar, geprüft am {day(today())}",
    )  # fmt: skip
    with reading() as session:
        history = list_findings(session, reviewed.slug)[PERSONNEL]
    assert [each.outcome for each in history] == ["not_applicable", "missed", "passed"]


def test_expired_finding_counts_as_open(
    reviewed: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    last = today() + timedelta(days=10)
    find(reviewed, SCREENING, expires_on=last)
    for later, state in ((last, GateState.PASSED), (last + timedelta(days=1), GateState.OPEN)):
        for module in (gates, versioned):
            monkeypatch.setattr(module, "today", lambda later=later: later)
        assert gate_of(reviewed, SCREENING).state == state
    assert gate_of(reviewed, SCREENING).words == f"abgelaufen am {day(last)}"
    find(reviewed, SCREENING, expires_on=last)  # the same words, but no longer the same act
    with reading() as session:
        assert len(session.exec(select(GateReview)).all()) == 2


def test_changed_text_asks_for_another_review(reviewed: Trial) -> None:
    find(reviewed)
    find(reviewed, SCREENING, outcome=GateOutcome.MISSED, note="Fehlt.", files=[])
    path = reviewed.content / "evaluations" / "gates.yaml"
    text = path.read_text("utf-8")
    changed = text.replace("Ist der Personalrat beteiligt", "Ist der Personalrat früh beteiligt")
    path.write_text(changed.replace("Ist geprüft und begründet", "Ist begründet"), "utf-8")
    gate = gate_of(reviewed)
    assert gate.state == GateState.OPEN
    assert gate.words == "Text hat sich geändert, bitte neu prüfen"
    assert gate_of(reviewed, SCREENING).state == GateState.MISSED  # no change of words mends it
    path.write_text(text.replace("offices: [Personalrat]", "offices: [Personalrat, DSB]"), "utf-8")
    assert gate_of(reviewed).state == GateState.PASSED  # who reviews it is no part of the text


def test_general_gates_concern_every_scenario(reviewed: Trial) -> None:
    with reading() as session:
        (comparison,) = compare(session, [reviewed.slug])
    of_law = [gate.key for gate in comparison.gates if gate.of_law]
    assert set(of_law) == set(GENERAL_GATES)
    assert all(gate.state == GateState.OPEN and gate.article for gate in comparison.gates
               if gate.of_law)  # fmt: skip


def test_demo_findings_count_for_demo_results_only(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        building.load_with_runs(session, trial, demo=True)
        building.add_staff(session)
        add_reviewers(session)
    find(trial)
    assert gate_of(trial).state == GateState.PASSED
    with transaction() as session:
        assert session.exec(select(GateReview)).one().demo
        for run in session.exec(select(TrialRun)):
            run.demo = False
    assert gate_of(trial).state == GateState.OPEN
