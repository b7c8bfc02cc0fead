"""Adjudication: what is disputed, who may decide, what a decision changes and what it leaves."""

import uuid
from typing import Any

import building
import pytest
from building import HOUSE, OTHER, Trial
from disputed import case_of, decide, disputes, person, rate_again, rated, the_dispute
from sqlmodel import col, select

from reallabor.database import reading, transaction
from reallabor.errors import InvalidRating, NotAllowed, UnknownObject, WrongState
from reallabor.models import Adjudication, AuditEntry, Quarantine, Rating, Role, Round, row_id
from reallabor.rating.adjudicating import count_open_disputes, list_disputes
from reallabor.rating.results import round_result
from reallabor.rating.rounds import release_round

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
