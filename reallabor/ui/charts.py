"""Charts: dots with intervals, German numbers, colours that stay apart for everyone."""

import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from reallabor.german import number, span

ROLES = {
    "Kandidat": ("#0072B2", "#56B4E9", "circle"),
    "weitere Variante": ("#D55E00", "#E69F00", "diamond"),
    "ohne KI": ("#5F6B73", "#B3BDC4", "square"),
    "Sprachmodell": ("#009E73", "#009E73", "triangle-up"),
    "erfüllt": ("#0072B2", "#56B4E9", "circle"),
    "offen": ("#B36200", "#E69F00", "diamond"),
    "verfehlt": ("#D55E00", "#FF8A4C", "x"),
}
"""Colour on light and on dark ground (Okabe-Ito, and a grey) and shape of each role."""


def role_of(*, baseline: bool, candidate: bool) -> str:
    """How a variant is drawn; a key of ROLES."""
    if baseline:
        return "ohne KI"
    return "Kandidat" if candidate else "weitere Variante"


@dataclass(frozen=True)
class Dot:
    """A mean with its interval."""

    name: str
    role: str
    """A key of ROLES."""
    mean: float
    low: float | None
    high: float | None
    n: int


def dot_plot(
    dots: Sequence[Dot], *, title: str, axis: str, limits: tuple[float, float], digits: int = 1
) -> None:
    """One row per dot, the interval as a line, the value written beside it; the plain table that
    belongs to it stands on the page."""
    dark, ink = _ground()
    figure = go.Figure()
    for role, (on_light, on_dark, symbol) in ROLES.items():
        colour = on_dark if dark else on_light
        chosen = [dot for dot in dots if dot.role == role]
        if not chosen:
            continue
        figure.add_scatter(
            name=role,
            x=[dot.mean for dot in chosen],
            y=[_wrapped(dot.name) for dot in chosen],
            mode="markers+text",
            text=[number(dot.mean, digits) for dot in chosen],
            textposition="top center",
            textfont={"size": 14, "color": ink},
            cliponaxis=False,
            marker={"color": colour, "symbol": symbol, "size": 13},
            error_x={
                "type": "data", "symmetric": False, "color": colour, "thickness": 2.5, "width": 7,
                "array": [0 if dot.high is None else dot.high - dot.mean for dot in chosen],
                "arrayminus": [0 if dot.low is None else dot.mean - dot.low for dot in chosen],
            },
            hovertemplate=[
                f"{html.escape(dot.name)}: {number(dot.mean, digits)} "
                f"({span(dot.low, dot.high, digits)}), "
                f"n = {dot.n}<extra></extra>"
                for dot in chosen
            ],
        )  # fmt: skip
    figure.update_xaxes(
        range=limits, title={"text": _wrapped(axis), "font": {"color": ink}},
        tickfont={"color": ink},
        # Where values lie on both sides of it, 0 means no difference.
        zeroline=limits[0] < 0 < limits[1], zerolinecolor=ink, zerolinewidth=1.5, showgrid=True,
    )  # fmt: skip
    figure.update_yaxes(
        automargin=True, tickfont={"color": ink}, categoryorder="array",
        categoryarray=[_wrapped(dot.name) for dot in reversed(dots)],
    )  # fmt: skip
    _show(figure, title, height=90 + 62 * len(dots), top=24)


def _wrapped(name: str) -> str:
    return "<br>".join(html.escape(line) for line in textwrap.wrap(name, 26))


def spread_plot(values: Sequence[float], *, title: str, axis: str) -> None:
    """How values spread: a box with every value as a point beside it."""
    dark, ink = _ground()
    on_light, on_dark, _ = ROLES["Kandidat"]
    colour = on_dark if dark else on_light
    figure = go.Figure()
    figure.add_box(
        x=list(values), name="", boxpoints="all", jitter=0.6, pointpos=0, marker={"color": colour},
        line={"color": colour}, fillcolor="rgba(0,0,0,0)", hovertemplate="%{x:.0f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(
        rangemode="tozero", title={"text": axis, "font": {"color": ink}}, tickfont={"color": ink}
    )
    figure.update_yaxes(showticklabels=False)
    _show(figure, title, height=190, top=8)


def _ground() -> tuple[bool, str]:
    """Whether the ground is dark, and the colour of letters on it."""
    dark = st.context.theme.type == "dark"
    return dark, "#FAFAFA" if dark else "#262730"


def _show(figure: go.Figure, title: str, *, height: int, top: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 24, "t": top, "b": 8},
        separators=",.",
        font={"size": 14, "color": _ground()[1]},
        hoverlabel={"font": {"size": 14}},
        showlegend=False,  # the names say it, and colour has its shape
    )
    st.plotly_chart(
        figure, width="stretch", key=f"chart-{title}", alt=title,
        config=chart_config(title),
    )  # fmt: skip


def choose_image_format() -> None:
    """In which format the button at a chart saves it; drawn in the browser, nothing is sent."""
    st.radio(
        "Bilder speichern als", ["PNG", "SVG"], key=_FORMAT, horizontal=True,
        help="Über jedem Diagramm steht rechts ein Knopf, der es als Bild speichert.",
    )  # fmt: skip


_FORMAT = "image-format"


def chart_config(title: str) -> dict[str, Any]:
    """No controls but the one that saves the picture, where the page asks for a format."""
    chosen = st.session_state.get(_FORMAT)
    if not chosen:
        return {"displayModeBar": False, "locale": "de"}
    name = "-".join(re.findall(r"[a-zäöüß0-9]+", title.casefold()))
    return {
        "displayModeBar": True, "displaylogo": False, "locale": "de",
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": chosen.lower(), "filename": name, "scale": 2},
    }  # fmt: skip
