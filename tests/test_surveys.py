"""Surveys: who may ask, what stays as it was, links of which only the hash is kept."""

from collections.abc import Callable

import building
import pytest
import surveys
from building import Trial, person
from sqlmodel import Session, select

from reallabor import audit
from reallabor.content import load_yaml
from reallabor.database import reading, transaction
from reallabor.errors import InvalidContent, InvalidVoice, NotAllowed, UnknownObject, WrongState
from reallabor.evaluations import rubric_keys
from reallabor.models import Audience, AuditEntry, Output, Survey, SurveyToken, Voice
from reallabor.questionnaires import Questionnaires, load_questionnaires
from reallabor.rating.rounds import open_round
from reallabor.rating.survey_keys import grouped, key_hash, plain_key
from reallabor.rating.surveys import (
    close_survey,
    list_surveys,
    make_links,
    open_survey,
    sample_choices,
)
from reallabor.rating.voice_results import survey_result
from reallabor.rating.voices import enter_sheet, take_back_sheet

ACTS: dict[str, Callable[[Session, Survey, str, building.Person], object]] = {
    "open": lambda session, _survey, slug, actor: open_survey(
        session, slug, Audience.STAFF, actor=actor, about="Worum"
    ),
    "close": lambda session, survey, _slug, actor: close_survey(
        session, survey.id or 0, actor=actor
    ),
    "links": lambda session, survey, _slug, actor: make_links(
        session, survey.id or 0, 3, actor=actor
    ),
    "enter": lambda session, survey, _slug, actor: enter_sheet(
        session, survey.id or 0, surveys.sheet(), actor=actor
    ),
    "take-back": lambda session, survey, _slug, actor: take_back_sheet(
        session, survey.id or 0, "x", actor=actor
    ),
}
MAY = {"organiser", "pilot"}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ["organiser", "pilot", "steering", "anna", "nobody"])
def test_only_organiser_and_pilot_ask(staffed: Trial, act: str, role: str) -> None:
    survey = surveys.opened(staffed.slug)
    names = {"organiser": "Olga Organisation", "pilot": "Paul Pilot", "steering": "Stefan Lenkung",
             "anna": "Anna Bewertung", "nobody": "Nora Niemand"}  # fmt: skip

    def attempt() -> None:
        with transaction() as session:
            ACTS[act](session, survey, staffed.slug, person(session, names[role]))

    if role in MAY and act != "take-back":
        attempt()
        return
    with pytest.raises(UnknownObject if role in MAY else NotAllowed):
        attempt()
    with reading() as session:
        assert len(session.exec(select(Survey)).all()) == 1
        assert session.exec(select(Survey)).one().closed_at is None
        assert session.exec(select(SurveyToken)).all() == []
        assert session.exec(select(Voice)).all() == []


def test_everybody_active_may_read(staffed: Trial) -> None:
    survey = surveys.opened(staffed.slug)
    with transaction() as session:
        gone = building.add_person(session, "Gesa Gegangen", active=False)
        session.expunge(gone)
    with reading() as session:
        for name in ("Nora Niemand", "Anna Bewertung", "Stefan Lenkung"):
            actor = person(session, name)
            assert survey_result(session, survey.id or 0, actor=actor).n == 0
            assert len(list_surveys(session, staffed.slug, actor=actor)) == 1
        with pytest.raises(NotAllowed):
            survey_result(session, survey.id or 0, actor=gone)
        with pytest.raises(NotAllowed):
            list_surveys(session, staffed.slug, actor=gone)


def test_second_survey_of_one_audience_waits(staffed: Trial) -> None:
    first = surveys.opened(staffed.slug)
    with pytest.raises(WrongState, match=r"läuft schon eine Befragung \(Kund:innen\)"):
        surveys.opened(staffed.slug)
    surveys.opened(staffed.slug, Audience.STAFF)
    with transaction() as session:
        close_survey(session, first.id or 0, actor=person(session, "Paul Pilot"))
    surveys.opened(staffed.slug)
    with reading() as session:
        assert len(session.exec(select(Survey)).all()) == 3


@pytest.mark.parametrize("about", ["", " \n ", "x" * 1001])
def test_survey_says_what_it_is_about(staffed: Trial, about: str) -> None:
    with pytest.raises(InvalidVoice, match="worum es geht"), transaction() as session:
        open_survey(session, staffed.slug, Audience.CLIENTS, about=about,
                    actor=person(session, "Paul Pilot"))  # fmt: skip
    with reading() as session:
        assert session.exec(select(Survey)).all() == []


def test_questions_stay_as_they_were(staffed: Trial) -> None:
    survey = surveys.opened(staffed.slug)
    path = staffed.content / "evaluations" / "rueckmeldung.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("Würden Sie das Programm nutzen?", "Ganz anders?"), "utf-8")
    assert "Ganz anders?" in str(load_questionnaires())
    with reading() as session:
        (shown,) = list_surveys(session, staffed.slug, actor=person(session, "Paul Pilot"))
    assert shown.survey_id == survey.id
    assert "Ganz anders?" not in str(shown.questionnaire)


