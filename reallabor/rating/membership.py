"""Changes in a running round: somebody declines a case, joins or leaves. What is rated stays."""

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.errors import NotAllowed, UnknownObject, WrongState
from reallabor.models import (
    Adjudication,
    Assignment,
    EndReason,
    GoldAssignment,
    Person,
    Rater,
    Round,
    Rubric,
    now,
    row_id,
)
from reallabor.policies import may_open_round, may_rate, require
from reallabor.rating.board import Board, load_board
from reallabor.rating.calibration import fresh_gold_cases
from reallabor.rating.drafting import require_calibrated
from reallabor.rating.raters import add_rater
from reallabor.rating.rounds import stored_round

DECLINED = {
    EndReason.UNREADABLE: "unleserlich oder unverständlich",
    EndReason.CONFLICT: "Interessenkonflikt",
}
"""Why a person may decline a case; personal data is reported, see `quarantine`."""


def decline_case(session: Session, *, actor: Person, token: str, reason: EndReason) -> None:
    """Give back what this person has not rated of a case; others get it.

    Repeating it changes nothing. Raises NotAllowed for another person's token, WrongState once
    the round is released or where this very output is rated already.
    """
    require(may_rate, actor)
    if reason not in DECLINED:
        raise WrongState("Bitte einen Grund wählen, warum Sie diesen Fall nicht bewerten können.")
    assignment, round_ = locked_assignment(session, actor, token)
    if assignment.ended_at is not None:
        return
    board = load_board(session, round_)
    place = board.places[assignment.rater_id][assignment.output_id]
    if place.rated:
        raise WrongState(
            "Diese Ausgabe haben Sie schon bewertet; ablehnen lässt sie sich nicht mehr. Ändern "
            "können Sie die Bewertung bis zur Freigabe."
        )
    board.end(board.held(assignment.rater_id, place.case), reason)
    left = board.hand_on(place.case)
    board.arrange()
    audit.record(
        session, "case_declined", f"round/{round_.id}", actor=actor,
        details={"case": place.case, "reason": reason.value, "uncovered": len(left)},
    )  # fmt: skip


def join_round(session: Session, round_id: int, *, person: Person, actor: Person) -> int:
    """Let somebody rate in a running round: cases that nobody has begun move to them until the
    load is even. Gives the number of their cases. Raises WrongState where they rate already."""
    require(may_open_round, actor)
    require(may_rate, person)
    round_ = _locked_round(session, round_id)
    decided = select(Adjudication.id).where(
        Adjudication.round_id == round_id, Adjudication.decided_by == person.id
    )
    if session.exec(decided.limit(1)).first() is not None:
        raise WrongState(
            f"'{person.name}' hat in Runde {round_.number} schon strittige Urteile geklärt; wer "
            "die Stufen der anderen kennt, kann nicht mehr mitbewerten."
        )
    if round_.requires_calibration:
        require_calibrated(session, [person], session.get_one(Rubric, round_.rubric_id))
    rater = add_rater(session, round_, person.name, person=person)
    if rater.left_at is None and _has_work(session, rater):
        raise WrongState(f"'{person.name}' bewertet in Runde {round_.number} schon mit.")
    rater.left_at = None
    session.add(rater)
    session.flush()
    board = load_board(session, round_)
    key = row_id(rater.id)
    for case in board.outputs:
        if board.short(case):
            board.hand_on(case)
    _even_out(board, key)
    board.arrange({key: _missing_gold(session, round_, rater)})
    number = board.load(key)
    details = {"rater": rater.pseudonym, "cases": number}
    audit.record(session, "rater_joined", f"round/{round_id}", actor=actor, details=details)
    return number


def leave_round(session: Session, round_id: int, *, person: Person, actor: Person) -> int:
    """Take somebody out of a running round; what they have rated stays, the rest goes to others.
    Gives the number of outputs for which nobody is left."""
    require(may_open_round, actor)
    round_ = _locked_round(session, round_id)
    rater = session.exec(
        select(Rater).where(
            Rater.round_id == round_id, Rater.person_id == person.id, col(Rater.left_at).is_(None)
        )
    ).first()
    if rater is None:
        raise UnknownObject(f"'{person.name}' bewertet in Runde {round_.number} nicht mit.")
    rater.left_at = now()
    session.add(rater)
    session.flush()
    board = load_board(session, round_)
    mine = board.held(row_id(rater.id))
    board.end(mine, EndReason.MOVED)
    left = [
        output
        for case in dict.fromkeys(p.case for p in mine if not p.rated)
        for output in board.hand_on(case)
    ]
    board.arrange()
    details = {"rater": rater.pseudonym, "uncovered": len(left)}
    audit.record(session, "rater_left", f"round/{round_id}", actor=actor, details=details)
    return len(left)


def locked_assignment(session: Session, actor: Person, token: str) -> tuple[Assignment, Round]:
    """The person's assignment and its open round, locked against a release at the same moment.
    Raises NotAllowed and WrongState."""
    found = session.exec(
        select(Assignment, Rater)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .where(Assignment.token == token, Rater.person_id == actor.id)
    ).first()
    if found is None:
        raise NotAllowed("Diese Ausgabe ist Ihnen nicht zugeteilt. Bitte die Startseite öffnen.")
    assignment, rater = found
    round_ = _locked_round(session, rater.round_id)
    session.refresh(assignment)  # as it is now that nobody else can change it
    return assignment, round_


def _locked_round(session: Session, round_id: int) -> Round:
    round_ = stored_round(session, round_id, lock=True)
    if round_.released_at is not None:
        raise WrongState(
            f"Runde {round_.number} wurde inzwischen freigegeben; ändern lässt sie sich nicht mehr."
        )
    return round_


def _has_work(session: Session, rater: Rater) -> bool:
    mine = select(Assignment.id).where(
        Assignment.rater_id == rater.id, col(Assignment.ended_at).is_(None)
    )
    return session.exec(mine.limit(1)).first() is not None


def _even_out(board: Board, joiner: int) -> None:
    """Move cases that nobody has begun from those with the most to the newcomer."""
    while True:
        enough = board.load(joiner) + 1
        donors = sorted(
            (rater for rater in board.houses if rater != joiner and board.load(rater) > enough),
            key=lambda rater: (-board.load(rater), rater),
        )
        if not any(_move_one(board, donor, joiner) for donor in donors):
            return


def _move_one(board: Board, donor: int, joiner: int) -> bool:
    """Move the donor's last case that the newcomer can take without leaving an output short."""
    for case in board.unbegun(donor):
        gain = set(board.may_take(joiner, case))
        lost = {place.row.output_id for place in board.held(donor, case)} - gain
        if gain and all(board.cover(output) > board.round_.overlap for output in lost):
            board.end(board.held(donor, case), EndReason.MOVED)
            board.take(joiner, case)
            return True
    return False


def _missing_gold(session: Session, round_: Round, rater: Rater) -> list[int]:
    """The gold cases that others of the round have and this rater has not."""
    of_round = (
        select(GoldAssignment.gold_case_id)
        .join(Rater, col(Rater.id) == GoldAssignment.rater_id)
        .where(Rater.round_id == round_.id)
        .distinct()
        .order_by(col(GoldAssignment.gold_case_id))
    )
    has = select(GoldAssignment.gold_case_id).where(GoldAssignment.rater_id == rater.id)
    wanted = session.exec(of_round.where(col(GoldAssignment.gold_case_id).not_in(has))).all()
    fresh = fresh_gold_cases(session, session.get_one(Person, rater.person_id), round_.rubric_id)
    return [case for case in wanted if case in fresh]
