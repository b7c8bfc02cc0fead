"""What the statistics hand out: estimates and intervals that say why where they cannot say what.

Every number that reaches a screen comes as one of these; NaN never leaves the package.
"""

from dataclasses import dataclass


class InvalidData(ValueError):
    """Input to compute nothing from; the message is German and names the next step."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient, or the reason why there is none. Exactly one of value and reason is None."""

    value: float | None
    """The coefficient; None where it is not determinable."""
    reason: str | None
    """German sentence for the screen; None where there is a value."""
    units: int
    """Number of outputs with at least two ratings, on which the value rests."""
    standard_error: float | None = None
    """Of the value, where the coefficient has a published formula; None elsewhere."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval (unless the caller asked otherwise), or the reason why there is none.

    low and high are both numbers with low < high and reason is None, or both are None and
    reason says why.
    """

    low: float | None
    """Lower end, on the scale of the data."""
    high: float | None
    """Upper end, on the scale of the data."""
    method: str
    """"t", "t-cluster", "bounded", "bounded-cluster", "t-raters", "bounded-raters", "bootstrap",
    "bootstrap-cluster", "f" or "clopper-pearson"."""
    reason: str | None
    """German sentence for the screen; None where there is an interval."""
