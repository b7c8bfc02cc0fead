"""The panel of language models: a table and a plot of its own, words where figures are missing."""

import json
import re
from typing import Any

import pandas as pd
from judged import MODEL, OpenRound, StandIn, judge, open_, person, rate_by, release, stand_in
from stand_in_judge import levels
from streamlit.testing.v1 import AppTest

from reallabor.rating.judging import judge_round
from reallabor.recording.endpoint import Endpoint
from reallabor.statistics import AlternativeAnnotatorTest
from reallabor.statistics.judges import AgainstRater
from reallabor.ui.judges import verdict
from reallabor.ui.page import plain

__all__ = ["open_", "stand_in"]


def draw(round_id: int) -> None:
    """The page around the panel, as short as it can be."""
    from reallabor.database import reading
    from reallabor.rating.judge_results import judge_result
    from reallabor.ui.judges import judge_panel

    with reading() as session:
        columns = judge_result(session, round_id)
    judge_panel(columns)


def shown(open_: OpenRound) -> AppTest:
    page = AppTest.from_function(draw, args=(open_.round_id,), default_timeout=30).run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    said = " ".join(each.value for each in (*page.markdown, *page.caption, *page.text))
    return said.replace("\\", "")


def steady(name: str, text: str) -> int:
    """People give 4 to one system and 3 to the others."""
    return 4 if " eins " in text else 3


def table(page: AppTest) -> pd.DataFrame:
    """The table as it is read on the screen."""

    def read(text: str) -> str:
        return text.replace("\\", "")

    return page.table[0].value.map(read).rename(index=read, columns=read)


def test_panel_names_distance_and_what_never_counts(open_: OpenRound, stand_in: StandIn) -> None:
    def milder(text: str) -> int:
        return steady("", text) + (0 if "f-1" in text else 1)

    judge(open_, stand_in(lambda found, _: levels(milder(found["ausgabe"]))))
    rate_by(open_, steady)
    release(open_)
    page = shown(open_)
    assert "zählt nie im Punktwert" in words(page)
    assert [each.value for each in page.subheader] == [MODEL]
    assert "15 Ausgaben beurteilt am " in words(page)
    rows = table(page)
    assert len(rows) == 6
    row = rows.loc["Fachliche Richtigkeit"]
    assert (row["Ausgaben"], row["Menschen"], row["Sprachmodell"]) == ("15", "3,33", "4,13")
    assert re.fullmatch(r"\+0,80 \(\d,\d\d\xa0bis\xa0\d,\d\d\)", row["Abstand"])
    assert re.fullmatch(r"0,\d\d", row["Rangfolge Ausgaben"])
    assert row["Rangfolge Varianten"] == "1,00 (n\xa0=\xa03)"
    assert row["Ersatztest"] == "n. b."
    assert "Ersatztest, alle Kriterien: Der Alternative" in words(page)


def test_plot_shows_what_the_table_says(open_: OpenRound, stand_in: StandIn) -> None:
    judge(open_, stand_in(lambda found, _: levels(steady("", found["ausgabe"]) - 2)))
    rate_by(open_, steady)
    release(open_)
    page = shown(open_)
    (chart,) = page.get("plotly_chart")
    figure: Any = json.loads(chart.proto.spec)
    (trace,) = figure["data"]
    assert trace["name"] == "Sprachmodell"
    assert trace["text"] == ["\u22122,00"] * 6
    low, high = figure["layout"]["xaxis"]["range"]
    assert (low, high) == (-high, high)
    assert low <= -2
    assert set(table(page)["Abstand"].str[:5]) == {"\u22122,00"}


def test_round_without_models_shows_no_panel(open_: OpenRound) -> None:
    rate_by(open_, steady)
    release(open_)
    page = shown(open_)
    assert (len(page.table), len(page.header), words(page)) == (0, 0, "")


def test_panel_tells_what_failed(open_: OpenRound, stand_in: StandIn) -> None:
    judge(open_, stand_in(lambda *_: "nein"))
    rate_by(open_, steady)
    release(open_)
    page = shown(open_)
    assert "0 Ausgaben beurteilt am " in words(page)
    assert "zu 15 keine brauchbare Antwort" in words(page)
    assert len(page.get("plotly_chart")) == 0
    assert set(table(page)["Abstand"]) == {"n. b."}


def test_name_of_a_model_is_no_markdown(open_: OpenRound, stand_in: StandIn) -> None:
    server = stand_in(lambda *_: levels(4))
    name = "**fett** <b>x</b> [y](http://z)"
    judge_round(open_.slug, Endpoint(server.url, name), actor=person())
    rate_by(open_, steady)
    release(open_)
    (title,) = shown(open_).subheader
    assert title.value == plain(name)
    assert r"\*\*fett\*\* \<b\>" in title.value


def test_verdict_counts_people_and_names_the_end() -> None:
    raters = tuple(AgainstRater(code, 42, 0.8, 0.7, 0.01, code < 2) for code in range(3))
    passed = AlternativeAnnotatorTest(2 / 3, 0.8, True, 0.2, raters, None)
    assert verdict(passed) == "2 von 3, bestanden"
    failed = AlternativeAnnotatorTest(0.0, 0.3, False, 0.2, raters[2:] * 3, None)
    assert verdict(failed) == "0 von 3, nicht bestanden"
