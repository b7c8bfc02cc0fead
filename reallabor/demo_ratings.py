"""How the demonstration rates: by a documented rule, not by people."""

import random
import uuid
from collections.abc import Sequence

from sqlmodel import Session, col, select

from reallabor.models import (
    Assignment,
    Case,
    Criterion,
    Output,
    Person,
    Rater,
    Round,
    Scenario,
    TrialRun,
    Variant,
)
from reallabor.rating.ratings import Judgement, submit_rating
from reallabor.recording.measures import Answer, case_quality
from reallabor.recording.readability import readability
from reallabor.scenarios import fields_of, measures_of


def rate_by_script(session: Session, round_: Round, people: Sequence[Person]) -> None:
    """Every output of the round, by everybody who was asked to rate it."""
    criteria = session.exec(
        select(Criterion.key).where(Criterion.rubric_id == round_.rubric_id)
    ).all()
    by_id = {person.id: person for person in people}
    variant_of = dict(
        session.exec(
            select(TrialRun.id, Variant.key).join(Variant, col(Variant.id) == TrialRun.variant_id)
        ).all()
    )
    rows = session.exec(
        select(Assignment, Rater, Output, Case)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Output, col(Output.id) == Assignment.output_id)
        .join(Case, col(Case.id) == Output.case_id)
        .where(Rater.round_id == round_.id)
        .order_by(col(Assignment.rater_id), col(Assignment.position))
    ).all()
    scenario = session.get_one(Scenario, round_.scenario_id)
    quality: dict[int | None, float] = {}
    for assignment, rater, output, case in rows:
        person = by_id[rater.person_id]
        rng = random.Random(f"{person.name}/{case.key}/{variant_of[output.run_id]}")
        if output.id not in quality:  # the same for every rater; costly for long texts
            quality[output.id] = scripted_quality(scenario, case, output)
        levels = scripted_levels(
            criteria, quality[output.id], output.text or "", edge=case.edge,
            handover=bool(output.details.get("handover")), rng=rng,
        )  # fmt: skip
        submit_rating(
            session,
            Judgement(
                levels, rework_minutes=scripted_minutes(scenario, case, quality[output.id], rng)
            ),
            actor=person,
            token=assignment.token,
            submission=str(uuid.uuid5(uuid.NAMESPACE_URL, assignment.token)),
        )


def scripted_levels(
    criteria: Sequence[str], quality: float, text: str, *, edge: bool, handover: bool,
    rng: random.Random,
) -> dict[str, float]:  # fmt: skip
    """Levels 1-5 by rule, from how far the output is as expected, plus noise of the rater.

    With quality q (0-1): FR, IT and AN = 1.4 + 3.4 q; QU, VO and RS = 1.8 + 2.8 q; VS falls from
    4.6 to 2.6 with the Wiener Sachtextformel from 8 to 16; UE = 4.6 where an edge case is handed
    over, 2.2 where it is not, 4.0 elsewhere; NE = 4.5 and DS = 4.6; what is not named 3 + q. Every
    level gets normal noise (sd 0.45), is rounded and kept in 1-5.
    """
    figures = readability(text)
    hardness = min(max(((figures.wstf1 if figures else 12) - 8) / 8, 0), 1)
    right, whole = 1.4 + 3.4 * quality, 1.8 + 2.8 * quality
    expected = {
        "FR": right, "IT": right, "AN": right, "QU": whole, "VO": whole, "RS": whole,
        "VS": 4.6 - 2.0 * hardness,
        "UE": (4.6 if handover else 2.2) if edge else 4.0,
        "NE": 4.5,
        "DS": 4.6,
    }  # fmt: skip
    return {
        key: float(min(5, max(1, round(expected.get(key, 3.0 + quality) + rng.gauss(0, 0.45)))))
        for key in criteria
    }


def scripted_minutes(
    scenario: Scenario, case: Case, quality: float, rng: random.Random
) -> int | None:
    """Minutes of rework for about every third case: of the minutes without AI the share 0.8 (1 - q)
    with normal noise (sd 0.1), never below 0; None for the other cases."""
    if sum(case.key.encode()) % 3:
        return None
    share = 0.8 * (1 - quality) + rng.gauss(0, 0.1)
    return max(0, round(share * float(scenario.content["baseline_minutes"])))


def scripted_quality(scenario: Scenario, case: Case, output: Output) -> float:
    """How far an output is as expected, 0-1: by the measures of the scenario where they say
    something of this case; else 1 where the first source is a passage of the case, 0.75 where any
    is, 0.7 where the output hands over to a person, 0.2 where neither; 0.6 without any of these."""
    measures, fields = measures_of(scenario.content), fields_of(scenario.content)
    quality = case_quality(measures, fields, Answer(case, output.text, output.details))
    if quality is not None:
        return quality
    if not case.passages and "handover" not in output.details:
        return 0.6
    sources = output.details.get("sources") or []
    if sources and sources[0] in case.passages:
        return 1.0
    if set(sources) & set(case.passages):
        return 0.75
    return 0.7 if output.details.get("handover") else 0.2
