"""Weightings drawn uniformly from all that are plausible: from the simplex, or from its part within
bounds per criterion. The draws of `smaa` rest on them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from reallabor.statistics.ratings import Floats
from reallabor.statistics.results import InvalidData

ROUNDING = 1e-12
PILOT = 2_000
"""Proposals by which the most frequently accepted way of proposing is found."""
MOST_PROPOSALS = 50_000_000
BLOCK = 100_000

NO_CRITERION = "Es gibt kein Kriterium; mindestens eines angeben."
BROKEN_BOUNDS = (
    "Die Grenzen eines Gewichts liegen nicht zwischen 0 und 1, oder die untere über der oberen."
)
TOO_LARGE = "Die unteren Grenzen der Gewichte ergeben zusammen mehr als 1; eine davon senken."
TOO_SMALL = "Die oberen Grenzen der Gewichte ergeben zusammen weniger als 1; eine davon anheben."
TOO_NARROW = "Die Grenzen der Gewichte lassen fast keinen Spielraum; sie weiter fassen."


def draw_weightings(
    criteria: int,
    draws: int,
    rng: np.random.Generator,
    *,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> Floats:
    """(draws, criteria) weights from 0 to 1, each row summing to 1, uniform over all such rows.

    Without bounds by exponential spacings (Rubinstein 1982; Tervonen & Lahdelma 2007 draw the
    same by sorting). lower and upper (criteria,) bound each weight: exact draws by
    rejection, never by a chain that still remembers its start. Bounds that leave one weighting
    give that one.

    Raises InvalidData where bounds contradict each other or the sum of 1.
    """
    if criteria < 1:
        raise InvalidData(NO_CRITERION)
    low = np.zeros(criteria) if lower is None else np.asarray(lower, dtype=np.float64)
    high = np.ones(criteria) if upper is None else np.asarray(upper, dtype=np.float64)
    low, high = _tightened(low, high, criteria)
    free = high - low > ROUNDING
    result = np.broadcast_to(low, (draws, criteria)).copy()
    if free.sum() > 1:
        rest = 1 - low.sum()
        result[:, free] += _parts(high[free] - low[free], rest, draws, rng)
    return result


def _tightened(low: Floats, high: Floats, criteria: int) -> tuple[Floats, Floats]:
    """The same weightings with bounds that are all reached: no weight can be larger than what
    the least of the others leaves, and the other way round."""
    if low.shape != (criteria,) or high.shape != (criteria,):
        raise InvalidData("Die Grenzen haben eine andere Länge als die Kriterien.")
    if not ((low >= 0) & (low <= high) & (high <= 1)).all():
        raise InvalidData(BROKEN_BOUNDS)
    if low.sum() > 1 + ROUNDING:
        raise InvalidData(TOO_LARGE)
    if high.sum() < 1 - ROUNDING:
        raise InvalidData(TOO_SMALL)
    return (
        np.maximum(low, 1 - (high.sum() - high)),
        np.minimum(high, 1 - (low.sum() - low)),
    )


def _parts(width: Floats, total: float, draws: int, rng: np.random.Generator) -> Floats:
    """(draws, k) parts from 0 to width (k,) that add up to total, uniform over all such rows.

    Each way proposes uniformly on a set that holds all of them; what lies outside is dropped, so
    what stays is uniform whichever way is taken. One of them is fast for any shape of bounds.
    """
    k, spare = width.size, float(width.sum()) - total
    last = int(np.argmax(width))
    others = np.delete(np.arange(k), last)

    def from_below(n: int) -> Floats:
        return _simplex(k, n, rng) * total

    def from_above(n: int) -> Floats:
        return width - _simplex(k, n, rng) * spare

    def from_box(n: int) -> Floats:
        """Any parts but the widest, which takes what is left."""
        parts = np.empty((n, k))
        parts[:, others] = rng.random((n, k - 1)) * width[others]
        parts[:, last] = total - parts[:, others].sum(axis=1)
        return parts

    ways: list[Callable[[int], Floats]] = [from_below, from_above, from_box]
    propose = max(ways, key=lambda way: _within(way(PILOT), width).shape[0])
    found: list[Floats] = []
    have = tried = 0
    while have < draws:
        if tried >= MOST_PROPOSALS:
            raise InvalidData(TOO_NARROW)
        kept = _within(propose(min(BLOCK, 2 * draws)), width)
        tried += min(BLOCK, 2 * draws)
        found.append(kept)
        have += kept.shape[0]
    return np.concatenate(found)[:draws]


def _simplex(k: int, n: int, rng: np.random.Generator) -> Floats:
    spacings = rng.standard_exponential((n, k))
    return np.asarray(spacings / spacings.sum(axis=1, keepdims=True), dtype=np.float64)


def _within(parts: Floats, width: Floats) -> Floats:
    inside = ((parts >= 0) & (parts <= width)).all(axis=1)
    return np.asarray(parts[inside], dtype=np.float64)
