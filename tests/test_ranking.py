"""The ranking of scenarios under chosen weights, from figures as the platform measures them."""

from collections.abc import Mapping

import numpy as np
import pytest
from building import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from reallabor.comparison_scales import KEYS, load_comparison_scales
from reallabor.deciding.ranking import (
    Measured,
    Ranking,
    draw,
    estimated,
    rank,
    rank_drawn,
)
from reallabor.deciding.tipping_words import tipping_sentences
from reallabor.errors import InvalidWeights, UnknownObject

SCALES = load_comparison_scales(REPOSITORY / "evaluations")
TITLES = {"a": "Antrag", "b": "Brief", "c": "Chat", "d": "Dienst"}
ALIKE = dict.fromkeys(KEYS, 1.0)


def exact(**figures: float) -> dict[str, Measured]:
    """Exact figures; those not named stand in the middle of their scale."""
    middle = {scale.key: (scale.worst + scale.best) / 2 for scale in SCALES.criteria}
    return {key: Measured(value, value, value) for key, value in (middle | figures).items()}


def by_slug(ranking: Ranking) -> dict[str, object]:
    return {each.slug: each for each in ranking.scenarios}


def words(ranking: Ranking) -> list[str]:
    return [each.replace("\u00a0", " ") for each in tipping_sentences(ranking, SCALES, TITLES)]


def total(figures: Mapping[str, Measured], weights: Mapping[str, float]) -> float:
    """By hand: the weighted mean of positions on the fixed scales."""
    return sum(
        weights[scale.key] * (figures[scale.key].value - scale.worst) / (scale.best - scale.worst)
        for scale in SCALES.criteria
    ) / sum(weights.values())


def test_totals_are_weighted_positions_on_fixed_scales() -> None:
    figures = {
        "a": exact(quality=80, effort=2),
        "b": exact(quality=60, benefit=192_000, clients=3),
    }
    ranking = rank(figures, SCALES.weights, SCALES, seed=1)
    assert [each.slug for each in ranking.scenarios] == ["b", "a"]
    for each in ranking.scenarios:
        assert each.total == pytest.approx(total(figures[each.slug], SCALES.weights))
        assert each.low == each.high == pytest.approx(each.total)
    assert sum(ranking.weights.values()) == pytest.approx(1)
    assert ranking.weights["quality"] == pytest.approx(0.3)
    assert [[each.slug for each in group] for group in ranking.groups] == [["b"], ["a"]]


def test_totals_do_not_depend_on_the_selection() -> None:
    rng = np.random.default_rng(1)
    figures = {
        slug: {"quality": Measured(q := float(rng.uniform(40, 90)), q - 9, q + 5, 30)}
        for slug in "abcd"
    }
    all_four = by_slug(rank(figures, ALIKE, SCALES, seed=7))
    two = by_slug(rank({slug: figures[slug] for slug in "ca"}, ALIKE, SCALES, seed=7))
    for slug in "ac":
        assert two[slug].total == all_four[slug].total
        assert (two[slug].low, two[slug].high) == (all_four[slug].low, all_four[slug].high)


def test_same_input_gives_same_ranking() -> None:
    figures = {slug: {"quality": Measured(60, 50, 70, 9)} for slug in "abc"}
    one, again = (rank(figures, SCALES.weights, SCALES, seed=3) for _ in range(2))
    assert one == again
    other = rank(figures, SCALES.weights, SCALES, seed=4)
    assert other != one
    assert (
        [each.rank for each in one.scenarios] == [each.rank for each in other.scenarios] == [1] * 3
    )


def test_missing_figures_are_drawn_over_the_whole_scale() -> None:
    nothing = rank({"a": dict.fromkeys(KEYS)}, SCALES.weights, SCALES, seed=1).scenarios[0]
    assert nothing.missing == list(KEYS)
    assert nothing.total == pytest.approx(0.5, abs=1e-9)
    assert nothing.high - nothing.low > 0.4
    known = {**exact(), "quality": Measured(90, None, None, 1)}
    del known["clients"]
    partly = rank({"a": known}, ALIKE | {"quality": 0}, SCALES, seed=1).scenarios[0]
    assert (partly.missing, partly.undetermined) == (["clients"], ["quality"])
    # One fifth of the weight lies on answers that nobody gave: 0.5 +- 0.95 / 2 of it.
    assert partly.total == pytest.approx(0.5, abs=1e-9)
    assert (partly.low, partly.high) == pytest.approx((0.5 - 0.095, 0.5 + 0.095), abs=1e-3)


def test_more_is_worse_where_the_scale_says_so() -> None:
    only_effort = dict.fromkeys(KEYS, 0.0) | {"effort": 1}
    figures = {"a": {"effort": Measured(2, 1.5, 4, 8)}, "b": {"effort": Measured(1, 1, 1)}}
    found = by_slug(rank(figures, only_effort, SCALES, seed=1))
    assert (found["a"].low, found["a"].high) == pytest.approx((0.25, 0.875), abs=1e-3)
    assert (found["b"].rank, found["b"].total) == (1, 1.0)


