"""Bewertungsrunde: how far it is, who rates, and its release; for the organisation."""

import pandas as pd
import streamlit as st

from reallabor.database import reading, transaction
from reallabor.german import count, day
from reallabor.people import Person, get_person
from reallabor.policies import may_open_round, require
from reallabor.rating.adjudicating import count_open_disputes
from reallabor.rating.drafting import all_evaluators
from reallabor.rating.membership import join_round, leave_round
from reallabor.rating.progress import RaterProgress, RoundProgress, round_progress
from reallabor.rating.rounds import cancel_round, release_round
from reallabor.ui import pages
from reallabor.ui.page import demo_badge, page, plain, say_after_rerun
from reallabor.ui.rounds import progress_bar
from reallabor.ui.tables import show_table


def state_of(rater: RaterProgress) -> str:
    """Only done or not: nobody is ranked, nobody's speed is shown."""
    if rater.left:
        return "ausgetragen"
    if not rater.total:
        return "nichts zugeteilt"
    return "fertig" if rater.finished else "offen"


def show_raters(round_: RoundProgress) -> None:
    """Who rates; joining and leaving."""
    st.header("Bewertende", anchor=False)
    rows = [
        {"Person": rater.name, "Organisation": rater.organisation or "–", "Stand": state_of(rater)}
        for rater in round_.raters
    ]
    show_table(pd.DataFrame(rows).set_index("Person"))
    if round_.short:
        st.warning(
            f"{count(round_.short, 'Ausgabe hat', 'Ausgaben haben')} weniger als {round_.overlap} "
            "Bewertende, weil niemand mehr dafür infrage kommt. Sie können weitere eintragen.",
            icon=":material/group:",
        )


def show_membership(round_: RoundProgress, me: Person) -> None:
    """Add somebody, or take somebody out."""
    with reading() as session:
        everybody = [person.name for person in all_evaluators(session)]
    active = [rater.name for rater in round_.raters if not rater.left and rater.total]
    left, right = st.columns(2, gap="large")
    with left:
        name = st.selectbox("Jemanden eintragen", [n for n in everybody if n not in active],
                            index=None, placeholder="Bitte wählen")  # fmt: skip
        st.caption("Bekommt Fälle, die noch niemand begonnen hat; bei den anderen wird es weniger.")
        if st.button("Eintragen", disabled=name is None):
            with transaction() as session:
                cases = join_round(
                    session, round_.round_id, person=get_person(session, name or ""), actor=me
                )
            say_after_rerun(
                f"{name} bewertet mit und hat {count(cases, 'Fall', 'Fälle')} bekommen."
                if cases
                else f"{name} ist eingetragen; es gab keinen Fall, der noch zu vergeben war."
            )
    with right:
        gone = st.selectbox("Jemanden austragen", active, index=None, placeholder="Bitte wählen")
        st.caption("Was schon bewertet ist, bleibt und zählt; das Übrige bekommen die anderen.")
        if st.button("Austragen", disabled=gone is None):
            with transaction() as session:
                short = leave_round(
                    session, round_.round_id, person=get_person(session, gone or ""), actor=me
                )
            rest = (
                f" Für {count(short, 'Ausgabe', 'Ausgaben')} ist niemand mehr da." if short else ""
            )
            say_after_rerun(f"{gone} ist ausgetragen.{rest}")


def show_invitation(round_: RoundProgress) -> None:
    """A text to send to those who rate."""
    st.header("Einladung", anchor=False)
    most = max((rater.total for rater in round_.raters), default=0)
    until = f" bis zum {day(round_.due_on)}" if round_.due_on else ""
    address = (st.context.url or "").split("?")[0].rsplit("/", 1)[0]
    st.caption("Zum Kopieren, etwa in eine E-Mail.")
    st.code(
        f"Guten Tag,\n\n"
        f"für das Anwendungsszenario „{round_.title}“ liegen Ausgaben zur Bewertung bereit. "
        f"Bitte bewerten Sie Ihren Anteil{until}; es sind höchstens {most} Ausgaben. Sie können "
        "jederzeit unterbrechen und auf jedem Gerät an derselben Stelle weitermachen. Von wem eine "
        "Ausgabe stammt, erfahren Sie erst nach der Freigabe; Ihr Name erscheint in keinem "
        "Ergebnis.\n\n"
        f"Ihre offenen Bewertungen: {address}/bewerten\n\n"
        "Vielen Dank!",
        language=None,
        wrap_lines=True,
    )


