"""Speaks to `evaluations/reifegrad.yaml`: from when on a scenario is suggested as ready."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from reallabor.content import Content, digest, load_kept
from reallabor.settings import get_settings

Share = Annotated[float, Field(ge=0, le=1)]
FILE = "reifegrad.yaml"


class Thresholds(Content):
    """What readiness asks for; all values are least ones."""

    score: Annotated[float, Field(ge=0, le=100)]
    median: Annotated[float, Field(ge=1, le=5)]
    """On the scale 1-5, where 5 is best."""
    cases: Annotated[int, Field(ge=1)]
    edge_share: Share
    alpha: Annotated[float, Field(ge=-1, le=1)]
    ac2: Annotated[float, Field(ge=-1, le=1)]
    near_share: Share
    """Share of pairs of ratings within one level, where AC2 stands in for alpha."""
    crowded_share: Share
    """From this share of ratings on the two levels at one end, AC2 may stand in for alpha."""
    organisations: Annotated[int, Field(ge=1)]
    voices: Annotated[int, Field(ge=5)]
    """Of each audience; fewer than five are never shown, so they cannot count."""

    @property
    def sha256(self) -> str:
        """Hash of all values, for caches."""
        return digest(self.model_dump(mode="json"))


def load_thresholds(folder: Path | None = None) -> Thresholds:
    """The thresholds in force. Raises InvalidContent with file, line and field."""
    folder = folder or get_settings().content / "evaluations"
    return load_kept(folder / FILE, Thresholds)
