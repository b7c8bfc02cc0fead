"""The page Vergleich, drawn by the real script: its tables, its address, who sees single cases."""

import html
import re
from collections.abc import Iterator

import building
import pandas as pd
import pytest
from building import REPOSITORY, Trial
from streamlit.testing.v1 import AppTest
from test_results import all_cases, but, released

from reallabor.database import reading, transaction
from reallabor.deciding.comparison import compare
from reallabor.deciding.figures import scenario_cells
from reallabor.models import Role
from reallabor.rating.rounds import open_round
from reallabor.settings import get_settings
from reallabor.ui.comparison.overview import cell_text

LEVELS = {**all_cases(6, 4), **{key: but(3, FR=2) for key in all_cases(6, 3, "alt")}}


@pytest.fixture
def screen(home: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("REALLABOR_DEMO", "1")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def opened(person: str = "Stefan Lenkung", **query: str) -> AppTest:
    page = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
    page.session_state["person"] = person
    page.run()
    page.switch_page("reallabor/ui/pages/compare.py")
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def tables(page: AppTest) -> list[pd.DataFrame]:
    return [table.value for table in page.table]


def words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.warning, *page.info, *page.error, *page.text]
    return html.unescape("\n".join(str(part.value) for part in parts)).replace("\\", "")


def plain(table: pd.DataFrame) -> pd.DataFrame:
    return table.map(lambda text: str(text).replace("\\", ""))


def test_table_shows_exactly_the_cells(screen: None, trial: Trial, platform_url: str) -> None:
    released(trial, LEVELS, variants=("eins", "alt"))
    overview = plain(tables(opened())[0])
    with reading() as session:
        (comparison,) = compare(session)
    (row,) = overview.to_dict("records")
    assert row.pop("Organisation") == building.HOUSE
    expected = {cell.title: cell_text(cell) for cell in scenario_cells(comparison)}
    assert {key.replace("\\", ""): value for key, value in row.items()} == expected


def test_address_keeps_what_is_chosen(screen: None, trial: Trial, platform_url: str) -> None:
    released(trial, LEVELS, variants=("eins", "alt"))
    page = opened()
    page.selectbox(key="choice-sortierung").set_value("score").run()
    page.toggle(key="choice-absteigend").set_value(True).run()
    page.selectbox(key="choice-fall").set_value("f-2").run()
    assert not page.exception
    address = dict(page.query_params)
    assert address | {"sortierung": "score", "absteigend": "ja", "fall": "f-2",
                      "szenario": trial.slug, "paar": "eins~alt"} == address  # fmt: skip
    again = opened(**address)
    assert again.selectbox(key="choice-sortierung").value == "score"
    assert again.toggle(key="choice-absteigend").value is True
    assert again.selectbox(key="choice-fall").value == "f-2"
    assert "Antwort von eins auf f-2" in words(again)


@pytest.mark.parametrize(
    "query",
    [{"szenario": "gibt-es-nicht"}, {"sortierung": "schönheit"}, {"phase": "vorbei"},
     {"absteigend": "vielleicht"}, {"paar": "eins~weg"}, {"fall": "f-99"},
     {"nebeneinander": "gibt-es-nicht,auch-nicht"}],
    ids=lambda query: next(iter(query)),
)  # fmt: skip
def test_stale_link_says_so_and_shows_the_default(
    screen: None, trial: Trial, platform_url: str, query: dict[str, str]
) -> None:
    released(trial, LEVELS, variants=("eins", "alt"))
    page = opened(**query)
    (sentence,) = [each.value for each in page.warning if "Der Link nennt" in each.value]
    assert "gibt: " in sentence
    assert tables(page)[0].shape[0] == 1
    assert page.query_params["szenario"] == trial.slug


def test_pair_shows_difference_on_shared_cases(
    screen: None, trial: Trial, platform_url: str
) -> None:
    released(trial, {**LEVELS, ("Anna", "f-6", "alt"): 1, ("Bert", "f-6", "alt"): 1},
             variants=("eins", "alt"))  # fmt: skip
    pairs = plain(next(each for each in tables(opened()) if "In Worten" in each.columns))
    (row,) = pairs.to_dict("records")
    assert pairs.index[0].replace("\\", "") == "System eins gegen Ohne KI (ohne KI)"
    assert row["Gemeinsame Fälle"] == "6"
    assert row["In Worten"] == "System eins ist besser"
    assert row["Besser in"].replace("\u00a0", " ").startswith("100 % (")


def test_person_who_rates_sees_no_single_case(
    screen: None, trial: Trial, platform_url: str
) -> None:
    released(trial, LEVELS, variants=("eins", "alt"))
    with transaction() as session:
        from sqlmodel import select

        from reallabor.models import Person

        building.add_run(session, trial.slug, "eins")
        organiser = session.exec(select(Person).where(Person.name == "Olga Organisation")).one()
        building.add_person(session, "Neu Bewertung", Role.EVALUATOR)
        open_round(session, trial.slug, actor=organiser)
    page = opened("Anna Bewertung", fall="f-2", szenario=trial.slug)
    assert "Antwort von eins" not in words(page)
    assert "Einzelne Fälle sehen Sie erst" in words(page)
    assert "Antwort von eins auf f-2" in words(opened("Stefan Lenkung", fall="f-2"))


def test_ratings_of_a_case_stand_under_pseudonyms(
    screen: None, trial: Trial, platform_url: str
) -> None:
    released(trial, LEVELS, variants=("eins", "alt"))
    page = opened(fall="f-1")
    ratings = [each for each in tables(page) if all(str(name).startswith("B") for name in each)]
    assert len(ratings) == 2
    everything = words(page) + "".join(each.to_csv() for each in tables(page))
    assert not re.findall(r"\b(Anna|Bert|Cora)\b", everything)


def test_empty_platform_says_so(screen: None, platform_url: str) -> None:
    with transaction() as session:
        building.add_staff(session)
    assert "Noch kein Szenario vorhanden" in words(opened())
