"""What a released round says: per variant and criterion the mean of case means with its interval,
and the score. Raters are averaged within an output first, outputs within a case."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd
from sqlmodel import Session, col, func, select

from reallabor.models import (
    Assignment,
    Case,
    Criterion,
    Organisation,
    Output,
    Rater,
    Rating,
    Round,
    RoundRun,
    Rubric,
    Scenario,
    TrialRun,
    Variant,
    row_id,
)
from reallabor.statistics import Interval, mean_interval

NO_DECLARED_SCALE = (
    "Die Skala wurde nur aus den Daten abgelesen; ein Punktwert von 0 bis 100 wäre willkürlich."
)
NO_COMPLETE_CASE = "Kein Fall ist auf allen Kriterien bewertet."
NOT_RATED = "Nicht bewertet."


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
    """The lowest single level that any rater gave; gates look at it."""


@dataclass(frozen=True)
class Stratum:
    """One variant in one organisation: what its own run says, not pooled with other houses."""

    organisation: str
    """Empty where ratings were imported."""
    n_cases: int
    score: Figure
    metrics: dict[str, float]
    """The measures of the scenario with their bounds, as on the run; nothing about time."""


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
    criteria: dict[str, Figure]
    low_share: float | None
    """Share of cases (0-1) with a mean in the lowest two levels of a five-level scale on any
    criterion; None where the scale has no levels 1-5."""
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


def round_result(session: Session, round_: Round, *, run_id: int | None = None) -> RoundResult:
    """All figures of a round, or of one of its runs alone."""
    rubric = session.get_one(Rubric, round_.rubric_id)
    criteria = session.exec(
        select(Criterion).where(Criterion.rubric_id == rubric.id).order_by(col(Criterion.position))
    ).all()
    runs = session.exec(
        select(TrialRun)
        .join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
        .where(RoundRun.round_id == round_.id, run_id is None or TrialRun.id == run_id)
    ).all()
    variants = session.exec(
        select(Variant)
        .where(col(Variant.id).in_({run.variant_id for run in runs}))
        .order_by(col(Variant.id))
    ).all()
    cases = _case_means(session, round_, run_id)
    case_ids = [int(case) for case in cases["case"].unique()]
    return RoundResult(
        round_id=row_id(round_.id),
        number=round_.number,
        rubric=rubric.name,
        demo=round_.demo,
        n_cases=len(case_ids),
        n_edge_cases=_edge_cases(session, round_),
        n_raters=_raters(session, round_),
        n_organisations=_organisations(session, round_),
        n_ratings=int(cases["ratings"].sum()),
        assigned=_assigned(session, round_),
        rated=_rated(session, round_),
        criteria={criterion.key: criterion.title for criterion in criteria},
        scale=(rubric.scale_min, rubric.scale_max),
        higher_is_better=rubric.higher_is_better,
        five_levels=_five_levels(rubric),
        candidate=next((each.key for each in variants if each.id == round_.candidate_id), None),
        variants=[
            replace(
                _variant_result(
                    variant, cases[cases["variant"] == variant.id], criteria, rubric, round_
                ),
                strata=_strata(
                    session,
                    round_,
                    [run for run in runs if run.variant_id == variant.id],
                    cases[cases["variant"] == variant.id],
                    criteria,
                    rubric,
                ),
            )
            for variant in variants
        ],
    )


def _strata(  # noqa: PLR0917
    session: Session,
    round_: Round,
    runs: Sequence[TrialRun],
    pooled: pd.DataFrame,
    criteria: Sequence[Criterion],
    rubric: Rubric,
) -> list[Stratum]:
    """One entry per run of a variant; `pooled` are its case means over all runs."""
    found = []
    for run in runs:
        cases = pooled if len(runs) == 1 else _case_means(session, round_, run.id)
        house = session.get(Organisation, run.organisation_id) if run.organisation_id else None
        scenario = session.get_one(Scenario, run.scenario_id)
        names = {
            measure.get("key") or measure["kind"]
            for measure in scenario.content.get("measures", [])
        }
        found.append(
            Stratum(
                organisation=house.name if house else "",
                n_cases=int(cases["case"].nunique()),
                score=_score(cases, criteria, rubric),
                metrics={
                    key: value
                    for key, value in run.indicators.items()
                    if key.partition(".")[0] in names
                },
            )
        )
    return sorted(found, key=lambda each: each.organisation)


def _case_means(session: Session, round_: Round, run_id: int | None) -> pd.DataFrame:
    """One row per variant, criterion and case: mean, lowest level, number of ratings, cluster."""
    rows = session.exec(
        select(  # type: ignore[call-overload]
            TrialRun.variant_id,
            Rating.criterion_id,
            Output.case_id,
            Case.cluster,
            Rating.output_id,
            func.avg(Rating.level),
            func.min(Rating.level),
            func.count(),
        )
        .select_from(Rating)
        .join(Output, col(Output.id) == Rating.output_id)
        .join(Case, col(Case.id) == Output.case_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .where(
            Rating.round_id == round_.id,
            col(Rating.superseded_at).is_(None),
            run_id is None or Output.run_id == run_id,
        )
        .group_by(
            TrialRun.variant_id, Rating.criterion_id, Output.case_id, Case.cluster, Rating.output_id
        )
    ).all()
    names = ["variant", "criterion", "case", "cluster", "output", "mean", "lowest", "ratings"]
    outputs = pd.DataFrame.from_records([tuple(row) for row in rows], columns=names)
    keys = ["variant", "criterion", "case"]
    if not outputs.duplicated(keys).any():  # one organisation: nothing to average
        return outputs
    grouped = outputs.groupby(keys, sort=False)
    return grouped.agg(
        cluster=("cluster", "first"),
        mean=("mean", "mean"),
        lowest=("lowest", "min"),
        ratings=("ratings", "sum"),
    ).reset_index()


def _variant_result(
    variant: Variant,
    cases: pd.DataFrame,
    criteria: Sequence[Criterion],
    rubric: Rubric,
    round_: Round,
) -> VariantResult:
    limits = (rubric.scale_min, rubric.scale_max) if rubric.scale_declared else None
    by_criterion = {
        criterion.key: _figure(cases[cases["criterion"] == criterion.id], limits)
        for criterion in criteria
    }
    low = None
    if _five_levels(rubric) and len(cases):
        oriented = cases["mean"] if rubric.higher_is_better else 6 - cases["mean"]
        low = oriented.groupby(cases["case"]).min() <= 2
    return VariantResult(
        variant=variant.key,
        title=variant.title,
        baseline=variant.baseline,
        candidate=(variant.id == round_.candidate_id if round_.candidate_id else variant.candidate),
        n_cases=int(cases["case"].nunique()),
        n_ratings=int(cases["ratings"].sum()),
        score=_score(cases, criteria, rubric),
        criteria=by_criterion,
        low_share=None if low is None else float(low.mean()),
    )


def _figure(cases: pd.DataFrame, limits: tuple[float, float] | None) -> Figure:
    """Mean, median and interval over the rows of one variant and criterion."""
    if not len(cases):
        return Figure(0, None, None, Interval(None, None, "t", NOT_RATED))
    values = cases["mean"].to_numpy(dtype=float)
    clusters = None
    if cases["cluster"].notna().any():
        # A case without a cluster hangs together with nothing but itself.
        named = cases["cluster"].where(cases["cluster"].notna(), "\x00" + cases["case"].astype(str))
        clusters = pd.factorize(named)[0]
    lower, upper = limits or (None, None)
    return Figure(
        n=len(values),
        mean=float(values.mean()),
        median=float(pd.Series(values).median()),
        interval=mean_interval(values, lower=lower, upper=upper, clusters=clusters),
        lowest=float(cases["lowest"].min()) if "lowest" in cases else None,
    )


def _score(cases: pd.DataFrame, criteria: Sequence[Criterion], rubric: Rubric) -> Figure:
    """Score of a case = sum of weight x (mean - worst) / (best - worst), 0-100; the score of the
    variant is the mean over the cases that are rated on all criteria."""
    if not rubric.scale_declared:
        return Figure(0, None, None, Interval(None, None, "t", NO_DECLARED_SCALE))
    table = cases.pivot(index="case", columns="criterion", values="mean")
    table = table.reindex(columns=[criterion.id for criterion in criteria]).dropna()
    if not len(table):
        return Figure(0, None, None, Interval(None, None, "t", NO_COMPLETE_CASE))
    ends = (rubric.scale_min, rubric.scale_max)
    worst, best = ends if rubric.higher_is_better else ends[::-1]
    weights = [criterion.weight for criterion in criteria]
    score = ((table - worst) / (best - worst) * weights).sum(axis=1)
    clusters = cases.drop_duplicates("case").set_index("case")["cluster"].reindex(score.index)
    frame = pd.DataFrame({"case": score.index, "mean": score.to_numpy(), "cluster": clusters.array})
    frame["lowest"] = frame["mean"]
    return _figure(frame, (0.0, 100.0))


def _five_levels(rubric: Rubric) -> bool:
    return rubric.scale_declared and (rubric.scale_min, rubric.scale_max) == (1, 5)


def _organisations(session: Session, round_: Round) -> int:
    """Organisations whose outputs were rated."""
    return session.exec(
        select(func.count(func.distinct(TrialRun.organisation_id)))
        .join(Output, col(Output.run_id) == TrialRun.id)
        .where(
            select(Rating.id)
            .where(Rating.output_id == Output.id, Rating.round_id == round_.id)
            .exists()
        )
    ).one()


def _assigned(session: Session, round_: Round) -> int:
    return session.exec(
        select(func.count())
        .select_from(Assignment)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .where(Rater.round_id == round_.id)
    ).one()


def _rated(session: Session, round_: Round) -> int:
    pairs = (
        select(Rating.rater_id, Rating.output_id)
        .where(Rating.round_id == round_.id, col(Rating.superseded_at).is_(None))
        .distinct()
        .subquery()
    )
    return session.exec(select(func.count()).select_from(pairs)).one()


def _edge_cases(session: Session, round_: Round) -> int:
    return session.exec(
        select(func.count(func.distinct(Case.id)))
        .join(Output, col(Output.case_id) == Case.id)
        .join(Rating, col(Rating.output_id) == Output.id)
        .where(Rating.round_id == round_.id, Case.edge)
    ).one()


def _raters(session: Session, round_: Round) -> int:
    rated = select(Rating.id).where(Rating.rater_id == Rater.id).exists()
    return session.exec(
        select(func.count()).select_from(Rater).where(Rater.round_id == round_.id, rated)
    ).one()
