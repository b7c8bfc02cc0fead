"""Scenarios as rows: filter, sort, the table, the dot plot, some of them side by side, and files of
what one sees."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.figures import (
    TITLES,
    Cell,
    house_names,
    meanings,
    more_cases,
    scenario_cells,
)
from reallabor.deciding.gates import WORDS, standing_of
from reallabor.german import count
from reallabor.sharing.figure_files import figures_csv, figures_xlsx
from reallabor.ui.address import choose_one, choose_some, choose_yes, stale
from reallabor.ui.charts import Dot, dot_plot
from reallabor.ui.files import csv_button, xlsx_button
from reallabor.ui.page import plain
from reallabor.ui.tables import show_table

FILTERS = {
    "organisation": "Organisation",
    "ki": "Art der KI",
    "risiko": "Risikoklasse",
    "phase": "Phase",
}
MOST_BESIDE = 6
MOST_DRAWN = 30
"""Dots in one chart; beyond that nobody tells rows apart."""
_STYLE = """
<style>
.st-key-overview-table td, .st-key-overview-table th { padding: .35rem .45rem !important;
  font-size: .86rem; hyphens: auto; overflow-wrap: anywhere; min-width: 4.2rem; }
</style>
"""
BY_TITLE = "szenario"


def choose_scenarios(comparisons: Sequence[ScenarioComparison]) -> list[ScenarioComparison]:
    """Filters and order; what is left."""
    chosen: dict[str, str] = {}
    for column, (name, label) in zip(st.columns(len(FILTERS)), FILTERS.items(), strict=True):
        found = sorted({value for each in comparisons for value in _values(each)[name] if value})
        with column:
            chosen[name] = choose_one(label, name, {value: value for value in found}, empty="alle")
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        key = choose_one("Sortieren nach", "sortierung", {BY_TITLE: "Szenario", **TITLES})
    with right:
        falling = choose_yes("Größte zuerst", "absteigend")
    stale([*FILTERS, "sortierung", "absteigend"])
    kept = [
        each
        for each in comparisons
        if all(not wanted or wanted in _values(each)[name] for name, wanted in chosen.items())
    ]
    return _sorted(kept, key, falling=falling)


def _values(comparison: ScenarioComparison) -> dict[str, list[str]]:
    """By filter what it may look for."""
    risk = comparison.content.get("risk_class") or {}
    return {
        "organisation": list(comparison.organisations),
        "ki": [str(comparison.content.get("ai_kind", ""))],
        "risiko": [str(risk.get("class", ""))],
        "phase": [comparison.phase],
    }


def _sorted(
    comparisons: Sequence[ScenarioComparison], key: str, *, falling: bool
) -> list[ScenarioComparison]:
    """By a figure; those without it last, whatever the direction."""
    by_title = sorted(comparisons, key=lambda each: each.title.casefold())
    if key == BY_TITLE:
        return by_title[::-1] if falling else by_title
    place = list(TITLES).index(key)
    cells = {each.slug: scenario_cells(each)[place] for each in by_title}
    if key == "decision":
        known = [each for each in by_title if each.decision]
        known.sort(key=lambda each: cells[each.slug].text, reverse=falling)
    else:
        known = [each for each in by_title if cells[each.slug].value is not None]
        known.sort(key=lambda each: cells[each.slug].value or 0.0, reverse=falling)
    shown = {each.slug for each in known}
    return known + [each for each in by_title if each.slug not in shown]


def show_overview(comparisons: Sequence[ScenarioComparison]) -> None:
    """The table with all figures, what they mean, the chart and the files."""
    if not comparisons:
        st.info("Zu dieser Auswahl gibt es kein Szenario.", icon=":material/filter_alt_off:")
        return
    cells = {each.slug: scenario_cells(each) for each in comparisons}
    st.html(_STYLE)
    with st.container(key="overview-table"):
        show_table(figures_table(comparisons, cells))
    with st.expander("Was bedeuten die Spalten?", icon=":material/help:"):
        for key, meaning in meanings().items():
            st.markdown(f"**{TITLES[key]}:** {plain(meaning)}")
    with st.expander("Woraus ergeben sich die Zahlen?", icon=":material/functions:"):
        titles = {each.slug: _name(each) for each in comparisons}
        slug = choose_one("Szenario", "erklaert", titles)
        show_table(reasons_table(cells[slug]))
    show_scores(comparisons)
    left, right, _ = st.columns([1, 1, 2])
    with left:
        xlsx_button("Tabelle als Excel-Datei", lambda: figures_xlsx(comparisons), "vergleich.xlsx")
    with right:
        csv_button("Tabelle als CSV-Datei", lambda: figures_csv(comparisons), "vergleich.csv")


def figures_table(
    comparisons: Sequence[ScenarioComparison], cells: dict[str, list[Cell]]
) -> pd.DataFrame:
    """Scenarios as rows, figures as columns; the text of the cells and their n, nothing else."""
    rows = {
        _name(each): {
            "Organisation": ", ".join(house_names(each)) or "–",
            **{cell.title: cell_text(cell) for cell in cells[each.slug]},
        }
        for each in comparisons
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "Szenario"
    return table


def cell_text(cell: Cell) -> str:
    """The text of a figure with its n where both say different things."""
    if cell.n is None or cell.value is None or cell.key in SELF_EVIDENT:
        return cell.text
    return f"{cell.text}; n = {cell.n}"


SELF_EVIDENT = frozenset({
    "readiness", "gates", "agreement", "n_cases", "n_raters", "n_organisations", "decision",
})  # fmt: skip
"""Figures that are counts themselves."""


def reasons_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """Figures of one scenario as rows, each with the sentences that explain it."""
    rows = [
        {"Kennzahl": cell.title, "Wert": cell_text(cell), "Einheit": cell.unit or "–",
         "Erläuterung": cell.why}
        for cell in cells
    ]  # fmt: skip
    return pd.DataFrame(rows).set_index("Kennzahl")


def show_scores(comparisons: Sequence[ScenarioComparison]) -> None:
    """Dots with intervals; shape and word say how the gates stand. The table above has the same."""
    dots = []
    for each in comparisons:
        score = each.candidate.score if each.candidate else None
        if score is not None and score.mean is not None:
            interval = score.interval
            role = WORDS[standing_of(each.gates)]
            dots.append(Dot(f"{each.title} ({role})", role, score.mean, interval.low,
                            interval.high, score.n))  # fmt: skip
    if not dots:
        st.info("Zu keinem dieser Szenarien gibt es schon einen Punktwert.")
        return
    st.caption(
        "Punkt: Punktwert des Kandidaten. Linie: Bereich, in dem das wahre Mittel mit 95 % "
        "Sicherheit liegt. In Klammern die Ausschlusskriterien: Kreis, alle erfüllt; Raute, noch "
        "welche offen; Kreuz, mindestens eines verfehlt, das kein Punktwert aufwiegt."
    )
    if len(dots) > MOST_DRAWN:
        st.caption(f"Gezeichnet sind die ersten {MOST_DRAWN} der Tabelle; bitte filtern.")
    dot_plot(dots[:MOST_DRAWN], title="Punktwert je Szenario mit 95-%-Intervall",
             axis="Punktwert (0–100)", limits=(0, 100))  # fmt: skip
    short = [(each, sentence) for each in comparisons if (sentence := more_cases(each))]
    if short:
        st.caption(
            f"Bei {count(len(short), 'Szenario', 'Szenarien')} ist der Punktwert noch ungenauer "
            "als ± 5 Punkte; wie viele Fälle fehlen, zielt auf Genauigkeit, nicht darauf, dass ein "
            "Unterschied sichtbar wird."
        )
        with st.expander("Wo fehlen noch Fälle?", icon=":material/add_chart:"):
            st.markdown("\n".join(f"- {plain(each.title)}: {sentence}" for each, sentence in short))


def show_beside(comparisons: Sequence[ScenarioComparison]) -> None:
    """Two to six scenarios as columns, figures as rows."""
    titles = {each.slug: _name(each) for each in comparisons}
    chosen = choose_some(
        "Zwei bis sechs Szenarien nebeneinander", "nebeneinander", titles, most=MOST_BESIDE
    )
    stale(["nebeneinander"])
    if len(chosen) == 1:
        st.caption("Bitte noch mindestens ein weiteres Szenario wählen.")
    if len(chosen) < 2:
        return
    by_slug = {each.slug: each for each in comparisons}
    picked = [by_slug[slug] for slug in chosen]
    cells = {each.slug: scenario_cells(each) for each in picked}
    show_table(figures_table(picked, cells).T.rename_axis("Kennzahl"))


def _name(comparison: ScenarioComparison) -> str:
    return comparison.title + (" (Demodaten)" if comparison.demo else "")
