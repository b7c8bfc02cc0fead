"""Checks all content files at once, for `check-content`: what each file says, and whether they fit
together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from reallabor.errors import ReallaborError
from reallabor.evaluations import load_gates, load_rubric, rubric_keys
from reallabor.questionnaires import load_questionnaires
from reallabor.scenarios import ScenarioFolder, load_scenario, scenario_slugs
from reallabor.settings import get_settings

T = TypeVar("T")


@dataclass
class ContentReport:
    """What was found; `problems` are German sentences that name file, line and field."""

    scenarios: list[str] = field(default_factory=list)
    rubrics: list[str] = field(default_factory=list)
    cases: int = 0
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return vars(self)


def check_all(content: Path | None = None) -> ContentReport:
    """Load everything; a broken file does not hide the next one."""
    content = content or get_settings().content
    evaluations, scenarios = content / "evaluations", content / "scenarios"
    report = ContentReport()

    def attempt(load: Callable[[], T]) -> T | None:
        try:
            return load()
        except ReallaborError as refusal:
            report.problems.append(str(refusal))
            return None

    for key in rubric_keys(evaluations):
        if rubric := attempt(lambda key=key: load_rubric(key, evaluations)):  # type: ignore[misc]
            report.rubrics.append(rubric.name)
    gates = attempt(lambda: load_gates(evaluations))
    attempt(lambda: load_questionnaires(evaluations))
    known = {gate.key for gate in gates.gates} if gates else set()
    if not scenario_slugs(scenarios):
        report.problems.append(f"{scenarios}: Hier liegt kein Szenario.")
    for slug in scenario_slugs(scenarios):
        folder = attempt(lambda slug=slug: load_scenario(slug, scenarios))  # type: ignore[misc]
        if folder is None:
            continue
        report.scenarios.append(slug)
        report.cases += len(folder.cases)
        report.problems += _misfits(folder, set(rubric_keys(evaluations)), known)
        if not (folder.path / "system.py").is_file():
            continue  # its runs come from files, or from somebody's own program
        for variant in folder.content.variants:
            attempt(lambda f=folder, v=variant.key: f.build_system(v))  # type: ignore[misc]
    return report


def _misfits(folder: ScenarioFolder, rubrics: set[str], gates: set[str]) -> list[str]:
    file = folder.path / "scenario.yaml"
    problems = []
    if folder.content.rubric not in rubrics:
        problems.append(
            f"{file}, Feld rubric: Ein Bewertungsraster '{folder.content.rubric}' gibt es nicht; "
            f"vorhanden: {', '.join(sorted(rubrics)) or 'keines'}."
        )
    problems += [
        f"{file}, Feld gates: '{key}' steht nicht in evaluations/gates.yaml."
        for key in folder.content.gates
        if key not in gates
    ]
    return problems
