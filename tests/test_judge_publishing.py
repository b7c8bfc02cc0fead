"""What models said reaches MLflow after the release, once, beside people and not among them."""

from collections.abc import Callable
from typing import Any

import building
import pytest
import tracked
from building import CRITERIA, Call, Trial
from judged import MODEL, StandIn, endpoint_at, person, stand_in
from sqlmodel import col, select
from stand_in_judge import StandInJudge, levels

from reallabor import demo_removal
from reallabor.database import reading, transaction
from reallabor.models import (
    Delivery,
    Judge,
    JudgeRating,
    OutboxEntry,
    Output,
    Quarantine,
    Round,
    now,
)
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.judging import judge_round
from reallabor.rating.publishing import publish
from reallabor.rating.rounds import open_round, release_round
from reallabor.recording.endpoint import Endpoint
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial
from reallabor.tracking import Connection
from reallabor.tracking.reading import experiments

__all__ = ["stand_in"]

COLUMNS = {f"LLM {key} ({MODEL})" for key in CRITERIA}


@pytest.fixture
def rated(trial: Trial, connection: Connection, platform_url: str) -> Trial:
    """A recorded trial with two outputs, rated by Anna and Bert in an open round."""
    trial.write_cases([{"id": "a", "input": "Eins?"}, {"id": "b", "input": "Zwei?"}])
    record_trial(trial.slug, connection=connection, variant="eins")
    project(connection, slug=trial.slug)
    publish(connection)
    with transaction() as session:
        staff = building.add_staff(session)
        raters = [staff["anna"], staff["bert"]]
        round_ = open_round(
            session, trial.slug, actor=staff["organiser"], choice=RoundChoice(evaluators=raters)
        )
        for rater in raters:
            building.rate_all(session, round_, rater, 4)
    return trial


def judge(trial: Trial, server: StandInJudge) -> None:
    judge_round(trial.slug, endpoint_at(server), actor=person())


def release() -> None:
    with transaction() as session:
        release_round(session, session.exec(select(Round.id)).one() or 0, actor=person())


def feedback(connection: Connection, slug: str) -> list[Any]:
    traces = connection.client.search_traces(locations=[experiments(connection)[slug]])
    return [each for trace in traces for each in trace.info.assessments]


def by_model(connection: Connection, slug: str) -> list[Any]:
    return [each for each in feedback(connection, slug) if each.source.source_type == "LLM_JUDGE"]


def scores(connection: Connection, slug: str) -> dict[str, float]:
    (run,) = tracked.trial_runs(connection, slug)
    return {key: value for key, value in run.data.metrics.items() if key.startswith("score.")}


def assert_published_once(connection: Connection, slug: str) -> None:
    given = by_model(connection, slug)
    assert len(given) == 2 * len(CRITERIA)
    assert len({each.assessment_id for each in given}) == len(given)
    assert {each.name for each in given} == COLUMNS


def test_nothing_of_a_model_is_sent_before_release(
    rated: Trial, connection: Connection, stand_in: StandIn
) -> None:
    judge(rated, stand_in(lambda *_: levels(2)))
    report = publish(connection)
    assert (report.sent, report.due) == (0, 0)
    assert feedback(connection, rated.slug) == []


def test_release_sends_levels_in_their_own_column(
    rated: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: levels(2))
    judge(rated, server)
    release()
    assert publish(connection).problems == []
    assert_published_once(connection, rated.slug)
    with reading() as session:
        released_at = session.exec(select(Round.released_at)).one()
    assert released_at is not None
    for each in by_model(connection, rated.slug):
        assert each.feedback.value == 2
        assert each.rationale.startswith("Ersatzgrund ")
        assert each.source.source_id == MODEL
        assert each.metadata["rubric"] == "auskunft@1"
        assert (each.metadata["round"], each.metadata["host"]) == ("Runde 1", server.url)
        assert each.create_time_ms == round(released_at.timestamp() * 1000)
    people = [each for each in feedback(connection, rated.slug) if each.name in CRITERIA]
    assert {(each.source.source_type, each.feedback.value) for each in people} == {("HUMAN", 4)}
    assert len(people) == 2 * 2 * len(CRITERIA)
    assert scores(connection, rated.slug)["score.total"] == pytest.approx(75)
    assert scores(connection, rated.slug)["score.n_raters"] == 2


def test_judging_after_release_changes_no_score(
    rated: Trial, connection: Connection, stand_in: StandIn
) -> None:
    release()
    publish(connection)
    before = scores(connection, rated.slug)
    judge(rated, stand_in(lambda *_: levels(1)))
    assert publish(connection).sent == 2
    assert_published_once(connection, rated.slug)
    assert scores(connection, rated.slug) == before


def test_sending_again_doubles_nothing(
    rated: Trial, connection: Connection, stand_in: StandIn, call: Callable[..., Call]
) -> None:
    judge(rated, stand_in(lambda *_: levels(2)))
    release()
    publish(connection)
    assert call("publish", "--json").json == {"sent": 0, "due": 0, "problems": []}
    with transaction() as session:  # as if the database did not know what MLflow holds
        for entry in session.exec(select(OutboxEntry)):
            entry.done_at, entry.next_attempt_at = None, now()
    publish(connection)
    assert_published_once(connection, rated.slug)


def test_second_model_gets_a_second_column(
    rated: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: levels(2))
    judge(rated, server)
    release()
    publish(connection)
    judge_round(rated.slug, Endpoint(server.url, "Zweites"), actor=person())
    publish(connection)
    given = by_model(connection, rated.slug)
    assert {each.name for each in given} == COLUMNS | {f"LLM {key} (Zweites)" for key in CRITERIA}
    assert len(given) == 2 * 2 * len(CRITERIA)


def test_failed_and_locked_outputs_send_nothing(
    rated: Trial, connection: Connection, stand_in: StandIn
) -> None:
    judge(rated, stand_in(lambda found, _: "nein" if found["eingabe"] == "Eins?" else levels(3)))
    reporter = person("Anna Bewertung")
    with transaction() as session:
        output = session.exec(select(Output).where(col(Output.text).contains("Zwei?"))).one()
        session.add(Quarantine(output_id=output.id, reported_by=reporter.id))
    release()
    assert publish(connection).problems == []
    assert by_model(connection, rated.slug) == []
    with reading() as session:
        kinds = session.exec(select(OutboxEntry.kind)).all()
    assert kinds.count(Delivery.JUDGEMENTS) == 1  # the locked one; the failed one has no levels


def test_removed_demonstration_takes_its_judges_along(
    trial: Trial, connection: Connection, platform_url: str, stand_in: StandIn
) -> None:
    record_trial(trial.slug, connection=connection, variant="eins", demo=True)
    project(connection, slug=trial.slug)
    with transaction() as session:
        staff = building.add_staff(session)
        open_round(session, trial.slug, actor=staff["organiser"])
    judge(trial, stand_in(lambda *_: levels(2)))
    demo_removal.remove(connection)
    with reading() as session:
        for table in (Judge, JudgeRating, Round):
            assert session.exec(select(table)).all() == []
