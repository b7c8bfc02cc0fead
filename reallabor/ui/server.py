"""The ASGI app around app.py: security headers, German page language and labels, health."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reallabor.settings import get_settings
from reallabor.ui.voices_public import PREFIX, public_routes

_GERMAN_LABELS = (Path(__file__).parent / "german_labels.js").read_text(encoding="utf-8")
_LABELS_PATH = "/reallabor/german_labels.js"
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


class GermanPage:
    """Middleware: every answer gets security headers, and the page itself `lang="de"` and the
    script with the German labels of Streamlit's own controls."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The public pages have headers of their own, stricter than Streamlit allows.
        if scope["type"] != "http" or scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        start: dict[str, Any] = {}
        body = bytearray()
        is_page = False

        async def answer(message: Message) -> None:
            nonlocal is_page
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                is_page = headers.get(b"content-type", b"").startswith(b"text/html")
                if is_page:
                    start.update(message)
                    return
                await send({**message, "headers": [*message["headers"], *_headers(())]})
            elif not is_page:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await self._send_page(start, bytes(body), send)

        await self._app(_uncompressed(scope), receive, answer)

    async def _send_page(self, start: dict[str, Any], body: bytes, send: Send) -> None:
        page = body.replace(b'<html lang="en">', b'<html lang="de">', 1).replace(
            b"</head>", f'<script src=".{_LABELS_PATH}"></script></head>'.encode(), 1
        )
        kept = [
            (name, value)
            for name, value in start["headers"]
            if name.lower() not in (b"content-length", b"etag", b"last-modified")
        ]
        length = (b"content-length", str(len(page)).encode())
        inline = tuple(_INLINE_SCRIPT.findall(page))
        await send({**start, "headers": [*kept, length, *_headers(inline)]})
        await send({"type": "http.response.body", "body": page})


def _uncompressed(scope: Scope) -> Scope:
    """The scope without Accept-Encoding for pages, so that their text can be changed."""
    accepts_page = any(
        name == b"accept" and b"text/html" in value for name, value in scope["headers"]
    )
    if not accepts_page:
        return scope
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    return {**scope, "headers": headers}


def _headers(inline_scripts: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in inline_scripts
    )
    policy = (
        f"default-src 'self'; script-src 'self' blob: {hashes}; worker-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; object-src 'none'; "
        "form-action 'self'"
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]


async def _labels(_request: Request) -> Response:
    return Response(_GERMAN_LABELS, media_type="text/javascript")


async def _ready(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


app = st.App(
    get_settings().content / "app.py",
    routes=[Route(_LABELS_PATH, _labels), Route("/reallabor/ready", _ready), *public_routes()],
    middleware=[Middleware(GermanPage)],
)
