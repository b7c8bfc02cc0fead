"""What a paper consists of before it is a PDF or DOCX: both are written from the same blocks, so
that they say the same."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date as Day
from typing import Any, Literal


@dataclass(frozen=True)
class Heading:
    """A section (level 2) or a part of one (3); the title of the paper is level 1."""

    text: str
    level: int = 2
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True)
class Paragraph:
    """Running text; every line break of the text begins a new line."""

    text: str
    lead: str = ""
    """Words before the text, in bold."""
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True)
class Verdict:
    """What is decided or suggested, set apart from everything else."""

    label: str
    text: str
    kind: Literal["verdict"] = "verdict"


@dataclass(frozen=True)
class Note:
    """What a reader must not overlook."""

    text: str
    kind: Literal["note"] = "note"


@dataclass(frozen=True)
class Facts:
    """Names and what they stand for, one a line."""

    rows: list[tuple[str, str]]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True)
class Items:
    """A list without order."""

    texts: list[str]
    kind: Literal["items"] = "items"


@dataclass(frozen=True)
class Options:
    """Choices to tick by hand."""

    rows: list[tuple[str, str]]
    """The choice and what it means."""
    kind: Literal["options"] = "options"


@dataclass(frozen=True)
class Table:
    """A table with a header row."""

    caption: str
    header: list[str]
    rows: list[list[str]]
    widths: list[float]
    """Share of each column, in any unit."""
    figures: list[int] = field(default_factory=list)
    """Columns that hold numbers only."""
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Dot:
    """One line of a chart: a score from 0 to 100 with its interval."""

    label: str
    text: str
    """The figures as everywhere else."""
    value: float
    low: float | None
    high: float | None
    shape: Literal["full", "hollow"]


@dataclass(frozen=True)
class Chart:
    """Scores as dots with intervals."""

    caption: str
    alt: str
    """All that the drawing shows, in words."""
    dots: list[Dot]
    kind: Literal["chart"] = "chart"


Block = Heading | Paragraph | Verdict | Note | Facts | Items | Options | Table | Chart


@dataclass(frozen=True)
class Paper:
    """A whole paper."""

    title: str
    subject: str
    """The scenario."""
    day: Day
    """What the file calls its date; the same evidence always has the same."""
    footer: list[str]
    """Lines at the foot of every page, above the page number."""
    mark: str
    """At the head of every page; empty for real data."""
    blocks: Sequence[Block]

    def as_json(self) -> dict[str, Any]:
        """For the typesetter."""
        return {key: value for key, value in asdict(self).items() if key != "day"}
