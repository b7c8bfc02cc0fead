"""Rating blind: what is stored, what is refused, where one goes on."""

import math
import uuid
from dataclasses import asdict, replace
from typing import Any

import building
import pytest
from building import CRITERIA, Trial, person
from sqlmodel import Session, col, delete, select

from reallabor.database import reading, transaction
from reallabor.errors import InvalidRating, NotAllowed, WrongState
from reallabor.models import GoldCase, GoldRating, Person, Rating, Remark, Round, Rubric, row_id
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.ratings import Judgement, submit_rating
from reallabor.rating.rounds import cancel_round, open_round, release_round
from reallabor.rating.sheet import Sheet, list_open_ratings, load_sheet


def tokens(session: Session, name: str = "Anna Bewertung") -> list[str]:
    return building.tokens(session, session.exec(select(Round)).one(), person(session, name))


def sheet(session: Session, actor: Person) -> Sheet:
    """All that this person has in the round."""
    return load_sheet(session, 1, actor=actor, position=1, after=99)


def goes_on_at(session: Session, actor: Person) -> int:
    return load_sheet(session, 1, actor=actor).position


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
        item = sheet(session, person(session)).items[0]
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
        assert goes_on_at(session, anna) == 1
        building.rate(session, anna, mine[0])
        building.rate(session, anna, mine[2])
    with transaction() as session:
        anna = person(session)
        assert goes_on_at(session, anna) == 2
        (open_rating,) = list_open_ratings(session, anna)
        assert (open_rating.done, open_rating.total) == (2, len(mine))
        for token in mine:
            building.rate(session, anna, token)
        assert goes_on_at(session, anna) == len(mine)
        assert list_open_ratings(session, anna)[0].done == len(mine)


def test_sheet_shows_own_levels_only(opened: Trial) -> None:
    with transaction() as session:
        building.rate_all(session, session.exec(select(Round)).one(), person(session), 3)
        items = sheet(session, person(session, "Bert Bewertung")).items
        assert all(item.levels == {} and not item.done for item in items)
        mine = sheet(session, person(session)).items
        assert all(item.levels == dict.fromkeys(CRITERIA, 3) for item in mine)


def test_sheet_names_no_system_or_run(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        runs = building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        open_round(session, trial.slug, actor=staff["organiser"])
        items = sheet(session, staff["anna"]).items
        ids = [run.tracking_run_id or "" for run in runs]
    assert items
    for item in items:
        shown = {key: value for key, value in asdict(item).items() if key not in {"output"}}
        for secret in (*ids, "eins", "zwei", "System", building.HOUSE, "tr-"):
            assert secret not in str(shown)


def test_outsider_sees_no_sheet(opened: Trial) -> None:
    with reading() as session:
        nobody = person(session, "Nora Niemand")
        assert sheet(session, nobody).items == []
        assert list_open_ratings(session, nobody) == []
        assert goes_on_at(session, nobody) == 0


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


# --- what belongs to the levels -----------------------------------------------------------------

FULL = Judgement(
    levels=dict.fromkeys(CRITERIA, 3),
    comment="Insgesamt brauchbar",
    comments={"FR": "Frist fehlt", "QU": "  "},
    passages=[
        {"start": 0, "end": 7, "criterion": "FR"},
        {"start": 8, "end": 11, "criterion": ""},
    ],
    rework_minutes=15,
)


def submit(session: Session, judgement: Judgement, token: str) -> None:
    submit_rating(
        session, judgement, actor=person(session), token=token, submission=str(uuid.uuid4())
    )


def test_everything_said_comes_back(opened: Trial) -> None:
    with transaction() as session:
        submit(session, FULL, tokens(session)[0])
    with reading() as session:
        item = sheet(session, person(session)).items[0]
    assert item.comment == "Insgesamt brauchbar"
    assert item.comments == {"FR": "Frist fehlt"}
    assert item.passages == FULL.passages
    assert item.rework_minutes == 15


def test_revision_takes_everything_back(opened: Trial) -> None:
    with transaction() as session:
        submit(session, FULL, tokens(session)[0])
        submit(session, Judgement(dict.fromkeys(CRITERIA, 3)), tokens(session)[0])
    with reading() as session:
        item = sheet(session, person(session)).items[0]
        assert (item.comment, item.comments, item.passages, item.rework_minutes) == (
            "", {}, [], None,
        )  # fmt: skip
        assert len(session.exec(select(Remark)).all()) == 1, "the first one stays, superseded"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rework_minutes": -1}, "Minuten Nacharbeit"),
        ({"rework_minutes": 481}, "bitte 0 bis 480"),
        ({"passages": [{"start": 0, "end": 9999, "criterion": ""}]}, "markierte Stelle"),
        ({"passages": [{"start": 5, "end": 5, "criterion": ""}]}, "markierte Stelle"),
        ({"passages": [{"start": "0", "end": 5, "criterion": ""}]}, "markierte Stelle"),
        ({"passages": [{"start": 0, "end": 5, "criterion": "XX"}]}, "markierte Stelle"),
        ({"passages": [{"start": 0, "end": 5, "criterion": ""}] * 51}, "höchstens 50 Stellen"),
        ({"comments": {"XX": "?"}}, "Kriterium 'XX'"),
        ({"comments": {"FR": "x" * 2001}}, "2001 Zeichen"),
    ],
)
def test_impossible_remarks_store_nothing(
    opened: Trial, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidRating, match=sentence), transaction() as session:
        submit(session, replace(FULL, **change), tokens(session)[0])
    with reading() as session:
        assert stored(session) == []