def test_estimates_are_as_accurate_as_the_content_says() -> None:
    effort = SCALES.criterion("effort")
    assert estimated(effort, 3) == Measured(3, 2, 4)
    assert estimated(effort, 1) == Measured(1, 1, 2)
    assert estimated(effort, 5) == Measured(5, 4, 5)


def test_shares_over_plausible_weightings() -> None:
    """a leads by quality as far as b does by benefit: a is first where quality weighs more."""
    figures = {"a": exact(quality=100), "b": exact(benefit=192_000), "c": exact(quality=0)}
    found = by_slug(rank(figures, ALIKE, SCALES, seed=1))
    assert found["a"].first_share + found["b"].first_share == pytest.approx(1)
    assert 0.6 < found["a"].first_share < 0.9  # quality weighs 15 to 50, benefit 10 to 40 percent
    for slug, key, less in (("a", "quality", "benefit"), ("b", "benefit", "quality")):
        central = found[slug].central_weights
        assert central[key] > central[less]
        assert sum(central.values()) == pytest.approx(1)
        assert all(
            scale.plausible.min / 100 <= central[scale.key] <= scale.plausible.max / 100
            for scale in SCALES.criteria
        )
    assert found["c"].central_weights is None
    assert found["c"].rank_shares == [0, 0, 1]
    assert found["a"].first_three_share == pytest.approx(1)


def test_groups_hold_what_cannot_be_told_apart() -> None:
    figures = {
        slug: {**exact(), "quality": Measured(value, value - 5, value + 5, 40)}
        for slug, value in {"a": 80, "b": 78, "c": 60, "d": 62}.items()
    }
    ranking = rank(figures, SCALES.weights, SCALES, seed=1)
    assert [[each.slug for each in group] for group in ranking.groups] == [["a", "b"], ["d", "c"]]
    assert [each.rank for each in ranking.scenarios] == [1, 2, 3, 4]


def test_tipping_weight_in_words() -> None:
    """a leads by 0.3 x 0.4 of quality, b by 0.2 x 0.4 of benefit: with weight t for benefit
    and 0.3 / 0.8 (1 - t) for quality they are equal at t = 0.375 (1 - t), t = 3 / 11 = 27.3 %;
    with weight t for quality at t = 0.2 / 0.7 (1 - t), t = 2 / 9 = 22.2 %."""
    figures = {"a": exact(quality=90), "b": exact(benefit=172_800)}
    ranking = rank(figures, SCALES.weights, SCALES, seed=1)
    assert [(t.criterion, t.direction, t.slugs) for t in ranking.tipping] == [
        ("quality", "below", ["b"]),
        ("benefit", "above", ["b"]),
    ]
    assert [t.weight for t in ranking.tipping] == pytest.approx([2 / 9, 3 / 11])
    assert words(ranking)[:3] == [
        "Bis Gewicht 22 % für „Qualität“ (jetzt 30 %) läge „Brief“ vorn.",
        "Ab Gewicht 28 % für „Nutzen“ (jetzt 20 %) läge „Brief“ vorn.",
        "Welches Gewicht „Akzeptanz der Beschäftigten“ auch hat: Niemand überholt „Antrag“.",
    ]


def test_nearest_overtaker_is_named() -> None:
    figures = {
        "a": exact(quality=100),
        "b": exact(benefit=120_000),
        "c": exact(quality=90, benefit=120_000),
        "d": exact(quality=90, benefit=120_000),
    }
    ranking = rank(figures, ALIKE | {"benefit": 0.1}, SCALES, seed=1)
    above = next(each for each in ranking.tipping if each.criterion == "benefit")
    assert (above.direction, above.slugs) == ("above", ["c", "d"])
    assert any("lägen „Chat“ und „Dienst“ vorn." in each for each in words(ranking))


def test_equal_scenarios_are_called_equally_good() -> None:
    figures = {"a": exact(quality=80), "b": exact(staff=4.2)}
    ranking = rank(figures, ALIKE, SCALES, seed=1)
    assert [each.rank for each in ranking.scenarios] == [1, 1]
    assert len(ranking.groups) == 1
    assert words(ranking)[0] == (
        "Jetzt sind „Antrag“ und „Brief“ gleich gut; mit weniger Gewicht für „Qualität“ läge "
        "„Brief“ vorn."
    )
    assert words(ranking)[2].startswith("Jetzt sind „Antrag“ und „Brief“ gleich gut; mit mehr")


