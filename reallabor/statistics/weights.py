"""Weights of partial agreement between the levels of a scale, for Gwet's AC2 and Cohen's kappa."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from reallabor.statistics.ratings import Floats, Ints
from reallabor.statistics.results import InvalidData

Weighting = Literal["identity", "linear", "ordinal", "quadratic"]


def declared_scale(levels: Sequence[float]) -> Floats:
    """(q,) the distinct levels of a declared scale, ascending.

    Raises InvalidData where there are fewer than two.
    """
    scale = np.unique(np.asarray(levels, dtype=np.float64))
    if scale.size < 2:
        raise InvalidData("Die Skala hat weniger als zwei Stufen; alle Stufen angeben.")
    return scale


def positions(values: Floats, scale: Floats) -> Ints:
    """Index into scale of each value. Raises InvalidData where a value is not a level of it."""
    unknown = values[~np.isin(values, scale)]
    if unknown.size:
        raise InvalidData(
            f"Stufe {unknown[0]:g} gibt es in der Skala nicht; "
            f"erlaubt: {', '.join(f'{level:g}' for level in scale)}."
        )
    return np.searchsorted(scale, values).astype(np.int64)


def agreement_weights(scale: Floats, weighting: Weighting) -> Floats:
    """(q, q) 1 for equal levels, down to 0 for the ends of the scale; scale (q,) ascending.

    Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed., section 3.5: "linear" and
    "quadratic" use the distance of the levels' values (Cohen 1968), "ordinal" only their order:
    1 - C(|k - l| + 1, 2) / C(q, 2).
    """
    q = scale.size
    if weighting == "identity":
        return np.eye(q)
    if weighting == "ordinal":
        steps = np.abs(np.subtract.outer(np.arange(q), np.arange(q)))
        return np.asarray(1 - steps * (steps + 1) / (q * (q - 1)), dtype=np.float64)
    distance = np.abs(np.subtract.outer(scale, scale)) / (scale[-1] - scale[0])
    return np.asarray(1 - (distance if weighting == "linear" else distance**2), dtype=np.float64)
