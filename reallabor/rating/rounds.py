"""Rounds: opening one with its runs, raters and assignments, and releasing it."""

import random
import secrets
from collections.abc import Sequence

from sqlalchemy import update
from sqlmodel import Session, col, delete, func, select

from reallabor import audit
from reallabor.errors import UnknownObject, WrongState
from reallabor.models import (
    Adjudication,
    Assignment,
    GoldAssignment,
    GoldRating,
    Judge,
    JudgeRating,
    Person,
    Quarantine,
    Rater,
    Rating,
    Remark,
    Round,
    RoundRun,
    Scenario,
    TrialRun,
    Variant,
    now,
    row_id,
)
from reallabor.policies import may_open_round, may_release, require
from reallabor.rating.assigning import assign, mixed_places
from reallabor.rating.calibration import fresh_gold_cases
from reallabor.rating.drafting import Draft, RoundChoice, draft_round
from reallabor.rating.outbox import enqueue_round
from reallabor.rating.raters import add_rater, new_token
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.stopping import require_not_stopped


def open_round(
    session: Session, slug: str, *, actor: Person, choice: RoundChoice | None = None
) -> Round:
    """Start the evaluation of a scenario: fix the runs, the rubric version, and who rates what.

    Raises WrongState where the scenario is stopped, a round is open already, nothing was recorded
    or raters are missing.
    """
    require(may_open_round, actor)
    choice = choice or RoundChoice()
    scenario = get_scenario(session, slug)
    # Locked, so that two organisers cannot open two rounds at the same moment.
    session.exec(select(Scenario.id).where(Scenario.id == scenario.id).with_for_update()).one()
    require_not_stopped(session, row_id(scenario.id))
    if open_rounds(session, scenario):
        raise WrongState(
            f"Zu '{scenario.title}' läuft schon eine Bewertungsrunde. Bitte erst freigeben."
        )
    draft = draft_round(session, slug, choice)
    round_ = create_round(session, scenario, draft.runs, actor=actor, choice=choice)
    _assign(session, round_, draft, choice)
    details = {"scenario": slug, "runs": [run.tracking_run_id for run in draft.runs]}
    audit.record(session, "round_opened", f"round/{round_.id}", actor=actor, details=details)
    return round_


def create_round(
    session: Session,
    scenario: Scenario,
    runs: Sequence[TrialRun],
    *,
    actor: Person,
    choice: RoundChoice,
) -> Round:
    """A new round with its runs, without raters."""
    number = session.exec(
        select(func.coalesce(func.max(Round.number), 0)).where(Round.scenario_id == scenario.id)
    ).one()
    round_ = Round(
        scenario_id=row_id(scenario.id),
        number=number + 1,
        rubric_id=row_id(choice.rubric_id or scenario.rubric_id),
        overlap=choice.overlap,
        seed=secrets.randbits(31) if choice.seed is None else choice.seed,
        pseudonym_key=secrets.token_hex(32),
        demo=any(run.demo for run in runs),
        due_on=choice.due_on,
        requires_calibration=choice.requires_calibration,
        candidate_id=session.exec(
            select(Variant.id).where(Variant.scenario_id == scenario.id, Variant.candidate)
        ).first(),
        opened_by=row_id(actor.id),
    )
    session.add(round_)
    session.flush()
    for run in runs:
        session.add(RoundRun(round_id=row_id(round_.id), run_id=row_id(run.id)))
    session.flush()
    return round_


