"""Evidence of decisions as `deciding.evidence` gathers it, for the tests of papers: an ordinary one
in `evidence.json`, and what may be different about others; the papers made of it, read back."""

import copy
import io
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pypdf

from reallabor.content import digest
from reallabor.sharing.papers import decision_docx, decision_pdf, proposal_docx, proposal_pdf
from reallabor.sharing.papers.blocks import Paper
from reallabor.sharing.papers.proposal import proposal
from reallabor.sharing.papers.resolution import decision
from reallabor.sharing.papers.signs import readable

_SHIPPED = json.loads(Path(__file__).with_name("evidence.json").read_text("utf-8"))
RESOLUTION: dict[str, Any] = _SHIPPED["resolution"]


def evidence(**changes: Any) -> dict[str, Any]:
    """An ordinary proposal: meeting with an open and a secret vote, a ranking, an open gate."""
    return copy.deepcopy({**_SHIPPED["evidence"], **changes})


def frozen(**changes: Any) -> tuple[dict[str, Any], str]:
    """What a decision froze, and its hash."""
    kept = evidence(
        **{"resolution": RESOLUTION, "audit": {"before": "d4" * 32, "n": 812}, **changes}
    )
    return kept, digest(kept)


def old() -> tuple[dict[str, Any], str]:
    """Evidence of the first version, and its hash."""
    kept = {
        "comparison": {**evidence()["comparison"], "decision": None, "demo": True},
        "runs": evidence()["runs"],
        "scenario_sha256": "e5" * 32,
    }
    return kept, digest(kept)


def flat(text: str) -> str:
    """Without what setting in lines and columns adds."""
    return re.sub(r"[\s\u00ad\u200b\u2010-]", "", text)


def pages(file: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(file)).pages]


def tags(file: bytes) -> Iterator[dict[str, Any]]:
    """All elements of the structure tree, in reading order."""
    stack: list[Any] = [pypdf.PdfReader(io.BytesIO(file)).root_object["/StructTreeRoot"]]
    while stack:
        element = stack.pop()
        element = element.get_object() if hasattr(element, "get_object") else element
        if isinstance(element, list):
            stack += reversed(element)
        elif isinstance(element, dict):
            if "/S" in element:
                yield element
            if "/K" in element:
                stack.append(element["/K"])


def model(evidence: dict[str, Any], sha256: str = "") -> Paper:
    if not sha256:
        return proposal(readable(evidence))
    resolution = evidence.get("resolution") or RESOLUTION
    return decision(readable(evidence), readable(resolution), number=12, sha256=sha256, intact=True)


def texts(paper: Paper) -> Iterator[str]:
    """Every text that the model of a paper holds."""
    yield paper.title
    for block in paper.as_json()["blocks"]:
        for key in ("text", "lead", "label", "caption", "alt"):
            yield block.get(key) or ""
        yield from block.get("texts") or []
        yield from block.get("header") or []
        yield from chain.from_iterable(block.get("rows") or [])


def section(paper: Paper, title: str) -> list[str]:
    """The texts from the heading that ends so to the next of its level."""
    found: list[str] = []
    within = False
    for block in paper.as_json()["blocks"]:
        if block["kind"] == "heading" and block["level"] == 2:
            within = block["text"].endswith(title)
        elif within:
            found.append(json.dumps(block, ensure_ascii=False))
    assert found, title
    return found


def variety() -> dict[str, Callable[[], tuple[dict[str, Any], str]]]:
    """Evidence and hash by what is special; an empty hash means a proposal."""
    gates = evidence()["gates"]
    meeting = evidence()["meeting"]
    return {
        "proposal": lambda: (evidence(), ""),
        "proposal without round": lambda: (
            evidence(
                figures=[], ranking=None, round=None, rubric=None, runs=[], candidate_runs=[],
                meeting=None, comparison={**evidence()["comparison"], "variants": []},
                readiness={"ready": False, "missing": ["Noch keine Runde freigegeben"]},
            ), "",
        ),
        "missed gate": lambda: frozen(
            gates=[*gates, {**gates[1], "state": "missed", "title": "Datenschutz verfehlt"}]
        ),
        "all ready": lambda: frozen(
            readiness={"ready": True, "missing": []},
            resolution={**RESOLUTION, "verdict": "Weiterentwickeln", "conditions": [],
                        "dissent": "", "review_on": None, "supersedes": None,
                        "departure": "Der Personalrat hat mündlich zugestimmt."},
        ),
        "secret": lambda: frozen(
            meeting={**meeting, "motions": meeting["motions"][1:], "quorate": False}
        ),
        "circulation": lambda: frozen(meeting=None, ranking=None, demo=True),
        "old format": old,
    }  # fmt: skip


VARIETY = variety()


def written(evidence: dict[str, Any], sha256: str) -> tuple[bytes, bytes]:
    """PDF and DOCX."""
    if not sha256:
        return proposal_pdf(evidence), proposal_docx(evidence)
    known = None if evidence.get("resolution") else RESOLUTION
    keys: dict[str, Any] = {"number": 12, "sha256": sha256, "resolution": known}
    return decision_pdf(evidence, **keys), decision_docx(evidence, **keys)
