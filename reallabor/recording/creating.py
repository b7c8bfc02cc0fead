"""Scenarios that are made in the app: stored like shipped ones, and exported as the same files."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import invalid_content
from reallabor.database import CATALOGUE_LOCK, take_turns
from reallabor.errors import InvalidContent, WrongState
from reallabor.evaluations import RubricContent, load_rubric, require_anchors
from reallabor.models import Delivery, Origin, Person, Rubric, Scenario, row_id
from reallabor.policies import may_record, require
from reallabor.recording.catalogue import (
    get_organisation,
    get_scenario,
    store_content,
    store_rubric,
    stored_scenario,
)
from reallabor.recording.outbox import enqueue
from reallabor.scenarios import (
    CaseContent,
    ScenarioContent,
    ScenarioFolder,
    require_key,
    scenario_slugs,
)

ESTIMATE_TITLES = {"effort": "Einführungsaufwand", "transfer": "Übertragbarkeit"}
"""The fields of a Steckbrief that are estimates, as screens name them."""
COST = "cost_per_case_eur"
STATED = (*ESTIMATE_TITLES, COST)
"""What the pilot team states for the comparison; each may be missing."""
_LABELS = {
    "title": "Titel",
    "organisation": "Wer erprobt?",
    "legal_status": "Rechtsstand",
    "task": "Was soll das System tun?",
    "helps": "Wem hilft es?",
    "ai_kind": "Art der KI",
    "risk_class": "Risikoklasse",
    "baseline_minutes": "Minuten je Vorgang heute",
    "yearly_volume": "Vorgänge im Jahr",
    **ESTIMATE_TITLES,
    COST: "Kosten je Fall in EUR",
    "candidate": "Variante, die weiterentwickelt werden soll",
    "variants": "Varianten",
    "key": "Name des Rasters",
    "criteria": "Kriterien",
}
"""Fields as the form names them."""


def create_scenario(
    session: Session,
    slug: str,
    steckbrief: Mapping[str, Any],
    cases: Sequence[CaseContent],
    *,
    rubric: RubricContent | None = None,
    actor: Person,
) -> Scenario:
    """Store a new scenario with its cases, and with a rubric of its own where one was written.

    Raises NotAllowed, InvalidContent with the field that is wrong, and WrongState where the name is
    taken.
    """
    require(may_record, actor)
    require_key(slug, "ein Szenario")
    content = checked_steckbrief(steckbrief)
    if not cases:
        raise InvalidContent(
            "Ein Szenario braucht mindestens einen Fall; bitte eine Tabelle wählen."
        )
    take_turns(session, CATALOGUE_LOCK)
    taken = session.exec(select(Scenario.id).where(Scenario.slug == slug)).first()
    if taken is not None or slug in scenario_slugs():
        raise WrongState(f"Ein Szenario '{slug}' gibt es schon; bitte einen anderen Kurznamen.")
    stored = store_rubric(session, rubric) if rubric else _known_rubric(session, content.rubric)
    get_organisation(session, content.organisation)
    scenario = Scenario(slug=slug, title="", origin=Origin.CREATED, content_sha256="")
    folder = ScenarioFolder(slug=slug, content=content, cases=list(cases))
    store_content(session, scenario, folder, stored, origin=Origin.CREATED)
    enqueue(session, Delivery.CASES, row_id(scenario.id))
    details = {"title": content.title, "cases": len(cases), "rubric": stored.name}
    audit.record(session, "scenario_created", f"scenario/{slug}", actor=actor, details=details)
    return scenario


def replace_cases(
    session: Session, slug: str, cases: Sequence[CaseContent], *, actor: Person
) -> tuple[int, int]:
    """New cases for a scenario made in the app; gives how many are new or changed, and how many no
    longer count. A changed case is a new version, and what was rated stays with the old one.

    Raises NotAllowed, and WrongState for a scenario that comes from a folder.
    """
    require(may_record, actor)
    if not cases:
        raise InvalidContent("Ein Szenario braucht Fälle; bitte eine Tabelle mit Fällen wählen.")
    scenario = get_scenario(session, slug)
    if scenario.origin != Origin.CREATED:
        raise WrongState(
            f"Die Fälle von '{scenario.title}' liegen als Datei in scenarios/{slug}; bitte dort "
            "ändern."
        )
    before = {case.id: case.sha256 for case in stored_scenario(session, slug).cases}
    folder = ScenarioFolder(
        slug=slug, content=ScenarioContent.model_validate(scenario.content), cases=list(cases)
    )
    rubric = session.get_one(Rubric, row_id(scenario.rubric_id))
    store_content(session, scenario, folder, rubric, origin=Origin.CREATED)
    enqueue(session, Delivery.CASES, row_id(scenario.id))
    changed = sum(before.get(case.id) != case.sha256 for case in cases)
    gone = len(set(before) - {case.id for case in cases})
    audit.record(session, "cases_replaced", f"scenario/{slug}", actor=actor,
                 details={"changed": changed, "gone": gone})  # fmt: skip
    return changed, gone


def restate(
    session: Session, slug: str, stated: Mapping[str, Any], *, seen: str, actor: Person
) -> bool:
    """Change what the pilot team states for the comparison, in a scenario made in the app. The
    trail keeps what stood before. `seen` is the checksum of the content that was before the
    person's eyes. Gives whether anything is different now.

    Raises NotAllowed, InvalidContent with the field that is wrong, and WrongState for a scenario
    that comes from a folder, or where somebody else changed it meanwhile.
    """
    require(may_record, actor)
    take_turns(session, CATALOGUE_LOCK)
    scenario = get_scenario(session, slug)
    if scenario.origin != Origin.CREATED:
        raise WrongState(where_to_state(session, slug, STATED))
    if scenario.content_sha256 != seen:
        raise WrongState(
            f"Das Szenario '{scenario.title}' wurde inzwischen geändert; gespeichert ist nichts. "
            "Bitte die Seite neu laden und dann ändern."
        )
    before = {key: scenario.content.get(key) for key in STATED}
    changed = {key: stated.get(key) for key in STATED}
    folder = stored_scenario(session, slug)
    content = checked_steckbrief({**scenario.content, **changed})
    after = {key: content.model_dump(mode="json")[key] for key in STATED}
    if after == before:
        return False
    rubric = session.get_one(Rubric, row_id(scenario.rubric_id))
    folder = ScenarioFolder(slug=slug, content=content, cases=folder.cases)
    store_content(session, scenario, folder, rubric, origin=Origin.CREATED)
    audit.record(session, "estimates_changed", f"scenario/{slug}", actor=actor,
                 details={"before": before, "after": after})  # fmt: skip
    return True


def is_created(session: Session, slug: str) -> bool:
    """Whether the scenario was made in the app, so that its cases are changed there too."""
    return get_scenario(session, slug).origin == Origin.CREATED


def checked_steckbrief(steckbrief: Mapping[str, Any]) -> ScenarioContent:
    """The Steckbrief of a form. Raises InvalidContent, naming the field."""
    for key, title in ESTIMATE_TITLES.items():
        estimate = steckbrief.get(key) or {}
        if problem := half_estimate(estimate.get("level"), estimate.get("reason", "")):
            raise InvalidContent(f"Steckbrief, „{title}“: {problem}")
    try:
        return ScenarioContent.model_validate(dict(steckbrief))
    except ValidationError as error:
        raise invalid_content("Steckbrief", error, _LABELS) from error


def half_estimate(level: int | None, reason: str) -> str:
    """What an estimate lacks, in a German sentence; empty where both are there, or none."""
    if level is not None and not reason.strip():
        return f"Zu Stufe {level} fehlt die Begründung; bitte ergänzen oder „unbekannt“ wählen."
    if level is None and reason.strip():
        return "Zur Begründung fehlt die Stufe; bitte wählen oder die Begründung streichen."
    return ""


def where_to_state(session: Session, slug: str, fields: Sequence[str]) -> str:
    """Where the pilot team adds these fields of a Steckbrief, or why it cannot; German sentences
    without any Markdown."""
    origin = get_scenario(session, slug).origin
    if origin == Origin.CREATED:
        return "Zu ergänzen auf der Seite Steckbrief unter „Angaben für den Vergleich ändern“."
    if origin == Origin.IMPORTED:
        return (
            "Das Szenario kommt aus einer Bewertungsdatei; es hat keinen Steckbrief, in dem sich "
            "das ergänzen ließe."
        )
    named = [f"{each} (mit level und reason)" if each in ESTIMATE_TITLES else each
             for each in fields]  # fmt: skip
    return (
        f"Zu ergänzen in scenarios/{slug}/scenario.yaml: {', '.join(named)}. Die Datei wird beim "
        "nächsten Abgleich übernommen."
    )


def checked_rubric(rubric: Mapping[str, Any]) -> RubricContent:
    """The rubric of a form, with a text under every level. Raises InvalidContent."""
    try:
        content = RubricContent.model_validate(dict(rubric))
    except ValidationError as error:
        raise invalid_content("Bewertungsraster", error, _LABELS) from error
    require_anchors(content, "Bewertungsraster")
    return content


def list_rubrics(session: Session) -> list[Rubric]:
    """The newest version of every rubric that people may choose, by title."""
    rows = session.exec(select(Rubric).order_by(col(Rubric.key), col(Rubric.version))).all()
    newest = {row.key: row for row in rows if not row.key.startswith("import/")}
    return sorted(newest.values(), key=lambda row: row.title)


def _known_rubric(session: Session, key: str) -> Rubric:
    newest = [row for row in list_rubrics(session) if row.key == key]
    return newest[0] if newest else store_rubric(session, load_rubric(key))
