"""How far language models agree with people in a released round: a column of their own, never
pooled with people and never in a score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlmodel import Session, col, func, select

from reallabor.errors import WrongState
from reallabor.models import (
    Case,
    Criterion,
    Judge,
    JudgeRating,
    Output,
    Rating,
    Round,
    RoundRun,
    TrialRun,
    row_id,
)
from reallabor.rating.rounds import stored_round
from reallabor.statistics import (
    AlternativeAnnotatorTest,
    Estimate,
    JudgeAgreement,
    alternative_annotator_test,
    judge_agreement,
)

FEWEST_VARIANTS = 3
FEW_VARIANTS = (
    "Eine Rangfolge der Varianten braucht mindestens drei, die beide Seiten bewertet haben."
)


@dataclass(frozen=True)
class CriterionJudgement:
    """One model beside people on one criterion; outputs that both rated."""

    title: str
    n: int
    """Outputs with levels of the model and of at least one person."""
    judge_mean: float | None
    people_mean: float | None
    """Mean over these outputs, raters averaged within an output first."""
    by_output: JudgeAgreement
    """Rank correlation over outputs; bias in levels with its interval, cases as clusters."""
    by_variant: Estimate
    """Spearman's rank correlation of the means of the variants."""
    test: AlternativeAnnotatorTest


@dataclass(frozen=True)
class JudgeColumn:
    """What one pass of one model says beside people."""

    model: str
    host: str
    started_at: datetime
    finished: bool
    judged: int
    """Outputs with levels."""
    failed: int
    """Outputs without a usable answer."""
    criteria: dict[str, CriterionJudgement]
    """By key, in the rubric's order."""


def judge_result(session: Session, round_id: int) -> list[JudgeColumn]:
    """One column per model that judged a released round, oldest first; empty where none did.

    People's own levels count here, not what adjudication made of them. Raises UnknownObject, and
    WrongState before the release: until then nobody sees what others gave.
    """
    round_ = stored_round(session, round_id)
    if round_.released_at is None:
        raise WrongState(
            f"Runde {round_.number} ist noch nicht freigegeben; was ein Sprachmodell dazu sagt, "
            "wird erst danach gezeigt."
        )
    judges = session.exec(
        select(Judge).where(Judge.round_id == round_id).order_by(col(Judge.id))
    ).all()
    if not judges:
        return []
    criteria = session.exec(
        select(Criterion)
        .where(Criterion.rubric_id == round_.rubric_id)
        .order_by(col(Criterion.position))
    ).all()
    people, outputs = _people(session, round_), _outputs(session, round_)
    return [_column(session, judge, people, outputs, criteria) for judge in judges]


def _people(session: Session, round_: Round) -> pd.DataFrame:
    """One row per rating of a person that stands."""
    rows = session.exec(
        select(Rating.criterion_id, Rating.output_id, Rating.rater_id, Rating.level).where(
            Rating.round_id == round_.id, col(Rating.superseded_at).is_(None)
        )
    ).all()
    return _frame(rows, ["criterion", "output", "rater", "level"])


def _outputs(session: Session, round_: Round) -> pd.DataFrame:
    """One row per output of the round: variant, case, and what hangs together with it."""
    rows = session.exec(
        select(Output.id, TrialRun.variant_id, Output.case_id, Case.cluster)
        .join(Case, col(Case.id) == Output.case_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
        .where(RoundRun.round_id == round_.id)
    ).all()
    outputs = _frame(rows, ["output", "variant", "case", "cluster"])
    # Outputs of one case hang together, and so do cases of one cluster.
    named = outputs["cluster"].where(
        outputs["cluster"].notna(), "\x00" + outputs["case"].astype(str)
    )
    outputs["cluster"] = pd.factorize(named)[0]
    return outputs


def _frame(rows: Sequence[Any], names: list[str]) -> pd.DataFrame:
    return pd.DataFrame.from_records([tuple(row) for row in rows], columns=names)


def _column(
    session: Session,
    judge: Judge,
    people: pd.DataFrame,
    outputs: pd.DataFrame,
    criteria: Sequence[Criterion],
) -> JudgeColumn:
    rows = session.exec(
        select(JudgeRating.criterion_id, JudgeRating.output_id, JudgeRating.level)
        .where(JudgeRating.judge_id == judge.id, col(JudgeRating.level).is_not(None))
        .order_by(col(JudgeRating.output_id))
    ).all()
    judged = _frame(rows, ["criterion", "output", "level"]).merge(outputs, on="output")
    failed = session.exec(
        select(func.count(func.distinct(JudgeRating.output_id))).where(
            JudgeRating.judge_id == judge.id, col(JudgeRating.level).is_(None)
        )
    ).one()
    return JudgeColumn(
        model=judge.model,
        host=judge.host,
        started_at=judge.started_at,
        finished=judge.finished_at is not None,
        judged=int(judged["output"].nunique()),
        failed=failed,
        criteria={
            each.key: _criterion(
                each.title,
                judged[judged["criterion"] == row_id(each.id)],
                people[people["criterion"] == row_id(each.id)],
            )
            for each in criteria
        },
    )


def _criterion(title: str, judged: pd.DataFrame, people: pd.DataFrame) -> CriterionJudgement:
    means = people.groupby("output")["level"].mean().rename("people")
    both = judged.rename(columns={"level": "judge"}).merge(
        means, left_on="output", right_index=True
    )
    return CriterionJudgement(
        title=title,
        n=len(both),
        judge_mean=float(both["judge"].mean()) if len(both) else None,
        people_mean=float(both["people"].mean()) if len(both) else None,
        by_output=judge_agreement(
            both["judge"].to_numpy(dtype=float),
            both["people"].to_numpy(dtype=float),
            both["cluster"].to_numpy(),
        ),
        by_variant=_by_variant(both),
        test=alternative_annotator_test(
            people["output"].to_numpy(dtype=np.int64),
            people["rater"].to_numpy(dtype=np.int64),
            people["level"].to_numpy(dtype=float),
            judged["output"].to_numpy(dtype=np.int64),
            judged["level"].to_numpy(dtype=float),
        ),
    )


def _by_variant(both: pd.DataFrame) -> Estimate:
    """Outputs are averaged within a case first, cases within a variant."""
    values = both.groupby(["variant", "case"])[["judge", "people"]].mean()
    means = values.groupby("variant").mean()
    if len(means) < FEWEST_VARIANTS:
        return Estimate(None, FEW_VARIANTS, len(means))
    return judge_agreement(
        means["judge"].to_numpy(dtype=float), means["people"].to_numpy(dtype=float)
    ).spearman
