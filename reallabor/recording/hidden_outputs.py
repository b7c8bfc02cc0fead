"""Outputs that nobody is shown: somebody saw personal data in them. `rating.quarantine` decides."""

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from reallabor.models import Output, Quarantine, QuarantineVerdict

ERASED = "Text gelöscht: Er enthielt personenbezogene Daten."
"""Stands as the error of an output whose text was erased; the system did not fail."""
HIDDEN = "Gesperrt: In dieser Ausgabe wurden personenbezogene Daten gemeldet; sie wird geprüft."
"""Stands as the error of an output that waits for a decision."""


def is_hidden() -> ColumnElement[bool]:
    """SQL condition on `Output`: in quarantine, or erased after it."""
    return (
        select(Quarantine.id)
        .where(
            Quarantine.output_id == Output.id,
            col(Quarantine.decided_at).is_(None)
            | (col(Quarantine.verdict) == QuarantineVerdict.ERASED),
        )
        .exists()
    )
