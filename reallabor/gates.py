"""Speaks to `evaluations/gates.yaml`: the gates of law and organisation that people confirm, and
the worksheets that prepare them. Help, not legal advice; it holds for its legal status."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from reallabor.content import Content, digest, load_kept
from reallabor.settings import get_settings

Text = Annotated[str, StringConstraints(min_length=1)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Office = Literal["DSB", "Personalrat", "ISB", "Fachseite"]
FILE = "gates.yaml"
GENERAL_GATES = (
    "ki-vo-klasse", "verbotene-praktiken", "dsfa-vorpruefung", "rechtsgrundlage-sozialdaten",
    "kein-vollautomatischer-bescheid", "menschliche-aufsicht", "personalrat", "barrierefreiheit",
    "informationssicherheit",
)  # fmt: skip
"""Gates that concern every scenario, whatever it is about."""


class GateContent(Content):
    """A gate of law or organisation that a person confirms."""

    key: Key
    title: Text
    question: Text
    help: Text
    article: Text
    offices: Annotated[list[Office], Field(min_length=1)]
    """Who may confirm it; one of them is enough."""
    evidence: Text
    """What the evidence should be, in words."""
    evidence_required: Literal["file", "link", "either", "none"] = "either"
    """Without which a finding "passed" is refused."""
    valid_months: Annotated[int, Field(ge=1)] | None = None
    """After how many months it is to be reviewed again; None: as long as its text stays."""
    stops: bool = False
    """Whether missing it ends the trial at once."""

    @property
    def sha256(self) -> str:
        """Hash of what a reviewer reads. Who may review it and for how long are not part of it."""
        return digest([self.title, self.question, self.help, self.article, self.evidence])


class WorksheetItem(Content):
    """One question of a worksheet."""

    key: Key
    article: Text
    question: Text
    help: Text
    unsettled: bool = False
    """Whether law or reading were not settled on the day of the legal status: "zu prüfen"."""


class Worksheet(Content):
    """Questions that prepare the review of a gate."""

    key: Key
    title: Text
    article: Text
    gate: Key
    completes_gate: bool = False
    """Whether the gate is passed only where every question is settled."""
    high_risk: bool = False
    """Whether it, and the gate it prepares, concern high-risk scenarios only."""
    note: Text
    items: Annotated[list[WorksheetItem], Field(min_length=1)]


class GatesContent(Content):
    """`gates.yaml`."""

    legal_status: date
    note: Text
    gates: Annotated[list[GateContent], Field(min_length=1)]
    worksheets: list[Worksheet] = []

    @model_validator(mode="after")
    def _consistent(self) -> "GatesContent":
        keys = [gate.key for gate in self.gates]
        if doubled := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"gates nennt {', '.join(sorted(doubled))} mehrfach")
        if missing := [key for key in GENERAL_GATES if key not in keys]:
            raise ValueError(f"gates: {missing[0]} fehlt, das für jedes Szenario gilt")
        if sum(gate.stops for gate in self.gates) != 1:
            raise ValueError("gates: stops gehört zu genau einem Prüfpunkt")
        sheets = [sheet.key for sheet in self.worksheets]
        if len(set(sheets)) < len(sheets):
            raise ValueError("worksheets: eine Kennung (key) steht zweimal da")
        for sheet in self.worksheets:
            if sheet.gate not in keys:
                raise ValueError(f"worksheets: {sheet.key} nennt den Prüfpunkt {sheet.gate}, "
                                 "der unter gates fehlt")  # fmt: skip
            items = [item.key for item in sheet.items]
            if len(set(items)) < len(items):
                raise ValueError(f"worksheets: in {sheet.key} steht eine Kennung (key) zweimal da")
        return self

    @property
    def sha256(self) -> str:
        """Hash of the whole file, for caches."""
        return digest(self.model_dump(mode="json"))

    @property
    def stopping(self) -> GateContent:
        """The gate that ends a trial at once."""
        return next(gate for gate in self.gates if gate.stops)

    def gates_of(self, steckbrief: Mapping[str, Any]) -> list[GateContent]:
        """The gates that concern a scenario with this stored Steckbrief, in the order of the file:
        the general ones, those that it names, and those of high risk where it is that."""
        wanted = {*GENERAL_GATES, *steckbrief.get("gates", [])}
        if is_high_risk(steckbrief):
            wanted |= {sheet.gate for sheet in self.worksheets if sheet.high_risk}
        return [gate for gate in self.gates if gate.key in wanted]

    def worksheets_of(self, steckbrief: Mapping[str, Any]) -> list[Worksheet]:
        """The worksheets that concern such a scenario."""
        high_risk = is_high_risk(steckbrief)
        return [sheet for sheet in self.worksheets if high_risk or not sheet.high_risk]


def is_high_risk(steckbrief: Mapping[str, Any]) -> bool:
    """Whether the stored Steckbrief holds the scenario for high-risk under the AI Act."""
    return bool((steckbrief.get("risk_class") or {}).get("high_risk"))


def load_gates(folder: Path | None = None) -> GatesContent:
    """All gates and worksheets with their legal status date. Raises InvalidContent."""
    folder = folder or get_settings().content / "evaluations"
    return load_kept(folder / FILE, GatesContent)
