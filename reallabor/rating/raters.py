"""Raters of a round: people or imported names under a pseudonym that is valid for that round."""

import hashlib
import hmac
import secrets

from sqlmodel import Session, select

from reallabor.models import Person, Rater, Round, row_id


def add_rater(session: Session, round_: Round, name: str, *, person: Person | None = None) -> Rater:
    """The rater of this name in this round, made with a fresh pseudonym where missing."""
    key = name_key(round_, name)
    rater = session.exec(
        select(Rater).where(Rater.round_id == round_.id, Rater.name_key == key)
    ).first()
    if rater is None:
        rater = Rater(
            round_id=row_id(round_.id),
            pseudonym=new_pseudonym(),
            name_key=key,
            person_id=person.id if person else None,
        )
        session.add(rater)
        session.flush()
    return rater


def name_key(round_: Round, name: str) -> str:
    """HMAC-SHA256 of a name under the round's key: the same name is found again, nobody can read
    it back once the key is destroyed."""
    return hmac.new(round_.pseudonym_key.encode(), name.encode(), hashlib.sha256).hexdigest()


def new_pseudonym() -> str:
    """A random name such as `B-7KQ2XM`, without letters that are mistaken for digits."""
    return "B-" + "".join(secrets.choice("23456789ACDEFGHJKLMNPQRTUVWXYZ") for _ in range(6))


def new_token() -> str:
    """All that a browser learns of an assignment."""
    return secrets.token_urlsafe(12)
