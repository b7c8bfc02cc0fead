"""Where raters of a round disagree: which levels they confuse, and on which cases. The agreement
page reads it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlmodel import Session, col, select

from reallabor.errors import NotAllowed
from reallabor.evaluations import CriterionContent, RubricContent
from reallabor.models import (
    Case,
    Criterion,
    Organisation,
    Output,
    Person,
    Round,
    RoundRun,
    Rubric,
    Scenario,
    TrialRun,
    Variant,
    row_id,
)
from reallabor.policies import may_adjudicate
from reallabor.rating.adjudicating import neutral_round
from reallabor.rating.agreement import Agreement, reliability_of, scale_levels
from reallabor.rating.agreement import agreement_of as all_agreement
from reallabor.rating.judged import Judged
from reallabor.rating.round_data import load_round
from reallabor.rating.rounds import stored_round
from reallabor.statistics import LevelPairs, level_pairs, unit_disagreement

MOST_DRAWN = 11
"""A map of level pairs has at most that many levels; a longer scale is told by its figures."""


@dataclass(frozen=True)
class Confusion:
    """The two levels that are given for the same output most often."""

    low: int
    high: int
    low_anchor: str
    """Empty where the rubric has no anchor texts, as for imported ratings."""
    high_anchor: str
    pairs: int
    """How many pairs of ratings of one output are these two."""
    all_pairs: int


@dataclass(frozen=True)
class CriterionAgreement:
    """One criterion: how far raters agree, and which levels they confuse."""

    key: str
    title: str
    figures: Agreement
    levels: list[float] | None
    """Of the map, ascending; None where the scale is too long for one."""
    pairs: list[list[int]]
    """How often two raters gave levels i and j; symmetric, each pair counted once."""
    confused: Confusion | None
    """None where nobody disagrees, or there is no map."""


@dataclass(frozen=True)
class CaseDisagreement:
    """One case over all its outputs and criteria."""

    case: str
    outputs: int
    """Outputs with at least two ratings."""
    largest: float
    """Highest minus lowest level of the most disputed judgement."""
    mean: float
    """Mean distance of two ratings of the same judgement."""
    criterion: str
    """Title of the criterion with the largest mean distance."""


@dataclass(frozen=True)
class RoundAgreement:
    """All that the agreement page shows of a round; names no system and no person."""

    round_id: int
    number: int
    slug: str
    scenario: str
    rubric: str
    rubric_key: str
    """Empty where the rubric came with imported ratings."""
    demo: bool
    released: bool
    criteria: list[CriterionAgreement]
    cases: list[CaseDisagreement]
    """Most disagreement first."""


@dataclass(frozen=True)
class CaseOutput:
    """Where an output of a case stands, once the round is released."""

    run_id: int
    name: str
    """Variant and organisation."""


_KEPT: Judged[RoundAgreement] = Judged(20)


def agreement_of(session: Session, round_id: int, *, actor: Person) -> RoundAgreement:
    """Agreement and disagreement of a round.

    Raises UnknownObject; NotAllowed for an open round, unless for organisers who do not rate in it.
    """
    round_ = stored_round(session, round_id)
    if round_.released_at is None:
        if not may_adjudicate(actor):
            raise NotAllowed(
                f"Runde {round_.number} läuft noch; ihre Übereinstimmung sieht bis zur Freigabe "
                "nur die Organisation des Reallabors."
            )
        neutral_round(session, round_id, actor)
    return _KEPT.get(session, round_, lambda: _round_agreement(session, round_))


def outputs_of_case(session: Session, round_id: int, case: str) -> list[CaseOutput]:
    """The outputs of a case in a round; nothing before the release, because they name systems."""
    round_ = stored_round(session, round_id)
    if round_.released_at is None:
        return []
    rows = session.exec(
        select(TrialRun.id, Variant.title, Organisation.name)
        .select_from(Output)
        .join(Case, col(Case.id) == Output.case_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(Variant, col(Variant.id) == TrialRun.variant_id)
        .join(Organisation, col(Organisation.id) == TrialRun.organisation_id, isouter=True)
        .join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
        .where(RoundRun.round_id == round_id, Case.key == case)
        .order_by(Variant.title, Organisation.name)
    ).all()
    return [
        CaseOutput(row_id(run), f"{variant} ({house})" if house else variant)
        for run, variant, house in rows
    ]


def _round_agreement(session: Session, round_: Round) -> RoundAgreement:
    rubric = session.get_one(Rubric, round_.rubric_id)
    scenario = session.get_one(Scenario, round_.scenario_id)
    criteria = session.exec(
        select(Criterion).where(Criterion.rubric_id == rubric.id).order_by(col(Criterion.position))
    ).all()
    contents = {each.key: each for each in RubricContent.model_validate(rubric.content).criteria}
    data = load_round(session, round_)
    ratings = pd.DataFrame(data.levels())
    agreement = all_agreement(data)
    return RoundAgreement(
        round_id=row_id(round_.id),
        number=round_.number,
        slug=scenario.slug,
        scenario=scenario.title,
        rubric=rubric.name,
        rubric_key="" if rubric.key.startswith("import/") else rubric.key,
        demo=round_.demo,
        released=round_.released_at is not None,
        criteria=[
            _criterion(
                contents[each.key],
                agreement[each.key],
                ratings[ratings["criterion"] == each.id],
                rubric,
            )
            for each in criteria
        ],
        cases=_cases(session, ratings, criteria),
    )


def _criterion(
    content: CriterionContent, figures: Agreement, ratings: pd.DataFrame, rubric: Rubric
) -> CriterionAgreement:
    levels = scale_levels(ratings, rubric)
    if levels is not None and len(levels) > MOST_DRAWN:
        levels = None
    pairs = level_pairs(reliability_of(ratings), levels) if levels else None
    return CriterionAgreement(
        key=content.key,
        title=content.title,
        figures=figures,
        levels=levels,
        pairs=pairs.counts.tolist() if pairs else [],
        confused=_confusion(pairs, content) if pairs else None,
    )


def _confusion(pairs: LevelPairs, content: CriterionContent) -> Confusion | None:
    """The most frequent pair of two levels; of equally frequent ones the farthest apart."""
    upper = np.triu(pairs.counts, 1)
    if not upper.any():
        return None
    rows, columns = np.nonzero(upper)
    most = max(
        range(rows.size), key=lambda n: (upper[rows[n], columns[n]], columns[n] - rows[n], -n)
    )
    low, high = (int(pairs.levels[place]) for place in (rows[most], columns[most]))
    return Confusion(
        low=low,
        high=high,
        low_anchor=content.levels.get(low, ""),
        high_anchor=content.levels.get(high, ""),
        pairs=int(upper[rows[most], columns[most]]),
        all_pairs=int(np.triu(pairs.counts).sum()),
    )


def _cases(
    session: Session, ratings: pd.DataFrame, criteria: Sequence[Criterion]
) -> list[CaseDisagreement]:
    parts = []
    for criterion in criteria:
        rows = ratings[ratings["criterion"] == criterion.id]
        apart = unit_disagreement(reliability_of(rows))
        units = np.unique(rows["unit"].to_numpy(dtype=np.int64))[apart.unit]
        parts.append(
            pd.DataFrame({
                "unit": units, "criterion": criterion.title,
                "largest": apart.range, "mean": apart.distance,
            })
        )  # fmt: skip
    spread = pd.concat(parts).merge(ratings[["unit", "case"]].drop_duplicates(), on="unit")
    if not len(spread):
        return []
    cases = spread.groupby("case").agg(
        outputs=("unit", "nunique"), largest=("largest", "max"), mean=("mean", "mean")
    )
    by_criterion = spread.groupby(["case", "criterion"], sort=False)["mean"].mean().reset_index()
    worst = by_criterion.loc[by_criterion.groupby("case")["mean"].idxmax()].set_index("case")
    cases["criterion"] = worst["criterion"]
    keys = _case_keys(session, int(cases.index[0]))
    found = [
        CaseDisagreement(
            keys[row["case"]], row["outputs"], row["largest"], row["mean"], row["criterion"]
        )
        for row in cases.reset_index().to_dict("records")
    ]
    return sorted(found, key=lambda each: (-each.largest, -each.mean, each.case))


def _case_keys(session: Session, case: int) -> dict[int, str]:
    """Keys by row id of all cases of one scenario; ids of a round may be too many for a query."""
    scenario = session.get_one(Case, case).scenario_id
    rows = session.exec(select(Case.id, Case.key).where(Case.scenario_id == scenario)).all()
    return {row_id(case_id): key for case_id, key in rows}
