"""Declining, joining and leaving in a running round: others take over, what is rated stays."""

from collections import Counter

import building
import pytest
from building import HOUSE, OTHER, Trial, person, the_round
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from reallabor.database import reading, transaction
from reallabor.errors import NotAllowed, UnknownObject, WrongState
from reallabor.models import (
    Assignment,
    AuditEntry,
    EndReason,
    Output,
    Person,
    Rater,
    Rating,
    Role,
    Round,
    TrialRun,
)
from reallabor.rating.membership import decline_case, join_round, leave_round
from reallabor.rating.rounds import open_round, release_round
from reallabor.rating.sheet import list_open_ratings, load_sheet


def organiser(session: Session) -> Person:
    return person(session, "Olga Organisation")


def tokens(session: Session, name: str = "Anna Bewertung") -> list[str]:
    return [
        item.token
        for item in load_sheet(session, 1, actor=person(session, name), position=1, after=99).items
    ]


def holders(session: Session) -> dict[int, set[str]]:
    """Who has each output."""
    found: dict[int, set[str]] = {}
    for output, name in session.exec(
        select(Assignment.output_id, Person.name)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Person, col(Person.id) == Rater.person_id)
        .where(col(Assignment.ended_at).is_(None))
    ):
        found.setdefault(output, set()).add(name)
    return found


def cases(session: Session) -> dict[str, list[int]]:
    """The cases of everybody in their order, once per output."""
    found: dict[str, list[int]] = {}
    for name, case in session.exec(
        select(Person.name, Output.case_id)
        .join(Rater, col(Rater.person_id) == Person.id)
        .join(Assignment, col(Assignment.rater_id) == Rater.id)
        .join(Output, col(Output.id) == Assignment.output_id)
        .where(col(Assignment.ended_at).is_(None))
        .order_by(Person.name, col(Assignment.position))
    ):
        found.setdefault(name, []).append(case)
    return found


def test_declined_case_goes_to_somebody_else(opened: Trial) -> None:
    with transaction() as session:
        before = tokens(session)
        decline_case(
            session, actor=person(session), token=before[0], reason=EndReason.CONFLICT
        )  # fmt: skip
    with reading() as session:
        assert all(len(names) == 2 for names in holders(session).values())
        assert len(tokens(session)) == len(before) - 3, "all variants of the case are gone"
        assert before[0] not in tokens(session)
        loads = {name: len(set(mine)) for name, mine in cases(session).items()}
        assert sum(loads.values()) == 12
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "case_declined")).one()
        assert entry.details["reason"] == "conflict"


def test_declining_twice_changes_nothing(opened: Trial) -> None:
    with transaction() as session:
        token = tokens(session)[0]
        decline_case(session, actor=person(session), token=token, reason=EndReason.UNREADABLE)
    with reading() as session:
        before = holders(session)
    with transaction() as session:
        decline_case(session, actor=person(session), token=token, reason=EndReason.UNREADABLE)
    with reading() as session:
        assert holders(session) == before


def test_rated_variant_of_a_declined_case_stays(opened: Trial) -> None:
    with transaction() as session:
        mine = session.exec(
            select(Assignment, Output.case_id)
            .join(Output)
            .join(Rater)
            .where(Rater.person_id == person(session).id)
        ).all()
        case = mine[0][1]
        rated, declined, third = (a for a, of in mine if of == case)
        building.rate(session, person(session), rated.token)
        with pytest.raises(WrongState, match="schon bewertet"):
            decline_case(
                session, actor=person(session), token=rated.token, reason=EndReason.CONFLICT
            )
        decline_case(
            session, actor=person(session), token=declined.token, reason=EndReason.CONFLICT
        )
        left = tokens(session)
        assert rated.token in left
        assert {declined.token, third.token}.isdisjoint(left)
        assert len(session.exec(select(Rating)).all()) == 6
        assert all(len(names) >= 2 for names in holders(session).values())


def test_nobody_left_keeps_the_round_going(opened: Trial) -> None:
    """With all three declining one case, it stays without raters and the round can be released."""
    with transaction() as session:
        case = session.exec(select(Output.case_id)).first()
        names = ("Anna Bewertung", "Bert Bewertung", "Cora Bewertung")
        for name in sorted(names, key=lambda name: case not in cases(session)[name]):
            token = session.exec(
                select(Assignment.token)
                .join(Output)
                .join(Rater)
                .where(
                    Rater.person_id == person(session, name).id,
                    Output.case_id == case,
                    col(Assignment.ended_at).is_(None),
                )
            ).first()
            assert token
            decline_case(
                session, actor=person(session, name), token=token, reason=EndReason.CONFLICT
            )
        assert len(holders(session)) == 15
        building.rate(session, person(session), tokens(session)[0])
        release_round(session, 1, actor=organiser(session))


