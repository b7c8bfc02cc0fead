"""Bewertung planen: what a round would ask of whom, shown before anybody is asked."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

import pandas as pd
import streamlit as st

from reallabor.database import reading, transaction
from reallabor.errors import ReallaborError
from reallabor.german import count, date, number, today
from reallabor.people import Person, organisation_of
from reallabor.policies import may_open_round, require
from reallabor.rating.calibration import list_gold_cases
from reallabor.rating.drafting import (
    MOST_OVERLAP,
    OVERLAP,
    RoundChoice,
    all_evaluators,
    newest_runs,
    rubric_versions,
)
from reallabor.rating.planning import RoundPlan, plan_round
from reallabor.rating.rounds import open_round
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.runs import RunSummary, list_runs
from reallabor.ui import pages
from reallabor.ui.page import demo_badge, page, plain, say_after_rerun
from reallabor.ui.tables import show_table

DUE = timedelta(days=14)
"""How long people get where nothing else is chosen."""
GOLD = 3
"""Gold cases among the outputs where nothing else is chosen."""


def choose_runs(runs: Sequence[RunSummary], usual: Sequence[int]) -> list[int]:
    """What is rated; the newest of each variant unless something else is picked."""
    by_id = {run.run_id: run for run in runs if run.n_outputs > run.n_failed}
    return st.multiselect(
        "Durchläufe",
        list(by_id),
        default=[key for key in usual if key in by_id],
        format_func=lambda key: _run_label(by_id[key]),
        placeholder="Bitte wählen",
        help="Vorgeschlagen ist der neueste Durchlauf jeder Variante und Organisation.",
    )


def _run_label(run: RunSummary) -> str:
    house = f", {run.organisation}" if run.organisation else ""
    return f"{run.variant}{house}, {date(run.finished_at)}"


def choose_evaluators(people: Sequence[tuple[Person, str]]) -> list[Person]:
    """Who rates, an organisation each; everybody unless somebody is taken out."""
    st.subheader("Bewertende", anchor=False)
    houses: dict[str, list[Person]] = {}
    for person, house in people:
        houses.setdefault(house or "Ohne Organisation", []).append(person)
    chosen: list[Person] = []
    for house, members in sorted(houses.items()):
        names = {person.name: person for person in members}
        picked = st.multiselect(house, list(names), default=list(names), key=f"people-{house}",
                                placeholder="Niemand")  # fmt: skip
        chosen += [names[name] for name in picked]
    return chosen


def choose_calibration(rubric_id: int) -> tuple[int, bool]:
    """How many gold cases, and whether only calibrated people rate."""
    with reading() as session:
        most = len(list_gold_cases(session, rubric_id))
    if not most:
        st.caption("Zu diesem Bewertungsraster gibt es keine Kalibrierfälle.")
        return 0, False
    gold = st.slider(
        "Kalibrierfälle untermischen", 0, most, min(GOLD, most),
        help="Sie sehen aus wie jede andere Ausgabe und zählen in keinem Ergebnis.",
    )  # fmt: skip
    return gold, st.checkbox("Nur wer für dieses Raster kalibriert ist, bewertet mit.")


def show_plan(plan: RoundPlan) -> None:
    """The figures first, then each person's share."""
    st.header("Das käme dabei heraus", anchor=False)
    hours = number(plan.hours, 0 if plan.hours >= 10 else 1)
    precision = f"± {number(plan.half_width, 0)} Punkte" if plan.half_width else "nicht bestimmbar"
    columns = st.columns(4)
    columns[0].metric("Fälle", plan.cases)
    columns[1].metric(
        "Bewertungen",
        plan.ratings,
        help=f"{plan.outputs} Ausgaben, jede von {plan.overlap} Personen",
    )
    columns[2].metric("Zeit aller zusammen", f"{hours} Stunden")
    columns[3].metric("Erwartete Genauigkeit", precision)
    source = (
        f"wie in Runde {plan.spread_round} gesehen"
        if plan.spread_round
        else "angenommen, weil noch nichts bewertet ist"
    )
    st.caption(
        "Die Zeit ist aus der Länge der Texte geschätzt (920 Zeichen je Minute, 12 Sekunden je "
        "Kriterium). Die Genauigkeit ist die halbe Breite des Bereichs, in dem der Punktwert einer "
        f"Variante mit 95 % Sicherheit läge, bei einer Streuung von {number(plan.spread, 0)} "
        f"Punkten ({source})."
    )
    for text, number_ in (
        ("Fehlgeschlagene Ausgaben werden nicht bewertet", plan.failed),
        ("Ausgaben in Quarantäne werden nicht bewertet", plan.quarantined),
    ):
        if number_:
            st.caption(f"{text}: {number_}.")
    rows = [
        {
            "Person": rater.name,
            "Organisation": rater.organisation or "–",
            "Fälle": number(rater.cases, 0),
            "Ausgaben": number(rater.outputs, 0),
            "Zeit etwa": duration(rater.minutes) if rater.outputs else "–",
        }
        for rater in plan.raters
    ]
    show_table(pd.DataFrame(rows).set_index("Person"))
    idle = [rater.name for rater in plan.raters if not rater.outputs]
    if idle:
        st.caption(
            f"Nichts zu bewerten bekommen: {plain(', '.join(idle))}. Niemand bewertet Ausgaben "
            "der eigenen Organisation."
        )


