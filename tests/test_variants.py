"""Variants on shared cases and rounds side by side: differences, groups, houses, history."""

from typing import Any

import building
import numpy as np
import pytest
from building import CRITERIA, Trial
from sqlmodel import select
from test_results import all_cases, but, rate, released

from reallabor.database import reading, transaction
from reallabor.deciding.case_files import case_file
from reallabor.deciding.history import Step, history
from reallabor.deciding.variants import FEWEST_CASES, SMALL, VariantComparison, compare_variants
from reallabor.errors import UnknownObject
from reallabor.models import Person, Rubric, Scenario
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.rounds import open_round, release_round
from reallabor.statistics import compare_all


def compared(trial: Trial) -> VariantComparison:
    with reading() as session:
        found = compare_variants(session, trial.slug)
    assert found is not None
    return found


def levels_of(variant: str, *levels: float) -> dict[Any, Any]:
    return {
        (who, f"f-{case}", variant): level
        for who in ("Anna", "Bert")
        for case, level in enumerate(levels, start=1)
    }


def test_only_shared_cases_are_compared(trial: Trial, platform_url: str) -> None:
    released(trial, {**levels_of("eins", 5, 4, 4, 3, 5, 5), **levels_of("alt", 3, 3, 4, 3)},
             variants=("eins", "alt"))  # fmt: skip
    (pair,) = compared(trial).pairs
    assert (pair.first, pair.second) == ("eins", "alt")
    difference = pair.all_cases.difference
    assert difference.cases == 4
    assert difference.mean == pytest.approx((50 + 25 + 0 + 0) / 4)  # a level is 25 points
    superior = pair.all_cases.superiority
    assert (superior.share, superior.better, superior.equal) == (0.75, 2, 2)


def test_baseline_is_always_second(trial: Trial, platform_url: str) -> None:
    rows = {**levels_of("eins", 5, 4, 3, 4, 4, 5), **levels_of("alt", 3, 3, 2, 3, 2, 3),
            **levels_of("zwei", 4, 4, 4, 3, 4, 4)}  # fmt: skip
    released(trial, rows, variants=("alt", "eins", "zwei"))
    found = compared(trial)
    assert {(pair.first, pair.second) for pair in found.pairs} == {
        ("eins", "alt"), ("zwei", "alt"), ("eins", "zwei"),
    }  # fmt: skip
    keys = ["eins", "zwei", "alt"]
    table = np.array([[each.scores[key] for key in keys] for each in found.cases])
    expected = compare_all(table)
    for (i, j), difference in expected.items():
        pair = found.pair(keys[i], keys[j])
        assert pair is not None
        assert pair.all_cases.difference == difference  # Holm over all three pairs


def test_groups_split_the_shared_cases(trial: Trial, platform_url: str) -> None:
    topics = ["Geld"] * 5 + ["Umzug"] * 2 + [""]
    trial.write_cases(
        [{"id": f"f-{n}", "input": f"Frage {n}?", "topic": topic, "edge": n % 2 == 0}
         for n, topic in enumerate(topics, start=1)]
    )  # fmt: skip
    released(trial, {**levels_of("eins", 5, 5, 4, 4, 5, 2, 2, 4),
                     **levels_of("alt", 3, 3, 3, 3, 3, 4, 4, 4)},
             variants=("eins", "alt"))  # fmt: skip
    (pair,) = compared(trial).pairs
    assert [each.difference.cases for each in pair.by_edge] == [4, 4]
    by_topic = {each.name: each for each in pair.by_topic}
    assert list(by_topic) == ["Geld", SMALL]
    assert by_topic["Geld"].difference.cases == FEWEST_CASES
    assert (by_topic["Geld"].difference.mean or 0) > 0 > (by_topic[SMALL].difference.mean or 0)
    (house,) = pair.by_house
    assert (house.name, house.difference) == (
        building.HOUSE,
        pair.all_cases.difference,
    )


def test_case_is_shown_with_all_its_ratings(trial: Trial, platform_url: str) -> None:
    released(trial, {**levels_of("eins", 5, 4), **levels_of("alt", 3, 3)}, variants=("eins", "alt"))
    with reading() as session:
        person = session.exec(select(Person).where(Person.name == "Stefan Lenkung")).one()
        file = case_file(session, trial.slug, "f-1", actor=person)
        with pytest.raises(UnknownObject, match="'f-77' gibt es in der freigegebenen Runde"):
            case_file(session, trial.slug, "f-77", actor=person)
    assert [output.variant for output in file.outputs] == ["eins", "alt"]
    first = file.outputs[0]
    assert [rating.levels for rating in first.ratings] == [dict.fromkeys(CRITERIA, 5)] * 2
    assert [rating.pseudonym for rating in first.ratings] == sorted(
        rating.pseudonym for rating in first.ratings
    )


# --- rounds --------------------------------------------------------------------------------------


def another_round(trial: Trial, level: float, *, new_rubric: bool = False) -> None:
    """A second round over a newer run, under the same rubric version or a new one."""
    with transaction() as session:
        building.add_run(session, trial.slug, "eins")
        people = {each.name.split()[0].lower(): each for each in session.exec(select(Person)).all()}
        rubric_id = None
        if new_rubric:
            rubric_id = newer_version(session, trial)
        choice = RoundChoice(evaluators=[people["anna"], people["bert"]], rubric_id=rubric_id)
        round_ = open_round(session, trial.slug, actor=people["olga"], choice=choice)
        rate(session, round_, levels_of("eins", *[level] * 6))
        release_round(session, round_.id or 0, actor=people["olga"])


def newer_version(session: Any, trial: Trial) -> int:
    from reallabor.evaluations import RubricContent
    from reallabor.recording.catalogue import store_rubric

    scenario = session.exec(select(Scenario).where(Scenario.slug == trial.slug)).one()
    old = RubricContent.model_validate(session.get_one(Rubric, scenario.rubric_id).content)
    criteria = [each.model_copy(update={"title": f"{each.title} (neu)"}) for each in old.criteria]
    new = old.model_copy(update={"version": old.version + 1, "criteria": criteria})
    return int(store_rubric(session, new).id or 0)


def steps(trial: Trial) -> list[Step]:
    with reading() as session:
        return history(session, trial.slug)


def test_history_tells_round_from_round(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 3))
    another_round(trial, 5)
    first, second = steps(trial)
    assert [first.score and first.score.mean, second.score and second.score.mean] == [50, 100]
    assert (first.comparable, second.comparable) == (True, True)
    assert (first.counts, second.counts) == (False, True)
    assert [gate.state.value for gate in second.gates] == ["passed"] * len(second.gates)


def test_rounds_of_two_rubric_versions_are_not_comparable(trial: Trial, platform_url: str) -> None:
    released(trial, {key: but(3) for key in all_cases(6, 3)})
    another_round(trial, 5, new_rubric=True)
    first, second = steps(trial)
    assert (first.rubric, second.rubric) == ("auskunft@1", "auskunft@2")
    assert not second.comparable
    assert second.n_cases == 6  # the newer round alone, nothing pooled


def test_nothing_released_has_no_history(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        building.load_with_runs(session, trial, ["eins"])
    assert steps(trial) == []
    with reading() as session:
        assert compare_variants(session, trial.slug) is None
