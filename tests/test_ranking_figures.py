"""What the ranking takes from comparisons, what evidence keeps of it, and its words."""

import dataclasses
import uuid
from typing import Any

import building
import pytest
import surveys
from building import REPOSITORY, Trial

from reallabor.comparison_scales import KEYS, load_comparison_scales
from reallabor.content import digest
from reallabor.database import reading, transaction
from reallabor.deciding import kept_draws
from reallabor.deciding.central_words import central_sentence, mean_weights
from reallabor.deciding.comparison import ScenarioComparison, compare
from reallabor.deciding.kept_draws import drawn_for
from reallabor.deciding.measured import measured, rankable
from reallabor.deciding.ranking import Measured, draw, rank, rank_drawn
from reallabor.deciding.ranking_record import ranking_json
from reallabor.deciding.tipping_words import telling_sentences
from reallabor.errors import InvalidWeights
from reallabor.german import share
from reallabor.models import Audience
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.ratings import Judgement, submit_rating
from reallabor.rating.rounds import open_round, release_round
from reallabor.rating.voices import enter_sheet

SCALES = load_comparison_scales(REPOSITORY / "evaluations")
LEVELS = (5, 4, 5, 3, 5, 4, 5, 5, 4)
"""One per output; the shares of variants among them differ."""


@pytest.fixture
def three(trial: Trial, platform_url: str) -> list[Trial]:
    """Two rated scenarios, the first with minutes and voices, and one without any result."""
    other, unrated = (building.small_trial(trial.content) for _ in range(2))
    estimate = {"level": 2, "reason": "Geschätzt."}
    trial.change(baseline_minutes=10, yearly_volume=1000, effort=estimate, transfer=estimate)
    unrated.change(effort=estimate, transfer=estimate)
    with transaction() as session:
        building.load_with_runs(session, trial)
        for variant in ("eins", "zwei", "alt"):
            building.add_run(session, other.slug, variant)
        staff = building.add_staff(session)
        for each, shift in ((trial, 0), (other, 1)):
            round_ = open_round(session, each.slug, actor=staff["organiser"],
                                choice=RoundChoice(seed=7))  # fmt: skip  # same order in both
            tokens = building.tokens(session, round_, staff["anna"])
            for place, token in enumerate(tokens):
                level = float(LEVELS[place % len(LEVELS)] - shift)
                minutes = 2.0 + place % 3 if each is trial else None
                submit_rating(
                    session, Judgement(dict.fromkeys(building.CRITERIA, level),
                                       rework_minutes=minutes),
                    actor=staff["anna"], token=token, submission=str(uuid.uuid4()),
                )  # fmt: skip
            release_round(session, round_.id or 0, actor=staff["organiser"])
    survey = surveys.opened(trial.slug, Audience.CLIENTS)
    with transaction() as session:
        pilot = surveys.person(session, "Paul Pilot")
        for level in (3, 3, 2, 3, 2):
            enter_sheet(session, survey.id or 0, surveys.sheet(level), actor=pilot)
    return [trial, other, unrated]


def compared(trials: list[Trial]) -> list[ScenarioComparison]:
    with reading() as session:
        return compare(session, [each.slug for each in trials])


def test_figures_are_those_of_the_comparison(three: list[Trial]) -> None:
    first, second, unrated = compared(three)
    found = measured(first)
    assert list(found) == list(KEYS)
    score = first.candidate.score
    assert found["quality"] == Measured(
        score.mean, score.interval.low, score.interval.high, score.n
    )
    rework = first.candidate.rework.mean
    assert found["benefit"].value == pytest.approx(1000 * (10 - rework))
    assert found["benefit"].low < found["benefit"].value < found["benefit"].high
    answer = first.voices[Audience.CLIENTS].answer
    assert found["clients"] == Measured(2.6, answer.interval.low, answer.interval.high, 5)
    assert found["staff"] is None
    assert found["effort"] == Measured(2, 1, 3)
    assert measured(second)["benefit"] is None  # nobody gave minutes
    assert measured(second)["quality"].value < found["quality"].value
    assert [key for key, each in measured(unrated).items() if each] == ["effort", "transfer"]


def test_estimates_alone_give_no_rank(three: list[Trial]) -> None:
    assert set(rankable(compared(three))) == {three[0].slug, three[1].slug}
    assert rankable(compared(three[2:])) == {}


def test_answers_on_other_levels_are_stretched(three: list[Trial]) -> None:
    """Clients answered in five levels, their scale has three: 3.4 of 1 to 5 is 2.2 of 1 to 3."""
    first = compared(three)[0]
    heard = first.voices[Audience.CLIENTS]
    interval = dataclasses.replace(heard.answer.interval, low=3.0, high=5.0)
    answer = dataclasses.replace(
        heard.answer, levels=dict.fromkeys(range(1, 6), "Text"), mean=3.4, interval=interval
    )
    voices = {**first.voices, Audience.CLIENTS: dataclasses.replace(heard, answer=answer)}
    found = measured(dataclasses.replace(first, voices=voices))["clients"]
    assert (found.value, found.low, found.high) == pytest.approx((2.2, 2.0, 3.0))


# --- evidence -----------------------------------------------------------------------------------


