"""Checks all content files at once, for `check-content`: what each file says, and whether they fit
together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from reallabor.comparison_scales import FILE as COMPARISON
from reallabor.comparison_scales import ComparisonScales, load_comparison_scales
from reallabor.content import filled_lines, read_text
from reallabor.errors import ReallaborError
from reallabor.evaluations import (
    calibration_keys,
    load_calibration,
    load_rubric,
    rubric_keys,
)
from reallabor.gates import load_gates
from reallabor.lessons import lesson_keys, load_lesson
from reallabor.questionnaires import FILE as QUESTIONNAIRES
from reallabor.questionnaires import Questionnaires, load_questionnaires
from reallabor.recording.values import read_value
from reallabor.scenarios import FieldContent, ScenarioFolder, load_scenario, scenario_slugs
from reallabor.settings import get_settings
from reallabor.thresholds import FILE as THRESHOLDS
from reallabor.thresholds import load_thresholds

T = TypeVar("T")
_MOST_GAIN = 100
"""nDCG raises 2 to the gain."""


@dataclass
class ContentReport:
    """What was found; `problems` are German sentences that name file, line and field."""

    scenarios: list[str] = field(default_factory=list)
    rubrics: list[str] = field(default_factory=list)
    cases: int = 0
    gold_cases: int = 0
    lessons: int = 0
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
    for key in calibration_keys(evaluations):
        calibration = attempt(lambda key=key: load_calibration(key, evaluations))  # type: ignore[misc]
        report.gold_cases += len(calibration.cases) if calibration else 0
    for key in lesson_keys(evaluations):
        lesson = attempt(lambda key=key: load_lesson(key, evaluations))  # type: ignore[misc]
        report.lessons += lesson is not None
    gates = attempt(lambda: load_gates(evaluations))
    # A package for another house brings none of these.
    _, questionnaires, scales = (
        attempt(lambda load=load: load(evaluations)) if (evaluations / file).is_file() else None  # type: ignore[misc]
        for file, load in (
            (THRESHOLDS, load_thresholds),
            (QUESTIONNAIRES, load_questionnaires),
            (COMPARISON, load_comparison_scales),
        )
    )
    if questionnaires and scales:
        report.problems += _wrong_questions(evaluations / COMPARISON, scales, questionnaires)
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
        report.problems += _wrong_estimates(folder, scales) if scales else []
        report.problems += _wrong_expectations(folder)
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


def _wrong_questions(
    file: Path, scales: ComparisonScales, questionnaires: Questionnaires
) -> list[str]:
    """Where the comparison names a question that nobody is asked, or other ends of its answers."""
    problems = []
    for number, scale in enumerate(scales.criteria):
        if scale.asked is None:
            continue
        where = f"{file}, Feld criteria.{number}"
        questionnaire = questionnaires.for_audience(scale.asked.audience)
        keys = [question.key for question in questionnaire.questions]
        if scale.asked.question not in keys:
            problems.append(
                f"{where}.asked.question: Eine Frage '{scale.asked.question}' steht nicht in "
                f"{QUESTIONNAIRES}; dort stehen: {', '.join(keys)}."
            )
        if (scale.worst, scale.best) != (1, questionnaire.levels):
            problems.append(
                f"{where}: Die Antworten reichen von 1 bis {questionnaire.levels}; bitte worst "
                "und best ebenso setzen."
            )
    return problems


def _wrong_estimates(folder: ScenarioFolder, scales: ComparisonScales) -> list[str]:
    """Where an estimate of the pilot team is a level that the comparison does not describe."""
    estimates = {"effort": folder.content.effort, "transfer": folder.content.transfer}
    return [
        f"{folder.path / 'scenario.yaml'}, Feld {key}.level: Stufe {estimate.level} gibt es in "
        f"evaluations/{COMPARISON} nicht."
        for key, estimate in estimates.items()
        if estimate and estimate.level not in scales.criterion(key).levels
    ]


def _wrong_expectations(folder: ScenarioFolder) -> list[str]:
    """Where `expected` of a case names no field of the scenario, or a value that no output can
    have: the measures would count such a case as missed for ever."""
    file = folder.path / "cases.jsonl"
    fields = {field.key: field for field in folder.content.fields}
    problems = []
    for (line, _), case in zip(filled_lines(read_text(file)), folder.cases, strict=True):
        for key, value in case.expected.items():
            try:
                if key not in fields:
                    raise ValueError(
                        f"dieses Feld steht nicht unter fields in scenario.yaml; dort stehen: "
                        f"{', '.join(fields) or 'keine'}"
                    )
                _check_value(fields[key], value)
            except ValueError as refusal:
                problems.append(f"{file}, Zeile {line}, Feld expected.{key}: {refusal}.")
    return problems


def _check_value(field: FieldContent, value: Any) -> None:
    """Raises ValueError with the rest of a German sentence."""
    if isinstance(value, dict):
        if field.kind != "ranking":
            raise ValueError("benannte Einträge mit ihrem Gewinn gibt es nur bei der Art ranking")
        gains = value.values()
        if not all(isinstance(gain, int | float) and 0 <= gain <= _MOST_GAIN for gain in gains):
            raise ValueError(f"der Gewinn eines Eintrags ist eine Zahl von 0 bis {_MOST_GAIN}")
        value = list(value)
    if isinstance(value, list) and field.kind not in ("list", "ranking"):
        raise ValueError(f"ein Feld der Art {field.kind} hat einen einzelnen Wert")
    read_value(field, value)
