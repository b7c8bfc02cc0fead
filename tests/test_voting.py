"""Votes: what counts, what is refused in a sentence, and what a secret vote never tells."""

import logging

import meeting
import pytest
from building import HOUSE, Trial
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from meeting import CHAIR, GUEST, ORGANISER, OTHER, PILOT, gather_people, named, put, vote
from sqlalchemy import text
from sqlmodel import select

from reallabor.database import reading, transaction
from reallabor.deciding.conflicts import declare_conflict
from reallabor.deciding.evidence import gather
from reallabor.deciding.meeting_views import meeting_view
from reallabor.deciding.meetings import close_meeting
from reallabor.deciding.voting import MotionResult, close_motion, open_motion, set_presence
from reallabor.errors import InvalidMeeting, VoteRefused, WrongState
from reallabor.german import today
from reallabor.models import AuditEntry, Motion, Organisation, Tally, Vote


def close(motion_id: int) -> MotionResult:
    with transaction() as session:
        return close_motion(session, motion_id, actor=named(session, ORGANISER))


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.booleans(), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_adopted_needs_more_yes_than_no_and_quorum(
    yes: int, no: int, abstain: int, quorate: bool, closed: bool
) -> None:
    result = MotionResult(yes, no, abstain, yes + no + abstain, quorate, closed)
    assert result.adopted is (closed and quorate and yes > no)


@pytest.mark.parametrize("secret", [False, True])
def test_votes_are_counted(released: Trial, secret: bool) -> None:
    gathering = gather_people(released, present=(CHAIR, OTHER, PILOT))
    motion = put(gathering, "Nachbessern", secret=secret)
    vote(gathering, motion, CHAIR, "ja")
    vote(gathering, motion, OTHER, "Enthaltung", by=ORGANISER)
    vote(gathering, motion, PILOT, "ja")
    result = close(motion)
    assert (result.yes, result.no, result.abstain, result.adopted) == (2, 0, 1, True)
    with reading() as session:
        (frozen,) = gather(session, gathering.slug, meeting_item_id=gathering.item_id)["meeting"][
            "motions"
        ]
    assert (frozen["yes"], frozen["no"], frozen["abstain"]) == (2, 0, 1)
    assert frozen["votes"] == (
        None if secret else [
            {"name": OTHER, "choice": "Enthaltung", "on_call": True},
            {"name": PILOT, "choice": "ja", "on_call": False},
            {"name": CHAIR, "choice": "ja", "on_call": False},
        ]
    )  # fmt: skip
    assert frozen["on_call"] == 1


def test_tie_is_no_majority(released: Trial) -> None:
    gathering = gather_people(released)
    motion = put(gathering, "Nachbessern")
    vote(gathering, motion, CHAIR, "ja")
    vote(gathering, motion, OTHER, "nein")
    assert not close(motion).adopted


def test_leaving_later_changes_no_result(released: Trial) -> None:
    gathering = gather_people(released)
    meeting.adopt(gathering, "Beenden")
    with transaction() as session:
        set_presence(session, gathering.people[OTHER], False, actor=named(session, ORGANISER))
    with reading() as session:
        (item,) = meeting_view(session, gathering.meeting_id).items
        record = gather(session, gathering.slug, meeting_item_id=gathering.item_id)["meeting"]
    assert item.adopted is not None
    assert (record["n_present_voting"], record["quorate"]) == (2, True)