def stored_round(session: Session, round_id: int, *, lock: bool = False) -> Round:
    """The round of that number; with `lock` as it is now, and nobody else changes it before this
    transaction ends. Raises UnknownObject."""
    wanted = select(Round).where(Round.id == round_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    round_ = session.exec(wanted).first()
    if round_ is None:
        raise UnknownObject(f"Eine Bewertungsrunde Nr. {round_id} gibt es hier nicht.")
    return round_


def open_rounds(session: Session, scenario: Scenario) -> Sequence[Round]:
    """Rounds of a scenario that are not released."""
    return session.exec(
        select(Round).where(Round.scenario_id == scenario.id, col(Round.released_at).is_(None))
    ).all()


def cancel_round(session: Session, round_id: int, *, actor: Person) -> None:
    """Take back a round in which nobody has rated anything. Raises WrongState otherwise."""
    require(may_open_round, actor)
    round_ = stored_round(session, round_id, lock=True)
    gold = select(GoldRating.id).join(Rater).where(Rater.round_id == round_id).limit(1)
    ratings = select(Rating.id).where(Rating.round_id == round_id).limit(1)
    if session.exec(ratings).first() or session.exec(gold).first():
        raise WrongState(
            f"In Runde {round_.number} ist schon bewertet; verwerfen lässt sie sich nicht mehr."
        )
    delete_rounds(session, [round_id])
    audit.record(session, "round_cancelled", f"round/{round_id}", actor=actor, details={})


def release_round(session: Session, round_id: int, *, actor: Person) -> Round:
    """Release a round, complete or not: from now on its results are seen and sent to MLflow.

    Raises WrongState where it was released before or where nothing was rated yet.
    """
    require(may_release, actor)
    # Locked, so that a rating saved at this moment is either in the release or refused.
    round_ = stored_round(session, round_id, lock=True)
    if round_.released_at is not None:
        raise WrongState(f"Runde {round_.number} wurde schon freigegeben.")
    rated = session.exec(select(Rating.id).where(Rating.round_id == round_id).limit(1)).first()
    if rated is None:
        raise WrongState(
            f"In Runde {round_.number} ist noch nichts bewertet; es gibt nichts freizugeben."
        )
    round_.released_at = now()
    round_.released_by = actor.id
    session.add(round_)
    session.flush()
    enqueue_round(session, round_)
    audit.record(session, "round_released", f"round/{round_id}", actor=actor, details={})
    return round_


def delete_rounds(session: Session, ids: Sequence[int]) -> None:
    """Delete rounds with all that hangs on them, from the leaves to the root. Only for rounds in
    which nobody has rated, and for those of the demonstration."""
    session.exec(update(Quarantine).where(col(Quarantine.round_id).in_(ids)).values(round_id=None))
    raters = select(Rater.id).where(col(Rater.round_id).in_(ids))
    judges = select(Judge.id).where(col(Judge.round_id).in_(ids))
    for table, condition in (
        (Adjudication, col(Adjudication.round_id).in_(ids)),
        (JudgeRating, col(JudgeRating.judge_id).in_(judges)),
        (Judge, col(Judge.round_id).in_(ids)),
        (GoldRating, col(GoldRating.rater_id).in_(raters)),
        (GoldAssignment, col(GoldAssignment.rater_id).in_(raters)),
        (Rating, col(Rating.round_id).in_(ids)),
        (Remark, col(Remark.rater_id).in_(raters)),
        (Assignment, col(Assignment.rater_id).in_(raters)),
        (Rater, col(Rater.round_id).in_(ids)),
        (RoundRun, col(RoundRun.round_id).in_(ids)),
        (Round, col(Round.id).in_(ids)),
    ):
        session.exec(delete(table).where(condition))


def _assign(session: Session, round_: Round, draft: Draft, choice: RoundChoice) -> None:
    plan = assign(draft.outputs, draft.houses, overlap=round_.overlap, seed=round_.seed)
    for person in draft.evaluators:
        rater = add_rater(session, round_, person.name, person=person)
        gold = fresh_gold_cases(session, person, round_.rubric_id)[: choice.gold_cases]
        hand_out(session, rater, plan[row_id(person.id)], gold, round_.seed)
    session.flush()


def hand_out(
    session: Session, rater: Rater, outputs: Sequence[int], gold: Sequence[int], seed: int
) -> None:
    """The first assignments of a rater, with gold cases somewhere among them; whoever has nothing
    to rate gets no gold case either."""
    gold = gold if outputs else []
    places = mixed_places(len(outputs), len(gold), random.Random(f"{seed}/{rater.id}"))
    free = (place for place in range(1, len(outputs) + len(gold) + 1) if place not in set(places))
    session.add_all(
        Assignment(
            token=new_token(), rater_id=row_id(rater.id), output_id=output, position=position
        )
        for output, position in zip(outputs, free, strict=True)
    )
    session.add_all(
        GoldAssignment(
            token=new_token(), rater_id=row_id(rater.id), gold_case_id=case, position=position
        )
        for case, position in zip(gold, places, strict=True)
    )
