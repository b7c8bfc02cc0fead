"""A model beside people: the figures of its own column, and no trace of it in any score."""

import random
from collections.abc import Callable

import building
import numpy as np
import pytest
from building import CRITERIA, Call, Trial
from judged import OpenRound, StandIn, judge, open_, person, rate_by, release, stand_in
from scipy.stats import spearmanr
from sqlmodel import select
from stand_in_judge import levels

from reallabor.database import reading, transaction
from reallabor.errors import UnknownObject, WrongState
from reallabor.models import Round
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.judge_results import JudgeColumn, judge_result
from reallabor.rating.rounds import open_round

__all__ = ["open_", "stand_in"]

CASES = [f"c-{number:02}" for number in range(14)]
VARIANTS = ("eins", "zwei", "alt")
RATERS = ("Anna", "Bert", "Cora")


def drawn(key: str, low: int = 1, high: int = 5) -> int:
    """A level that depends on the key only."""
    return random.Random(key).randint(low, high)


def people_level(name: str, text: str) -> int:
    """Raters who differ by at most two levels from one another."""
    return min(5, max(1, drawn(text, 2, 4) + drawn(f"{name} {text}", -1, 1)))


def judge_level(text: str) -> int:
    return min(5, max(1, drawn(text, 2, 4) + drawn(f"judge {text}", -1, 2)))


@pytest.fixture
def wide(trial: Trial, platform_url: str) -> OpenRound:
    """42 outputs, each rated by all three people."""
    trial.write_cases([{"id": key, "input": f"Frage {key}?"} for key in CASES])
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        round_ = open_round(
            session, trial.slug, actor=staff["organiser"], choice=RoundChoice(overlap=3)
        )
        return OpenRound(trial, round_.id or 0)


def columns(open_: OpenRound) -> list[JudgeColumn]:
    with reading() as session:
        return judge_result(session, open_.round_id)


def texts() -> list[str]:
    return [f"Antwort von {variant} auf {case}" for variant in VARIANTS for case in CASES]


def test_figures_match_a_direct_computation(wide: OpenRound, stand_in: StandIn) -> None:
    server = stand_in(lambda found, _: levels(judge_level(found["ausgabe"])))
    judge(wide, server)
    rate_by(wide, people_level)
    release(wide)
    (column,) = columns(wide)
    assert (column.judged, column.failed, column.finished) == (42, 0, True)
    assert list(column.criteria) == list(CRITERIA)
    model = np.array([judge_level(text) for text in texts()], dtype=float)
    people = np.array([np.mean([people_level(name, text) for name in RATERS]) for text in texts()])
    figures = column.criteria["FR"]
    assert figures.title == "Fachliche Richtigkeit"
    assert figures.n == 42
    assert figures.judge_mean == pytest.approx(model.mean())
    assert figures.people_mean == pytest.approx(people.mean())
    by_output = figures.by_output
    assert by_output.spearman.value == pytest.approx(spearmanr(model, people).statistic)
    assert by_output.bias == pytest.approx(float((model - people).mean()))
    low, high = by_output.bias_interval.low, by_output.bias_interval.high
    assert low is not None
    assert high is not None
    assert low < by_output.bias < high
    assert figures.by_variant.value == pytest.approx(
        spearmanr(model.reshape(3, 14).mean(axis=1), people.reshape(3, 14).mean(axis=1)).statistic
    )
    assert figures.test.winning_rate is not None
    assert figures.test.reason is None
    for name in CRITERIA:  # all levels of an output are the same here
        assert column.criteria[name].by_output.bias == pytest.approx(by_output.bias)


@pytest.mark.parametrize(
    ("model", "winning_rate", "passed"),
    [
        (lambda text: round(float(np.median([people_level(n, text) for n in RATERS]))), 1.0, True),
        (lambda text: 5 if people_level("Anna", text) < 3 else 1, 0.0, False),
    ],
    ids=["like people", "against people"],
)
def test_alternative_annotator_test_tells_models_apart(
    wide: OpenRound,
    stand_in: StandIn,
    model: Callable[[str], int],
    winning_rate: float,
    passed: bool,
) -> None:
    judge(wide, stand_in(lambda found, _: levels(model(found["ausgabe"]))))
    rate_by(wide, people_level)
    release(wide)
    (column,) = columns(wide)
    test = column.criteria["VS"].test
    assert (test.winning_rate, test.passed) == (winning_rate, passed)
    assert [each.units for each in test.raters] == [42, 42, 42]


