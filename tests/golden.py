"""Gold cases for tests: a file of five, and people who train on them."""

import uuid
from collections.abc import Mapping
from pathlib import Path

import yaml
from building import CRITERIA, person
from sqlmodel import Session, select

from reallabor.database import transaction
from reallabor.models import Rubric, row_id
from reallabor.rating.training import next_case, submit_levels
from reallabor.recording.catalogue import load_shipped

REFERENCE = dict.fromkeys(CRITERIA, 3)
NEAR = dict.fromkeys(CRITERIA, 4)
FAR = dict.fromkeys(CRITERIA, 5)
ENOUGH, CASES = 2, 5
NEEDED = 10
"""0.8 of two cases with six criteria, rounded up."""


def gold_file(content: Path, **changes: object) -> Path:
    """A file of five gold cases, all with level 3; two are an attempt."""
    cases = [
        {"key": f"g-{n}", "input": f"Frage {n}?", "reference": "So ist es.", "output": f"Text {n}.",
         "levels": REFERENCE, "explanation": {key: f"Grund {key}." for key in CRITERIA}}
        for n in range(1, CASES + 1)
    ]  # fmt: skip
    data = {"rubric": "auskunft@1", "tolerance": 1, "share": 0.8, "enough": ENOUGH, "cases": cases}
    path = content / "evaluations" / "kalibrierung" / "auskunft.yaml"
    path.write_text(yaml.safe_dump({**data, **changes}, allow_unicode=True), encoding="utf-8")
    return path


def change_cases(path: Path, **changes: Mapping[str, object]) -> None:
    data = yaml.safe_load(path.read_text("utf-8"))
    for case in data["cases"]:
        case.update(changes.get(case["key"].replace("-", "_"), {}))
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with transaction() as session:
        load_shipped(session)


def rubric_id(session: Session) -> int:
    return row_id(session.exec(select(Rubric.id).where(Rubric.key == "auskunft")).one())


def train(levels: Mapping[str, int], *, name: str = "Anna Bewertung") -> str:
    """Rate whatever comes next; gives its key."""
    with transaction() as session:
        who = person(session, name)
        case = next_case(session, rubric_id(session), actor=who)
        assert case is not None
        submit_levels(session, case.gold_case_id, levels, actor=who, submission=str(uuid.uuid4()))
        return case.key


def misses(n: int) -> dict[str, int]:
    """Levels of which `n` are outside tolerance."""
    return {key: (5 if place < n else 3) for place, key in enumerate(CRITERIA)}
