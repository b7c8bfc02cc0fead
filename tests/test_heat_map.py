"""The map of level pairs: every number stands in its own cell, and can be read there."""

import pytest

from reallabor.ui.heat_map import DARK, LIGHT, heat_figure

COUNTS = [[1, 2, 0], [2, 3, 4], [0, 4, 5]]


@pytest.mark.parametrize("dark", [False, True])
def test_every_number_stands_in_its_cell(dark: bool) -> None:
    figure = heat_figure([1, 2, 3], COUNTS, dark=dark)
    written = {(note.y, note.x): note.text for note in figure.layout.annotations}
    assert written == {
        (row, column): str(COUNTS[row][column]) for row in range(3) for column in range(3)
    }
    assert [list(row) for row in figure.data[0].z] == COUNTS


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_ink_reads_on_every_blend(colours: tuple[str, str, str]) -> None:
    ground, full, ink = (rgb(colour) for colour in colours)
    for share in range(11):
        blend = [a + (b - a) * share / 10 for a, b in zip(ground, full, strict=True)]
        assert contrast(blend, ink) >= 4.5


def rgb(colour: str) -> list[float]:
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def contrast(one: list[float], other: list[float]) -> float:
    """WCAG 2.1, relative luminance and contrast ratio."""
    low, high = sorted(
        sum(
            weight * (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4)
            for weight, part in zip((0.2126, 0.7152, 0.0722), colour, strict=True)
        )
        for colour in (one, other)
    )
    return (high + 0.05) / (low + 0.05)
