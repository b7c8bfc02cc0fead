"""The public pages over real HTTP: plain forms, no cookie, strict headers, refusals, rate limit."""

import re
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import building
import pytest
import requests
import surveys
import uvicorn
from building import Trial, person
from sqlmodel import select
from starlette.applications import Starlette

from reallabor.database import reading, transaction
from reallabor.models import Survey, Voice
from reallabor.rating.survey_keys import grouped
from reallabor.rating.surveys import close_survey
from reallabor.settings import Settings
from reallabor.supervisor import _app_part, _free_port
from reallabor.ui import rate_limit
from reallabor.ui.rate_limit import RateLimit
from reallabor.ui.voice_sheets import link_address, links_sheet, tablet_address
from reallabor.ui.voices_public import MOST_BYTES, PER_MINUTE, PREFIX, public_routes


@pytest.fixture
def site(trial: Trial, platform_url: str) -> Iterator[str]:
    """The public pages on a port of their own, as `reallabor up` lets uvicorn serve them."""
    with transaction() as session:
        building.load_with_runs(session, trial)
        building.add_staff(session)
    port = _free_port()
    trusted = _app_part(Settings(), {}).environment["FORWARDED_ALLOW_IPS"]
    config = uvicorn.Config(Starlette(routes=[*public_routes()]), port=port, log_level="error",
                            forwarded_allow_ips=trusted)  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    building.wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{port}{PREFIX}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def survey(site: str, trial: Trial) -> Survey:
    return surveys.opened(trial.slug)


@pytest.fixture
def tablet(site: str, survey: Survey) -> str:
    return f"{site}geraet/{grouped(survey.device_key)}"


def fields(**changes: Any) -> dict[str, str]:
    return {"vorgang": str(uuid.uuid4()), "frage-nutzen": "3", **changes}


def post(address: str, data: Any = None, **options: Any) -> requests.Response:
    return requests.post(address, data=fields() if data is None else data, timeout=20, **options)


def get(address: str, **options: Any) -> requests.Response:
    return requests.get(address, timeout=20, **options)


def stored() -> list[Voice]:
    with reading() as session:
        return list(session.exec(select(Voice)).all())


def sentence(answer: requests.Response) -> str:
    found = re.search(r'<p>(.*?)</p>|role="alert".*?</strong> (.*?)</div>', answer.text)
    assert found, answer.text
    return found[1] or found[2]


def test_link_leads_to_thanks_and_is_used_up(site: str, survey: Survey) -> None:
    (key,) = surveys.links(survey)
    address = f"{site}{grouped(key)}"
    shown = get(address)
    assert shown.status_code == 200
    assert surveys.ABOUT in shown.text
    assert shown.text.count("<fieldset") == 3
    answer = post(address, fields(sorge="Ich <b>frage</b>"))
    assert (answer.status_code, len(answer.history)) == (200, 1)
    assert answer.history[0].status_code == 303
    assert answer.url == f"{address}/danke"
    assert "Refresh" not in answer.headers
    (voice,) = stored()
    assert (voice.answers, voice.worry, voice.simple) == ({"nutzen": 3}, "Ich <b>frage</b>", False)
    for again in (get(address), post(address)):
        assert again.status_code == 410
        assert "schon jemand geantwortet" in sentence(again)
    assert len(stored()) == 1


def test_tablet_starts_anew_and_keeps_nothing(tablet: str) -> None:
    first = get(tablet)
    thanks = post(tablet, fields(sorge="geheim", einfach="1"))
    assert thanks.headers["Refresh"].startswith("15; url=../")
    assert "geheim" not in thanks.text
    assert "checked" not in thanks.text
    again = get(tablet)
    assert "geheim" not in again.text
    assert "checked" not in again.text
    pattern = r'name="vorgang" value="([^"]+)"'
    assert re.search(pattern, first.text)[1] != re.search(pattern, again.text)[1]  # type: ignore[index]
    assert stored()[0].simple


def test_sending_twice_stores_once(tablet: str) -> None:
    data = fields()
    assert [post(tablet, data).status_code for _ in range(3)] == [200, 200, 200]
    assert len(stored()) == 1


