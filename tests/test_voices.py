"""Voices: stored once, one per link, refused in a sentence, shown from five answers on."""

import threading
from collections.abc import Callable

import building
import pytest
import surveys
from building import Trial, person
from sqlmodel import select
from surveys import close, enter, submit, tablet

from reallabor.database import reading, transaction
from reallabor.errors import InvalidVoice, ReallaborError, UnknownObject, WrongState
from reallabor.models import Audience, Channel, Survey, SurveyToken, Voice
from reallabor.questionnaires import load_questionnaires
from reallabor.rating.voices import Access, Sheet, find_questionnaire, read_digits, take_back_sheet
from reallabor.settings import get_settings


def stored() -> list[Voice]:
    with reading() as session:
        return list(session.exec(select(Voice)).all())


def used() -> int:
    with reading() as session:
        return sum(token.used for token in session.exec(select(SurveyToken)))


# --- three ways in ------------------------------------------------------------------------------


def test_link_is_good_for_one_answer(survey: Survey) -> None:
    (key, other) = surveys.links(survey, 2)
    with reading() as session:
        assert find_questionnaire(session, Access(key.upper())).about == surveys.ABOUT
    submit(Access(key), surveys.sheet(3, worry=" Sorge ", simple=True))
    (voice,) = stored()
    assert (voice.channel, voice.simple, voice.worry) == (Channel.LINK, True, "Sorge")
    assert voice.answers == dict.fromkeys(surveys.CLIENT_KEYS, 3)
    for act in (lambda: submit(Access(key), surveys.sheet()), lambda: find(Access(key))):
        with pytest.raises(WrongState, match="schon jemand geantwortet"):
            act()
    assert (len(stored()), used()) == (1, 1)
    submit(Access(other), surveys.sheet())
    assert (len(stored()), used()) == (2, 2)


def find(access: Access) -> None:
    with reading() as session:
        find_questionnaire(session, access)


def test_tablet_takes_many_answers(survey: Survey) -> None:
    for _ in range(3):
        submit(tablet(survey), surveys.sheet())
    assert [voice.channel for voice in stored()] == [Channel.TABLET] * 3


def test_same_submission_is_stored_once(survey: Survey) -> None:
    (key,) = surveys.links(survey)
    sheet = surveys.sheet()
    for access in (Access(key), Access(key), tablet(survey)):
        submit(access, sheet)
    enter(survey, sheet)
    assert (len(stored()), used()) == (1, 1)


def test_nothing_tells_who_answered(survey: Survey) -> None:
    """No clock time, no address, no way from an answer to its link."""
    (key,) = surveys.links(survey)
    submit(Access(key), surveys.sheet())
    fields = set(Voice.model_fields)
    assert fields == {"id", "survey_id", "channel", "simple", "answers", "worry", "submission",
                      "received_on"}  # fmt: skip
    assert set(SurveyToken.model_fields) == {"id", "survey_id", "token_sha256", "used"}


def test_left_out_questions_are_missing_not_zero(survey: Survey) -> None:
    submit(tablet(survey), surveys.sheet(None, nutzen=3))
    submit(tablet(survey), surveys.sheet(None, worry="nur Text"))
    assert [voice.answers for voice in stored()] == [{"nutzen": 3}, {}]


