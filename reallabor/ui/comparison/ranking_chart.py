"""The ranking as dots with ranges; what cannot be told apart stands in one box."""

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from reallabor.german import number, span
from reallabor.ui.charts import ROLES

MOST_DRAWN = 30
"""Scenarios in the chart; the table has all."""
_ROW, _HEAD, _GAP, _AXIS = 64, 26, 12, 64
"""Heights in pixels: of a scenario, of a box's words, between groups, of the axis."""


@dataclass(frozen=True)
class RankDot:
    """A scenario in the chart."""

    name: str
    """With rank, and how its gates stand."""
    role: str
    """A key of ROLES: how its gates stand."""
    total: float
    low: float
    high: float
    group: int


def rank_plot(dots: Sequence[RankDot], *, title: str) -> None:
    """Draw the first MOST_DRAWN, which come in rank order."""
    figure = rank_figure(dots[:MOST_DRAWN], dark=st.context.theme.type == "dark")
    st.plotly_chart(figure, width="stretch", key=f"chart-{title}", alt=title,
                    config={"displayModeBar": False, "locale": "de"})  # fmt: skip


def rank_figure(dots: Sequence[RankDot], *, dark: bool) -> go.Figure:
    """Names stand above their dots, so that they have room on a narrow screen too."""
    ink = "#FAFAFA" if dark else "#262730"
    figure = go.Figure()
    top = 0
    for group in dict.fromkeys(dot.group for dot in dots):
        members = [dot for dot in dots if dot.group == group]
        bottom = top + _ROW * len(members)
        if len(members) > 1:
            bottom += _HEAD
            _box(figure, top, bottom, ink, dark=dark)
            top += _HEAD
        for dot in members:
            _row(figure, dot, top, ink, dark=dark)
            top += _ROW
        top = bottom + _GAP
    figure.update_xaxes(
        range=(-0.01, 1.01), title={"text": "Gesamtwert (0 bis 1)", "font": {"color": ink}},
        tickfont={"color": ink}, fixedrange=True, zeroline=False, dtick=0.2,
    )  # fmt: skip
    figure.update_yaxes(
        range=(top, 0), showticklabels=False, showgrid=False, zeroline=False, fixedrange=True
    )
    figure.update_layout(
        height=top + _AXIS, margin={"l": 8, "r": 8, "t": 0, "b": _AXIS}, separators=",.",
        font={"size": 14, "color": ink}, hoverlabel={"font": {"size": 14}}, showlegend=False,
    )  # fmt: skip
    return figure


def _box(figure: go.Figure, top: int, bottom: int, ink: str, *, dark: bool) -> None:
    figure.add_shape(
        type="rect", xref="paper", x0=0, x1=1, y0=top, y1=bottom, layer="below",
        fillcolor="#31333F" if dark else "#EEF1F4", line={"color": ink, "width": 1, "dash": "dot"},
    )  # fmt: skip
    _words(figure, "<i>nicht unterscheidbar</i>", top + 3, ink)


def _row(figure: go.Figure, dot: RankDot, top: int, ink: str, *, dark: bool) -> None:
    on_light, on_dark, symbol = ROLES[dot.role]
    colour = on_dark if dark else on_light
    name = "<br>".join(html.escape(line) for line in textwrap.wrap(dot.name, 46)[:2])
    _words(figure, name, top + 2, ink)
    figure.add_scatter(
        x=[dot.total], y=[top + _ROW - 14], mode="markers", cliponaxis=False,
        marker={"color": colour, "symbol": symbol, "size": 13},
        error_x={
            "type": "data", "symmetric": False, "color": colour, "thickness": 2.5, "width": 7,
            "array": [dot.high - dot.total], "arrayminus": [dot.total - dot.low],
        },
        hovertemplate=f"{html.escape(dot.name)}: {number(dot.total, 2)} "
        f"({span(dot.low, dot.high, 2)})<extra></extra>",
    )  # fmt: skip


def _words(figure: go.Figure, text: str, top: float, ink: str) -> None:
    figure.add_annotation(
        text=text, xref="paper", x=0, xanchor="left", xshift=6, y=top, yanchor="top", align="left",
        showarrow=False, font={"size": 14, "color": ink},
    )  # fmt: skip
