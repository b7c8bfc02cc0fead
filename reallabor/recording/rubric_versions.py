"""New versions of rubrics: what raters confused is said anew, and the stored version stays."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import read_text
from reallabor.database import CATALOGUE_LOCK, take_turns
from reallabor.errors import InvalidContent, UnknownObject, WrongState
from reallabor.evaluations import RubricContent, load_rubric, rubric_yaml
from reallabor.models import Person, Rubric
from reallabor.policies import may_edit_rubrics, require
from reallabor.recording.catalogue import store_rubric
from reallabor.recording.creating import checked_rubric
from reallabor.settings import get_settings

IMPORTED = "import/"
"""Rubrics that came with imported ratings have no anchor texts and no file."""


def newest_rubric(session: Session, key: str) -> RubricContent:
    """The newest stored version of a rubric. Raises UnknownObject."""
    rows = list_rubric_versions(session, key)
    if not rows or key.startswith(IMPORTED):
        raise UnknownObject(
            f"Ein Bewertungsraster '{key}', das sich neu fassen ließe, gibt es hier nicht."
        )
    return RubricContent.model_validate(rows[-1].content)


def list_rubric_versions(session: Session, key: str) -> list[Rubric]:
    """All stored versions of a rubric, oldest first."""
    found = select(Rubric).where(Rubric.key == key).order_by(col(Rubric.version))
    return list(session.exec(found).all())


def create_rubric_version(
    session: Session,
    base: RubricContent,
    criteria: Mapping[str, Mapping[str, Any]],
    *,
    actor: Person,
) -> RubricContent:
    """Store `key@n+1`: the texts (`question`, `levels`) of the named criteria are new, all else is
    as in `base`. Rounds keep the version they began with.

    Raises NotAllowed; WrongState where `base` is no longer the newest version; InvalidContent where
    nothing changed, a text is missing, or a criterion is unknown.
    """
    require(may_edit_rubrics, actor)
    take_turns(session, CATALOGUE_LOCK)
    newest = newest_rubric(session, base.key)
    if newest.version != base.version:
        raise WrongState(
            f"Von '{base.key}' gibt es inzwischen die Fassung {newest.version}. Bitte die Seite "
            "neu laden und die Änderungen dort eintragen."
        )
    if unknown := sorted(set(criteria) - {each.key for each in base.criteria}):
        raise InvalidContent(f"Das Kriterium '{unknown[0]}' gibt es in '{base.name}' nicht.")
    data = base.model_dump(mode="json")
    data["criteria"] = [{**each, **criteria.get(each["key"], {})} for each in data["criteria"]]
    if checked_rubric(data) == base:
        raise InvalidContent(
            f"An '{base.name}' wurde nichts geändert; eine neue Fassung ist nicht nötig."
        )
    content = checked_rubric({**data, "version": base.version + 1})
    store_rubric(session, content)
    audit.record(session, "rubric_version_created", f"rubric/{content.name}", actor=actor,
                 details={"sha256": content.sha256})  # fmt: skip
    return content


def write_rubric_file(content: RubricContent) -> Path | None:
    """Bring `evaluations/<key>.yaml` to a version that is stored, its comment at the top kept;
    None where the folder cannot be written, or holds that version or a newer one."""
    path = get_settings().content / "evaluations" / f"{content.key}.yaml"
    draft = path.with_name(f".{path.name}.neu")
    comment = ""
    try:
        if path.is_file():
            if load_rubric(content.key).version >= content.version:
                return None
            lines = read_text(path).splitlines(keepends=True)
            first = next(n for n, line in enumerate(lines) if not line.startswith("#"))
            comment = "".join(lines[:first])
        draft.write_text(comment + rubric_yaml(content), encoding="utf-8")
        draft.replace(path)
    except (InvalidContent, OSError):
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        return None
    return path
