"""What figures of an output may be; beyond that they are a mistake, and databases refuse them."""

MOST_TOKENS = 2**31 - 1
MOST_LATENCY_MS = 1e9
"""Eleven days."""
MOST_COST_EUR = 1e6


def plausible(value: float | None, most: float) -> float | None:
    """The value, or None where it is negative, beyond `most` or no number."""
    return value if value is not None and 0 <= value <= most else None
