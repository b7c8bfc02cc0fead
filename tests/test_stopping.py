"""A prohibited practice stops a scenario at once, on every way in, until the gate is passed."""

from collections.abc import Callable

import building
import pytest
import surveys
from building import Call, Trial
from reviewing import (
    STOPPING,
    add_reviewers,
    find,
    gate_of,
    reviewer,
    settle_worksheet,
)
from sqlmodel import Session, col, func, select

from reallabor import audit, trial_run
from reallabor.database import reading, transaction
from reallabor.deciding.agenda import scenario_summary
from reallabor.deciding.comparison import compare
from reallabor.deciding.gates import GateState
from reallabor.deciding.suggestion import suggestion
from reallabor.errors import NotAllowed, WrongState
from reallabor.german import day, today
from reallabor.models import (
    AuditEntry,
    GateOutcome,
    Person,
    Rating,
    Role,
    Round,
    Scenario,
    Survey,
    TrialRun,
    Voice,
)
from reallabor.rating.importing import import_ratings
from reallabor.rating.rating_file import read_ratings
from reallabor.rating.rounds import open_round, release_round
from reallabor.rating.sheet import list_open_ratings
from reallabor.rating.voices import Access, find_questionnaire, submit_voice
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial
from reallabor.tracking import Connection

SENTENCE = (
    rf"ist seit {day(today())} gestoppt: Der Prüfpunkt 'Keine verbotene Praxis' "
    r"\(Art\. 5 VO \(EU\) 2024/1689\) ist verfehlt.*bis DSB ihn auf der Seite Prüfpunkte"
)


def person(session: Session, name: str) -> Person:
    return session.exec(select(Person).where(Person.name == name)).one()


def stop(trial: Trial) -> None:
    find(trial, STOPPING, outcome=GateOutcome.MISSED, note="Bewertet Sozialverhalten.")


def lift(trial: Trial) -> None:
    with transaction() as session:
        settle_worksheet(session, trial.slug, "art-5", reviewer(session, Role.SECURITY))
    find(trial, STOPPING, note="Die Bewertung wurde ausgebaut.")


@pytest.fixture
def running(trial: Trial, platform_url: str) -> Trial:
    """A scenario with runs, an open round of which one output is rated, and a survey."""
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        add_reviewers(session)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        building.rate(session, staff["anna"], building.tokens(session, round_, staff["anna"])[0])
    surveys.opened(trial.slug)
    return trial


def rate_next(trial: Trial) -> None:
    with transaction() as session:
        anna = person(session, "Anna Bewertung")
        round_ = session.exec(select(Round)).one()
        building.rate(session, anna, building.tokens(session, round_, anna)[1], 2)


def open_another(trial: Trial) -> None:
    with transaction() as session:
        organiser = person(session, "Olga Organisation")
        release_round(session, session.exec(select(Round.id)).one() or 0, actor=organiser)
        open_round(session, trial.slug, actor=organiser)


def ask_staff(trial: Trial) -> None:
    surveys.opened(trial.slug, surveys.Audience.STAFF)


def enter_paper(trial: Trial) -> None:
    from reallabor.rating.voices import enter_sheet

    with transaction() as session:
        survey = session.exec(select(Survey.id)).one()
        pilot = person(session, "Paul Pilot")
        enter_sheet(session, survey or 0, surveys.sheet(), actor=pilot)


def take_ratings(trial: Trial) -> None:
    path = trial.content / "noten.csv"
    path.write_text("case,variant,rater,criterion,level,comment\nf-1,eins,R,FR,4,\n", "utf-8")
    with transaction() as session:
        import_ratings(session, trial.slug, read_ratings(path),
                       actor=person(session, "Paul Pilot"))  # fmt: skip


def record(trial: Trial) -> None:
    record_trial(trial.slug, connection=Connection("http://127.0.0.1:9"), variant="eins")


def record_by_python(trial: Trial) -> None:
    with trial_run(trial.slug, variant="eins"):
        raise AssertionError("the block is never entered")


