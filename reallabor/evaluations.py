"""Speaks to `evaluations/`: rubrics, and the gold cases by which people are calibrated."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, FiniteFloat, StringConstraints, model_validator

from reallabor.content import Content, digest, load_yaml
from reallabor.errors import InvalidContent, UnknownObject
from reallabor.settings import get_settings

Text = Annotated[str, StringConstraints(min_length=1)]
_NO_RUBRICS = frozenset({"gates", "reifegrad", "rueckmeldung", "vergleich"})
"""What else lies beside the rubrics: gates, thresholds, the questionnaires for voices, and the
scales by which scenarios are compared."""


class Scale(Content):
    """The two ends of a rubric's scale."""

    min: FiniteFloat
    max: FiniteFloat


class CriterionContent(Content):
    """One criterion with an anchor text under every level."""

    key: Annotated[str, StringConstraints(pattern=r"^\S.{0,63}$")]
    title: Text
    question: str = ""
    weight: Annotated[FiniteFloat, Field(gt=0)]
    levels: dict[int, Text] = {}


class RubricGate(Content):
    """A gate that the ratings themselves, or a metric of the run, pass or miss."""

    key: Text
    title: Text
    criterion: str = ""
    rule: Literal["no_level", "median_at_least", "metric_at_least"]
    level: FiniteFloat
    metric: str = ""
    """For `metric_at_least`: the name of the metric, as in the measures of the scenario."""

    @model_validator(mode="after")
    def _has_subject(self) -> "RubricGate":
        if self.rule == "metric_at_least" and (not self.metric or self.criterion):
            raise ValueError(f"bei {self.key} ist metric nötig, und criterion bleibt leer")
        if self.rule != "metric_at_least" and (self.metric or not self.criterion):
            raise ValueError(f"bei {self.key} ist criterion nötig, und metric bleibt leer")
        return self


class RubricContent(Content):
    """A rubric version. Weights sum to 100; every level of a shipped rubric has its anchor."""

    key: Text
    version: Annotated[int, Field(ge=1)]
    title: Text
    legal_status: date | None = None
    purpose: str = ""
    scale: Scale
    higher_is_better: bool = True
    criteria: Annotated[list[CriterionContent], Field(min_length=1)]
    gates: list[RubricGate] = []

    @model_validator(mode="after")
    def _consistent(self) -> "RubricContent":
        if self.scale.min >= self.scale.max:
            raise ValueError("scale: min muss kleiner sein als max")
        total = sum(criterion.weight for criterion in self.criteria)
        if abs(total - 100) > 1e-6:
            raise ValueError(f"criteria: die Gewichte ergeben {total:g} statt 100")
        keys = [criterion.key for criterion in self.criteria]
        if len(set(keys)) < len(keys):
            raise ValueError("criteria: eine Kennung (key) steht zweimal da")
        for gate in self.gates:
            if gate.criterion and gate.criterion not in keys:
                raise ValueError(f"gates: das Kriterium {gate.criterion} gibt es nicht")
        return self

    @property
    def name(self) -> str:
        """Key and version, such as `auskunft@1`."""
        return f"{self.key}@{self.version}"

    @property
    def sha256(self) -> str:
        """Hash of the whole text; an empty `metric` is left out, so that versions stored before
        that field existed keep theirs."""
        content = self.model_dump(mode="json")
        for gate in content["gates"]:
            if not gate["metric"]:
                del gate["metric"]
        return digest(content)


