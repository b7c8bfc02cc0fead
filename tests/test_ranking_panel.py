"""The ranking on the comparison page: weights in the address, profiles, and truthful sentences."""

import json
import re
from collections.abc import Callable
from typing import Any

import building
import pandas as pd
import pytest
from building import Trial
from sqlmodel import Session, select
from streamlit.testing.v1 import AppTest

from reallabor.comparison_scales import KEYS
from reallabor.database import reading, transaction
from reallabor.deciding.comparison import compare
from reallabor.deciding.profiles import list_profiles, save_profile
from reallabor.deciding.ranking_record import ranking_json
from reallabor.german import number, share
from reallabor.models import Person
from reallabor.rating.rounds import open_round, release_round
from reallabor.ui.comparison.weights import points_of


@pytest.fixture
def backend() -> str:
    """One database: what is read from it is tested elsewhere, here it is about the screen."""
    return "sqlite"


def draw(slugs: list[str], name: str) -> None:
    """The page around the ranking, as short as it can be."""
    from sqlmodel import select

    from reallabor.database import reading
    from reallabor.deciding.comparison import compare
    from reallabor.models import Person
    from reallabor.ui.comparison.ranking import show_ranking

    with reading() as session:
        person = session.exec(select(Person).where(Person.name == name)).one()
        shown = [each for each in compare(session) if each.slug in slugs]
    show_ranking(shown, person)


def named(session: Session, name: str) -> Person:
    return session.exec(select(Person).where(Person.name == name)).one()


@pytest.fixture
def trials(trial: Trial, platform_url: str) -> list[Trial]:
    """Three scenarios, not yet rated; the second has estimates."""
    others = [building.small_trial(trial.content) for _ in range(2)]
    best = {"level": 1, "reason": "Geschätzt."}
    trial.change(title="Antrag")
    others[0].change(title="Brief", effort=best, transfer={"level": 5, "reason": "Geschätzt."})
    others[1].change(title="Chat")
    with transaction() as session:
        building.load_with_runs(session, trial)
        for other in others:
            for variant in ("eins", "zwei", "alt"):
                building.add_run(session, other.slug, variant)
        building.add_staff(session)
    return [trial, *others]


def release(trial: Trial, level: float | dict[str, float]) -> None:
    with transaction() as session:
        organiser, anna = named(session, "Olga Organisation"), named(session, "Anna Bewertung")
        round_ = open_round(session, trial.slug, actor=organiser)
        for token in building.tokens(session, round_, anna):
            building.rate(session, anna, token, level)
        release_round(session, round_.id or 0, actor=organiser)


@pytest.fixture
def two(trials: list[Trial]) -> list[Trial]:
    """ "Antrag" is rated best, "Brief" worse, and misses the gate of its rubric."""
    release(trials[0], 5)
    release(trials[1], {**dict.fromkeys(building.CRITERIA, 4), "UE": 1})
    return trials


@pytest.fixture
def show(trials: list[Trial]) -> Callable[..., AppTest]:
    def show(*chosen: Trial, person: str = "Stefan Lenkung", **query: str) -> AppTest:
        page = AppTest.from_function(
            draw, args=([each.slug for each in chosen], person), default_timeout=60
        )
        for key, value in query.items():
            page.query_params[key.replace("_", "-")] = value
        page.run()
        assert not page.exception
        return page

    return show


def words(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info, page.warning, page.error, page.success)
    return " ".join(each.value for kind in kinds for each in kind).replace("\\", "")


def table(page: AppTest) -> pd.DataFrame:
    def read(text: str) -> str:
        return text.replace("\\", "")

    return page.table[0].value.map(read).rename(index=read, columns=read)


def chart(page: AppTest) -> Any:
    return json.loads(page.get("plotly_chart")[0].proto.spec)


def points(page: AppTest) -> list[int]:
    return [each.value for each in page.slider]


def test_table_shows_what_evidence_keeps(two: list[Trial], show: Callable[..., AppTest]) -> None:
    shown = table(show(*two))
    with reading() as session:
        record = ranking_json(compare(session))
    assert list(shown.index) == [row["title"] for row in record["rows"]]
    for row, (_, cells) in zip(record["rows"], shown.iterrows(), strict=True):
        assert cells["Rang"] == number(row["rank"], 0)
        assert cells["Gesamtwert"].startswith(f"{number(row['total'], 2)} (")
        assert cells["Auf Rang 1"] == share(row["first_share"])
        assert cells["Unter den ersten drei"] == share(row["first_three_share"])
    assert shown.loc["Brief", "Ausschlusskriterien"] == "verfehlt"
    assert "fehlt: Akzeptanz" in shown.loc["Brief", "Über die ganze Skala gezogen"].replace(
        "Nutzen, ", ""
    )