def test_whole_range_of_a_weight_is_said_as_such() -> None:
    """b is first only where quality counts nothing at all, c only where nothing else counts."""
    figures = {
        "a": exact(quality=99.9),
        "b": exact(quality=0, benefit=96_100),
        "c": exact(quality=100, benefit=0),
    }
    sentences = words(rank(figures, SCALES.weights, SCALES, seed=1))
    assert sentences[:2] == [
        "Bei Gewicht 0 % für „Qualität“ (jetzt 30 %) läge „Brief“ vorn.",
        "Bei Gewicht 100 % für „Qualität“ (jetzt 30 %) läge „Chat“ vorn.",
    ]


@pytest.mark.parametrize("key", KEYS)
def test_title_keeps_its_form_in_every_sentence(key: str) -> None:
    """„Geringer Einführungsaufwand“ would need other endings after `für`."""
    scale = SCALES.criterion(key)
    far = {"a": exact(quality=100, benefit=100_000), "b": exact(**{"quality": 90, key: scale.best})}
    told = [*words(rank(far, ALIKE, SCALES, seed=1)),
            *words(rank({"a": exact(), "b": exact(**{key: scale.best})}, ALIKE, SCALES, seed=1)),
            *words(rank({"a": exact(), "b": exact()}, ALIKE, SCALES, seed=1))]  # fmt: skip
    named = [sentence for sentence in told if scale.title in sentence]
    assert len(named) >= 3
    assert all(f"„{scale.title}“" in sentence for sentence in named), named


@settings(max_examples=40, deadline=None)
@given(
    quality=st.lists(st.integers(0, 20), min_size=2, max_size=4),
    benefit=st.lists(st.integers(0, 20), min_size=4, max_size=4),
    weights=st.lists(st.integers(0, 10), min_size=6, max_size=6).filter(any),
)
def test_tipping_sentences_come_true(
    quality: list[int], benefit: list[int], weights: list[int]
) -> None:
    """Whoever sets the weight of the sentence finds the one it names in front."""
    figures = {
        slug: exact(quality=5 * q, benefit=9_600 * b)
        for slug, q, b in zip("abcd", quality, benefit, strict=False)
    }
    chosen = dict(zip(KEYS, map(float, weights), strict=True))
    ranking = rank(figures, chosen, SCALES, seed=1)
    by_title = {scale.title: scale.key for scale in SCALES.criteria}
    for sentence in words(ranking):
        if not sentence.startswith(("Ab", "Bis", "Bei")):
            continue
        percent = int(sentence.split("Gewicht ")[1].split(" %")[0])
        key = by_title[sentence.split(" für „")[1].split("“ (jetzt")[0]]
        rest = sum(value for other, value in ranking.weights.items() if other != key)
        moved = {
            other: percent / 100 if other == key
            else (1 - percent / 100) * (value / rest if rest else 1 / (len(KEYS) - 1))
            for other, value in ranking.weights.items()
        }  # fmt: skip
        totals = {slug: total(figures[slug], moved) for slug in figures}
        first = ranking.scenarios[0].slug
        overtaking = {slug for slug in figures if totals[slug] > totals[first] + 1e-12}
        named = {slug for slug in figures if f"„{TITLES[slug]}“" in sentence}
        assert named <= overtaking


def test_drawn_figures_serve_any_weights() -> None:
    figures = {slug: {"quality": Measured(60, 50, 70, 9)} for slug in "abc"}
    drawn = draw(figures, SCALES, seed=3)
    for weights in (SCALES.weights, ALIKE):
        assert rank_drawn(drawn, weights) == rank(figures, weights, SCALES, seed=3)


def test_none_and_one_scenario() -> None:
    empty = rank({}, SCALES.weights, SCALES, seed=1)
    assert (empty.scenarios, empty.tipping, words(empty), empty.groups) == ([], [], [], [])
    one = rank({"a": exact()}, SCALES.weights, SCALES, seed=1)
    assert (one.scenarios[0].rank, one.scenarios[0].first_share) == (1, 1)
    assert (one.tipping, words(one)) == ([], [])


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (dict.fromkeys(KEYS, 0.0), "Alle Gewichte sind 0"),
        (ALIKE | {"benefit": -1.0}, "'benefit' hat kein Gewicht"),
        (ALIKE | {"benefit": float("nan")}, "'benefit' hat kein Gewicht"),
        ({"quality": 1.0}, "'benefit' hat kein Gewicht"),
    ],
)
def test_weights_that_are_none_are_refused(weights: dict[str, float], sentence: str) -> None:
    with pytest.raises(InvalidWeights, match=sentence):
        rank({"a": exact()}, weights, SCALES, seed=1)


def test_unknown_criteria_are_refused() -> None:
    with pytest.raises(UnknownObject, match="'tempo' \\(beim Szenario 'a'\\)"):
        rank({"a": {"tempo": Measured(1, 1, 1)}}, ALIKE, SCALES, seed=1)
    with pytest.raises(UnknownObject, match="'tempo' \\(bei den Gewichten\\)"):
        rank({"a": exact()}, ALIKE | {"tempo": 1.0}, SCALES, seed=1)
