"""The ranking as dots with ranges; what cannot be told apart stands in one box."""

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from reallabor.german import number, span
from reallabor.ui.charts import ROLES, chart_config

MOST_DRAWN = 30
"""Scenarios in the chart; the table has all."""
_LINE, _DOT, _HEAD, _GAP, _AXIS = 19, 30, 26, 12, 64
"""Heights in pixels: of a line of a name, of a dot, of a box's words, between groups, of the
axis."""
_WIDEST = 44
"""Letters in a line that fit a screen of 390 pixels."""


@dataclass(frozen=True)
class RankDot:
    """A scenario in the chart."""

    name: str
    gates: str
    """How they stand, in words."""
    role: str
    """The same as a key of ROLES."""
    rank: int
    total: float
    low: float
    high: float
    group: int


def rank_plot(dots: Sequence[RankDot], *, title: str) -> None:
    """Draw the first MOST_DRAWN, which come in rank order."""
    figure = rank_figure(dots[:MOST_DRAWN], dark=st.context.theme.type == "dark")
    st.plotly_chart(figure, width="stretch", key=f"chart-{title}", alt=title,
                    config=chart_config(title))  # fmt: skip


def rank_figure(dots: Sequence[RankDot], *, dark: bool) -> go.Figure:
    """Names stand above their dots, so that they have room on a narrow screen too."""
    ink = "#FAFAFA" if dark else "#262730"
    boxes: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    places: list[int] = []
    top = 0
    for group in dict.fromkeys(dot.group for dot in dots):
        members = [dot for dot in dots if dot.group == group]
        begin = top
        if len(members) > 1:
            words.append(_words("<i>nicht unterscheidbar</i>", top + 3))
            top += _HEAD
        for dot in members:
            lines = _lines(dot)
            words.append(_words("<br>".join(map(html.escape, lines)), top + 2))
            top += _LINE * len(lines) + _DOT
            places.append(top - _DOT // 2)
        if len(members) > 1:
            boxes.append(_box(begin, top, ink, dark=dark))
        top += _GAP
    axis = {"tickfont": {"color": ink}, "fixedrange": True, "zeroline": False}
    return go.Figure(
        data=[
            _dots([(dot, place) for dot, place in zip(dots, places, strict=True)
                   if dot.role == role], role, dark=dark)
            for role in dict.fromkeys(dot.role for dot in dots)
        ],
        layout={
            "shapes": boxes, "annotations": words, "height": top + _AXIS,
            "margin": {"l": 8, "r": 8, "t": 0, "b": _AXIS}, "separators": ",.",
            "font": {"size": 14, "color": ink}, "hoverlabel": {"font": {"size": 14}},
            "showlegend": False,
            "xaxis": {**axis, "range": (-0.01, 1.01), "dtick": 0.2,
                      "title": {"text": "Gesamtwert (0 bis 1)", "font": {"color": ink}}},
            "yaxis": {**axis, "range": (top, 0), "showticklabels": False, "showgrid": False},
        },
    )  # fmt: skip


def _dots(placed: Sequence[tuple[RankDot, int]], role: str, *, dark: bool) -> go.Scatter:
    on_light, on_dark, symbol = ROLES[role]
    colour = on_dark if dark else on_light
    dots = [dot for dot, _ in placed]
    return go.Scatter(
        x=[dot.total for dot in dots], y=[place for _, place in placed],
        mode="markers", cliponaxis=False,
        marker={"color": colour, "symbol": symbol, "size": 13},
        error_x={
            "type": "data", "symmetric": False, "color": colour, "thickness": 2.5, "width": 7,
            "array": [dot.high - dot.total for dot in dots],
            "arrayminus": [dot.total - dot.low for dot in dots],
        },
        hovertemplate=[
            f"{html.escape(dot.name)}: {number(dot.total, 2)} ({span(dot.low, dot.high, 2)})"
            "<extra></extra>"
            for dot in dots
        ],
    )  # fmt: skip


def _lines(dot: RankDot) -> list[str]:
    name = textwrap.wrap(f"{dot.rank}. {dot.name}: {number(dot.total, 2)}", _WIDEST)
    return [*name, dot.gates]


def _box(top: int, bottom: int, ink: str, *, dark: bool) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": top, "y1": bottom,
        "layer": "below", "fillcolor": "#31333F" if dark else "#EEF1F4",
        "line": {"color": ink, "width": 1, "dash": "dot"},
    }  # fmt: skip


def _words(text: str, top: int) -> dict[str, Any]:
    return {
        "text": text, "xref": "paper", "x": 0, "xanchor": "left", "xshift": 6, "y": top,
        "yanchor": "top", "align": "left", "showarrow": False,
    }  # fmt: skip
