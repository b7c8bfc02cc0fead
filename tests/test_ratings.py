"""Rating blind: what is stored, what is refused, where one goes on."""

import math
import uuid
from dataclasses import asdict

import building
import pytest
from building import CRITERIA, Trial
from sqlmodel import Session, col, select

from reallabor.database import reading, transaction
from reallabor.errors import InvalidRating, NotAllowed
from reallabor.models import Person, Rating, Remark, Round
from reallabor.rating.ratings import first_open_position, list_open_ratings, list_sheet_items
from reallabor.rating.rounds import open_round, release_round


@pytest.fixture
def opened(trial: Trial, platform_url: str) -> Trial:
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        open_round(session, trial.slug, actor=staff["organiser"])
    return trial


def person(session: Session, name: str = "Anna Bewertung") -> Person:
    return session.exec(select(Person).where(Person.name == name)).one()


def tokens(session: Session, name: str = "Anna Bewertung") -> list[str]:
    return building.tokens(session, session.exec(select(Round)).one(), person(session, name))


def stored(session: Session) -> list[Rating]:
    return list(session.exec(select(Rating).order_by(col(Rating.id))).all())


def test_same_submission_changes_nothing(opened: Trial) -> None:
    with transaction() as session:
        submission = building.rate(session, person(session), tokens(session)[0], 4, comment="Gut")
    with transaction() as session:
        building.rate(session, person(session), tokens(session)[0], 2, submission=submission)
    with reading() as session:
        assert [rating.level for rating in stored(session)] == [4] * 6
        assert [remark.text for remark in session.exec(select(Remark))] == ["Gut"]


def test_revision_supersedes_and_keeps_the_original(opened: Trial) -> None:
    with transaction() as session:
        building.rate(session, person(session), tokens(session)[0], 4, comment="Erst")
    with transaction() as session:
        building.rate(session, person(session), tokens(session)[0], 2, comment="Dann")
    with reading() as session:
        ratings = stored(session)
        remarks = session.exec(select(Remark).order_by(col(Remark.id))).all()
    assert [rating.level for rating in ratings] == [4] * 6 + [2] * 6
    assert [rating.superseded_at is None for rating in ratings] == [False] * 6 + [True] * 6
    assert [(r.text, r.superseded_at is None) for r in remarks] == [("Erst", False), ("Dann", True)]


def test_revision_may_take_a_comment_back(opened: Trial) -> None:
    with transaction() as session:
        building.rate(session, person(session), tokens(session)[0], comment="Erst")
        building.rate(session, person(session), tokens(session)[0], comment="  ")
    with reading() as session:
        (item,) = list_sheet_items(session, 1, actor=person(session), first=1, last=1)
    assert item.comment == ""


def test_other_persons_token_is_refused(opened: Trial) -> None:
    with reading() as session:
        others = set(tokens(session, "Bert Bewertung")) - set(tokens(session))
    for token in (others.pop(), "gibt-es-nicht"):
        with pytest.raises(NotAllowed, match="nicht zugeteilt"), transaction() as session:
            building.rate(session, person(session), token)
    with reading() as session:
        assert stored(session) == []


@pytest.mark.parametrize("level", [0, 6, -1, 2.5, math.nan, math.inf, -math.inf, True], ids=str)
def test_impossible_level_stores_nothing(opened: Trial, level: float) -> None:
    levels = {**dict.fromkeys(CRITERIA, 4), "NE": level}
    with (
        pytest.raises(InvalidRating, match=r"Stufe .* gibt es in 'auskunft@1' nicht .*NE"),
        transaction() as session,
    ):
        building.rate(session, person(session), tokens(session)[0], levels)
    with reading() as session:
        assert stored(session) == []


def test_missing_criterion_is_named(opened: Trial) -> None:
    levels = dict.fromkeys(CRITERIA[:-1], 4)
    with (
        pytest.raises(InvalidRating, match="Bitte noch bewerten: Datensparsamkeit"),
        transaction() as session,
    ):
        building.rate(session, person(session), tokens(session)[0], levels)
    with reading() as session:
        assert stored(session) == []


def test_unknown_criterion_is_refused(opened: Trial) -> None:
    levels = dict.fromkeys((*CRITERIA, "XX"), 4)
    with pytest.raises(InvalidRating, match="Kriterium 'XX'"), transaction() as session:
        building.rate(session, person(session), tokens(session)[0], levels)


