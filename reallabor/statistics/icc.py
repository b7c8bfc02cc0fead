"""Intraclass correlations of raters: the six forms of Shrout & Fleiss with their intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reallabor.statistics.ratings import Floats
from reallabor.statistics.results import Interval, InvalidData

METHOD = "f"
TOO_FEW_RATERS = "Weniger als zwei Personen haben bewertet: ICC ist nicht bestimmbar."
TOO_FEW_UNITS = (
    "Weniger als zwei Ausgaben sind von allen Personen bewertet: ICC ist nicht bestimmbar; "
    "Krippendorffs Alpha kommt mit Lücken aus."
)
NO_VARIATION = "Alle Ausgaben haben dasselbe Mittel: ICC ist nicht bestimmbar."
MOSTLY_ERROR = "Die Ausgaben unterscheiden sich weniger als der Fehler: ICC ist nicht bestimmbar."
NO_ERROR = "Die Bewertungen stimmen völlig überein: kein Intervall bestimmbar."


@dataclass(frozen=True, slots=True)
class IntraclassCorrelation:
    """One form of the coefficient, or the reason why there is none."""

    value: float | None
    """At most 1, may be negative; None where it is not determinable."""
    reason: str | None
    """German sentence for the screen; None where there is a value."""
    interval: Interval
    """95 % interval by F (McGraw & Wong 1996)."""
    units: int
    """Number of outputs that all raters have rated, on which the value rests."""


def intraclass_correlations(ratings: ArrayLike) -> dict[str, IntraclassCorrelation]:
    """ICC(1,1), ICC(2,1), ICC(3,1) of one rater and ICC(1,k), ICC(2,k), ICC(3,k) of their mean.

    ratings (units, raters), NaN where not rated; units with a gap are left out. (1) each unit
    has other raters, (2) the same raters, drawn from many, their severity counts as error,
    (3) the same raters and no others, severity does not count. Coefficients after Shrout &
    Fleiss (1979), intervals after McGraw & Wong (1996), table 7.

    Raises InvalidData where ratings is not a table or a rating is infinite.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or np.isinf(table).any():
        raise InvalidData(
            "Die Bewertungen sind keine Tabelle endlicher Zahlen: Ausgaben x Personen."
        )
    table = table[~np.isnan(table).any(axis=1)]
    units, raters = table.shape
    if raters < 2 or units < 2:
        return _refused(TOO_FEW_RATERS if raters < 2 else TOO_FEW_UNITS, units)
    squares = _mean_squares(table)
    between, of_raters, error, within = squares
    if between <= 0:
        return _refused(NO_VARIATION, units)
    of_mean = between + (of_raters - error) / units
    values: dict[str, float | None] = {
        "ICC(1,1)": (between - within) / (between + (raters - 1) * within),
        "ICC(2,1)": (between - error)
        / (between + (raters - 1) * error + raters * (of_raters - error) / units),
        "ICC(3,1)": (between - error) / (between + (raters - 1) * error),
        "ICC(1,k)": (between - within) / between,
        "ICC(2,k)": (between - error) / of_mean if of_mean > 0 else None,
        "ICC(3,k)": (between - error) / between,
    }
    ends = _ends(squares, table.shape, values["ICC(2,1)"] or 0.0)
    return {
        form: IntraclassCorrelation(value, None, _interval(ends[form]), units)
        if value is not None
        else _refused(MOSTLY_ERROR, units)[form]
        for form, value in values.items()
    }


def _mean_squares(table: Floats) -> tuple[float, float, float, float]:
    """Mean squares between units, between raters, of the error, and within units."""
    units, raters = table.shape
    shifted = table - table.mean()
    per_unit = raters * (shifted.mean(axis=1) ** 2).sum()
    per_rater = units * (shifted.mean(axis=0) ** 2).sum()
    total = (shifted**2).sum()
    rest = total - per_unit - per_rater
    # Differences of sums leave rounding where there is nothing.
    rest = 0.0 if rest <= 1e-12 * total else rest
    inner = 0.0 if total - per_unit <= 1e-12 * total else total - per_unit
    between = 0.0 if per_unit <= 1e-12 * total else per_unit / (units - 1)
    return (
        float(between),
        float(per_rater / (raters - 1)),
        float(rest / ((units - 1) * (raters - 1))),
        float(inner / (units * (raters - 1))),
    )


def _ends(
    squares: tuple[float, float, float, float], shape: tuple[int, ...], agreement: float
) -> dict[str, tuple[float, float] | None]:
    """95 % ends of the six forms, None where they are not determinable; agreement is ICC(2,1)."""
    from scipy.stats import f

    between, of_raters, error, within = squares
    units, raters = shape
    rest = (units - 1) * (raters - 1)
    ends: dict[str, tuple[float, float] | None] = dict.fromkeys(
        ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]
    )
    for form, denominator, freedom in (("1", within, units * (raters - 1)), ("3", error, rest)):
        if denominator > 0:
            ratio = between / denominator
            low = ratio / f.ppf(0.975, units - 1, freedom)
            high = ratio * f.ppf(0.975, freedom, units - 1)
            ends[f"ICC({form},1)"] = (
                (low - 1) / (low + raters - 1),
                (high - 1) / (high + raters - 1),
            )
            ends[f"ICC({form},k)"] = (1 - 1 / low, 1 - 1 / high)
    if error > 0 and agreement < 1:
        # v: Satterthwaite degrees of freedom of a * MSC + b * MSE.
        a = raters * agreement / (units * (1 - agreement))
        b = 1 + raters * agreement * (units - 1) / (units * (1 - agreement))
        v = (a * of_raters + b * error) ** 2 / (
            (a * of_raters) ** 2 / (raters - 1) + (b * error) ** 2 / rest
        )
        lower, upper = f.ppf(0.975, units - 1, v), f.ppf(0.975, v, units - 1)
        mixed = raters * of_raters + (raters * units - raters - units) * error
        low = units * (between - lower * error) / (lower * mixed + units * between)
        high = units * (upper * between - error) / (mixed + units * upper * between)
        ends["ICC(2,1)"] = (low, high)
        ends["ICC(2,k)"] = (
            raters * low / (1 + (raters - 1) * low),
            raters * high / (1 + (raters - 1) * high),
        )
    return ends


def _interval(ends: tuple[float, float] | None) -> Interval:
    if ends is None or not ends[0] < ends[1]:
        return Interval(None, None, METHOD, NO_ERROR)
    return Interval(float(ends[0]), float(ends[1]), METHOD, None)


def _refused(reason: str, units: int) -> dict[str, IntraclassCorrelation]:
    forms = [f"ICC({form},{mean})" for mean in "1k" for form in "123"]
    interval = Interval(None, None, METHOD, reason)
    return {form: IntraclassCorrelation(None, reason, interval, units) for form in forms}
