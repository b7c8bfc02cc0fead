"""Keeps draws for the ranking in this process: whoever moves a slider waits only for the weighing.
Kept by the figures themselves, so new figures are never ranked by old draws."""

import threading
from collections import OrderedDict
from typing import Any

from reallabor.comparison_scales import ComparisonScales
from reallabor.content import digest
from reallabor.deciding.ranking import Drawn, Figures, draw

SEED = 20_261_101
"""Of every ranking on pages and in evidence: the same figures give the same ranking."""
MOST_BYTES = 110_000_000
"""Draws of two selections of 100 scenarios, or of many small ones."""

_kept: OrderedDict[tuple[Any, ...], Drawn] = OrderedDict()
_lock = threading.Lock()


def drawn_for(figures: Figures, scales: ComparisonScales) -> Drawn:
    """`draw` with SEED, or what it gave for the same figures and scales before."""
    key = (
        digest(scales.model_dump(mode="json")),
        *((slug, tuple(sorted(figures[slug].items()))) for slug in sorted(figures)),
    )
    # Held while drawing: of thirty people who look at new figures one draws, the others wait.
    with _lock:
        found = _kept.pop(key, None) or draw(figures, scales, SEED)
        _kept[key] = found
        while len(_kept) > 1 and sum(each.values.nbytes for each in _kept.values()) > MOST_BYTES:
            _kept.popitem(last=False)
    return found
