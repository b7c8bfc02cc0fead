"""All judgements of released rounds as arrays, read with a few queries for many rounds at once.
Results, agreement and the comparison of variants start here."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, func, select

from reallabor.models import (
    Adjudication,
    Case,
    Criterion,
    Organisation,
    Output,
    Rater,
    Rating,
    Remark,
    Round,
    RoundRun,
    Rubric,
    TrialRun,
    Variant,
    row_id,
)
from reallabor.rating.adjudicated import holding

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
ROUNDS_AT_ONCE = 500
"""Keys in one query; databases allow some tens of thousands."""


@dataclass(frozen=True, eq=False)
class RoundData:
    """One round. O outputs of its runs, sorted by key; C cases and V variants that they belong to;
    K criteria in the rubric's order; R ratings that stand, as they were given."""

    round_: Round
    rubric: Rubric
    criteria: list[Criterion]
    variants: list[Variant]
    runs: list[TrialRun]
    houses: dict[int, Organisation]
    """By row id; those of the runs."""
    output: Ints
    """(O,) row ids, ascending."""
    run_of: Ints
    """(O,) place in `runs`."""
    variant_of: Ints
    """(O,) place in `variants`."""
    case_of: Ints
    """(O,) place in `case`."""
    cost: Floats
    """(O,) EUR; NaN where nothing is known."""
    minutes: Floats
    """(O,) of rework, averaged over the raters who said something; NaN where nobody did."""
    minutes_raters: Ints
    """(O,) how many said something."""
    case: Ints
    """(C,) row ids, ascending."""
    edge: NDArray[np.bool_]
    """(C,) whether it is an edge case."""
    topic: list[str]
    """Of each case; empty where it has none."""
    cluster: Ints
    """(C,) 0.., equal for cases that hang together; any other is on its own."""
    clustered: NDArray[np.bool_]
    """(C,) whether a cluster is named."""
    rater: Ints
    """(R,) row ids."""
    rated_output: Ints
    """(R,) place in `output`."""
    rated_criterion: Ints
    """(R,) place in `criteria`."""
    level: Floats
    """(R,)"""
    given: Floats
    """(O, K) mean over raters; NaN where nobody rated."""
    given_lowest: Floats
    """(O, K)"""
    ratings: Ints
    """(O, K) number of ratings."""
    mean: Floats
    """(O, K) the same as `given`, an adjudicated level in place of the ratings that it settles."""
    lowest: Floats
    """(O, K)"""
    adjudicated: Ints
    """(O, K) 1 where an adjudicated level counts."""

    @property
    def limits(self) -> tuple[float, float] | None:
        """The ends of the scale, where they were declared."""
        rubric = self.rubric
        return (rubric.scale_min, rubric.scale_max) if rubric.scale_declared else None

    @property
    def five_levels(self) -> bool:
        """Whether the declared scale is 1 to 5."""
        return self.limits == (1, 5)

    def levels(self) -> dict[str, NDArray[Any]]:
        """The ratings in long form, one entry each: row ids of `criterion`, `unit` (the output),
        `rater` and `case`, the `level`, and the `cluster`."""
        cases = self.case_of[self.rated_output]
        ids = np.array([row_id(each.id) for each in self.criteria], dtype=np.int64)
        return {
            "criterion": ids[self.rated_criterion],
            "unit": self.output[self.rated_output],
            "rater": self.rater,
            "level": self.level,
            "case": self.case[cases],
            "cluster": self.cluster[cases],
        }


def load_round(session: Session, round_: Round, *, run_id: int | None = None) -> RoundData:
    """One round, or one of its runs alone."""
    return next(load_rounds(session, [round_], run_id=run_id))


def load_rounds(
    session: Session, rounds: Sequence[Round], *, run_id: int | None = None
) -> Iterator[RoundData]:
    """The rounds in this order, each with its own ratings only, so that memory does not grow with
    their number."""
    for start in range(0, len(rounds), ROUNDS_AT_ONCE):
        part = rounds[start : start + ROUNDS_AT_ONCE]
        shared = _Shared.load(session, part)
        for round_ in part:
            yield _round_data(session, round_, shared, run_id)


