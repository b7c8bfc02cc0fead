"""Evidence of decisions as `deciding.evidence` gathers it, for the tests of papers: an ordinary one
in `evidence.json`, and what may be different about others."""

import copy
import json
from pathlib import Path
from typing import Any

from reallabor.content import digest

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
