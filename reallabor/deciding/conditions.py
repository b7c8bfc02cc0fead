"""Conditions as people write them in one line."""

from datetime import date

from reallabor.deciding.decisions import IncompleteDecision, NewCondition


def parse_condition(line: str) -> NewCondition:
    """`Text|Wer|2027-03-31`. Raises IncompleteDecision."""
    parts = [part.strip() for part in line.split("|")]
    if len(parts) != 3 or not all(parts):
        raise IncompleteDecision(
            f"Die Auflage '{line}' lässt sich nicht lesen; erwartet wird 'Text|Wer|2027-03-31'."
        )
    return NewCondition(parts[0], parts[1], parse_day(parts[2]))


def parse_day(text: str) -> date:
    """`2027-03-31` or `31.03.2027`. Raises IncompleteDecision."""
    day, _, rest = text.partition(".")
    iso = "-".join(reversed([day, *rest.split(".")])) if rest else text
    try:
        return date.fromisoformat(iso)
    except ValueError:
        raise IncompleteDecision(
            f"'{text}' ist kein Datum; bitte wie 2027-03-31 angeben."
        ) from None