def test_declining_is_for_ones_own_open_case(opened: Trial) -> None:
    with transaction() as session:
        foreign = (set(tokens(session, "Bert Bewertung")) - set(tokens(session))).pop()
        with pytest.raises(NotAllowed, match="nicht zugeteilt"):
            decline_case(session, actor=person(session), token=foreign, reason=EndReason.CONFLICT)
        with pytest.raises(WrongState, match="Grund"):
            decline_case(
                session, actor=person(session), token=tokens(session)[0], reason=EndReason.MOVED
            )
        building.rate(session, person(session), tokens(session)[0])
        token = tokens(session)[1]
        release_round(session, 1, actor=organiser(session))
        with pytest.raises(WrongState, match="freigegeben"):
            decline_case(session, actor=person(session), token=token, reason=EndReason.CONFLICT)


def test_score_for_a_declined_case_is_refused(opened: Trial) -> None:
    with transaction() as session:
        token = tokens(session)[0]
        decline_case(session, actor=person(session), token=token, reason=EndReason.CONFLICT)
        with pytest.raises(WrongState, match="abgelehnt"):
            building.rate(session, person(session), token)
        assert session.exec(select(Rating)).all() == []


def test_late_joiner_takes_what_nobody_began(opened: Trial) -> None:
    with transaction() as session:
        anna = person(session)
        done = tokens(session)[:2]
        for token in done:
            building.rate(session, anna, token)
        before = {name: len(set(mine)) for name, mine in cases(session).items()}
        late = building.add_person(session, "Dana Bewertung", Role.EVALUATOR)
        number = join_round(session, 1, person=late, actor=organiser(session))
    with reading() as session:
        after = {name: len(set(mine)) for name, mine in cases(session).items()}
        assert set(before.values()) == {4}
        assert after == dict.fromkeys(after, 3)
        assert number == 3
        assert set(done) <= set(tokens(session)), "finished work is not touched"
        assert all(len(names) == 2 for names in holders(session).values())
        assert list_open_ratings(session, person(session, "Dana Bewertung"))[0].total == 9


def test_score_under_way_counts_though_the_case_moved(opened: Trial) -> None:
    with transaction() as session:
        before = tokens(session)
        late = building.add_person(session, "Dana Bewertung", Role.EVALUATOR)
        join_round(session, 1, person=late, actor=organiser(session))
        (moved, *_) = set(before) - set(tokens(session))
        building.rate(session, person(session), moved, 2)
    with reading() as session:
        assert {rating.level for rating in session.exec(select(Rating))} == {2}
        assert moved in tokens(session), "whoever rated it may look at it again"


def test_insider_gets_nothing_of_the_own_house(opened: Trial) -> None:
    with transaction() as session:
        insider = building.add_person(session, "Ines Insider", Role.EVALUATOR, organisation=HOUSE)
        assert join_round(session, 1, person=insider, actor=organiser(session)) == 0
        assert list_open_ratings(session, insider) == []


def test_leaver_keeps_the_rated_and_others_take_the_rest(opened: Trial) -> None:
    with transaction() as session:
        anna = person(session)
        building.rate(session, anna, tokens(session)[0])
        leave_round(session, 1, person=anna, actor=organiser(session))
    with reading() as session:
        assert list_open_ratings(session, person(session)) == []
        assert len(session.exec(select(Rating)).all()) == 6
        bert_and_cora = {"Bert Bewertung", "Cora Bewertung"}
        assert all(bert_and_cora <= names for names in holders(session).values())
    with transaction() as session:
        with pytest.raises(UnknownObject, match="nicht mit"):
            leave_round(session, 1, person=person(session), actor=organiser(session))
        join_round(session, 1, person=person(session), actor=organiser(session))
        assert list_open_ratings(session, person(session))[0].done == 1


def test_leaver_is_told_that_the_score_does_not_count(opened: Trial) -> None:
    with transaction() as session:
        token = tokens(session)[0]
        leave_round(session, 1, person=person(session), actor=organiser(session))
    with (
        pytest.raises(WrongState, match="nicht mehr eingetragen"),
        transaction() as session,
    ):
        building.rate(session, person(session), token)


@pytest.mark.parametrize("action", [join_round, leave_round])
@pytest.mark.parametrize("name", ["Paul Pilot", "Anna Bewertung", "Stefan Lenkung"])
def test_only_organisers_change_the_membership(opened: Trial, action, name: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotAllowed), transaction() as session:
        action(
            session, 1, person=person(session, "Bert Bewertung"), actor=person(session, name)
        )  # fmt: skip