def test_record_says_what_the_page_shows(three: list[Trial]) -> None:
    comparisons = compared(three)
    found = ranking_json(comparisons)
    ranking = rank(rankable(comparisons), SCALES.weights, SCALES, kept_draws.SEED)
    assert found["profile"] == "Vorgabe"
    assert found["weights"] == {key: each / 100 for key, each in SCALES.weights.items()}
    assert found["titles"]["clients"] == "Akzeptanz der Kund:innen"
    assert [row["slug"] for row in found["rows"]] == [each.slug for each in ranking.scenarios]
    for row, each in zip(found["rows"], ranking.scenarios, strict=True):
        for key in ("total", "low", "high", "first_share", "first_three_share"):
            assert row[key] == pytest.approx(getattr(each, key), abs=1e-6)
        assert (row["rank"], row["group"]) == (each.rank, each.group)
    missing = {row["slug"]: row["missing"] for row in found["rows"]}
    assert missing[three[0].slug] == ["staff"]
    assert missing[three[1].slug] == ["benefit", "staff", "clients", "effort", "transfer"]
    titles = {each.slug: each.title for each in comparisons}
    assert found["not_ranked"] == [three[2].slug]
    assert found["not_ranked_titles"] == {three[2].slug: titles[three[2].slug]}
    assert found["sentences"] == telling_sentences(ranking, SCALES, titles)


def test_record_is_the_same_again(three: list[Trial]) -> None:
    once = digest(ranking_json(compared(three)))
    kept_draws._kept.clear()
    assert digest(ranking_json(compared(three[::-1]))) == once


def test_record_keeps_the_profile_and_its_weights(three: list[Trial]) -> None:
    weights = dict.fromkeys(KEYS, 0.0) | {"quality": 3.0, "benefit": 1.0}
    found = ranking_json(compared(three), weights, "Güte zuerst")
    assert (found["profile"], found["weights"]["quality"]) == ("Güte zuerst", 0.75)
    assert ranking_json(compared(three), weights)["profile"] == ""
    with pytest.raises(InvalidWeights):
        ranking_json(compared(three), {"quality": 1.0}, "Kaputt")


def test_fewer_than_two_scenarios_have_no_ranking(three: list[Trial]) -> None:
    assert ranking_json([]) is None
    assert ranking_json(compared([three[0], three[2]])) is None


# --- kept draws ---------------------------------------------------------------------------------


def some(value: float, **more: Any) -> dict[str, Measured | None]:
    return {"quality": Measured(value, value - 5, value + 5, 30), **more}


def test_kept_draws_are_those_of_the_same_figures() -> None:
    figures = {"a": some(70), "b": some(60)}
    once = drawn_for(figures, SCALES)
    assert drawn_for({"b": some(60), "a": some(70)}, SCALES) is once
    assert drawn_for({"a": some(70), "b": some(61)}, SCALES) is not once
    fresh = draw(figures, SCALES, kept_draws.SEED)
    assert rank_drawn(once, SCALES.weights) == rank_drawn(fresh, SCALES.weights)


def test_kept_draws_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    size = drawn_for({"a": some(1), "b": some(2)}, SCALES).values.nbytes
    monkeypatch.setattr(kept_draws, "MOST_BYTES", 2 * size)
    kept = [drawn_for({"a": some(value), "b": some(2)}, SCALES) for value in (11, 12, 13)]
    assert sum(each.values.nbytes for each in kept_draws._kept.values()) <= 2 * size
    assert drawn_for({"a": some(13), "b": some(2)}, SCALES) is kept[2]
    assert drawn_for({"a": some(11), "b": some(2)}, SCALES) is not kept[0]


# --- words --------------------------------------------------------------------------------------


def exact(**figures: float) -> dict[str, Measured | None]:
    middle = {scale.key: (scale.worst + scale.best) / 2 for scale in SCALES.criteria}
    return {key: Measured(value, value, value) for key, value in (middle | figures).items()}


def test_only_plausible_weights_are_telling() -> None:
    """b overtakes with benefit from 28 %, which may weigh up to 40; c only with benefit from 89 %
    (0.05 of quality against 0.02 of benefit at 0.3 / 0.8 of the rest)."""
    titles = {"a": "Antrag", "b": "Brief", "c": "Chat"}

    def said(other: str, **figures: float) -> list[str]:
        ranking = rank({"a": exact(quality=90), other: exact(**figures)}, SCALES.weights, SCALES, 1)
        return [each.replace("\u00a0", " ") for each in telling_sentences(ranking, SCALES, titles)]

    assert said("b", benefit=172_800) == [
        "Bis Gewicht 22 % für „Qualität“ (jetzt 30 %) läge „Brief“ vorn.",
        "Ab Gewicht 28 % für „Nutzen“ (jetzt 20 %) läge „Brief“ vorn.",
    ]
    assert said("c", benefit=99_840) == [
        "Niemand überholt „Antrag“, solange sich nur ein Gewicht ändert und plausibel bleibt."
    ]


def test_central_weights_in_words() -> None:
    figures = {"a": exact(quality=100), "b": exact(benefit=192_000), "c": exact(quality=0)}
    ranking = rank(figures, SCALES.weights, SCALES, seed=1)
    mean = mean_weights(ranking)
    assert sum(mean.values()) == pytest.approx(1)
    words = {each.slug: central_sentence(each, mean, SCALES) for each in ranking.scenarios}
    for slug, key, title in (("a", "quality", "Qualität"), ("b", "benefit", "Nutzen")):
        central = next(e for e in ranking.scenarios if e.slug == slug).central_weights
        assert central[key] > mean[key] + 0.02
        assert f"„{title}“ {share(central[key])} statt {share(mean[key])}" in words[slug]
    assert words["c"] == "keinen plausiblen Gewichten"
    alone = rank({"a": exact(quality=100), "c": exact(quality=0)}, SCALES.weights, SCALES, seed=1)
    best = alone.scenarios[0]
    assert best.first_share == 1
    assert central_sentence(best, mean_weights(alone), SCALES) == "mittleren Gewichten"
