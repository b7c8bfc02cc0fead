"""Calibration: what counts, what is shown when, and that only one's own status is known."""

import threading
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from building import CRITERIA, Trial, person
from golden import (
    CASES,
    ENOUGH,
    FAR,
    NEAR,
    NEEDED,
    REFERENCE,
    change_cases,
    gold_file,
    misses,
    rubric_id,
    train,
)
from sqlmodel import select

from reallabor.database import reading, transaction
from reallabor.errors import InvalidRating, NotAllowed, UnknownObject, WrongState
from reallabor.models import GoldCase, GoldRating, GoldRule, Rubric, row_id
from reallabor.rating.calibration import (
    calibration,
    calibration_named,
    is_calibrated,
    list_calibrations,
    list_gold_cases,
)
from reallabor.rating.training import feedback, next_case, rated_keys, submit_levels
from reallabor.recording.catalogue import load_shipped

# --- the rule -----------------------------------------------------------------------------------


def test_whoever_is_near_enough_is_calibrated(gold: Path) -> None:
    assert [train(NEAR), train(misses(2))] == ["g-1", "g-2"]
    with reading() as session:
        status = calibration(session, person(session), rubric_id(session))
        assert is_calibrated(session, person(session), rubric_id(session))
        assert not is_calibrated(session, person(session, "Bert Bewertung"), rubric_id(session))
        last = session.exec(select(GoldRating).order_by(GoldRating.id.desc())).first()
    assert status.calibrated
    assert (status.cases, status.judgements, status.within) == (ENOUGH, 12, NEEDED)
    assert (status.needed, status.total, status.unseen) == (NEEDED, 12, 3)
    assert last is not None
    assert status.reached_at == last.created_at


def test_one_judgement_too_few_misses(gold: Path) -> None:
    train(REFERENCE)
    train(misses(3))
    with reading() as session:
        status = calibration(session, person(session), rubric_id(session))
    assert not status.calibrated
    assert (status.attempt, status.cases, status.within) == (2, 0, 0)
    assert not status.exhausted
    assert status.reached_at is None


def test_unfinished_attempt_calibrates_nobody(gold: Path) -> None:
    train(REFERENCE)
    with reading() as session:
        status = calibration(session, person(session), rubric_id(session))
    assert not status.calibrated
    assert (status.attempt, status.cases, status.within) == (1, 1, 6)


def test_second_attempt_has_other_cases(gold: Path) -> None:
    assert [train(FAR), train(FAR)] == ["g-1", "g-2"]
    assert [train(REFERENCE), train(REFERENCE)] == ["g-3", "g-4"]
    with reading() as session:
        status = calibration(session, person(session), rubric_id(session))
        assert next_case(session, rubric_id(session), actor=person(session)) is None
    assert status.calibrated
    assert (status.attempt, status.within) == (2, 12)


def test_good_halves_of_two_attempts_do_not_add_up(gold: Path) -> None:
    for levels in (FAR, REFERENCE, REFERENCE, FAR):
        train(levels)
    with reading() as session:
        assert not is_calibrated(session, person(session), rubric_id(session))


def test_without_unread_cases_training_ends(gold: Path) -> None:
    for _ in range(4):
        train(FAR)
    with reading() as session:
        status = calibration(session, person(session), rubric_id(session))
        assert (status.unseen, status.exhausted) == (1, True)
        assert next_case(session, rubric_id(session), actor=person(session)) is None


def test_new_case_opens_another_attempt(gold: Path) -> None:
    for _ in range(4):
        train(FAR)
    data = yaml.safe_load(gold.read_text("utf-8"))
    data["cases"].append({**data["cases"][0], "key": "g-6"})
    gold.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with transaction() as session:
        load_shipped(session)
    assert [train(REFERENCE), train(REFERENCE)] == ["g-5", "g-6"]
    with reading() as session:
        assert is_calibrated(session, person(session), rubric_id(session))


def test_rubric_without_gold_cases_calibrates_nobody(gold: Path) -> None:
    with transaction() as session:
        content = session.get_one(Rubric, rubric_id(session)).model_dump(exclude={"id"})
        newer = Rubric(**{**content, "version": 2})
        session.add(newer)
        session.flush()
        assert not is_calibrated(session, person(session), row_id(newer.id))
        assert list_gold_cases(session, row_id(newer.id)) == []
        with pytest.raises(UnknownObject, match="keine Kalibrierfälle"):
            calibration(session, person(session), row_id(newer.id))


