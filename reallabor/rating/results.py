"""What a released round says: per variant and criterion the mean of case means with its interval,
and the score, with adjudicated levels in place of the ratings they settle."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from sqlmodel import Session, col, select

from reallabor.models import Round, Scenario, row_id
from reallabor.rating.case_means import CaseMeans, case_means, scores_of
from reallabor.rating.counting import count_assigned, count_rated
from reallabor.rating.round_data import Floats, RoundData, load_round
from reallabor.statistics import FurtherCases, Interval, further_cases, mean_interval

NO_DECLARED_SCALE = (
    "Die Skala wurde nur aus den Daten abgelesen; ein Punktwert von 0 bis 100 wäre willkürlich."
)
NO_COMPLETE_CASE = "Kein Fall ist auf allen Kriterien bewertet."
NOT_RATED = "Nicht bewertet."
NO_MINUTES = "Niemand hat Minuten für die Nacharbeit angegeben."
PRECISION = 5.0
"""Points (of 100) that the interval of a score may reach to either side before more cases are asked
for; precision, never significance, says when there are enough."""
NO_COST = "Zu keiner Ausgabe sind Kosten aufgezeichnet."


@dataclass(frozen=True)
class Figure:
    """A mean of case means with what belongs to it."""

    n: int
    """Cases behind the mean."""
    mean: float | None
    """On the rubric's scale; None where nothing was rated or no score exists."""
    median: float | None
    """Median over cases of the case means."""
    interval: Interval
    """95 %, or the reason why there is none."""
    lowest: float | None = None
    """The lowest single level that any rater gave or that was adjudicated; gates look at it."""


@dataclass(frozen=True)
class Stratum:
    """One variant in one organisation: what its own run says, not pooled with other houses."""

    organisation: str
    """Empty where ratings were imported."""
    n_cases: int
    score: Figure
    metrics: dict[str, float]
    """The measures of the scenario with their bounds, as on the run; nothing about time."""
    left_on: date | None = None
    """Since when the organisation no longer takes part."""


@dataclass(frozen=True)
class VariantResult:
    """One variant in one round."""

    variant: str
    title: str
    baseline: bool
    candidate: bool
    n_cases: int
    n_ratings: int
    score: Figure
    """0-100, better is higher."""
    score_original: Figure
    """The same from the raters' levels alone, without any adjudication."""
    n_adjudicated: int
    """Judgements (one criterion of one output) in which an adjudicated level counts."""
    criteria: dict[str, Figure]
    low_share: float | None
    """Share of cases (0-1) with a mean in the lowest two levels of a five-level scale on any
    criterion; None where the scale has no levels 1-5."""
    rework: Figure
    """Minutes of rework per output, over the cases for which somebody gave any."""
    cost: Figure
    """EUR per output, over the cases whose cost was recorded."""
    further: FurtherCases | None
    """How many cases more until the interval of the score is at most PRECISION to either side; None
    where it is narrow enough, or there is no score."""
    strata: list[Stratum] = field(default_factory=list)
    """The same per organisation, by name."""


@dataclass(frozen=True)
class RoundResult:
    """A released round; `variants` in the order of the scenario."""

    round_id: int
    number: int
    rubric: str
    demo: bool
    n_cases: int
    n_edge_cases: int
    n_raters: int
    n_organisations: int
    n_ratings: int
    n_adjudicated: int
    assigned: int
    """Outputs that were handed out, each counted per rater; 0 for imported ratings."""
    rated: int
    """How many of them were rated before the release."""
    criteria: dict[str, str]
    """Titles by key, in the rubric's order."""
    scale: tuple[float, float]
    higher_is_better: bool
    five_levels: bool
    """Whether the declared scale is 1 to 5; rules on levels hold for such scales only."""
    candidate: str | None
    """The variant named before the round began."""
    variants: list[VariantResult]


def released_round(session: Session, scenario: Scenario) -> Round | None:
    """The round that counts: real before demonstration, rated blind before imported, then the
    newest released one."""
    return session.exec(
        select(Round)
        .where(Round.scenario_id == scenario.id, col(Round.released_at).is_not(None))
        .order_by(
            col(Round.demo), col(Round.origin), col(Round.released_at).desc(), col(Round.id).desc()
        )
        .limit(1)
    ).first()


def released_rounds(session: Session, scenarios: Sequence[int]) -> dict[int, Round]:
    """`released_round` of many scenarios (row ids), by row id of the scenario."""
    rounds = session.exec(
        select(Round)
        .where(col(Round.scenario_id).in_(scenarios), col(Round.released_at).is_not(None))
        .order_by(
            col(Round.demo).desc(), col(Round.origin).desc(), col(Round.released_at), col(Round.id)
        )
    ).all()
    return {round_.scenario_id: round_ for round_ in rounds}  # the last one counts


def round_result(session: Session, round_: Round, *, run_id: int | None = None) -> RoundResult:
    """All figures of a round, or of one of its runs alone."""
    data = load_round(session, round_, run_id=run_id)
    return result_of(session, data, count_assigned(session, [round_])[row_id(round_.id)])


