"""Saving what a person says of an output: levels with all that belongs to them, append-only."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from sqlalchemy import update
from sqlmodel import Session, col, select

from reallabor.content import storable
from reallabor.errors import InvalidRating, NotAllowed, WrongState
from reallabor.models import (
    UNCOUNTED,
    Assignment,
    Criterion,
    EndReason,
    GoldAssignment,
    GoldCase,
    GoldRating,
    Output,
    Person,
    Rater,
    Rating,
    Remark,
    Round,
    Rubric,
    now,
    row_id,
)
from reallabor.policies import may_rate, require
from reallabor.recording.hidden_outputs import is_hidden
from reallabor.recording.stopping import require_not_stopped

COMMENT_LIMIT = 2000
"""Longest comment in characters."""
MOST_PASSAGES = 50
MOST_REWORK_MINUTES = 480
"""A working day."""


@dataclass(frozen=True)
class Judgement:
    """What a person says of one output."""

    levels: Mapping[str, float]
    """Level by key of the criterion; all criteria of the rubric."""
    comment: str = ""
    comments: Mapping[str, str] = field(default_factory=dict)
    """By key of the criterion."""
    passages: Sequence[Mapping[str, Any]] = ()
    """Evidence: `start` and `end` in characters of the output, `criterion` a key or ""."""
    rework_minutes: int | None = None


def submit_rating(
    session: Session, judgement: Judgement, *, actor: Person, token: str, submission: str
) -> None:
    """Save one person's judgement of one output.

    Idempotent: the same `submission` changes nothing. A new submission for the same output
    supersedes the earlier one, which stays. Raises NotAllowed for another person's token,
    WrongState once the round is released, the scenario is stopped or the output no longer theirs,
    InvalidRating for missing or impossible values.
    """
    require(may_rate, actor)
    _require_id(submission)
    if found := _mine(session, Assignment, actor, token):
        assignment, rater, round_ = found
        _save(session, assignment, rater, round_, judgement=judgement, submission=submission)
    elif gold := _mine(session, GoldAssignment, actor, token):
        gold_assignment, rater, round_ = gold
        _save_gold(
            session, gold_assignment, rater, round_, judgement=judgement, submission=submission
        )
    else:
        raise NotAllowed("Diese Ausgabe ist Ihnen nicht zugeteilt. Bitte die Startseite öffnen.")
    session.flush()


AnyAssignment = TypeVar("AnyAssignment", Assignment, GoldAssignment)


def _mine(
    session: Session, table: type[AnyAssignment], actor: Person, token: str
) -> tuple[AnyAssignment, Rater, Round] | None:
    """The person's assignment of this token, locked."""
    found = session.exec(
        select(table, Rater, Round)
        .join(Rater, col(Rater.id) == table.rater_id)
        .join(Round, col(Round.id) == Rater.round_id)
        .where(table.token == token, Rater.person_id == actor.id)
        # Shared lock: a release waits until this rating is in, or this one waits and is refused.
        .with_for_update(read=True, of=Round)
    ).first()
    if found is not None:
        # A double click waits here, and then finds the first one stored.
        session.exec(select(table.id).where(table.id == found[0].id).with_for_update())
        session.refresh(found[0])  # it may have been declined or moved in the meantime
        session.refresh(found[1])  # and its rater taken out
    return found


def _save(
    session: Session,
    assignment: Assignment,
    rater: Rater,
    round_: Round,
    *,
    judgement: Judgement,
    submission: str,
) -> None:
    known = session.exec(select(Rating).where(Rating.submission == submission).limit(1)).first()
    if known is not None:
        _require_same(known.rater_id, known.output_id, assignment.rater_id, assignment.output_id)
        return
    _require_open(rater, round_)
    require_not_stopped(session, round_.scenario_id)
    _require_shown(session, assignment.output_id)
    _revive(assignment)
    text = session.get_one(Output, assignment.output_id).text or ""
    criteria = _checked(session, round_, judgement.levels)
    remarks = _checked_remarks(judgement, {criterion.key for criterion in criteria}, len(text))
    moment = now()
    for table in (Rating, Remark):
        session.exec(
            update(table)
            .where(
                col(table.rater_id) == assignment.rater_id,
                col(table.output_id) == assignment.output_id,
                col(table.superseded_at).is_(None),
            )
            .values(superseded_at=moment)
            .execution_options(**{UNCOUNTED: True})  # the new rows below count the change
        )
    session.add_all(
        Rating(
            round_id=row_id(round_.id),
            rater_id=assignment.rater_id,
            output_id=assignment.output_id,
            criterion_id=row_id(criterion.id),
            level=judgement.levels[criterion.key],
            comment=remarks.comments.get(criterion.key),
            submission=submission,
            created_at=moment,
        )
        for criterion in criteria
    )
    if remarks.comment or remarks.passages or remarks.rework_minutes is not None:
        session.add(
            Remark(
                rater_id=assignment.rater_id,
                output_id=assignment.output_id,
                text=remarks.comment,
                rework_minutes=remarks.rework_minutes,
                passages=[dict(passage) for passage in remarks.passages],
                submission=submission,
                created_at=moment,
            )
        )


