"""The ways to the Beschlussvorlage and the Beschluss as files; written when they are asked for."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.decisions import Decision, old_resolution
from reallabor.deciding.evidence import gather
from reallabor.sharing import papers
from reallabor.ui.files import download_button

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def proposal_downloads(slug: str, item_id: int) -> None:
    """The Beschlussvorlage of an item as it stands now."""

    def write(kind: str) -> bytes:
        with reading() as session:
            evidence = gather(session, slug, meeting_item_id=item_id)
        return papers.proposal_pdf(evidence) if kind == "pdf" else papers.proposal_docx(evidence)

    _buttons("Beschlussvorlage", f"Beschlussvorlage-{slug}", write)


def decision_downloads(decision: Decision) -> None:
    """The Beschluss from its frozen evidence."""
    evidence, number = decision.evidence, decision.id or 0

    def write(kind: str) -> bytes:
        function = papers.decision_pdf if kind == "pdf" else papers.decision_docx
        return function(
            evidence, number=number, sha256=decision.evidence_sha256,
            resolution=old_resolution(decision),
        )  # fmt: skip

    name = papers.file_name(evidence, number=number, suffix="pdf").removesuffix(".pdf")
    _buttons("Beschluss", name, write)


def _buttons(title: str, name: str, write: Callable[[str], bytes]) -> None:
    left, right = st.columns(2)
    for column, kind, mime in ((left, "pdf", "application/pdf"), (right, "docx", _WORD)):
        with column:
            download_button(
                f"{title} als {kind.upper()}", partial(write, kind), f"{name}.{kind}",
                mime, key=f"{name}-{kind}", icon="description", width="stretch",
            )  # fmt: skip
