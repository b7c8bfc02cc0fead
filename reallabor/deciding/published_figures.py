"""The numbers in the published form of a scenario, each by a key of its own and a German title:
what a decision froze is told apart and held against today by them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

_TITLES = {
    "n_cases": "Fälle", "n_ratings": "Bewertungen", "n_adjudicated": "Geklärte Urteile",
    "score": "Punktwert", "score_original": "Punktwert ohne Klärung",
    "low_share": "Anteil Stufe 1–2", "n_raters": "Bewertende", "n_organisations": "Organisationen",
}  # fmt: skip


class PublishedFigure(NamedTuple):
    """A number of the published form."""

    key: str
    """Where it stands there: two variants may bear one title, but not one key."""
    title: str
    value: float | None


def cell_figures(figures: Sequence[Mapping[str, Any]]) -> Iterator[PublishedFigure]:
    """What is computed from the runs and ratings of the round beside its scores."""
    for cell in figures:
        if cell["key"] in ("net_minutes", "cost"):
            for part, words in (("value", ""), ("low", ", untere Grenze"),
                                ("high", ", obere Grenze")):  # fmt: skip
                if cell[part] is not None:
                    yield PublishedFigure(
                        f"{cell['key']}/{part}", f"{cell['title']}{words}", cell[part]
                    )


def comparison_figures(
    comparison: Mapping[str, Any], without: Set[str] = frozenset()
) -> Iterator[PublishedFigure]:
    """The numbers of a comparison's published form with a German title, but those of the
    organisations `without`; what an older form does not have is left out."""
    for key in ("n_cases", "n_raters", "n_organisations", "n_adjudicated"):
        if key in comparison:
            yield PublishedFigure(key, f"{_TITLES[key]} insgesamt", comparison[key])
    for criterion, figures in comparison.get("agreement", {}).items():
        for key, title in (("alpha", "Alpha"), ("ac2", "AC2")):
            if key in figures:
                yield PublishedFigure(
                    f"agreement/{criterion}/{key}", f"{title} {criterion}", figures[key]
                )
    variants = comparison.get("variants", [])
    bearers = Counter(each["title"] for each in variants)
    for variant in variants:
        title, key = variant["title"], variant["variant"]
        yield from _variant(variant, title if bearers[title] == 1 else f"{title}, {key}", without)


def _variant(variant: Mapping[str, Any], name: str, without: Set[str]) -> Iterator[PublishedFigure]:
    place = f"variants/{variant['variant']}"
    for key in ("score", "score_original", "low_share", "n_cases", "n_ratings"):
        if key in variant:
            yield PublishedFigure(f"{place}/{key}", f"{_TITLES[key]} ({name})", variant[key])
    yield from _interval(f"{place}/score", f"Punktwert ({name})", variant.get("score_interval"))
    for criterion, figure in variant.get("criteria", {}).items():
        where = f"{place}/criteria/{criterion}"
        for key, title in (("mean", "Mittel"), ("median", "Median"), ("n", "Fälle")):
            if key in figure:
                yield PublishedFigure(
                    f"{where}/{key}", f"{title} {criterion} ({name})", figure[key]
                )
        yield from _interval(where, f"{criterion} ({name})", figure.get("interval"))
    for house in variant.get("organisations", []):
        if house["organisation"] not in without:
            where = f"{place}/organisations/{house['organisation']}"
            yield from _house(house, where, f"({name}, {house['organisation']})")


def _house(house: Mapping[str, Any], place: str, whose: str) -> Iterator[PublishedFigure]:
    yield PublishedFigure(f"{place}/score", f"Punktwert {whose}", house["score"])
    yield PublishedFigure(f"{place}/n_cases", f"Fälle {whose}", house["n_cases"])
    yield from _interval(f"{place}/score", f"Punktwert {whose}", house.get("score_interval"))


def _interval(place: str, title: str, ends: list[float] | None) -> Iterator[PublishedFigure]:
    if ends is not None:
        yield PublishedFigure(f"{place}/low", f"{title}, untere Grenze", ends[0])
        yield PublishedFigure(f"{place}/high", f"{title}, obere Grenze", ends[1])
