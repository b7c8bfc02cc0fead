"""Papers as PDF/UA-1, which is PDF/A-2a as well, set by typst in a process of its own."""

import json
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime, time
from datetime import date as Day
from pathlib import Path
from typing import Any, Literal

import structlog

from reallabor.errors import PaperFailed
from reallabor.sharing.papers.blocks import Chart, Note, Paper
from reallabor.sharing.papers.signs import PLACEHOLDER, settable

log = structlog.get_logger()

_TYPESETTER = Path(__file__).with_name("typesetter.py")
_SETTING_S = 30.0
_MISSING = (
    f"Das Zeichen {PLACEHOLDER} steht für Schriftzeichen, die dieses Papier nicht darstellen kann. "
    "Die Word-Fassung und die eingefrorenen Belege enthalten sie."
)


def write_pdf(paper: Paper) -> bytes:
    """The file; the same paper always gives the same bytes. Raises PaperFailed."""
    data, replaced = settable(paper.as_json())
    if replaced:
        data["blocks"].append(asdict(Note(_MISSING)))
    return _typeset("paper", data, paper.day, of=paper.title)


def draw_picture(chart: Chart, day: Day) -> bytes:
    """The chart as PNG, as the PDF shows it. Raises PaperFailed."""
    data, _ = settable(asdict(chart))
    return _typeset("picture", data, day, of=chart.caption)


def _typeset(template: Literal["paper", "picture"], data: Any, day: Day, *, of: str) -> bytes:
    moment = datetime.combine(day, time(12), tzinfo=UTC)
    request = {"template": template, "data": data, "timestamp": int(moment.timestamp())}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_TYPESETTER)],
            input=json.dumps(request).encode(), capture_output=True, timeout=_SETTING_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise PaperFailed(
            f"'{of}' ließ sich nicht in {_SETTING_S:.0f} s setzen. Bitte sehr lange Texte kürzen "
            "oder die Word-Fassung nehmen."
        ) from None
    if done.returncode != 0:
        log.error("typesetting_failed", error=done.stderr.decode("utf-8", "replace")[-300:])
        raise PaperFailed(
            f"'{of}' ließ sich nicht setzen. Bitte die Word-Fassung nehmen und dem Betrieb "
            "Bescheid sagen; der Grund steht im Protokoll."
        )
    return done.stdout
