"""One pass of one language model over a round, in the database: what it has to judge, what it said,
and where it stands. `judging` asks the model."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, func, select

from reallabor import audit
from reallabor.content import storable
from reallabor.errors import ReallaborError, WrongState
from reallabor.evaluations import RubricContent
from reallabor.models import (
    Case,
    Criterion,
    Judge,
    JudgeRating,
    Output,
    Person,
    Round,
    RoundRun,
    Rubric,
    Scenario,
    now,
    row_id,
)
from reallabor.rating.judge_prompt import instructions_for
from reallabor.rating.outbox import enqueue_judgements
from reallabor.rating.results import released_round
from reallabor.rating.rounds import open_rounds
from reallabor.recording.hidden_outputs import is_hidden
from reallabor.recording.stopping import require_not_stopped
from reallabor.tracking.judging import Judgement


@dataclass(frozen=True)
class JudgePass:
    """One model on one round, and what it has still to judge."""

    judge_id: int
    round_id: int
    rubric: RubricContent
    criteria: Mapping[str, int]
    """Ids by key."""
    prompt: str
    waiting: list[int]
    """Outputs without levels, by id."""


@dataclass(frozen=True)
class JudgeReport:
    """Where the judging of a round by one model stands."""

    scenario: str
    round: int
    released: bool
    model: str
    outputs: int
    """Outputs of the round that may be judged: with a text, and not in quarantine."""
    judged: int
    failed: int
    """Outputs of which there is only an error; the next call asks for them again."""
    asked: int
    """Outputs that this call asked for."""


def begin_pass(
    session: Session, scenario: Scenario, *, model: str, host: str, actor: Person
) -> JudgePass:
    """The pass of this model over the open round, or else over the one that counts; the same model
    at the same address with the same instructions goes on with its pass.

    Raises WrongState where there is no round, no anchor text or no output to judge.
    """
    require_not_stopped(session, row_id(scenario.id))
    round_ = _round_to_judge(session, scenario)
    # Locked, so that two first calls make one judge.
    session.exec(select(Round.id).where(Round.id == round_.id).with_for_update()).one()
    rubric = session.get_one(Rubric, round_.rubric_id)
    content = RubricContent.model_validate(rubric.content)
    if not _count_outputs(session, round_):
        raise WrongState(
            f"In Runde {round_.number} von '{scenario.title}' gibt es keine Ausgabe, die ein "
            "Sprachmodell beurteilen könnte: Entweder wurden nur Bewertungen eingelesen, oder "
            "alle Ausgaben sind gesperrt."
        )
    if not all(each.levels for each in content.criteria):
        raise WrongState(
            f"Das Bewertungsraster '{rubric.name}' hat keine Ankertexte; ohne sie kann ein "
            "Sprachmodell nicht nach demselben Raster urteilen wie Menschen."
        )
    prompt = instructions_for(content)
    judge = session.exec(
        select(Judge).where(
            Judge.round_id == round_.id,
            Judge.model == model,
            Judge.host == host,
            Judge.prompt == prompt,
        )
    ).first()
    if judge is None:
        judge = Judge(round_id=row_id(round_.id), model=model, host=host, prompt=prompt,
                      started_by=row_id(actor.id))  # fmt: skip
        session.add(judge)
        session.flush()
        details = {"judge": judge.id, "model": model, "host": host}
        audit.record(session, "judge_started", f"round/{round_.id}", actor=actor, details=details)
    judged = select(JudgeRating.id).where(
        JudgeRating.judge_id == judge.id,
        JudgeRating.output_id == Output.id,
        col(JudgeRating.level).is_not(None),
    )
    waiting = session.exec(
        select(Output.id).where(_to_judge(round_), ~judged.exists()).order_by(col(Output.id))
    ).all()
    criteria = session.exec(select(Criterion).where(Criterion.rubric_id == rubric.id)).all()
    return JudgePass(
        judge_id=row_id(judge.id),
        round_id=row_id(round_.id),
        rubric=content,
        criteria={criterion.key: row_id(criterion.id) for criterion in criteria},
        prompt=prompt,
        waiting=[row_id(output_id) for output_id in waiting],
    )


def texts_of(session: Session, output_id: int) -> tuple[str, str, str] | None:
    """Input, reference and text of an output; None once it is in quarantine."""
    found = session.exec(
        select(Case.input, Case.reference, Output.text)
        .join(Output, col(Output.case_id) == Case.id)
        .where(Output.id == output_id, ~is_hidden())
    ).first()
    if found is None or found[2] is None:
        return None
    return found[0] or "", found[1], found[2]


def store_judgements(
    session: Session,
    running: JudgePass,
    output_id: int,
    answer: Mapping[str, Judgement] | ReallaborError,
) -> None:
    """Keep levels on all criteria of an output, or why there are none. Levels never change; an
    error gives way to what comes after it."""
    # Shared lock: a release waits until this is in, or this one sees that it was released.
    round_ = session.exec(
        select(Round).where(Round.id == running.round_id).with_for_update(read=True)
    ).first()
    if round_ is None:
        raise WrongState("Die Bewertungsrunde wurde inzwischen verworfen; es gibt nichts mehr.")
    # A second process on the same pass waits here, and then finds the first one's levels.
    session.exec(select(Judge.id).where(Judge.id == running.judge_id).with_for_update()).one()
    # Hidden or erased while the model was thinking: what it said of the text must not stay.
    output = select(Output.id).where(Output.id == output_id, ~is_hidden()).with_for_update()
    if session.exec(output).first() is None:
        return
    place = (col(JudgeRating.judge_id) == running.judge_id) & (
        col(JudgeRating.output_id) == output_id
    )
    known = session.exec(select(JudgeRating.level).where(place)).all()
    if any(level is not None for level in known):
        return
    session.exec(delete(JudgeRating).where(place))
    for key, criterion_id in running.criteria.items():
        rating = JudgeRating(
            judge_id=running.judge_id, output_id=output_id, criterion_id=criterion_id
        )
        if isinstance(answer, ReallaborError):
            rating.error = storable(str(answer))
        else:
            rating.level, rating.rationale = answer[key].level, storable(answer[key].reason)
        session.add(rating)
    session.flush()
    if round_.released_at is not None and not isinstance(answer, ReallaborError):
        enqueue_judgements(session, round_, output_id)


def finish_pass(session: Session, running: JudgePass, *, asked: int) -> JudgeReport:
    """Mark the pass as finished, and say where it stands."""
    judge = session.get_one(Judge, running.judge_id)
    round_ = session.get_one(Round, running.round_id)
    judge.finished_at = now()
    session.add(judge)
    judged, failed = (
        session.exec(
            select(func.count(func.distinct(JudgeRating.output_id)))
            .join(Output, col(Output.id) == JudgeRating.output_id)
            .where(JudgeRating.judge_id == judge.id, _to_judge(round_), condition)
        ).one()
        for condition in (col(JudgeRating.level).is_not(None), col(JudgeRating.level).is_(None))
    )
    return JudgeReport(
        scenario=session.get_one(Scenario, round_.scenario_id).slug,
        round=round_.number,
        released=round_.released_at is not None,
        model=judge.model,
        outputs=_count_outputs(session, round_),
        judged=judged,
        failed=failed,
        asked=asked,
    )


def _round_to_judge(session: Session, scenario: Scenario) -> Round:
    open_ = open_rounds(session, scenario)
    round_ = open_[0] if open_ else released_round(session, scenario)
    if round_ is None:
        raise WrongState(
            f"Zu '{scenario.title}' gibt es noch keine Bewertungsrunde. Bitte zuerst die Bewertung "
            "starten; dann kann auch ein Sprachmodell urteilen."
        )
    return round_


def _to_judge(round_: Round) -> ColumnElement[bool]:
    """SQL condition on `Output`: of a run of the round, with a text, and not in quarantine."""
    runs = select(RoundRun.run_id).where(RoundRun.round_id == round_.id)
    return col(Output.run_id).in_(runs) & col(Output.text).is_not(None) & ~is_hidden()


def _count_outputs(session: Session, round_: Round) -> int:
    return session.exec(select(func.count()).select_from(Output).where(_to_judge(round_))).one()