def duration(minutes: float) -> str:
    """`45 Minuten`, `2,5 Stunden`."""
    return f"{number(minutes, 0)} Minuten" if minutes < 90 else f"{number(minutes / 60, 1)} Stunden"


def show_mentions(plan: RoundPlan) -> bool:
    """Whether the round may be opened: outputs that name their system need a second look."""
    if not plan.mentions:
        return True
    st.warning(
        "Manche Ausgaben nennen selbst, woher sie kommen. Wer das liest, bewertet nicht mehr "
        "unvoreingenommen. Am besten den Durchlauf ohne diese Namen neu aufzeichnen.",
        icon=":material/visibility:",
    )
    rows = [
        {
            "Name": mention.word,
            "Steht in": count(mention.outputs, "Ausgabe", "Ausgaben"),
            "Varianten": ", ".join(mention.variants),
        }
        for mention in plan.mentions
    ]
    show_table(pd.DataFrame(rows).set_index("Name"))
    return st.checkbox("Ich habe das gesehen; die Runde soll trotzdem beginnen.")


def show(slug: str, me: Person) -> None:
    """The choices, what they lead to, and the beginning."""
    with reading() as session:
        scenario = get_scenario(session, slug)
        runs = list_runs(session, slug)
        usual = [run.id or 0 for run in newest_runs(session, scenario)]
        people = [(person, organisation_of(session, person)) for person in all_evaluators(session)]
        versions = rubric_versions(session, scenario)
    st.subheader(plain(scenario.title), anchor=False)
    demo_badge(all(run.demo for run in runs) and bool(runs))
    chosen_runs = choose_runs(runs, usual)
    left, right = st.columns(2, gap="large")
    with left:
        rubric = st.selectbox("Bewertungsraster", list(versions), format_func=versions.__getitem__,
                              index=list(versions).index(scenario.rubric_id or 0))  # fmt: skip
        overlap = st.slider(
            "Bewertungen je Ausgabe", 1, MOST_OVERLAP, OVERLAP,
            help="Ab zwei lässt sich sagen, wie einig sich die Menschen sind.",
        )  # fmt: skip
    with right:
        due = st.date_input("Bis wann?", today() + DUE, min_value=today(), format="DD.MM.YYYY")
        gold, calibrated = choose_calibration(rubric)
    evaluators = choose_evaluators(people)
    seed = st.session_state.setdefault(f"seed-{slug}", secrets.randbits(31))
    choice = RoundChoice(
        runs=chosen_runs, rubric_id=rubric, overlap=overlap, evaluators=evaluators,
        due_on=due, gold_cases=gold, requires_calibration=calibrated, seed=seed,
    )  # fmt: skip
    try:
        with reading() as session:
            plan = plan_round(session, slug, choice)
    except ReallaborError as refusal:
        st.warning(plain(str(refusal)), icon=":material/info:")
        return
    show_plan(plan)
    sure = show_mentions(plan)
    if st.button("Bewertungsrunde beginnen", type="primary", disabled=not sure):
        with transaction() as session:
            round_ = open_round(session, slug, actor=me, choice=choice)
            key = str(round_.id)
        del st.session_state[f"seed-{slug}"]
        say_after_rerun(
            f"Die Bewertung von „{plain(scenario.title)}“ läuft. Die Bewertenden sehen ihre "
            "Ausgaben jetzt auf ihrer Startseite.",
            to=pages.ROUND, runde=key,
        )  # fmt: skip


with page("Bewertung planen") as me:
    require(may_open_round, me)
    if slug := st.query_params.get("szenario"):
        show(slug, me)
    else:
        st.info("Bitte zuerst ein Szenario wählen.", icon=":material/folder_open:")
    st.page_link(pages.SCENARIOS, label="Zu den Szenarien", icon=":material/folder_open:")
