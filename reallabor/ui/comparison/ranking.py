"""The ranking of the scenarios that the page shows, under weights that one chooses here."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from reallabor.comparison_scales import ComparisonScales, load_comparison_scales
from reallabor.database import reading
from reallabor.deciding.central_words import central_sentence, mean_weights
from reallabor.deciding.comparison import ScenarioComparison, compare
from reallabor.deciding.figures import agreement_cell
from reallabor.deciding.gates import WORDS, standing_of
from reallabor.deciding.kept_draws import drawn_for
from reallabor.deciding.measured import rankable, unstated
from reallabor.deciding.ranking import Measured, RankedScenario, Ranking, rank_drawn
from reallabor.deciding.readiness import Missing
from reallabor.deciding.tipping_words import telling_sentences, tipping_sentences
from reallabor.german import count, number, share, span
from reallabor.people import Person
from reallabor.ui import pages
from reallabor.ui.comparison.ranking_chart import MOST_DRAWN, RankDot, rank_plot
from reallabor.ui.comparison.weights import choose_weights
from reallabor.ui.page import plain, refusals
from reallabor.ui.tables import show_table

MOST_NAMED = 5
"""Scenarios in one sentence, or as links; the table has all."""
GATES = {
    "verfehlt": "Ausschlusskriterium verfehlt",
    "offen": "Ausschlusskriterien offen",
    "erfüllt": "Ausschlusskriterien erfüllt",
}


@dataclass(frozen=True)
class Entry:
    """What the ranking shows of a scenario."""

    slug: str
    title: str
    gates: str
    """A key of GATES."""
    stopped: bool
    agreement: str
    figures: dict[str, Measured | None] | None
    """None where nothing was measured yet."""

    @property
    def gate_word(self) -> str:
        """How its gates stand, where a heading says that it is about them."""
        return "gestoppt" if self.stopped else self.gates

    @property
    def gate_words(self) -> str:
        """The same by itself."""
        return "gestoppt wegen verbotener Praxis" if self.stopped else GATES[self.gates]


def show_ranking(comparisons: Sequence[ScenarioComparison], person: Person) -> None:
    """Weights, order and what would change it, of these scenarios."""
    st.header("Rangfolge unter gewählten Gewichten", anchor=False)
    _ranking(_entries(comparisons), person)


@st.fragment
def _ranking(entries: list[Entry], person: Person) -> None:
    """Drawn anew by itself when a weight moves; the whole page is where figures have changed."""
    with refusals():
        with reading() as session:
            now = {each.slug: each for each in compare(session)}
        if _entries([now[each.slug] for each in entries if each.slug in now]) != entries:
            st.rerun()
        scales = load_comparison_scales()
        known = {each.slug: each for each in entries if each.figures is not None}
        if not known:
            _say_nothing_measured(entries)
            return
        if len(known) == 1:
            (only,) = known.values()
            st.info(
                f"Nur zu „{plain(only.title)}“ liegen Ergebnisse vor; eine Rangfolge braucht "
                "mindestens zwei Szenarien.",
                icon=":material/format_list_numbered:",
            )
        else:
            st.write(
                "Gereiht wird nach der gewichteten Summe aus sechs Kriterien, jedes auf einer "
                "festen Skala von 0 bis 1. **Die Rangfolge ersetzt keine Prüfpunkte:** Ein "
                "verfehltes Ausschlusskriterium bleibt verfehlt, gleich auf welchem Rang. Die "
                "Übereinstimmung der Bewertenden steht daneben und wird nicht verrechnet."
            )
            weights = choose_weights(scales, person)
            figures = {slug: dict(each.figures or {}) for slug, each in known.items()}
            _show(rank_drawn(drawn_for(figures, scales), weights), known, scales)
        _say_left_out([each for each in entries if each.figures is None])
        _show_sources(scales)


def _entries(comparisons: Sequence[ScenarioComparison]) -> list[Entry]:
    figures = rankable(comparisons)
    return [
        Entry(
            slug=each.slug,
            title=each.title + (" (Demodaten)" if each.demo else ""),
            gates=WORDS[standing_of(each.gates)],
            stopped=each.stopped_at is not None,
            agreement=agreement_cell(each).text,
            figures=figures.get(each.slug),
        )
        for each in comparisons
    ]


def _show(ranking: Ranking, entries: dict[str, Entry], scales: ComparisonScales) -> None:
    titles = {slug: each.title for slug, each in entries.items()}
    _say_first(ranking, entries)
    if len(ranking.scenarios) > MOST_DRAWN:
        st.caption(f"Das Diagramm zeigt die ersten {MOST_DRAWN}, die Tabelle alle.")
    st.caption(
        "Punkt: Gesamtwert unter diesen Gewichten. Linie: 95 % der Werte, die nach den Messungen "
        "möglich sind. In einem Kasten steht, was nicht unterscheidbar ist. Kreis: "
        "Ausschlusskriterien erfüllt; Raute: noch welche offen; Kreuz: mindestens eines verfehlt."
    )
    rank_plot(
        [
            RankDot(titles[each.slug], entries[each.slug].gate_words, entries[each.slug].gates,
                    each.rank, each.total, each.low, each.high, each.group)
            for each in ranking.scenarios
        ],
        title="Rangfolge der Szenarien mit 95-%-Bereich",
    )  # fmt: skip
    with st.container(key="ranking-table"):
        show_table(ranking_table(ranking, entries, scales))
    st.caption(
        "„Auf Rang 1“ und „Unter den ersten drei“: in welchem Anteil aller plausiblen Gewichtungen "
        "das so ist, gleich wie die Regler stehen. „Läge vorn bei“: worin sich die Gewichtungen, "
        "unter denen ein Szenario vorn liegt, im Mittel am meisten von allen unterscheiden. Was "
        "fehlt oder keinen Bereich hat, ist über die ganze Skala des Kriteriums gezogen; das macht "
        "den Gesamtwert unsicherer und zieht ihn zur Mitte."
    )
    _link_unstated(unstated(ranking, titles, scales))
    st.markdown("**Was die Reihenfolge ändern würde**")
    _bullets(telling_sentences(ranking, scales, titles))
    with st.expander("Alle Gewichte, eines nach dem anderen", icon=":material/balance:"):
        _bullets(tipping_sentences(ranking, scales, titles))
        st.caption(
            "Jeweils ändert sich nur ein Gewicht; die anderen behalten ihr Verhältnis zueinander."
        )


def _link_unstated(points: Sequence[Missing]) -> None:
    """The way to where a missing estimate is added."""
    for point in points[:MOST_NAMED]:
        st.page_link(pages.at(point.page), label=plain(point.text), icon=":material/arrow_forward:",
                     query_params=point.query)  # fmt: skip
    if more := len(points[MOST_NAMED:]):
        st.caption(f"{count(more, 'weiteres Szenario', 'weitere Szenarien')} ohne diese Angaben; "
                   "welche, steht in der Tabelle.")  # fmt: skip


def _bullets(sentences: Sequence[str]) -> None:
    st.markdown("\n".join(f"- {plain(each)}" for each in sentences))


def _say_first(ranking: Ranking, entries: dict[str, Entry]) -> None:
    """Who is first, whether that means anything, and at what price."""
    first = [each for each in ranking.scenarios if each.rank == 1]
    others = [each for each in ranking.groups[0] if each.rank > 1]
    names = _named(first, entries)
    if len(first) == len(ranking.scenarios):
        sentence = "Alle haben denselben Gesamtwert; unter diesen Gewichten gibt es keine Ersten."
    elif len(ranking.groups) == 1:
        sentence = (
            f"Unter diesen Gewichten lassen sich die {len(ranking.scenarios)} Szenarien nicht "
            f"unterscheiden; den höchsten Gesamtwert {'hat' if len(first) == 1 else 'haben'} "
            f"{names}."
        )
    elif others:
        sentence = f"Vorn: {names}; davon nicht unterscheidbar: {_named(others, entries)}."
    else:
        sentence = f"Vorn: {names}."
    st.markdown(f"**{plain(sentence)}**")
    for each in first:
        entry = entries[each.slug]
        if entry.stopped or entry.gates == "verfehlt":
            st.warning(
                f"„{plain(entry.title)}“: {entry.gate_words}. Daran ändert der erste Rang nichts.",
                icon=":material/block:",
            )


def _named(scenarios: Sequence[RankedScenario], entries: dict[str, Entry]) -> str:
    named = [f"„{entries[each.slug].title}“" for each in scenarios[:MOST_NAMED]]
    if more := len(scenarios) - len(named):
        named.append(f"{number(more, 0)} weitere")
    return ", ".join(named)


def ranking_table(
    ranking: Ranking, entries: dict[str, Entry], scales: ComparisonScales
) -> pd.DataFrame:
    """Scenarios as rows, by rank."""
    mean = mean_weights(ranking)
    sizes = {members[0].group: len(members) for members in ranking.groups}
    rows = [
        {
            "Szenario": entries[each.slug].title,
            "Rang": number(each.rank, 0),
            "Ausschlusskriterien": entries[each.slug].gate_word,
            "Gesamtwert": f"{number(each.total, 2)} ({span(each.low, each.high, 2)})",
            "Gruppe": _group(each.group, sizes[each.group]),
            "Auf Rang 1": share(each.first_share),
            "Unter den ersten drei": share(each.first_three_share),
            "Läge vorn bei": central_sentence(each, mean, scales),
            "Übereinstimmung": entries[each.slug].agreement,
            "Über die ganze Skala gezogen": _missing(each, scales),
        }
        for each in ranking.scenarios
    ]
    return pd.DataFrame(rows).set_index("Szenario")


def _group(group: int, size: int) -> str:
    if size == 1:
        return number(group, 0)
    return f"{number(group, 0)} ({size} nicht unterscheidbar)"


def _missing(scenario: RankedScenario, scales: ComparisonScales) -> str:
    parts = []
    for word, keys in (("fehlt", scenario.missing), ("ohne Bereich", scenario.undetermined)):
        if keys:
            parts.append(f"{word}: {', '.join(scales.criterion(key).title for key in keys)}")
    return "; ".join(parts) or "–"


def _say_nothing_measured(entries: Sequence[Entry]) -> None:
    st.info(
        "Noch keines der gezeigten Szenarien hat Ergebnisse aus einer freigegebenen "
        "Bewertungsrunde oder einer Befragung; eine Rangfolge beruhte nur auf Schätzungen."
        if entries
        else "Zu dieser Auswahl gibt es kein Szenario, das sich reihen ließe.",
        icon=":material/format_list_numbered:",
    )


def _say_left_out(entries: Sequence[Entry]) -> None:
    if entries:
        named = ", ".join(f"„{each.title}“" for each in entries)
        st.caption(
            f"Nicht gereiht, weil noch nichts gemessen ist "
            f"({count(len(entries), 'Szenario', 'Szenarien')}): {plain(named)}."
        )


def _show_sources(scales: ComparisonScales) -> None:
    """Question, scale and source of every criterion."""
    rows = [
        {
            "Kriterium": each.title,
            "Frage": each.question,
            "Skala (0 bis 1)": f"{number(each.worst, 0)} bis {number(each.best, 0)} {each.unit}",
            "Vorgabe": f"{number(each.weight, 0)}\u00a0%",
            "Plausibel": f"{span(each.plausible.min, each.plausible.max, 0)}\u00a0%",
            "Woher?": each.source,
        }
        for each in scales.criteria
    ]
    with st.expander("Woher kommen Zahlen, Skalen und Gewichte?", icon=":material/help:"):
        show_table(pd.DataFrame(rows).set_index("Kriterium"))
        st.caption(plain(scales.note))