def test_sample_is_asked_about_only_where_shown(staffed: Trial) -> None:
    with transaction() as session:
        actor = person(session, "Paul Pilot")
        choices = sample_choices(session, staffed.slug, actor=actor)
        with_sample = open_survey(session, staffed.slug, Audience.CLIENTS, actor=actor, about="W",
                                  output_id=choices[0].output_id, with_input=False)  # fmt: skip
        without = open_survey(session, staffed.slug, Audience.STAFF, actor=actor, about="W")
        keys = [[each["key"] for each in survey.questions["questions"]]
                for survey in (with_sample, without)]  # fmt: skip
        assert (with_sample.sample, with_sample.sample_input) == (choices[0].text, "")
        assert without.sample == ""
    assert [("verstaendlich" in each) for each in keys] == [True, False]
    # The candidate's outputs first, and none of the way without AI.
    assert {choice.variant for choice in choices} == {"System eins", "System zwei"}
    assert choices[0].variant == "System eins"


def test_sample_must_be_a_text_of_the_scenario(staffed: Trial) -> None:
    with transaction() as session:
        (output,) = session.exec(select(Output).limit(1)).all()
        output.text = ""
        session.add(output)
        empty = output.id or 0
    for output_id in (empty, 999_999):
        with pytest.raises(UnknownObject, match=f"Ausgabe Nr. {output_id}"):
            surveys.opened(staffed.slug, output_id=output_id)
    with reading() as session:
        assert session.exec(select(Survey)).all() == []


def test_blind_rater_is_offered_no_sample(staffed: Trial) -> None:
    with transaction() as session:
        open_round(session, staffed.slug, actor=person(session, "Olga Organisation"))
        anna = person(session, "Anna Bewertung")
        assert sample_choices(session, staffed.slug, actor=anna) == []
        assert sample_choices(session, staffed.slug, actor=person(session, "Paul Pilot"))


def test_only_hashes_of_links_are_stored(staffed: Trial) -> None:
    survey = surveys.opened(staffed.slug)
    keys = surveys.links(survey, 20)
    assert len(set(keys)) == 20
    with reading() as session:
        rows = session.exec(select(SurveyToken)).all()
        trail = str([entry.model_dump() for entry in session.exec(select(AuditEntry))])
        assert audit.chain_breaks(session) == []
    assert {row.token_sha256 for row in rows} == {key_hash(key) for key in keys}
    assert not any(key in str(rows) or key in trail for key in keys)


@pytest.mark.parametrize("n", [0, -1, 201])
def test_odd_numbers_of_links_are_refused(staffed: Trial, n: int) -> None:
    survey = surveys.opened(staffed.slug)
    with pytest.raises(InvalidVoice, match="1 bis 200 Links"):
        surveys.links(survey, n)
    with reading() as session:
        assert session.exec(select(SurveyToken)).all() == []


def test_key_is_found_however_typed() -> None:
    assert plain_key(grouped("abcd2345efgh6789")) == "abcd2345efgh6789"
    assert key_hash(" ABCD-2345 efgh-6789 ") == key_hash("abcd2345efgh6789")


def test_acts_are_in_the_trail(staffed: Trial) -> None:
    survey = surveys.opened(staffed.slug)
    surveys.links(survey)
    with transaction() as session:
        close_survey(session, survey.id or 0, actor=person(session, "Olga Organisation"))
    with reading() as session:
        actions = [entry.action for entry in session.exec(select(AuditEntry))]
    assert actions == ["survey_opened", "survey_links_made", "survey_closed"]


def test_closed_survey_stays_closed(staffed: Trial) -> None:
    survey = surveys.opened(staffed.slug)

    def close() -> None:
        with transaction() as session:
            close_survey(session, survey.id or 0, actor=person(session, "Paul Pilot"))

    close()
    with pytest.raises(WrongState, match="beendet"):
        close()
    with pytest.raises(WrongState, match="beendet"):
        surveys.links(survey)


# --- content ------------------------------------------------------------------------------------


def test_shipped_questionnaires_are_short_and_complete() -> None:
    content = load_questionnaires(building.REPOSITORY / "evaluations")
    for questionnaire in content.questionnaires:
        for with_sample in (True, False):
            asked = questionnaire.asked(with_sample=with_sample).questions
            assert 3 <= len(asked) + 1 <= 5  # the worries are one more
        for question in questionnaire.questions:
            for simple in (True, False):
                wording = question.wording(simple)
                assert len(wording.question.split()) <= 12
                assert " nicht " not in f" {wording.question} "
                assert not any(
                    word in f" {wording.question} " for word in (" du ", " dir ", " dein")
                )
    clients, staff = (content.for_audience(each) for each in ("clients", "staff"))
    assert (clients.levels, staff.levels) == (3, 5)
    for texts in (clients.standard, clients.simple, staff.standard, staff.simple):
        assert "Namen" in texts.privacy


def test_questionnaires_are_no_rubric(trial: Trial) -> None:
    (trial.content / "evaluations" / "ordner.yaml").mkdir()
    assert "rueckmeldung" not in rubric_keys()
    assert "ordner" not in rubric_keys()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('1: "Nein", 2: "Zum Teil", 3: "Ja"', '1: "Nein", 3: "Ja"', "1 bis 3 je einen Text"),
        ("- key: hilfreich", "- key: nutzen", "steht zweimal da"),
        ("audience: staff", "audience: clients", "genau einer für staff"),
        ("worry: Macht", "sorge: Macht", "Feld questionnaires.0.standard"),
    ],
)
def test_broken_questionnaire_is_named(
    trial: Trial, call: Callable[..., building.Call], old: str, new: str, sentence: str
) -> None:
    path = trial.content / "evaluations" / "rueckmeldung.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InvalidContent, match=r"rueckmeldung\.yaml, Zeile") as refusal:
        load_yaml(path, Questionnaires)
    assert sentence in str(refusal.value)
    done = call("check-content")
    assert done.code == 1
    assert "rueckmeldung.yaml" in done.err
