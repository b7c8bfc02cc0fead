"""Named sets of weights for the ranking. A changed one is a new row; the newest of a name counts,
and what a decision was taken under stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from reallabor import audit
from reallabor.comparison_scales import KEYS
from reallabor.content import digest, storable
from reallabor.deciding.ranking import normalised
from reallabor.errors import InvalidProfile, UnknownObject
from reallabor.models import Person, WeightProfile, row_id
from reallabor.policies import may_save_profiles, require

__all__ = ["DEFAULT", "NAME_LIMIT", "Profile", "find_profile", "list_profiles", "retire_profile",
           "save_profile"]  # fmt: skip

DEFAULT = "Vorgabe"
"""What the weights of `vergleich.yaml` are called; no profile can have this name."""
NAME_LIMIT = 60
"""Longest name in characters."""


@dataclass(frozen=True)
class Profile:
    """The weights of a name as they are now."""

    name: str
    weights: dict[str, float]
    """From 0 to 1, in sum 1, by criterion key."""
    saved_at: datetime


def list_profiles(session: Session) -> list[Profile]:
    """The profiles in use, by name."""
    newest = select(func.max(WeightProfile.id)).group_by(WeightProfile.name)
    rows = session.exec(
        select(WeightProfile).where(
            col(WeightProfile.id).in_(newest), col(WeightProfile.retired).is_(False)
        )
    ).all()
    found = [Profile(row.name, dict(row.weights), row.created_at) for row in rows]
    return sorted(found, key=lambda each: each.name.casefold())


def find_profile(session: Session, name: str) -> Profile:
    """The profile of this name. Raises UnknownObject where there is none, or it is retired."""
    row = _newest(session, name)
    if row is None or row.retired:
        raise UnknownObject(
            f"Ein Gewichtsprofil '{name}' gibt es nicht. Bitte ein anderes wählen oder es im "
            "Vergleich speichern."
        )
    return Profile(row.name, dict(row.weights), row.created_at)


def save_profile(
    session: Session, name: str, weights: Mapping[str, float], *, actor: Person
) -> Profile:
    """Keep these weights (any numbers from 0) under this name, as shares that sum to 1.

    A name that is there gets a new row; the same weights again change nothing. Raises NotAllowed,
    InvalidProfile, InvalidWeights and UnknownObject; then nothing was stored.
    """
    require(may_save_profiles, actor)
    name = " ".join(storable(name).split())
    if not 1 <= len(name) <= NAME_LIMIT:
        raise InvalidProfile(
            f"Ein Gewichtsprofil braucht einen Namen mit 1 bis {NAME_LIMIT} Zeichen; dieser hat "
            f"{len(name)}."
        )
    if name.casefold() == DEFAULT.casefold():
        raise InvalidProfile(
            f"'{DEFAULT}' heißen die Gewichte aus vergleich.yaml; bitte einen anderen Namen wählen."
        )
    shares = normalised(weights, KEYS)
    newest = _newest(session, name)
    if newest is not None and not newest.retired and newest.weights == shares:
        return Profile(newest.name, shares, newest.created_at)
    row = _add(session, name, shares, actor=actor)
    return Profile(row.name, shares, row.created_at)


def retire_profile(session: Session, name: str, *, actor: Person) -> None:
    """Take a profile out of the list; its rows stay, and the name can be used again. Raises
    NotAllowed and UnknownObject."""
    require(may_save_profiles, actor)
    _add(session, name, find_profile(session, name).weights, actor=actor, retired=True)


def _newest(session: Session, name: str) -> WeightProfile | None:
    return session.exec(
        select(WeightProfile)
        .where(WeightProfile.name == name)
        .order_by(col(WeightProfile.id).desc())
        .limit(1)
    ).first()


def _add(
    session: Session, name: str, weights: dict[str, float], *, actor: Person, retired: bool = False
) -> WeightProfile:
    row = WeightProfile(name=name, weights=weights, retired=retired, person_id=row_id(actor.id))
    session.add(row)
    session.flush()
    audit.record(
        session, "profile_retired" if retired else "profile_saved", f"profile/{row.id}",
        actor=actor,
        # A name may name a person, and the trail knows none.
        details={"name": digest(name), "weights": weights},
    )  # fmt: skip
    return row
