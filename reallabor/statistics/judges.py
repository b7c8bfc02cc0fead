"""How a machine judge stands to people: rank correlation, bias, alternative annotator test.

A judge's ratings are never pooled with people's; these figures say how far they can be trusted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reallabor.statistics.comparison import paired_difference
from reallabor.statistics.ratings import Floats, Ints, reliability
from reallabor.statistics.results import Estimate, Interval, InvalidData

EPSILON = 0.2
"""What a judge may fall short of a person, for expert raters (Calderon et al. 2025)."""
FALSE_DISCOVERIES = 0.05
LEAST_RATERS = 3
LEAST_UNITS = 30
"""Outputs that a rater shares with another rater and the judge; below, t is not justified."""
EQUAL = 1e-9
"""Squared distances closer than this share of the squared range are equal."""

TOO_FEW_SHARED = "Sprachmodell und Menschen haben weniger als drei Fälle gemeinsam bewertet."
NO_ORDER = "Alle Werte einer Seite sind gleich; eine Rangfolge ist so nicht bestimmbar."
TOO_FEW_RATERS = (
    "Der Alternative-Annotator-Test braucht drei Personen mit je 30 Ausgaben, die auch das "
    "Sprachmodell und eine weitere Person bewertet haben; das {found}."
)
MET_BY = ("erfüllt niemand", "erfüllt nur eine", "erfüllen nur zwei")


@dataclass(frozen=True, slots=True)
class JudgeAgreement:
    """A judge beside people on the same cases (or on the same systems)."""

    cases: int
    """Cases that both have rated."""
    spearman: Estimate
    """Rank correlation -1..1; equal values share their mean rank."""
    kendall: Estimate
    """Kendall's tau-b -1..1, corrected for equal values."""
    bias: float | None
    """Mean of judge minus people, on the scale of the ratings; positive where the judge is
    milder on a scale on which more is better. None where no case is shared."""
    bias_interval: Interval
    """95 % interval of the bias by t on case differences."""


@dataclass(frozen=True, slots=True)
class AgainstRater:
    """The judge against one left-out rater; for computing, never shown per person."""

    rater: int
    """Code as given."""
    units: int
    """Outputs on which they were compared."""
    judge_advantage: float
    """Share (0-1) of outputs on which the judge is at least as near to the others."""
    rater_advantage: float
    """Share (0-1) of outputs on which the left-out rater is at least as near to the others."""
    p_value: float
    """One-sided p of 'the rater is better by epsilon or more'."""
    won: bool
    """Whether that is refused after Benjamini-Yekutieli over all raters."""


@dataclass(frozen=True, slots=True)
class AlternativeAnnotatorTest:
    """Whether a judge may stand in for a rater, or the reason why that is not determinable."""

    winning_rate: float | None
    """Omega: share (0-1) of raters against whom the judge wins."""
    advantage: float | None
    """Rho: mean over raters of judge_advantage; compares judges with one another."""
    passed: bool | None
    """Whether omega is at least 0.5."""
    epsilon: float
    raters: tuple[AgainstRater, ...]
    """Raters with enough outputs."""
    reason: str | None
    """German sentence for the screen; None where there is a result."""


def judge_agreement(
    judge: ArrayLike, people: ArrayLike, clusters: ArrayLike | None = None
) -> JudgeAgreement:
    """Correlation and bias of a judge's values against people's means, both (n,) by case.

    NaN where one side did not rate; clusters (n,) names the cases that hang together. Spearman
    (1904) and Kendall's tau-b (1945), from scipy. For correlation per system give system means.

    Raises InvalidData where the lengths differ or a value is infinite.
    """
    difference = paired_difference(judge, people, clusters)
    left, right = np.asarray(judge, dtype=np.float64), np.asarray(people, dtype=np.float64)
    shared = ~np.isnan(left) & ~np.isnan(right)
    left, right = left[shared], right[shared]
    reason = None
    if left.size < 3:
        reason = TOO_FEW_SHARED
    elif np.ptp(left) == 0 or np.ptp(right) == 0:
        reason = NO_ORDER
    spearman = kendall = Estimate(None, reason, left.size)
    if reason is None:
        from scipy.stats import kendalltau, spearmanr

        spearman = Estimate(float(spearmanr(left, right).statistic), None, left.size)
        kendall = Estimate(float(kendalltau(left, right).statistic), None, left.size)
    return JudgeAgreement(difference.cases, spearman, kendall, difference.mean, difference.interval)


