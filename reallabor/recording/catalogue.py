"""Loads shipped folders into the platform database, by hash; after that the database is the truth.
Called before anything reads the database."""

from collections.abc import Iterable

from sqlalchemy import update
from sqlmodel import Session, col, select

from reallabor.database import CATALOGUE_LOCK, take_turns
from reallabor.errors import InvalidContent, UnknownObject
from reallabor.evaluations import RubricContent, load_rubric
from reallabor.models import (
    Case,
    Criterion,
    Organisation,
    Origin,
    Rubric,
    Scenario,
    Variant,
    row_id,
)
from reallabor.scenarios import CaseContent, ScenarioFolder, load_scenario, scenario_slugs


def load_shipped(session: Session) -> list[str]:
    """Bring all shipped scenarios and their rubrics up to date; gives the slugs that changed."""
    return [slug for slug in scenario_slugs() if _load_scenario(session, load_scenario(slug))]


def get_scenario(session: Session, slug: str) -> Scenario:
    """The scenario of that name. Raises UnknownObject, naming those there are."""
    scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).first()
    if scenario is None:
        known = ", ".join(session.exec(select(Scenario.slug).order_by(Scenario.slug))) or "keines"
        raise UnknownObject(f"Ein Szenario '{slug}' gibt es hier nicht; vorhanden: {known}.")
    return scenario


def get_organisation(session: Session, name: str) -> Organisation:
    """The organisation of that name, made where it is missing."""
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
    if found is not None and found.origin != Origin.SHIPPED:
        raise InvalidContent(
            f"scenarios/{folder.slug} heißt wie ein Szenario, das aus einer Bewertungsdatei "
            "angelegt wurde. Bitte einen der beiden Namen ändern."
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
    scenario.title = content.title
    scenario.content = content.model_dump(mode="json", by_alias=True)
    scenario.content_sha256 = folder.sha256
    scenario.rubric_id = rubric.id
    session.add(scenario)
    session.flush()
    _load_variants(session, scenario, folder)
    _load_cases(session, row_id(scenario.id), folder.cases)
    return True


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
                content_sha256=content.sha256,
            )
        row.current = True
        session.add(row)
    session.flush()
