"""One question to a model behind an endpoint: with retries, within limits, read into fields."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from building import Trial
from fielded import PROMPT
from stand_in import INPUTS, Reply, StandIn, StandInEndpoint, answered, at

from reallabor.errors import EndpointUnavailable, InvalidContent, ReallaborError
from reallabor.recording.endpoint import Endpoint, endpoint_system, prompt_of
from reallabor.scenarios import load_scenario


def asked_once(server: StandInEndpoint, fielded: Trial, **more: Any) -> dict[str, Any]:
    """One question to the endpoint, without waiting between the attempts."""
    pauses: list[float] = []
    system = endpoint_system(at(server, **more), load_scenario(fielded.slug), sleep=pauses.append)
    output = system(INPUTS[0])
    assert isinstance(output, dict)
    return {**output, "pauses": pauses}


def test_question_is_the_prompt_with_the_input(fielded: Trial, stand_in: StandIn) -> None:
    server = stand_in(lambda *_: answered("gut"))
    asked_once(server, fielded, seed=7, temperature=0.5, max_tokens=99)
    assert server.requests == [{
        "model": "Gemma 3 (27B)", "temperature": 0.5, "seed": 7, "max_tokens": 99,
        "messages": [{"role": "user", "content": PROMPT.replace("{{input}}", INPUTS[0])}],
    }]  # fmt: skip
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Nur Text.", {"text": "Nur Text."}),
        ('{"klasse": "Miete", "text": "kurz"}', {"text": "kurz", "klasse": "miete"}),
        ('Gern:\n```json\n{"klasse": "miete", "frist": "30.11.2026", "nachweise": ["a", "b"], '
         '"betrag": "1.612,50", "dringend": "ja"}\n```',
         {"text": "Klasse: miete\nFrist: 30.11.2026\nNachweise: a; b\nBetrag: 1612.5\n"
          "Dringend: ja", "klasse": "miete", "frist": "2026-11-30", "nachweise": ["a", "b"],
          "betrag": 1612.5, "dringend": True}),
        ('{"klasse": "steuer", "text": "x"}', {"text": "x", "klasse": "steuer"}),
        ('{"klasse": null, "text": "x"}', {"text": "x"}),
        ('{"klasse": ', {"text": '{"klasse":'}),
        ("[1, 2]", {"text": "[1, 2]"}),
    ],
)  # fmt: skip
def test_fields_are_read_from_the_answer(
    fielded: Trial, stand_in: StandIn, answer: str, expected: dict[str, Any]
) -> None:
    found = asked_once(stand_in(lambda *_: answered(answer)), fielded)
    del found["tokens"], found["cost_eur"], found["pauses"]
    assert found == expected


def test_tokens_and_cost_are_counted(fielded: Trial, stand_in: StandIn) -> None:
    server = stand_in(lambda *_: answered("x"))
    found = asked_once(server, fielded, price_input_eur=2.0, price_output_eur=10.0)
    assert found["tokens"] == 150
    assert found["cost_eur"] == pytest.approx((100 * 2 + 50 * 10) / 1e6)
    without = asked_once(stand_in(lambda *_: answered("x", None)), fielded)
    assert without.get("tokens") is None
    assert without.get("cost_eur") is None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_failure_is_tried_again(fielded: Trial, stand_in: StandIn, status: int) -> None:
    server = stand_in(lambda _, before: (status, {}, b"spaeter") if before < 2 else answered("gut"))
    found = asked_once(server, fielded, retries=3)
    assert (found["text"], len(server.requests)) == ("gut", 3)
    first, second = found["pauses"]
    assert 0.1 <= first <= 0.5
    assert 0.1 <= second <= 1.0


def test_retry_after_is_kept(fielded: Trial, stand_in: StandIn) -> None:
    server = stand_in(
        lambda _, before: (429, {"Retry-After": ("7", "900", "Mon, 1")[before]}, b"")
        if before < 3 else answered("gut")
    )  # fmt: skip
    pauses = asked_once(server, fielded, retries=3)["pauses"]
    assert pauses[:2] == [7.0, 60.0]
    assert pauses[2] <= 2.0


def trickled(_text: str, _before: int) -> Reply:
    status, headers, data = answered("x" * 200)
    return status, {**headers, "X-Trickle": "0.05"}, data


@pytest.mark.parametrize(
    ("reply", "requests", "sentence"),
    [
        (lambda *_: (500, {}, b"kaputt"), 2, r"antwortet nicht brauchbar \(Status 500, 2 Versuche"),
        (lambda *_: None, 2, r"antwortet nicht brauchbar \(Zeit überschritten, 2 Versuche\)"),
        (trickled, 2, r"antwortet nicht brauchbar \(Zeit überschritten, 2 Versuche\)"),
        (lambda *_: (401, {}, b'{"error": "nein"}'), 1, r"lehnt die Anfrage ab \(Status 401: "),
        (lambda *_: (404, {}, b"not found"), 1, r"Modell 'Gemma 3 \(27B\)' und REALL"),
        (lambda *_: (302, {"Location": "http://x/"}, b""), 1, r"lehnt die Anfrage ab \(Status 302"),
        (lambda *_: (200, {}, b"<!doctype html><html>Anmeldung</html>"), 1,
         "antwortet eine Webseite statt eines Modells"),
        (lambda *_: (200, {}, b"\x00\x01 ja"), 1, "antwortet keinen JSON-Text statt eines Modells"),
    ],
    ids=["500", "hangs", "trickles", "401", "404", "redirect", "html", "binary"],
)  # fmt: skip
def test_useless_endpoint_is_a_sentence(
    fielded: Trial,
    stand_in: StandIn,
    reply: Callable[[str, int], Reply | None],
    requests: int,
    sentence: str,
) -> None:
    server = stand_in(reply)
    begin = time.monotonic()
    with pytest.raises(EndpointUnavailable, match=sentence):
        asked_once(server, fielded, timeout_s=0.5)
    assert len(server.requests) == requests
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (answered(""), "leeren Text"),
        (answered("  \n"), "leeren Text"),
        (answered(None), "leeren Text"),
        (answered(["x"]), "leeren Text"),
        ((200, {}, b"{}"), r"choices\[0\].message.content fehlt"),
        ((200, {}, b'{"choices": []}'), r"choices\[0\].message.content fehlt"),
        ((200, {}, b"[1]"), r"choices\[0\].message.content fehlt"),
        ((200, {}, b"null"), r"choices\[0\].message.content fehlt"),
        ((200, {}, b'"' + b"x" * 4_100_000 + b'"'), "länger als 4 MB"),
    ],
)
def test_nonsense_is_an_error_of_its_case(
    fielded: Trial, stand_in: StandIn, reply: Reply, sentence: str
) -> None:
    with pytest.raises(ReallaborError, match=sentence) as refused:
        asked_once(stand_in(lambda *_: reply), fielded)
    assert not isinstance(refused.value, EndpointUnavailable)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "", "http://"])
def test_address_must_be_one(url: str) -> None:
    with pytest.raises(InvalidContent, match="ist keine Adresse eines Endpunkts"):
        Endpoint(url, "m")


def test_ceiling_needs_prices() -> None:
    with pytest.raises(InvalidContent, match="Eine Kostengrenze braucht Preise"):
        Endpoint("http://x/v1", "m", max_cost_eur=1)


@pytest.mark.parametrize("prompt", ["ohne Platzhalter", "{{input}} {{input}}"])
def test_prompt_needs_one_place_for_the_input(fielded: Trial, prompt: str) -> None:
    (fielded.folder / "prompt.md").write_text(prompt)
    with pytest.raises(InvalidContent, match=r"prompt\.md: "):
        prompt_of(load_scenario(fielded.slug))
