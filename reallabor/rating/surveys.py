"""Surveys: asking staff or clients of one scenario. Opening and closing one, its one-time links,
and what is known of it. What they answer is in `voices`."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from reallabor import audit
from reallabor.content import storable
from reallabor.errors import InvalidVoice, UnknownObject, WrongState
from reallabor.models import (
    Audience,
    Case,
    Output,
    Person,
    Scenario,
    Survey,
    SurveyToken,
    TrialRun,
    Variant,
    Voice,
    now,
    row_id,
)
from reallabor.policies import may_read_voices, may_survey, require
from reallabor.questionnaires import Questionnaire, load_questionnaires
from reallabor.rating.drafting import newest_runs
from reallabor.rating.sheet import list_open_ratings
from reallabor.rating.survey_keys import key_hash, new_key
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.hidden_outputs import is_hidden
from reallabor.recording.stopping import require_not_stopped

__all__ = [
    "ABOUT_LIMIT", "AUDIENCES", "MOST_LINKS", "Audience", "SampleChoice", "SurveySummary",
    "close_survey", "count_voices", "list_surveys", "locked_survey", "make_links", "open_survey",
    "require_open", "sample_choices",
]  # fmt: skip

ABOUT_LIMIT = 1000
"""Longest description in characters."""
MOST_LINKS = 200
"""At once; more are made by asking again."""
AUDIENCES = {Audience.CLIENTS: "Kund:innen", Audience.STAFF: "Beschäftigte"}
"""German names of those who are asked."""


@dataclass(frozen=True)
class SurveySummary:
    """A survey without its answers."""

    survey_id: int
    audience: Audience
    questionnaire: Questionnaire
    """As it was when the survey began."""
    about: str
    sample_input: str
    sample: str
    device_key: str
    demo: bool
    opened_at: datetime
    closed_at: datetime | None
    n: int
    """Answers so far."""
    n_links: int
    n_links_used: int


@dataclass(frozen=True)
class SampleChoice:
    """An output that may stand in a survey as an example."""

    output_id: int
    case: str
    variant: str
    input: str
    text: str


def open_survey(
    session: Session,
    slug: str,
    audience: Audience,
    *,
    actor: Person,
    about: str,
    output_id: int | None = None,
    with_input: bool = True,
) -> Survey:
    """Begin to ask; the questions stay as they are now.

    `about` says in plain words what is trialled; `output_id` names an output of the scenario that
    is shown as a sample, `with_input` whether with what it answers. What people of the
    demonstration open is part of the demonstration. Raises WrongState where this audience is being
    asked already.
    """
    require(may_survey, actor)
    scenario = get_scenario(session, slug)
    # Locked, so that two people cannot open two surveys at the same moment.
    session.exec(select(Scenario.id).where(Scenario.id == scenario.id).with_for_update()).one()
    require_not_stopped(session, row_id(scenario.id))
    running = select(Survey.id).where(
        Survey.scenario_id == scenario.id,
        Survey.audience == audience,
        Survey.demo == actor.demo,
        col(Survey.closed_at).is_(None),
    )
    if session.exec(running).first() is not None:
        raise WrongState(
            f"Zu '{scenario.title}' läuft schon eine Befragung ({AUDIENCES[audience]}). Bitte erst "
            "beenden."
        )
    about = " ".join(storable(about).split())
    if not about or len(about) > ABOUT_LIMIT:
        raise InvalidVoice(
            f"Bitte in ein bis drei Sätzen schreiben, worum es geht (höchstens {ABOUT_LIMIT} "
            f"Zeichen, jetzt {len(about)})."
        )
    sample_input, sample = _sample(session, scenario, output_id)
    questionnaire = load_questionnaires().for_audience(audience).asked(with_sample=bool(sample))
    survey = Survey(
        scenario_id=row_id(scenario.id),
        audience=audience,
        questions=questionnaire.model_dump(mode="json"),
        about=about,
        sample_input=sample_input if with_input else "",
        sample=sample,
        device_key=new_key(),
        demo=actor.demo,
        opened_by=row_id(actor.id),
    )
    session.add(survey)
    session.flush()
    details = {"scenario": slug, "audience": audience.value, "output": output_id}
    audit.record(session, "survey_opened", f"survey/{survey.id}", actor=actor, details=details)
    return survey


def close_survey(session: Session, survey_id: int, *, actor: Person) -> None:
    """End a survey: from now on its links, tablets and paper sheets are refused."""
    require(may_survey, actor)
    survey = locked_survey(session, survey_id)
    require_open(survey)
    survey.closed_at = now()
    session.add(survey)
    session.flush()
    audit.record(session, "survey_closed", f"survey/{survey_id}", actor=actor, details={})


def make_links(session: Session, survey_id: int, n: int, *, actor: Person) -> list[str]:
    """New keys for `n` one-time links. They are handed out here once; only their hashes stay."""
    require(may_survey, actor)
    if not 1 <= n <= MOST_LINKS:
        raise InvalidVoice(f"Bitte 1 bis {MOST_LINKS} Links auf einmal anlegen, nicht {n}.")
    require_open(locked_survey(session, survey_id))
    keys = [new_key() for _ in range(n)]
    session.add_all(SurveyToken(survey_id=survey_id, token_sha256=key_hash(key)) for key in keys)
    session.flush()
    details = {"links": n}
    audit.record(session, "survey_links_made", f"survey/{survey_id}", actor=actor, details=details)
    return keys


def list_surveys(session: Session, slug: str, *, actor: Person) -> list[SurveySummary]:
    """All surveys of a scenario, newest first. Raises UnknownObject."""
    require(may_read_voices, actor)
    scenario = get_scenario(session, slug)
    surveys = session.exec(
        select(Survey)
        .where(Survey.scenario_id == scenario.id)
        .order_by(col(Survey.opened_at).desc(), col(Survey.id).desc())
    ).all()
    return [_summary(session, survey) for survey in surveys]


def sample_choices(session: Session, slug: str, *, actor: Person) -> list[SampleChoice]:
    """The outputs that may be shown as a sample: those of the newest runs with a system, the
    candidate's first. None for whoever rates them blind at present."""
    scenario = get_scenario(session, slug)
    if any(rating.slug == slug for rating in list_open_ratings(session, actor)):
        return []
    runs = [run.id for run in newest_runs(session, scenario)]
    rows = session.exec(
        select(Output, Case, Variant.title)
        .join(Case, col(Case.id) == Output.case_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(Variant, col(Variant.id) == TrialRun.variant_id)
        .where(
            col(Output.run_id).in_(runs),
            col(Output.text) != "",
            ~col(Variant.baseline),
            ~is_hidden(),
        )
        .order_by(col(Variant.candidate).desc(), col(Variant.id), Case.key, col(Output.id))
    ).all()
    return [
        SampleChoice(row_id(output.id), case.key, variant, case.input or "", output.text or "")
        for output, case, variant in rows
    ]


def locked_survey(session: Session, survey_id: int) -> Survey:
    """The survey, locked until the transaction ends: an answer is either in before the survey is
    closed, or refused. Raises UnknownObject."""
    survey = session.exec(
        select(Survey)
        .where(Survey.id == survey_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if survey is None:
        raise UnknownObject(f"Eine Befragung Nr. {survey_id} gibt es hier nicht.")
    return survey


def require_open(survey: Survey) -> None:
    """Raises WrongState where the survey is over."""
    if survey.closed_at is not None:
        raise WrongState("Diese Befragung ist beendet. Sie nimmt keine Antworten mehr an.")


def _sample(session: Session, scenario: Scenario, output_id: int | None) -> tuple[str, str]:
    if output_id is None:
        return "", ""
    row = session.exec(
        select(Case.input, Output.text)
        .join(Case, col(Case.id) == Output.case_id)
        .where(Output.id == output_id, Case.scenario_id == scenario.id, ~is_hidden())
    ).first()
    if row is None or not row[1]:
        raise UnknownObject(
            f"Die Ausgabe Nr. {output_id} gibt es in '{scenario.title}' nicht, oder sie ist leer. "
            "Bitte ein anderes Beispiel wählen."
        )
    return row[0] or "", row[1]


def _summary(session: Session, survey: Survey) -> SurveySummary:
    links, used = session.exec(
        select(func.count(), func.count().filter(col(SurveyToken.used))).where(
            SurveyToken.survey_id == survey.id
        )
    ).one()
    return SurveySummary(
        survey_id=row_id(survey.id),
        audience=Audience(survey.audience),
        questionnaire=Questionnaire.model_validate(survey.questions),
        about=survey.about,
        sample_input=survey.sample_input,
        sample=survey.sample,
        device_key=survey.device_key,
        demo=survey.demo,
        opened_at=survey.opened_at,
        closed_at=survey.closed_at,
        n=count_voices(session, survey),
        n_links=links,
        n_links_used=used,
    )


def count_voices(session: Session, survey: Survey) -> int:
    """How many have answered."""
    return session.exec(
        select(func.count()).select_from(Voice).where(Voice.survey_id == survey.id)
    ).one()