@dataclass(frozen=True)
class _Shared:
    """What is read once for many rounds."""

    rubrics: dict[int, Rubric]
    criteria: dict[int, list[Criterion]]
    runs: dict[int, list[TrialRun]]
    """By round, in the order of their keys."""
    variants: dict[int, Variant]
    houses: dict[int, Organisation]
    adjudicated: set[int]
    """Rounds in which anything was adjudicated."""

    @classmethod
    def load(cls, session: Session, rounds: Sequence[Round]) -> "_Shared":
        ids = [row_id(each.id) for each in rounds]
        rubric_ids = {each.rubric_id for each in rounds}
        runs: dict[int, list[TrialRun]] = defaultdict(list)
        for round_id, run in session.exec(
            select(RoundRun.round_id, TrialRun)
            .join(TrialRun, col(TrialRun.id) == RoundRun.run_id)
            .where(col(RoundRun.round_id).in_(ids))
            .order_by(col(TrialRun.id))
        ):
            runs[round_id].append(run)
        criteria: dict[int, list[Criterion]] = defaultdict(list)
        for criterion in session.exec(
            select(Criterion)
            .where(col(Criterion.rubric_id).in_(rubric_ids))
            .order_by(col(Criterion.position))
        ):
            criteria[criterion.rubric_id].append(criterion)
        scenarios = {each.scenario_id for each in rounds}
        return cls(
            rubrics={
                row_id(each.id): each
                for each in session.exec(select(Rubric).where(col(Rubric.id).in_(rubric_ids)))
            },
            criteria=criteria,
            runs=runs,
            variants={
                row_id(each.id): each
                for each in session.exec(
                    select(Variant).where(col(Variant.scenario_id).in_(scenarios))
                )
            },
            houses={row_id(each.id): each for each in session.exec(select(Organisation))},
            adjudicated=set(
                session.exec(
                    select(Adjudication.round_id)
                    .where(col(Adjudication.round_id).in_(ids))
                    .distinct()
                )
            ),
        )


def _round_data(session: Session, round_: Round, shared: _Shared, run_id: int | None) -> RoundData:
    runs = [each for each in shared.runs[row_id(round_.id)] if run_id in (None, each.id)]
    variants = [shared.variants[each] for each in sorted({run.variant_id for run in runs})]
    criteria = shared.criteria[round_.rubric_id]
    table = _outputs(session, runs)
    output, run_ids, case_ids = (table[name].astype(np.int64) for name in ("id", "run", "case"))
    run_of = np.searchsorted([row_id(run.id) for run in runs], run_ids)
    variant_ids = [row_id(each.id) for each in variants]
    of_run = np.searchsorted(variant_ids, [run.variant_id for run in runs]).astype(np.int64)
    case, first, case_of = np.unique(case_ids, return_index=True, return_inverse=True)
    names = table["cluster"][first]
    named = np.array([name is not None for name in names], dtype=bool)
    own = [f"\x00{key}" if name is None else name for name, key in zip(names, case, strict=True)]
    cluster = np.unique(own, return_inverse=True)[1]
    rater, rated, criterion, level = _ratings(session, round_, run_id)
    place = np.searchsorted(output, rated)
    criterion_ids = np.array([row_id(each.id) for each in criteria], dtype=np.int64)
    order = np.argsort(criterion_ids)
    kind = order[np.searchsorted(criterion_ids, criterion, sorter=order)]
    shape = (output.size, len(criteria))
    given, lowest, ratings = _cells(place, kind, level, shape)
    mean, decided_lowest, adjudicated = given.copy(), lowest.copy(), np.zeros(shape, np.int64)
    if round_.id in shared.adjudicated:
        at = {row_id(each.id): number for number, each in enumerate(criteria)}
        for (output_id, criterion_id), row in holding(session, round_, run_id=run_id).items():
            spot = int(np.searchsorted(output, output_id)), at[criterion_id]
            mean[spot] = decided_lowest[spot] = row.level
            adjudicated[spot] = 1
    minutes, minutes_raters = _minutes(session, round_, output)
    return RoundData(
        round_=round_, rubric=shared.rubrics[round_.rubric_id], criteria=criteria,
        variants=variants, runs=runs,
        houses={each: shared.houses[each] for run in runs if (each := run.organisation_id)},
        output=output, run_of=run_of, variant_of=of_run[run_of], case_of=case_of.reshape(-1),
        cost=table["cost"].astype(np.float64), minutes=minutes, minutes_raters=minutes_raters,
        case=case, edge=table["edge"][first].astype(bool), topic=list(table["topic"][first]),
        cluster=cluster.reshape(-1).astype(np.int64), clustered=named,
        rater=rater, rated_output=place, rated_criterion=kind, level=level,
        given=given, given_lowest=lowest, ratings=ratings,
        mean=mean, lowest=decided_lowest, adjudicated=adjudicated,
    )  # fmt: skip


