"""Loads shipped folders into the platform database, by hash; after that the database is the truth.
Called before anything reads the database."""

from collections.abc import Iterable

import structlog
from sqlalchemy import update
from sqlmodel import Session, col, select

from reallabor.database import CATALOGUE_LOCK, take_turns
from reallabor.errors import InvalidContent, UnknownObject
from reallabor.evaluations import RubricContent, calibration_keys, load_calibration, load_rubric
from reallabor.models import (
    Case,
    Criterion,
    Delivery,
    Organisation,
    Origin,
    OutboxEntry,
    Rubric,
    Scenario,
    Variant,
    row_id,
)
from reallabor.recording.gold_cases import store_gold_cases
from reallabor.recording.outbox import enqueue
from reallabor.scenarios import (
    CaseContent,
    ScenarioContent,
    ScenarioFolder,
    load_scenario,
    scenario_slugs,
)

log = structlog.get_logger()


def load_shipped(session: Session, *, asked: str | None = None) -> list[str]:
    """Bring all shipped scenarios, their rubrics and the gold cases up to date; gives the slugs of
    the scenarios that changed.

    A broken folder is logged and left as it was stored: the others go on. Only that of the scenario
    somebody `asked` for raises InvalidContent.
    """
    changed = []
    for slug in scenario_slugs():
        try:
            if _load_scenario(session, load_scenario(slug)):
                changed.append(slug)
        except InvalidContent as refusal:
            if slug == asked:
                raise
            log.warning("scenario_not_loaded", scenario=slug, reason=str(refusal))
    _load_calibrations(session)
    _publish_cases(session, changed)
    return changed


def _load_calibrations(session: Session) -> None:
    """The gold cases of all rubrics; a broken file is logged and left as it was stored."""
    for key in calibration_keys():
        try:
            content = load_calibration(key)
            store_gold_cases(session, store_rubric(session, load_rubric(key)), content)
        except (InvalidContent, UnknownObject) as refusal:
            log.warning("gold_cases_not_loaded", rubric=key, reason=str(refusal))


def stored_scenario(session: Session, slug: str) -> ScenarioFolder:
    """Steckbrief and current cases as they are stored, whether they were shipped or made in the
    app. Raises UnknownObject, and InvalidContent where ratings were imported without any cases."""
    scenario = get_scenario(session, slug)
    cases = session.exec(
        select(Case).where(Case.scenario_id == scenario.id, Case.current).order_by(col(Case.key))
    ).all()
    if scenario.origin == Origin.IMPORTED or not cases:
        raise InvalidContent(
            f"Zu '{scenario.title}' sind keine Fälle mit ihrem Text gespeichert; es lässt sich nur "
            "vergleichen, nicht erproben."
        )
    return ScenarioFolder(
        slug=slug,
        content=ScenarioContent.model_validate(scenario.content),
        cases=[case_content(case) for case in cases],
    )


def scenario_titles(session: Session, *, with_cases: bool = False) -> dict[str, str]:
    """Titles by slug, in their order; of all scenarios, or of those that can be tried because the
    texts of their cases are here."""
    found = select(Scenario.slug, Scenario.title).order_by(Scenario.title)
    if with_cases:
        current = select(Case.id).where(Case.scenario_id == Scenario.id, Case.current)
        found = found.where(Scenario.origin != Origin.IMPORTED, current.exists())
    return dict(session.exec(found).all())


def rubric_title(session: Session, slug: str) -> str:
    """Title and version of the rubric of a scenario, such as `Auskunft und Chat (auskunft@1)`."""
    scenario = get_scenario(session, slug)
    rubric = session.get(Rubric, scenario.rubric_id) if scenario.rubric_id else None
    return f"{rubric.title} ({rubric.name})" if rubric else ""


def case_content(case: Case) -> CaseContent:
    """A stored case in the form of the content files."""
    return CaseContent(
        id=case.key,
        input=case.input or "",
        reference=case.reference,
        passages=case.passages,
        topic=case.topic,
        edge=case.edge,
        cluster=case.cluster,
        expected=case.expected,
    )


def _publish_cases(session: Session, changed: list[str]) -> None:
    """Let MLflow hold the cases too, so that recording needs nothing but its address."""
    known = set(
        session.exec(
            select(OutboxEntry.subject_id).where(col(OutboxEntry.kind) == Delivery.CASES)
        ).all()
    )
    shipped = session.exec(select(Scenario).where(Scenario.origin == Origin.SHIPPED)).all()
    for scenario in shipped:
        if scenario.slug in changed or scenario.id not in known:
            enqueue(session, Delivery.CASES, row_id(scenario.id))


def get_scenario(session: Session, slug: str) -> Scenario:
    """The scenario of that name. Raises UnknownObject, naming those there are."""
    scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).first()
    if scenario is None:
        known = ", ".join(session.exec(select(Scenario.slug).order_by(Scenario.slug))) or "keines"
        raise UnknownObject(f"Ein Szenario '{slug}' gibt es hier nicht; vorhanden: {known}.")
    return scenario


def get_organisation(session: Session, name: str) -> Organisation:
    """The organisation of that name, made where it is missing."""
    name = " ".join(name.split())  # a blank at the end makes no second house
    of_that_name = select(Organisation).where(Organisation.name == name)
    found = session.exec(of_that_name).first()
    if found is None:
        take_turns(session, CATALOGUE_LOCK)  # somebody else may be making it right now
        found = session.exec(of_that_name).first()
    if found is None:
        found = Organisation(name=name)
        session.add(found)
        session.flush()
    return found