def test_every_answer_is_private_and_strict(site: str, tablet: str) -> None:
    too_long = fields(sorge="x" * 2000)
    answers = [get(tablet), post(tablet), get(f"{site}abcd"), post(tablet, too_long),
               get(f"{tablet}/danke"), post(tablet, "x" * (MOST_BYTES + 1))]  # fmt: skip
    for answer in answers:
        for each in (answer, *answer.history):
            headers = each.headers
            assert "set-cookie" not in headers
            assert headers["cache-control"] == "no-store"
            assert headers["referrer-policy"] == "no-referrer"
            assert "noindex" in headers["x-robots-tag"]
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "script" not in policy
        assert "<script" not in answer.text
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text)
        assert 'lang="de"' in answer.text


def test_both_wordings_stand_in_the_page(tablet: str) -> None:
    """So that the language can be changed without sending anything."""
    page = get(tablet).text
    for question in ("Möchten Sie das Programm benutzen?", "Würden Sie das Programm nutzen?"):
        assert question in page
    box = 'id="einfach" name="einfach" value="1"'
    assert f"{box}>" in page
    assert f"{box} checked>" in get(f"{tablet}?sprache=einfach").text
    assert f"{box} checked>" in post(tablet, {"einfach": "1"}).text  # refused: nothing answered


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"frage-nutzen": "4"}, 422, "erlaubt: 1 bis 3"),
        ({"frage-nutzen": "0"}, 422, "erlaubt: 1 bis 3"),
        ({"frage-nutzen": "zwei"}, 422, "„zwei“ gibt es in diesem Bogen nicht"),
        ({"frage-nutzen": "²"}, 422, "gibt es in diesem Bogen nicht"),
        ({"frage-nutzen": "12"}, 422, "gibt es in diesem Bogen nicht"),
        ({"frage-fremd": "1"}, 422, "Frage 'fremd' gibt es"),
        ({"frage-nutzen": ""}, 422, "noch nichts beantwortet"),
        ({"sorge": "x" * 1001}, 422, "1001 Zeichen"),
        ({"vorgang": "keine"}, 422, "Kennung dieser Antwort ist ungültig"),
        ({"sorge": "ä" * MOST_BYTES}, 413, "zu lang"),
    ],
)
def test_refused_answer_is_told_and_not_stored(
    tablet: str, changes: dict[str, str], status: int, words: str
) -> None:
    answer = post(tablet, fields(**changes))
    assert answer.status_code == status
    assert words in sentence(answer).replace("&#39;", "'")
    assert "Traceback" not in answer.text
    assert stored() == []


def test_refused_answer_keeps_what_was_given(tablet: str) -> None:
    answer = post(tablet, fields(sorge="<i>" * 400))
    assert 'value="3" checked' in answer.text
    assert "&lt;i&gt;&lt;i&gt;" in answer.text
    assert "<i>" not in answer.text


@pytest.mark.parametrize("data", [b"\xff\xfe=%ff&frage-nutzen=%FF", "&" * 5000, "frage-nutzen=3"])
def test_broken_forms_are_refused_in_a_sentence(tablet: str, data: bytes | str) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = post(tablet, data, headers=kind)
    assert answer.status_code == 422
    assert stored() == []


def test_nul_in_the_text_is_taken_out(tablet: str) -> None:
    assert post(tablet, fields(sorge="a\x00b")).status_code == 200
    assert stored()[0].worry == "ab"


def test_only_forms_are_read(tablet: str) -> None:
    assert post(tablet, files={"frage-nutzen": "3"}).status_code == 415
    assert requests.post(tablet, json={"frage-nutzen": 3}, timeout=20).status_code == 415
    assert requests.put(tablet, data=fields(), timeout=20).status_code == 405
    assert stored() == []


@pytest.mark.parametrize("path", ["abcd", "geraet/abcd", "geraet/", "%00", "a" * 3000, "%F0%28"])
def test_unknown_address_is_no_questionnaire(site: str, survey: Survey, path: str) -> None:
    for answer in (get(f"{site}{path}"), post(f"{site}{path}")):
        assert answer.status_code == 404
    assert stored() == []