def test_refusals_are_sentences(released: Trial) -> None:
    gathering = gather_people(released)
    with transaction() as session:
        declare_conflict(session, gathering.item_id, gathering.people[OTHER], "Nähe",
                         actor=named(session, OTHER))  # fmt: skip
    motion = put(gathering, "Nachbessern")
    vote(gathering, motion, CHAIR, "ja")
    for name, choice, sentence in (
        (CHAIR, "nein", "hat zu diesem Antrag schon abgestimmt"),
        (OTHER, "ja", "ist bei diesem Punkt befangen"),
        (PILOT, "ja", "ist nicht als anwesend eingetragen"),
        (GUEST, "ja", "ist zu Gast und hat keine Stimme"),
        (CHAIR, "vielleicht", "'vielleicht' ist keine Stimme"),
    ):
        with pytest.raises(VoteRefused, match=sentence):
            vote(gathering, motion, name, choice, by=ORGANISER)
    close(motion)
    with pytest.raises(VoteRefused, match="Die Abstimmung ist geschlossen"):
        vote(gathering, motion, OTHER, "ja", by=ORGANISER)
    with reading() as session:
        assert len(session.exec(select(Vote)).all()) == 1


def test_vote_of_withdrawn_house_does_not_count(released: Trial) -> None:
    gathering = gather_people(released, present=(CHAIR, OTHER, PILOT))
    motion = put(gathering, "Nachbessern")
    with transaction() as session:
        house = session.exec(select(Organisation).where(Organisation.name == HOUSE)).one()
        house.left_on = today()
        session.add(house)
    with pytest.raises(VoteRefused, match="ist ausgeschieden"):
        vote(gathering, motion, PILOT, "ja")


def retire(name: str) -> None:
    with transaction() as session:
        person = named(session, name)
        person.active = False
        session.add(person)


def test_inactive_member_neither_votes_nor_is_waited_for(released: Trial) -> None:
    gathering = gather_people(released, present=(CHAIR, OTHER, PILOT))
    motion = put(gathering, "Nachbessern")
    vote(gathering, motion, CHAIR, "ja")
    retire(OTHER)
    with pytest.raises(VoteRefused, match=f"'{OTHER}' ist im Reallabor nicht mehr aktiv"):
        vote(gathering, motion, OTHER, "ja", by=ORGANISER)
    with reading() as session:
        view = meeting_view(session, gathering.meeting_id)
    (item,) = view.items
    assert list(item.obstacles) == [gathering.people[OTHER]]
    assert view.n_present == 2
    with transaction() as session:
        set_presence(session, gathering.people[OTHER], False, actor=named(session, ORGANISER))
    with pytest.raises(InvalidMeeting, match="nicht mehr aktiv"), transaction() as session:
        set_presence(session, gathering.people[OTHER], True, actor=named(session, ORGANISER))


def test_member_who_left_the_group_has_no_vote_on_call(released: Trial) -> None:
    gathering = gather_people(released, present=(CHAIR, OTHER, PILOT))
    motion = put(gathering, "Nachbessern")
    with transaction() as session:
        person = named(session, OTHER)
        person.roles = ["evaluator"]
        session.add(person)
    with pytest.raises(VoteRefused, match=f"'{OTHER}' gehört nicht mehr zum Lenkungskreis."):
        vote(gathering, motion, OTHER, "ja", by=ORGANISER)
    with reading() as session:
        assert meeting_view(session, gathering.meeting_id).n_present == 2


def test_inactive_member_makes_no_quorum(released: Trial) -> None:
    gathering = gather_people(released)
    retire(OTHER)
    with pytest.raises(VoteRefused, match="Nicht beschlussfähig: 1 von mindestens 2"):
        put(gathering, "Nachbessern")


def test_member_whose_house_left_makes_no_quorum(released: Trial) -> None:
    gathering = gather_people(released)
    with transaction() as session:
        house_id = named(session, OTHER).organisation_id
        session.get_one(Organisation, house_id).left_on = today()
    with pytest.raises(VoteRefused, match="Nicht beschlussfähig: 1 von mindestens 2"):
        put(gathering, "Nachbessern")


