"""How many raters of each house a case gets, so that the largest load is the smallest possible.

Nobody rates outputs of their own house. Of a case with outputs of the houses T, n(o) raters of
house o rate all but the outputs of o; an output of o is covered by N - n(o) of its N raters. At
least `overlap` raters each therefore needs N = overlap + m where m is the largest n(o) over T.
Cases with the same T are alike, and so are raters of the same house: a small integer programme
over these kinds is exact, however many cases there are.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

House = Hashable
CaseId = int

FREE = "\x00free"
"""The group of all raters whose house has no output in the round."""


@dataclass(frozen=True)
class _Cell:
    """Cases of one kind that are rated by `size` people, of each owner house `most` at most."""

    kind: frozenset[House]
    most: int
    size: int
    limits: dict[House, int]


def share_out(
    owners: Mapping[CaseId, frozenset[House]], sizes: Mapping[House, int], *, overlap: int
) -> dict[CaseId, dict[House, int]]:
    """For each case the number of raters per group; `owners` are the houses of its outputs (None
    for outputs of nobody), `sizes` the number of raters per house, `FREE` for those of others.

    First the largest mean load of a group, rounded up, is the smallest possible, then as few
    ratings beyond `overlap` are made as possible, then the least loaded group gets as much as it
    can. Every output must have `overlap` eligible raters.
    """
    kinds: dict[frozenset[House], list[CaseId]] = {}
    for case, houses in owners.items():
        kinds.setdefault(houses, []).append(case)
    cells = [
        _cell(kind, most, sizes, overlap)
        for kind in kinds
        for most in range(overlap + 1)
    ]  # fmt: skip
    cells = [cell for cell in cells if sum(cell.limits.values()) >= cell.size]
    cases_of, slots_of = _solve(cells, {kind: len(cases) for kind, cases in kinds.items()}, sizes)
    shares: dict[CaseId, dict[House, int]] = {}
    remaining = {kind: list(cases) for kind, cases in kinds.items()}
    for cell, number, slots in zip(cells, cases_of, slots_of, strict=True):
        taken, remaining[cell.kind] = remaining[cell.kind][:number], remaining[cell.kind][number:]
        shares |= dict(zip(taken, _deal(slots, number), strict=True))
    return shares


def _cell(kind: frozenset[House], most: int, sizes: Mapping[House, int], overlap: int) -> _Cell:
    size = overlap + most
    limits = {
        group: 0 if kind == {group} else min(number, most if group in kind else size)
        for group, number in sizes.items()
    }
    return _Cell(kind, most, size, limits)


def _solve(
    cells: Sequence[_Cell], counts: Mapping[frozenset[House], int], sizes: Mapping[House, int]
) -> tuple[list[int], list[dict[House, int]]]:
    """Cases per cell and slots per cell and group, by three integer programmes one after the
    other; each keeps what the one before has reached."""
    from scipy.optimize import LinearConstraint, milp

    groups = list(sizes)
    n_cells, n_groups = len(cells), len(groups)
    width = n_cells * (1 + n_groups) + 1  # cases per cell, slots per cell and group, the bound
    rows: list[np.ndarray] = []
    lower: list[float] = []
    upper: list[float] = []

    def demand(entries: Mapping[int, float], low: float, high: float) -> None:
        row = np.zeros(width)
        row[list(entries)] = list(entries.values())
        rows.append(row)
        lower.append(low)
        upper.append(high)

    def slot(cell: int, group: int) -> int:
        return n_cells + cell * n_groups + group

    for kind, number in counts.items():
        demand({i: 1 for i, cell in enumerate(cells) if cell.kind == kind}, number, number)
    for i, cell in enumerate(cells):
        demand({**{slot(i, g): 1 for g in range(n_groups)}, i: -cell.size}, 0, 0)
        for g, group in enumerate(groups):
            demand({slot(i, g): 1, i: -cell.limits[group]}, -np.inf, 0)
    loads = [{slot(i, g): 1.0 for i in range(n_cells)} for g in range(n_groups)]
    bound = width - 1
    work = np.zeros(width)
    for i, cell in enumerate(cells):
        for g, group in enumerate(groups):
            work[slot(i, g)] = len(cell.kind - {group})

    def best(objective: np.ndarray) -> np.ndarray:
        found = milp(
            objective,
            constraints=LinearConstraint(np.array(rows), lower, upper),
            integrality=np.ones(width),
        )
        if found.x is None:
            raise AssertionError(f"no plan although every output has its raters: {found.message}")
        return np.asarray(np.rint(found.x), dtype=int)

    only_bound = np.zeros(width)
    only_bound[bound] = 1
    before = len(rows)
    for g, group in enumerate(groups):
        demand({**loads[g], bound: -sizes[group]}, -np.inf, 0)
    largest = best(only_bound)[bound]
    del rows[before:], lower[before:], upper[before:]
    for g, group in enumerate(groups):
        demand(loads[g], 0, int(largest) * sizes[group])
    needed = float(work @ best(work))
    demand(dict(enumerate(work)), needed, needed)
    for g, group in enumerate(groups):
        demand({**loads[g], bound: -sizes[group]}, 0, np.inf)
    plan = best(-only_bound)
    return (
        [int(number) for number in plan[:n_cells]],
        [
            {group: int(plan[slot(i, g)]) for g, group in enumerate(groups)}
            for i in range(n_cells)
        ],
    )  # fmt: skip


def _deal(slots: Mapping[House, int], cases: int) -> list[dict[House, int]]:
    """The slots of each group over the cases, evenly; every case gets the same number in all,
    because what is left over of each group follows round the table where the last one ended."""
    if not cases:
        return []
    shares = [{group: number // cases for group, number in slots.items()} for _ in range(cases)]
    place = 0
    for group, number in slots.items():
        for _ in range(number % cases):
            shares[place % cases][group] += 1
            place += 1
    return shares
