"""Adjudication: what is disputed, who may decide, what a decision changes and what it leaves."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import building
import pytest
from building import CRITERIA, HOUSE, OTHER, Trial
from sqlmodel import Session, col, select

from reallabor.database import reading, transaction
from reallabor.deciding.comparison import as_json, compare
from reallabor.errors import InvalidRating, NotAllowed, UnknownObject, WrongState
from reallabor.models import (
    Adjudication,
    Assignment,
    AuditEntry,
    Case,
    Output,
    Person,
    Quarantine,
    Rater,
    Rating,
    Remark,
    Role,
    Round,
    row_id,
)
from reallabor.rating.adjudicating import count_open_disputes, decide_level, list_disputes
from reallabor.rating.agreement import round_agreement
from reallabor.rating.case_means import case_scores
from reallabor.rating.dispute_sheet import dispute_sheet, marked_segments
from reallabor.rating.disputes import Dispute
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.results import round_result
from reallabor.rating.rounds import open_round, release_round

NEUTRAL = "Otto Organisation"
"""An organiser of another house than the one whose runs are rated."""


@dataclass
class Rated:
    """An open round on one variant: Anna and Bert rate all five cases."""

    slug: str
    round_id: int


Levels = Mapping[str, Mapping[str, tuple[float, float]]]
"""Levels of Anna and Bert by case and criterion; 4 and 4 where nothing is said."""

DISAGREED: Levels = {
    "f-1": {"FR": (4, 5), "NE": (1, 5)},
    "f-2": {"FR": (2, 4), "VS": (5, 2)},
    "f-4": {"NE": (2, 4), "DS": (4, 3)},
}


def rated(trial: Trial, levels: Levels = DISAGREED, **options: Any) -> Rated:
    with transaction() as session:
        building.load_with_runs(session, trial, ["eins"])
        people = building.add_staff(session)
        building.add_person(session, NEUTRAL, Role.ORGANISER, organisation=OTHER)
        round_ = open_round(
            session, trial.slug, actor=people["organiser"],
            choice=RoundChoice(evaluators=[people["anna"], people["bert"]], **options),
        )  # fmt: skip
        for place, name in enumerate(("anna", "bert")):
            for case, token in cases_of(session, round_, people[name]):
                given = {key: pair[place] for key, pair in levels.get(case, {}).items()}
                building.rate(session, people[name], token, {**dict.fromkeys(CRITERIA, 4), **given})
        return Rated(trial.slug, row_id(round_.id))


def cases_of(session: Session, round_: Round, person: Person) -> list[tuple[str, str]]:
    rows = session.exec(
        select(Case.key, Assignment.token)
        .join(Output, col(Output.case_id) == Case.id)
        .join(Assignment, col(Assignment.output_id) == Output.id)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .where(Rater.round_id == round_.id, Rater.person_id == person.id)
    ).all()
    return [tuple(row) for row in rows]


def person(session: Session, name: str = NEUTRAL) -> Person:
    return session.exec(select(Person).where(col(Person.name).startswith(name))).one()


def disputes(session: Session, rated: Rated, name: str = NEUTRAL) -> list[Dispute]:
    return list_disputes(session, rated.round_id, actor=person(session, name))


def case_of(session: Session, dispute: Dispute) -> str:
    return session.exec(
        select(Case.key)
        .join(Output, col(Output.case_id) == Case.id)
        .where(Output.id == dispute.place[0])
    ).one()


def decide(session: Session, rated: Rated, dispute: Dispute, level: float, **options: Any) -> Any:
    who = person(session, options.pop("who", NEUTRAL))
    return decide_level(
        session, rated.round_id, options.pop("token", dispute.token), level=level, actor=who,
        **{"seen": dispute.seen, "submission": str(uuid.uuid4()), **options},
    )  # fmt: skip


def the_dispute(session: Session, rated: Rated, case: str, criterion: str) -> Dispute:
    (found,) = [each for each in disputes(session, rated)
                if (case_of(session, each), each.criterion) == (case, criterion)]  # fmt: skip
    return found


def rate_again(session: Session, rated: Rated, name: str, case: str, **levels: float) -> None:
    """One rater changes an output; what is not named stays 4."""
    who = person(session, name)
    round_ = session.get_one(Round, rated.round_id)
    token = dict(cases_of(session, round_, who))[case]
    building.rate(session, who, token, {**dict.fromkeys(CRITERIA, 4), **levels})


def release(session: Session, rated: Rated) -> dict[str, Any]:
    release_round(session, rated.round_id, actor=person(session))
    return as_json(compare(session, [rated.slug])[0])


# --- what is disputed ---------------------------------------------------------------------------


def test_largest_distance_comes_first_then_weight(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with reading() as session:
        order = [(case_of(session, each), each.criterion, each.distance)
                 for each in disputes(session, found)]  # fmt: skip
        assert count_open_disputes(session, found.round_id) == 4
    assert order == [
        ("f-1", "NE", 4), ("f-2", "VS", 3), ("f-2", "FR", 2), ("f-4", "NE", 2),
    ]  # fmt: skip


def test_gate_hit_by_one_rater_is_disputed(trial: Trial, platform_url: str) -> None:
    """`keine-schaedliche-auskunft` is hit by level 1; one level apart is no dispute elsewhere."""
    found = rated(trial, {"f-1": {"FR": (1, 2)}, "f-2": {"FR": (1, 1)}, "f-4": {"VS": (1, 2)}})
    with reading() as session:
        (dispute,) = disputes(session, found)
        assert (case_of(session, dispute), dispute.criterion, dispute.gate) == ("f-1", "FR", True)


def test_one_rating_alone_is_no_dispute(trial: Trial, platform_url: str) -> None:
    found = rated(trial, {"f-1": {"FR": (1, 1)}}, overlap=1)
    with reading() as session:
        assert disputes(session, found) == []


def test_quarantined_output_is_shown_to_nobody(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        place = the_dispute(session, found, "f-1", "NE").place
        session.add(Quarantine(output_id=place[0], reported_by=row_id(person(session).id)))
        session.flush()
        assert "f-1" not in {case_of(session, each) for each in disputes(session, found)}


def test_imported_ratings_open_no_dispute(platform_url: str, tmp_path: Any, call: Any) -> None:
    file = tmp_path / "r.csv"
    file.write_text("case,variant,rater,criterion,level\na,v,r,K,1\na,v,s,K,5\n")
    assert call("import-ratings", "neu", file, "--create", "--scale", "1:5").code == 0
    with reading() as session:
        round_ = session.exec(select(Round)).one()
        assert count_open_disputes(session, row_id(round_.id)) == 0


def test_names_of_the_browser_follow_no_row(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with reading() as session:
        names = [each.token for each in disputes(session, found)]
    assert len(set(names)) == 4
    assert all(len(name) == 24 for name in names)


# --- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("Anna", "nur die Organisation"), ("Paul", "nur die Organisation"),
     ("Stefan", "nur die Organisation"), ("Nora", "nur die Organisation")],
)  # fmt: skip
def test_only_organisers_see_and_decide(
    trial: Trial, platform_url: str, name: str, sentence: str
) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = disputes(session, found)[0]
        with pytest.raises(NotAllowed, match=sentence):
            disputes(session, found, name)
        with pytest.raises(NotAllowed, match=sentence):
            decide(session, found, dispute, 1, who=name)
        assert session.exec(select(Adjudication)).all() == []


def test_who_rates_in_the_round_decides_nothing(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = disputes(session, found)[0]
        anna = person(session, "Anna")
        anna.roles = [Role.EVALUATOR.value, Role.ORGANISER.value]
        session.add(anna)
        session.flush()
        with pytest.raises(NotAllowed, match="bewertet in Runde 1 selbst"):
            disputes(session, found, "Anna")
        with pytest.raises(NotAllowed, match="bewertet in Runde 1 selbst"):
            decide(session, found, dispute, 1, who="Anna")
        assert session.exec(select(Adjudication)).all() == []


def test_nobody_decides_on_the_own_house(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = disputes(session, found)[0]
        assert disputes(session, found, "Olga") == []  # of the house whose run is rated
        with pytest.raises(NotAllowed, match="eigenen Organisation"):
            decide(session, found, dispute, 1, who="Olga")
        assert building.house_id(session, HOUSE) == dispute.organisation_id
        assert session.exec(select(Adjudication)).all() == []


def test_unknown_round_is_named(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with reading() as session, pytest.raises(UnknownObject, match=r"Nr\. "):
        list_disputes(session, found.round_id + 998, actor=person(session))


# --- deciding -----------------------------------------------------------------------------------


def test_adopted_level_points_to_its_rating(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = the_dispute(session, found, "f-1", "NE")
        row = decide(session, found, dispute, 5)
        assert row.adopted_id is not None
        adopted = session.get_one(Rating, row.adopted_id)
        assert (adopted.level, adopted.output_id, adopted.criterion_id) == (5, *dispute.place)
        assert count_open_disputes(session, found.round_id) == 3
        again = the_dispute(session, found, "f-1", "NE")
        assert (again.level, again.open, again.token) == (5, False, dispute.token)
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "level_decided")).one()
        assert entry.subject == f"round/{found.round_id}"


def test_third_level_needs_a_reason(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = the_dispute(session, found, "f-1", "NE")
        with pytest.raises(InvalidRating, match="braucht eine Begründung"):
            decide(session, found, dispute, 3, reason="  ")
        row = decide(session, found, dispute, 3, reason=" Ton sachlich, Anrede fehlt ")
        assert (row.level, row.adopted_id, row.reason) == (3, None, "Ton sachlich, Anrede fehlt")


@pytest.mark.parametrize("level", [0, 6, 2.5, float("nan"), True])
def test_level_outside_the_scale_is_refused(trial: Trial, platform_url: str, level: float) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = disputes(session, found)[0]
        with pytest.raises(InvalidRating, match="erlaubt: 1-5"):
            decide(session, found, dispute, level, reason="weil")
        assert session.exec(select(Adjudication)).all() == []


def test_same_submission_changes_nothing(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute, other = disputes(session, found)[:2]
        name = str(uuid.uuid4())
        first = decide(session, found, dispute, 5, submission=name)
        assert decide(session, found, dispute, 1, submission=name).id == first.id
        assert session.exec(select(Adjudication.level)).all() == [5]
        with pytest.raises(InvalidRating, match="Kennung"):
            decide(session, found, other, 1, submission="keine-uuid")


def test_submission_of_somebody_else_is_refused(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        building.add_person(session, "Zoe Organisation", Role.ORGANISER, organisation=OTHER)
        dispute, name = disputes(session, found)[0], str(uuid.uuid4())
        decide(session, found, dispute, 5, submission=name)
        with pytest.raises(InvalidRating, match="gehört zu einem anderen"):
            decide(session, found, dispute, 5, submission=name, who="Zoe")


def test_revision_supersedes_and_the_row_stays(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = the_dispute(session, found, "f-1", "NE")
        decide(session, found, dispute, 5)
        decide(session, found, dispute, 1)
        decide(session, found, dispute, 1)  # confirmed once more
        rows = session.exec(select(Adjudication).order_by(col(Adjudication.id))).all()
        assert [(row.level, row.superseded_at is None) for row in rows] == [(5, False), (1, True)]


def test_released_round_is_decided_no_more(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = disputes(session, found)[0]
        release_round(session, found.round_id, actor=person(session))  # disputes may stay open
        with pytest.raises(WrongState, match="ist freigegeben"):
            decide(session, found, dispute, 5)
        assert session.exec(select(Adjudication)).all() == []


# --- ratings that change afterwards -------------------------------------------------------------


def test_changed_rating_reopens_the_dispute(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = the_dispute(session, found, "f-1", "NE")
        decide(session, found, dispute, 5)
        rate_again(session, found, "Anna", "f-1", NE=2)
        again = the_dispute(session, found, "f-1", "NE")
        assert (again.level, again.outdated, again.open) == (5, True, True)
        with pytest.raises(WrongState, match="inzwischen geändert"):
            decide(session, found, dispute, 5)  # what was seen is no longer so
        result = round_result(session, session.get_one(Round, found.round_id))
        assert result.n_adjudicated == 0
        assert decide(session, found, again, 5).level == 5
        assert count_open_disputes(session, found.round_id) == 3


def test_same_levels_given_again_leave_the_decision(trial: Trial, platform_url: str) -> None:
    """A rater who saves the output anew, for another criterion, changes no dispute of this one."""
    found = rated(trial)
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "NE"), 5)
        rate_again(session, found, "Anna", "f-1", NE=1, QU=3)
        assert not the_dispute(session, found, "f-1", "NE").outdated
        assert round_result(session, session.get_one(Round, found.round_id)).n_adjudicated == 1


def test_agreement_reached_later_ends_the_dispute(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "NE"), 1)
        rate_again(session, found, "Anna", "f-1", NE=5)
        assert "f-1" not in {case_of(session, each) for each in disputes(session, found)}
        (variant,) = round_result(session, session.get_one(Round, found.round_id)).variants
        assert variant.criteria["NE"].lowest == 3 - 1  # of f-4; the outdated 1 counts no more


# --- what counts --------------------------------------------------------------------------------


def test_score_counts_decisions_and_keeps_the_original(trial: Trial, platform_url: str) -> None:
    found = rated(trial, {"f-1": {"FR": (1, 5)}})
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "FR"), 5)
        result = release(session, found)
        (variant,) = result["variants"]
    # FR weighs 30: one of six cases rises from a mean of 3 to 5, which is half the scale.
    assert variant["score"] == pytest.approx(variant["score_original"] + 30 * 0.5 / 6)
    assert (result["n_adjudicated"], variant["n_adjudicated"]) == (1, 1)
    assert variant["criteria"]["FR"]["mean"] == pytest.approx((5 * 4 + 5) / 6)
    assert variant["n_ratings"] == 6 * 2 * len(CRITERIA)  # all the originals


def test_adjudication_decides_the_gate(trial: Trial, platform_url: str) -> None:
    found = rated(trial, {"f-1": {"FR": (1, 5)}, "f-2": {"DS": (1, 4)}})
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "FR"), 5)
        decide(session, found, the_dispute(session, found, "f-2", "DS"), 1)
        result = release(session, found)
    states = {gate["key"]: gate["state"] for gate in result["gates"]}
    assert states["keine-schaedliche-auskunft"] == "passed"
    assert states["keine-fremddaten"] == "missed"


def test_low_share_counts_decisions(trial: Trial, platform_url: str) -> None:
    found = rated(trial, {"f-1": {"VS": (1, 5)}})
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "VS"), 2, reason="lang")
        (variant,) = release(session, found)["variants"]
    assert variant["low_share"] == pytest.approx(1 / 6)


def test_agreement_stays_that_of_the_originals(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        round_ = session.get_one(Round, found.round_id)
        before = round_agreement(session, round_)
        for dispute in disputes(session, found):
            decide(session, found, dispute, 5, reason="so")
        assert round_agreement(session, round_) == before
        assert before["NE"].alpha["ordinal"].value is not None


def test_results_without_decision_are_the_same_twice(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        result = release(session, found)
    (variant,) = result["variants"]
    assert variant["score"] == variant["score_original"]
    assert (result["n_adjudicated"], variant["n_adjudicated"]) == (0, 0)


def test_case_scores_mean_is_the_score(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "NE"), 5)
        round_ = session.get_one(Round, found.round_id)
        scores = case_scores(session, round_)
        (variant,) = round_result(session, round_).variants
    assert list(scores.columns) == ["variant", "case", "score"]
    assert len(scores) == 6
    assert scores["score"].mean() == pytest.approx(variant.score.mean)


# --- the sheet of one dispute -------------------------------------------------------------------


def test_sheet_shows_ratings_under_pseudonyms(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = the_dispute(session, found, "f-1", "NE")
        round_ = session.get_one(Round, found.round_id)
        anna = session.exec(
            select(Rater).where(Rater.person_id == person(session, "Anna").id)
        ).one()
        session.add(
            Remark(
                rater_id=row_id(anna.id), output_id=dispute.place[0], text="Die Anrede kränkt.",
                passages=[{"start": 0, "end": 7, "criterion": "NE"},
                          {"start": 8, "end": 11, "criterion": "FR"}],
                submission=str(uuid.uuid4()),
            )
        )  # fmt: skip
        rating = session.exec(
            select(Rating).where(
                Rating.rater_id == anna.id, Rating.output_id == dispute.place[0],
                Rating.criterion_id == dispute.place[1],
            )
        ).one()  # fmt: skip
        rating.comment = "Duzt die Person."
        session.add(rating)
        session.flush()
        sheet = dispute_sheet(session, round_, dispute)
        pseudonyms = sorted(session.exec(select(Rater.pseudonym)).all())
        by_anna = next(each for each in sheet.ratings if each.pseudonym == anna.pseudonym)
    assert [each.pseudonym for each in sheet.ratings] == pseudonyms
    assert sorted(each.level for each in sheet.ratings) == [1, 5]
    assert (by_anna.comment, by_anna.remark) == ("Duzt die Person.", "Die Anrede kränkt.")
    assert sheet.criterion.key == "NE"
    assert sorted(sheet.criterion.levels) == [1, 2, 3, 4, 5]
    assert sheet.input == "Wann bekomme ich Geld?"
    # The passage for another criterion is none of this dispute.
    assert [(each.text, each.marked_by) for each in sheet.output] == [
        ("Antwort", (by_anna.pseudonym,)), (" von eins auf f-1", ()),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spans", "pieces"),
    [
        ([], [("abcdef", "")]),
        ([(1, 3, "X")], [("a", ""), ("bc", "X"), ("def", "")]),
        ([(0, 4, "X"), (2, 6, "Y")], [("ab", "X"), ("cd", "XY"), ("ef", "Y")]),
        ([(4, 99, "X"), (3, 3, "Y"), (-5, 1, "Z")], [("a", "Z"), ("bcd", ""), ("ef", "X")]),
    ],
)
def test_marked_text_is_cut_where_marks_meet(
    spans: list[tuple[int, int, str]], pieces: list[tuple[str, str]]
) -> None:
    passages = [({"start": start, "end": end}, who) for start, end, who in spans]
    found = marked_segments("abcdef", passages)
    assert [(each.text, "".join(each.marked_by)) for each in found] == pieces


def test_command_line_says_what_was_adjudicated(trial: Trial, platform_url: str, call: Any) -> None:
    found = rated(trial, {"f-1": {"FR": (1, 5)}})
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "FR"), 5)
        release(session, found)
    # FR at 5 and 3 in one of six cases, all else 4: 76.25 and 73.75 of 100.
    shown = call("compare", found.slug).out
    assert "1 Urteil geklärt; Punktwert ohne Klärung: System eins 73,8" in shown
    assert "76,2" in shown
