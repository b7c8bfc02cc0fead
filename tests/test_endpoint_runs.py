"""Whole runs over an endpoint: recorded with all that says how the model was asked."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from building import HOUSE, Call, Trial, add_person, new_slug
from fielded import PROMPT
from sqlmodel import select
from stand_in import INPUTS, KEY, Reply, StandIn, answered, at, outputs

from reallabor.database import reading, transaction
from reallabor.models import Output, Role, TrialRun, Way
from reallabor.recording.creating import create_scenario
from reallabor.recording.projection import project
from reallabor.recording.trials import record_trial
from reallabor.scenarios import load_scenario
from reallabor.settings import get_settings
from reallabor.tracking import Connection, names


def test_run_records_how_the_model_was_asked(
    fielded: Trial, connection: Connection, platform_url: str, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: answered('{"klasse": "miete", "text": "kurz"}'))
    endpoint = at(server, seed=3, temperature=0.25, price_input_eur=1.0, price_output_eur=2.0)
    (recorded,) = record_trial(fielded.slug, connection=connection, endpoint=endpoint)
    assert (recorded.variant, recorded.n_cases, recorded.n_failed) == (
        "endpunkt-gemma-3-27b", 6, 0,
    )  # fmt: skip
    found = outputs(connection, fielded)
    run = found.pop("run")
    assert run.tags[names.VARIANT_TITLE] == "Endpunkt (Gemma 3 (27B))"
    assert run.tags[names.WAY] == "endpoint"
    assert run.params["endpoint.seed"] == "3"
    assert run.params["endpoint.temperature"] == "0.25"
    assert run.params["endpoint.url"] == server.url
    assert run.params["prompt"] == f"reallabor-{fielded.slug}@1"
    assert {each.tokens for each in found.values()} == {150}
    assert [each.cost_eur for each in found.values()] == pytest.approx([0.0002] * 6)
    assert found["k-1"].output == {"text": "kurz", "klasse": "miete"}
    project(connection, slug=fielded.slug, everything=True)
    with reading() as session:
        stored = session.exec(select(TrialRun)).one()
        assert stored.way == Way.ENDPOINT
        assert stored.indicators["tokens_mean"] == 150
        assert stored.indicators["macro_f1.n"] == 6


def test_same_prompt_keeps_its_version(
    fielded: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda *_: answered("gut"))
    for template, version in ((PROMPT, 1), (PROMPT, 1), ("Neu: {{input}}", 2), (PROMPT, 1)):
        (fielded.folder / "prompt.md").write_text(template)
        (recorded,) = record_trial(fielded.slug, connection=connection, endpoint=at(server))
        run = connection.client.get_run(recorded.run_id)
        assert run.data.params["prompt"] == f"reallabor-{fielded.slug}@{version}"
    stored = connection.client.get_prompt_version(f"reallabor-{fielded.slug}", "2")
    assert stored.template == "Neu: {{input}}"


@pytest.mark.parametrize("parallel", [1, 3])
def test_requests_at_once_are_bounded(
    fielded: Trial, connection: Connection, stand_in: StandIn, parallel: int
) -> None:
    def slow(text: str, before: int) -> Reply:
        time.sleep(0.15)
        return answered("gut")

    server = stand_in(slow)
    record_trial(fielded.slug, connection=connection, endpoint=at(server, parallel=parallel))
    assert server.most_at_once == parallel
    assert Counter(server.asked.values()) == Counter({1: 6})


def test_bad_answer_of_one_case_keeps_the_others(
    fielded: Trial, connection: Connection, stand_in: StandIn
) -> None:
    server = stand_in(lambda text, _: answered("" if text == INPUTS[1] else "gut"))
    (recorded,) = record_trial(fielded.slug, connection=connection, endpoint=at(server))
    assert (recorded.n_cases, recorded.n_failed) == (6, 1)
    assert "leeren Text" in outputs(connection, fielded)["k-2"].error


def test_key_is_sent_and_stored_nowhere(  # noqa: PLR0917
    fielded: Trial,
    connection: Connection,
    call: Callable[..., Call],
    stand_in: StandIn,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REALLABOR_ENDPOINT_KEY", KEY)
    get_settings.cache_clear()
    journals: list[str] = []

    def reply(text: str, _: int) -> Reply:
        journals.extend(
            file.read_text("utf-8", "replace") for file in home.rglob("*") if file.is_file()
        )
        if text == INPUTS[0]:
            return 403, {}, f"Incorrect API key provided: {KEY}".encode()
        return answered("gut")

    server = stand_in(reply)
    address = server.url.replace("http://", "http://nutzer:passwort@")
    done = call("run", fielded.slug, "--endpoint", address, "--model", "m", "--parallel", "1")
    assert done.code == 0, done.err
    assert {each["Authorization"] for each in server.headers} == {f"Bearer {KEY}"}
    found = outputs(connection, fielded)
    assert "Incorrect API key provided: …" in found["k-1"].error
    run = connection.client.get_run(found["run"].run_id)
    stored = [str(run.data), *(str(vars(each)) for each in found.values()), done.out, done.err]
    assert any(fielded.slug in text for text in journals)
    for text in (*stored, *journals):
        assert KEY not in text
        assert "passwort" not in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--endpoint", "http://127.0.0.1:9/v1"], "--endpoint und --model gehören zusammen"),
        (["--model", "m"], "--endpoint und --model gehören zusammen"),
        (["--endpoint", "http://x/v1", "--model", "m", "--variant", "eins"], "bitte ohne"),
    ],
)
def test_half_an_endpoint_is_wrong_usage(
    fielded: Trial, call: Callable[..., Call], arguments: list[str], sentence: str
) -> None:
    done = call("run", fielded.slug, *arguments)
    assert done.code == 2
    assert sentence in " ".join(done.err.split())


def test_scenario_made_in_the_app_is_run_over_an_endpoint(
    fielded: Trial,
    connection: Connection,
    platform_url: str,
    call: Callable[..., Call],
    stand_in: StandIn,
) -> None:
    known, slug = load_scenario(fielded.slug), new_slug("app")
    steckbrief = known.content.model_dump(mode="json", by_alias=True)
    with transaction() as session:
        actor = add_person(session, "Pia Pilot", Role.PILOT, organisation=HOUSE)
        create_scenario(session, slug, steckbrief, known.cases, actor=actor)
    server = stand_in(lambda *_: answered('{"klasse": "miete", "text": "kurz"}'))
    done = call("run", slug, "--endpoint", server.url, "--model", "m", "--json")
    (run,) = done.json["runs"]
    assert (run["variant"], run["n_cases"], run["n_failed"]) == ("endpunkt-m", 6, 0)
    assert not (fielded.content / "scenarios" / slug).exists()
    assert Counter(server.asked.values()) == Counter({1: 6})
    (question,) = server.requests[0]["messages"]
    assert "Aufgabe: Schreiben einordnen." in question["content"]
    assert (
        '- "klasse": Klasse (choice, möglich: widerspruch, miete, sonstiges).'
        in (question["content"])
    )
    with reading() as session:
        stored = session.exec(select(TrialRun)).one()
        assert (stored.way, stored.complete) == (Way.ENDPOINT, True)
        assert stored.params["prompt"] == f"reallabor-{slug}@1"
        assert stored.indicators["macro_f1.n"] == 6
        details = session.exec(select(Output.details)).all()
    assert details == [{"klasse": "miete"}] * 6