def test_missing_estimates_link_to_steckbrief(
    two: list[Trial], show: Callable[..., AppTest]
) -> None:
    (link,) = [each.proto for each in show(*two).get("page_link")]
    assert link.label.replace("\\", "") == (
        "Antrag: „Geringer Einführungsaufwand“ und „Übertragbarkeit“ nicht angegeben"
    )
    assert link.query_string == f"szenario={two[0].slug}"
    assert link.page.endswith("steckbrief")


def link_seven() -> None:
    """The links alone, of more scenarios than are named."""
    from reallabor.deciding.readiness import Missing
    from reallabor.ui.comparison.ranking import _link_unstated

    _link_unstated([Missing(f"Szenario {n}", "steckbrief") for n in range(7)])


def test_links_to_missing_estimates_end_somewhere(home: object) -> None:
    page = AppTest.from_function(link_seven, default_timeout=60).run()
    assert not page.exception
    assert len(page.get("page_link")) == 5
    assert [each.value for each in page.caption] == [
        "2 weitere Szenarien ohne diese Angaben; welche, steht in der Tabelle."
    ]


def test_moved_slider_ranks_anew(two: list[Trial], show: Callable[..., AppTest]) -> None:
    """The second is ahead as soon as only the estimates count, and its missed gate stays said."""
    page = show(*two)
    assert points(page) == [30, 20, 15, 15, 10, 10]
    for slider, value in zip(page.slider, (0, 0, 0, 0, 50, 50), strict=True):
        slider.set_value(value)
    page.run()
    assert list(table(page).index) == ["Brief", "Antrag"]
    assert "Vorn: „Brief“." in words(page)
    assert "„Brief“: Ausschlusskriterium verfehlt. Daran ändert der erste Rang nichts." in words(
        page
    )
    assert "Die Rangfolge ersetzt keine Prüfpunkte" in words(page)
    assert "zählt 50\u00a0% (außerhalb des Plausiblen, 5\u00a0bis\u00a025\u00a0%)" in words(page)
    assert page.selectbox[0].value == "Eigene Gewichte"


def test_chart_boxes_what_cannot_be_told_apart(
    two: list[Trial], show: Callable[..., AppTest]
) -> None:
    page = show(*two)
    assert table(page)["Gruppe"].tolist() == ["1 (2 nicht unterscheidbar)"] * 2
    layout = chart(page)["layout"]
    said = [each["text"] for each in layout["annotations"]]
    assert len(layout["shapes"]) == 1
    assert said[0] == "<i>nicht unterscheidbar</i>"
    names = [re.sub(r"0,\d\d", "0,00", text) for text in said[1:]]
    assert [name[3:] for name in sorted(names, key=lambda name: name[3:])] == [
        "Antrag: 0,00<br>Ausschlusskriterien offen",
        "Brief: 0,00<br>Ausschlusskriterium verfehlt",
    ]
    for slider, value in zip(page.slider, (0, 0, 0, 0, 50, 50), strict=True):
        slider.set_value(value)
    page.run()
    assert not chart(page)["layout"].get("shapes")


def test_weights_come_back_from_the_address(two: list[Trial], show: Callable[..., AppTest]) -> None:
    page = show(*two, gewicht_quality="70", gewicht_transfer="0")
    assert points(page) == [70, 20, 15, 15, 10, 0]
    assert "zählt 54\u00a0%" in words(page)
    assert not page.warning or "Der Link" not in words(page)


@pytest.mark.parametrize("broken", ["viel", "-5", "101", "3,5", ""])
def test_broken_weight_in_the_address_is_said(
    two: list[Trial], show: Callable[..., AppTest], broken: str
) -> None:
    page = show(*two, gewicht_quality=broken or "x" * 5000, gewicht_benefit="60")
    assert points(page)[:2] == [30, 60]
    assert "Der Link nennt für Qualität kein Gewicht von 0 bis 100" in words(page)
    assert "Der Link nennt" in words(page.run())  # until somebody moves a slider
    page.slider[0].set_value(31).run()
    assert "Der Link nennt" not in words(page)


def test_unknown_weight_in_the_address_is_said(
    two: list[Trial], show: Callable[..., AppTest]
) -> None:
    assert "ein Gewicht „gewicht-eleganz“, das es nicht gibt" in words(
        show(*two, gewicht_eleganz="40")
    )


