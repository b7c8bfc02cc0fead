"""The demonstration: really run, marked everywhere, filled once, taken away without a trace."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import building
import pytest
import tracked
from building import Call, Trial, person
from sqlmodel import func, select

from reallabor import demo, demo_removal
from reallabor.database import reading, transaction
from reallabor.deciding.auditing import verify_audit
from reallabor.deciding.comparison import compare
from reallabor.deciding.decisions import decide
from reallabor.deciding.meeting_views import list_meetings, meeting_view
from reallabor.deciding.meetings import MeetingPlan, plan_meeting
from reallabor.deciding.published import comparison_json
from reallabor.errors import TrackingUnavailable, WrongState
from reallabor.models import (
    AgendaItem,
    Assignment,
    Decision,
    Delivery,
    Evidence,
    GateReview,
    Meeting,
    OutboxEntry,
    Output,
    Participant,
    Rater,
    Rating,
    Round,
    RoundRun,
    Survey,
    TrialRun,
    UnassignedOutput,
    Voice,
    WorksheetAnswer,
)
from reallabor.rating.publishing import publish
from reallabor.rating.rounds import open_round, release_round
from reallabor.rating.surveys import list_surveys
from reallabor.rating.voice_results import survey_result
from reallabor.recording.catalogue import load_shipped
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments

TABLES = (
    TrialRun, Output, Round, RoundRun, Rater, Assignment, Rating, Decision, Survey, Voice,
    GateReview, Evidence, WorksheetAnswer, Meeting, AgendaItem, Participant,
)  # fmt: skip


def counts(*tables: Any) -> list[int]:
    with reading() as session:
        return [session.exec(select(func.count()).select_from(table)).one() for table in tables]


def json_of(slug: str) -> Any:
    with reading() as session:
        return comparison_json(compare(session, [slug])[0])


runs_of = tracked.trial_runs


def traces_of(connection: Connection, slug: str) -> list[Any]:
    return list(
        connection.client.search_traces(
            locations=[experiments(connection)[slug]], include_spans=False
        )
    )


def flag(slug: str) -> None:
    with transaction() as session:
        steering = person(session, "Ruth Lenkungskreis")
        decide(session, slug, verdict="Nachbessern", reason="G", name="R", actor=steering)


def test_demo_runs_rates_and_releases(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    assert not demo.is_filled()
    assert demo.fill(connection) == [trial.slug]
    assert demo.is_filled()
    assert Counter(run.data.tags[names.VARIANT] for run in runs_of(connection, trial.slug)) == {
        "eins": 1, "zwei": 1, "alt": 1,
    }  # fmt: skip
    assert {run.data.tags[names.DEMO] for run in runs_of(connection, trial.slug)} == {"true"}
    assert len(traces_of(connection, trial.slug)) == 18
    result = json_of(trial.slug)
    assert result["demo"] is True
    assert [variant["n_cases"] for variant in result["variants"]] == [5, 5, 5]
    assert result["n_raters"] == 3
    with reading() as session:
        levels = set(session.exec(select(Rating.level)).all())
        assert session.exec(select(Round)).one().demo
        assert verify_audit(session).whole
    assert levels <= {1, 2, 3, 4, 5}
    assert len(levels) > 2


def test_demo_has_voices_of_both_audiences(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    demo.fill(connection)
    with reading() as session:
        nadja = person(session, "Nadja Organisation")
        shown = list_surveys(session, trial.slug, actor=nadja)
        results = {each.audience: survey_result(session, each.survey_id, actor=nadja)
                   for each in shown}  # fmt: skip
    assert all(survey.demo for survey in shown)
    assert {audience: each.n for audience, each in results.items()} == {"staff": 9, "clients": 14}
    assert all(each.questions and each.worries for each in results.values())
    missing = json_of(trial.slug)["readiness"]["missing"]
    assert not any(point.startswith("Rückmeldungen") for point in missing)


def test_demo_has_a_meeting_to_open(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    demo.fill(connection)
    with reading() as session:
        (summary,) = list_meetings(session)
        view = meeting_view(session, summary.meeting_id)
    assert view.meeting.demo
    assert view.state == "geplant"
    assert [item.slug for item in view.items] == [trial.slug]
    voting = {each.name for each in view.participants if each.has_vote}
    assert voting == {"Ruth Lenkungskreis", "Sven Lenkungskreis", "Amira Lenkungskreis"}
    assert view.meeting.quorum == 2


def test_demo_plans_no_meeting_beside_a_real_one(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    with transaction() as session:
        load_shipped(session)
        demo.ensure_people(session)
        organiser = person(session, "Nadja Organisation")
        ruth = person(session, "Ruth Lenkungskreis")
        plan = MeetingPlan(title="Echte Sitzung", held_on=date(2026, 12, 1), quorum=1,
                           members=[ruth.id or 0], slugs=[trial.slug])  # fmt: skip
        plan_meeting(session, plan, actor=organiser)
    demo.fill(connection)
    with reading() as session:
        assert [each.title for each in list_meetings(session)] == ["Echte Sitzung"]


def test_demo_is_marked_on_every_export(
    trial: Trial, connection: Connection, platform_url: str, call: Callable[..., Call],
    tmp_path: Path,
) -> None:  # fmt: skip
    demo.fill(connection)
    flag(trial.slug)
    assert call("compare", trial.slug, "--json").json["scenarios"][0]["demo"] is True
    assert "[Demodaten]" in call("compare", trial.slug).out
    exported = call("export", trial.slug, "--json").json
    assert exported["note"] == "Demodaten"
    assert {row["note"] for row in exported["ratings"]} == {"Demodaten"}
    assert call("export", trial.slug, "--output", tmp_path / "out").code == 0
    assert json.loads((tmp_path / "out" / "results.json").read_text())["note"] == "Demodaten"
    lines = (tmp_path / "out" / "ratings.csv").read_text("utf-8-sig").splitlines()
    assert all(line.endswith(";Demodaten") for line in lines[1:])
    publish(connection)
    tags = connection.client.get_experiment(experiments(connection)[trial.slug]).tags
    assert tags[names.DEMO] == "true"


def test_filling_again_changes_nothing(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    demo.fill(connection)
    before = counts(*TABLES, OutboxEntry)
    assert demo.fill(connection) == []
    assert counts(*TABLES, OutboxEntry) == before
    assert len(runs_of(connection, trial.slug)) == 3
    assert len(trial.calls()) == 18


def test_same_seed_gives_same_levels(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    def means() -> Any:
        demo.fill(connection)
        return [
            {key: figure["mean"] for key, figure in variant["criteria"].items()}
            for variant in json_of(trial.slug)["variants"]
        ]

    first = means()
    demo_removal.remove(connection)
    second = means()
    # Who rates which case is drawn anew, so means may move a little; the rule stays.
    for one, other in zip(first, second, strict=True):
        for key, mean in one.items():
            assert mean == pytest.approx(other[key], abs=1.0)


KILLED = """
import os, signal
from reallabor import demo
from reallabor.tracking import Connection
{patch}
demo.fill(Connection.from_settings())
"""
DIE = "lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)"
POINTS = {
    "after-recording": f"demo.project = {DIE}",
    "after-projection": f"demo._rate_and_release = {DIE}",
    "among-ratings": f"demo.release_round = {DIE}",
    "before-the-note": f"demo.audit.record = {DIE}",
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_demo_finishes_without_doubling(
    trial: Trial, connection: Connection, platform_url: str, point: str
) -> None:
    code = KILLED.format(patch=POINTS[point])
    killed = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    demo.fill(connection)
    assert demo.is_filled()
    assert len(runs_of(connection, trial.slug)) == 3
    assert len(traces_of(connection, trial.slug)) == 18
    assert counts(TrialRun, Output, Round) == [3, 18, 1]
    assert len(trial.calls()) == 18
    assert json_of(trial.slug)["n_raters"] == 3


def test_interrupted_recording_goes_on(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(patch="")], env={**os.environ, "TRIAL_SLEEP": "0.3"}
    )
    building.wait_until(lambda: len(trial.calls()) >= 3)
    process.kill()
    process.wait()
    demo.fill(connection)
    assert len(trial.calls()) <= 19  # the one that was being answered is asked again
    assert len(runs_of(connection, trial.slug)) == 3
    assert counts(TrialRun, Round) == [3, 1]


def test_resume_never_mixes_demo_and_real(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    down = Connection("http://127.0.0.1:9")
    for mark in (True, False):
        with pytest.raises(TrackingUnavailable):
            record_trial(trial.slug, connection=down, variant="eins", demo=mark)
    record_trial(trial.slug, connection=connection, resume=True, demo=True)
    (run,) = runs_of(connection, trial.slug)
    assert run.data.tags[names.DEMO] == "true"
    with pytest.raises(WrongState):
        record_trial(trial.slug, connection=connection, resume=True, demo=True)
    record_trial(trial.slug, connection=connection, resume=True)
    assert sorted(names.DEMO in run.data.tags for run in runs_of(connection, trial.slug)) == [
        False, True,
    ]  # fmt: skip


# --- removing -----------------------------------------------------------------------------------


def test_remove_takes_all_but_the_experiment(
    trial: Trial, connection: Connection, platform_url: str, call: Callable[..., Call]
) -> None:
    demo.fill(connection)
    flag(trial.slug)
    publish(connection)
    experiment = experiments(connection)[trial.slug]
    done = call("demo", "--remove", "--json")
    assert done.json["removed_runs"] >= 3  # other tests leave theirs on this server
    assert experiments(connection)[trial.slug] == experiment
    assert runs_of(connection, trial.slug) == []
    assert traces_of(connection, trial.slug) == []
    tags = connection.client.get_experiment(experiment).tags
    assert not {names.DECISION, names.DECISION_REASON, names.DECISION_BY, names.DEMO} & set(tags)
    assert counts(*TABLES) == [0] * len(TABLES)
    with reading() as session:
        left = session.exec(select(OutboxEntry.kind)).all()
        assert verify_audit(session).whole
    assert set(left) == {Delivery.CASES}  # they are no demonstration and stay
    assert len(tracked.content_runs(connection, trial.slug)) == 1
    assert demo_removal.remove(connection) == 0
    assert project(connection, slug=trial.slug).runs == 0


def test_remove_takes_outputs_without_a_case(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    trial.write_cases([{"id": "f-9", "input": "Eine Frage, die es nur hier gab."}])
    record_trial(trial.slug, connection=connection, variant="eins", demo=True)
    trial.write_cases([{"id": "f-1", "input": "Wann bekomme ich Geld?"}])
    assert project(connection, slug=trial.slug).unassigned == 1
    assert counts(TrialRun, UnassignedOutput) == [1, 1]
    demo_removal.remove(connection)
    assert counts(TrialRun, UnassignedOutput) == [0, 0]


def test_removed_demo_is_not_filled_by_itself(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    demo.fill(connection)
    demo_removal.remove(connection)
    assert demo.is_filled()  # `make run` asks this before it fills


def test_real_run_works_after_removal(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    demo.fill(connection)
    demo_removal.remove(connection)
    record_trial(trial.slug, connection=connection)
    assert project(connection, slug=trial.slug).runs == 3
    with transaction() as session:
        organiser = person(session, "Nadja Organisation")
        round_ = open_round(session, trial.slug, actor=organiser)
        assert not round_.demo
        building.rate_all(session, round_, person(session, "Emre Bewertung"), 3)
        release_round(session, round_.id or 0, actor=organiser)
    result = json_of(trial.slug)
    assert result["demo"] is False
    assert {variant["criteria"]["FR"]["mean"] for variant in result["variants"]} == {3}
    publish(connection)
    assert all(names.DEMO not in run.data.tags for run in runs_of(connection, trial.slug))


def test_real_results_come_before_demo(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    demo.fill(connection)
    record_trial(trial.slug, connection=connection, variant="eins")
    project(connection, slug=trial.slug)
    with transaction() as session:
        organiser = person(session, "Nadja Organisation")
        round_ = open_round(session, trial.slug, actor=organiser)
        building.rate_all(session, round_, person(session, "Emre Bewertung"), 2)
        release_round(session, round_.id or 0, actor=organiser)
        runs = session.exec(select(TrialRun).join(RoundRun).where(
            RoundRun.round_id == round_.id)).all()  # fmt: skip
        assert [run.demo for run in runs] == [False]
    result = json_of(trial.slug)
    assert (result["demo"], [v["variant"] for v in result["variants"]]) == (False, ["eins"])


def test_remove_keeps_real_work(trial: Trial, connection: Connection, platform_url: str) -> None:
    demo.fill(connection)
    record_trial(trial.slug, connection=connection, variant="eins")
    project(connection, slug=trial.slug)
    with transaction() as session:
        organiser = person(session, "Nadja Organisation")
        round_ = open_round(session, trial.slug, actor=organiser)
        building.rate_all(session, round_, person(session, "Emre Bewertung"), 2)
        release_round(session, round_.id or 0, actor=organiser)
    flag(trial.slug)
    publish(connection)
    assert demo_removal.remove(connection) >= 3
    publish(connection)
    assert len(runs_of(connection, trial.slug)) == 1
    assert len(traces_of(connection, trial.slug)) == 6
    tags = connection.client.get_experiment(experiments(connection)[trial.slug]).tags
    assert tags[names.DECISION] == "Nachbessern"
    result = json_of(trial.slug)
    assert result["decision"]["verdict"] == "Nachbessern"
    assert counts(TrialRun, Round, Decision) == [1, 1, 1]
    with reading() as session:
        assert session.exec(select(func.count()).select_from(Rating)).one() > 0


def test_demo_beside_real_runs_is_not_rated(
    trial: Trial, connection: Connection, platform_url: str
) -> None:
    record_trial(trial.slug, connection=connection, variant="eins")
    project(connection, slug=trial.slug)
    assert demo.fill(connection) == []
    assert counts(Round, Rating) == [0, 0]
