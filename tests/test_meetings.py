"""Meetings: planned, opened, closed; who may, who may take part, and drafts that nobody loses."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import building
import meeting
import pytest
from building import HOUSE, Trial
from meeting import CHAIR, GUEST, ORGANISER, OTHER, PILOT, Gathering, gather_people, named
from sqlmodel import Session, SQLModel, func, select

from reallabor.database import reading, transaction
from reallabor.deciding.conflicts import declare_conflict, withdraw_conflict
from reallabor.deciding.decisions import decide
from reallabor.deciding.drafts import read_draft, save_draft
from reallabor.deciding.meeting_views import list_meetings, meeting_json, meeting_view
from reallabor.deciding.meetings import (
    add_guest,
    add_member,
    change_meeting,
    close_meeting,
    open_meeting,
    plan_meeting,
    voting_people,
)
from reallabor.deciding.voting import cast_vote, close_motion, open_motion, set_presence
from reallabor.errors import InvalidMeeting, NotAllowed, UnknownObject, WrongState
from reallabor.german import today
from reallabor.models import (
    AgendaItem,
    AuditEntry,
    Conflict,
    Decision,
    Meeting,
    Motion,
    Organisation,
    Participant,
    Person,
    Role,
    Tally,
    Vote,
    row_id,
)

TABLES: tuple[type[SQLModel], ...] = (
    Meeting, Participant, AgendaItem, Conflict, Motion, Vote, Tally, Decision, AuditEntry,
)  # fmt: skip


def state(session: Session) -> list[Any]:
    """Every row of what a meeting writes."""
    return [session.execute(table.__table__.select()).all() for table in TABLES]


def count(session: Session, table: type[SQLModel]) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


# --- who may ------------------------------------------------------------------------------------

Act = Callable[[Session, Gathering, Person], object]
PEOPLE = {
    "organiser": ORGANISER, "pilot": "Paul Pilot", "steering": CHAIR, "evaluator": "Anna Bewertung",
    "nobody": "Nora Niemand",
}  # fmt: skip


def _motion(session: Session) -> int:
    return row_id(session.exec(select(Motion.id)).one())


ACTIONS: dict[str, tuple[Act, set[str]]] = {
    "plan": (lambda s, g, who: plan_meeting(s, meeting.plan(s, g.slug), actor=who), {"organiser"}),
    "close": (lambda s, g, who: (close_motion(s, _motion(s), actor=named(s, ORGANISER)),
                                 close_meeting(s, g.meeting_id, actor=who)), {"organiser"}),
    "come": (lambda s, g, who: set_presence(s, g.people[PILOT], True, actor=who), {"organiser"}),
    "guest": (lambda s, g, who: add_guest(s, g.meeting_id, "Gast", actor=who), {"organiser"}),
    "close the vote": (lambda s, _, who: close_motion(s, _motion(s), actor=who), {"organiser"}),
    "vote for the chair": (
        lambda s, g, who: cast_vote(s, _motion(s), g.people[CHAIR], "ja", actor=who),
        {"organiser", "steering"}),
    "vote for another": (
        lambda s, g, who: cast_vote(s, _motion(s), g.people[OTHER], "ja", actor=who),
        {"organiser"}),
    "conflict of another": (
        lambda s, g, who: declare_conflict(s, g.item_id, g.people[PILOT], "Nähe", actor=who),
        {"organiser"}),
    "draft": (
        lambda s, g, who: save_draft(s, g.item_id, note="N", draft={}, actor=who,
                                     seen=read_draft(s, g.item_id)[2]),
        {"organiser", "steering"}),
}  # fmt: skip


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("action", ACTIONS)
def test_only_the_right_role_may_act(released: Trial, action: str, role: str) -> None:
    act, allowed = ACTIONS[action]
    gathering = gather_people(released)
    meeting.put(gathering, "Nachbessern")
    with reading() as session:
        before = state(session)
    if role in allowed:
        with transaction() as session:
            act(session, gathering, named(session, PEOPLE[role]))
        with reading() as session:
            assert state(session) != before
        return
    with pytest.raises(NotAllowed, match=f"'{PEOPLE[role]}'"), transaction() as session:
        act(session, gathering, named(session, PEOPLE[role]))
    with reading() as session:
        assert state(session) == before


# --- planning -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"title": "  "}, "einen Titel geben"),
        ({"slugs": []}, "mindestens ein Szenario"),
        ({"members": []}, "mindestens ein stimmberechtigtes Mitglied"),
        ({"quorum": 4}, "Beschlussfähig ab 4 geht nicht: Eingeladen sind 3"),
        ({"quorum": 0}, "Beschlussfähig ab 0 geht nicht"),
        ({"guests": [CHAIR]}, f"'{CHAIR}' steht schon auf der Liste"),
    ],
)
def test_broken_plan_stores_nothing(
    released: Trial, change: dict[str, Any], sentence: str
) -> None:  # fmt: skip
    with reading() as session:
        plan = replace(meeting.plan(session, released.slug), **change)
    with pytest.raises(InvalidMeeting, match=sentence), transaction() as session:
        plan_meeting(session, plan, actor=named(session, ORGANISER))
    with reading() as session:
        assert count(session, Meeting) == count(session, Participant) == 0


def test_plan_names_unknown_objects(released: Trial) -> None:
    for change, sentence in (({"slugs": ["nichts"]}, "Szenario 'nichts'"),
                             ({"profile": "Streng"}, "Gewichtsprofil 'Streng'")):  # fmt: skip
        with reading() as session:
            plan = replace(meeting.plan(session, released.slug), **change)
        with pytest.raises(UnknownObject, match=sentence), transaction() as session:
            plan_meeting(session, plan, actor=named(session, ORGANISER))


def test_withdrawn_house_sends_nobody_new(released: Trial) -> None:
    with transaction() as session:
        house = session.exec(select(Organisation).where(Organisation.name == HOUSE)).one()
        house.left_on = today()
        session.add(house)
    with pytest.raises(InvalidMeeting, match=f"'{PILOT}' kommt von '{HOUSE}'"):
        gather_people(released)
    with reading() as session:
        assert PILOT not in {person.name for person in voting_people(session)}
        assert {CHAIR, OTHER} <= {person.name for person in voting_people(session)}


def test_only_members_get_a_vote(released: Trial) -> None:
    gathering = gather_people(released)
    with reading() as session:
        view = meeting_view(session, gathering.meeting_id)
    assert {each.name: each.has_vote for each in view.participants} == {
        CHAIR: True, OTHER: True, PILOT: True, GUEST: False,
    }  # fmt: skip
    with pytest.raises(InvalidMeeting, match="gehört nicht zum Lenkungskreis"):  # noqa: SIM117
        with transaction() as session:
            add_member(session, gathering.meeting_id, named(session, "Paul Pilot"),
                       actor=named(session, ORGANISER))  # fmt: skip


def test_planned_meeting_can_be_changed_until_it_opens(released: Trial) -> None:
    gathering = gather_people(released, opened=False)
    with transaction() as session:
        plan = replace(meeting.plan(session, released.slug, quorum=1), title="Verschoben",
                       held_on=today() + timedelta(days=9), guests=["Neu"])  # fmt: skip
        change_meeting(session, gathering.meeting_id, plan, actor=named(session, ORGANISER))
    with transaction() as session:
        view = meeting_view(session, gathering.meeting_id)
        assert (view.meeting.title, view.meeting.quorum) == ("Verschoben", 1)
        assert [each.name for each in view.participants] == [CHAIR, OTHER, PILOT, "Neu"]
        open_meeting(session, gathering.meeting_id, actor=named(session, ORGANISER))
    with pytest.raises(WrongState, match="hat schon begonnen"), transaction() as session:
        change_meeting(session, gathering.meeting_id, plan, actor=named(session, ORGANISER))


def test_nothing_happens_before_opening(released: Trial) -> None:
    gathering = gather_people(released, opened=False)
    with pytest.raises(WrongState, match="hat noch nicht begonnen"):
        meeting.put(gathering, "Beenden")


def test_closed_meeting_never_changes(released: Trial) -> None:
    gathering = gather_people(released)
    motion = meeting.put(gathering, "Beenden")
    with pytest.raises(WrongState, match="noch abgestimmt"), transaction() as session:
        close_meeting(session, gathering.meeting_id, actor=named(session, ORGANISER))
    with transaction() as session:
        close_motion(session, motion, actor=named(session, ORGANISER))
        close_meeting(session, gathering.meeting_id, actor=named(session, ORGANISER))
    with reading() as session:
        before = state(session)
    organiser: list[Callable[[Session, Person], object]] = [
        lambda s, who: close_meeting(s, gathering.meeting_id, actor=who),
        lambda s, who: set_presence(s, gathering.people[CHAIR], False, actor=who),
        lambda s, who: open_motion(s, gathering.item_id, "Beenden", secret=False, actor=who),
        lambda s, who: add_guest(s, gathering.meeting_id, "Spät", actor=who),
        lambda s, who: declare_conflict(s, gathering.item_id, gathering.people[PILOT], "",
                                        actor=who),
        lambda s, who: save_draft(s, gathering.item_id, note="Neu", draft={}, actor=who, seen=""),
        lambda s, who: decide(s, gathering.slug, verdict="Beenden", reason="G", name="N",
                              item_id=gathering.item_id, actor=who),
    ]  # fmt: skip
    for act in organiser:
        with pytest.raises(WrongState, match="ist geschlossen"), transaction() as session:
            act(session, named(session, ORGANISER))
    with reading() as session:
        assert state(session) == before
        assert [each.state for each in list_meetings(session)] == ["geschlossen"]


def test_late_comers_can_be_added_while_open(released: Trial) -> None:
    gathering = gather_people(released)
    with transaction() as session:
        building.add_person(session, "Nils Nachzug", Role.STEERING)
        add_member(session, gathering.meeting_id, named(session, "Nils Nachzug"),
                   actor=named(session, ORGANISER))  # fmt: skip
        add_guest(session, gathering.meeting_id, "Gerd Gast", actor=named(session, ORGANISER))
    with reading() as session:
        view = meeting_view(session, gathering.meeting_id)
        assert view.n_present == 3
        assert meeting_json(view)["items"][0]["state"] == "offen"


# --- conflicts ----------------------------------------------------------------------------------


def test_own_pilot_is_shown_and_may_vote(released: Trial) -> None:
    gathering = gather_people(released, present=(CHAIR, PILOT))
    with reading() as session:
        (item,) = meeting_view(session, gathering.meeting_id).items
    assert [(each.name, each.kind, each.organisation) for each in item.conflicts] == [
        (PILOT, "own_pilot", HOUSE)
    ]
    motion = meeting.put(gathering, "Nachbessern")
    meeting.vote(gathering, motion, PILOT, "nein")


def test_member_declares_own_conflict(released: Trial) -> None:
    gathering = gather_people(released)
    with transaction() as session:
        declare_conflict(session, gathering.item_id, gathering.people[PILOT], "Mein Projekt",
                         actor=named(session, PILOT))  # fmt: skip
    with reading() as session:
        (item,) = meeting_view(session, gathering.meeting_id).items
    assert [(each.name, each.kind, each.reason) for each in item.conflicts] == [
        (PILOT, "declared", "Mein Projekt")
    ]
    with transaction() as session:
        withdraw_conflict(session, gathering.item_id, gathering.people[PILOT],
                          actor=named(session, PILOT))  # fmt: skip
    with reading() as session:
        assert count(session, Conflict) == 0


def test_conflict_after_the_vote_is_refused(released: Trial) -> None:
    gathering = gather_people(released)
    motion = meeting.put(gathering, "Nachbessern")
    meeting.vote(gathering, motion, CHAIR, "ja")
    with pytest.raises(WrongState, match="hat zu diesem Punkt schon abgestimmt"):  # noqa: SIM117
        with transaction() as session:
            declare_conflict(session, gathering.item_id, gathering.people[CHAIR], "",
                             actor=named(session, CHAIR))  # fmt: skip


# --- drafts -------------------------------------------------------------------------------------


def test_draft_is_not_overwritten_silently(released: Trial) -> None:
    gathering = gather_people(released)
    with transaction() as session:
        seen = read_draft(session, gathering.item_id)[2]
        save_draft(session, gathering.item_id, note="Erst so", draft={"reason": "Grund"}, seen=seen,
                   actor=named(session, ORGANISER))  # fmt: skip
    with pytest.raises(WrongState, match="Jemand anderes hat diesen Punkt"):  # noqa: SIM117
        with transaction() as session:
            save_draft(session, gathering.item_id, note="Dann so", draft={}, seen=seen,
                       actor=named(session, CHAIR))  # fmt: skip
    with reading() as session:
        note, draft, newer = read_draft(session, gathering.item_id)
    assert (note, draft) == ("Erst so", {"reason": "Grund"})
    with transaction() as session:
        save_draft(session, gathering.item_id, note="Dann so", draft=draft, seen=newer,
                   actor=named(session, CHAIR))  # fmt: skip
    with reading() as session:
        assert read_draft(session, gathering.item_id)[0] == "Dann so"


def test_changing_the_plan_keeps_drafts(released: Trial) -> None:
    gathering = gather_people(released, opened=False)
    with transaction() as session:
        item = session.get_one(AgendaItem, gathering.item_id)
        item.note = "Vorab notiert"
        session.add(item)
    with transaction() as session:
        change_meeting(session, gathering.meeting_id, meeting.plan(session, released.slug),
                       actor=named(session, ORGANISER))  # fmt: skip
    with reading() as session:
        assert session.exec(select(AgendaItem.note)).all() == ["Vorab notiert"]
