"""Publishing: nothing before release, everything once afterwards, whatever happens on the way."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import building
import pytest
import tracked
from building import CRITERIA, Call, Trial, person
from sqlalchemy import text
from sqlmodel import col, select
from tracked import Proxy, traces

from reallabor.database import reading, transaction
from reallabor.deciding.auditing import verify_audit
from reallabor.deciding.decisions import decide
from reallabor.errors import TrackingUnavailable
from reallabor.models import (
    Decision,
    Delivery,
    OutboxEntry,
    Output,
    Rater,
    Role,
    Round,
    TrialRun,
    now,
)
from reallabor.rating.adjudicating import decide_level, list_disputes
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.publishing import LEASE, publish
from reallabor.rating.rounds import open_round, release_round
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial
from reallabor.settings import get_settings
from reallabor.tracking import Connection, names
from reallabor.tracking.publishing import HumanFeedback
from reallabor.tracking.reading import decision_tags, experiments

UNJUDGED = 2
"""Messages without any judgement: the cases, and the indicators of the run."""


@pytest.fixture
def rated(trial: Trial, connection: Connection, platform_url: str) -> Trial:
    """A recorded trial of one variant with an open round; Anna and Bert have rated everything. What
    needs no judgement is published."""
    trial.write_cases(
        [
            {"id": "a", "input": "Eins?"},
            {"id": "b", "input": "Zwei?"},
            {"id": "k", "input": "kaputt"},
        ]
    )
    record_trial(trial.slug, connection=connection, variant="eins")
    project(connection, slug=trial.slug)
    assert publish(connection).sent == UNJUDGED
    with transaction() as session:
        staff = building.add_staff(session)
        round_ = open_round(
            session,
            trial.slug,
            actor=staff["organiser"],
            choice=RoundChoice(evaluators=[staff["anna"], staff["bert"]]),
        )
        anna, bert = (building.tokens(session, round_, staff[name]) for name in ("anna", "bert"))
        for token in anna:
            building.rate(session, staff["anna"], token, 5, comment="Anmerkung von Anna")
        for token in bert:
            building.rate(session, staff["bert"], token, 2)
    return trial


def release(slug: str) -> None:
    with transaction() as session:
        round_ = session.exec(select(Round)).one()
        release_round(session, round_.id or 0, actor=person(session, "Olga Organisation"))


def feedback(connection: Connection, slug: str) -> list[Any]:
    return [each for trace in traces(connection, slug) for each in trace.info.assessments]


def run_of(connection: Connection, slug: str) -> Any:
    (run,) = tracked.trial_runs(connection, slug)
    return run


def due() -> int:
    with reading() as session:
        return len(
            session.exec(select(OutboxEntry).where(col(OutboxEntry.done_at).is_(None))).all()
        )


def let_time_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of publishing goes on until nothing is leased any more."""
    later = now() + LEASE + timedelta(minutes=1)
    monkeypatch.setattr("reallabor.rating.publishing.now", lambda: later)


def assert_published_once(connection: Connection, slug: str) -> None:
    given = feedback(connection, slug)
    assert len(given) == 2 * (2 * len(CRITERIA) + 1)  # two outputs; Anna also left a comment each
    assert len({each.assessment_id for each in given}) == len(given)
    histories = tracked.metric_histories(connection, run_of(connection, slug).info.run_id)
    assert {"score.total", "score.FR", "score.n_cases", "n_cases"} <= set(histories)
    assert {key: len(values) for key, values in histories.items()} == dict.fromkeys(histories, 1)
    assert len(tracked.content_runs(connection, slug)) == 1
    assert due() == 0


def test_nothing_is_published_before_release(rated: Trial, connection: Connection) -> None:
    report = publish(connection)
    assert (report.sent, report.due) == (0, 0)
    assert feedback(connection, rated.slug) == []
    assert not [key for key in run_of(connection, rated.slug).data.metrics if "score" in key]


def test_release_publishes_feedback_and_scores(rated: Trial, connection: Connection) -> None:
    release(rated.slug)
    report = publish(connection)
    assert (report.sent, report.due, report.problems) == (3, 0, [])
    with reading() as session:
        released_at = session.exec(select(Round.released_at)).one()
        pseudonyms = set(session.exec(select(Rater.pseudonym)).all())
    assert released_at is not None
    moment = round(released_at.timestamp() * 1000)
    given = feedback(connection, rated.slug)
    assert {each.source.source_id for each in given} == pseudonyms
    assert {each.source.source_type for each in given} == {"HUMAN"}
    assert {each.create_time_ms for each in given} == {moment}
    assert {each.last_update_time_ms for each in given} == {moment}
    assert {each.metadata["rubric"] for each in given} == {"auskunft@1"}
    levels = sorted(each.feedback.value for each in given if each.name == "FR")
    assert levels == [2, 2, 5, 5]
    assert {each.name for each in given} == {*CRITERIA, "Anmerkung"}
    text = str([each.to_dictionary() for each in given])
    for name in ("Bert", "Bewertung", "Cora", "Olga"):
        assert name not in text.replace("Anmerkung von Anna", "")

    metrics = run_of(connection, rated.slug).data.metrics
    assert metrics["score.FR"] == 3.5
    assert metrics["score.total"] == pytest.approx(100 * (3.5 - 1) / 4)
    assert (metrics["score.n_cases"], metrics["score.n_raters"]) == (2, 2)
    assert run_of(connection, rated.slug).data.tags[names.RUBRIC] == "auskunft@1"
    assert_published_once(connection, rated.slug)