def test_thresholds_follow_the_file(gold: Path, trial: Trial) -> None:
    train(REFERENCE)
    train(misses(3))
    gold_file(trial.content, share=0.5)
    with transaction() as session:
        load_shipped(session)
    with reading() as session:
        assert is_calibrated(session, person(session), rubric_id(session))


# --- one answer per case ------------------------------------------------------------------------


def test_rated_case_takes_no_second_answer(gold: Path) -> None:
    with transaction() as session:
        who, rubric = person(session), rubric_id(session)
        first = next_case(session, rubric, actor=who)
        assert first is not None
        submission = str(uuid.uuid4())
        for _ in range(2):  # a double click changes nothing
            submit_levels(session, first.gold_case_id, FAR, actor=who, submission=submission)
        with pytest.raises(WrongState, match="nicht an der Reihe"):
            submit_levels(
                session, first.gold_case_id, REFERENCE, actor=who, submission=str(uuid.uuid4())
            )
        (stored,) = session.exec(select(GoldRating)).all()
        assert stored.levels == FAR


def test_two_windows_give_one_answer(gold: Path) -> None:
    refusals: list[WrongState] = []
    together = threading.Barrier(2)

    def submit(gold_case_id: int, levels: Mapping[str, int]) -> None:
        together.wait()
        try:
            with transaction() as session:
                submit_levels(
                    session, gold_case_id, levels, actor=person(session),
                    submission=str(uuid.uuid4()),
                )  # fmt: skip
        except WrongState as refusal:
            refusals.append(refusal)

    with reading() as session:
        case = next_case(session, rubric_id(session), actor=person(session))
    assert case is not None
    threads = [
        threading.Thread(target=submit, args=(case.gold_case_id, each)) for each in (FAR, REFERENCE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading() as session:
        assert len(session.exec(select(GoldRating)).all()) == 1
    assert len(refusals) == 1


def test_cases_come_in_their_order_only(gold: Path) -> None:
    with transaction() as session:
        later = list_gold_cases(session, rubric_id(session))[1]
        with pytest.raises(WrongState):
            submit_levels(
                session, row_id(later.id), FAR, actor=person(session), submission=str(uuid.uuid4())
            )
        assert session.exec(select(GoldRating)).all() == []


def test_corrected_text_is_no_new_case(gold: Path) -> None:
    train(FAR)
    change_cases(gold, g_1={"output": "Text 1, ohne Tippfehler."})
    with reading() as session:
        rows = session.exec(select(GoldCase).where(GoldCase.key == "g-1")).all()
        assert sorted((row.output, row.current) for row in rows) == [
            ("Text 1, ohne Tippfehler.", True), ("Text 1.", False),
        ]  # fmt: skip
        coming = next_case(session, rubric_id(session), actor=person(session))
        assert coming is not None
        assert coming.key == "g-2"
        # What was said then stays as it was said.
        assert feedback(
            session, rubric_id(session), "g-1", actor=person(session)
        ).case.output == "Text 1."  # fmt: skip


def test_levels_given_for_an_old_text_still_count(gold: Path) -> None:
    train(REFERENCE)
    change_cases(gold, g_1={"levels": dict.fromkeys(CRITERIA, 1)})
    train(REFERENCE)
    with reading() as session:
        assert is_calibrated(session, person(session), rubric_id(session))


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "sentence"),
    [
        (dict.fromkeys(CRITERIA[:-1], 3), "Bitte noch bewerten: Datensparsamkeit"),
        ({**REFERENCE, "XX": 3}, "Das Kriterium 'XX' gibt es"),
        ({**REFERENCE, "FR": 6}, "Stufe 6 gibt es"),
        ({**REFERENCE, "FR": True}, "Stufe True gibt es"),
        ({**REFERENCE, "FR": 2.5}, "Stufe 2.5 gibt es"),
    ],
    ids=str,
)
def test_impossible_levels_are_refused(gold: Path, levels: dict[str, int], sentence: str) -> None:
    with pytest.raises(InvalidRating, match=sentence):
        train(levels)
    with reading() as session:
        assert session.exec(select(GoldRating)).all() == []


