"""Starting and releasing a round; on the start and the scenario page."""

import streamlit as st

from reallabor.database import transaction
from reallabor.deciding.agenda import ScenarioSummary
from reallabor.german import date
from reallabor.people import Person
from reallabor.policies import may_release
from reallabor.rating.rounds import cancel_round, open_round, release_round
from reallabor.ui.page import demo_badge, plain, say_after_rerun


def open_button(scenario: ScenarioSummary, person: Person) -> None:
    """Starts the evaluation of the newest runs."""
    label = "Bewertung starten" if scenario.unrated_runs else "Neue Bewertungsrunde starten"
    if st.button(
        label,
        key=f"open-{scenario.slug}",
        type="primary" if scenario.unrated_runs else "secondary",
    ):
        with transaction() as session:
            open_round(session, scenario.slug, actor=person)
        say_after_rerun(
            f"Die Bewertung von „{plain(scenario.title)}“ läuft. Die Bewertenden sehen ihre "
            "Ausgaben jetzt auf ihrer Startseite."
        )


def release_panel(scenario: ScenarioSummary, person: Person) -> None:
    """Progress of the open round, per person only done or not; release for those who may."""
    round_ = scenario.open_round
    if round_ is None:
        return
    with st.container(border=True):
        st.subheader(plain(scenario.title), anchor=False)
        demo_badge(round_.demo)
        st.progress(
            round_.done / max(1, round_.total),
            text=f"{round_.done} von {round_.total} Bewertungen, seit {date(round_.opened_at)}",
        )
        if not may_release(person):
            return
        finished = [name for name, done in round_.raters.items() if done]
        waiting = [name for name, done in round_.raters.items() if not done]
        st.markdown(f"**Fertig:** {plain(', '.join(finished)) or 'noch niemand'}")
        st.markdown(f"**Offen:** {plain(', '.join(waiting)) or 'niemand mehr'}")
        if round_.done == 0:
            st.caption("Freigeben lässt sich die Runde, sobald etwas bewertet ist.")
            if st.button("Runde verwerfen", key=f"cancel-{round_.round_id}"):
                with transaction() as session:
                    cancel_round(session, round_.round_id, actor=person)
                say_after_rerun("Die Runde ist verworfen; bewertet war noch nichts.")
            return
        if round_.done < round_.total:
            st.caption(
                "Freigeben geht auch unvollständig; was fehlt, fehlt dann in n. Danach kann "
                "niemand mehr bewerten. Im Vergleich zählt immer die zuletzt freigegebene Runde."
            )
        sure = st.checkbox("Ja, die Ergebnisse sollen jetzt sichtbar werden.",
                           key=f"sure-{round_.round_id}")  # fmt: skip
        if st.button("Freigeben", key=f"release-{round_.round_id}", type="primary",
                     disabled=not sure):  # fmt: skip
            with transaction() as session:
                release_round(session, round_.round_id, actor=person)
            say_after_rerun(
                f"„{plain(scenario.title)}“ ist freigegeben. Die Ergebnisse stehen im Vergleich "
                "und gehen unter Pseudonym an MLflow."
            )
