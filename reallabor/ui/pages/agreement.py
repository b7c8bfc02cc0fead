"""Übereinstimmung: how far the raters of a round agree, what they confuse, and on which cases."""

import pandas as pd
import streamlit as st

from reallabor.database import reading
from reallabor.deciding.agenda import runs_are_hidden
from reallabor.german import count, number, share, span
from reallabor.people import Person
from reallabor.policies import may_adjudicate, may_edit_rubrics
from reallabor.rating.adjudicating import count_open_disputes
from reallabor.rating.agreement import alpha_words
from reallabor.rating.calibration import GoldFigure, gold_agreement
from reallabor.rating.disagreement import (
    CriterionAgreement,
    RoundAgreement,
    agreement_of,
    outputs_of_case,
)
from reallabor.rating.judge_results import judge_result
from reallabor.ui import pages
from reallabor.ui.heat_map import heat_map
from reallabor.ui.judges import judge_panel
from reallabor.ui.page import asked_number, demo_badge, page, plain
from reallabor.ui.tables import show_table

MOST_CASES = 30
"""Cases in the table; agreement on the rest is better."""


def show_criteria(criteria: list[CriterionAgreement]) -> None:
    """All criteria with their figures, and why some cannot be determined."""
    st.header("Kriterien", anchor=False)
    st.caption(
        f"{alpha_words()} In Klammern steht der Bereich, in dem der wahre Wert mit 95 % Sicherheit "
        "liegt. Drängen sich die Bewertungen an einem Ende der Skala, sagt Alpha wenig; dann zählt "
        "AC2. Gezählt sind die Stufen, wie sie vergeben wurden, nie die geklärten."
    )
    rows = [
        {
            "Kriterium": each.title,
            "Urteil": each.figures.verdict,
            "Alpha": alpha_cell(each),
            "AC2": number(each.figures.ac2.value, 2),
            "Gleiche Stufe": share(each.figures.raw_agreement.value),
            "Höchstens eine Stufe auseinander": share(each.figures.near_share),
            "Mehrfach bewertete Ausgaben": number(each.figures.alpha["ordinal"].units, 0),
        }
        for each in criteria
    ]
    show_table(pd.DataFrame(rows).set_index("Kriterium"))
    for each in criteria:
        reason = each.figures.alpha["ordinal"].reason or each.figures.alpha_interval.reason
        if reason:
            st.caption(f"{plain(each.title)}: {plain(reason)}")


def show_gold(criteria: list[CriterionAgreement], figures: dict[str, GoldFigure]) -> None:
    """How near all raters together were to the reference on the gold cases of the round."""
    rows = [
        {
            "Kriterium": each.title,
            "Nahe am Vorbild": share(figure.share),
            "Urteile": number(figure.n, 0),
            "Schon bekannt": number(figure.known, 0),
        }
        for each in criteria
        if (figure := figures.get(each.key)) and figure.n + figure.known
    ]
    if not rows:
        return
    st.header("Kalibrierfälle", anchor=False)
    st.caption(
        "Unter den Ausgaben waren Fälle mit einer Stufe als Vorbild. Gezeigt ist der Anteil der "
        "Urteile aller zusammen, die nahe genug daran lagen; erst ab drei Bewertenden, und ohne "
        "Fälle, deren Erklärung jemand schon aus dem Lernen kannte. Sie zählen in keinem Ergebnis."
    )
    show_table(pd.DataFrame(rows).set_index("Kriterium"))


def least_agreed(criterion: CriterionAgreement) -> float:
    """For sorting: alpha, and after all known ones what cannot be determined."""
    value = criterion.figures.alpha["ordinal"].value
    return 2.0 if value is None else value


def alpha_cell(criterion: CriterionAgreement) -> str:
    """Alpha with its interval."""
    ends = criterion.figures.alpha_interval
    value = number(criterion.figures.alpha["ordinal"].value, 2)
    return value if ends.low is None else f"{value} ({span(ends.low, ends.high, 2)})"


