"""The round of a scenario in short, with a way to its page; on the start and the scenario page."""

import streamlit as st

from reallabor.deciding.agenda import ScenarioSummary
from reallabor.german import count, date, day
from reallabor.people import Person
from reallabor.policies import may_release
from reallabor.rating.progress import RoundProgress
from reallabor.ui import pages
from reallabor.ui.page import demo_badge, plain


def open_button(scenario: ScenarioSummary) -> None:
    """The way to a new round."""
    label = "Bewertung planen" if scenario.unrated_runs else "Neue Bewertungsrunde planen"
    if st.button(
        label,
        key=f"open-{scenario.slug}",
        type="primary" if scenario.unrated_runs else "secondary",
    ):
        st.switch_page(pages.PLAN_ROUND, query_params={"szenario": scenario.slug})


def round_card(scenario: ScenarioSummary, person: Person) -> None:
    """Progress of the open round, and the way to its page for those who may release it."""
    round_ = scenario.open_round
    if round_ is None:
        return
    with st.container(border=True):
        st.subheader(plain(scenario.title), anchor=False)
        demo_badge(round_.demo)
        if scenario.stop:
            st.error(plain(scenario.stop), icon=":material/block:")
        progress_bar(round_)
        if not may_release(person):
            return
        finished = sum(rater.finished for rater in round_.raters)
        st.write(f"{finished} von {count(len(round_.raters), 'Person', 'Personen')} fertig.")
        ready = round_.total and round_.done == round_.total
        if st.button("Runde öffnen", key=f"round-{round_.round_id}",
                     type="primary" if ready else "secondary"):  # fmt: skip
            st.switch_page(pages.ROUND, query_params={"runde": str(round_.round_id)})


def progress_bar(round_: RoundProgress) -> None:
    """How much is rated, since when and until when."""
    until = f", bis {day(round_.due_on)}" if round_.due_on else ""
    st.progress(
        round_.done / max(1, round_.total),
        text=f"{round_.done} von {round_.total} Bewertungen, seit {date(round_.opened_at)}{until}",
    )
