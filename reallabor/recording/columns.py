"""What the columns of an uploaded table mean: guessed from their headings, and changeable."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reallabor.errors import InvalidTable
from reallabor.scenarios import FieldContent

CASE, OUTPUT, LATENCY, TOKENS, COST, ERROR = "case", "output", "latency", "tokens", "cost", "error"
TITLES = {
    CASE: "Fall",
    OUTPUT: "Ausgabe",
    LATENCY: "Antwortzeit (ms)",
    TOKENS: "Token",
    COST: "Kosten (EUR)",
    ERROR: "Fehler",
}
"""Headings as the template has them, by meaning."""
_WORDS = {
    CASE: "fall fallid fallnr fallnummer falle fälle case caseid caseno id kennung kennzeichen "
    "vorgang lfdnr nr",
    OUTPUT: "ausgabe ausgabetext antwort antworttext ergebnis output text vorschlag entwurf "
    "response answer kitext kiantwort kiausgabe vermerk",
    LATENCY: "antwortzeit latenz latency latencyms dauer laufzeit zeit sekunden",
    TOKENS: "token tokens tokenanzahl",
    COST: "kosten kosteneur cost costeur preis",
    ERROR: "fehler fehlermeldung error",
}
_WHOLE_ONLY = frozenset({"zeit", "text"})
"""Words with which too many other headings begin, such as `Zeitstempel`."""
_MINUTES = re.compile(r"\b(min|minuten?|minutes?)\b")
_SECONDS = re.compile(r"\b(s|sek|sekunden?|sec|seconds?)\b")


@dataclass(frozen=True)
class Columns:
    """Index of the column for each meaning: those of TITLES and the keys of the fields."""

    index: dict[str, int]
    latency_factor: float = 1.0
    """Milliseconds per unit of the column."""

    def __contains__(self, meaning: str) -> bool:
        return meaning in self.index


def guess_columns(header: Sequence[str], fields: Sequence[FieldContent]) -> Columns:
    """The most likely meaning of each heading; a column has one meaning, a meaning one column.

    Exact words first, then headings that begin with one.
    """
    # What the scenario itself names goes first: a field may be called "Ergebnis" too.
    names = {field.key: [_folded(field.title), _folded(field.key)] for field in fields}
    names |= {meaning: words.split() for meaning, words in _WORDS.items()}
    return with_unit(match_headings(header, names), header)


def match_headings(header: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The column of each meaning: headings that are one of its words first, then those that begin
    with one; earlier meanings choose first."""
    folded = [_folded(heading) for heading in header]
    found: dict[str, int] = {}
    for whole in (True, False):
        for meaning, words in names.items():
            at = _column(folded, words, set(found.values()), whole=whole)
            if meaning not in found and at is not None:
                found[meaning] = at
    return found


def _column(
    headings: Sequence[str], words: Sequence[str], taken: set[int], *, whole: bool
) -> int | None:
    for word in words:
        for index, heading in enumerate(headings):
            begins = len(word) > 3 and word not in _WHOLE_ONLY and heading.startswith(word)
            same = heading == word if whole else begins
            if same and index not in taken:
                return index
    return None


def chosen_columns(
    header: Sequence[str], chosen: Mapping[str, str], fields: Sequence[FieldContent]
) -> Columns:
    """Columns that a person named by their headings. Raises InvalidTable for what is not there."""
    known = {*TITLES, *(field.key for field in fields)}
    found: dict[str, int] = {}
    for meaning, heading in chosen.items():
        if meaning not in known:
            raise InvalidTable(
                f"Eine Bedeutung '{meaning}' gibt es nicht; möglich: {', '.join(sorted(known))}."
            )
        if heading not in header:
            raise InvalidTable(
                f"Eine Spalte '{heading}' gibt es nicht; vorhanden: "
                f"{', '.join(filter(None, header))}."
            )
        found[meaning] = list(header).index(heading)
    return with_unit(found, header)


def with_unit(index: Mapping[str, int], header: Sequence[str]) -> Columns:
    """The columns with the unit that the heading of the latency names; milliseconds without one."""
    at = index.get(LATENCY)
    heading = header[at].casefold().replace("_", " ") if at is not None else ""
    factor = 1000.0 if _SECONDS.search(heading) else 60_000.0 if _MINUTES.search(heading) else 1.0
    return Columns(dict(index), factor)


def is_header(fields: Sequence[FieldContent]) -> "_IsHeader":
    """Tells whether a row of texts has a heading for the case and one for what came out."""
    return _IsHeader(fields)


class _IsHeader:
    def __init__(self, fields: Sequence[FieldContent]) -> None:
        self._fields = fields

    def __call__(self, row: Sequence[str]) -> bool:
        if sum(bool(cell) for cell in row) < 2 or any(len(cell) > 60 for cell in row):
            return False
        found = guess_columns(row, self._fields)
        return CASE in found and any(key in found for key in
                                     (OUTPUT, *(field.key for field in self._fields)))  # fmt: skip


def _folded(heading: str) -> str:
    heading = re.sub(r"\([^)]*\)|\[[^]]*\]", "", heading.casefold())
    return re.sub(r"[^a-z0-9äöüß]", "", heading)
