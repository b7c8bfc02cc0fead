"""Speaks to `evaluations/`: rubrics and the gates of law and readiness."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, StringConstraints, model_validator

from reallabor.content import Content, digest, load_yaml
from reallabor.errors import InvalidContent, UnknownObject
from reallabor.settings import get_settings

Text = Annotated[str, StringConstraints(min_length=1)]

_NO_RUBRICS = frozenset({"gates", "rueckmeldung"})
"""What else lies beside the rubrics: the gates, and the questionnaires for voices."""


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


class GateContent(Content):
    """A gate of law or organisation that a person confirms."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Text
    question: Text
    help: Text
    article: Text
    confirmed_by: Text
    evidence: Text


class GatesContent(Content):
    """`gates.yaml`."""

    legal_status: date
    note: Text
    gates: Annotated[list[GateContent], Field(min_length=1)]


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


def require_anchors(rubric: RubricContent, where: str) -> None:
    """Raises InvalidContent where a level of the scale has no anchor text."""
    wanted = set(range(int(rubric.scale.min), int(rubric.scale.max) + 1))
    for number, criterion in enumerate(rubric.criteria):
        if missing := sorted(wanted ^ set(criterion.levels)):
            raise InvalidContent(
                f"{where}, Feld criteria.{number}.levels: Bei '{criterion.key}' fehlt der "
                f"Ankertext der Stufe {missing[0]}, oder die Stufe liegt außerhalb der Skala."
            )


def load_gates(folder: Path | None = None) -> GatesContent:
    """All gates with their legal status date."""
    folder = folder or get_settings().content / "evaluations"
    return load_yaml(folder / "gates.yaml", GatesContent)
