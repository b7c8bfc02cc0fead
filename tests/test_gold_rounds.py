"""Gold cases among the outputs of a round: one figure over all raters, no training meanwhile."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import building
import pytest
from building import CRITERIA, Trial, person
from golden import CASES, FAR, NEAR, REFERENCE, change_cases, misses, rubric_id, train
from sqlmodel import select

from reallabor.database import reading, transaction
from reallabor.errors import UnknownObject, WrongState
from reallabor.models import GoldAssignment, GoldRating, Rater, Round, row_id
from reallabor.rating.calibration import calibration, gold_agreement, list_gold_cases
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.membership import leave_round
from reallabor.rating.rounds import add_rater, open_round, release_round
from reallabor.rating.training import feedback, next_case, submit_levels


def round_with_gold(trial: Trial, given: Mapping[str, Sequence[Mapping[str, int]]]) -> int:
    """An open round in which these people have rated the first gold cases."""
    with transaction() as session:
        round_ = open_round(session, trial.slug, actor=person(session, "Olga Organisation"))
        cases = list_gold_cases(session, rubric_id(session))
        for name, levels in given.items():
            who = person(session, name)
            rater = add_rater(session, round_, who.name, person=who)
            for case, each in zip(cases, levels, strict=False):
                session.add(
                    GoldRating(
                        person_id=row_id(who.id), gold_case_id=row_id(case.id), rater_id=rater.id,
                        levels=dict(each), submission=str(uuid.uuid4()),
                    )
                )  # fmt: skip
        return row_id(round_.id)


def test_round_gives_one_figure_per_criterion(gold: Path, trial: Trial) -> None:
    round_id = round_with_gold(
        trial,
        {"Anna Bewertung": [NEAR, misses(1)], "Bert Bewertung": [FAR], "Cora Bewertung": [NEAR]},
    )
    with reading() as session:
        figures = gold_agreement(session, round_id)
    assert set(figures) == set(CRITERIA)
    assert (figures["FR"].share, figures["FR"].n, figures["FR"].known) == (0.5, 4, 0)
    assert (figures["QU"].share, figures["QU"].n) == (0.75, 4)


def test_figure_over_two_people_is_not_told(gold: Path, trial: Trial) -> None:
    round_id = round_with_gold(trial, {"Anna Bewertung": [NEAR], "Bert Bewertung": [FAR]})
    with reading() as session:
        figures = gold_agreement(session, round_id)
    assert {figure.share for figure in figures.values()} == {None}
    assert figures["FR"].n == 2


def test_case_known_from_training_is_left_out(gold: Path, trial: Trial) -> None:
    train(FAR)
    round_id = round_with_gold(
        trial, {name: [REFERENCE, NEAR] for name in
                ("Anna Bewertung", "Bert Bewertung", "Cora Bewertung")},
    )  # fmt: skip
    train(FAR)  # what is explained later takes nothing back
    with reading() as session:
        figures = gold_agreement(session, round_id)
    assert (figures["FR"].n, figures["FR"].known, figures["FR"].share) == (5, 1, 1.0)


def test_superseded_gold_rating_does_not_count(gold: Path, trial: Trial) -> None:
    names = ("Anna Bewertung", "Bert Bewertung", "Cora Bewertung")
    round_id = round_with_gold(trial, {name: [FAR] for name in names})
    with transaction() as session:
        rater = session.exec(select(Rater).where(Rater.person_id == person(session).id)).one()
        old = session.exec(select(GoldRating).where(GoldRating.rater_id == rater.id)).one()
        old.superseded_at = old.created_at
        new = old.model_dump(exclude={"id", "superseded_at", "submission", "levels"})
        session.add(GoldRating(**new, levels=REFERENCE, submission=str(uuid.uuid4())))
    with reading() as session:
        figure = gold_agreement(session, round_id)["FR"]
        assert session.exec(select(Round)).one().released_at is None
    assert (figure.n, figure.share) == (3, pytest.approx(1 / 3))


def test_case_met_in_a_round_is_no_training(gold: Path, trial: Trial) -> None:
    round_with_gold(trial, {"Anna Bewertung": [REFERENCE, REFERENCE]})
    with reading() as session:
        status = calibration(session, person(session), rubric_id(session))
        assert (status.cases, status.calibrated, status.unseen) == (0, False, CASES)
        with pytest.raises(UnknownObject):
            feedback(session, rubric_id(session), "g-1", actor=person(session))


def coming(name: str = "Anna Bewertung") -> str | None:
    with reading() as session:
        case = next_case(session, rubric_id(session), actor=person(session, name))
    return case.key if case else None


@pytest.mark.parametrize("end", [release_round, leave_round])
def test_training_withholds_gold_cases_of_an_open_round(
    gold: Path, trial: Trial, end: Callable[..., object]
) -> None:
    with transaction() as session:
        olga, anna = person(session, "Olga Organisation"), person(session)
        round_ = open_round(
            session, trial.slug, actor=olga,
            choice=RoundChoice(gold_cases=2, evaluators=[anna, person(session, "Bert Bewertung")]),
        )  # fmt: skip
        round_id = row_id(round_.id)
        building.rate_all(session, round_, anna)
        mine = select(GoldAssignment.token).join(Rater).where(Rater.person_id == anna.id)
        building.rate(session, anna, session.exec(mine).all()[0])
    assert [train(FAR), train(FAR), train(FAR)] == ["g-1", "g-2", "g-3"]
    assert coming() is None
    change_cases(gold, g_4={"output": "Berichtigt."}, g_5={"output": "Berichtigt."})
    assert coming() is None
    with reading() as session:
        status = calibration(session, person(session), rubric_id(session))
        assert (status.cases, status.unseen, status.exhausted) == (1, 2, False)
        case = list_gold_cases(session, rubric_id(session))[3]
    with transaction() as session, pytest.raises(WrongState, match="nicht an der Reihe"):
        submit_levels(
            session, row_id(case.id), FAR, actor=person(session), submission=str(uuid.uuid4())
        )
    for _ in range(3):
        train(FAR, name="Cora Bewertung")
    assert coming("Cora Bewertung") == "g-4", "who does not rate in the round goes on"
    with transaction() as session:
        olga = person(session, "Olga Organisation")
        who = {"person": person(session)} if end is leave_round else {}
        end(session, round_id, actor=olga, **who)
    assert coming() == "g-4"
