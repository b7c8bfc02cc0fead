"""Runs of somebody who never installed this package: logged with nothing but mlflow, taken over
like any other once they are finished."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import mlflow
import pytest
from building import HOUSE, OTHER, Trial, add_person, add_staff, rate, tokens
from fielded import CASES
from mlflow.entities import AssessmentSource, Feedback
from sqlmodel import Session, col, select

from reallabor.database import reading, transaction
from reallabor.errors import NotAllowed, UnknownObject, WrongState
from reallabor.models import (
    AuditEntry,
    Case,
    Output,
    Rating,
    Role,
    TrialRun,
    UnassignedOutput,
    Variant,
    Way,
    row_id,
)
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.rounds import open_round
from reallabor.recording.projection import ProjectionReport, project
from reallabor.recording.taking_over import assign_output
from reallabor.tracking import Connection, recording
from reallabor.tracking.reading import experiments

INPUTS = {case["id"]: case["input"] for case in CASES}


Log = Callable[..., str]
NOTHING: Mapping[str, Any] = {}


@pytest.fixture
def plain(connection: Connection, fielded: Trial) -> Iterator[None]:
    """mlflow as somebody uses it who has its address and the name of the experiment."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(connection.address)
    mlflow.set_experiment(f"reallabor/{fielded.slug}")
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture
def log(plain: None) -> Log:
    """Logs traces with nothing but mlflow; gives the run's id."""

    def log(
        traces: Sequence[Mapping[str, Any]],
        name: str = "eigenbau",
        tags: Mapping[str, str] = NOTHING,
        metrics: Mapping[str, float] = NOTHING,
    ) -> str:
        with mlflow.start_run(run_name=name) as run:
            mlflow.set_tags(dict(tags))
            mlflow.log_metrics(dict(metrics))
            for trace in traces:
                with mlflow.start_span(name="antwort") as span:
                    if "case" in trace:
                        mlflow.update_current_trace(tags={"case_id": trace["case"]})
                    span.set_inputs(trace["input"])
                    span.set_outputs(trace["output"])
            mlflow.flush_trace_async_logging()
        return str(run.info.run_id)

    return log


def taken(connection: Connection, fielded: Trial, **more: Any) -> ProjectionReport:
    return project(connection, slug=fielded.slug, everything=True, **more)


def texts(session: Session) -> dict[str, str | None]:
    return dict(session.exec(select(Case.key, Output.text).join(Output)).all())


SHAPES: dict[str, Callable[[str], Any]] = {
    "text": lambda text: text,
    "field": lambda text: {"frage": text},
    "chat": lambda text: {"messages": [{"role": "system", "content": "Sei kurz."},
                                       {"role": "user", "content": text}]},
    "list": lambda text: {"args": [text, 3], "n": 1},
    "line-ends": lambda text: text.replace("\n", "\r\n") + "\n",
}  # fmt: skip


def test_outputs_are_matched_by_their_very_input(
    fielded: Trial, connection: Connection, platform_url: str, log: Log
) -> None:
    shapes = list(SHAPES.values())
    log([{"input": shapes[n % len(shapes)](text), "output": f"zu {key}"}
         for n, (key, text) in enumerate(INPUTS.items())])  # fmt: skip
    report = taken(connection, fielded)
    assert (report.runs, report.outputs, report.unassigned, report.notes) == (1, 6, 0, [])
    with reading() as session:
        assert texts(session) == {key: f"zu {key}" for key in INPUTS}
        run = session.exec(select(TrialRun)).one()
        assert (run.way, run.complete) == (Way.MLFLOW, True)
        assert session.get_one(Variant, run.variant_id).key == "eigenbau"


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize(("tags", "variant"), [({}, "mein Lauf 7"), ({"variant": "eins"}, "eins")])
def test_run_name_is_the_variant_unless_tagged(  # noqa: PLR0917
    fielded: Trial, connection: Connection, platform_url: str, log: Log, tags: Any, variant: str
) -> None:
    log([{"input": INPUTS["k-1"], "output": "x"}], name="mein Lauf 7", tags=tags)
    taken(connection, fielded)
    with reading() as session:
        run = session.exec(select(TrialRun)).one()
        assert session.get_one(Variant, run.variant_id).key == variant


NEARLY = {
    "k-9": {"case": "k-9", "input": INPUTS["k-1"], "output": "fremde Kennung"},
    "": {"input": INPUTS["k-1"].lower(), "output": "andere Schreibung"},
    "k-2": {"case": "k-2", "input": "egal", "output": "zweimal"},
}


