"""How much of a round was handed out and rated."""

from collections.abc import Sequence

import numpy as np
from sqlmodel import Session, col, func, select

from reallabor.models import Assignment, Rater, Round, row_id
from reallabor.rating.round_data import RoundData
from reallabor.rating.sheet import is_rated


def count_assigned(session: Session, rounds: Sequence[Round]) -> dict[int, int]:
    """By round, the outputs that were handed out and not given back or taken away unrated, each
    counted per rater; 0 for imported ratings."""
    counted = dict.fromkeys((row_id(each.id) for each in rounds), 0)
    # Two queries: only for what was ended the database has to look for a rating.
    for ended in (col(Assignment.ended_at).is_(None), col(Assignment.ended_at).is_not(None)
                  & is_rated()):  # fmt: skip
        rows = session.exec(
            select(Rater.round_id, func.count())
            .select_from(Assignment)
            .join(Rater, col(Rater.id) == Assignment.rater_id)
            .where(col(Rater.round_id).in_(counted), ended)
            .group_by(col(Rater.round_id))
        )
        for round_id, n in rows:
            counted[round_id] += n
    return counted


def count_rated(data: RoundData) -> int:
    """Outputs that were rated, each counted per rater."""
    if not data.rater.size:
        return 0
    return int(np.unique(data.rated_output * (data.rater.max() + 1) + data.rater).size)
