"""How numbers, dates and plurals are written in German, on every screen and the command line."""

from datetime import date as Day
from datetime import datetime
from zoneinfo import ZoneInfo

UNKNOWN = "n. b."
"""Stands where a figure cannot be determined; the reason is said beside it."""
ZONE = ZoneInfo("Europe/Berlin")


def number(value: float | None, digits: int = 1) -> str:
    """`4,1`; a real minus sign before negative numbers."""
    if value is None:
        return UNKNOWN
    text = f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", ",")
    return text.replace("-", "\u2212") if float(f"{value:.{digits}f}") else text.lstrip("-")


def euro(value: float) -> str:
    """`0,01 EUR`; further digits only where an amount has them, such as `0,0025 EUR`."""
    return f"{number(value, cents(value))}\u00a0EUR"


def cents(value: float) -> int:
    """How many digits an amount in euros has behind the comma: at least two, at most six."""
    return max(2, len(f"{value:.6f}".rstrip("0").partition(".")[2]))


def share(value: float | None) -> str:
    """`12 %`, from a share of 0-1."""
    return UNKNOWN if value is None else f"{number(100 * value, 0)}\u00a0%"


def span(low: float | None, high: float | None, digits: int = 1) -> str:
    """`3,9 bis 4,3`, kept on one line."""
    if low is None or high is None:
        return UNKNOWN
    return f"{number(low, digits)}\u00a0bis\u00a0{number(high, digits)}"


def count(n: int, one: str, many: str) -> str:
    """`1 Fall`, `1 200 Fälle`."""
    return f"{number(n, 0)} {one if n == 1 else many}"


def today() -> Day:
    """The day in Germany."""
    return datetime.now(ZONE).date()


def day(value: Day) -> str:
    """`12.03.2026`."""
    return value.strftime("%d.%m.%Y")


def date(moment: datetime) -> str:
    """`12.03.2026`, the day in Germany."""
    return day(moment.astimezone(ZONE).date())
