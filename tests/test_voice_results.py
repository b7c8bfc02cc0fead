"""What is told of voices: from five answers on, and what readiness makes of them."""

import uuid

import building
import pytest
import surveys
from building import Trial, person
from surveys import close, enter, result, submit, tablet

from reallabor.database import reading, transaction
from reallabor.deciding.comparison import compare
from reallabor.errors import UnknownObject
from reallabor.models import Audience, Survey
from reallabor.rating.rounds import open_round, release_round
from reallabor.rating.voice_results import SurveyResult, survey_result
from reallabor.rating.voices import Access, Sheet
from reallabor.statistics import mean_interval

# --- results ------------------------------------------------------------------------------------


def test_below_five_answers_only_n_is_told(survey: Survey) -> None:
    for n in range(4):
        submit(tablet(survey), surveys.sheet(worry=f"Sorge {n}"))
    assert result(survey) == SurveyResult(4, None, [])
    submit(tablet(survey), surveys.sheet(worry="A zuerst"))
    shown = result(survey)
    assert shown.n == 5
    assert shown.worries == ["A zuerst", "Sorge 0", "Sorge 1", "Sorge 2", "Sorge 3"]


def test_question_with_few_answers_stays_hidden(survey: Survey) -> None:
    for n in range(6):
        submit(tablet(survey), surveys.sheet(None, nutzen=1 + n % 3, **({"hilfreich": 2} if n < 4
                                             else {})))  # fmt: skip
    helpful, use, trust = result(survey).questions or []
    assert (helpful.n, helpful.counts, helpful.mean, helpful.interval) == (4, None, None, None)
    assert (use.n, use.counts) == (6, {1: 2, 2: 2, 3: 2})
    assert trust.n == 0


def test_figures_are_counted_over_all_ways(survey: Survey) -> None:
    levels = [1, 3, 3, 3, 2, 3]
    for number, level in enumerate(levels):
        sheet = surveys.sheet(None, nutzen=level, simple=number % 2 == 0)
        if number % 3 == 0:
            enter(survey, sheet)
        elif number % 3 == 1:
            submit(tablet(survey), sheet)
        else:
            submit(Access(surveys.links(survey)[0]), sheet)
    use = (result(survey).questions or [])[1]
    assert use.counts == {1: 1, 2: 1, 3: 4}
    assert use.mean == pytest.approx(2.5)
    assert use.interval == mean_interval(levels, lower=1, upper=3)
    assert use.levels == {1: "Nein", 2: "Vielleicht", 3: "Ja"}


def test_equal_answers_have_an_interval_of_some_width(survey: Survey) -> None:
    for _ in range(5):
        submit(tablet(survey), surveys.sheet(3))
    interval = (result(survey).questions or [])[0].interval
    assert interval is not None
    assert interval.low is not None
    assert 1 < interval.low < 3 == interval.high


def test_unknown_survey_has_no_result(staffed: Trial) -> None:
    with reading() as session, pytest.raises(UnknownObject, match=r"Befragung Nr\. 99"):
        survey_result(session, 99, actor=person(session, "Paul Pilot"))


# --- readiness ----------------------------------------------------------------------------------


def missing_voices(slug: str) -> list[str]:
    with reading() as session:
        points = compare(session, [slug])[0].readiness.points
    return [point.text for point in points if point.text.startswith("Rückmeldungen")]


def test_readiness_asks_for_voices_of_both(staffed: Trial) -> None:
    with transaction() as session:
        organiser, anna = (person(session, name)
                           for name in ("Olga Organisation", "Anna Bewertung"))  # fmt: skip
        round_ = open_round(session, staffed.slug, actor=organiser)
        building.rate_all(session, round_, anna)
        release_round(session, round_.id or 0, actor=organiser)
        before = compare(session, [staffed.slug])[0].result
    assert missing_voices(staffed.slug) == ["Rückmeldungen von Beschäftigten und Kund:innen fehlen"]
    clients = surveys.opened(staffed.slug)
    for _ in range(4):
        submit(tablet(clients), surveys.sheet())
    assert missing_voices(staffed.slug) == [
        "Rückmeldungen von Beschäftigten fehlen",
        "Rückmeldungen von Kund:innen: 4 von mindestens 5",
    ]
    submit(tablet(clients), surveys.sheet())
    close(clients)  # what was said still counts
    assert missing_voices(staffed.slug) == ["Rückmeldungen von Beschäftigten fehlen"]
    staff = surveys.opened(staffed.slug, Audience.STAFF)
    for _ in range(5):
        submit(tablet(staff), Sheet({"nutzen": 5}, "", False, str(uuid.uuid4())))
    assert missing_voices(staffed.slug) == []
    with reading() as session:  # and no rating moved by it
        assert compare(session, [staffed.slug])[0].result == before


def test_voices_of_a_show_count_for_no_real_result(staffed: Trial, survey: Survey) -> None:
    for _ in range(5):
        submit(tablet(survey), surveys.sheet())
    with transaction() as session:
        organiser, anna = (person(session, name)
                           for name in ("Olga Organisation", "Anna Bewertung"))  # fmt: skip
        round_ = open_round(session, staffed.slug, actor=organiser)
        building.rate_all(session, round_, anna)
        release_round(session, round_.id or 0, actor=organiser)
        row = session.get_one(Survey, survey.id)
        row.demo = True
        session.add(row)
    assert missing_voices(staffed.slug) == ["Rückmeldungen von Beschäftigten und Kund:innen fehlen"]
