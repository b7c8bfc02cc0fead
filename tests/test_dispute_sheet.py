"""What whoever decides a dispute sees of it."""

import uuid
from typing import Any

import pytest
from building import Trial
from disputed import decide, person, rated, release, the_dispute
from sqlmodel import select

from reallabor.database import transaction
from reallabor.models import Rater, Rating, Remark, Round, row_id
from reallabor.rating.dispute_sheet import dispute_sheet, marked_segments


def test_sheet_shows_ratings_under_pseudonyms(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        dispute = the_dispute(session, found, "f-1", "NE")
        round_ = session.get_one(Round, found.round_id)
        anna = session.exec(
            select(Rater).where(Rater.person_id == person(session, "Anna").id)
        ).one()
        session.add(
            Remark(
                rater_id=row_id(anna.id), output_id=dispute.place[0], text="Die Anrede kränkt.",
                passages=[{"start": 0, "end": 7, "criterion": "NE"},
                          {"start": 8, "end": 11, "criterion": "FR"}],
                submission=str(uuid.uuid4()),
            )
        )  # fmt: skip
        rating = session.exec(
            select(Rating).where(
                Rating.rater_id == anna.id, Rating.output_id == dispute.place[0],
                Rating.criterion_id == dispute.place[1],
            )
        ).one()  # fmt: skip
        rating.comment = "Duzt die Person."
        session.add(rating)
        session.flush()
        sheet = dispute_sheet(session, round_, dispute)
        pseudonyms = sorted(session.exec(select(Rater.pseudonym)).all())
        by_anna = next(each for each in sheet.ratings if each.pseudonym == anna.pseudonym)
    assert [each.pseudonym for each in sheet.ratings] == pseudonyms
    assert sorted(each.level for each in sheet.ratings) == [1, 5]
    assert (by_anna.comment, by_anna.remark) == ("Duzt die Person.", "Die Anrede kränkt.")
    assert sheet.criterion.key == "NE"
    assert sorted(sheet.criterion.levels) == [1, 2, 3, 4, 5]
    assert sheet.input == "Wann bekomme ich Geld?"
    # The passage for another criterion is none of this dispute.
    assert [(each.text, each.marked_by) for each in sheet.output] == [
        ("Antwort", (by_anna.pseudonym,)), (" von eins auf f-1", ()),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spans", "pieces"),
    [
        ([], [("abcdef", "")]),
        ([(1, 3, "X")], [("a", ""), ("bc", "X"), ("def", "")]),
        ([(0, 4, "X"), (2, 6, "Y")], [("ab", "X"), ("cd", "XY"), ("ef", "Y")]),
        ([(4, 99, "X"), (3, 3, "Y"), (-5, 1, "Z")], [("a", "Z"), ("bcd", ""), ("ef", "X")]),
    ],
)
def test_marked_text_is_cut_where_marks_meet(
    spans: list[tuple[int, int, str]], pieces: list[tuple[str, str]]
) -> None:
    passages = [({"start": start, "end": end}, who) for start, end, who in spans]
    found = marked_segments("abcdef", passages)
    assert [(each.text, "".join(each.marked_by)) for each in found] == pieces


def test_command_line_says_what_was_adjudicated(trial: Trial, platform_url: str, call: Any) -> None:
    found = rated(trial, {"f-1": {"FR": (1, 5)}})
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "FR"), 5)
        release(session, found)
    # FR at 5 and 3 in one of six cases, all else 4: 76.25 and 73.75 of 100.
    shown = call("compare", found.slug).out
    assert "1 Urteil geklärt; Punktwert ohne Klärung: System eins 73,8" in shown
    assert "76,2" in shown
