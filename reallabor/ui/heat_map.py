"""A map of how often two raters gave which levels; the table beside it says the same in numbers."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

LIGHT = ("#FFFFFF", "#56B4E9", "#262730")
DARK = ("#0E1117", "#0072B2", "#FAFAFA")
"""Cell of nothing, cell of most (Okabe-Ito), and ink; the ink reads well on every blend of them."""


def heat_map(levels: Sequence[float], counts: Sequence[Sequence[int]], *, title: str) -> None:
    """Draw the map; symmetric, so both halves show the same."""
    st.plotly_chart(
        heat_figure(levels, counts, dark=st.context.theme.type == "dark"),
        width="stretch", key=f"chart-{title}", alt=title,
        config={"displayModeBar": False, "locale": "de"},
    )  # fmt: skip


def heat_figure(
    levels: Sequence[float], counts: Sequence[Sequence[int]], *, dark: bool
) -> go.Figure:
    """Cells in one colour, the number written in each."""
    ground, full, ink = DARK if dark else LIGHT
    names = [f"{level:g}" for level in levels]
    figure = go.Figure(
        go.Heatmap(
            x=names, y=names, z=counts, zmin=0, zmax=max(max(row) for row in counts) or 1,
            showscale=False, colorscale=[[0, ground], [1, full]], xgap=2, ygap=2,
            hovertemplate="Stufe %{y} und Stufe %{x}: %{z}<extra></extra>",
        )
    )  # fmt: skip
    for row, column in ((row, column) for row in range(len(names)) for column in range(len(names))):
        # By place, not by name: Plotly takes the name "1" for the second place.
        figure.add_annotation(
            x=column, y=row, text=str(counts[row][column]), showarrow=False,
            font={"size": 14, "color": ink},
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
    return figure
