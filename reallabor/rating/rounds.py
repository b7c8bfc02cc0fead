"""Rounds: opening one with its runs, raters and assignments, and releasing it."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.errors import UnknownObject, WrongState
from reallabor.models import (
    Assignment,
    Case,
    Judge,
    JudgeRating,
    Output,
    Person,
    Rater,
    Rating,
    Round,
    RoundRun,
    Scenario,
    TrialRun,
    Variant,
    now,
    row_id,
)
from reallabor.policies import may_open_round, may_rate, may_release, require
from reallabor.rating.assigning import assign
from reallabor.rating.outbox import enqueue_round
from reallabor.recording.catalogue import get_scenario

OVERLAP = 2
"""Raters per output where nothing else is said."""


def open_round(
    session: Session,
    slug: str,
    *,
    actor: Person,
    overlap: int = OVERLAP,
    evaluators: Sequence[Person] | None = None,
    seed: int | None = None,
) -> Round:
    """Start the evaluation of a scenario: fix the newest run of each variant and organisation, the
    rubric version, and who rates what.

    Real runs count where there are any, demonstration runs else; the two never meet in one round.
    Raises WrongState where a round is open already, nothing was recorded or raters are missing.
    """
    require(may_open_round, actor)
    scenario = get_scenario(session, slug)
    # Locked, so that two organisers cannot open two rounds at the same moment.
    session.exec(select(Scenario.id).where(Scenario.id == scenario.id).with_for_update()).one()
    runs = newest_runs(session, scenario)
    if not runs:
        raise WrongState(
            f"Zu '{scenario.title}' ist noch kein Durchlauf aufgezeichnet. Bitte zuerst "
            f"`reallabor run {slug}` ausführen lassen; danach kann die Bewertung beginnen."
        )
    if open_rounds(session, scenario):
        raise WrongState(
            f"Zu '{scenario.title}' läuft schon eine Bewertungsrunde. Bitte erst freigeben."
        )
    if not _has_texts(session, runs):
        raise WrongState(
            f"Zu '{scenario.title}' gibt es keine Ausgabe, die sich bewerten ließe: Alle Fälle "
            "sind fehlgeschlagen, oder es wurden nur Bewertungen eingelesen."
        )
    round_ = create_round(session, scenario, runs, actor=actor, overlap=overlap, seed=seed)
    people = evaluators if evaluators is not None else _evaluators(session)
    _assign(session, round_, runs, people)
    details = {"scenario": slug, "runs": [run.tracking_run_id for run in runs]}
    audit.record(session, "round_opened", f"round/{round_.id}", actor=actor, details=details)
    return round_


def create_round(
    session: Session,
    scenario: Scenario,
    runs: Sequence[TrialRun],
    *,
    actor: Person,
    overlap: int = OVERLAP,
    seed: int | None = None,
) -> Round:
    """A new round with its runs, without raters."""
    number = session.exec(
        select(func.coalesce(func.max(Round.number), 0)).where(Round.scenario_id == scenario.id)
    ).one()
    round_ = Round(
        scenario_id=row_id(scenario.id),
        number=number + 1,
        rubric_id=row_id(scenario.rubric_id),
        overlap=overlap,
        seed=secrets.randbits(31) if seed is None else seed,
        pseudonym_key=secrets.token_hex(32),
        demo=any(run.demo for run in runs),
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


def newest_runs(
    session: Session, scenario: Scenario, *, with_outputs: bool = True
) -> list[TrialRun]:
    """The newest finished run of each variant in each organisation; real ones where there are
    any, else those of the demonstration. Runs without any output count only where asked for."""
    runs = session.exec(
        select(TrialRun)
        .where(
            TrialRun.scenario_id == scenario.id,
            not with_outputs or select(Output.id).where(Output.run_id == TrialRun.id).exists(),
        )
        # A run in which cases are missing never hides a complete one.
        .order_by(col(TrialRun.complete), col(TrialRun.finished_at), col(TrialRun.id))
    ).all()
    demo = all(run.demo for run in runs)
    newest = {(run.variant_id, run.organisation_id): run for run in runs if run.demo == demo}
    return sorted(newest.values(), key=lambda run: row_id(run.id))


def open_rounds(session: Session, scenario: Scenario) -> Sequence[Round]:
    """Rounds of a scenario that are not released."""
    return session.exec(
        select(Round).where(Round.scenario_id == scenario.id, col(Round.released_at).is_(None))
    ).all()


def cancel_round(session: Session, round_id: int, *, actor: Person) -> None:
    """Take back a round in which nobody has rated anything. Raises WrongState otherwise."""
    require(may_open_round, actor)
    round_ = session.exec(select(Round).where(Round.id == round_id).with_for_update()).first()
    if round_ is None:
        raise UnknownObject(f"Eine Bewertungsrunde Nr. {round_id} gibt es hier nicht.")
    if session.exec(select(Rating.id).where(Rating.round_id == round_id).limit(1)).first():
        raise WrongState(
            f"In Runde {round_.number} ist schon bewertet; verwerfen lässt sie sich nicht mehr."
        )
    judges = select(Judge.id).where(Judge.round_id == round_id)
    session.exec(delete(JudgeRating).where(col(JudgeRating.judge_id).in_(judges)))
    session.exec(delete(Judge).where(col(Judge.round_id) == round_id))
    raters = select(Rater.id).where(Rater.round_id == round_id)
    session.exec(delete(Assignment).where(col(Assignment.rater_id).in_(raters)))
    session.exec(delete(Rater).where(col(Rater.round_id) == round_id))
    session.exec(delete(RoundRun).where(col(RoundRun.round_id) == round_id))
    session.exec(delete(Round).where(col(Round.id) == round_id))
    audit.record(session, "round_cancelled", f"round/{round_id}", actor=actor, details={})


def release_round(session: Session, round_id: int, *, actor: Person) -> Round:
    """Release a round, complete or not: from now on its results are seen and sent to MLflow.

    Raises WrongState where it was released before or where nothing was rated yet.
    """
    require(may_release, actor)
    # Locked, so that a rating saved at this moment is either in the release or refused.
    round_ = session.exec(select(Round).where(Round.id == round_id).with_for_update()).first()
    if round_ is None:
        raise UnknownObject(f"Eine Bewertungsrunde Nr. {round_id} gibt es hier nicht.")
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


def add_rater(session: Session, round_: Round, name: str, *, person: Person | None = None) -> Rater:
    """The rater of this name in this round, made with a fresh pseudonym where missing."""
    key = name_key(round_, name)
    rater = session.exec(
        select(Rater).where(Rater.round_id == round_.id, Rater.name_key == key)
    ).first()
    if rater is None:
        rater = Rater(
            round_id=row_id(round_.id),
            pseudonym=new_pseudonym(),
            name_key=key,
            person_id=person.id if person else None,
        )
        session.add(rater)
        session.flush()
    return rater


def name_key(round_: Round, name: str) -> str:
    """HMAC-SHA256 of a name under the round's key: the same name is found again, nobody can read
    it back once the key is destroyed."""
    return hmac.new(round_.pseudonym_key.encode(), name.encode(), hashlib.sha256).hexdigest()


def new_pseudonym() -> str:
    """A random name such as `B-7KQ2XM`, without letters that are mistaken for digits."""
    return "B-" + "".join(secrets.choice("23456789ACDEFGHJKLMNPQRTUVWXYZ") for _ in range(6))


def _has_texts(session: Session, runs: Sequence[TrialRun]) -> bool:
    texts = select(Output.id).where(
        col(Output.run_id).in_([run.id for run in runs]), col(Output.text).is_not(None)
    )
    return session.exec(texts.limit(1)).first() is not None


def _evaluators(session: Session) -> list[Person]:
    return [person for person in session.exec(select(Person).order_by(col(Person.id)))
            if may_rate(person)]  # fmt: skip


def _assign(
    session: Session, round_: Round, runs: Sequence[TrialRun], people: Sequence[Person]
) -> None:
    organisation_of = {run.id: run.organisation_id for run in runs}
    rows = session.exec(
        select(Output.id, Output.case_id, Output.run_id)
        .join(Case, col(Case.id) == Output.case_id)
        .where(col(Output.run_id).in_(list(organisation_of)), Output.text != None)  # noqa: E711
        .order_by(col(Output.case_id), col(Output.id))
    ).all()
    outputs: dict[int, list[int]] = {}
    for output_id, case_id, _ in rows:
        outputs.setdefault(case_id, []).append(row_id(output_id))
    raters = {row_id(add_rater(session, round_, person.name, person=person).id): person
              for person in people}  # fmt: skip
    eligible = {
        rater: frozenset(
            row_id(output_id)
            for output_id, _, run_id in rows
            if person.organisation_id is None or organisation_of[run_id] != person.organisation_id
        )
        for rater, person in raters.items()
    }
    plan = assign(outputs, eligible, overlap=round_.overlap, seed=round_.seed)
    session.add_all(
        Assignment(token=secrets.token_urlsafe(12), rater_id=rater, output_id=output,
                   position=position)
        for rater, order in plan.items()
        for position, output in enumerate(order, start=1)
    )  # fmt: skip
    session.flush()
