"""From the evidence of a decision to files: what pages and the command line call."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from reallabor.content import digest
from reallabor.errors import UnusableEvidence
from reallabor.sharing.papers.blocks import Paper
from reallabor.sharing.papers.docx import write_docx
from reallabor.sharing.papers.pdf import write_pdf
from reallabor.sharing.papers.proposal import proposal
from reallabor.sharing.papers.resolution import decision
from reallabor.sharing.papers.signs import readable
from reallabor.sharing.papers.wording import Evidence

Suffix = Literal["pdf", "docx"]
_NOT_IN_NAMES = re.compile("[^a-z0-9]+")


def proposal_pdf(evidence: Evidence) -> bytes:
    """The Beschlussvorlage as PDF/UA-1; the same evidence gives the same bytes. Raises
    PaperFailed, UnusableEvidence."""
    return write_pdf(_proposal(evidence))


def proposal_docx(evidence: Evidence) -> bytes:
    """The Beschlussvorlage for a word processor. Raises PaperFailed, UnusableEvidence."""
    return write_docx(_proposal(evidence))


def decision_pdf(
    evidence: Evidence, *, number: int, sha256: str, resolution: Mapping[str, Any] | None = None
) -> bytes:
    """The Beschluss `number` as PDF/UA-1, with a warning where the evidence no longer has the hash
    `sha256`; the same evidence gives the same bytes.

    `resolution` (verdict, reason, decided_by, decided_on, ...) is for decisions whose evidence has
    none: those without `format`. Raises PaperFailed, UnusableEvidence.
    """
    return write_pdf(_decision(evidence, number, sha256, resolution))


def decision_docx(
    evidence: Evidence, *, number: int, sha256: str, resolution: Mapping[str, Any] | None = None
) -> bytes:
    """The Beschluss for a word processor; as `decision_pdf`."""
    return write_docx(_decision(evidence, number, sha256, resolution))


def file_name(evidence: Evidence, *, number: int | None = None, suffix: Suffix = "pdf") -> str:
    """`Beschluss-12-buerger-chatbot.pdf`; without `number` the name of a Beschlussvorlage."""
    scenario = evidence.get("scenario") or evidence["comparison"]
    slug = _NOT_IN_NAMES.sub("-", str(scenario["slug"]).lower()).strip("-")[:80]
    kind = "Beschlussvorlage" if number is None else f"Beschluss-{number}"
    return f"{kind}-{slug}.{suffix}"


def _proposal(evidence: Evidence) -> Paper:
    if not evidence.get("scenario"):
        raise UnusableEvidence(
            "Aus diesen Belegen lässt sich keine Beschlussvorlage schreiben: Das Szenario fehlt "
            "darin. Bitte die Vorlage auf der Seite der Sitzung neu erstellen."
        )
    return proposal(readable(evidence))


def _decision(
    evidence: Evidence, number: int, sha256: str, resolution: Mapping[str, Any] | None
) -> Paper:
    decided = evidence.get("resolution") or resolution
    if not decided:
        raise UnusableEvidence(
            f"In den Belegen zu Beschluss {number} steht nicht, was beschlossen wurde. Bitte mit "
            f"„reallabor verify-decision {number}“ prüfen."
        )
    return decision(
        readable(evidence),
        readable(decided),
        number=number,
        sha256=sha256,
        intact=digest(evidence) == sha256,
    )
