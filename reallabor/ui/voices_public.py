"""The public pages of a questionnaire, without login: plain HTML that works without JavaScript,
sets no cookie and asks nothing of another host. Who has the key of a link or tablet may answer."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from reallabor.database import reading, transaction
from reallabor.errors import InvalidVoice, ReallaborError, UnknownObject, WrongState
from reallabor.rating.survey_keys import grouped, plain_key
from reallabor.rating.voices import (
    WORRY_LIMIT,
    Access,
    OpenQuestionnaire,
    Sheet,
    find_questionnaire,
    submit_voice,
)
from reallabor.ui.rate_limit import RateLimit

log = structlog.get_logger()

PREFIX = "/reallabor/rueckmeldung/"
MOST_BYTES = 32 * 1024
"""Of one answer: a text of 1,000 signs takes at most 12,000 bytes in a form."""
PER_MINUTE = 30
"""Views and answers each, per client address and per key."""
BACK_TO_START_S = 15
"""After this a tablet shows an empty questionnaire again. Nobody loses anything by it: the page
says only thanks."""
_QUESTION = "frage-"
_DIGITS = frozenset("0123456789")

_FOLDER = Path(__file__).parent / "templates"
_STYLE = (_FOLDER / "voices.css").read_text(encoding="utf-8")
templates = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_STATUS = {UnknownObject: 404, WrongState: 410, InvalidVoice: 422}
_LATER = "Der Fragebogen ist gerade nicht erreichbar. Bitte versuchen Sie es später noch einmal."
_TOO_MANY = (
    "Gerade kommen sehr viele Anfragen. Bitte warten Sie eine Minute und laden Sie diese Seite "
    "dann neu. Ihre Antworten gehen dabei nicht verloren."
)


@dataclass(frozen=True)
class _Page:
    """Where somebody is, and what opens the questionnaire there."""

    access: Access
    depth: int
    """Folders below PREFIX, for links that also work behind a proxy with a prefix of its own."""

    @property
    def root(self) -> str:
        return "../" * self.depth

    @property
    def key(self) -> str:
        return grouped(plain_key(self.access.key))


def public_routes() -> list[Route]:
    """The routes, with counters of their own for the rate limit."""
    views, answers = RateLimit(PER_MINUTE), RateLimit(PER_MINUTE)

    async def questionnaire(request: Request) -> Response:
        page = _page(request)
        address = request.client.host if request.client else ""
        limit = answers if request.method == "POST" else views
        if not (limit.allows(f"address {address}") and limit.allows(f"key {page.key}")):
            return _message(page, _TOO_MANY, 429, {"Retry-After": "60"})
        return await _guarded(page, _answer if request.method == "POST" else _show, request)

    async def thanks(request: Request) -> Response:
        return _thanks(_page(request))

    return [
        Route(f"{PREFIX}style.css", _style),
        Route(f"{PREFIX}geraet/{{key}}", questionnaire, methods=["GET", "POST"]),
        Route(f"{PREFIX}geraet/{{key}}/danke", thanks),
        Route(f"{PREFIX}{{key}}", questionnaire, methods=["GET", "POST"]),
        Route(f"{PREFIX}{{key}}/danke", thanks),
    ]


async def _style(_request: Request) -> Response:
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}
    return Response(_STYLE, media_type="text/css", headers=headers)


async def _guarded(
    page: _Page, handle: Callable[[_Page, Request], Awaitable[Response]], request: Request
) -> Response:
    """The outermost edge: whatever goes wrong becomes one sentence."""
    try:
        return await handle(page, request)
    except ReallaborError as refusal:
        status = _STATUS.get(type(refusal), 503)
        if status == 503:
            log.warning("questionnaire_unavailable", reason=str(refusal))
        return _message(page, _LATER if status == 503 else str(refusal), status)
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception:
        log.exception("questionnaire_failed")
        return _message(page, _LATER, 500)


async def _show(page: _Page, request: Request) -> Response:
    found = await run_in_threadpool(_find, page.access)
    return _form(page, found, simple=request.query_params.get("sprache") == "einfach")


async def _answer(page: _Page, request: Request) -> Response:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return _message(page, "So lassen sich Antworten nicht abschicken.", 415)
    body = await _body(request)
    if body is None:
        return _message(page, "Die Antwort ist zu lang. Bitte kürzen Sie Ihren Text.", 413)
    fields = dict(parse_qsl(body.decode("utf-8", "replace")))
    simple = fields.get("einfach") == "1"
    try:
        await run_in_threadpool(_submit, page.access, _sheet(fields, simple=simple))
    except InvalidVoice as refusal:
        found = await run_in_threadpool(_find, page.access)
        return _form(page, found, simple=simple, given=fields, problem=str(refusal))
    # Thanks are at another address: to load that again, or to go back, sends and shows nothing.
    return RedirectResponse(f"{page.key}/danke", status_code=303, headers=_HEADERS)


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is longer than MOST_BYTES; the rest is not even read."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def _page(request: Request) -> _Page:
    below = request.url.path.removeprefix(PREFIX)
    return _Page(
        access=Access(request.path_params["key"], device=below.startswith("geraet/")),
        depth=below.count("/"),
    )


def _find(access: Access) -> OpenQuestionnaire:
    with reading() as session:
        return find_questionnaire(session, access)


def _submit(access: Access, sheet: Sheet) -> None:
    with transaction() as session:
        submit_voice(session, access, sheet)


def _sheet(fields: Mapping[str, str], *, simple: bool) -> Sheet:
    answers = {}
    for name, value in fields.items():
        if name.startswith(_QUESTION):
            if value not in _DIGITS:
                raise InvalidVoice(f"Die Antwort „{value[:20]}“ gibt es in diesem Bogen nicht.")
            answers[name.removeprefix(_QUESTION)] = int(value)
    return Sheet(answers, fields.get("sorge", ""), simple, fields.get("vorgang", ""))


def _form(
    page: _Page,
    found: OpenQuestionnaire,
    *,
    simple: bool,
    given: Mapping[str, str] | None = None,
    problem: str = "",
) -> Response:
    return _render(
        "voice_form.html", page, 422 if problem else 200, found=found, simple=simple,
        submission=str(uuid.uuid4()), given=given or {}, problem=problem, worry_limit=WORRY_LIMIT,
    )  # fmt: skip


def _thanks(page: _Page) -> Response:
    """Shows nothing of what was answered, and needs no database."""
    again = f"../{page.key}" if page.access.device else ""
    headers = {"Refresh": f"{BACK_TO_START_S}; url={again}"} if again else {}
    return _render("voice_thanks.html", page, 200, headers, again=again, seconds=BACK_TO_START_S)


def _message(
    page: _Page, sentence: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    return _render("voice_message.html", page, status, headers, sentence=sentence)


def _render(
    name: str, page: _Page, status: int, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    text = templates.get_template(name).render(page=page, **values)
    return HTMLResponse(text, status, {**_HEADERS, **(headers or {})})
