"""Gates of law: who may confirm them, with what, for how long, and what a finding changes."""

from collections.abc import Callable
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
    reviewer,
)
from sqlmodel import Session, SQLModel, col, func, select

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
from reallabor.deciding.reviewing import review_tasks
from reallabor.deciding.worksheets import answer_worksheet, list_worksheets
from reallabor.errors import InvalidFinding, NotAllowed, ReallaborError, UnknownObject
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
    WorksheetAnswer,
)
from reallabor.policies import OFFICES
from reallabor.rating.rounds import open_round, release_round

GATE_OF_OFFICE = {
    "DSB": SCREENING,
    "Personalrat": PERSONNEL,
    "ISB": "informationssicherheit",
    "Fachseite": "ki-vo-klasse",
}
WRITTEN: tuple[type[SQLModel], ...] = (GateReview, Evidence, OutboxEntry, AuditEntry)


@pytest.fixture
def reviewed(trial: Trial, platform_url: str) -> Trial:
    """The small trial with runs, staff and one reviewer per office."""
    with transaction() as session:
        building.load_with_runs(session, trial)
        building.add_staff(session)
        add_reviewers(session)
    return trial


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


# --- worksheets ---------------------------------------------------------------------------------


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


# --- tasks --------------------------------------------------------------------------------------


def test_office_sees_what_is_open_and_what_expires(reviewed: Trial) -> None:
    def tasks(role: Role) -> list[tuple[list[str], list[str]]]:
        with reading() as session:
            return [
                ([gate.key for gate in task.open], [gate.key for gate in task.expiring])
                for task in review_tasks(session, reviewer(session, role))
            ]

    assert tasks(Role.STAFF_COUNCIL) == [([PERSONNEL], [])]
    assert tasks(Role.PILOT) == []
    find(reviewed)
    assert tasks(Role.STAFF_COUNCIL) == []
    find(reviewed, expires_on=today() + timedelta(days=31))
    assert tasks(Role.STAFF_COUNCIL) == []
    find(reviewed, expires_on=today() + timedelta(days=30))
    assert tasks(Role.STAFF_COUNCIL) == [([], [PERSONNEL])]


# --- readiness ----------------------------------------------------------------------------------


def rated(session: Session, trial: Trial, level: int = 4) -> None:
    people = {each.name.split()[0]: each for each in session.exec(select(building.Person))}
    round_ = open_round(session, trial.slug, actor=people["Olga"])
    for name in ("Anna", "Bert", "Cora"):
        building.rate_all(session, round_, people[name], level)
    release_round(session, round_.id or 0, actor=people["Olga"])


def test_missing_points_say_where_they_are_mended(reviewed: Trial) -> None:
    with transaction() as session:
        rated(session, reviewed)
    find(reviewed, outcome=GateOutcome.MISSED, note="Abgelehnt.", links=[])
    with reading() as session:
        points = compare(session, [reviewed.slug])[0].readiness.points
    links = {point.text: point.link for point in points}
    slug = reviewed.slug
    gate = "Ausschlusskriterium verfehlt: Beteiligung des Personalrats"
    assert links[gate] == f"pruefpunkte?szenario={slug}&punkt=personalrat"
    assert links["6 von mindestens 30 Fällen bewertet"] == f"steckbrief?szenario={slug}"
    assert links["Erprobt in 1 von mindestens 2 Organisationen"] == f"hochladen?szenario={slug}"
    voices = "Rückmeldungen von Beschäftigten und Kund:innen fehlen"
    assert links[voices] == f"rueckmeldungen?szenario={slug}"


def test_changed_threshold_changes_the_points(reviewed: Trial) -> None:
    def missing() -> list[str]:
        with reading() as session:
            return compare(session, [reviewed.slug])[0].readiness.missing

    with transaction() as session:
        rated(session, reviewed)
    assert "6 von mindestens 30 Fällen bewertet" in missing()
    path = reviewed.content / "evaluations" / "reifegrad.yaml"
    text = path.read_text("utf-8").replace("cases: 30 ", "cases: 6 ")
    path.write_text(text.replace("score: 70 ", "score: 90 "), "utf-8")
    assert not [point for point in missing() if "Fällen bewertet" in point]
    assert "Punktwert 75,0 unter 90" in missing()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("voices: 5", "voices: 4", "Feld voices: ist zu klein"),
        ("edge_share: 0.2", "edge_share: 20", "Feld edge_share: ist zu groß"),
        ("score: 70 ", "punkte: 70 ", "Feld score: fehlt"),
    ],
)
def test_broken_threshold_is_named(
    trial: Trial, call: Callable[..., Any], old: str, new: str, sentence: str
) -> None:
    path = trial.content / "evaluations" / "reifegrad.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    done = call("check-content")
    assert done.code == 1
    assert sentence in done.err


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("offices: [Personalrat]", "offices: [Hausmeister]", "muss einer dieser Werte sein"),
        ("    stops: true\n", "", "stops gehört zu genau einem Prüfpunkt"),
        ("gate: menschliche-aufsicht", "gate: aufsicht", "art-26 nennt den Prüfpunkt aufsicht"),
        ("key: barrierefreiheit", "key: barriere", "barrierefreiheit fehlt, das für jedes"),
        ("key: abs-2", "key: abs-1", "in art-26 steht eine Kennung (key) zweimal da"),
    ],
)
def test_broken_gates_are_named(
    trial: Trial, call: Callable[..., Any], old: str, new: str, sentence: str
) -> None:
    path = trial.content / "evaluations" / "gates.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    done = call("check-content")
    assert done.code == 1
    assert sentence in done.err