def test_submission_belongs_to_one_person(gold: Path) -> None:
    submission = str(uuid.uuid4())
    with transaction() as session:
        for name in ("Anna Bewertung", "Bert Bewertung"):
            who = person(session, name)
            case = next_case(session, rubric_id(session), actor=who)
            assert case is not None
            if name.startswith("Anna"):
                submit_levels(session, case.gold_case_id, FAR, actor=who, submission=submission)
                continue
            with pytest.raises(InvalidRating, match="gehört zu einem anderen Fall"):
                submit_levels(session, case.gold_case_id, FAR, actor=who, submission=submission)
        with pytest.raises(InvalidRating, match="Kennung dieser Angabe ist ungültig"):
            submit_levels(session, case.gold_case_id, FAR, actor=who, submission="x")


def test_person_without_a_role_does_not_train(gold: Path) -> None:
    with pytest.raises(NotAllowed, match="Nora Niemand"):
        train(REFERENCE, name="Nora Niemand")
    assert train(REFERENCE, name="Stefan Lenkung") == "g-1"  # every role may learn


# --- feedback -----------------------------------------------------------------------------------


def test_feedback_only_after_one_has_rated(gold: Path) -> None:
    train(REFERENCE, name="Bert Bewertung")
    with reading() as session:
        who, rubric = person(session), rubric_id(session)
        with pytest.raises(UnknownObject, match="noch keine Rückmeldung"):
            feedback(session, rubric, "g-1", actor=who)
        case = next_case(session, rubric, actor=who)
    assert "Grund" not in repr(case)
    train({**REFERENCE, "FR": 5, "QU": 4})
    with reading() as session:
        found = feedback(session, rubric, "g-1", actor=person(session))
        assert rated_keys(session, rubric, actor=person(session)) == ["g-1"]
    right, near = found.criteria[0], found.criteria[1]
    assert (right.given, right.reference, right.within) == (5, 3, False)
    assert right.explanation == "Grund FR."
    assert right.given_anchor.startswith("Richtig und präzise")
    assert right.reference_anchor.startswith("Im Kern richtig")
    assert (near.given, near.reference, near.within) == (4, 3, True)
    assert found.within == 5


def test_status_is_found_by_the_rubric_s_name(gold: Path) -> None:
    with reading() as session:
        who = person(session)
        assert calibration_named(session, who, "auskunft@1").title == "Auskunft und Chat"
        for name in ("auskunft@2", "auskunft", "auskunft@x", "nichts@1"):
            with pytest.raises(UnknownObject, match=name):
                calibration_named(session, who, name)
        titles = [status.title for status in list_calibrations(session, who)]
    assert titles == sorted(titles)
    assert len(titles) == 6  # a rubric that no scenario uses can be trained too


# --- stored cases -------------------------------------------------------------------------------


def test_gold_cases_are_loaded_once(gold: Path) -> None:
    with transaction() as session:
        before = session.exec(select(GoldCase.id)).all()
        load_shipped(session)
        assert session.exec(select(GoldCase.id)).all() == before
        cases = list_gold_cases(session, rubric_id(session))
        assert [case.key for case in cases] == [f"g-{n}" for n in range(1, CASES + 1)]


def test_removed_case_stays_but_is_not_current(gold: Path) -> None:
    data = yaml.safe_load(gold.read_text("utf-8"))
    data["cases"] = data["cases"][1:]
    gold.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with transaction() as session:
        load_shipped(session)
        cases = list_gold_cases(session, rubric_id(session))
        assert [(case.key, case.position) for case in cases] == [
            ("g-2", 1), ("g-3", 2), ("g-4", 3), ("g-5", 4),
        ]  # fmt: skip
        assert session.exec(select(GoldCase.current).where(GoldCase.key == "g-1")).all() == [False]


def test_broken_gold_file_leaves_what_is_stored(gold: Path, trial: Trial) -> None:
    gold_file(trial.content, rubric="auskunft@2")
    with transaction() as session:
        assert load_shipped(session) == []
        assert len(list_gold_cases(session, rubric_id(session))) == CASES
        rule = session.get_one(GoldRule, rubric_id(session))
        assert (rule.tolerance, rule.share, rule.enough) == (1, 0.8, ENOUGH)
