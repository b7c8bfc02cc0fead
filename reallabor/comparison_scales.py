"""Speaks to `evaluations/vergleich.yaml`: the six criteria by which scenarios are ranked, each on a
fixed scale that never depends on which scenarios are selected."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, StringConstraints, model_validator

from reallabor.content import Content, load_kept
from reallabor.settings import get_settings

Text = Annotated[str, StringConstraints(min_length=1)]
Percent = Annotated[FiniteFloat, Field(ge=0, le=100)]
Key = Literal["quality", "benefit", "staff", "clients", "effort", "transfer"]
KEYS: tuple[Key, ...] = ("quality", "benefit", "staff", "clients", "effort", "transfer")
"""Which figures there are is fixed by the code that measures them; all else is content."""
FILE = "vergleich.yaml"


class Bounds(Content):
    """Between what a weight is plausible."""

    min: Percent
    max: Percent


class Asked(Content):
    """The question of `rueckmeldung.yaml` whose mean is the figure."""

    audience: Literal["staff", "clients"]
    question: Text


class ComparisonScale(Content):
    """One criterion. Its figures are turned into 0 (worst) to 1 (best), straight in between;
    beyond an end they count as that end."""

    key: Key
    title: Text
    question: Text
    unit: Text
    worst: FiniteFloat
    best: FiniteFloat
    """Smaller than `worst` where less is better."""
    source: Text
    """Where the figure comes from, and why the scale ends where it does."""
    weight: Percent
    """Before anybody moves a slider."""
    plausible: Bounds
    asked: Asked | None = None
    levels: dict[int, Text] = {}
    """For figures that the pilot team estimates: what each level means."""
    accurate_to: Annotated[FiniteFloat, Field(ge=0)] = 0
    """Estimates are taken as right within this many units to either side."""

    @model_validator(mode="after")
    def _consistent(self) -> "ComparisonScale":
        if self.worst == self.best:
            raise ValueError(f"bei {self.key} sind worst und best gleich")
        if not self.plausible.min <= self.weight <= self.plausible.max:
            raise ValueError(f"bei {self.key} liegt weight nicht in plausible")
        ends = sorted((self.worst, self.best))
        if self.levels and sorted(self.levels) != list(range(int(ends[0]), int(ends[1]) + 1)):
            raise ValueError(
                f"bei {self.key} braucht jede Stufe von {ends[0]:g} bis {ends[1]:g} einen Text"
            )
        return self

    def position(self, figure: float) -> float:
        """Where a figure stands between worst (0) and best (1); beyond an end also below 0 or
        above 1."""
        return (figure - self.worst) / (self.best - self.worst)

    def level_text(self, level: int) -> str:
        """`2 von 5: In Wochen einsetzbar …`; without words where the file has none for it."""
        place = f"{level} von {max(self.levels)}"
        return f"{place}: {self.levels[level]}" if level in self.levels else place


class ComparisonScales(Content):
    """`vergleich.yaml`. Default weights sum to 100, and every bound leaves room for that sum."""

    version: Annotated[int, Field(ge=1)]
    note: Text
    criteria: list[ComparisonScale]

    @model_validator(mode="after")
    def _consistent(self) -> "ComparisonScales":
        if sorted(each.key for each in self.criteria) != sorted(KEYS):
            raise ValueError(f"criteria: nötig sind genau diese sechs: {', '.join(KEYS)}")
        total = sum(each.weight for each in self.criteria)
        if abs(total - 100) > 1e-6:
            raise ValueError(f"criteria: die Gewichte ergeben {total:g} statt 100")
        for each in self.criteria:
            if (each.key in ("staff", "clients")) != (each.asked is not None):
                raise ValueError(f"bei {each.key} ist asked überzählig oder fehlt")
            if (each.key in ("effort", "transfer")) != bool(each.levels):
                raise ValueError(f"bei {each.key} sind levels überzählig oder fehlen")
        return self

    def criterion(self, key: str) -> ComparisonScale:
        """The criterion of this key."""
        return next(each for each in self.criteria if each.key == key)

    @property
    def weights(self) -> dict[str, float]:
        """The default weights in percent by key, in the order of the file."""
        return {each.key: each.weight for each in self.criteria}


def load_comparison_scales(folder: Path | None = None) -> ComparisonScales:
    """The criteria of the comparison, checked. Raises InvalidContent with file, line and field."""
    folder = folder or get_settings().content / "evaluations"
    return load_kept(folder / FILE, ComparisonScales)