def test_what_fits_no_case_is_listed(
    fielded: Trial, connection: Connection, platform_url: str, log: Log
) -> None:
    log([{"case": "k-2", "input": "egal", "output": "k-2 zuerst"}, *NEARLY.values(),
         {"input": [INPUTS["k-4"], INPUTS["k-5"]], "output": "zwei Fälle zugleich"}])  # fmt: skip
    report = taken(connection, fielded)
    assert (report.outputs, report.unassigned) == (1, 4)
    assert len([note for note in report.notes if "„nicht zugeordnet“" in note]) == 4
    with reading() as session:
        loose = session.exec(select(UnassignedOutput)).all()
        assert sorted(each.hint for each in loose) == ["", "", "k-2", "k-9"]
        by_hint = {each.hint: each for each in loose if each.hint}
        assert by_hint["k-9"].input == INPUTS["k-1"]
        assert not session.exec(select(TrialRun.complete)).one()
    again = taken(connection, fielded)
    assert (again.runs, again.outputs, again.unassigned) == (0, 0, 0)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize(
    ("roles", "allowed"),
    [((Role.PILOT,), True), ((Role.ORGANISER,), True), ((Role.EVALUATOR,), False),
     ((Role.STEERING,), False), ((), False)],
)  # fmt: skip
def test_loose_output_is_assigned_by_those_who_may(  # noqa: PLR0917
    fielded: Trial,
    connection: Connection,
    platform_url: str,
    log: Log,
    roles: tuple[Role, ...],
    allowed: bool,
) -> None:
    log([NEARLY["k-9"]])
    taken(connection, fielded)
    with transaction() as session:
        actor = add_person(session, "Wer auch immer", *roles, organisation=HOUSE)
        loose = row_id(session.exec(select(UnassignedOutput.id)).one())
        case = row_id(session.exec(select(Case.id).where(Case.key == "k-1")).one())
        if allowed:
            assign_output(session, loose, case, actor=actor)
        else:
            with pytest.raises(NotAllowed, match="nur Pilotteams und die Organisation"):
                assign_output(session, loose, case, actor=actor)
    with reading() as session:
        assert texts(session) == ({"k-1": "fremde Kennung"} if allowed else {})
        assert len(session.exec(select(UnassignedOutput)).all()) == (0 if allowed else 1)
        run = session.exec(select(TrialRun)).one()
        assert run.indicators.get("n_cases") == (1 if allowed else None)
        logged = "output_assigned" in session.exec(select(AuditEntry.action)).all()
        assert logged == allowed
    assert taken(connection, fielded).outputs == 0  # not taken over a second time


def test_run_of_another_house_is_not_changed(
    fielded: Trial, connection: Connection, platform_url: str, log: Log
) -> None:
    log([NEARLY["k-9"]])
    taken(connection, fielded)
    with transaction() as session:
        loose = row_id(session.exec(select(UnassignedOutput.id)).one())
        case = row_id(session.exec(select(Case.id).where(Case.key == "k-1")).one())
        stranger = add_person(session, "Paul", Role.PILOT, organisation=OTHER)
        with pytest.raises(NotAllowed, match="gehört einer anderen Organisation"):
            assign_output(session, loose, case, actor=stranger)
        organiser = add_person(session, "Olga", Role.ORGANISER, organisation=OTHER)
        assign_output(session, loose, case, actor=organiser)


def test_assigning_refuses_what_would_double(
    fielded: Trial, connection: Connection, platform_url: str, log: Log
) -> None:
    log([{"case": "k-2", "input": "egal", "output": "k-2"}, *NEARLY.values()])
    taken(connection, fielded)
    with transaction() as session:
        actor = add_person(session, "Paul", Role.PILOT, organisation=HOUSE)
        loose = session.exec(select(UnassignedOutput)).all()
        taken_case, free_case = (
            row_id(session.exec(select(Case.id).where(Case.key == key)).one())
            for key in ("k-2", "k-1")
        )
        first = row_id(loose[0].id)
        with pytest.raises(WrongState, match="Fall 'k-2' hat in diesem Durchlauf schon eine"):
            assign_output(session, first, taken_case, actor=actor)
        with pytest.raises(UnknownObject, match="Diesen Fall gibt es in dem Szenario"):
            assign_output(session, first, 999_999, actor=actor)
        assign_output(session, first, free_case, actor=actor)
        with pytest.raises(UnknownObject, match="ist schon zugeordnet"):
            assign_output(session, first, free_case, actor=actor)


def test_rated_run_takes_no_further_output(
    fielded: Trial, connection: Connection, platform_url: str, log: Log
) -> None:
    log([{"case": "k-2", "input": "egal", "output": "k-2"}, NEARLY["k-9"]])
    taken(connection, fielded)
    with transaction() as session:
        staff = add_staff(session)
        people = [staff["anna"], staff["bert"]]
        round_ = open_round(
            session, fielded.slug, actor=staff["organiser"], choice=RoundChoice(evaluators=people)
        )
        rate(session, staff["anna"], tokens(session, round_, staff["anna"])[0],
             {"FR": 4, "AN": 4})  # fmt: skip
        loose = row_id(session.exec(select(UnassignedOutput.id)).one())
        case = row_id(session.exec(select(Case.id).where(Case.key == "k-1")).one())
        with pytest.raises(WrongState, match="wird schon bewertet"):
            assign_output(session, loose, case, actor=staff["pilot"])
    assert taken(connection, fielded).outputs == 0
    with reading() as session:
        assert texts(session) == {"k-2": "k-2"}


