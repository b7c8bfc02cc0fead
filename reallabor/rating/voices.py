"""Voices: taking in answers of staff and clients, by one-time link, on a tablet in the house or
from paper. Nothing about who answered is stored; voices never meet expert ratings."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import storable
from reallabor.errors import InvalidVoice, UnknownObject, WrongState
from reallabor.models import (
    Case,
    Channel,
    Output,
    Person,
    Scenario,
    Survey,
    SurveyToken,
    Voice,
    row_id,
)
from reallabor.policies import may_survey, require
from reallabor.questionnaires import Questionnaire
from reallabor.rating.survey_keys import key_hash, plain_key
from reallabor.rating.surveys import locked_survey, require_open
from reallabor.recording.hidden_outputs import is_hidden
from reallabor.recording.stopping import require_not_stopped
from reallabor.settings import get_settings

WORRY_LIMIT = 1000
"""Longest free text in characters."""
_SHOW = (
    "Diese Befragung gehört zu einer Vorführung mit erfundenen Antworten. Sie nimmt keine "
    "Antworten an."
)


@dataclass(frozen=True)
class Access:
    """What opens a questionnaire: the key of a one-time link, or that of a tablet."""

    key: str
    device: bool = False


@dataclass(frozen=True)
class Sheet:
    """One filled-in questionnaire."""

    answers: Mapping[str, int]
    """Level by key of the question; what was left out is missing."""
    worry: str
    simple: bool
    """Whether it was answered in simple German."""
    submission: str
    """UUID of the saving act; repeating it changes nothing."""


@dataclass(frozen=True)
class OpenQuestionnaire:
    """What somebody is asked, and about what."""

    scenario: str
    """Its title."""
    questionnaire: Questionnaire
    about: str
    sample_input: str
    sample: str
    demo: bool


def find_questionnaire(session: Session, access: Access) -> OpenQuestionnaire:
    """What this key opens. Raises UnknownObject for a key that was never given out, WrongState
    for a used link and a closed survey; the sentences are read by those who are asked."""
    survey_id, token = _opened(session, access)
    survey = session.get_one(Survey, survey_id)
    if token is not None:
        _require_unused(token)
    require_open(survey)
    _require_running(session, survey)
    _require_no_show(survey)
    shown = not _is_withdrawn(session, survey)
    return OpenQuestionnaire(
        scenario=session.get_one(Scenario, survey.scenario_id).title,
        questionnaire=Questionnaire.model_validate(survey.questions),
        about=survey.about,
        sample_input=survey.sample_input if shown else "",
        sample=survey.sample if shown else "",
        demo=survey.demo,
    )


def _is_withdrawn(session: Session, survey: Survey) -> bool:
    """Whether personal data was seen in the output that is the sample."""
    same = select(Output.id).join(Case, col(Case.id) == Output.case_id)
    hidden = same.where(
        Case.scenario_id == survey.scenario_id, Output.text == survey.sample, is_hidden()
    )
    return bool(survey.sample) and session.exec(hidden.limit(1)).first() is not None


def submit_voice(session: Session, access: Access, sheet: Sheet) -> None:
    """Store an answer that came by link or on a tablet; a link is used up in the same transaction.

    Idempotent by `sheet.submission`. Raises UnknownObject and WrongState as `find_questionnaire`,
    InvalidVoice for answers outside the questionnaire, an empty sheet or too long a text.
    """
    survey_id, _ = _opened(session, access)
    survey = locked_survey(session, survey_id)
    if _is_stored(session, survey, sheet):
        return  # sent twice
    _require_no_show(survey)
    # Read under the lock of the survey: of two requests at once the second finds it used.
    _, token = _opened(session, access)
    if token is not None:
        _require_unused(token)
    _store(session, survey, sheet, Channel.TABLET if access.device else Channel.LINK)
    if token is not None:
        token.used = True
        session.add(token)
        session.flush()


def enter_sheet(session: Session, survey_id: int, sheet: Sheet, *, actor: Person) -> None:
    """Store an answer from paper. Idempotent by `sheet.submission`; raises as `submit_voice`."""
    require(may_survey, actor)
    survey = locked_survey(session, survey_id)
    if survey.demo and not actor.demo:
        raise WrongState(_SHOW)
    if not _is_stored(session, survey, sheet):
        _store(session, survey, sheet, Channel.PAPER)


def take_back_sheet(session: Session, survey_id: int, submission: str, *, actor: Person) -> None:
    """Delete a sheet that was entered from paper by mistake, while the survey is open. Only who
    entered it knows its `submission`. Raises UnknownObject where it is gone."""
    require(may_survey, actor)
    require_open(locked_survey(session, survey_id))
    entered = select(Voice).where(
        Voice.survey_id == survey_id,
        Voice.submission == submission,
        Voice.channel == Channel.PAPER,
    )
    voice = session.exec(entered).first()
    if voice is None:
        raise UnknownObject("Dieser Papierbogen ist nicht mehr gespeichert.")
    session.exec(delete(Voice).where(col(Voice.id) == voice.id))
    audit.record(session, "sheet_taken_back", f"survey/{survey_id}", actor=actor, details={})


def read_digits(digits: str, questionnaire: Questionnaire) -> dict[str, int]:
    """The levels of a paper sheet, typed one digit per question in their order; 0 or - for what
    was left out, blanks do not matter. Raises InvalidVoice."""
    signs = [sign for sign in digits if not sign.isspace()]
    wanted = len(questionnaire.questions)
    if len(signs) != wanted:
        raise InvalidVoice(
            f"Der Bogen hat {wanted} Fragen zum Ankreuzen, eingegeben sind {len(signs)} Zeichen. "
            "Je Frage eine Ziffer; 0 oder - für „nicht beantwortet“."
        )
    answers = {}
    for number, (sign, question) in enumerate(
        zip(signs, questionnaire.questions, strict=True), start=1
    ):
        if sign in ("0", "-", "–"):
            continue
        if sign not in "123456789" or int(sign) > questionnaire.levels:
            raise InvalidVoice(
                f"„{sign}“ bei Frage {number} gibt es nicht; erlaubt sind 1 bis "
                f"{questionnaire.levels}, und 0 oder - für „nicht beantwortet“."
            )
        answers[question.key] = int(sign)
    return answers


def _opened(session: Session, access: Access) -> tuple[int, SurveyToken | None]:
    """The survey that a key opens, and the row of its link where it is one."""
    if access.device:
        device = select(Survey.id).where(Survey.device_key == plain_key(access.key))
        if (survey_id := session.exec(device).first()) is not None:
            return survey_id, None
    else:
        link = (
            select(SurveyToken)
            .where(SurveyToken.token_sha256 == key_hash(access.key))
            .execution_options(populate_existing=True)
        )
        if (token := session.exec(link).first()) is not None:
            return token.survey_id, token
    raise UnknownObject(
        "Diesen Link gibt es nicht. Bitte prüfen Sie, ob er ganz und richtig geschrieben ist."
    )


def _require_unused(token: SurveyToken) -> None:
    if token.used:
        raise WrongState(
            "Mit diesem Link hat schon jemand geantwortet. Jeder Link gilt nur für eine Antwort."
        )


def _require_no_show(survey: Survey) -> None:
    """What people of the demonstration opened takes answers only there: with the demonstration
    they are deleted."""
    if survey.demo and not get_settings().demo:
        raise WrongState(_SHOW)


def _require_running(session: Session, survey: Survey) -> None:
    """The same as `require_not_stopped`, in a sentence for those who are asked."""
    if session.get_one(Scenario, survey.scenario_id).stopped_at is not None:
        raise WrongState(
            "Diese Erprobung ruht zurzeit, deshalb nimmt der Fragebogen gerade keine Antworten an. "
            "Bitte fragen Sie Ihre Ansprechperson, wann es weitergeht."
        )


def _is_stored(session: Session, survey: Survey, sheet: Sheet) -> bool:
    try:
        uuid.UUID(sheet.submission)
    except ValueError as error:
        raise InvalidVoice(
            "Die Kennung dieser Antwort ist ungültig. Bitte öffnen Sie den Fragebogen noch einmal."
        ) from error
    known = session.exec(select(Voice).where(Voice.submission == sheet.submission)).first()
    if known is not None and known.survey_id != survey.id:
        raise InvalidVoice("Die Kennung dieser Antwort gehört zu einer anderen Befragung.")
    return known is not None


def _store(session: Session, survey: Survey, sheet: Sheet, channel: Channel) -> None:
    require_open(survey)
    if channel == Channel.PAPER:
        require_not_stopped(session, survey.scenario_id)
    _require_running(session, survey)
    questionnaire = Questionnaire.model_validate(survey.questions)
    worry = sheet.worry.replace("\x00", "").replace("\r\n", "\n").strip()
    _require_answers(questionnaire, sheet.answers, worry)
    session.add(
        Voice(
            survey_id=row_id(survey.id),
            channel=channel,
            simple=sheet.simple,
            answers=dict(sheet.answers),
            worry=storable(worry),
            submission=sheet.submission,
        )
    )
    session.flush()


def _require_answers(questionnaire: Questionnaire, answers: Mapping[str, int], worry: str) -> None:
    if unknown := sorted(set(answers) - {each.key for each in questionnaire.questions}):
        raise InvalidVoice(f"Eine Frage '{unknown[0]}' gibt es in diesem Fragebogen nicht.")
    for key, level in answers.items():
        if isinstance(level, bool) or level not in range(1, questionnaire.levels + 1):
            raise InvalidVoice(
                f"Die Antwort {level} gibt es bei der Frage '{key}' nicht; erlaubt: 1 bis "
                f"{questionnaire.levels}."
            )
    if len(worry) > WORRY_LIMIT:
        raise InvalidVoice(
            f"Ihr Text hat {len(worry)} Zeichen. Bitte kürzen Sie ihn auf höchstens {WORRY_LIMIT}."
        )
    if not answers and not worry:
        raise InvalidVoice("Sie haben noch nichts beantwortet. Bitte beantworten Sie eine Frage.")
