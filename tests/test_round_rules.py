"""Which round counts, and under which rules: imports beside blind rounds, changed rubrics, rounds
that are taken back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import building
import pytest
from building import Call, Trial, add_staff, load_with_runs, rate_all
from sqlmodel import Session, func, select

from reallabor.database import reading, transaction
from reallabor.deciding.comparison import compare
from reallabor.deciding.readiness import GateState
from reallabor.errors import InvalidRatings, NotAllowed, WrongState
from reallabor.models import Assignment, Rater, Round, RoundRun, Rubric, Scenario
from reallabor.people import acting_person
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.importing import ImportReport, import_ratings
from reallabor.rating.rating_file import read_ratings
from reallabor.rating.results import released_round, round_result
from reallabor.rating.rounds import cancel_round, open_round, release_round
from reallabor.recording.catalogue import load_shipped

HEADER = "case,variant,rater,criterion,level,cluster\n"


def take(slug: str, folder: Path, rows: str, **options: Any) -> ImportReport:
    file = folder / "r.csv"
    file.write_text(HEADER + rows, encoding="utf-8")
    with transaction() as session:
        return import_ratings(
            session, slug, read_ratings(file), actor=acting_person(session), **options
        )


def blind_round(trial: Trial) -> None:
    """All variants rated by two people and released."""
    with transaction() as session:
        load_with_runs(session, trial)
        people = add_staff(session)
        raters = [people["anna"], people["bert"]]
        round_ = open_round(
            session, trial.slug, actor=people["organiser"], choice=RoundChoice(evaluators=raters)
        )
        for person in raters:
            rate_all(session, round_, person, 4)
        release_round(session, round_.id, actor=people["organiser"])


def test_import_never_outranks_a_blind_round(
    trial: Trial, platform_url: str, tmp_path: Path
) -> None:
    blind_round(trial)
    report = take(trial.slug, tmp_path, "f-1,eins,Ruth,FR,2,\n")
    assert not report.counts
    with reading() as session:
        (comparison,) = compare(session, [trial.slug])
        assert comparison.result is not None
        assert [each.n_cases for each in comparison.result.variants] == [6, 6, 6]


def test_first_file_again_after_a_correction_revises(platform_url: str, tmp_path: Path) -> None:
    first, second = "a,v,R,F,1,\nb,v,R,F,1,\n", "a,v,R,F,5,\nb,v,R,F,1,\n"
    take("neu", tmp_path, first, create=True, scale=(1, 5))
    assert take("neu", tmp_path, second).revised == 1
    assert take("neu", tmp_path, first).revised == 1
    assert take("neu", tmp_path, first).unchanged
    with reading() as session:
        scenario = session.exec(select(Scenario)).one()
        result = round_result(session, released_round(session, scenario))
    assert result.variants[0].criteria["F"].mean == 1


def test_real_ratings_never_hang_on_demonstration_runs(
    trial: Trial, platform_url: str, tmp_path: Path
) -> None:
    with transaction() as session:
        load_with_runs(session, trial, demo=True)
    with pytest.raises(WrongState, match="nur Demodaten"):
        take(trial.slug, tmp_path, "f-1,eins,Ruth,FR,2,\n")


def test_other_cluster_than_stored_refuses_the_file(platform_url: str, tmp_path: Path) -> None:
    take("neu", tmp_path, "a,v,R,F,1,d1\nb,v,R,F,1,d2\n", create=True, scale=(1, 5))
    with pytest.raises(InvalidRatings, match="Spalte cluster"):
        take("neu", tmp_path, "a,v,S,F,1,d2\n")


def test_imported_rubric_never_takes_a_shipped_name(
    trial: Trial, platform_url: str, tmp_path: Path
) -> None:
    take("auskunft", tmp_path, "a,v,R,F,1,\n", create=True, scale=(1, 5))
    with transaction() as session:
        assert load_shipped(session) == [trial.slug]
        keys = session.exec(select(Rubric.key)).all()
    assert {"auskunft", "import/auskunft"} <= set(keys)
    assert len(keys) == len(set(keys))


def test_imported_scenario_has_nothing_to_rate_blind(platform_url: str, tmp_path: Path) -> None:
    take("neu", tmp_path, "a,v,R,F,1,\n", create=True, scale=(1, 5))
    with transaction() as session, pytest.raises(WrongState, match="keine Ausgabe"):
        open_round(session, "neu", actor=acting_person(session))


def counts(session: Session) -> list[int]:
    tables = (Round, RoundRun, Rater, Assignment)
    return [session.exec(select(func.count()).select_from(table)).one() for table in tables]


def test_round_without_ratings_can_be_taken_back(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_with_runs(session, trial)
        people = add_staff(session)
        round_ = open_round(session, trial.slug, actor=people["organiser"])
        with pytest.raises(NotAllowed):
            cancel_round(session, round_.id, actor=people["anna"])
        cancel_round(session, round_.id, actor=people["organiser"])
        assert counts(session) == [0, 0, 0, 0]
        open_round(session, trial.slug, actor=people["organiser"])


def test_round_with_a_rating_is_never_taken_back(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_with_runs(session, trial)
        people = add_staff(session)
        round_ = open_round(session, trial.slug, actor=people["organiser"])
        building.rate(session, people["anna"], building.tokens(session, round_, people["anna"])[0])
        before = counts(session)
        with pytest.raises(WrongState, match="schon bewertet"):
            cancel_round(session, round_.id, actor=people["organiser"])
        assert counts(session) == before


def test_gates_and_candidate_are_those_of_the_round(trial: Trial, platform_url: str) -> None:
    blind_round(trial)
    with transaction() as session:
        rubric = session.exec(select(Rubric).where(Rubric.key == "auskunft")).one()
        later = {**rubric.content, "version": 2, "gates": []}
        newer = Rubric(**{**rubric.model_dump(exclude={"id"}), "version": 2, "content": later})
        session.add(newer)
        session.flush()
        scenario = session.exec(select(Scenario)).one()
        scenario.rubric_id = newer.id
        session.add(scenario)
    trial.change(candidate="zwei")
    with transaction() as session:
        load_shipped(session)
    with reading() as session:
        (comparison,) = compare(session, [trial.slug])
    states = {gate.key: gate.state for gate in comparison.gates}
    assert states["keine-fremddaten"] == GateState.PASSED
    assert comparison.result is not None
    assert comparison.result.candidate == "eins"
    assert [each.variant for each in comparison.result.variants if each.candidate] == ["eins"]


def test_best_levels_are_never_weak_where_lower_is_better(
    platform_url: str, tmp_path: Path
) -> None:
    rows = "".join(f"{case},v,{rater},F,1,\n" for case in "abc" for rater in "RS")
    take("neu", tmp_path, rows, create=True, scale=(1, 5), lower_is_better=True)
    with reading() as session:
        (comparison,) = compare(session, ["neu"])
    assert comparison.result is not None
    assert comparison.result.variants[0].score.mean == 100
    assert comparison.result.variants[0].low_share == 0
    assert not [point for point in comparison.readiness.missing if "Median" in point]


def test_names_with_brackets_are_printed_as_written(
    platform_url: str, tmp_path: Path, call: Callable[..., Call]
) -> None:
    take("neu", tmp_path, "a,GPT [/ohne],R,F [v2],1,\n", create=True, scale=(1, 5))
    compared, agreed = call("compare", "neu"), call("agreement", "neu")
    assert (compared.code, agreed.code) == (0, 0)
    assert "GPT [/ohne]" in compared.out
    assert "F [v2]" in agreed.out