def show_confusion(found: RoundAgreement, person: Person) -> None:
    """Which levels of a criterion are confused: a map, the same as a table, and in words."""
    drawn = {each.key: each for each in found.criteria if each.levels}
    if not drawn:
        return
    st.header("Was verwechselt wird", anchor=False)
    worst = min(drawn.values(), key=least_agreed)
    chosen = st.selectbox(
        "Kriterium", list(drawn), format_func=lambda key: drawn[key].title,
        index=list(drawn).index(worst.key), placeholder="Bitte wählen",
    )  # fmt: skip
    criterion = drawn[chosen]
    levels = criterion.levels or []
    left, right = st.columns(2)
    with left:
        heat_map(levels, criterion.pairs, title=f"Stufenpaare bei {criterion.title}")
    with right:
        st.caption("Wie oft zwei Personen bei derselben Ausgabe diese beiden Stufen vergaben.")
        names = [f"Stufe {level:g}" for level in levels]
        table = pd.DataFrame(criterion.pairs, index=names, columns=names)
        table.index.name = "Stufe"
        show_table(table.map(lambda n: number(n, 0)))
    show_anchors(criterion)
    if found.rubric_key and may_edit_rubrics(person):
        st.page_link(
            pages.NEW_RUBRIC_VERSION, label="Ankertexte neu fassen", icon=":material/edit_note:",
            query_params={"raster": found.rubric_key, "kriterium": criterion.key,
                          "runde": str(found.round_id)},
        )  # fmt: skip


def show_anchors(criterion: CriterionAgreement) -> None:
    """The pair that is confused most, in words."""
    confused = criterion.confused
    if confused is None:
        st.write("Bei diesem Kriterium hat niemand verschieden entschieden.")
        return
    low, high = (
        f"Stufe {level} „{plain(text)}“" if text else f"Stufe {level}"
        for level, text in (
            (confused.low, confused.low_anchor),
            (confused.high, confused.high_anchor),
        )
    )
    st.write(
        f"Zwischen {low} und {high} wird am häufigsten verschieden entschieden: "
        f"{confused.pairs} von {count(confused.all_pairs, 'Paar', 'Paaren')}."
    )


def show_cases(found: RoundAgreement, *, blind: bool) -> None:
    """Cases, most disputed first, and the way to their outputs once that is no secret."""
    if not found.cases:
        return
    st.header("Fälle, strittigste zuerst", anchor=False)
    rows = [
        {
            "Fall": each.case,
            "Größter Abstand in Stufen": number(each.largest, 0),
            "Mittlerer Abstand": number(each.mean, 2),
            "Am strittigsten": each.criterion,
            "Ausgaben": number(each.outputs, 0),
        }
        for each in found.cases[:MOST_CASES]
    ]
    show_table(pd.DataFrame(rows).set_index("Fall"))
    if len(found.cases) > MOST_CASES:
        st.caption(f"… und {count(len(found.cases) - MOST_CASES, 'weiterer', 'weitere')}.")
    if not found.released:
        st.caption("Die Ausgaben stehen nach der Freigabe hier; ihr Ort nennt das System.")
        return
    if blind:
        return
    case = st.selectbox("Ausgaben zu Fall", [each.case for each in found.cases],
                        placeholder="Bitte wählen")  # fmt: skip
    with reading() as session:
        outputs = outputs_of_case(session, found.round_id, case)
    for output in outputs:
        st.page_link(
            pages.RUN, label=plain(output.name), icon=":material/article:",
            query_params={"durchlauf": str(output.run_id), "fall": case},
        )  # fmt: skip


def show(found: RoundAgreement, person: Person, *, disputes: int, blind: bool) -> None:
    """The whole page."""
    st.header(plain(found.scenario), anchor=False)
    demo_badge(found.demo)
    st.write(f"Runde {found.number}, Bewertungsraster {plain(found.rubric)}.")
    if not found.released:
        st.info(
            "Die Runde läuft noch. Dieser vorläufige Stand ist nur für die Organisation.",
            icon=":material/hourglass_top:",
        )
        if disputes and may_adjudicate(person):
            st.page_link(
                pages.ADJUDICATE, icon=":material/gavel:",
                label=f"{count(disputes, 'strittiges Urteil', 'strittige Urteile')} klären",
                query_params={"runde": str(found.round_id)},
            )  # fmt: skip
    show_criteria(found.criteria)
    show_confusion(found, person)
    show_cases(found, blind=blind)


with page("Übereinstimmung") as me:
    asked = asked_number("runde")
    if asked is None:
        st.info("Welche Runde? Zur Übereinstimmung führt der Vergleich der Szenarien.")
        st.page_link(pages.COMPARE, label="Zum Vergleich der Szenarien", icon=":material/balance:")
    else:
        with reading() as session:
            agreement = agreement_of(session, asked, actor=me)
            open_disputes = 0 if agreement.released else count_open_disputes(session, asked)
            hidden = runs_are_hidden(session, agreement.slug, me)
            judges = judge_result(session, asked) if agreement.released and not hidden else []
            gold = gold_agreement(session, asked) if agreement.released else {}
        show(agreement, me, disputes=open_disputes, blind=hidden)
        show_gold(agreement.criteria, gold)
        judge_panel(judges)