def store_rubric(session: Session, content: RubricContent, *, declared: bool = True) -> Rubric:
    """The stored version of this rubric. Raises InvalidContent where the same version is stored
    with another text: a stored version never changes."""
    of_that_name = select(Rubric).where(
        Rubric.key == content.key, Rubric.version == content.version
    )
    found = session.exec(of_that_name).first()
    if found is None:
        take_turns(session, CATALOGUE_LOCK)  # somebody else may be storing it right now
        found = session.exec(of_that_name).first()
    if found is not None:
        if found.content_sha256 != content.sha256:
            raise InvalidContent(
                f"Das Bewertungsraster '{content.name}' ist schon mit anderem Text gespeichert. "
                f"Bitte in evaluations/{content.key}.yaml version auf {content.version + 1} setzen."
            )
        return found
    rubric = Rubric(
        key=content.key,
        version=content.version,
        title=content.title,
        content=content.model_dump(mode="json"),
        content_sha256=content.sha256,
        scale_min=content.scale.min,
        scale_max=content.scale.max,
        scale_declared=declared,
        higher_is_better=content.higher_is_better,
    )
    session.add(rubric)
    session.flush()
    for position, criterion in enumerate(content.criteria, start=1):
        session.add(
            Criterion(
                rubric_id=row_id(rubric.id),
                key=criterion.key,
                title=criterion.title,
                position=position,
                weight=criterion.weight,
            )
        )
    session.flush()
    return rubric


def _load_scenario(session: Session, folder: ScenarioFolder) -> bool:
    rubric = store_rubric(session, load_rubric(folder.content.rubric))
    found = _find_scenario(session, folder.slug)
    if found is not None and found.origin == Origin.IMPORTED:
        raise InvalidContent(
            f"scenarios/{folder.slug} heißt wie ein Szenario, das aus einer Bewertungsdatei "
            "angelegt wurde. Bitte einen der beiden Namen ändern."
        )
    if (
        found is not None
        and found.origin == Origin.CREATED
        and not _is_current(found, folder, rubric)
    ):
        raise InvalidContent(
            f"scenarios/{folder.slug} heißt wie ein Szenario, das in der App angelegt wurde, hat "
            "aber anderen Inhalt; es gilt das aus der App. Bitte den Ordner umbenennen."
        )
    if _is_current(found, folder, rubric):
        return False
    take_turns(session, CATALOGUE_LOCK)  # somebody else may be loading it right now
    found = _find_scenario(session, folder.slug)
    if _is_current(found, folder, rubric):
        return False
    content = folder.content
    get_organisation(session, content.organisation)
    scenario = found or Scenario(slug=folder.slug, title="", origin=Origin.SHIPPED,
                                 content_sha256="")  # fmt: skip
    store_content(session, scenario, folder, rubric)
    return True


def store_content(
    session: Session,
    scenario: Scenario,
    folder: ScenarioFolder,
    rubric: Rubric,
    *,
    origin: Origin = Origin.SHIPPED,
) -> None:
    """Bring the rows of a scenario to this content; cases get new versions where they changed."""
    content = folder.content
    scenario.origin = origin
    scenario.title = content.title
    scenario.content = content.model_dump(mode="json", by_alias=True)
    scenario.content_sha256 = folder.sha256
    scenario.rubric_id = rubric.id
    session.add(scenario)
    session.flush()
    _load_variants(session, scenario, folder)
    _load_cases(session, row_id(scenario.id), folder.cases)


def _find_scenario(session: Session, slug: str) -> Scenario | None:
    fresh = select(Scenario).where(Scenario.slug == slug).execution_options(populate_existing=True)
    return session.exec(fresh).first()


def _is_current(found: Scenario | None, folder: ScenarioFolder, rubric: Rubric) -> bool:
    return found is not None and (found.content_sha256, found.rubric_id) == (
        folder.sha256,
        rubric.id,
    )


def _load_variants(session: Session, scenario: Scenario, folder: ScenarioFolder) -> None:
    known = {
        variant.key: variant
        for variant in session.exec(select(Variant).where(Variant.scenario_id == scenario.id))
    }
    for content in folder.content.variants:
        variant = known.get(content.key) or Variant(
            scenario_id=row_id(scenario.id), key=content.key, title=""
        )
        variant.title = content.title
        variant.description = content.description
        variant.baseline = content.baseline
        variant.candidate = content.key == folder.content.candidate
        session.add(variant)
    session.flush()


def _load_cases(session: Session, scenario_id: int, cases: Iterable[CaseContent]) -> None:
    """Unchanged cases stay, a changed one becomes a new version, a missing one is no longer
    current; nothing is deleted, because ratings may hang on it."""
    stored = session.exec(select(Case).where(Case.scenario_id == scenario_id)).all()
    by_hash = {(case.key, case.content_sha256): case for case in stored}
    latest: dict[str, int] = {}
    for case in stored:
        latest[case.key] = max(latest.get(case.key, 0), case.version)
    session.exec(update(Case).where(col(Case.scenario_id) == scenario_id).values(current=False))
    for content in cases:
        row = by_hash.get((content.id, content.sha256))
        if row is None:
            row = Case(
                scenario_id=scenario_id,
                key=content.id,
                version=latest.get(content.id, 0) + 1,
                input=content.input,
                reference=content.reference,
                passages=content.passages,
                topic=content.topic,
                edge=content.edge,
                cluster=content.cluster,
                expected=content.expected,
                content_sha256=content.sha256,
            )
        row.current = True
        session.add(row)
    session.flush()