def _save_gold(
    session: Session,
    assignment: GoldAssignment,
    rater: Rater,
    round_: Round,
    *,
    judgement: Judgement,
    submission: str,
) -> None:
    known = session.exec(select(GoldRating).where(GoldRating.submission == submission)).first()
    if known is not None:
        _require_same(
            known.rater_id, known.gold_case_id, assignment.rater_id, assignment.gold_case_id
        )
        return
    _require_open(rater, round_)
    require_not_stopped(session, round_.scenario_id)
    text = session.get_one(GoldCase, assignment.gold_case_id).output
    criteria = _checked(session, round_, judgement.levels)
    remarks = _checked_remarks(judgement, {criterion.key for criterion in criteria}, len(text))
    moment = now()
    session.exec(
        update(GoldRating)
        .where(
            col(GoldRating.rater_id) == assignment.rater_id,
            col(GoldRating.gold_case_id) == assignment.gold_case_id,
            col(GoldRating.superseded_at).is_(None),
        )
        .values(superseded_at=moment)
    )
    extras = asdict(remarks)
    del extras["levels"]
    session.add(
        GoldRating(
            person_id=row_id(rater.person_id),
            gold_case_id=assignment.gold_case_id,
            rater_id=assignment.rater_id,
            levels={key: round(level) for key, level in judgement.levels.items()},
            extras=extras,
            submission=submission,
            created_at=moment,
        )
    )


def _require_id(submission: str) -> None:
    try:
        uuid.UUID(submission)
    except ValueError as error:
        raise InvalidRating("Die Kennung dieser Bewertung ist ungültig.") from error


def _require_same(rater: int | None, item: int, own_rater: int, own_item: int) -> None:
    if (rater, item) != (own_rater, own_item):
        raise InvalidRating("Die Kennung dieser Bewertung gehört zu einer anderen Ausgabe.")


def _require_open(rater: Rater, round_: Round) -> None:
    if round_.released_at is not None:
        raise WrongState(
            "Diese Bewertungsrunde wurde inzwischen freigegeben; weitere Bewertungen sind nicht "
            "mehr möglich. Ihre bisherigen Bewertungen sind gespeichert."
        )
    if rater.left_at is not None:
        raise WrongState(
            "Sie sind in dieser Bewertungsrunde nicht mehr eingetragen; weitere Bewertungen sind "
            "nicht möglich. Ihre bisherigen sind gespeichert und zählen."
        )


def _require_shown(session: Session, output_id: int) -> None:
    hidden = select(Output.id).where(Output.id == output_id, is_hidden())
    if session.exec(hidden).first() is not None:
        raise WrongState(
            "In dieser Ausgabe wurden personenbezogene Daten gemeldet; sie wird geprüft und "
            "vorerst von niemandem bewertet."
        )


def _revive(assignment: Assignment) -> None:
    """A score that was under way when the output went to somebody else counts as well; one on an
    output that was declined is refused."""
    if assignment.ended_because is None:
        return
    reason = EndReason(assignment.ended_because)
    if reason.declined:
        raise WrongState(
            "Diesen Fall haben Sie abgelehnt; er ist bei jemand anderem. Ihre Bewertung wurde "
            "nicht gespeichert."
        )
    assignment.ended_at = assignment.ended_because = None


def _checked_remarks(judgement: Judgement, keys: set[str], length: int) -> Judgement:
    """The judgement with clean texts. Raises InvalidRating."""
    if unknown := sorted(set(judgement.comments) - keys):
        raise InvalidRating(f"Ein Kriterium '{unknown[0]}' gibt es hier nicht.")
    comments = {key: _text(text) for key, text in judgement.comments.items() if _text(text)}
    minutes = judgement.rework_minutes
    if minutes is not None and not 0 <= minutes <= MOST_REWORK_MINUTES:
        raise InvalidRating(
            f"{minutes} Minuten Nacharbeit sind nicht möglich; bitte 0 bis {MOST_REWORK_MINUTES}."
        )
    if len(judgement.passages) > MOST_PASSAGES:
        raise InvalidRating(f"Bitte höchstens {MOST_PASSAGES} Stellen markieren.")
    passages = []
    for passage in judgement.passages:
        start, end, criterion = (passage.get(name) for name in ("start", "end", "criterion"))
        if not (
            isinstance(start, int)
            and isinstance(end, int)
            and 0 <= start < end <= length
            and (criterion == "" or criterion in keys)
        ):
            raise InvalidRating(
                "Eine markierte Stelle liegt nicht in der Ausgabe. Bitte neu markieren."
            )
        passages.append({"start": start, "end": end, "criterion": criterion})
    return Judgement(judgement.levels, _text(judgement.comment), comments, passages, minutes)


def _text(comment: str) -> str:
    if len(comment) > COMMENT_LIMIT:
        raise InvalidRating(
            f"Der Kommentar hat {len(comment)} Zeichen; möglich sind höchstens {COMMENT_LIMIT}."
        )
    return str(storable(comment.strip().replace("\x00", "")))


def _checked(session: Session, round_: Round, levels: Mapping[str, float]) -> Sequence[Criterion]:
    rubric = session.get_one(Rubric, round_.rubric_id)
    criteria = session.exec(
        select(Criterion).where(Criterion.rubric_id == rubric.id).order_by(col(Criterion.position))
    ).all()
    if missing := [criterion.title for criterion in criteria if criterion.key not in levels]:
        raise InvalidRating(f"Bitte noch bewerten: {', '.join(missing)}.")
    if unknown := sorted(set(levels) - {criterion.key for criterion in criteria}):
        raise InvalidRating(f"Das Kriterium '{unknown[0]}' gibt es in '{rubric.name}' nicht.")
    for key, level in levels.items():
        if isinstance(level, bool) or not rubric.has_level(level):
            raise InvalidRating(
                f"Stufe {level} gibt es in '{rubric.name}' nicht (Kriterium {key}); "
                f"erlaubt: {rubric.scale_min:g}-{rubric.scale_max:g}."
            )
    return criteria
