"""What a released round says: per variant and criterion the mean of case means with its interval,
and the score, with adjudicated levels in place of the ratings they settle."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd
from sqlmodel import Session, col, select

from reallabor.models import (
    Criterion,
    Organisation,
    Round,
    RoundRun,
    Rubric,
    Scenario,
    TrialRun,
    Variant,
    row_id,
)
from reallabor.rating.case_means import as_given, case_means, scores_of
from reallabor.rating.counting import (
    count_assigned,
    count_edge_cases,
    count_organisations,
    count_rated,
    count_raters,
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
    cases = case_means(session, round_, run_id)
    case_ids = [int(case) for case in cases["case"].unique()]
    return RoundResult(
        round_id=row_id(round_.id),
        number=round_.number,
        rubric=rubric.name,
        demo=round_.demo,
        n_cases=len(case_ids),
        n_edge_cases=count_edge_cases(session, round_),
        n_raters=count_raters(session, round_),
        n_organisations=count_organisations(session, round_),
        n_ratings=int(cases["ratings"].sum()),
        n_adjudicated=int(cases["adjudicated"].sum()),
        assigned=count_assigned(session, round_),
        rated=count_rated(session, round_),
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
        cases = pooled if len(runs) == 1 else case_means(session, round_, run.id)
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
        score_original=_score(as_given(cases), criteria, rubric),
        n_adjudicated=int(cases["adjudicated"].sum()),
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
    """The mean over the cases that are rated on all criteria; `cases` are those of one variant."""
    if not rubric.scale_declared:
        return Figure(0, None, None, Interval(None, None, "t", NO_DECLARED_SCALE))
    scores = scores_of(cases, criteria, rubric)
    if not len(scores):
        return Figure(0, None, None, Interval(None, None, "t", NO_COMPLETE_CASE))
    scores = scores.rename(columns={"score": "mean"})
    return _figure(scores.assign(lowest=scores["mean"]), (0.0, 100.0))


def _five_levels(rubric: Rubric) -> bool:
    return rubric.scale_declared and (rubric.scale_min, rubric.scale_max) == (1, 5)
