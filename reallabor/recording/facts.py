"""Finds what must not change when a text is rewritten: amounts, dates and paragraphs."""

import re
from dataclasses import dataclass

_MONTHS = ("januar februar märz april mai juni juli august september oktober november "
           "dezember").split()  # fmt: skip
_MONTH = "|".join(_MONTHS)
_DATE = re.compile(
    rf"\b(\d{{1,2}})\.\s?(?:(\d{{1,2}})\.\s?(\d{{4}})?|({_MONTH})(?:\s+(\d{{4}}))?)", re.IGNORECASE
)
_PARAGRAPHS = re.compile(
    r"§{1,2}\s*(\d+[a-z]?(?:\s*(?:,|und|bis|oder|-|–|Abs\.?\s*\d+[a-z]?|Absatz\s*\d+[a-z]?|Satz\s*\d+"
    r"|Nr\.?\s*\d+|Nummer\s*\d+)\s*(?:\d+[a-z]?\b)?)*)"
)
_PARAGRAPH = re.compile(r"(?<![\d.])(?<!Abs )(?<!Abs\. )(\d+[a-z]?)\b")
_DETAIL = re.compile(r"(?:Abs\.?|Absatz|Satz|Nr\.?|Nummer)\s*\d+[a-z]?")
_AMOUNT = re.compile(r"(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d{1,2}))?\s*(?:€|Euro\b|EUR\b)|(?:€|EUR)\s*"
                     r"(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d{1,2}))?")  # fmt: skip
_PERCENT = re.compile(r"(\d+(?:,\d+)?)\s*(?:%|Prozent\b|v\.\s?H\.)")


@dataclass(frozen=True)
class Facts:
    """What a text says in figures, each in one normal form whatever its writing."""

    amounts: frozenset[str]
    """Euro amounts as `1234.50`, percentages as `30%`."""
    dates: frozenset[str]
    """`12.03.2026`, without the year where the text has none."""
    paragraphs: frozenset[str]
    """Numbers of paragraphs, such as `44a`."""

    @property
    def all(self) -> frozenset[str]:
        return self.amounts | self.dates | frozenset(f"§{number}" for number in self.paragraphs)


def facts(text: str) -> Facts:
    """All amounts, percentages, dates and paragraphs of a German text."""
    dates = set()
    for day, month, year, name, year_of_name in _DATE.findall(text):
        number = _MONTHS.index(name.casefold()) + 1 if name else int(month)
        dates.add(f"{int(day):02d}.{number:02d}.{year or year_of_name}")
    paragraphs = {
        number
        for group in _PARAGRAPHS.findall(text)
        for number in _PARAGRAPH.findall(_DETAIL.sub(" ", group))
    }
    amounts = {_amount(a or c, b or d) for a, b, c, d in _AMOUNT.findall(text)}
    amounts |= {f"{percent}%" for percent in _PERCENT.findall(text)}
    return Facts(frozenset(amounts), frozenset(dates), frozenset(paragraphs))


def changed_facts(source: str, text: str) -> tuple[frozenset[str], frozenset[str]]:
    """What of the source is missing in the text, and what the text has that the source has not."""
    before, after = facts(source).all, facts(text).all
    return before - after, after - before


def _amount(whole: str, cents: str) -> str:
    return f"{int(whole.replace('.', ''))}.{(cents or '').ljust(2, '0')}"