def test_foreign_judgements_are_never_pulled(
    fielded: Trial, connection: Connection, platform_url: str, log: Log
) -> None:
    run_id = log(
        [{"case": "k-1", "input": INPUTS["k-1"], "output": "x"}],
        metrics={"score.total": 99.0, "score.FR": 5.0, "kosten": 2.0},
    )
    experiment = experiments(connection)[fielded.slug]
    (trace,) = connection.client.search_traces(locations=[experiment], run_id=run_id)
    feedback = Feedback(
        name="FR", value=5.0, source=AssessmentSource(source_type="HUMAN", source_id="B-7KQ2XM")
    )
    connection.client._tracing_client.log_assessment(trace.info.trace_id, feedback)
    taken(connection, fielded)
    with reading() as session:
        found = session.exec(select(TrialRun.indicators)).one()
        assert found["kosten"] == 2.0
        assert [key for key in found if key.startswith("score")] == []
        assert session.exec(select(Rating)).all() == []


def test_only_finished_runs_count(
    fielded: Trial, connection: Connection, platform_url: str, log: Log
) -> None:
    run_id = log([{"case": key, "input": text, "output": "x"} for key, text in INPUTS.items()])
    for status in ("RUNNING", "FAILED", "KILLED", "SCHEDULED"):
        connection.client.update_run(run_id, status=status)
        report = taken(connection, fielded)
        assert (report.runs, report.outputs) == (0, 0), status
    connection.client.set_terminated(run_id, "FINISHED")
    assert taken(connection, fielded).outputs == 6


def test_reopened_run_brings_what_was_added(
    fielded: Trial, connection: Connection, platform_url: str, log: Log
) -> None:
    run_id = log([{"case": "k-1", "input": INPUTS["k-1"], "output": "erst"}])
    assert taken(connection, fielded).outputs == 1
    connection.client.update_run(run_id, status="RUNNING")
    resend(connection, fielded, run_id, "k-2", "später")
    assert project(connection, slug=fielded.slug).outputs == 0
    connection.client.set_terminated(run_id, "FINISHED")
    assert project(connection, slug=fielded.slug).outputs == 1
    with reading() as session:
        assert texts(session) == {"k-1": "erst", "k-2": "später"}


def resend(connection: Connection, fielded: Trial, run_id: str, case: str, text: str) -> None:
    """Write a trace under the id that belongs to run and case, whatever stands there."""
    record = recording.TraceRecord(
        case_id=case, case_sha256="", input=INPUTS[case], output={"text": text}, error=None,
        started_at=datetime.now(UTC), latency_ms=3.0,
    )  # fmt: skip
    span = recording._span(run_id, record)
    span["attributes"] = [a for a in span["attributes"] if not a["key"].endswith("_sha256")]
    body = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]}
    connection.post(
        "/v1/traces", json.dumps(body).encode(),
        {"Content-Type": "application/json", "x-mlflow-run-id": run_id,
         "x-mlflow-experiment-id": experiments(connection)[fielded.slug]},
    )  # fmt: skip


def test_overwritten_trace_changes_nothing_here(
    fielded: Trial, connection: Connection, platform_url: str, log: Log
) -> None:
    run_id = log([])
    for case in INPUTS:
        resend(connection, fielded, run_id, case, f"erst {case}")
    assert taken(connection, fielded, verify=True).outputs == 6
    assert taken(connection, fielded, verify=True).notes == []
    resend(connection, fielded, run_id, "k-4", "heimlich besser")
    report = taken(connection, fielded, verify=True)
    (note,) = report.notes
    assert "Die Ausgabe zu Fall 'k-4' wurde in MLflow nachträglich geändert" in note
    assert report.outputs == 0
    with reading() as session:
        assert texts(session)["k-4"] == "erst k-4"
        hashes = session.exec(select(Output.content_sha256).order_by(col(Output.id))).all()
        assert len(set(hashes)) == 6


def test_traced_function_counts_by_its_arguments(
    fielded: Trial, connection: Connection, platform_url: str, plain: None
) -> None:
    """The shortest way: a decorator, and no word about cases."""

    @mlflow.trace
    def assistant(brief: str) -> str:
        return f"Antwort auf {brief[:5]}"

    with mlflow.start_run(run_name="kurz"):
        for text in INPUTS.values():
            assistant(text)
        mlflow.flush_trace_async_logging()
    report = taken(connection, fielded)
    assert (report.outputs, report.unassigned) == (6, 0)
    with reading() as session:
        assert texts(session)["k-1"] == "Antwort auf Ich l"