def test_retiring_later_changes_no_result(released: Trial) -> None:
    gathering = gather_people(released, present=(CHAIR, OTHER, PILOT))
    first = meeting.adopt(gathering, "Beenden")
    second = put(gathering, "Nachbessern")
    vote(gathering, second, OTHER, "ja")
    retire(OTHER)
    with reading() as session:
        motions = meeting_view(session, gathering.meeting_id).items[0].motions
    assert [each.motion_id for each in motions] == [first, second]
    before = motions[0].result
    assert (before.yes, before.n_present, before.adopted) == (2, 3, True)
    assert close(second).yes == 1  # cast while it counted
    with transaction() as session:
        close_meeting(session, gathering.meeting_id, actor=named(session, ORGANISER))
    with reading() as session:
        view = meeting_view(session, gathering.meeting_id)
        record = gather(session, gathering.slug, meeting_item_id=gathering.item_id)["meeting"]
    assert view.items[0].motions[0].result == before
    assert view.n_present == 3  # a closed meeting tells who was there
    assert [each["yes"] for each in record["motions"]] == [2, 1]


def test_without_quorum_nobody_votes(released: Trial) -> None:
    gathering = gather_people(released, present=(CHAIR,))
    with pytest.raises(VoteRefused, match="Nicht beschlussfähig: 1 von mindestens 2"):
        put(gathering, "Nachbessern")
    with transaction() as session:
        set_presence(session, gathering.people[OTHER], True, actor=named(session, ORGANISER))
    motion = put(gathering, "Nachbessern")
    vote(gathering, motion, CHAIR, "ja")
    with transaction() as session:
        set_presence(session, gathering.people[CHAIR], False, actor=named(session, ORGANISER))
    with pytest.raises(VoteRefused, match="Nicht beschlussfähig"):
        vote(gathering, motion, OTHER, "ja", by=ORGANISER)
    result = close(motion)
    assert (result.yes, result.quorate, result.adopted) == (1, False, False)


def test_one_motion_at_a_time(released: Trial) -> None:
    gathering = gather_people(released)
    motion = put(gathering, "Nachbessern")
    with pytest.raises(WrongState, match="wird schon abgestimmt"), transaction() as session:
        open_motion(session, gathering.item_id, "Beenden", secret=False,
                    actor=named(session, ORGANISER))  # fmt: skip
    close(motion)
    with pytest.raises(WrongState, match="schon geschlossen"):
        close(motion)
    second = put(gathering, "Beenden")
    with reading() as session:
        assert session.get_one(Motion, second).number == 2


def test_secret_vote_leaves_no_trace(
    released: Trial, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    gathering = gather_people(released, present=(CHAIR, OTHER, PILOT))
    motion = put(gathering, "Beenden", secret=True)
    with caplog.at_level(logging.DEBUG, "reallabor"):
        for name, choice in ((PILOT, "nein"), (CHAIR, "ja"), (OTHER, "ja")):
            vote(gathering, motion, name, choice)
    with reading() as session:
        (item,) = meeting_view(session, gathering.meeting_id).items
        assert item.open_motion is not None
        assert item.open_motion.result.yes == item.open_motion.result.no == 0  # not told yet
        assert set(item.open_motion.choices.values()) == {None}
        assert {each.choice for each in session.exec(select(Vote))} == {None}
        assert {row.choice: row.n for row in session.exec(select(Tally))} == {
            "ja": 2, "nein": 1, "Enthaltung": 0,
        }  # fmt: skip
        said = str([entry.details for entry in session.exec(select(AuditEntry))]) + caplog.text
    assert "nein" not in said
    result = close(motion)
    assert (result.yes, result.no) == (2, 1)


def test_rows_of_a_secret_vote_bear_no_common_stamp(released: Trial, backend: str) -> None:
    """PostgreSQL keeps with every row which transaction wrote it last: anybody can select it."""
    if backend != "postgresql":
        pytest.skip("SQLite keeps no such column")
    gathering = gather_people(released, present=(CHAIR, OTHER, PILOT))
    motion = put(gathering, "Beenden", secret=True)
    for name, choice in ((CHAIR, "ja"), (OTHER, "nein"), (PILOT, "Enthaltung")):
        vote(gathering, motion, name, choice)
        with reading() as session:
            stamps = session.connection().execute(text("SELECT DISTINCT xmin::text FROM tally"))
            assert len(stamps.all()) == 1