WAYS_IN: dict[str, Callable[[Trial], None]] = {
    "rating": rate_next,
    "round": open_another,
    "survey": ask_staff,
    "paper": enter_paper,
    "imported": take_ratings,
    "run": record,
    "python": record_by_python,
}


def counts() -> list[int]:
    with reading() as session:
        return [
            session.exec(select(func.count()).select_from(table)).one()
            for table in (TrialRun, Round, Rating, Survey, Voice)
        ]


@pytest.mark.parametrize("way", WAYS_IN)
def test_stopped_scenario_refuses_every_way_in(running: Trial, way: str) -> None:
    stop(running)
    before = counts()
    with pytest.raises(WrongState, match=SENTENCE):
        WAYS_IN[way](running)
    assert counts() == before


@pytest.mark.parametrize("way", ["rating", "round", "survey", "paper"])
def test_lifted_stop_lets_work_go_on(running: Trial, way: str) -> None:
    stop(running)
    lift(running)
    before = counts()
    WAYS_IN[way](running)
    assert counts() != before


def test_those_who_are_asked_read_a_sentence_for_them(running: Trial) -> None:
    with transaction() as session:
        session.exec(select(Survey)).one().closed_at = None
        key = session.exec(select(Survey.device_key)).one()
    access = Access(key, device=True)
    stop(running)
    with transaction() as session:
        with pytest.raises(WrongState, match="Diese Erprobung ruht zurzeit"):
            find_questionnaire(session, access)
        with pytest.raises(WrongState, match="Diese Erprobung ruht zurzeit"):
            submit_voice(session, access, surveys.sheet())


def test_stop_is_said_first_everywhere(running: Trial) -> None:
    stop(running)
    with reading() as session:
        (comparison,) = compare(session, [running.slug])
        summary = scenario_summary(session, running.slug)
        mine = list_open_ratings(session, person(session, "Anna Bewertung"))
    first = comparison.readiness.points[0]
    assert first.text.startswith("Erprobung gestoppt: Keine verbotene Praxis (Art. 5")
    assert first.link == f"pruefpunkte?szenario={running.slug}&punkt={STOPPING}"
    assert suggestion(comparison.readiness, comparison) == ("Beenden", f"{first.text}.")
    assert comparison.stopped_at is not None
    assert (summary.phase, summary.next_step) == ("gestoppt", summary.stop)
    assert [bool(each.stop) for each in mine] == [True]


def test_stop_and_its_end_are_in_the_trail(running: Trial) -> None:
    stop(running)
    stop(running)  # pressed twice
    lift(running)
    with reading() as session:
        actions = session.exec(select(AuditEntry.action).order_by(col(AuditEntry.id))).all()
        scenario = session.exec(select(Scenario)).one()
        assert audit.chain_breaks(session) == []
    assert [each for each in actions if "stop" in each] == ["scenario_stopped", "stop_lifted"]
    assert scenario.stopped_at is None
    assert gate_of(running, STOPPING).state == GateState.PASSED


def test_only_the_data_protection_officer_stops(running: Trial) -> None:
    with pytest.raises(NotAllowed):
        find(running, STOPPING, outcome=GateOutcome.MISSED, name="Olga Organisation")
    with reading() as session:
        assert session.exec(select(Scenario)).one().stopped_at is None


def test_runs_of_a_stopped_scenario_wait_in_mlflow(
    trial: Trial, connection: Connection, platform_url: str, call: Callable[..., Call]
) -> None:
    """Somebody without our database can record; it is taken over only once the stop is lifted."""
    with transaction() as session:
        building.load_shipped(session)
        add_reviewers(session)
    record_trial(trial.slug, connection=connection, variant="eins")
    stop(trial)
    report = project(connection, slug=trial.slug, everything=True)
    assert (report.runs, len(report.notes)) == (0, 1)
    assert "gestoppt" in report.notes[0]
    refused = call("run", trial.slug, "--variant", "zwei")
    assert refused.code == 1
    assert "gestoppt" in refused.err
    lift(trial)
    assert project(connection, slug=trial.slug).runs == 1