def _outputs(session: Session, runs: Sequence[TrialRun]) -> dict[str, NDArray[Any]]:
    """Outputs of these runs by key, with what matters of their cases."""
    rows = session.execute(
        select(  # type: ignore[call-overload]
            Output.id, Output.run_id, Output.case_id, Output.cost_eur, Case.cluster, Case.edge,
            Case.topic,
        )
        .join(Case, col(Case.id) == Output.case_id)
        .where(col(Output.run_id).in_([run.id for run in runs]))
        .order_by(col(Output.id))
    ).all()  # fmt: skip
    columns = list(zip(*rows, strict=True)) or [()] * 7
    names = ("id", "run", "case", "cost", "cluster", "edge", "topic")
    return {
        name: np.array(column, dtype=object) for name, column in zip(names, columns, strict=True)
    }


def _ratings(
    session: Session, round_: Round, run_id: int | None
) -> tuple[Ints, Ints, Ints, Floats]:
    """Rater, output, criterion (row ids) and level of every rating that stands."""
    query = (
        select(Rating.rater_id, Rating.output_id, Rating.criterion_id, Rating.level)
        .where(Rating.round_id == round_.id, col(Rating.superseded_at).is_(None))
        .order_by(col(Rating.id))
    )
    if run_id is not None:
        of_run = select(Output.id).where(Output.run_id == run_id)
        query = query.where(col(Rating.output_id).in_(of_run))
    # The driver's own tuples: wrapping each in a Row costs more than reading it.
    rows = session.connection().execute(query).cursor.fetchall()
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    rater, output, criterion = (table[:, each].astype(np.int64) for each in range(3))
    return rater, output, criterion, table[:, 3].copy()


def _cells(
    place: Ints, kind: Ints, level: Floats, shape: tuple[int, int]
) -> tuple[Floats, Floats, Ints]:
    """Mean, lowest and number of the ratings of every output and criterion."""
    cell, size = place * shape[1] + kind, shape[0] * shape[1]
    ratings = np.bincount(cell, minlength=size)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(cell, level, size) / ratings
    lowest = np.full(size, np.inf)
    np.minimum.at(lowest, cell, level)
    lowest[ratings == 0] = np.nan
    return mean.reshape(shape), lowest.reshape(shape), ratings.reshape(shape).astype(np.int64)


def _minutes(session: Session, round_: Round, output: Ints) -> tuple[Floats, Ints]:
    rows = session.execute(
        select(Remark.output_id, func.avg(Remark.rework_minutes), func.count())
        .join(Rater, col(Rater.id) == Remark.rater_id)
        .where(
            Rater.round_id == round_.id,
            col(Remark.superseded_at).is_(None),
            col(Remark.rework_minutes).is_not(None),
        )
        .group_by(col(Remark.output_id))
    ).all()
    minutes, raters = np.full(output.size, np.nan), np.zeros(output.size, dtype=np.int64)
    for output_id, mean, n in rows:
        place = int(np.searchsorted(output, output_id))
        if place < output.size and output[place] == output_id:
            minutes[place], raters[place] = float(mean), n
    return minutes, raters
