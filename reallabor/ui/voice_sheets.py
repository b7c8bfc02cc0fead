"""What is printed for a survey: paper questionnaire, one-time links to cut out, code for a tablet.
Each is one HTML file that needs nothing else, for the print dialogue of any browser."""

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import segno

from reallabor.rating.survey_keys import grouped
from reallabor.rating.surveys import AUDIENCES, SurveySummary
from reallabor.settings import get_settings
from reallabor.ui.voices_public import PREFIX, templates

_STYLE = (Path(__file__).parent / "templates" / "sheets.css").read_text(encoding="utf-8")
_ABOUT_ON_SLIP = 110
"""Signs; a slip has room for three lines."""


@dataclass(frozen=True)
class Slip:
    """A link, also as QR code."""

    address: str
    qr: str
    """SVG."""


def link_address(key: str) -> str:
    """The address of a one-time link."""
    return f"{get_settings().public_address}{PREFIX}{grouped(key)}"


def tablet_address(survey: SurveySummary) -> str:
    """The address for tablets in the house."""
    return f"{get_settings().public_address}{PREFIX}geraet/{grouped(survey.device_key)}"


def qr_code(address: str) -> str:
    """An SVG of the address, black on white with its quiet zone; up to 15 % may be unreadable."""
    drawing = io.BytesIO()
    segno.make_qr(address, error="m").save(
        drawing, kind="svg", xmldecl=False, svgns=True, border=4, light="#fff", omitsize=True
    )
    return drawing.getvalue().decode("utf-8").strip()


def qr_uri(address: str) -> str:
    """The same as the address of a picture: Streamlit takes SVG out of HTML."""
    return f"data:image/svg+xml;base64,{b64encode(qr_code(address).encode()).decode()}"


def paper_sheet(survey: SurveySummary, scenario: str) -> str:
    """The questionnaire for pen and paper, in both languages."""
    return _render("sheet_paper.html", survey=survey, scenario=scenario)


def links_sheet(survey: SurveySummary, scenario: str, keys: Sequence[str]) -> str:
    """Slips to cut out, eight on a page."""
    addresses = [link_address(key) for key in keys]
    about = survey.about
    if len(about) > _ABOUT_ON_SLIP:
        about = f"{about[:_ABOUT_ON_SLIP].rsplit(' ', 1)[0]} …"
    return _render(
        "sheet_links.html", scenario=scenario, about=about,
        texts=survey.questionnaire.standard,
        slips=[Slip(address, qr_code(address)) for address in addresses],
    )  # fmt: skip


def tablet_sheet(survey: SurveySummary, scenario: str) -> str:
    """The code that opens the questionnaire on a tablet."""
    address = tablet_address(survey)
    return _render(
        "sheet_tablet.html", scenario=scenario, audience=AUDIENCES[survey.audience],
        slip=Slip(address, qr_code(address)),
    )  # fmt: skip


def _render(name: str, **values: Any) -> str:
    return templates.get_template(name).render(style=_STYLE, **values)
