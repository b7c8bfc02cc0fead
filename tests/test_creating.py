"""Scenarios made in the app: stored like shipped ones, exported as the same files, and changed only
by new versions."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from building import Trial
from imports import ROWS, take, write
from openpyxl import Workbook
from sqlmodel import select

from reallabor.checking import check_all
from reallabor.database import reading, transaction
from reallabor.errors import InvalidContent, InvalidTable, NotAllowed, WrongState
from reallabor.evaluations import load_rubric
from reallabor.models import AuditEntry, Case, Delivery, Origin, OutboxEntry, Person, Role, Scenario
from reallabor.recording.case_table import case_template, read_cases
from reallabor.recording.catalogue import get_scenario, load_shipped, stored_scenario
from reallabor.recording.creating import (
    checked_rubric,
    create_scenario,
    list_rubrics,
    replace_cases,
    restate,
    where_to_state,
)
from reallabor.scenarios import CaseContent, load_scenario
from reallabor.sharing.packaging import scenario_package

STECKBRIEF: dict[str, Any] = {
    "title": "Kündigungen vorsortieren",
    "organisation": "Stadt Beispielhausen",
    "legal_status": "2026-11-01",
    "task": "Kündigungen erkennen.",
    "helps": "Der Poststelle.",
    "ai_kind": "Klassifikation",
    "risk_class": {"class": "zu prüfen", "article": "VO (EU) 2024/1689", "reason": "zu prüfen"},
    "rubric": "vorsortieren",
    "gates": ["menschliche-aufsicht"],
    "baseline_minutes": 2.5,
    "yearly_volume": 800,
    "candidate": "assistent",
    "variants": [
        {"key": "assistent", "title": "Assistent"},
        {"key": "bisher", "title": "Wie bisher", "baseline": True},
    ],
}
RUBRIC: dict[str, Any] = {
    "key": "vorsortieren",
    "version": 1,
    "title": "Vorsortieren",
    "scale": {"min": 1, "max": 5},
    "criteria": [
        {"key": "K1", "title": "Richtig", "weight": 60,
         "levels": {level: f"Richtig {level}" for level in range(1, 6)}},
        {"key": "K2", "title": "Nützlich", "weight": 40,
         "levels": {level: f"Nützlich {level}" for level in range(1, 6)}},
    ],
}  # fmt: skip
ESTIMATES: dict[str, Any] = {
    "effort": {"level": 2, "reason": "Ohne Schnittstelle."},
    "transfer": {"level": 4, "reason": "Nur die Anschriften sind örtlich."},
    "cost_per_case_eur": 0.01,
}
CASES = [CaseContent(id=f"k-{n}", input=f"Schreiben {n}", edge=n == 3) for n in range(1, 4)]


def pilot(name: str = "Pia Pilot", *roles: Role) -> Person:
    return Person(name=name, roles=[role.value for role in roles or (Role.PILOT,)])


def create(**changes: Any) -> None:
    with transaction() as session:
        actor = pilot()
        session.add(actor)
        session.flush()
        create_scenario(
            session, "kuendigungen", {**STECKBRIEF, **changes}, CASES,
            rubric=checked_rubric(RUBRIC), actor=actor,
        )  # fmt: skip


@pytest.mark.usefixtures("platform_url")
class TestCreating:
    def test_created_scenario_is_stored_whole(self) -> None:
        create()
        with reading() as session:
            stored = stored_scenario(session, "kuendigungen")
            row = session.exec(select(Scenario).where(Scenario.slug == "kuendigungen")).one()
            due = session.exec(
                select(OutboxEntry.kind).where(OutboxEntry.subject_id == row.id)
            ).all()
            assert row.origin == Origin.CREATED
            assert [case.sha256 for case in stored.cases] == [case.sha256 for case in CASES]
            assert Delivery.CASES in due
            assert session.exec(
                select(AuditEntry).where(AuditEntry.action == "scenario_created")
            ).one()

    def test_name_is_given_once(self) -> None:
        create()
        with transaction() as session, pytest.raises(WrongState, match="gibt es schon"):
            create_scenario(session, "kuendigungen", STECKBRIEF, CASES,
                            rubric=checked_rubric(RUBRIC), actor=pilot("Andere"))  # fmt: skip

    def test_evaluator_may_not_create(self) -> None:
        with transaction() as session, pytest.raises(NotAllowed):
            create_scenario(session, "neu", STECKBRIEF, CASES, rubric=checked_rubric(RUBRIC),
                            actor=pilot("Eva", Role.EVALUATOR))  # fmt: skip

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"title": " "}, "Titel"),
            ({"baseline_minutes": "zehn"}, "Minuten je Vorgang"),
            ({"yearly_volume": 0}, "Vorgänge im Jahr"),
            ({"candidate": "fehlt"}, "candidate"),
            ({"effort": {"level": 2, "reason": " "}}, "„Einführungsaufwand“: Zu Stufe 2 fehlt"),
            ({"effort": {"level": None, "reason": "Leicht."}}, "„Einführungsaufwand“: Zur Begrün"),
            ({"transfer": {"level": 5}}, "„Übertragbarkeit“: Zu Stufe 5 fehlt die Begründung"),
            ({"transfer": {"reason": "Überall."}}, "„Übertragbarkeit“: Zur Begründung fehlt die"),
            ({"effort": {"level": 6, "reason": "Viel."}}, "„Einführungsaufwand“: ist zu groß"),
            ({"cost_per_case_eur": "wenig"}, "„Kosten je Fall in EUR“: muss eine Zahl sein"),
            ({"cost_per_case_eur": -1}, "„Kosten je Fall in EUR“: ist zu klein"),
        ],
    )
    def test_wrong_field_is_named(self, changes: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidContent, match=field):
            create(**changes)
        with reading() as session:
            found = session.exec(select(Scenario).where(Scenario.slug == "kuendigungen")).first()
            assert found is None

    def test_changed_case_is_a_new_version(self) -> None:
        create()
        changed = [CASES[0], CaseContent(id="k-2", input="Anders")]
        with transaction() as session:
            actor = session.exec(select(Person).where(Person.name == "Pia Pilot")).one()
            assert replace_cases(session, "kuendigungen", changed, actor=actor) == (1, 1)
        with reading() as session:
            versions = session.exec(
                select(Case.key, Case.version, Case.current)
                .join(Scenario, Scenario.id == Case.scenario_id)  # type: ignore[arg-type]
                .where(Scenario.slug == "kuendigungen")
                .order_by(Case.key, Case.version)
            ).all()
        assert [tuple(row) for row in versions] == [
            ("k-1", 1, True), ("k-2", 1, False), ("k-2", 2, True), ("k-3", 1, False),
        ]  # fmt: skip

    def test_shipped_cases_are_changed_in_their_file(self, trial: Any) -> None:
        with transaction() as session:
            load_shipped(session)
            with pytest.raises(WrongState, match="liegen als Datei"):
                replace_cases(session, trial.slug, CASES, actor=pilot())

    def test_estimates_are_stored_as_stated(self) -> None:
        create(**ESTIMATES)
        with reading() as session:
            stored = get_scenario(session, "kuendigungen").content
            assert {key: stored[key] for key in ESTIMATES} == ESTIMATES

    def test_missing_estimates_name_their_place(self, trial: Trial, tmp_path: Path) -> None:
        create()
        take("fremd", write(tmp_path, ROWS), create=True, scale=(1, 5))
        with transaction() as session:
            load_shipped(session)
            shipped = where_to_state(session, trial.slug, ["effort", "cost_per_case_eur"])
            assert f"in scenarios/{trial.slug}/scenario.yaml: effort (mit level und" in shipped
            assert "cost_per_case_eur. Die Datei" in shipped
            assert "auf der Seite Steckbrief" in where_to_state(session, "kuendigungen", ["effort"])
            assert "hat keinen Steckbrief" in where_to_state(session, "fremd", ["effort"])

    def test_estimates_are_changed_and_the_trail_keeps_the_old_ones(self) -> None:
        create(**ESTIMATES)
        new = {**ESTIMATES, "effort": {"level": 4, "reason": "Doch mit Schnittstelle."}}
        with transaction() as session:
            actor = session.exec(select(Person).where(Person.name == "Pia Pilot")).one()
            before = get_scenario(session, "kuendigungen")
            seen, variants = before.content_sha256, before.content["variants"]
            assert restate(session, "kuendigungen", new, seen=seen, actor=actor)
        with transaction() as session:
            stored = get_scenario(session, "kuendigungen")
            assert {key: stored.content[key] for key in ESTIMATES} == new
            assert stored.content["variants"] == variants
            assert stored.content_sha256 == stored_scenario(session, "kuendigungen").sha256 != seen
            assert len(stored_scenario(session, "kuendigungen").cases) == len(CASES)
            entry = session.exec(
                select(AuditEntry).where(AuditEntry.action == "estimates_changed")
            ).one()
            assert entry.details == {"before": ESTIMATES, "after": new}
            actor = session.exec(select(Person).where(Person.name == "Pia Pilot")).one()
            again = stored.content_sha256
            assert not restate(session, "kuendigungen", new, seen=again, actor=actor)
            with pytest.raises(WrongState, match="inzwischen geändert; gespeichert ist nichts"):
                restate(session, "kuendigungen", ESTIMATES, seen=seen, actor=actor)
            with pytest.raises(InvalidContent, match="Zu Stufe 1 fehlt die Begründung"):
                restate(session, "kuendigungen", {"effort": {"level": 1}}, seen=again, actor=actor)
            with pytest.raises(NotAllowed):
                restate(session, "kuendigungen", {}, seen=again,
                        actor=pilot("Eva", Role.EVALUATOR))  # fmt: skip
            assert restate(session, "kuendigungen", {}, seen=again, actor=actor)
        with reading() as session:
            stored = get_scenario(session, "kuendigungen")
            assert [stored.content[key] for key in ESTIMATES] == [None] * 3
            entries = session.exec(
                select(AuditEntry).where(AuditEntry.action == "estimates_changed")
            ).all()
            assert len(entries) == 2

    def test_estimates_of_a_folder_are_changed_in_its_file(self, trial: Trial) -> None:
        with transaction() as session:
            load_shipped(session)
            seen = get_scenario(session, trial.slug).content_sha256
            with pytest.raises(WrongState, match=f"in scenarios/{trial.slug}/scenario.yaml"):
                restate(session, trial.slug, ESTIMATES, seen=seen, actor=pilot())

    @pytest.mark.parametrize("stated", [{}, ESTIMATES], ids=["without", "with estimates"])
    def test_package_loads_as_the_same_content(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: dict[str, Any]
    ) -> None:
        create(**stated)
        with reading() as session:
            before = stored_scenario(session, "kuendigungen")
            package = scenario_package(session, "kuendigungen")
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            archive.extractall(tmp_path)
        after = load_scenario("kuendigungen", tmp_path / "scenarios")
        assert after.content == before.content
        assert after.sha256 == before.sha256
        rubric = load_rubric("vorsortieren", tmp_path / "evaluations")
        assert rubric.sha256 == checked_rubric(RUBRIC).sha256
        gates = Path(__file__).parent.parent / "evaluations" / "gates.yaml"
        (tmp_path / "evaluations" / "gates.yaml").write_bytes(gates.read_bytes())
        assert check_all(tmp_path).problems == []

    def test_own_rubric_can_be_chosen_later(self) -> None:
        create()
        with reading() as session:
            assert "vorsortieren" in [rubric.key for rubric in list_rubrics(session)]


def test_rubric_needs_every_level() -> None:
    broken = {**RUBRIC, "criteria": [{**RUBRIC["criteria"][0], "weight": 100, "levels": {1: "a"}}]}
    with pytest.raises(InvalidContent, match="Ankertext der Stufe 2"):
        checked_rubric(broken)


def table(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_cases_are_read_and_numbered() -> None:
    head = ["Eingabe", "Thema", "Grenzfall"]
    cases = read_cases("f.xlsx", table(head, ["eins", "Miete", "ja"], ["zwei", None, None]))
    assert [(case.id, case.topic, case.edge) for case in cases] == [
        ("fall-01", "Miete", True), ("fall-02", "", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([["Fall", "Antwort"], ["a", "b"]], "Keine Spalte für die Eingaben"),
        ([["Fall", "Eingabe"], ["a", "x"], ["a", "y"]], "Zeile 3: Fall 'a' steht schon in Zeile 2"),
        (
            [["Fall", "Eingabe"], ["a b", "x"]],
            "Zeile 2, Spalte A („Fall“): 'a b' ist keine Kennung",
        ),
        (
            [["Fall", "Eingabe"], ["a", None]],
            "Zeile 2, Spalte B („Eingabe“): hier fehlt die Eingabe",
        ),
        ([["Fall", "Eingabe", "Grenzfall"], ["a", "x", "vielleicht"]], "weder ja noch nein"),
        (
            [["Fall", "Eingabe"], ["a", '=A2&"b"']],
            "Zeile 2, Spalte B („Eingabe“): die Zelle enthält eine Formel ohne gespeichertes",
        ),
        (
            [["Fall", "Eingabe"], ["#DIV/0!", "x"]],
            "Zeile 2, Spalte A („Fall“): die Zelle enthält den Fehlerwert #DIV/0!",
        ),
    ],
)
def test_wrong_case_is_named_by_row(rows: list[list[Any]], sentence: str) -> None:
    with pytest.raises(InvalidTable) as refusal:
        read_cases("f.xlsx", table(*rows))
    assert sentence in str(refusal.value)


def test_case_template_is_read_back() -> None:
    (case,) = read_cases("vorlage.xlsx", case_template())
    assert case.id == "fall-01"
