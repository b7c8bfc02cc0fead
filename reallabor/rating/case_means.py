"""What a round says of each case: means per variant, criterion and case, and the score of a case.
Raters are averaged within an output first, outputs within a case."""

from collections.abc import Sequence

import pandas as pd
from sqlmodel import Session, col, func, select

from reallabor.models import Case, Criterion, Output, Rating, Round, Rubric, TrialRun
from reallabor.rating.adjudicated import holding


def case_means(session: Session, round_: Round, run_id: int | None = None) -> pd.DataFrame:
    """One row per variant, criterion and case: `mean` and `lowest` level, number of `ratings`,
    `cluster` of the case. An adjudicated level stands for the ratings of its output; `given` and
    `given_lowest` are the same as the raters gave them, `adjudicated` the number of such levels."""
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
    names = ["variant", "criterion", "case", "cluster", "output", "given", "given_lowest",
             "ratings"]  # fmt: skip
    outputs = pd.DataFrame.from_records([tuple(row) for row in rows], columns=names)
    outputs = _adjudicate(outputs, session, round_, run_id)
    keys = ["variant", "criterion", "case"]
    if not outputs.duplicated(keys).any():  # one organisation: nothing to average
        return outputs
    grouped = outputs.groupby(keys, sort=False)
    return grouped.agg(
        cluster=("cluster", "first"),
        mean=("mean", "mean"),
        lowest=("lowest", "min"),
        given=("given", "mean"),
        given_lowest=("given_lowest", "min"),
        ratings=("ratings", "sum"),
        adjudicated=("adjudicated", "sum"),
    ).reset_index()


def as_given(cases: pd.DataFrame) -> pd.DataFrame:
    """The same case means without any adjudication."""
    return cases.assign(mean=cases["given"], lowest=cases["given_lowest"])


def case_scores(session: Session, round_: Round) -> pd.DataFrame:
    """The score of every case (0-100) that is rated on all criteria: columns `variant` and `case`
    (row ids), `cluster` and `score`. Empty where the scale was only read from the data."""
    rubric = session.get_one(Rubric, round_.rubric_id)
    criteria = session.exec(select(Criterion).where(Criterion.rubric_id == rubric.id)).all()
    if not rubric.scale_declared:
        return pd.DataFrame(columns=["variant", "case", "cluster", "score"])
    return scores_of(case_means(session, round_), criteria, rubric)


def scores_of(cases: pd.DataFrame, criteria: Sequence[Criterion], rubric: Rubric) -> pd.DataFrame:
    """`case_scores` from case means. Score of a case = sum of weight x (mean - worst) /
    (best - worst)."""
    keys = ["variant", "case"]
    table = cases.pivot(index=keys, columns="criterion", values="mean")
    table = table.reindex(columns=[criterion.id for criterion in criteria]).dropna()
    ends = (rubric.scale_min, rubric.scale_max)
    worst, best = ends if rubric.higher_is_better else ends[::-1]
    weights = [criterion.weight for criterion in criteria]
    score = ((table - worst) / (best - worst) * weights).sum(axis=1)
    clusters = cases.drop_duplicates(keys).set_index(keys)["cluster"].reindex(score.index)
    return pd.DataFrame({"cluster": clusters, "score": score}).reset_index()


def _adjudicate(
    outputs: pd.DataFrame, session: Session, round_: Round, run_id: int | None
) -> pd.DataFrame:
    """Add `mean`, `lowest` and `adjudicated` (0 or 1) to means per output and criterion."""
    outputs = outputs.assign(mean=outputs["given"], lowest=outputs["given_lowest"], adjudicated=0)
    decided = holding(session, round_, run_id=run_id)
    if not decided:
        return outputs
    places = pd.MultiIndex.from_frame(outputs[["output", "criterion"]])
    levels = pd.Series({place: row.level for place, row in decided.items()}).reindex(places)
    known = levels.notna().to_numpy()
    outputs.loc[known, "mean"] = levels[known].to_numpy()
    outputs.loc[known, "lowest"] = levels[known].to_numpy()
    outputs.loc[known, "adjudicated"] = 1
    return outputs
