"""What the counting round of a scenario says: scores of all variants, criteria, measures,
agreement, gates and readiness."""

import streamlit as st

from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.figures import house_names, more_cases
from reallabor.german import count, number
from reallabor.rating.agreement import alpha_words
from reallabor.rating.results import RoundResult
from reallabor.recording.runs import measure_titles
from reallabor.ui import pages
from reallabor.ui.charts import Dot, dot_plot, role_of
from reallabor.ui.page import plain
from reallabor.ui.tables import (
    agreement_table,
    criteria_table,
    gate_table,
    metrics_table,
    show_table,
    strata_table,
    variant_name,
    variant_table,
)


def show_result(comparison: ScenarioComparison) -> None:
    """Everything that the round says, from n to criteria."""
    if comparison.stopped_at:
        st.error(f"{plain(comparison.readiness.missing[0])}.", icon=":material/block:")
    result = comparison.result
    if result is None:
        st.info("Noch keine Ergebnisse: Zu diesem Szenario wurde noch keine Bewertung freigegeben.")
        return
    st.write(
        f"Runde {result.number} mit {count(result.n_cases, 'Fall', 'Fällen')}, "
        f"{count(result.n_raters, 'bewertender Person', 'Bewertenden')}, "
        f"{count(result.n_ratings, 'Bewertung', 'Bewertungen')}; "
        f"Bewertungsraster {result.rubric}."
    )
    if names := house_names(comparison):
        st.write(f"Beteiligt: {plain(', '.join(names))}.")
    if result.rated < result.assigned:
        st.warning(
            f"Vorzeitig freigegeben: {result.rated} von {result.assigned} zugeteilten "
            "Ausgaben sind bewertet.",
            icon=":material/hourglass_bottom:",
        )
    show_adjudicated(result)
    if comparison.newer_unrated:
        st.info(
            "Neuer als diese Runde und noch nicht bewertet: "
            f"{plain(', '.join(comparison.newer_unrated))}. Die Ergebnisse hier gelten für die "
            "bewerteten Durchläufe.",
            icon=":material/update:",
        )
    show_variants(result)
    if more := more_cases(comparison):
        st.write(plain(more))
    show_metrics(comparison)


def show_variants(result: RoundResult) -> None:
    """Scores of all variants: chart, table, criteria."""
    dots = [
        Dot(variant_name(variant), role_of(baseline=variant.baseline, candidate=variant.candidate),
            variant.score.mean,
            variant.score.interval.low, variant.score.interval.high, variant.score.n)
        for variant in result.variants
        if variant.score.mean is not None
    ]  # fmt: skip
    if dots:
        st.caption(
            "Punkt: Mittel über alle Fälle auf der Skala 0 bis 100. Linie: Bereich, in dem das "
            "wahre Mittel mit 95 % Sicherheit liegt; überlappen sich zwei Linien stark, ist der "
            "Unterschied nicht belegt."
        )
        dot_plot(dots, title="Punktwert je Variante mit 95-%-Intervall", axis="Punktwert (0–100)",
                 limits=(0, 100))  # fmt: skip
    elif result.variants:
        st.info(result.variants[0].score.interval.reason)
    show_table(variant_table(result))
    st.subheader("Kriterien", anchor=False)
    low, high = result.scale
    st.caption(
        f"Mittel der Fallmittel auf der Skala {low:g} bis {high:g}, in Klammern 95-%-Intervall und "
        "Zahl der Fälle."
    )
    show_table(criteria_table(result))


def show_adjudicated(result: RoundResult) -> None:
    """How many judgements were adjudicated, and the scores without that."""
    if not result.n_adjudicated:
        return
    scores = "; ".join(
        f"{plain(variant_name(variant))} {number(variant.score_original.mean)}"
        for variant in result.variants
        if variant.n_adjudicated
    )
    st.write(
        f"{count(result.n_adjudicated, 'strittiges Urteil', 'strittige Urteile')} geklärt; "
        f"Punktwert und Ausschlusskriterien zählen die Klärung. Punktwert ohne Klärung: {scores}."
    )


def show_metrics(comparison: ScenarioComparison) -> None:
    """The measures of the runs, and the results per organisation where there are several."""
    result = comparison.result
    assert result is not None
    measures = measure_titles(comparison.content)
    if measures and any(stratum.metrics for each in result.variants for stratum in each.strata):
        st.subheader("Kennzahlen", anchor=False)
        st.caption("Automatisch gezählt; sie fließen nicht in den Punktwert ein.")
        show_table(metrics_table(result, measures))
    if any(len(each.strata) > 1 for each in result.variants):
        st.subheader("Je Organisation", anchor=False)
        st.caption("Oben stehen alle Organisationen zusammen, hier jede für sich.")
        show_table(strata_table(result))


def show_readiness(comparison: ScenarioComparison) -> None:
    """What is missing, and the gates beside it."""
    left, right = st.columns(2)
    with left:
        st.subheader("Reifegrad", anchor=False)
        if comparison.readiness.ready:
            st.success("Bereit zur Weiterentwicklung.", icon=":material/check_circle:")
        else:
            st.markdown("**Noch nicht bereit. Es fehlt:**")
            gates = set(comparison.readiness.gates)
            for point in comparison.readiness.points:
                if point.text not in gates:
                    st.page_link(
                        pages.at(point.page), label=plain(point.text),
                        icon=":material/arrow_forward:", query_params=point.query,
                    )  # fmt: skip
            if gates:
                st.write(
                    count(len(gates), "Ausschlusskriterium", "Ausschlusskriterien")
                    + " verfehlt oder offen, siehe Liste."
                )
    with right:
        st.subheader("Ausschlusskriterien", anchor=False)
        if comparison.gates:
            show_table(gate_table(comparison.gates))
        else:
            st.write("Für dieses Szenario sind keine hinterlegt.")
        st.page_link(pages.GATES, label="Prüfpunkte", icon=":material/gavel:",
                     query_params={"szenario": comparison.slug})  # fmt: skip


def show_agreement(comparison: ScenarioComparison) -> None:
    """Agreement by criterion, and the way to it in full."""
    if comparison.agreement:
        st.subheader("Übereinstimmung der Bewertenden", anchor=False)
        st.caption(
            f"{alpha_words()} Drängen sich die Bewertungen an einem Ende der Skala, sagt Alpha "
            "wenig; dann zählt AC2."
        )
        show_table(agreement_table(comparison))
    if comparison.result is not None:
        st.page_link(
            pages.AGREEMENT, label="Übereinstimmung im Einzelnen", icon=":material/handshake:",
            query_params={"runde": str(comparison.result.round_id)},
        )  # fmt: skip
