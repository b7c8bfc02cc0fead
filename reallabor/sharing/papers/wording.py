"""Small German phrases that both papers use; dates come as ISO texts from the evidence."""

from collections.abc import Mapping, Sequence
from datetime import date as Day
from typing import Any

from reallabor.german import UNKNOWN, day, number, span

Evidence = Mapping[str, Any]
"""What `deciding.evidence` gathers, or the smaller form of decisions without `format`."""

GATE_WORDS = {"passed": "erfüllt", "missed": "verfehlt", "open": "offen"}
MEANINGS = (
    ("Weiterentwickeln", "Das Szenario geht in die nächste Stufe."),
    ("Nachbessern", "Gute Idee, aber erst müssen Mängel behoben werden."),
    ("Zurückstellen", "Später noch einmal, zum Beispiel wegen offener Rechtsfragen."),
    ("Beenden", "Hier lohnt sich KI nicht. Auch das ist ein Ergebnis."),
)
DEMO = (
    "Demodaten: Bewertungen und Prüfungen hat ein Programm erzeugt. Dieses Papier zeigt, wie ein "
    "solches aussieht; es gilt nicht."
)


def iso_day(value: object) -> Day | None:
    """The day of an ISO text; None where there is none."""
    try:
        return Day.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def german_day(value: object, otherwise: str = "") -> str:
    """`12.03.2026`; what cannot be read as a day stays as it is."""
    found = iso_day(value)
    return day(found) if found else str(value or otherwise)


def with_span(value: float | None, low: float | None, high: float | None, digits: int = 1) -> str:
    """`74,2 (69,8 bis 78,1)`; without the brackets where there is no interval."""
    if value is None or low is None or high is None:
        return number(value, digits)
    return f"{number(value, digits)} ({span(low, high, digits)})"


def amount(n: object) -> str:
    """A count as it stands in a table."""
    return number(float(n), 0) if isinstance(n, int | float) else UNKNOWN


def facts(*rows: tuple[str, object]) -> list[tuple[str, str]]:
    """Only those that say something."""
    return [(name, str(text)) for name, text in rows if text not in (None, "")]


def listed(parts: Sequence[object]) -> str:
    """`a, b`, without what is empty."""
    return ", ".join(str(part) for part in parts if part not in (None, ""))


def quoted(titles: Sequence[object]) -> str:
    """`„a“, „b“`: titles keep their form wherever a sentence puts them."""
    return ", ".join(f"„{title}“" for title in titles)


def sentence(text: str) -> str:
    """With a full stop, so that the next one may follow."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."
