"""The ways to the Beschlussvorlage and the Beschluss as files; written when they are asked for."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.evidence import gather

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_PAPERS = "reallabor.sharing.papers"


def proposal_downloads(slug: str, item_id: int) -> None:
    """The Beschlussvorlage of an item as it stands now."""

    def write(kind: str) -> bytes:
        with reading() as session:
            evidence = gather(session, slug, meeting_item_id=item_id)
        return bytes(getattr(import_module(_PAPERS), f"proposal_{kind}")(evidence))

    _buttons("Beschlussvorlage", f"beschlussvorlage-{slug}", write)


def decision_downloads(number: int, evidence: dict[str, Any], sha256: str) -> None:
    """The Beschluss from its frozen evidence."""

    def write(kind: str) -> bytes:
        function = getattr(import_module(_PAPERS), f"decision_{kind}")
        return bytes(function(evidence, number=number, sha256=sha256))

    _buttons("Beschluss", f"beschluss-{number}", write)


def _buttons(title: str, name: str, write: Callable[[str], bytes]) -> None:
    if find_spec(_PAPERS) is None:
        return
    left, right = st.columns(2)
    for column, kind, mime in ((left, "pdf", "application/pdf"), (right, "docx", _WORD)):
        with column:
            st.download_button(
                f"{title} als {kind.upper()}", partial(write, kind), f"{name}.{kind}",
                mime, key=f"{name}-{kind}", icon=":material/description:", on_click="ignore",
                width="stretch",
            )  # fmt: skip