REFUSED: dict[str, tuple[Sheet, str]] = {
    "level-above": (surveys.sheet(None, nutzen=4), "Antwort 4 gibt es bei der Frage 'nutzen'"),
    "level-below": (surveys.sheet(None, nutzen=0), "Antwort 0 gibt es"),
    "no-level": (surveys.sheet(None, nutzen=True), "Antwort True gibt es"),
    "unknown-question": (surveys.sheet(None, pruefbar=1), "Frage 'pruefbar' gibt es"),
    "not-asked": (surveys.sheet(None, verstaendlich=1), "Frage 'verstaendlich' gibt es"),
    "too-long": (surveys.sheet(worry="x" * 1001), "1001 Zeichen"),
    "nothing": (surveys.sheet(None), "noch nichts beantwortet"),
    "only-blanks": (surveys.sheet(None, worry=" \x00\n"), "noch nichts beantwortet"),
    "no-uuid": (surveys.sheet(submission="1; DROP"), "Kennung dieser Antwort ist ungültig"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_sheet_stores_nothing(survey: Survey, case: str) -> None:
    sheet, sentence = REFUSED[case]
    (key,) = surveys.links(survey)
    for act in (lambda: submit(Access(key), sheet), lambda: submit(tablet(survey), sheet),
                lambda: enter(survey, sheet)):  # fmt: skip
        with pytest.raises(InvalidVoice, match=sentence):
            act()
    assert (stored(), used()) == ([], 0)


def test_text_loses_what_databases_refuse(survey: Survey) -> None:
    submit(tablet(survey), surveys.sheet(worry="N\x00UL und halb \ud800\r\nzweite Zeile"))
    assert stored()[0].worry == "NUL und halb ?\nzweite Zeile"
    submit(tablet(survey), surveys.sheet(worry="x" * 1000))


def test_closed_survey_takes_nothing(survey: Survey) -> None:
    (key,) = surveys.links(survey)
    close(survey)
    for act in (lambda: submit(Access(key), surveys.sheet()), lambda: find(Access(key)),
                lambda: submit(tablet(survey), surveys.sheet()), lambda: find(tablet(survey)),
                lambda: enter(survey, surveys.sheet())):  # fmt: skip
        with pytest.raises(WrongState, match="beendet"):
            act()
    assert (stored(), used()) == ([], 0)


@pytest.mark.parametrize("key", ["", "falsch", "2345-6789-abcd-efgh", "x" * 5000, "ä\x00"])
def test_unknown_key_opens_nothing(survey: Survey, key: str) -> None:
    for device in (False, True):
        for act in (find, lambda access: submit(access, surveys.sheet())):
            with pytest.raises(UnknownObject, match="Diesen Link gibt es nicht"):
                act(Access(key, device=device))
    assert stored() == []


def test_keys_of_the_two_ways_are_not_mixed(survey: Survey) -> None:
    (key,) = surveys.links(survey)
    for access in (Access(key, device=True), Access(survey.device_key)):
        with pytest.raises(UnknownObject):
            find(access)


def test_submission_of_another_survey_is_refused(staffed: Trial, survey: Survey) -> None:
    other = surveys.opened(staffed.slug, Audience.STAFF)
    sheet = surveys.sheet(None, nutzen=2)
    submit(tablet(survey), sheet)
    with pytest.raises(InvalidVoice, match="anderen Befragung"):
        submit(tablet(other), sheet)
    assert [voice.survey_id for voice in stored()] == [survey.id]


def test_survey_of_a_show_takes_answers_only_there(
    survey: Survey, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = surveys.links(survey)
    with transaction() as session:
        row = session.get_one(Survey, survey.id)
        row.demo = True
        session.add(row)
    for act in (lambda: submit(Access(key), surveys.sheet()), lambda: find(tablet(survey)),
                lambda: enter(survey, surveys.sheet())):  # fmt: skip
        with pytest.raises(WrongState, match="Vorführung"):
            act()
    assert (stored(), used()) == ([], 0)
    monkeypatch.setenv("REALLABOR_DEMO", "1")
    get_settings.cache_clear()
    submit(Access(key), surveys.sheet())
    assert (len(stored()), used()) == (1, 1)


# --- paper --------------------------------------------------------------------------------------


def test_sheet_can_be_taken_back(survey: Survey) -> None:
    kept, wrong = surveys.sheet(1), surveys.sheet(2)
    enter(survey, kept)
    enter(survey, wrong)
    submit(tablet(survey), by_tablet := surveys.sheet(3))

    def take_back(submission: str) -> None:
        with transaction() as session:
            take_back_sheet(session, survey.id or 0, submission,
                            actor=person(session, "Paul Pilot"))  # fmt: skip

    take_back(wrong.submission)
    assert {voice.submission for voice in stored()} == {kept.submission, by_tablet.submission}
    for gone in (wrong.submission, by_tablet.submission, "x"):
        with pytest.raises(UnknownObject, match="nicht mehr gespeichert"):
            take_back(gone)
    close(survey)
    with pytest.raises(WrongState, match="beendet"):
        take_back(kept.submission)
    assert len(stored()) == 2


@pytest.mark.parametrize(
    ("digits", "answers"),
    [
        ("123", {"hilfreich": 1, "nutzen": 2, "vertrauen": 3}),
        (" 3 0-", {"hilfreich": 3}),
        ("–03", {"vertrauen": 3}),
    ],
)
def test_digits_are_answers_in_order(home: object, digits: str, answers: dict[str, int]) -> None:
    clients = load_questionnaires(building.REPOSITORY / "evaluations").for_audience("clients")
    assert read_digits(digits, clients.asked(with_sample=False)) == answers


@pytest.mark.parametrize(
    ("digits", "sentence"),
    [
        ("", "3 Fragen zum Ankreuzen, eingegeben sind 0"),
        ("12", "eingegeben sind 2"),
        ("1231", "eingegeben sind 4"),
        ("124", "„4“ bei Frage 3 gibt es nicht; erlaubt sind 1 bis 3"),
        ("1x3", "„x“ bei Frage 2"),
        ("1²3", "„²“ bei Frage 2"),
    ],
)
def test_wrong_digits_are_named(home: object, digits: str, sentence: str) -> None:
    clients = load_questionnaires(building.REPOSITORY / "evaluations").for_audience("clients")
    with pytest.raises(InvalidVoice, match=sentence):
        read_digits(digits, clients.asked(with_sample=False))


# --- two at once --------------------------------------------------------------------------------


def at_once(acts: list[Callable[[], None]]) -> list[str]:
    """Run all at the same moment; gives the refusals."""
    barrier, refusals = threading.Barrier(len(acts)), []

    def run(act: Callable[[], None]) -> None:
        barrier.wait()
        try:
            act()
        except ReallaborError as refusal:
            refusals.append(str(refusal))

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return refusals


def test_link_sent_at_once_counts_once(survey: Survey) -> None:
    for key in surveys.links(survey, 5):
        before = len(stored())
        refusals = at_once([lambda key=key: submit(Access(key), surveys.sheet())] * 4)  # type: ignore[misc]
        assert len(refusals) == 3
        assert all("schon jemand geantwortet" in refusal for refusal in refusals)
        assert len(stored()) == before + 1
    assert used() == 5


def test_double_click_at_once_is_stored_once(survey: Survey) -> None:
    for access in (Access(surveys.links(survey)[0]), tablet(survey)):
        before, sheet = len(stored()), surveys.sheet()
        act = [lambda access=access, sheet=sheet: submit(access, sheet)] * 4  # type: ignore[misc]
        assert at_once(act) == []
        assert len(stored()) == before + 1


def test_closing_at_once_leaves_no_late_answer(survey: Survey) -> None:
    acts: list[Callable[[], None]] = [lambda: submit(tablet(survey), surveys.sheet())] * 5
    refusals = at_once([*acts, lambda: close(survey)])
    assert len(stored()) == 5 - len(refusals)
    assert all("beendet" in refusal for refusal in refusals)
    with pytest.raises(WrongState):
        submit(tablet(survey), surveys.sheet())


def test_two_surveys_at_once_become_one(staffed: Trial) -> None:
    refusals = at_once([lambda: surveys.opened(staffed.slug) and None] * 4)
    assert len(refusals) == 3
    with reading() as session:
        assert len(session.exec(select(Survey)).all()) == 1
