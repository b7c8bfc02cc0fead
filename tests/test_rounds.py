"""Rounds: who may open and release them, what they fix, and the moment of release."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import building
import pytest
from building import HOUSE, OTHER, Trial, counts, person, rate_one, the_round
from sqlmodel import Session, col, func, select

from reallabor.database import reading, transaction
from reallabor.deciding.decisions import decide
from reallabor.errors import NotAllowed, UnknownObject, WrongState
from reallabor.models import (
    Assignment,
    Output,
    Person,
    Rater,
    Role,
    Round,
    RoundRun,
    Scenario,
    TrialRun,
)
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.importing import import_ratings
from reallabor.rating.rating_file import read_ratings
from reallabor.rating.rounds import open_round, release_round


@pytest.fixture
def prepared(trial: Trial, platform_url: str) -> Trial:
    """Content, people and one run per variant; the third case has no output."""
    with transaction() as session:
        building.load_with_runs(session, trial, failing=building.FAILING)
        building.add_staff(session)
    return trial


@pytest.fixture
def opened(prepared: Trial) -> Trial:
    with transaction() as session:
        open_round(session, prepared.slug, actor=person(session, "Olga Organisation"))
    return prepared


# --- permissions: role x action -----------------------------------------------------------------


PEOPLE = {
    "organiser": "Olga Organisation",
    "pilot": "Paul Pilot",
    "evaluator": "Anna Bewertung",
    "steering": "Stefan Lenkung",
    "nobody": "Nora Niemand",
}


def _open(session: Session, trial: Trial, actor: Person) -> None:
    session.exec(select(Round)).one().released_at = datetime.now(UTC)
    open_round(session, trial.slug, actor=actor)


def _rate(session: Session, trial: Trial, actor: Person) -> None:
    # An assignment of their own, so that only the role can stand in the way.
    round_ = the_round(session)
    output = session.exec(select(Output.id).where(col(Output.text).is_not(None))).first()
    rater = session.exec(
        select(Rater).where(Rater.round_id == round_.id, Rater.person_id == actor.id)
    ).first() or Rater(round_id=round_.id, pseudonym="B-TEST", name_key="k", person_id=actor.id)
    session.add(rater)
    session.flush()
    if not building.tokens(session, round_, actor):
        session.add(Assignment(token="t-1", rater_id=rater.id, output_id=output, position=1))
        session.flush()
    building.rate(session, actor, building.tokens(session, round_, actor)[0])


def _release(session: Session, trial: Trial, actor: Person) -> None:
    round_ = the_round(session)
    anna = person(session, "Anna Bewertung")
    building.rate(session, anna, building.tokens(session, round_, anna)[0])
    release_round(session, round_.id or 0, actor=actor)


def _decide(session: Session, trial: Trial, actor: Person) -> None:
    decide(session, trial.slug, verdict="Beenden", reason="Grund", name="Wer", actor=actor)


def _import(session: Session, trial: Trial, actor: Person) -> None:
    path = trial.content / "ratings.csv"
    path.write_text("case,variant,rater,criterion,level\nf-1,eins,x,FR,4\n")
    import_ratings(session, trial.slug, read_ratings(path), actor=actor)


ACTIONS: dict[str, tuple[Callable[[Session, Trial, Person], None], set[str]]] = {
    "open": (_open, {"organiser"}),
    "rate": (_rate, {"evaluator"}),
    "release": (_release, {"organiser"}),
    "decide": (_decide, {"steering"}),
    "import": (_import, {"organiser", "pilot"}),
}


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("action", ACTIONS)
def test_only_the_right_role_may_act(opened: Trial, action: str, role: str) -> None:
    act, allowed = ACTIONS[action]
    with reading() as session:
        before = counts(session)
    if role in allowed:
        with transaction() as session:
            act(session, opened, person(session, PEOPLE[role]))
        with reading() as session:
            assert counts(session) != before
        return
    with (
        pytest.raises(NotAllowed, match=f"'{PEOPLE[role]}' hat diese Aufgabe nicht"),
        transaction() as session,
    ):
        act(session, opened, person(session, PEOPLE[role]))
    with reading() as session:
        assert counts(session) == before
        assert the_round(session).released_at is None


@pytest.mark.parametrize("action", ACTIONS)
def test_inactive_person_may_do_nothing(opened: Trial, action: str) -> None:
    with transaction() as session:
        gone = building.add_person(session, "Gerd Gegangen", *Role, active=False)
        gone_id = gone.id
    with reading() as session:
        before = counts(session)
    with pytest.raises(NotAllowed), transaction() as session:
        ACTIONS[action][0](session, opened, session.get_one(Person, gone_id))
    with reading() as session:
        assert counts(session) == before


# --- opening ------------------------------------------------------------------------------------


def test_round_assigns_each_output_twice(opened: Trial) -> None:
    with reading() as session:
        outputs = session.exec(select(Output)).all()
        assigned = session.exec(select(Assignment.output_id)).all()
        raters = session.exec(select(Rater)).all()
    with_text = [output.id for output in outputs if output.text is not None]
    assert sorted(assigned) == sorted(with_text * 2)  # a failed case is not rated
    assert len(raters) == 3
    assert all(rater.pseudonym.startswith("B-") for rater in raters)


def test_own_organisation_is_never_rated(prepared: Trial) -> None:
    with transaction() as session:
        insider = building.add_person(session, "Ines Insider", Role.EVALUATOR, organisation=HOUSE)
        scenario = session.exec(select(Scenario)).one()
        building.add_run(session, prepared.slug, "eins", organisation=OTHER)
        outsider = building.add_person(session, "Otto Offen", Role.EVALUATOR, organisation=None)
        round_ = open_round(session, prepared.slug, actor=person(session, "Olga Organisation"),
                            choice=RoundChoice(overlap=1))  # fmt: skip
        assert scenario.id == round_.scenario_id
        own = (
            select(Person.name, func.count())
            .select_from(Assignment)
            .join(Rater, col(Rater.id) == Assignment.rater_id)
            .join(Person, col(Person.id) == Rater.person_id)
            .join(Output, col(Output.id) == Assignment.output_id)
            .join(TrialRun, col(TrialRun.id) == Output.run_id)
            .group_by(Person.name)
        )
        conflicts = session.exec(
            own.where(Person.organisation_id == TrialRun.organisation_id)
        ).all()
        everybody = dict(session.exec(own).all())
        assert insider.id
        assert outsider.id
    assert conflicts == []
    assert {"Ines Insider", "Otto Offen"} <= set(everybody)


def test_too_few_raters_refuse_the_round(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        building.load_with_runs(session, trial)
        organiser = building.add_person(session, "Olga", Role.ORGANISER, organisation=HOUSE)
        building.add_person(session, "Anna", Role.EVALUATOR, organisation=HOUSE)
        building.add_person(session, "Bert", Role.EVALUATOR)
        organiser_id = organiser.id
    with pytest.raises(WrongState, match="nur 1 von 2 nötigen"), transaction() as session:
        open_round(session, trial.slug, actor=session.get_one(Person, organiser_id))
    with reading() as session:
        assert counts(session)["Round"] == 0
        assert counts(session)["Rater"] == 0


def test_round_takes_newest_run_of_each(prepared: Trial) -> None:
    earlier = datetime.now(UTC) - timedelta(days=1)
    with transaction() as session:
        building.add_run(session, prepared.slug, "eins", finished_at=earlier)
        newest = building.add_run(session, prepared.slug, "zwei").id
        elsewhere = building.add_run(session, prepared.slug, "eins", organisation="Haus C").id
        open_round(session, prepared.slug, actor=person(session, "Olga Organisation"))
        runs = set(session.exec(select(RoundRun.run_id)).all())
        first = session.exec(select(TrialRun.id).order_by(col(TrialRun.id))).all()[:3]
    assert runs == {first[0], newest, first[2], elsewhere}


def test_second_round_waits_for_release(opened: Trial) -> None:
    with (
        pytest.raises(WrongState, match="läuft schon eine Bewertungsrunde"),
        transaction() as session,
    ):
        open_round(session, opened.slug, actor=person(session, "Olga Organisation"))
    with reading() as session:
        assert counts(session)["Round"] == 1


def test_nothing_recorded_opens_no_round(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        from reallabor.recording.catalogue import load_shipped

        load_shipped(session)
        building.add_staff(session)
    with (
        pytest.raises(WrongState, match="noch kein Durchlauf aufgezeichnet"),
        transaction() as session,
    ):
        open_round(session, trial.slug, actor=person(session, "Olga Organisation"))


@pytest.mark.parametrize("demo_first", [True, False])
def test_real_and_demo_never_share_a_round(
    trial: Trial, platform_url: str, demo_first: bool
) -> None:
    with transaction() as session:
        staff = building.add_staff(session)
        building.load_with_runs(session, trial, ["eins", "zwei"], demo=demo_first)
        building.add_run(session, trial.slug, "eins", demo=not demo_first)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        runs = session.exec(select(TrialRun).join(RoundRun)).all()
        assert not round_.demo
        assert [run.demo for run in runs] == [False] * len(runs)
        assert len(runs) == (1 if demo_first else 2)


def test_demo_runs_alone_make_demo_round(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        staff = building.add_staff(session)
        building.load_with_runs(session, trial, demo=True)
        assert open_round(session, trial.slug, actor=staff["organiser"]).demo


# --- releasing ----------------------------------------------------------------------------------


def test_round_without_ratings_is_not_released(opened: Trial) -> None:
    with pytest.raises(WrongState, match="noch nichts bewertet"), transaction() as session:
        release_round(
            session, the_round(session).id or 0, actor=person(session, "Olga Organisation")
        )
    with reading() as session:
        assert the_round(session).released_at is None
        assert building.judged_kinds(session) == []


def test_incomplete_round_may_be_released_once(opened: Trial) -> None:
    with transaction() as session:
        rate_one(session)
        release_round(
            session, the_round(session).id or 0, actor=person(session, "Olga Organisation")
        )
    with reading() as session:
        released_at = the_round(session).released_at
        kinds = building.judged_kinds(session)
    assert released_at is not None
    assert kinds == ["feedback", "scores", "scores", "scores"]
    with pytest.raises(WrongState, match="schon freigegeben"), transaction() as session:
        release_round(
            session, the_round(session).id or 0, actor=person(session, "Olga Organisation")
        )
    with reading() as session:
        assert the_round(session).released_at == released_at


def test_release_closes_the_round(opened: Trial) -> None:
    with transaction() as session:
        rate_one(session)
        release_round(
            session, the_round(session).id or 0, actor=person(session, "Olga Organisation")
        )
    with reading() as session:
        before = counts(session)
    with pytest.raises(WrongState, match="inzwischen freigegeben"), transaction() as session:
        rate_one(session, "Bert Bewertung")
    with reading() as session:
        assert counts(session) == before


def test_unknown_round_is_refused(opened: Trial) -> None:
    with pytest.raises(UnknownObject, match=r"Nr\. 4711"), transaction() as session:
        release_round(session, 4711, actor=person(session, "Olga Organisation"))
