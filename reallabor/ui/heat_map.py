"""A map of how often two raters gave which levels; the table beside it says the same in numbers."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

LIGHT, DARK = ("#FFFFFF", "#0072B2"), ("#0E1117", "#56B4E9")
"""One colour from nothing to most, on light and on dark ground (Okabe-Ito blue)."""


def heat_map(levels: Sequence[float], counts: Sequence[Sequence[int]], *, title: str) -> None:
    """Square cells with the number written in; symmetric, so both halves show the same."""
    dark = st.context.theme.type == "dark"
    ink = "#FAFAFA" if dark else "#262730"
    names = [f"{level:g}" for level in levels]
    most = max(max(row) for row in counts) or 1
    figure = go.Figure(
        go.Heatmap(
            x=names, y=names, z=counts, zmin=0, zmax=most, showscale=False,
            colorscale=[[0, (DARK if dark else LIGHT)[0]], [1, (DARK if dark else LIGHT)[1]]],
            xgap=2, ygap=2,
            hovertemplate="Stufe %{y} und Stufe %{x}: %{z}<extra></extra>",
        )
    )  # fmt: skip
    for row, name in enumerate(names):
        for column, other in enumerate(names):
            full = counts[row][column] / most > 0.5
            figure.add_annotation(
                x=other, y=name, text=str(counts[row][column]), showarrow=False,
                font={"size": 14, "color": ("#000000" if dark else "#FFFFFF") if full else ink},
            )  # fmt: skip
    figure.update_layout(
        height=110 + 46 * len(names), margin={"l": 8, "r": 8, "t": 8, "b": 8}, separators=",.",
        font={"size": 14, "color": ink},
    )  # fmt: skip
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(type="category", tickfont={"color": ink}, showgrid=False, fixedrange=True)
    figure.update_xaxes(title={"text": "Stufe der einen Person", "font": {"color": ink}})
    figure.update_yaxes(title={"text": "Stufe der anderen", "font": {"color": ink}},
                        autorange="reversed")  # fmt: skip
    st.plotly_chart(
        figure, width="stretch", key=f"chart-{title}", alt=title,
        config={"displayModeBar": False, "locale": "de"},
    )  # fmt: skip