class GoldCaseContent(Content):
    """One gold case: an output with the level it deserves on every criterion, and why."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    input: Text
    reference: str = ""
    output: Text
    levels: dict[str, int]
    explanation: dict[str, Text]

    @property
    def sha256(self) -> str:
        """Hash of the whole case."""
        return digest(self.model_dump(mode="json"))


class CalibrationContent(Content):
    """`kalibrierung/<rubric>.yaml`: the gold cases of a rubric version, and who is calibrated.

    It lies beside the rubric and not in it: a stored rubric version never changes, and better
    training must not make a new one.
    """

    rubric: Annotated[str, StringConstraints(pattern=r"^\S+@[1-9]\d*$")]
    """The rubric version for which the levels hold, such as `auskunft@1`."""
    tolerance: Annotated[int, Field(ge=0)]
    """Levels by which a judgement may differ from the reference."""
    share: Annotated[FiniteFloat, Field(gt=0, le=1)]
    """Share of an attempt's judgements that must be within tolerance."""
    enough: Annotated[int, Field(ge=1)]
    """Gold cases in one attempt."""
    cases: Annotated[list[GoldCaseContent], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "CalibrationContent":
        keys = [case.key for case in self.cases]
        if len(set(keys)) < len(keys):
            raise ValueError("cases: eine Kennung (key) steht zweimal da")
        if len(keys) < 2 * self.enough:
            raise ValueError(
                f"cases: {len(keys)} Fälle reichen nicht für zwei Durchgänge zu je {self.enough}; "
                "wer den ersten verfehlt, braucht neue"
            )
        return self

    @property
    def sha256(self) -> str:
        """Hash of thresholds and cases."""
        return digest(self.model_dump(mode="json"))


def rubric_keys(folder: Path | None = None) -> list[str]:
    """The rubrics that lie in the folder, sorted."""
    folder = folder or get_settings().content / "evaluations"
    return sorted(
        path.stem
        for path in folder.glob("*.yaml")
        if path.is_file() and path.stem not in _NO_RUBRICS
    )


def load_rubric(key: str, folder: Path | None = None) -> RubricContent:
    """The rubric of that name, checked: all levels of its scale carry an anchor text."""
    folder = folder or get_settings().content / "evaluations"
    path = folder / f"{key}.yaml"
    if not path.is_file():
        known = ", ".join(rubric_keys(folder)) or "keines"
        raise UnknownObject(
            f"Ein Bewertungsraster '{key}' gibt es in {folder} nicht; vorhanden: {known}."
        )
    rubric = load_yaml(path, RubricContent)
    if rubric.key != key:
        raise InvalidContent(f"{path}, Feld key: '{rubric.key}' passt nicht zum Dateinamen.")
    require_anchors(rubric, str(path))
    return rubric


def rubric_yaml(rubric: RubricContent) -> str:
    """The rubric as its content file."""
    data = rubric.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=100)


def require_anchors(rubric: RubricContent, where: str) -> None:
    """Raises InvalidContent where a level of the scale has no anchor text."""
    wanted = set(range(int(rubric.scale.min), int(rubric.scale.max) + 1))
    for number, criterion in enumerate(rubric.criteria):
        if missing := sorted(wanted ^ set(criterion.levels)):
            raise InvalidContent(
                f"{where}, Feld criteria.{number}.levels: Bei '{criterion.key}' fehlt der "
                f"Ankertext der Stufe {missing[0]}, oder die Stufe liegt außerhalb der Skala."
            )


def calibration_keys(folder: Path | None = None) -> list[str]:
    """The rubrics for which gold cases lie in the folder, sorted."""
    folder = folder or get_settings().content / "evaluations"
    return sorted(path.stem for path in (folder / "kalibrierung").glob("*.yaml"))


def load_calibration(key: str, folder: Path | None = None) -> CalibrationContent:
    """The gold cases of a rubric, checked against it: same version, every criterion has a level of
    its scale and an explanation. Raises InvalidContent and what `load_rubric` raises."""
    folder = folder or get_settings().content / "evaluations"
    path = folder / "kalibrierung" / f"{key}.yaml"
    content = load_yaml(path, CalibrationContent)
    rubric = load_rubric(key, folder)
    if content.rubric != rubric.name:
        raise InvalidContent(
            f"{path}, Feld rubric: Die Fälle gehören zu '{content.rubric}', das Bewertungsraster "
            f"ist '{rubric.name}'. Bitte Stufen und Erklärungen prüfen und das Feld anpassen."
        )
    for number, case in enumerate(content.cases):
        _require_fit(case, rubric, f"{path}, Feld cases.{number}")
    return content


def _require_fit(case: GoldCaseContent, rubric: RubricContent, where: str) -> None:
    wanted = {criterion.key: criterion for criterion in rubric.criteria}
    for field, given in (("levels", set(case.levels)), ("explanation", set(case.explanation))):
        if missing := [key for key in wanted if key not in given]:
            raise InvalidContent(f"{where}.{field}: Im Fall '{case.key}' fehlt '{missing[0]}'.")
        if unknown := sorted(given - set(wanted)):
            raise InvalidContent(
                f"{where}.{field}: Das Kriterium '{unknown[0]}' (Fall '{case.key}') gibt es in "
                f"'{rubric.name}' nicht."
            )
    for key, level in case.levels.items():
        if level not in wanted[key].levels:
            raise InvalidContent(
                f"{where}.levels.{key}: Stufe {level} (Fall '{case.key}') gibt es in "
                f"'{rubric.name}' nicht; erlaubt: {rubric.scale.min:g}-{rubric.scale.max:g}."
            )
