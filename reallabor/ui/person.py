"""Who is at the screen. Until there is a login, a picker stands in, in demonstration mode only."""

from collections.abc import Sequence

import streamlit as st

from reallabor.database import reading
from reallabor.people import Person, list_people
from reallabor.settings import get_settings

_KEY = "person"
"""Name of the chosen person in the session and in the address."""
_PICKER = "person-picker"
_TASKS = {
    "pilot": "Zeichnet Durchläufe auf.",
    "evaluator": "Bewertet Ausgaben, ohne zu wissen, von welchem System sie sind.",
    "organiser": "Startet Bewertungen und gibt Ergebnisse frei.",
    "steering": "Vergleicht Szenarien und beschließt.",
    "data_protection": "Prüft Datenschutz und Grundrechte (DSB).",
    "staff_council": "Prüft für den Personalrat.",
    "security": "Prüft die Informationssicherheit (ISB).",
    "subject": "Steht für die Fachaufgabe ein (Fachseite).",
}


def choose_person() -> None:
    """The picker in the sidebar; without demonstration mode a sentence instead of any page."""
    if not get_settings().demo:
        st.title("KI-Reallabor")
        st.info(
            "Eine Anmeldung gibt es in dieser Version noch nicht. Zum Ausprobieren mit Demodaten "
            "bitte `make run` verwenden; die Befehlszeile (`reallabor --help`) geht auch so."
        )
        st.stop()
    with reading() as session:
        names = [person.name for person in list_people(session)]
    if not names:
        st.info("Noch keine Personen angelegt. `reallabor demo` legt Demopersonen an.")
        st.stop()
    wanted = st.query_params.get(_KEY)
    if _KEY not in st.session_state and wanted in names:
        st.session_state[_KEY] = wanted
    # Kept apart from the widget: Streamlit forgets a widget's value on the way to another page.
    st.session_state[_PICKER] = st.session_state.get(_KEY)
    with st.sidebar:
        chosen = st.selectbox(
            "Wer sind Sie?", names, index=None, key=_PICKER, placeholder="Bitte wählen",
            on_change=_picked,
            help="Ersatz für die Anmeldung, nur in der Demonstration.",
        )  # fmt: skip
        st.caption("Demonstration: alle Personen sind erfunden.")
    if chosen:
        st.query_params[_KEY] = chosen


def current_person() -> Person:
    """The chosen person; where nobody is chosen yet the page asks, and ends here."""
    with reading() as session:
        people = list_people(session)
    chosen = [person for person in people if person.name == st.session_state.get(_KEY)]
    if not chosen:
        _ask(people)
        st.stop()
    return chosen[0]


def _ask(people: Sequence[Person]) -> None:
    st.header("Wer sind Sie?", anchor=False)
    st.write(
        "Das ist eine Demonstration mit erfundenen Personen. Jede hat eine andere Aufgabe; "
        "wechseln können Sie jederzeit in der Seitenleiste."
    )
    columns = st.columns(3)
    for number, person in enumerate(people):
        with columns[number % 3], st.container(border=True, height="stretch"):
            st.button(person.name, key=f"person-{person.id}", on_click=_choose, args=(person.name,))
            st.caption(" ".join(_TASKS[role] for role in person.roles if role in _TASKS))


def _picked() -> None:
    st.session_state[_KEY] = st.session_state[_PICKER]


def _choose(name: str) -> None:
    st.session_state[_KEY] = name
