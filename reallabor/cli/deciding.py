"""Commands that compare, decide and hand results on."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from reallabor.cli.screen import AsJson, Slug, app, ends, german_day, print_json, screen, tell
from reallabor.german import count, number


@app.command()
def compare(
    slugs: Annotated[
        list[str] | None, typer.Argument(help="Kurznamen der Szenarien; sonst alle.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Szenarien und Varianten nebeneinander: n, Mittel, Intervall, Reife, Beschluss."""
    from reallabor.database import reading, require_database
    from reallabor.deciding.comparison import as_json as comparison_json
    from reallabor.deciding.comparison import compare as compare_scenarios

    require_database()
    with reading() as session:
        found = [comparison_json(each) for each in compare_scenarios(session, slugs or [])]
    if as_json:
        print_json({"scenarios": found})
        return
    for scenario in found:
        print_scenario(scenario)
    if not found:
        screen.print("Noch kein Szenario vorhanden; `reallabor demo` legt Demodaten an.")


@app.command()
def decide(
    slug: Slug,
    verdict: Annotated[
        str, typer.Option(help="Weiterentwickeln, Nachbessern, Zurückstellen oder Beenden.")
    ],
    reason: Annotated[str, typer.Option(help="Begründung des Beschlusses.")],
    name: Annotated[str, typer.Option(help="Wer für den Beschluss steht.")],
    as_json: AsJson = False,
) -> None:
    """Ein Szenario kennzeichnen: Beschluss mit Begründung und Namen festhalten."""
    from reallabor.database import require_database, transaction
    from reallabor.deciding.decisions import decide as record_decision
    from reallabor.german import ZONE
    from reallabor.people import acting_person

    require_database()
    with transaction() as session:
        decision = record_decision(
            session, slug, verdict=verdict, reason=reason, name=name,
            actor=acting_person(session),
        )  # fmt: skip
        result = {
            "scenario": slug,
            "verdict": str(decision.verdict),
            "date": decision.decided_at.astimezone(ZONE).date().isoformat(),
            "reason": decision.reason,
            "by": decision.decided_by,
            "evidence_sha256": decision.evidence_sha256,
        }
    tell(result, as_json,
         f"Beschluss zu '{slug}' festgehalten: {result['verdict']}. Die Kennzeichnung in MLflow "
         "folgt mit `reallabor publish` oder durch den Hintergrunddienst.")  # fmt: skip


@app.command("export")
def export_command(
    slug: Slug,
    output: Annotated[
        Path | None, typer.Option(help="Zielordner; sonst exports/ unter REALLABOR_HOME.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Freigegebene Ergebnisse und Bewertungen (unter Pseudonym) als Dateien ausgeben."""
    from reallabor.database import reading, require_database
    from reallabor.settings import get_settings
    from reallabor.sharing.exporting import export_scenario, write_export

    require_database()
    with reading() as session:
        export = export_scenario(session, slug)
    if as_json:
        print_json(export.as_json())
        return
    folder = output or get_settings().home / "exports" / slug
    for path in write_export(export, folder):
        screen.print(str(path), soft_wrap=True)


def print_scenario(scenario: dict[str, Any]) -> None:
    """One scenario as a table for people."""
    demo = "  [Demodaten]" if scenario["demo"] else ""
    screen.print(f"\n{scenario['title']} ({scenario['slug']}){demo}", style="bold", markup=False)
    table = Table("Variante", "Fälle", "Punktwert", "95 %", "Bewertungen")
    for variant in scenario["variants"]:
        table.add_row(
            Text(variant["title"] + (" (ohne KI)" if variant["baseline"] else "")),
            str(variant["n_cases"]), number(variant["score"], 1),
            ends(variant["score_interval"], 1), str(variant["n_ratings"]),
        )  # fmt: skip
    if scenario["variants"]:
        screen.print(table)
    if scenario["n_adjudicated"]:
        given = ", ".join(
            f"{variant['title']} {number(variant['score_original'], 1)}"
            for variant in scenario["variants"]
        )
        screen.print(
            f"{count(scenario['n_adjudicated'], 'Urteil', 'Urteile')} geklärt; "
            f"Punktwert ohne Klärung: {given}",
            markup=False, highlight=False,
        )  # fmt: skip
    for figure in scenario["figures"]:
        if figure["key"] not in ("readiness", "decision"):  # said below in full
            screen.print(f"{figure['title']}: {figure['text']}", markup=False, highlight=False)
    decision = scenario["decision"]
    screen.print(
        f"Beschluss: {decision['verdict']} ({german_day(decision['date'])})" if decision
        else "Beschluss: noch keiner",
        markup=False,
    )  # fmt: skip
    for point in scenario["readiness"]["missing"]:
        screen.print(f"  fehlt: {point}", markup=False, highlight=False)
