"""Inside a scenario: two variants on the cases that they share, where one wins and loses, and in
which houses."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from reallabor.database import reading
from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.figures import figure_text
from reallabor.deciding.variants import Advantage, Pair, VariantComparison, compare_variants
from reallabor.german import UNKNOWN, number, share, span
from reallabor.people import Person
from reallabor.ui.address import choose_one, stale
from reallabor.ui.charts import Dot, dot_plot
from reallabor.ui.comparison.case import choose_case
from reallabor.ui.page import plain
from reallabor.ui.tables import show_table


def show_variants_compared(comparison: ScenarioComparison, person: Person, *, blind: bool) -> None:
    """All pairs in one table, one of them in detail, and down to the case."""
    with reading() as session:
        compared = compare_variants(session, comparison.slug)
    if compared is None:
        return
    if compared.pairs:
        st.subheader("Varianten im Vergleich", anchor=False)
        st.caption(
            "Nur Fälle, zu denen beide Varianten auf allen Kriterien bewertet sind. Unterschied: "
            "Mittel der Punktwerte der ersten minus der zweiten, mit 95-%-Intervall. Besser in: "
            "Anteil der Fälle, in denen die erste besser ist, Gleichstände halb gezählt. p nach "
            "Holm: über alle Paare berichtigt."
        )
        show_table(pairs_table(compared))
        show_pair(compared)
    show_cases(compared, comparison, person, blind=blind)


def pairs_table(compared: VariantComparison) -> pd.DataFrame:
    """Every pair of variants in one row."""
    rows = [
        {
            "Paar": _pair_name(compared, pair),
            **_figures(pair.all_cases),
            "p nach Holm": _p(pair.all_cases.difference.p_adjusted),
            "In Worten": in_words(compared, pair),
        }
        for pair in compared.pairs
    ]
    return pd.DataFrame(rows).set_index("Paar")


def show_pair(compared: VariantComparison) -> None:
    """The chosen pair by case group and by house."""
    options = {f"{pair.first}~{pair.second}": _pair_name(compared, pair)
               for pair in _baseline_first(compared)}  # fmt: skip
    wanted = choose_one("Paar im Einzelnen", "paar", options, always=True)
    stale(["paar"])
    first, _, second = wanted.partition("~")
    pair = compared.pair(first, second)
    if pair is None:
        return
    titles = compared.titles[first], compared.titles[second]
    st.markdown(f"**Wo „{plain(titles[0])}“ gewinnt und verliert**")
    st.caption(
        "Nach Fallgruppen ohne Berichtigung für die Zahl der Gruppen: Hinweise, wo es sich lohnt "
        "hinzusehen, keine Belege."
    )
    show_groups([*pair.by_edge, *pair.by_topic], f"Unterschied je Fallgruppe: {titles[0]} minus "
                f"{titles[1]}", "Fallgruppe")  # fmt: skip
    if pair.by_house:
        st.markdown("**Trägt es in allen Häusern?**")
        show_groups(pair.by_house, f"Unterschied je Haus: {titles[0]} minus {titles[1]}", "Haus")


def show_groups(groups: Sequence[Advantage], title: str, head: str) -> None:
    """Differences as dots with their table."""
    dots = [
        Dot(_group_name(each), _role(each), each.difference.mean, each.difference.interval.low,
            each.difference.interval.high, each.difference.cases)
        for each in groups
        if each.difference.mean is not None
    ]  # fmt: skip
    if dots:
        ends = [
            abs(end) for dot in dots for end in (dot.mean, dot.low, dot.high) if end is not None
        ]
        most = max(10.0, 1.15 * max(ends))
        dot_plot(dots, title=title, axis="Punkte; rechts von 0 ist die erste Variante besser",
                 limits=(-most, most))  # fmt: skip
    rows = [{head: _group_name(each), **_figures(each)} for each in groups]
    show_table(pd.DataFrame(rows).set_index(head))


def in_words(compared: VariantComparison, pair: Pair) -> str:
    """What the pair comes to, for people who read no p."""
    difference = pair.all_cases.difference
    if difference.interval.reason:
        return difference.interval.reason
    if difference.p_adjusted is None or difference.p_adjusted >= 0.05:
        return "nicht unterscheidbar"
    better = pair.first if (difference.mean or 0) > 0 else pair.second
    return f"{compared.titles[better]} ist besser"


def show_cases(
    compared: VariantComparison, comparison: ScenarioComparison, person: Person, *, blind: bool
) -> None:
    """All cases with their scores, and one of them in full."""
    if not compared.cases:
        return
    st.subheader("Bis zum einzelnen Fall", anchor=False)
    with st.expander("Punktwerte aller Fälle", icon=":material/table_rows:"):
        show_table(cases_table(compared))
    if blind:
        st.caption("Einzelne Fälle sehen Sie erst, wenn Sie hier nichts mehr zu bewerten haben.")
        return
    choose_case([each.case for each in compared.cases], comparison, person)


def cases_table(compared: VariantComparison) -> pd.DataFrame:
    """Cases as rows, variants as columns."""
    rows = [
        {
            "Fall": each.case,
            "Thema": each.topic or "–",
            "Grenzfall": "ja" if each.edge else "",
            **{
                title: number(each.scores[key]) if key in each.scores else "nicht bewertet"
                for key, title in compared.titles.items()
            },
        }
        for each in compared.cases
    ]
    return pd.DataFrame(rows).set_index("Fall")


def _figures(advantage: Advantage) -> dict[str, str]:
    difference, superior = advantage.difference, advantage.superiority
    low, high = difference.interval.low, difference.interval.high
    ends = superior.interval.low, superior.interval.high
    interval = "" if None in ends else f" ({span(100 * ends[0], 100 * ends[1], 0)} %)"  # type: ignore[operator]
    return {
        "Unterschied in Punkten": figure_text(difference.mean, low, high),
        "Besser in": UNKNOWN if superior.share is None else f"{share(superior.share)}{interval}",
        "Gemeinsame Fälle": number(difference.cases, 0),
    }


def _baseline_first(compared: VariantComparison) -> list[Pair]:
    return sorted(compared.pairs, key=lambda pair: pair.second != compared.baseline)


def _pair_name(compared: VariantComparison, pair: Pair) -> str:
    second = compared.titles[pair.second]
    if pair.second == compared.baseline:
        second += " (ohne KI)"
    return f"{compared.titles[pair.first]} gegen {second}"


def _group_name(advantage: Advantage) -> str:
    return f"{advantage.name} (ausgeschieden)" if advantage.left_on else advantage.name


def _role(advantage: Advantage) -> str:
    """Whether a group's interval lies on one side of 0."""
    low, high = advantage.difference.interval.low, advantage.difference.interval.high
    if low is None or high is None or low <= 0 <= high:
        return "ohne KI"
    return "Kandidat" if low > 0 else "weitere Variante"


def _p(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return "< 0,001" if value < 0.001 else number(value, 3)
