"""Commands that compare, decide and hand results on."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from reallabor.cli.screen import (
    AsJson,
    Slug,
    app,
    ends,
    german_day,
    notes,
    print_json,
    screen,
    tell,
    tracking,
)
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
    from reallabor.deciding.comparison import compare as compare_scenarios
    from reallabor.deciding.published import comparison_json

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
def decide(  # noqa: PLR0917
    slug: Slug,
    verdict: Annotated[
        str, typer.Option(help="Weiterentwickeln, Nachbessern, Zurückstellen oder Beenden.")
    ],
    reason: Annotated[str, typer.Option(help="Begründung des Beschlusses.")],
    name: Annotated[str, typer.Option(help="Wer für den Beschluss steht.")],
    departure: Annotated[
        str, typer.Option(help="Warum der Beschluss vom Vorschlag abweicht; in Sitzungen nötig.")
    ] = "",
    dissent: Annotated[str, typer.Option(help="Abweichende Meinung.")] = "",
    condition: Annotated[
        list[str] | None,
        typer.Option(help="Auflage als 'Text|Wer|2027-03-31'; mehrfach möglich."),
    ] = None,
    review_on: Annotated[str, typer.Option(help="Wiedervorlage, als Datum wie 2027-03-31.")] = "",
    meeting: Annotated[
        int | None, typer.Option(help="Nummer der Sitzung, die das beschlossen hat.")
    ] = None,
    item: Annotated[
        int | None, typer.Option(help="Nummer des Tagesordnungspunkts, statt der Sitzung.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ein Szenario kennzeichnen: Beschluss mit Begründung und Namen festhalten."""
    from reallabor.database import require_database, transaction
    from reallabor.deciding.conditions import parse_condition, parse_day
    from reallabor.deciding.decisions import decide as record_decision
    from reallabor.deciding.meetings import item_of
    from reallabor.german import ZONE
    from reallabor.people import acting_person

    require_database()
    with transaction() as session:
        decision = record_decision(
            session, slug, verdict=verdict, reason=reason, name=name,
            departure=departure, dissent=dissent,
            conditions=[parse_condition(each) for each in condition or []],
            review_on=parse_day(review_on) if review_on else None,
            item_id=item_of(session, meeting, slug) if meeting else item,
            actor=acting_person(session),
        )  # fmt: skip
        result = {
            "id": decision.id,
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


@app.command("meetings")
def meetings_command(as_json: AsJson = False) -> None:
    """Sitzungen des Lenkungskreises mit Tagesordnung und Beschlüssen, neueste zuerst."""
    from reallabor.database import reading, require_database
    from reallabor.deciding.meeting_views import list_meetings, meeting_json, meeting_view

    require_database()
    with reading() as session:
        found = [
            meeting_json(meeting_view(session, each.meeting_id)) for each in list_meetings(session)
        ]
    if as_json:
        print_json({"meetings": found})
        return
    for meeting in found:
        screen.print(
            f"\nNr. {meeting['id']}: {meeting['title']}, {german_day(meeting['held_on'])}, "
            f"{meeting['state']}",
            style="bold", markup=False, highlight=False,
        )  # fmt: skip
        for item in meeting["items"]:
            screen.print(
                f"  Punkt {item['id']}: {item['title']} ({item['scenario']}): {item['state']}",
                markup=False, highlight=False,
            )  # fmt: skip
    if not found:
        screen.print("Noch keine Sitzung geplant.")


@app.command("verify-audit")
def verify_audit_command(
    with_mlflow: Annotated[
        bool, typer.Option("--mlflow", help="Auch mit den Kennzeichen in MLflow vergleichen.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Das Protokoll prüfen: geänderte, fehlende und eingefügte Einträge und Zeilen finden."""
    from reallabor.database import reading, require_database
    from reallabor.deciding.auditing import NEXT_STEP, verify_audit
    from reallabor.tracking.reading import decision_tags

    require_database()
    tags = None
    if with_mlflow:
        with tracking() as connection:
            connection.require()
            tags = decision_tags(connection)
    with reading() as session:
        report = verify_audit(session, tags=tags)
    for each in report.breaks:
        notes.print(each.what, markup=False, highlight=False, soft_wrap=True)
    lines = [f"Hinweis: {remark}" for remark in report.remarks]
    if report.whole:
        lines.append(
            f"In Ordnung: {count(report.entries, 'Eintrag', 'Einträge')} in ununterbrochener "
            f"Kette, {count(report.records, 'Zeile', 'Zeilen')} wie festgehalten. "
            f"Endstand {report.head[:12] or 'leer'}."
        )
    else:
        lines.append(f"{count(len(report.breaks), 'Bruch', 'Brüche')}. {NEXT_STEP}")
    tell(report.as_json(), as_json, *lines)
    if not report.whole:
        raise typer.Exit(1)


@app.command("verify-decision")
def verify_decision_command(
    decision_id: Annotated[int, typer.Argument(metavar="NR", help="Nummer des Beschlusses.")],
    with_mlflow: Annotated[
        bool, typer.Option("--mlflow", help="Auch Nachweise lesen, die in MLflow liegen.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Die eingefrorenen Zahlen eines Beschlusses aus den Daten neu berechnen und vergleichen."""
    from reallabor.database import reading, require_database
    from reallabor.deciding.verifying import verify_decision

    require_database()
    with ExitStack() as stack:
        connection = stack.enter_context(tracking()) if with_mlflow else None
        session = stack.enter_context(reading())
        report = verify_decision(session, decision_id, connection=connection)
    verdict = "Der Beschluss hält" if report.holds else "Der Beschluss hält nicht"
    if not as_json:
        screen.print(
            f"{verdict}: {report.verdict} zu '{report.slug}' vom {german_day(report.decided_on)}.",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    different = [each.words for each in report.figures if not each.same]
    for line in [*report.faults, *different]:
        notes.print(line, markup=False, highlight=False, soft_wrap=True)
    tell(
        report.as_json(), as_json,
        *filter(None, [report.figures_words]),
        *[f"Hinweis: {remark}" for remark in report.remarks],
        f"Prüfsumme der Belege: {report.evidence_sha256}",
    )  # fmt: skip
    if not report.holds:
        raise typer.Exit(1)


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
    from reallabor.deciding.figures import NO_CANDIDATE, NOT_YET

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
    # Where nothing was rated, or no candidate is named, the reason stands for all such figures.
    lines = [
        each["why"]
        if each["why"] in (NOT_YET, NO_CANDIDATE)
        else f"{each['title']}: {each['text']}"
        for each in scenario["figures"]
        if each["key"] not in ("readiness", "decision")  # said below in full
    ]
    for line in dict.fromkeys(lines):
        screen.print(line, markup=False, highlight=False)
    decision = scenario["decision"]
    screen.print(
        f"Beschluss: {decision['verdict']} ({german_day(decision['date'])})" if decision
        else "Beschluss: noch keiner",
        markup=False,
    )  # fmt: skip
    for point in scenario["readiness"]["missing"]:
        screen.print(f"  fehlt: {point}", markup=False, highlight=False)