# --- gold cases among the outputs ---------------------------------------------------------------


@pytest.fixture
def with_gold(trial: Trial, platform_url: str) -> Trial:
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        rubric = session.exec(select(Rubric).where(Rubric.key == "auskunft")).one()
        session.exec(delete(GoldCase))
        session.add_all(
            GoldCase(
                rubric_id=row_id(rubric.id), key=f"gold-{n}", position=n, input=f"Goldfrage {n}",
                output=f"Goldantwort {n}", levels=dict.fromkeys(CRITERIA, n), explanations={},
                content_sha256=str(n),
            )
            for n in (1, 2, 3)
        )  # fmt: skip
        session.flush()
        open_round(session, trial.slug, actor=staff["organiser"], choice=RoundChoice(gold_cases=2))
    return trial


def test_gold_cases_look_like_any_output(with_gold: Trial) -> None:
    with reading() as session:
        mine = sheet(session, person(session))
        gold = [item for item in mine.items if "Gold" in item.output]
        assert len(gold) == 2
        assert mine.total == len(mine.items) == list_open_ratings(session, person(session))[0].total
        assert [item.position for item in mine.items] == list(range(1, mine.total + 1))
        assert {tuple(asdict(item)) for item in mine.items} == {tuple(asdict(gold[0]))}
        assert len({len(item.token) for item in mine.items}) == 1


def test_gold_rating_never_counts(with_gold: Trial) -> None:
    with transaction() as session:
        items = sheet(session, person(session)).items
        gold = next(each for each in items if "Gold" in each.output)
        submit(session, replace(FULL, passages=[]), gold.token)
        submission = str(uuid.uuid4())
        for _ in range(2):
            submit_rating(
                session, Judgement(dict.fromkeys(CRITERIA, 5)), actor=person(session),
                token=gold.token, submission=submission,
            )  # fmt: skip
    with reading() as session:
        assert stored(session) == []
        assert session.exec(select(Remark)).all() == []
        ratings = session.exec(select(GoldRating).order_by(col(GoldRating.id))).all()
        assert [(r.superseded_at is None, r.levels["FR"]) for r in ratings] == [
            (False, 3), (True, 5),
        ]  # fmt: skip
        again = {item.token: item for item in sheet(session, person(session)).items}[gold.token]
        assert again.levels == dict.fromkeys(CRITERIA, 5)
        assert sheet(session, person(session)).done == 1
    with pytest.raises(WrongState, match="schon bewertet"), transaction() as session:
        cancel_round(session, 1, actor=person(session, "Olga Organisation"))
    with pytest.raises(WrongState, match="noch nichts bewertet"), transaction() as session:
        release_round(session, 1, actor=person(session, "Olga Organisation"))