def test_publishing_again_doubles_nothing(
    rated: Trial, connection: Connection, call: Callable[..., Call]
) -> None:
    release(rated.slug)
    publish(connection)
    assert call("publish", "--json").json == {"sent": 0, "due": 0, "problems": []}
    with transaction() as session:  # as if the database did not know what MLflow holds
        for entry in session.exec(select(OutboxEntry)):
            entry.done_at, entry.next_attempt_at = None, now()
    assert publish(connection).sent == 3 + UNJUDGED
    assert_published_once(connection, rated.slug)


def test_published_scores_are_not_read_back(rated: Trial, connection: Connection) -> None:
    release(rated.slug)
    publish(connection)
    project(connection, slug=rated.slug)
    with reading() as session:
        run = session.exec(select(TrialRun)).one()
    assert not [key for key in run.indicators if key.startswith("score.")]


def test_outage_keeps_everything_due(
    rated: Trial, connection: Connection, call: Callable[..., Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    release(rated.slug)
    monkeypatch.setenv("REALLABOR_TRACKING_URI", "http://127.0.0.1:9")
    done = call("publish", "--json")
    assert (done.code, done.out) == (1, "")
    assert "nicht erreichbar" in done.err
    assert due() == 3
    assert publish(connection).sent == 3
    assert_published_once(connection, rated.slug)


def test_outage_in_the_middle_is_completed(
    rated: Trial, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(rated.slug)
    seen = 0

    def cut(data: bytes) -> None:
        nonlocal seen
        seen += b"/assessments" in data
        if seen > 9:
            raise ConnectionResetError

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with Proxy(connection.address, cut) as proxy, pytest.raises(TrackingUnavailable):
        publish(Connection(proxy.address))
    assert 0 < due() < 4
    assert 0 < len(feedback(connection, rated.slug)) < 26
    publish(connection)
    assert_published_once(connection, rated.slug)


KILLED = """
import os, signal
from reallabor.models import Delivery
from reallabor.rating import publishing, senders
from reallabor.tracking import Connection
send = senders.SENDERS[Delivery.FEEDBACK]
def send_and_die(connection, entry):
    send(connection, entry)
    os.kill(os.getpid(), signal.SIGKILL)
senders.SENDERS[Delivery.FEEDBACK] = send_and_die
publishing.publish(Connection.from_settings())
"""


def test_killed_between_send_and_mark_doubles_nothing(
    rated: Trial, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(rated.slug)
    killed = subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(feedback(connection, rated.slug)) >= 12
    assert due() >= 1
    assert publish(connection).sent == 0  # leased: another one may still be sending
    let_time_pass(monkeypatch)
    publish(connection)
    assert_published_once(connection, rated.slug)


def test_trace_that_is_gone_stops_no_other(rated: Trial, connection: Connection) -> None:
    release(rated.slug)
    with reading() as session:
        trace_id = session.exec(
            select(Output.trace_id).where(col(Output.text).is_not(None))
        ).first()
    experiment = experiments(connection)[rated.slug]
    connection.client.delete_traces(experiment, trace_ids=[trace_id])
    report = publish(connection)
    assert (report.sent, report.due, len(report.problems)) == (2, 1, 1)
    assert len(feedback(connection, rated.slug)) == 2 * len(CRITERIA) + 1


# --- decisions ----------------------------------------------------------------------------------


def decided(slug: str, verdict: str, reason: str = "Grund") -> int:
    with transaction() as session:
        steering = person(session, "Stefan Lenkung")
        return decide(session, slug, verdict=verdict, reason=reason, name="Dr. Ruth Beispiel",
                      actor=steering).id or 0  # fmt: skip


def tags(connection: Connection, slug: str) -> dict[str, str]:
    return dict(connection.client.get_experiment(experiments(connection)[slug]).tags)


def test_decision_becomes_tags_of_experiment(rated: Trial, connection: Connection) -> None:
    release(rated.slug)
    decided(rated.slug, "Nachbessern", "Übergabe fehlt: „Notfall“ 🎉")
    publish(connection)
    stored = tags(connection, rated.slug)
    assert stored[names.DECISION] == "Nachbessern"
    assert stored[names.DECISION_REASON] == "Übergabe fehlt: „Notfall“ 🎉"
    assert stored[names.DECISION_BY] == "Dr. Ruth Beispiel"
    assert stored[names.DECISION_DATE]


def test_decision_marks_the_candidate_and_anchors_the_trail(
    rated: Trial, connection: Connection
) -> None:
    release(rated.slug)
    with transaction() as session:
        first = decide(session, rated.slug, verdict="Nachbessern", reason="G", name="N",
                       review_on=date(2099, 1, 1),
                       actor=person(session, "Stefan Lenkung"))  # fmt: skip
        sha256, key = first.evidence_sha256, first.id
    publish(connection)
    stored = tags(connection, rated.slug)
    assert (stored[names.DECISION_ID], stored[names.DECISION_SHA256]) == (str(key), sha256)
    assert stored[names.DECISION_REVIEW_ON] == "2099-01-01"
    (run,) = tracked.trial_runs(connection, rated.slug)
    assert run.data.tags[names.DECISION_SHA256] == sha256
    with reading() as session:
        ours = {rated.slug: decision_tags(connection)[rated.slug]}
        assert verify_audit(session, tags=ours).whole
    decided(rated.slug, "Beenden")
    publish(connection)
    assert names.DECISION_REVIEW_ON not in tags(connection, rated.slug)  # not that of the first
    with transaction() as session:  # nobody can rewrite what stands in MLflow
        session.connection().execute(text("UPDATE audit_entry SET hash = 'x' || hash"))
        ours = {rated.slug: decision_tags(connection)[rated.slug]}
        found = verify_audit(session, tags=ours)
        assert any("neu geschrieben" in each.what for each in found.breaks)
        session.rollback()


def test_older_decision_never_overwrites_newer(
    rated: Trial, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = decided(rated.slug, "Beenden")
    newer = decided(rated.slug, "Weiterentwickeln")
    with transaction() as session:  # the older message hangs, only the newer one is sent
        entry = session.exec(
            select(OutboxEntry).where(
                OutboxEntry.kind == Delivery.DECISION, OutboxEntry.subject_id == older
            )
        ).one()
        entry.next_attempt_at = now() + LEASE
    publish(connection)
    assert tags(connection, rated.slug)[names.DECISION] == "Weiterentwickeln"
    let_time_pass(monkeypatch)
    publish(connection)
    assert tags(connection, rated.slug)[names.DECISION] == "Weiterentwickeln"
    assert due() == 0
    with reading() as session:
        assert session.get_one(Decision, newer).supersedes_id == older


def test_long_reason_is_published(rated: Trial, connection: Connection) -> None:
    decided(rated.slug, "Beenden", "Begründung " * 800)
    report = publish(connection)
    assert (report.sent, report.problems) == (1, [])
    assert tags(connection, rated.slug)[names.DECISION_REASON].startswith("Begründung")


def test_publish_command_needs_a_database(
    home: Path, trial: Trial, call: Callable[..., Call]
) -> None:
    done = call("publish")
    assert done.code == 1
    assert "noch keine Plattform-Datenbank" in done.err
    assert get_settings().home == home


def decide_all(slug: str) -> int:
    """Adjudicate everything that is disputed; gives how many levels that were."""
    with transaction() as session:
        round_ = session.exec(select(Round)).one()
        neutral = building.add_person(session, "Otto", Role.ORGANISER)
        found = list_disputes(session, round_.id or 0, actor=neutral)
        for dispute in found:
            decide_level(
                session, round_.id or 0, dispute.token, seen=dispute.seen, level=3,
                reason="Dazwischen", submission=str(uuid.uuid4()), actor=neutral,
            )  # fmt: skip
    return len(found)


def test_adjudication_is_one_more_feedback_and_the_score(
    rated: Trial, connection: Connection
) -> None:
    assert decide_all(rated.slug) == 2 * len(CRITERIA)  # Anna gave 5, Bert 2
    assert publish(connection).sent == 0  # not before the release
    release(rated.slug)
    for _ in range(2):
        publish(connection)
        given = feedback(connection, rated.slug)
        decided = [each for each in given if each.source.source_id == "Klärung"]
        assert [each.feedback.value for each in decided] == [3] * 2 * len(CRITERIA)
        assert {each.rationale for each in decided} == {"Dazwischen"}
        originals = [each.feedback.value for each in given
                     if each.source.source_id != "Klärung" and each.name == "FR"]  # fmt: skip
        assert sorted(originals) == [2, 2, 5, 5]
        assert "Otto" not in str([each.to_dictionary() for each in given])
        metrics = run_of(connection, rated.slug).data.metrics
        assert (metrics["score.FR"], metrics["score.total"]) == (3, 50)
        with transaction() as session:  # as if the acknowledgement had been lost
            for entry in session.exec(select(OutboxEntry)):
                entry.done_at, entry.next_attempt_at = None, now()
                session.add(entry)


def test_adjudications_of_two_rounds_do_not_meet() -> None:
    one, two = (
        HumanFeedback("FR", 3.0, "Klärung", "auskunft@1", name, None, adjudicated=True)
        for name in ("Runde 1", "Runde 2")
    )
    assert one.assessment_id("tr-1") != two.assessment_id("tr-1")