def test_all_weights_zero_is_refused(two: list[Trial], show: Callable[..., AppTest]) -> None:
    page = show(*two)
    for slider in page.slider:
        slider.set_value(0)
    page.run()
    assert [each.value for each in page.error] == [
        "Alle Gewichte sind 0; bitte mindestens einem Kriterium ein Gewicht geben."
    ]
    page.button[0].click().run()
    assert points(page) == [30, 20, 15, 15, 10, 10]
    assert not page.error


def test_profile_is_saved_chosen_and_retired(
    two: list[Trial], show: Callable[..., AppTest]
) -> None:
    page = show(*two)
    page.slider[0].set_value(77).run()
    page.text_input[0].input("Güte zuerst")
    next(each for each in page.button if each.label == "Speichern").click().run()
    assert "Profil „Güte zuerst“ gespeichert." in words(page)
    assert page.selectbox[0].value == "Güte zuerst"
    with reading() as session:
        (profile,) = list_profiles(session)
    assert profile.weights["quality"] == pytest.approx(77 / 147)

    again = show(*two)
    assert again.selectbox[0].value == "Vorgabe"
    again.selectbox[0].set_value("Güte zuerst").run()
    assert points(again) == [77, 20, 15, 15, 10, 10]
    again.selectbox[1].set_value("Güte zuerst")
    next(each for each in again.button if each.label == "Aus der Liste nehmen").click().run()
    assert again.selectbox[0].options == ["Eigene Gewichte", "Vorgabe"]
    assert points(again)[0] == 77


def test_name_that_is_refused_is_said(two: list[Trial], show: Callable[..., AppTest]) -> None:
    page = show(*two)
    page.text_input[0].input("Vorgabe")
    next(each for each in page.button if each.label == "Speichern").click().run()
    assert "bitte einen anderen Namen wählen" in words(page)
    assert len(page.table) == 2


@pytest.mark.parametrize("person", ["Anna Bewertung", "Paul Pilot"])
def test_only_some_are_offered_to_save(
    two: list[Trial], show: Callable[..., AppTest], person: str
) -> None:
    with transaction() as session:
        save_profile(session, "Güte", dict.fromkeys(KEYS, 1.0),
                     actor=named(session, "Stefan Lenkung"))  # fmt: skip
    page = show(*two, person=person)
    assert not page.text_input
    page.selectbox[0].set_value("Güte").run()
    assert len(set(points(page))) == 1


def test_figures_that_changed_meanwhile_are_shown(
    two: list[Trial], show: Callable[..., AppTest]
) -> None:
    page = show(*two)
    assert "„Chat“" in words(page)
    assert len(table(page)) == 2
    release(two[2], 3)
    page.slider[0].set_value(31).run()
    assert len(table(page)) == 3


def test_no_scenario_is_said(trials: list[Trial], show: Callable[..., AppTest]) -> None:
    page = show()
    assert words(page) == "Zu dieser Auswahl gibt es kein Szenario, das sich reihen ließe."
    assert not page.slider


def test_nothing_measured_is_said(trials: list[Trial], show: Callable[..., AppTest]) -> None:
    page = show(*trials)
    assert "Noch keines der gezeigten Szenarien hat Ergebnisse" in words(page)
    assert not page.slider


def test_one_scenario_is_no_ranking(two: list[Trial], show: Callable[..., AppTest]) -> None:
    page = show(two[0], two[2])
    assert "Nur zu „Antrag“ liegen Ergebnisse vor" in words(page)
    assert "Nicht gereiht, weil noch nichts gemessen ist (1 Szenario): „Chat“." in words(page)
    assert not page.get("plotly_chart")


def test_equal_scenarios_have_no_first(trials: list[Trial], show: Callable[..., AppTest]) -> None:
    release(trials[0], 4)
    release(trials[2], 4)
    page = show(trials[0], trials[2])
    assert "Alle haben denselben Gesamtwert" in words(page)
    assert table(page)["Rang"].tolist() == ["1", "1"]
    assert "Jetzt sind" in words(page) or "Niemand überholt" in words(page)


def test_points_keep_proportions() -> None:
    for given in ([40, 20, 15, 15, 10, 10], [1, 1, 1, 0, 0, 0], [100] * 6, [97, 3, 1, 1, 1, 0]):
        weights = {key: each / sum(given) for key, each in zip(KEYS, given, strict=True)}
        found = points_of(weights)
        total = sum(found.values())
        assert {key: each / total for key, each in found.items()} == pytest.approx(weights)
        assert max(found.values()) <= 100
    uneven = dict(zip(KEYS, (0.123456, 0.2, 0.3, 0.1, 0.1, 0.176544), strict=True))
    assert sum(points_of(uneven).values()) == pytest.approx(100, abs=2)
