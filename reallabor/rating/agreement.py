"""How far raters agree, per criterion of a released round."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlmodel import Session

from reallabor.errors import WrongState
from reallabor.german import number
from reallabor.models import Round, Rubric, Scenario
from reallabor.rating.results import released_round
from reallabor.rating.round_data import RoundData, load_round
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
from reallabor.thresholds import load_thresholds

SEED = 20_261_121
"""Fixed, so that the same ratings always give the same interval."""
CONTINUOUS = "Die Skala hat keine festen Stufen; AC2 ist dafür nicht erklärt."
RELIABLE = 0.8
"""From here on alpha counts as reliable (Krippendorff 2004, Content Analysis, 2nd ed., section
11.4). From when on it is good enough for tentative conclusions (0.667 there) says
`evaluations/reifegrad.yaml`, so that no word contradicts readiness."""
MOST_LEVELS = 101
"""AC2 is defined over declared levels; a longer scale counts as continuous."""


Levels = pd.DataFrame | Mapping[str, NDArray[Any]]
"""Ratings of one criterion in long form: `unit`, `rater`, `level`, `cluster`."""


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
        reliable, tentative = _least_alphas()
        return (
            "verlässlich"
            if alpha >= reliable
            else "vorläufig"
            if alpha >= tentative
            else "unsicher"
        )


def alpha_words() -> str:
    """`Alpha ab 0,80 gilt als verlässlich, ab 0,667 als vorläufig brauchbar.`"""
    reliable, tentative = _least_alphas()
    less = f", ab {least_alpha(tentative)} als vorläufig brauchbar" if tentative < reliable else ""
    return f"Alpha ab {least_alpha(reliable)} gilt als verlässlich{less}."


def least_alpha(value: float) -> str:
    """`0,80` or `0,667`: with three decimals only where two do not hold it."""
    return number(value, 2 if round(value, 2) == value else 3)


def _least_alphas() -> tuple[float, float]:
    """From when on alpha counts as reliable and as tentative."""
    tentative = load_thresholds().alpha
    return max(RELIABLE, tentative), tentative


def scenario_agreement(session: Session, scenario: Scenario) -> dict[str, Agreement]:
    """Agreement by criterion in the round that counts. Raises WrongState where none is released."""
    round_ = released_round(session, scenario)
    if round_ is None:
        raise WrongState(
            f"Zu '{scenario.title}' ist noch keine Bewertungsrunde freigegeben; Übereinstimmung "
            "wird erst danach gezeigt."
        )
    return round_agreement(session, round_)


def round_agreement(session: Session, round_: Round) -> dict[str, Agreement]:
    """Agreement by criterion, in the rubric's order."""
    return agreement_of(load_round(session, round_))


def agreement_of(data: RoundData, *, with_interval: bool = True) -> dict[str, Agreement]:
    """The same for a round that was read already; without intervals where only the values are
    needed, because the bootstrap is the costly part."""
    levels = data.levels()
    found = {}
    for criterion in data.criteria:
        chosen = levels["criterion"] == criterion.id
        ratings = {name: column[chosen] for name, column in levels.items()}
        found[criterion.key] = _agreement(ratings, data.rubric, with_interval=with_interval)
    return found


def _agreement(ratings: Levels, rubric: Rubric, *, with_interval: bool) -> Agreement:
    data = reliability_of(ratings)
    levels = scale_levels(ratings, rubric)
    ac2 = gwet_ac2(data, levels)
    return Agreement(
        units=data.size.size,
        raters=np.unique(ratings["rater"]).size,
        ratings=data.code.size,
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
        near_share=_near_share(data),
        end_share=_end_share(ratings, levels),
    )


def reliability_of(ratings: Levels) -> Reliability:
    """The ratings of one criterion, as `RoundData.levels` gives them, for the statistics."""
    return reliability(
        np.asarray(ratings["unit"], dtype=np.int64),
        np.asarray(ratings["rater"], dtype=np.int64),
        np.asarray(ratings["level"], dtype=float),
        np.asarray(ratings["cluster"], dtype=np.int64),
    )


def scale_levels(ratings: Levels, rubric: Rubric) -> list[float] | None:
    """All levels of the scale, or None where it is continuous."""
    ends = np.array([rubric.scale_min, rubric.scale_max])
    values = np.asarray(ratings["level"], dtype=float)
    whole = bool((values % 1 == 0).all() and (ends % 1 == 0).all())
    if not whole or ends[1] - ends[0] >= MOST_LEVELS:
        return None
    return [float(level) for level in range(int(ends[0]), int(ends[1]) + 1)]


def _end_share(ratings: Levels, levels: list[float] | None) -> float | None:
    given = np.asarray(ratings["level"], dtype=float)
    if levels is None or not given.size:
        return None
    return float(max((given <= levels[1]).mean(), (given >= levels[-2]).mean()))


def _near_share(data: Reliability) -> float | None:
    """Share of pairs at most one level apart, each unit with the same weight."""
    values, unit = data.levels[data.code], data.unit
    near = np.zeros(data.size.size)
    for lag in range(1, int(data.size.max(initial=1))):
        same = np.flatnonzero(unit[lag:] == unit[:-lag])
        within = np.abs(values[same + lag] - values[same]) <= 1
        near += np.bincount(unit[same], within, data.size.size)
    pairs = data.size * (data.size - 1) / 2
    return float((near[pairs > 0] / pairs[pairs > 0]).mean()) if (pairs > 0).any() else None