def result_of(session: Session, data: RoundData, assigned: int) -> RoundResult:
    """All figures of a round that was read already; `assigned` as in `count_assigned`."""
    means = case_means(data)
    rated = means.ratings.any(axis=2)
    of_any = rated.any(axis=0)
    scenario = session.get_one(Scenario, data.round_.scenario_id)
    measures = {
        measure.get("key") or measure["kind"] for measure in scenario.content.get("measures", [])
    }
    candidate = data.round_.candidate_id
    houses = {data.runs[run].organisation_id for run in set(data.run_of[data.rated_output])}
    return RoundResult(
        round_id=row_id(data.round_.id),
        number=data.round_.number,
        rubric=data.rubric.name,
        demo=data.round_.demo,
        n_cases=int(of_any.sum()),
        n_edge_cases=int((of_any & data.edge).sum()),
        n_raters=np.unique(data.rater).size,
        n_organisations=len(houses - {None}),
        n_ratings=data.level.size,
        n_adjudicated=int(data.adjudicated.sum()),
        assigned=assigned,
        rated=count_rated(data),
        criteria={criterion.key: criterion.title for criterion in data.criteria},
        scale=(data.rubric.scale_min, data.rubric.scale_max),
        higher_is_better=data.rubric.higher_is_better,
        five_levels=data.five_levels,
        candidate=next((each.key for each in data.variants if each.id == candidate), None),
        variants=[_variant_result(data, means, place, measures)
                  for place in range(len(data.variants))],
    )  # fmt: skip


def _variant_result(
    data: RoundData, means: CaseMeans, place: int, measures: set[str]
) -> VariantResult:
    variant = data.variants[place]
    mean, lowest = means.mean[place], means.lowest[place]
    rated = means.ratings[place].any(axis=1)
    low = None
    if data.five_levels and rated.any():
        oriented = mean[rated] if data.rubric.higher_is_better else 6 - mean[rated]
        low = float((np.nanmin(oriented, axis=1) <= 2).mean())
    named = data.round_.candidate_id
    return VariantResult(
        variant=variant.key,
        title=variant.title,
        baseline=variant.baseline,
        candidate=variant.id == named if named else variant.candidate,
        n_cases=int(rated.sum()),
        n_ratings=int(means.ratings[place].sum()),
        score=score_figure(data, mean),
        score_original=score_figure(data, means.given[place]),
        n_adjudicated=int(means.adjudicated[place].sum()),
        criteria={
            criterion.key: _figure(data, mean[:, k], data.limits, lowest=lowest[:, k])
            for k, criterion in enumerate(data.criteria)
        },
        low_share=low,
        strata=_strata(data, place, measures),
        further=_further(data, mean),
        rework=_of_outputs(data, place, data.minutes, NO_MINUTES),
        cost=_of_outputs(data, place, data.cost, NO_COST),
    )


def _strata(data: RoundData, place: int, measures: set[str]) -> list[Stratum]:
    """One entry per run of a variant."""
    found = []
    for number, run in enumerate(data.runs):
        if run.variant_id != data.variants[place].id:
            continue
        outputs = data.run_of == number
        mean = np.full((data.case.size, len(data.criteria)), np.nan)
        mean[data.case_of[outputs]] = data.mean[outputs]
        house = data.houses.get(run.organisation_id or 0)
        found.append(
            Stratum(
                organisation=house.name if house else "",
                n_cases=int((~np.isnan(mean)).any(axis=1).sum()),
                score=score_figure(data, mean),
                metrics={
                    key: value
                    for key, value in run.indicators.items()
                    if key.partition(".")[0] in measures
                },
                left_on=house.left_on if house else None,
            )
        )
    return sorted(found, key=lambda each: each.organisation)


def score_figure(data: RoundData, mean: Floats) -> Figure:
    """The mean score over the cases that are rated on all criteria; `mean` are levels (C, K)."""
    if data.limits is None:
        return Figure(0, None, None, Interval(None, None, "t", NO_DECLARED_SCALE))
    scores = scores_of(data, mean)
    if np.isnan(scores).all():
        return Figure(0, None, None, Interval(None, None, "t", NO_COMPLETE_CASE))
    return _figure(data, scores, (0.0, 100.0), lowest=scores)


def _further(data: RoundData, mean: Floats) -> FurtherCases | None:
    scores = scores_of(data, mean)
    known = ~np.isnan(scores)
    if not known.any():
        return None
    clusters = data.cluster[known] if data.clustered[known].any() else None
    more = further_cases(scores[known], PRECISION, lower=0.0, upper=100.0, clusters=clusters)
    return None if more.cases == 0 else more


def _of_outputs(data: RoundData, place: int, values: Floats, missing: str) -> Figure:
    """What is known of the outputs of a variant, averaged within a case first; no end of a scale is
    known, so the interval is by t."""
    known = (data.variant_of == place) & ~np.isnan(values)
    cases = data.case_of[known]
    n = np.bincount(cases, minlength=data.case.size)
    with np.errstate(invalid="ignore"):
        means = np.bincount(cases, values[known], data.case.size) / n
    return _figure(data, means, None, missing=missing)


def _figure(
    data: RoundData,
    of_cases: Floats,
    limits: tuple[float, float] | None,
    *,
    lowest: Floats | None = None,
    missing: str = NOT_RATED,
) -> Figure:
    """Mean, median and interval over the values (C,) that are known."""
    known = ~np.isnan(of_cases)
    if not known.any():
        return Figure(0, None, None, Interval(None, None, "t", missing))
    values = of_cases[known]
    # A case without a cluster hangs together with nothing but itself.
    clusters = data.cluster[known] if data.clustered[known].any() else None
    lower, upper = limits or (None, None)
    return Figure(
        n=values.size,
        mean=float(values.mean()),
        median=float(np.median(values)),
        interval=mean_interval(values, lower=lower, upper=upper, clusters=clusters),
        lowest=None if lowest is None else float(lowest[known].min()),
    )