def test_closed_survey_says_so(site: str, survey: Survey, tablet: str) -> None:
    with transaction() as session:
        close_survey(session, survey.id or 0, actor=person(session, "Paul Pilot"))
    for answer in (get(tablet), post(tablet)):
        assert answer.status_code == 410
        assert "beendet" in sentence(answer)
    assert stored() == []


def test_unreachable_database_is_one_calm_sentence(tablet: str, survey: Survey) -> None:
    from reallabor.database import get_engine
    from reallabor.settings import get_settings

    with get_engine(get_settings().platform_url).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE survey RENAME TO weg")
    answer = get(tablet)
    assert answer.status_code in (500, 503)
    assert "gerade nicht erreichbar" in sentence(answer)
    assert "weg" not in answer.text


# --- rate limit ---------------------------------------------------------------------------------


def test_too_many_from_one_address_have_to_wait(
    site: str, survey: Survey, tablet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other keys and an invented X-Forwarded-For do not get around it; answers have a count of
    their own; a minute later it goes on."""
    codes = [
        get(f"{site}{uuid.uuid4().hex[:8]}", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
        for n in range(PER_MINUTE)
    ]
    assert codes == [404] * PER_MINUTE
    refused = get(tablet, headers={"X-Forwarded-For": "10.9.9.9"})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert "warten Sie eine Minute" in sentence(refused)
    assert post(tablet).status_code == 200
    start = time.monotonic()
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: start + 61)
    assert get(tablet).status_code == 200


def test_too_many_answers_are_not_stored(tablet: str) -> None:
    codes = [post(tablet).status_code for _ in range(PER_MINUTE + 3)]
    assert codes == [200] * PER_MINUTE + [429] * 3
    assert len(stored()) == PER_MINUTE


def test_rate_limit_slides_and_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(rate_limit, "_MOST_KEYS", 3)
    limit = RateLimit(2)
    assert [limit.allows("a") for _ in range(3)] == [True, True, False]
    assert limit.allows("b")
    clock[0] = 59.9
    assert not limit.allows("a")
    clock[0] = 60.0
    assert limit.allows("a")
    assert limit.allows("c")
    clock[0] = 200.0
    assert limit.allows("d")
    assert set(limit._acts) == {"d"}


# --- addresses ----------------------------------------------------------------------------------


def test_links_carry_the_public_address(
    site: str, trial: Trial, survey: Survey, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reallabor.rating.surveys import list_surveys
    from reallabor.settings import get_settings

    with reading() as session:
        (shown,) = list_surveys(session, trial.slug, actor=person(session, "Paul Pilot"))
    assert tablet_address(shown).startswith("http://127.0.0.1:8501/reallabor/rueckmeldung/geraet/")
    monkeypatch.setenv("REALLABOR_PUBLIC_URL", "https://reallabor.example/")
    get_settings.cache_clear()
    keys = surveys.links(survey, 9)
    assert link_address(keys[0]) == (
        f"https://reallabor.example/reallabor/rueckmeldung/{grouped(keys[0])}"
    )
    page = links_sheet(shown, "Titel <b>", keys)
    assert page.count('class="slip"') == page.count("<svg") == 9
    assert all(grouped(key) in page for key in keys)
    assert "Titel &lt;b&gt;" in page
    outside = set(re.findall(r"https?://[^/\"'<\s]+", page)) - {"https://reallabor.example"}
    assert outside <= {"http://www.w3.org"}  # the name of SVG, not an address to fetch
    command = _app_part(get_settings(), {}).command
    assert "--server.allowedHosts=reallabor.example" in command


@pytest.mark.parametrize("value", ["reallabor.example", "ftp://haus", "http://", "https://[kaputt"])
def test_public_address_must_be_one(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALLABOR_PUBLIC_URL", value)
    with pytest.raises(ValueError, match="public_url"):
        Settings()
