"""How a scenario moved from round to round."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from reallabor.database import reading
from reallabor.deciding.figures import figure_text
from reallabor.deciding.gates import WORDS, GateState
from reallabor.deciding.history import Step, history
from reallabor.german import UNKNOWN, date, number
from reallabor.ui.charts import Dot, dot_plot
from reallabor.ui.tables import show_table


def show_history(slug: str) -> None:
    """Nothing before the first release."""
    with reading() as session:
        steps = history(session, slug)
    if not steps:
        return
    st.subheader("Verlauf", anchor=False)
    if len(steps) == 1:
        st.caption("Bisher eine freigegebene Runde; mit der nächsten wird hier ein Verlauf daraus.")
    if not all(step.comparable for step in steps):
        st.warning(
            "Nicht alle Runden sind nach derselben Fassung des Bewertungsrasters bewertet. Ihre "
            "Punktwerte stehen nebeneinander, sind aber nicht vergleichbar; zusammengerechnet "
            "werden sie nie.",
            icon=":material/difference:",
        )
    dots = [
        Dot(f"Runde {step.number} ({step.rubric})", "Kandidat" if step.counts else "ohne KI",
            step.score.mean, step.score.interval.low, step.score.interval.high, step.score.n)
        for step in steps
        if step.score is not None and step.score.mean is not None
    ]  # fmt: skip
    if len(dots) > 1:
        dot_plot(dots, title="Punktwert des Kandidaten je Runde mit 95-%-Intervall",
                 axis="Punktwert (0–100)", limits=(0, 100))  # fmt: skip
    show_table(history_table(steps))


def history_table(steps: Sequence[Step]) -> pd.DataFrame:
    """Rounds as rows, the oldest first."""
    rows = [
        {
            "Runde": f"{step.number}" + (" (zählt)" if step.counts else ""),
            "Freigegeben": date(step.released_at),
            "Bewertungsraster": step.rubric + (", eingelesen" if step.imported else ""),
            "Mit der vorigen vergleichbar": _comparable(step, first=place == 0),
            "Kandidat": step.candidate or "–",
            "Punktwert": UNKNOWN if step.score is None else figure_text(
                step.score.mean, step.score.interval.low, step.score.interval.high
            ),
            "Fälle": number(step.n_cases, 0),
            "Bewertende": number(step.n_raters, 0),
            "Niedrigstes Alpha": number(step.lowest_alpha, 2),
            "Übereinstimmung reicht": f"{step.agreeing[0]} von {step.agreeing[1]} Kriterien",
            "Ausschlusskriterien des Rasters": _gates(step),
        }
        for place, step in enumerate(steps)
    ]  # fmt: skip
    return pd.DataFrame(rows).set_index("Runde")


def _comparable(step: Step, *, first: bool) -> str:
    if first:
        return "–"
    return "ja" if step.comparable else "nein, andere Fassung des Rasters"


def _gates(step: Step) -> str:
    counts = {
        state: sum(gate.state == state for gate in step.gates)
        for state in (GateState.MISSED, GateState.OPEN, GateState.PASSED)
    }
    return ", ".join(f"{n} {WORDS[state]}" for state, n in counts.items() if n) or "keine"
