"""The levels of a round as raters gave them, in the shape that agreement needs."""

import pandas as pd
from sqlmodel import Session, col, select

from reallabor.models import Case, Output, Rating, Round, RoundRun


def rated_levels(session: Session, round_: Round) -> pd.DataFrame:
    """One row per rating that stands: row ids `criterion`, `unit` (the output), `rater` and `case`,
    the `level`, and `cluster` (0..; cases without a named one are their own)."""
    rows = session.exec(
        select(Rating.criterion_id, Rating.output_id, Rating.rater_id, Rating.level).where(
            Rating.round_id == round_.id, col(Rating.superseded_at).is_(None)
        )
    ).all()
    # Plain tuples: pandas asks every row of SQLAlchemy what it is.
    ratings = pd.DataFrame.from_records(
        [tuple(row) for row in rows], columns=["criterion", "unit", "rater", "level"]
    )
    # Cases by themselves: read with every rating they would be most of what is read.
    outputs = session.exec(
        select(Output.id, Output.case_id, Case.cluster)
        .join(Case, col(Case.id) == Output.case_id)
        .join(RoundRun, col(RoundRun.run_id) == Output.run_id)
        .where(RoundRun.round_id == round_.id)
    ).all()
    cases = pd.DataFrame.from_records(
        [tuple(row) for row in outputs], columns=["unit", "case", "cluster"]
    )
    alone = "\x00" + cases["case"].astype(str)
    cases["cluster"] = pd.factorize(cases["cluster"].where(cases["cluster"].notna(), alone))[0]
    return ratings.merge(cases, on="unit", how="left")
