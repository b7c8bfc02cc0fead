"""The ratings of one criterion in the shape that the agreement coefficients share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reallabor.statistics.results import InvalidData

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Validated ratings of one criterion, sorted by unit. Build it with `reliability`.

    A unit is what was rated (an output); R ratings of U units show K distinct levels.
    """

    levels: Floats
    """(K,) distinct observed levels, ascending."""
    code: Ints
    """(R,) index into levels of each rating; the ratings of a unit stand together."""
    size: Ints
    """(U,) number of ratings per unit, at least 1, in the order of code."""
    cluster: Ints | None
    """(U,) cluster of each unit as 0..G-1, or None where units are independent."""

    @property
    def unit(self) -> Ints:
        """(R,) unit of each rating as 0..U-1, ascending."""
        return np.repeat(np.arange(self.size.size), self.size)

    def pairable(self) -> "Reliability":
        """The same ratings without units that have a single rating; clusters are renumbered."""
        keep = self.size >= 2
        if keep.all():
            return self
        cluster = None if self.cluster is None else _numbered(self.cluster[keep])
        return Reliability(
            self.levels, self.code[np.repeat(keep, self.size)], self.size[keep], cluster
        )


def reliability(
    unit: ArrayLike, rater: ArrayLike, level: ArrayLike, cluster: ArrayLike | None = None
) -> Reliability:
    """Check ratings in long form and sort them by unit.

    All arguments have one entry per rating. unit, rater and cluster are arbitrary integer codes;
    level is finite, on any scale; cluster (same case, same document) is constant within a unit.
    No ratings at all is valid: every coefficient is then not determinable.

    Raises InvalidData where lengths differ, codes are not integers, a level is not finite, a
    rater has rated a unit twice, or a unit lies in two clusters.
    """
    level_of = np.atleast_1d(np.asarray(level, dtype=np.float64))
    unit_of, rater_of = _codes("unit", unit), _codes("rater", rater)
    cluster_of = None if cluster is None else _codes("cluster", cluster)
    columns = [unit_of, rater_of] + ([] if cluster_of is None else [cluster_of])
    if level_of.ndim != 1 or any(column.shape != level_of.shape for column in columns):
        raise InvalidData(
            "Ausgabe, Person, Stufe und Gruppe sind verschieden lang; je Bewertung ein Eintrag."
        )
    if not np.isfinite(level_of).all():
        raise InvalidData(
            "Eine Stufe ist keine endliche Zahl; nicht Bewertetes weglassen statt als NaN führen."
        )
    order = _by_unit_and_rater(unit_of, rater_of)
    unit_of, rater_of = unit_of[order], rater_of[order]
    same_unit = unit_of[1:] == unit_of[:-1]
    twice = np.flatnonzero(same_unit & (rater_of[1:] == rater_of[:-1]))
    if twice.size:
        raise InvalidData(
            f"Person {rater_of[twice[0]]} hat Ausgabe {unit_of[twice[0]]} zweimal bewertet; "
            "nur die gültige Bewertung übergeben."
        )
    first = np.concatenate([np.ones(min(level_of.size, 1), dtype=bool), ~same_unit])
    cluster_of_unit = None
    if cluster_of is not None:
        cluster_of = cluster_of[order]
        torn = np.flatnonzero(same_unit & (cluster_of[1:] != cluster_of[:-1]))
        if torn.size:
            raise InvalidData(
                f"Ausgabe {unit_of[torn[0]]} liegt in zwei Gruppen; je Ausgabe eine Gruppe angeben."
            )
        cluster_of_unit = _numbered(cluster_of[first])
    levels = np.unique(level_of)
    code = np.searchsorted(levels, level_of[order])
    size = np.diff(np.append(np.flatnonzero(first), level_of.size))
    return Reliability(levels, code.astype(np.int64), size.astype(np.int64), cluster_of_unit)


def _codes(name: str, values: ArrayLike) -> Ints:
    array = np.atleast_1d(np.asarray(values))
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise InvalidData(f"'{name}' enthält {array.dtype} statt ganzer Zahlen; erst nummerieren.")
    return array.astype(np.int64)


def _by_unit_and_rater(unit: Ints, rater: Ints) -> Ints:
    """Order by unit, then rater; by one combined key where that fits, which is faster."""
    if not unit.size:
        return np.zeros(0, dtype=np.int64)
    span = int(rater.max()) - int(rater.min()) + 1
    if (int(unit.max()) - int(unit.min()) + 1) * span >= 2**62:
        return np.lexsort((rater, unit))
    return np.argsort((unit - unit.min()) * span + (rater - rater.min()))


def _numbered(codes: Ints) -> Ints:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