STEPS = st.lists(
    st.tuples(st.sampled_from(["rate", "decline", "leave", "join", "return"]), st.integers(0, 99)),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS, overlap=st.integers(1, 3), houses=st.integers(1, 2))
def test_rules_hold_whatever_happens(
    trial: Trial, platform_url: str, steps: list[tuple[str, int]], overlap: int, houses: int
) -> None:
    """Nothing rated is lost or moved, nobody rates their own house or an output twice, and every
    output has enough raters as long as there are any."""
    from reallabor.rating.drafting import RoundChoice

    with transaction() as session:
        if not session.exec(select(Person)).first():
            building.load_with_runs(session, trial)
            building.add_staff(session)
        people = list(session.exec(select(Person).where(Person.active)))
        evaluators = [p for p in people if Role.EVALUATOR in p.roles]
        if (
            houses == 2
            and not session.exec(
                select(TrialRun).where(
                    TrialRun.organisation_id == building.house_id(session, OTHER)
                )
            ).first()
        ):
            building.add_run(session, trial.slug, "eins", organisation=OTHER)
            evaluators += [
                building.add_person(session, f"Gast {n}", Role.EVALUATOR, organisation="Haus G")
                for n in range(3)
            ]
        boss = organiser(session)
        round_ = open_round(
            session, trial.slug, actor=boss,
            choice=RoundChoice(overlap=min(overlap, 3), evaluators=evaluators, seed=len(steps)),
        )  # fmt: skip
        number = round_.id or 0
        rated: set[tuple[int, int]] = set()
        for action, pick in steps:
            who = evaluators[pick % len(evaluators)]
            mine = load_sheet(session, number, actor=who, position=1, after=999).items
            fresh = [item for item in mine if not item.done]
            if action == "rate" and fresh:
                building.rate(session, who, fresh[pick % len(fresh)].token)
                row = session.exec(
                    select(Assignment).where(Assignment.token == fresh[pick % len(fresh)].token)
                ).one()
                rated.add((row.rater_id, row.output_id))
            elif action == "decline" and fresh:
                decline_case(
                    session, actor=who, token=fresh[pick % len(fresh)].token,
                    reason=EndReason.CONFLICT,
                )  # fmt: skip
            elif action == "leave" and mine:
                leave_round(session, number, person=who, actor=boss)
            elif action == "join":
                new = building.add_person(session, f"Neu {number}-{pick}-{len(evaluators)}",
                                          Role.EVALUATOR)  # fmt: skip
                join_round(session, number, person=new, actor=boss)
                evaluators.append(new)
            elif action == "return" and not mine:
                join_round(session, number, person=who, actor=boss)
            _check(session, number, rated)
        round_.released_at = round_.opened_at
        session.add(round_)


def _check(session: Session, number: int, rated: set[tuple[int, int]]) -> None:
    rows = session.exec(
        select(Assignment, Rater, Person.organisation_id, TrialRun.organisation_id, Output.case_id)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Person, col(Person.id) == Rater.person_id)
        .join(Output, col(Output.id) == Assignment.output_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .where(Rater.round_id == number)
    ).all()
    round_ = session.get_one(Round, number)
    assert all(home is None or home != house for _, _, home, house, _ in rows)
    held = {(a.rater_id, a.output_id) for a, *_ in rows if a.ended_at is None}
    assert rated <= held
    assert len({(a.rater_id, a.position) for a, *_ in rows}) == len(rows)
    cover = Counter(output for _, output in held)
    able: dict[int, set[int]] = {}
    out = {(a.rater_id, case) for a, _, _, _, case in rows
           if a.ended_because and EndReason(a.ended_because).declined}  # fmt: skip
    present = {rater.id: home for _, rater, home, _, _ in rows if rater.left_at is None}
    for a, _, _, house, case in rows:
        able[a.output_id] = {
            rater
            for rater, home in present.items()
            if rater is not None and home != house and (rater, case) not in out
        }
    for output, people in able.items():
        assert cover[output] >= min(round_.overlap, len(people)), (output, people)


def test_results_count_what_was_really_handed_out(opened: Trial) -> None:
    """What was declined or moved unrated is nobody's any more, and missing from nothing."""
    from reallabor.rating.results import round_result

    with transaction() as session:
        token = tokens(session)[0]
        decline_case(session, actor=person(session), token=token, reason=EndReason.UNREADABLE)
        building.rate(session, person(session), tokens(session)[0])
        leave_round(session, 1, person=person(session, "Bert Bewertung"), actor=organiser(session))
        release_round(session, 1, actor=organiser(session))
        result = round_result(session, the_round(session))
        held = sum(len(names) for names in holders(session).values())
    assert result.rated == 1
    assert result.assigned == held
