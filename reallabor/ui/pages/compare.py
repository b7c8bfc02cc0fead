"""Vergleich: scenarios side by side, the variants of one, and the decision."""

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.agenda import runs_are_hidden
from reallabor.deciding.comparison import ScenarioComparison, compare
from reallabor.deciding.decisions import VERDICTS, decide
from reallabor.german import count, date, number
from reallabor.people import Person
from reallabor.policies import may_decide
from reallabor.rating.results import RoundResult
from reallabor.recording.runs import measure_titles
from reallabor.ui import pages
from reallabor.ui.charts import Dot, dot_plot, role_of
from reallabor.ui.comparison.ranking import show_ranking
from reallabor.ui.page import demo_badge, page, plain, say_after_rerun
from reallabor.ui.tables import (
    agreement_table,
    criteria_table,
    gate_table,
    metrics_table,
    overview_table,
    show_table,
    strata_table,
    variant_name,
    variant_table,
)
from reallabor.ui.tracking_link import experiment_link


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


def show_decision(comparison: ScenarioComparison, person: Person) -> None:
    """The decision as it stands, and the form for a new one."""
    decision = comparison.decision
    if decision:
        with st.container(border=True):
            st.markdown(f"**{decision.verdict}**, {date(decision.decided_at)}, "
                        f"{plain(decision.decided_by)}")  # fmt: skip
            st.write(plain(decision.reason))
            demo_badge(decision.demo)
            if decision.supersedes_id:
                st.caption("Ersetzt einen früheren Beschluss; er bleibt gespeichert.")
            st.caption(f"Belege eingefroren, Prüfsumme {decision.evidence_sha256[:12]}…")
    else:
        st.write("Noch kein Beschluss.")
    if not may_decide(person):
        st.caption("Beschließen können nur Mitglieder des Lenkungskreises.")
        return
    suggestion = "Weiterentwickeln" if comparison.readiness.ready else "noch nicht bereit"
    with st.form(f"decision-{comparison.slug}-{decision.id if decision else 0}"):
        st.markdown(f"Vorschlag nach den Regeln: **{suggestion}**. Es entscheidet der "
                    "Lenkungskreis.")  # fmt: skip
        verdict = st.radio("Beschluss", VERDICTS, index=None, horizontal=True)
        reason = st.text_area("Begründung", max_chars=4000)
        name = st.text_input("Name", value=person.name)
        if st.form_submit_button("Beschluss festhalten", type="primary"):
            with transaction() as session:
                decide(session, comparison.slug, verdict=verdict or "", reason=reason, name=name,
                       actor=person)  # fmt: skip
            say_after_rerun(
                f"Beschluss zu „{plain(comparison.title)}“ festgehalten: {verdict}. Er steht in "
                "Kürze auch in MLflow."
            )


def show_readiness(comparison: ScenarioComparison) -> None:
    """What is missing, if anything."""
    st.subheader("Reifegrad", anchor=False)
    if comparison.readiness.ready:
        st.success("Bereit zur Weiterentwicklung.", icon=":material/check_circle:")
    else:
        st.markdown("**Noch nicht bereit. Es fehlt:**")
        gates = set(comparison.readiness.gates)
        rows = [text for text in comparison.readiness.missing if text not in gates]
        if unpassed := len(gates):
            rows.append(
                count(unpassed, "Ausschlusskriterium", "Ausschlusskriterien")
                + " verfehlt oder offen, siehe Liste"
            )
        st.markdown("\n".join(f"- {plain(row)}" for row in rows))


def show_scenario(comparison: ScenarioComparison, person: Person, *, blind: bool) -> None:
    """Everything about one scenario, from result to decision."""
    st.header(plain(comparison.title), anchor=False)
    demo_badge(comparison.demo)
    if comparison.stopped_at:
        st.error(f"{plain(comparison.readiness.missing[0])}.", icon=":material/block:")
    result = comparison.result
    if result is None:
        st.info("Noch keine Ergebnisse: Zu diesem Szenario wurde noch keine Bewertung freigegeben.")
    else:
        st.write(
            f"Runde {result.number} mit {count(result.n_cases, 'Fall', 'Fällen')}, "
            f"{count(result.n_raters, 'bewertender Person', 'Bewertenden')}, "
            f"{count(result.n_ratings, 'Bewertung', 'Bewertungen')}; "
            f"Bewertungsraster {result.rubric}."
        )
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
        show_metrics(comparison)
    left, right = st.columns(2)
    with left:
        show_readiness(comparison)
    with right:
        st.subheader("Ausschlusskriterien", anchor=False)
        if comparison.gates:
            show_table(gate_table(comparison.gates))
        else:
            st.write("Für dieses Szenario sind keine hinterlegt.")
        st.page_link(pages.GATES, label="Prüfpunkte", icon=":material/gavel:",
                     query_params={"szenario": comparison.slug})  # fmt: skip
    if comparison.agreement:
        st.subheader("Übereinstimmung der Bewertenden", anchor=False)
        st.caption(
            "Alpha ab 0,80 gilt als verlässlich, ab 0,667 als vorläufig brauchbar. Drängen sich "
            "die Bewertungen an einem Ende der Skala, sagt Alpha wenig; dann zählt AC2."
        )
        show_table(agreement_table(comparison))
    if result is not None:
        st.page_link(
            pages.AGREEMENT, label="Übereinstimmung im Einzelnen", icon=":material/handshake:",
            query_params={"runde": str(result.round_id)},
        )  # fmt: skip
    st.subheader("Beschluss", anchor=False)
    show_decision(comparison, person)
    if not blind:  # MLflow shows which system wrote what
        experiment_link(comparison.experiment_id)


with page("Vergleich der Szenarien") as me:
    with reading() as session:
        comparisons = compare(session)
    if comparisons:
        show_table(overview_table(comparisons))
        show_ranking(comparisons, me)
        slugs = [each.slug for each in comparisons]
        titles = {each.slug: each.title for each in comparisons}
        wanted = st.query_params.get("szenario")
        chosen = st.selectbox(
            "Szenario im Einzelnen", slugs, format_func=titles.__getitem__,
            placeholder="Bitte wählen",
            index=slugs.index(wanted) if wanted in slugs else 0,
        )  # fmt: skip
        st.query_params["szenario"] = chosen
        with reading() as session:
            blind = runs_are_hidden(session, chosen, me)
        show_scenario(comparisons[slugs.index(chosen)], me, blind=blind)
    else:
        st.info(
            "Noch kein Szenario vorhanden. Sobald eines erprobt und bewertet ist, steht es hier.",
            icon=":material/balance:",
        )
