"""What a round would ask of whom and what it would tell, before anybody is asked. Nothing here is
measured on people: how long a rating takes is reckoned from the texts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlmodel import Session, col, func, select

from reallabor.models import (
    Case,
    Organisation,
    Output,
    Person,
    Round,
    Rubric,
    Scenario,
    TrialRun,
    Variant,
    row_id,
)
from reallabor.rating.assigning import assign
from reallabor.rating.case_means import case_scores
from reallabor.rating.drafting import Draft, RoundChoice, draft_round
from reallabor.statistics import expected_half_width

CHARACTERS_PER_MINUTE = 920
"""Silent reading of German texts (Trauzettel-Klosinski & Dietz 2012, IReST: 920 characters a
minute)."""
SECONDS_PER_CRITERION = 12
"""Assumption: to read two anchor texts and choose a level."""
SPREAD = 20.0
"""Standard deviation of case scores (0-100) where nothing was rated yet: an assumption, at the
upper end of what five-level rubrics give in practice, so that a plan rather promises too little."""
SHORTEST_NAME = 4
"""Shorter names stand in too many words to warn of."""


@dataclass(frozen=True)
class PlannedRater:
    """What one person would be asked to rate."""

    name: str
    organisation: str
    cases: int
    outputs: int
    """Gold cases are not counted."""
    minutes: float


@dataclass(frozen=True)
class Mention:
    """A word that tells systems apart and stands in outputs."""

    word: str
    outputs: int
    """How many outputs hold it."""
    variants: list[str]
    """Titles of the variants whose outputs hold it."""


@dataclass(frozen=True)
class RoundPlan:
    """A round before it is opened."""

    rubric: str
    runs: int
    cases: int
    outputs: int
    overlap: int
    ratings: int
    """Outputs handed out, each counted per rater."""
    raters: list[PlannedRater]
    hours: float
    """Of all raters together."""
    half_width: float | None
    """Expected half width of the 95 % interval of a variant's score, in points of 0-100; None for
    one case."""
    spread: float
    """The standard deviation of case scores behind it."""
    spread_round: int | None
    """Number of the round it was seen in; None where it is the assumption."""
    mentions: list[Mention]
    failed: int
    quarantined: int


def plan_round(session: Session, slug: str, choice: RoundChoice) -> RoundPlan:
    """The plan of the round that `open_round` would make of this choice. Raises WrongState as it
    does: too few raters, nothing to rate."""
    draft = draft_round(session, slug, choice)
    orders = assign(draft.outputs, draft.houses, overlap=choice.overlap, seed=choice.seed or 0)
    minutes = _minutes(session, draft)
    case_of = {output: case for case, group in draft.outputs.items() for output in group}
    houses = dict(session.exec(select(Organisation.id, Organisation.name)).all())
    raters = []
    for person in draft.evaluators:
        order = orders[row_id(person.id)]
        raters.append(
            PlannedRater(
                name=person.name,
                organisation=houses.get(person.organisation_id, ""),
                cases=len({case_of[output] for output in order}),
                outputs=len(order),
                minutes=sum(minutes[output] for output in order),
            )
        )
    spread, number = _spread(session, draft.scenario)
    half_width = float(expected_half_width(spread, len(draft.outputs))[0])
    return RoundPlan(
        rubric=f"{draft.rubric.title} ({draft.rubric.name})",
        runs=len(draft.runs),
        cases=len(draft.outputs),
        outputs=len(case_of),
        overlap=choice.overlap,
        ratings=sum(rater.outputs for rater in raters),
        raters=sorted(raters, key=lambda rater: (rater.organisation, rater.name)),
        hours=sum(rater.minutes for rater in raters) / 60,
        half_width=half_width if np.isfinite(half_width) else None,
        spread=spread,
        spread_round=number,
        mentions=mentions(session, draft.scenario, draft.runs),
        failed=draft.failed,
        quarantined=draft.quarantined,
    )


def mentions(session: Session, scenario: Scenario, runs: Sequence[TrialRun]) -> list[Mention]:
    """Names of variants, models, organisations and people that stand in outputs: whoever reads
    them knows what they rate. The most frequent first."""
    variants = {
        row_id(variant.id): variant
        for variant in session.exec(select(Variant).where(Variant.scenario_id == scenario.id))
    }
    words = _telling_words(session, variants.values(), runs)
    if not words:
        return []
    pattern = re.compile(
        r"(?<!\w)(" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + r")(?!\w)"
    )
    variant_of = {run.id: variants[run.variant_id].title for run in runs}
    found: dict[str, list[str]] = {}
    for run_id, text in session.exec(
        select(Output.run_id, Output.text).where(
            col(Output.run_id).in_(list(variant_of)), col(Output.text).is_not(None)
        )
    ):
        for word in set(pattern.findall((text or "").casefold())):
            found.setdefault(word, []).append(variant_of[run_id])
    return sorted(
        (Mention(words[word], len(titles), sorted(set(titles))) for word, titles in found.items()),
        key=lambda mention: (-mention.outputs, mention.word),
    )


def _telling_words(
    session: Session, variants: Iterable[Variant], runs: Sequence[TrialRun]
) -> dict[str, str]:
    """What gives a system away, casefolded to as it is written."""
    words = [word for variant in variants for word in (variant.title, variant.key)]
    words += [value for run in runs for key, value in run.params.items() if "model" in key]
    houses = {run.organisation_id for run in runs}
    words += session.exec(select(Organisation.name).where(col(Organisation.id).in_(houses))).all()
    words += session.exec(select(Person.name).where(col(Person.organisation_id).in_(houses))).all()
    # The first spelling stays: a title rather than a key.
    return {word.casefold(): word for word in reversed(words) if len(word) >= SHORTEST_NAME}


def _minutes(session: Session, draft: Draft) -> dict[int, float]:
    """Minutes to read and judge each output. Its case is read again with every variant, because
    variants of a case never follow each other."""
    rows = session.exec(
        select(
            Output.id,
            func.length(Output.text),
            func.length(Case.input),
            func.length(Case.reference),
        )
        .join(Case, col(Case.id) == Output.case_id)
        .where(col(Output.run_id).in_([run.id for run in draft.runs]))
    ).all()
    judging = draft.criteria * SECONDS_PER_CRITERION / 60
    return {
        row_id(output): sum(length or 0 for length in lengths) / CHARACTERS_PER_MINUTE + judging
        for output, *lengths in rows
    }


def _spread(session: Session, scenario: Scenario) -> tuple[float, int | None]:
    """Standard deviation of case scores within variants, as the newest released round of the
    scenario has seen it, with the number of that round."""
    rounds = session.exec(
        select(Round)
        .join(Rubric, col(Rubric.id) == Round.rubric_id)
        .where(
            Round.scenario_id == scenario.id,
            col(Round.released_at).is_not(None),
            Rubric.scale_declared,
        )
        .order_by(col(Round.released_at).desc())
    )
    for round_ in rounds:
        scores = case_scores(session, round_)
        within = [group.var(ddof=1) for _, group in scores.groupby("variant")["score"]
                  if len(group) > 1]  # fmt: skip
        variance = float(np.mean(within)) if within else 0.0
        if variance > 0:
            return variance**0.5, round_.number
    return SPREAD, None