def test_failed_outputs_are_missing_in_n(open_: OpenRound, stand_in: StandIn) -> None:
    judge(open_, stand_in(lambda found, _: "" if "f-1" in found["ausgabe"] else levels(5)))
    rate_by(open_, people_level)
    release(open_)
    (column,) = columns(open_)
    assert (column.judged, column.failed) == (12, 3)
    assert {figures.n for figures in column.criteria.values()} == {12}


def test_what_cannot_be_determined_has_a_reason(open_: OpenRound, stand_in: StandIn) -> None:
    judge(open_, stand_in(lambda *_: levels(4)))
    rate_by(open_, people_level)
    release(open_)
    (column,) = columns(open_)
    for figures in column.criteria.values():
        assert (figures.by_output.spearman.value, figures.by_variant.value) == (None, None)
        assert figures.by_output.spearman.reason
        assert figures.by_variant.reason
        assert (figures.test.winning_rate, figures.test.passed) == (None, None)
        assert figures.test.reason
        assert figures.by_output.bias is not None


def test_model_without_any_level_is_shown_empty(open_: OpenRound, stand_in: StandIn) -> None:
    judge(open_, stand_in(lambda *_: "nein"))
    rate_by(open_, people_level)
    release(open_)
    (column,) = columns(open_)
    assert (column.judged, column.failed) == (0, 15)
    figures = column.criteria["FR"]
    assert (figures.n, figures.judge_mean, figures.by_output.bias) == (0, None, None)
    assert figures.by_output.bias_interval.reason
    assert figures.test.reason


def test_results_wait_for_the_release(open_: OpenRound, stand_in: StandIn) -> None:
    judge(open_, stand_in(lambda *_: levels(4)))
    rate_by(open_, people_level)
    with pytest.raises(WrongState, match="noch nicht freigegeben"):
        columns(open_)
    release(open_)
    assert len(columns(open_)) == 1
    with reading() as session, pytest.raises(UnknownObject):
        judge_result(session, 4711)


def test_round_without_models_has_no_columns(open_: OpenRound) -> None:
    rate_by(open_, people_level)
    release(open_)
    assert columns(open_) == []


def test_no_score_knows_of_a_model(
    open_: OpenRound, stand_in: StandIn, call: Callable[..., Call]
) -> None:
    rate_by(open_, people_level)
    release(open_)
    commands = [("compare", "--json"), ("agreement", open_.slug, "--json"),
                ("export", open_.slug, "--json")]  # fmt: skip
    before = [call(*command).out for command in commands]
    judge(open_, stand_in(lambda *_: levels(1)))
    assert len(columns(open_)) == 1
    assert [call(*command).out for command in commands] == before
    assert '"score": ' in before[0]


def test_model_before_release_leaves_scores_as_they_are(
    trial: Trial, open_: OpenRound, stand_in: StandIn, call: Callable[..., Call]
) -> None:
    """The same round released with a model and, as the second one, without."""
    judge(open_, stand_in(lambda *_: levels(1)))
    rate_by(open_, people_level)
    release(open_)
    with_model = call("compare", "--json").json["scenarios"][0]["variants"]
    with transaction() as session:
        organiser = person()
        first = session.get_one(Round, open_.round_id)
        again = open_round(
            session, trial.slug, actor=organiser, choice=RoundChoice(seed=first.seed)
        )
        second = OpenRound(trial, again.id or 0)
    rate_by(second, people_level)
    release(second)
    with reading() as session:
        assert len(session.exec(select(Round)).all()) == 2
    assert call("compare", "--json").json["scenarios"][0]["variants"] == with_model