def test_submission_belongs_to_one_output(opened: Trial) -> None:
    with transaction() as session:
        submission = building.rate(session, person(session), tokens(session)[0])
    with pytest.raises(InvalidRating, match="anderen Ausgabe"), transaction() as session:
        building.rate(session, person(session), tokens(session)[1], submission=submission)
    with pytest.raises(InvalidRating, match="Kennung"), transaction() as session:
        building.rate(session, person(session), tokens(session)[1], submission="x")
    with reading() as session:
        assert len(stored(session)) == 6


def test_overlong_comment_stores_nothing(opened: Trial) -> None:
    with pytest.raises(InvalidRating, match="2001 Zeichen"), transaction() as session:
        building.rate(session, person(session), tokens(session)[0], comment="x" * 2001)
    with reading() as session:
        assert stored(session) == []


def test_strange_comment_is_kept(opened: Trial) -> None:
    comment = "👩🏽‍💼 مرحبا \x00 =SUMME(A1)\n„Zitat“"
    with transaction() as session:
        building.rate(session, person(session), tokens(session)[0], comment=comment)
    with reading() as session:
        assert session.exec(select(Remark.text)).one() == comment.replace("\x00", "")


def test_half_surrogate_in_comment_is_kept_out(opened: Trial) -> None:
    with transaction() as session:
        building.rate(session, person(session), tokens(session)[0], comment="a\ud800b")
    with reading() as session:
        assert session.exec(select(Remark.text)).one() == "a?b"


def test_person_goes_on_where_they_stopped(opened: Trial) -> None:
    with transaction() as session:
        anna = person(session)
        mine = tokens(session)
        assert first_open_position(session, 1, actor=anna) == 1
        building.rate(session, anna, mine[0])
        building.rate(session, anna, mine[2])
    with transaction() as session:
        anna = person(session)
        assert first_open_position(session, 1, actor=anna) == 2
        (open_rating,) = list_open_ratings(session, anna)
        assert (open_rating.done, open_rating.total) == (2, len(mine))
        for token in mine:
            building.rate(session, anna, token)
        assert first_open_position(session, 1, actor=anna) is None
        assert list_open_ratings(session, anna)[0].done == len(mine)


def test_sheet_shows_own_levels_only(opened: Trial) -> None:
    with transaction() as session:
        building.rate_all(session, session.exec(select(Round)).one(), person(session), 3)
        items = list_sheet_items(
            session, 1, actor=person(session, "Bert Bewertung"), first=1, last=99
        )
        assert all(item.levels == {} and not item.done for item in items)
        mine = list_sheet_items(session, 1, actor=person(session), first=1, last=99)
        assert all(item.levels == dict.fromkeys(CRITERIA, 3) for item in mine)


def test_sheet_names_no_system_or_run(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        runs = building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        open_round(session, trial.slug, actor=staff["organiser"])
        items = list_sheet_items(session, 1, actor=staff["anna"], first=1, last=99)
        ids = [run.tracking_run_id or "" for run in runs]
    assert items
    for item in items:
        shown = {key: value for key, value in asdict(item).items() if key not in {"output"}}
        for secret in (*ids, "eins", "zwei", "System", building.HOUSE, "tr-"):
            assert secret not in str(shown)


def test_outsider_sees_no_sheet(opened: Trial) -> None:
    with reading() as session:
        nobody = person(session, "Nora Niemand")
        assert list_sheet_items(session, 1, actor=nobody, first=1, last=99) == []
        assert list_open_ratings(session, nobody) == []
        assert first_open_position(session, 1, actor=nobody) is None


def test_released_round_is_no_longer_open(opened: Trial) -> None:
    with transaction() as session:
        building.rate(session, person(session), tokens(session)[0])
        release_round(session, 1, actor=person(session, "Olga Organisation"))
        assert list_open_ratings(session, person(session)) == []


def test_repeating_after_release_is_no_error(opened: Trial) -> None:
    with transaction() as session:
        submission = building.rate(session, person(session), tokens(session)[0])
        release_round(session, 1, actor=person(session, "Olga Organisation"))
    with transaction() as session:
        building.rate(session, person(session), tokens(session)[0], submission=submission)
    with reading() as session:
        assert len(stored(session)) == 6
    assert uuid.UUID(submission)
