"""How far raters agree, per criterion of a released round."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlmodel import Session, col, select

from reallabor.errors import WrongState
from reallabor.models import Criterion, Round, Rubric, Scenario
from reallabor.rating.rated_levels import rated_levels
from reallabor.rating.results import released_round
from reallabor.statistics import (
    Estimate,
    Interval,
    Reliability,
    alpha_interval,
    gwet_ac2,
    interval_alpha,
    nominal_alpha,
    ordinal_alpha,
    raw_agreement,
    reliability,
)

SEED = 20_261_121
"""Fixed, so that the same ratings always give the same interval."""
CONTINUOUS = "Die Skala hat keine festen Stufen; AC2 ist dafür nicht erklärt."
RELIABLE, TENTATIVE = 0.8, 0.667
"""From here on alpha counts as reliable, and as good enough for tentative conclusions
(Krippendorff 2004, Content Analysis, 2nd ed., section 11.4)."""
MOST_LEVELS = 101
"""AC2 is defined over declared levels; a longer scale counts as continuous."""


_WORDS = {"verlässlich": RELIABLE, "vorläufig": TENTATIVE, "unsicher": -np.inf}


@dataclass(frozen=True)
class Agreement:
    """One criterion. Units are (case, variant) pairs."""

    units: int
    raters: int
    ratings: int
    alpha: dict[str, Estimate]
    """Krippendorff's alpha by level of measurement: nominal, ordinal, interval."""
    alpha_interval: Interval
    """95 % for ordinal alpha; cases, or clusters where they are named, are resampled."""
    ac2: Estimate
    raw_agreement: Estimate
    near_share: float | None
    """Share of pairs of ratings that lie at most one level apart."""
    end_share: float | None
    """Share of ratings on the two levels at the more crowded end of the scale; None where the
    scale has no levels. Alpha says little where this is near 1."""

    @property
    def verdict(self) -> str:
        """What ordinal alpha means, in a German word."""
        alpha = self.alpha["ordinal"].value
        if alpha is None:
            return "nicht bestimmbar"
        return next(word for word, least in _WORDS.items() if alpha >= least)


def scenario_agreement(session: Session, scenario: Scenario) -> dict[str, Agreement]:
    """Agreement by criterion in the round that counts. Raises WrongState where none is released."""
    round_ = released_round(session, scenario)
    if round_ is None:
        raise WrongState(
            f"Zu '{scenario.title}' ist noch keine Bewertungsrunde freigegeben; Übereinstimmung "
            "wird erst danach gezeigt."
        )
    return round_agreement(session, round_)


def round_agreement(
    session: Session,
    round_: Round,
    *,
    with_interval: bool = True,
    ratings: pd.DataFrame | None = None,
) -> dict[str, Agreement]:
    """Agreement by criterion, in the rubric's order; without intervals where only the values are
    needed, because the bootstrap is the costly part. `ratings` are the round's `rated_levels`,
    where somebody has read them already."""
    rubric = session.get_one(Rubric, round_.rubric_id)
    criteria = session.exec(
        select(Criterion).where(Criterion.rubric_id == rubric.id).order_by(col(Criterion.position))
    ).all()
    if ratings is None:
        ratings = rated_levels(session, round_)
    return {
        criterion.key: _agreement(
            ratings[ratings["criterion"] == criterion.id], rubric, with_interval=with_interval
        )
        for criterion in criteria
    }


def _agreement(ratings: pd.DataFrame, rubric: Rubric, *, with_interval: bool) -> Agreement:
    data = reliability_of(ratings)
    levels = scale_levels(ratings, rubric)
    ac2 = gwet_ac2(data, levels)
    return Agreement(
        units=int(ratings["unit"].nunique()),
        raters=int(ratings["rater"].nunique()),
        ratings=len(ratings),
        alpha={
            "nominal": nominal_alpha(data),
            "ordinal": ordinal_alpha(data),
            "interval": interval_alpha(data),
        },
        alpha_interval=(
            alpha_interval(data, np.random.default_rng(SEED))
            if with_interval
            else Interval(None, None, "bootstrap", "Nicht berechnet.")
        ),
        ac2=ac2 if levels else Estimate(None, CONTINUOUS, ac2.units),
        raw_agreement=raw_agreement(data),
        near_share=_near_share(ratings),
        end_share=_end_share(ratings, levels),
    )


def reliability_of(ratings: pd.DataFrame) -> Reliability:
    """The ratings of one criterion, as `rated_levels` gives them, for the statistics."""
    return reliability(
        ratings["unit"].to_numpy(dtype=np.int64),
        ratings["rater"].to_numpy(dtype=np.int64),
        ratings["level"].to_numpy(dtype=float),
        ratings["cluster"].to_numpy(dtype=np.int64),
    )


def scale_levels(ratings: pd.DataFrame, rubric: Rubric) -> list[float] | None:
    """All levels of the scale, or None where it is continuous."""
    ends = np.array([rubric.scale_min, rubric.scale_max])
    values = ratings["level"].to_numpy(dtype=float)
    whole = bool((values % 1 == 0).all() and (ends % 1 == 0).all())
    if not whole or ends[1] - ends[0] >= MOST_LEVELS:
        return None
    return [float(level) for level in range(int(ends[0]), int(ends[1]) + 1)]


def _end_share(ratings: pd.DataFrame, levels: list[float] | None) -> float | None:
    if levels is None or not len(ratings):
        return None
    ends = (ratings["level"].isin(end).mean() for end in (levels[:2], levels[-2:]))
    return float(max(ends))


def _near_share(ratings: pd.DataFrame) -> float | None:
    """Share of pairs at most one level apart, each unit with the same weight."""
    pairs = ratings[["unit", "rater", "level"]].merge(
        ratings[["unit", "rater", "level"]], on="unit"
    )
    pairs = pairs[pairs["rater_x"] < pairs["rater_y"]]
    if not len(pairs):
        return None
    near = (pairs["level_x"] - pairs["level_y"]).abs() <= 1
    return float(near.groupby(pairs["unit"]).mean().mean())