def show_disputes(round_: RoundProgress) -> None:
    """The way to the adjudication."""
    with reading() as session:
        disputes = count_open_disputes(session, round_.round_id)
    if disputes:
        st.info(
            f"{count(disputes, 'Urteil liegt', 'Urteile liegen')} weit auseinander und "
            "sollten vor der Freigabe geklärt werden.",
            icon=":material/balance:",
        )
    left, right = st.columns(2)
    with left:
        if disputes and st.button("Zur Klärung", type="primary"):
            st.switch_page(pages.ADJUDICATE, query_params={"runde": str(round_.round_id)})
    with right:
        if round_.done and st.button("Übereinstimmung ansehen"):
            st.switch_page(pages.AGREEMENT, query_params={"runde": str(round_.round_id)})


def show_release(round_: RoundProgress, me: Person) -> None:
    """Release, complete or not; a round in which nothing is rated can be taken back."""
    st.header("Freigabe", anchor=False)
    if round_.done == 0:
        st.caption("Freigeben lässt sich die Runde, sobald etwas bewertet ist.")
        if st.button("Runde verwerfen"):
            with transaction() as session:
                cancel_round(session, round_.round_id, actor=me)
            say_after_rerun("Die Runde ist verworfen; bewertet war noch nichts.", to=pages.START)
        return
    if round_.done < round_.total:
        missing = round_.total - round_.done
        st.caption(
            f"{count(missing, 'Bewertung fehlt', 'Bewertungen fehlen')} noch. Freigeben geht auch "
            "so; was fehlt, fehlt dann in n. Danach kann niemand mehr bewerten. Im Vergleich zählt "
            "immer die zuletzt freigegebene Runde."
        )
    sure = st.checkbox("Ja, die Ergebnisse sollen jetzt sichtbar werden.")
    if st.button("Freigeben", type="primary", disabled=not sure):
        with transaction() as session:
            release_round(session, round_.round_id, actor=me)
        say_after_rerun(
            f"„{plain(round_.title)}“ ist freigegeben. Die Ergebnisse stehen im Vergleich "
            "und gehen unter Pseudonym an MLflow.",
            to=pages.COMPARE, szenario=round_.slug,
        )  # fmt: skip


def show(round_: RoundProgress, me: Person) -> None:
    """Everything about one round."""
    st.subheader(f"{plain(round_.title)}, Runde {round_.number}", anchor=False)
    demo_badge(round_.demo)
    st.caption(f"Bewertungsraster: {plain(round_.rubric)}, {round_.overlap} Bewertungen je Ausgabe")
    progress_bar(round_)
    if round_.released_at:
        st.info("Diese Runde ist freigegeben.", icon=":material/check_circle:")
        st.page_link(pages.COMPARE, label="Zu den Ergebnissen", icon=":material/balance:",
                     query_params={"szenario": round_.slug})  # fmt: skip
        return
    show_disputes(round_)
    show_raters(round_)
    show_membership(round_, me)
    show_invitation(round_)
    show_release(round_, me)


with page("Bewertungsrunde") as me:
    require(may_open_round, me)
    wanted = st.query_params.get("runde", "")
    if wanted.isdigit():
        with reading() as session:
            found = round_progress(session, int(wanted))
        show(found, me)
    else:
        st.info("Bitte eine Runde auf der Startseite wählen.", icon=":material/home:")
    st.page_link(pages.START, label="Zur Startseite", icon=":material/home:")