def alternative_annotator_test(
    unit: ArrayLike,
    rater: ArrayLike,
    level: ArrayLike,
    judge_unit: ArrayLike,
    judge_level: ArrayLike,
    *,
    epsilon: float = EPSILON,
) -> AlternativeAnnotatorTest:
    """Calderon, Reichart & Dror (2025), The Alternative Annotator Test for LLM-as-a-Judge.

    unit, rater, level: people's ratings, one entry each; judge_unit, judge_level: the judge's,
    one per output. Each rater is left out in turn: on every output, judge and rater are compared
    by the root mean squared distance to the remaining ratings; ties count for both. A one-sided
    t test per rater asks whether the judge falls short by less than epsilon, corrected after
    Benjamini & Yekutieli (2001) at 5 %. On a scale of two levels the distance orders as the
    share of agreement does. Treats outputs as independent.

    Raises InvalidData as `reliability`, for a judge that rated an output twice, and where epsilon
    is not within 0-1.
    """
    if not 0 <= epsilon < 1:
        raise InvalidData("Epsilon liegt nicht zwischen 0 und 1.")
    reliability(unit, rater, level)
    reliability(judge_unit, np.zeros(np.size(np.asarray(judge_unit)), dtype=int), judge_level)
    found, codes = _advantages(
        np.asarray(unit), np.asarray(rater), np.asarray(level, dtype=np.float64),
        np.asarray(judge_unit), np.asarray(judge_level, dtype=np.float64),
    )  # fmt: skip
    raters = _tested(found, codes, epsilon)
    if len(raters) < LEAST_RATERS:
        reason = TOO_FEW_RATERS.format(found=MET_BY[len(raters)])
        return AlternativeAnnotatorTest(None, None, None, epsilon, raters, reason)
    omega = float(np.mean([each.won for each in raters]))
    rho = float(np.mean([each.judge_advantage for each in raters]))
    return AlternativeAnnotatorTest(omega, rho, omega >= 0.5, epsilon, raters, None)


def _advantages(
    unit: Ints, rater: Ints, level: Floats, judge_unit: Ints, judge_level: Floats
) -> tuple[Floats, Ints]:
    """Per rating on a shared output: judge at least as near (0/1), rater at least as near; and
    the rater's code.

    Sum of squared distances to the others' ratings of the output: (m - 1) x^2 - 2 x S + Q with
    S, Q the sum and sum of squares of the m - 1 others. Both sides share m - 1, so the root of
    the mean orders the same.
    """
    order = np.argsort(judge_unit)
    judge_unit, judge_level = judge_unit[order], judge_level[order]
    place = np.minimum(np.searchsorted(judge_unit, unit), max(judge_unit.size - 1, 0))
    judged = judge_unit[place] == unit if judge_unit.size else np.zeros(unit.shape, dtype=bool)
    unit, rater, level, place = unit[judged], rater[judged], level[judged], place[judged]
    if unit.size == 0:
        return np.zeros((0, 2)), rater
    centre = level.mean()
    own, judges = level - centre, judge_level[place] - centre
    _, of = np.unique(unit, return_inverse=True)
    others = np.bincount(of)[of] - 1
    total = np.bincount(of, own)[of] - own
    squares = np.bincount(of, own**2)[of] - own**2
    person = others * own**2 - 2 * own * total + squares
    machine = others * judges**2 - 2 * judges * total + squares
    span = np.ptp(np.concatenate([own, judges]))
    closer = person - machine
    closer[np.abs(closer) <= EQUAL * span**2 * np.maximum(others, 1)] = 0.0
    shared = others > 0
    wins = np.column_stack([closer >= 0, closer <= 0]).astype(np.float64)
    return wins[shared], rater[shared]


def _tested(wins: Floats, rater: Ints, epsilon: float) -> tuple[AgainstRater, ...]:
    from scipy.stats import t

    codes, of = np.unique(rater, return_inverse=True)
    n = np.bincount(of)
    enough = np.flatnonzero(n >= LEAST_UNITS)
    if enough.size == 0:
        return ()
    judge, person = (np.bincount(of, column)[enough] / n[enough] for column in wins.T)
    short = wins[:, 1] - wins[:, 0]
    mean = np.bincount(of, short)[enough] / n[enough]
    deviations = np.bincount(of, short**2)[enough] - n[enough] * mean**2
    error = np.sqrt(np.maximum(deviations, 0) / (n[enough] - 1) / n[enough])
    varies = error > 1e-9
    statistic = (mean - epsilon) / np.where(varies, error, 1.0)
    p = np.where(varies, t.cdf(statistic, n[enough] - 1), np.where(mean < epsilon, 0.0, 1.0))
    won = _benjamini_yekutieli(p)
    return tuple(
        AgainstRater(
            int(codes[index]), int(n[index]), float(judge[i]), float(person[i]), float(p[i]),
            bool(won[i]),
        )
        for i, index in enumerate(enough)
    )  # fmt: skip


def _benjamini_yekutieli(p: Floats) -> Floats:
    """Which hypotheses are refused at FALSE_DISCOVERIES, whatever the dependence of the tests."""
    m = p.size
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, m + 1)
    limits = rank / m * FALSE_DISCOVERIES / (1 / rank).sum()
    below = np.flatnonzero(p[order] <= limits)
    won = np.zeros(m, dtype=bool)
    won[order[: below[-1] + 1 if below.size else 0]] = True
    return won
