"""What an office has to do, what a scenario lacks, and content files that say it wrongly."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import building
import pytest
from building import Trial
from reviewing import (
    PERSONNEL,
    find,
    reviewer,
)
from sqlmodel import Session, select

from reallabor.database import reading, transaction
from reallabor.deciding.comparison import compare
from reallabor.deciding.reviewing import review_tasks
from reallabor.german import today
from reallabor.models import (
    GateOutcome,
    Role,
)
from reallabor.rating.rounds import open_round, release_round


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
