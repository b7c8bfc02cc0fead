"""Speaks to `scenarios/<slug>/`: the Steckbrief, the cases and the systems of a trial."""

import hashlib
import importlib.util
import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, FiniteFloat, StringConstraints, model_validator

from reallabor.content import Content, digest, filled_lines, load_json_lines, load_yaml, read_text
from reallabor.errors import InvalidContent, UnknownObject
from reallabor.settings import get_settings

Text = Annotated[str, StringConstraints(min_length=1)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
System = Callable[[str], "str | dict[str, Any]"]
"""Takes the text of a case, gives the text of the answer, or a dict with `text` and details."""


class RiskClass(Content):
    """Where the scenario stands under the AI Act; help, not legal advice."""

    risk_class: Text = Field(alias="class")
    high_risk: bool = False
    """Whether the duties of Art. 26 and 27 concern it; said apart, because a text can deny it."""
    article: Text
    reason: Text


class VariantContent(Content):
    """One system of the trial."""

    key: Key
    title: Text
    description: str = ""
    baseline: bool = False


class FieldContent(Content):
    """One structured part of an output beside its text, such as the class of a letter."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    title: Text
    kind: Literal["text", "choice", "date", "number", "list", "ranking", "bool"] = "text"
    """`date` is an ISO date; `list` has no order, `ranking` has one, best first."""
    values: list[Text] = []
    """What a choice, or an entry of a list, may be; empty: anything."""
    hint: str = ""

    @model_validator(mode="after")
    def _has_choices(self) -> "FieldContent":
        if self.kind == "choice" and not self.values:
            raise ValueError(f"values fehlt bei der Auswahl '{self.key}'")
        return self


class MeasureContent(Content):
    """How outputs are held against the `expected` of their cases; the result stands beside the
    ratings as a run metric and is never mapped to levels."""

    kind: Literal[
        "macro_f1", "critical_recall", "false_alarms", "exact", "field_f1", "ndcg_at_5",
        "hit_at_3", "kept",
    ]  # fmt: skip
    fields: list[str] = []
    critical: list[str] = []
    """The values that must not be missed; empty: every expected value, of a ranking those with the
    highest gain."""
    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")] | None = None
    """Name of the metric; needed only where a kind is used twice."""
    title: str = ""

    @property
    def name(self) -> str:
        return self.key or self.kind


class Estimate(Content):
    """A level that the pilot team estimates; `vergleich.yaml` says what it means."""

    level: Annotated[int, Field(ge=1, le=5)]
    reason: Text


class ScenarioContent(Content):
    """`scenario.yaml`."""

    title: Text
    organisation: Text
    legal_status: date
    task: Text
    helps: Text
    ai_kind: Text
    risk_class: RiskClass
    rubric: Key
    gates: list[Key] = []
    baseline_minutes: Annotated[FiniteFloat, Field(gt=0)]
    """Minutes per item without AI."""
    yearly_volume: Annotated[int, Field(gt=0)]
    """Items per year."""
    effort: Estimate | None = None
    """Of introducing it in one house; 1 is the least."""
    transfer: Estimate | None = None
    """How easily other houses take it over; 5 is the easiest."""
    cost_per_case_eur: Annotated[FiniteFloat, Field(ge=0)] | None = None
    """Running costs of one item; None where nobody knows."""
    candidate: Key
    variants: Annotated[list[VariantContent], Field(min_length=1)]
    fields: list[FieldContent] = []
    measures: list[MeasureContent] = []
    allowed_contacts: list[str] = []

    @model_validator(mode="after")
    def _variants_fit(self) -> "ScenarioContent":
        keys = [variant.key for variant in self.variants]
        if doubled := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"variants nennt {', '.join(sorted(doubled))} mehrfach")
        if self.candidate not in keys:
            raise ValueError(f"candidate nennt {self.candidate}, das unter variants fehlt")
        return self

    @model_validator(mode="after")
    def _measures_fit(self) -> "ScenarioContent":
        names = [measure.name for measure in self.measures]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"measures nennt {', '.join(sorted(doubled))} mehrfach; bitte key")
        known = {field.key for field in self.fields}
        for measure in self.measures:
            if unknown := set(measure.fields) - known:
                raise ValueError(f"measures nennt {', '.join(sorted(unknown))}, fehlt in fields")
            if not measure.fields and measure.kind != "kept":
                raise ValueError(f"measures: bei {measure.name} fehlt fields")
        return self


CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class CaseContent(Content):
    """One line of `cases.jsonl`."""

    id: Annotated[str, StringConstraints(pattern=rf"^{CASE_ID.pattern}$")]
    input: Text
    reference: str = ""
    passages: list[str] = []
    topic: str = ""
    edge: bool = False
    cluster: str | None = None
    expected: dict[str, Any] = {}
    """The right answer by field; a ranking may be a mapping from entry to gain."""

    @cached_property
    def sha256(self) -> str:
        """Hash of all that makes this version of the case. Without `expected` it is what it was
        before that field existed, so that no stored case becomes a new version by an update."""
        row = self.model_dump(mode="json")
        if not self.expected:
            del row["expected"]
        return digest(row)


def fields_of(content: Mapping[str, Any]) -> list[FieldContent]:
    """The fields in the stored form of a Steckbrief; none where only ratings were imported."""
    return [FieldContent.model_validate(each) for each in content.get("fields", [])]


def measures_of(content: Mapping[str, Any]) -> list[MeasureContent]:
    """The measures in the stored form of a Steckbrief; none where only ratings were imported."""
    return [MeasureContent.model_validate(each) for each in content.get("measures", [])]


KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def key_from(title: str) -> str:
    """A key made from a title, such as `gemma-3-27b` from `Gemma 3 (27B)`; may be empty."""
    plain = title.strip().casefold().translate(_UMLAUTS)
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63].rstrip("-")


def require_key(key: str, what: str = "eine Variante") -> str:
    """The key itself. Raises InvalidContent where it is none, with one that would do."""
    if not KEY.fullmatch(key):
        raise InvalidContent(
            f"'{key}' ist kein Kurzname für {what}: erlaubt sind Kleinbuchstaben, Ziffern und "
            f"Bindestriche, z. B. '{key_from(key) or 'beispiel-1'}'."
        )
    return key


NO_FOLDER = Path("/nowhere/reallabor")
"""Stands for the folder of a scenario that lies in the database or in MLflow only."""
_CODE = frozenset({".py", ".md", ".yaml", ".yml", ".json", ".jsonl", ".csv"})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ScenarioFolder(Content):
    """A scenario as it lies in its folder."""

    slug: str
    path: Path = NO_FOLDER
    content: ScenarioContent
    cases: list[CaseContent]

    @cached_property
    def sha256(self) -> str:
        """Hash of the Steckbrief and of all cases. What came later and is not used is left out, so
        that scenarios stored before keep theirs."""
        steckbrief = self.content.model_dump(mode="json", by_alias=True)
        for key in ("effort", "transfer", "cost_per_case_eur"):
            if steckbrief[key] is None:
                del steckbrief[key]
        if not steckbrief["risk_class"]["high_risk"]:
            del steckbrief["risk_class"]["high_risk"]
        return digest([steckbrief, [case.sha256 for case in self.cases]])

    @property
    def cases_sha256(self) -> str:
        return digest([case.sha256 for case in self.cases])

    @property
    def code_sha256(self) -> str:
        """Hash of all that the systems are made of: code, prompts and data in the folder."""
        files = sorted(path for path in self.path.rglob("*") if path.suffix in _CODE)
        return digest([[str(path.relative_to(self.path)), _sha256(path)] for path in files])

    def variant(self, key: str) -> VariantContent:
        """The variant of this key. Raises UnknownObject, naming those there are."""
        for variant in self.content.variants:
            if variant.key == key:
                return variant
        known = ", ".join(variant.key for variant in self.content.variants)
        raise UnknownObject(
            f"Das Szenario '{self.slug}' hat keine Variante '{key}'; es gibt: {known}."
        )

    def build_system(self, variant: str) -> System:
        """The system of a variant, ready to answer. Raises InvalidContent where it cannot start."""
        self.variant(variant)
        file = self.path / "system.py"
        name = f"reallabor_scenario_{self.slug.replace('-', '_')}"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None or not file.is_file():
            raise InvalidContent(f"{file}: Die Datei fehlt; sie baut die Systeme der Varianten.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
            system: System = module.build(variant, self.path)
        except Exception as error:  # foreign code of a pilot team
            raise InvalidContent(
                f"{file}: Die Variante '{variant}' lässt sich nicht starten "
                f"({type(error).__name__}: {error})."
            ) from error
        return system


def scenario_slugs(folder: Path | None = None) -> list[str]:
    """The scenarios that lie in the folder, sorted."""
    folder = folder or get_settings().content / "scenarios"
    return sorted(path.parent.name for path in folder.glob("[!.]*/scenario.yaml"))


def load_scenario(slug: str, folder: Path | None = None) -> ScenarioFolder:
    """The scenario of that name with all its cases, checked.

    Raises UnknownObject for a slug that has no folder and InvalidContent for broken files.
    """
    folder = folder or get_settings().content / "scenarios"
    path = folder / slug
    if slug not in scenario_slugs(folder):
        known = ", ".join(scenario_slugs(folder)) or "keines"
        raise UnknownObject(f"Ein Szenario '{slug}' gibt es in {folder} nicht; vorhanden: {known}.")
    content = load_yaml(path / "scenario.yaml", ScenarioContent)
    cases = load_json_lines(path / "cases.jsonl", CaseContent)
    _refuse_doubled(path / "cases.jsonl", cases)
    return ScenarioFolder(slug=slug, path=path, content=content, cases=cases)


def write_scenario(scenario: ScenarioFolder, folder: Path) -> None:
    """Write `scenario.yaml` and `cases.jsonl` into an existing folder; loading them gives the same
    content with the same hashes."""
    steckbrief = scenario.content.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = yaml.safe_dump(steckbrief, allow_unicode=True, sort_keys=False, width=100)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    lines = [
        json.dumps(case.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False) + "\n"
        for case in scenario.cases
    ]
    (folder / "cases.jsonl").write_text("".join(lines), encoding="utf-8")


def _refuse_doubled(path: Path, cases: list[CaseContent]) -> None:
    seen: dict[str, int] = {}
    for (line, _), case in zip(filled_lines(read_text(path)), cases, strict=True):
        if case.id in seen:
            raise InvalidContent(
                f"{path}, Zeile {line}, Feld id: Der Fall '{case.id}' steht schon in Zeile "
                f"{seen[case.id]}. Bitte eine der Kennungen ändern."
            )
        seen[case.id] = line
