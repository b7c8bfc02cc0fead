"""The command line: `reallabor`. Each command loads late, makes one call and prints. Exit codes: 0
done, 1 refused with a sentence, 2 wrong usage."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.rich_utils
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from reallabor.errors import ReallaborError
from reallabor.german import count, number, span

if TYPE_CHECKING:
    from reallabor.recording.trials import Progress as OnCase
    from reallabor.tracking import Connection

# Typer speaks English by itself; these are the words a reader of --help meets.
typer.rich_utils.REQUIRED_LONG_STRING = "[nötig]"
typer.rich_utils.RICH_HELP = "Hilfe: [blue]{command_path} {help_option}[/]"
typer.rich_utils.OPTIONS_PANEL_TITLE = "Optionen"
typer.rich_utils.ARGUMENTS_PANEL_TITLE = "Angaben"
typer.rich_utils.COMMANDS_PANEL_TITLE = "Befehle"
typer.rich_utils.ERRORS_PANEL_TITLE = "Fehler"

_APP_PARTS = frozenset({"alembic", "numpy", "pandas", "scipy", "sqlalchemy", "sqlmodel"})
"""Top-level packages of the extra `app` that commands import; recording needs none of them."""

app = typer.Typer(
    name="reallabor",
    help="KI-Reallabor: Anwendungsszenarien erproben, bewerten, vergleichen, beschließen.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
screen = Console()
notes = Console(stderr=True)

Slug = Annotated[str, typer.Argument(help="Kurzname des Szenarios, z. B. buerger-chatbot.")]
AsJson = Annotated[bool, typer.Option("--json", help="Ergebnis als JSON ausgeben.")]


@app.command()
def up() -> None:
    """Alles starten: MLflow, Hintergrunddienst und App; Strg+C beendet."""
    from reallabor import demo
    from reallabor.database import prepare_database
    from reallabor.settings import get_settings
    from reallabor.supervisor import run_platform

    settings = get_settings()
    prepare_database()

    def before_app(connection: "Connection") -> None:
        if settings.demo and not demo.is_filled():
            with case_progress() as progress:
                demo.fill(connection, say=notes.print, progress=progress)

    run_platform(settings, say=notes.print, before_app=before_app)


@app.command("demo")
def demo_command(
    remove: Annotated[bool, typer.Option("--remove", help="Demodaten wieder entfernen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Demodaten anlegen: Die mitgelieferten Szenarien wirklich erproben und per Skript bewerten."""
    from reallabor import demo
    from reallabor.database import prepare_database
    from reallabor.rating.publishing import publish

    prepare_database()
    with tracking() as connection:
        if remove:
            removed = demo.remove(connection)
            sentence = f"Demodaten entfernt ({count(removed, 'Durchlauf', 'Durchläufe')})."
            if not removed:
                sentence = "Es gab keine Demodaten zu entfernen."
            tell({"removed_runs": removed}, as_json, sentence)
            return
        with case_progress() as progress:
            slugs = demo.fill(connection, say=notes.print, progress=progress)
        sent = publish(connection).sent
    sentence = f"Demodaten angelegt: {', '.join(slugs)}." if slugs else "Nichts Neues angelegt."
    tell({"filled": slugs, "published": sent}, as_json, sentence)


@app.command("check-content")
def check_content(as_json: AsJson = False) -> None:
    """Alle Dateien unter scenarios/ und evaluations/ prüfen; nennt Datei, Zeile und Feld."""
    from reallabor.checking import check_all

    report = check_all()
    if report.problems:
        for problem in report.problems:
            notes.print(problem, markup=False, highlight=False, soft_wrap=True)
        if as_json:
            print_json(report.as_json())
        raise typer.Exit(1)
    tell(
        report.as_json(), as_json,
        f"In Ordnung: {count(len(report.scenarios), 'Szenario', 'Szenarien')} mit "
        f"{count(report.cases, 'Fall', 'Fällen')}, {len(report.rubrics)} Bewertungsraster.",
    )  # fmt: skip


@app.command()
def run(
    slug: Slug,
    variant: Annotated[str | None, typer.Option(help="Nur diese Variante; sonst alle.")] = None,
    organisation: Annotated[
        str | None, typer.Option(help="Wer erprobt; sonst die Organisation des Szenarios.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Einen unterbrochenen Durchlauf fortsetzen.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ein Szenario erproben: alle Fälle durch die Varianten, aufgezeichnet in MLflow."""
    from reallabor.recording.trials import record_trial
    from reallabor.scenarios import load_scenario

    scenario = load_scenario(slug)  # refuse before MLflow is started
    if variant is not None:
        scenario.variant(variant)
    with tracking() as connection:
        with case_progress() as progress:
            runs = record_trial(
                slug, connection=connection, variant=variant, organisation=organisation,
                resume=resume, progress=progress,
            )  # fmt: skip
        take_over(slug, connection)
    tell(
        {"scenario": slug, "runs": [vars(each) for each in runs]}, as_json,
        "\n".join(
            f"{each.variant}: {count(each.n_cases, 'Fall', 'Fälle')} aufgezeichnet"
            + (f", {each.n_failed} fehlgeschlagen" if each.n_failed else "")
            + f" (Durchlauf {each.run_id})"
            for each in runs
        ),
    )  # fmt: skip


@app.command("import-ratings")
def import_ratings_command(  # noqa: PLR0917 - typer reads the options from here
    slug: Slug,
    file: Annotated[Path, typer.Argument(help="csv, tsv oder jsonl; eine Zeile je Bewertung.")],
    create: Annotated[
        bool, typer.Option("--create", help="Szenario, Fälle und Raster aus der Datei anlegen.")
    ] = False,
    scale: Annotated[
        str | None, typer.Option(help="Skala MIN:MAX, z. B. 1:5; sonst aus den Daten.")
    ] = None,
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="Kleinere Werte sind besser.")
    ] = False,
    organisation: Annotated[
        str | None, typer.Option(help="Zu wessen Durchlauf die Bewertungen gehören.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bewertungen einlesen, die anderswo entstanden sind (alles oder nichts)."""
    from reallabor.database import database_exists, prepare_database, transaction
    from reallabor.people import acting_person
    from reallabor.rating.importing import import_ratings
    from reallabor.rating.rating_file import read_ratings
    from reallabor.recording.catalogue import load_shipped
    from reallabor.settings import get_settings

    bounds = parse_scale(scale)
    ratings = read_ratings(file)
    if not database_exists():
        notes.print(f"Neue Plattform-Datenbank unter {get_settings().home}.", markup=False)
    prepare_database()
    with transaction() as session:
        load_shipped(session)
        report = import_ratings(
            session, slug, ratings, actor=acting_person(session), create=create, scale=bounds,
            lower_is_better=lower_is_better, organisation=organisation,
        )  # fmt: skip
    sentence = (
        "Diese Datei war schon eingelesen; es hat sich nichts geändert."
        if report.unchanged
        else f"{count(report.ratings, 'Bewertung', 'Bewertungen')} zu "
        f"{count(report.cases, 'Fall', 'Fällen')} und "
        f"{count(report.variants, 'Variante', 'Varianten')} übernommen"
        + (f", {report.revised} davon als Korrektur." if report.revised else ".")
    )
    if not report.counts:
        sentence += " In den Ergebnissen zählt weiter die blind bewertete Runde."
    tell(vars(report), as_json, sentence)


@app.command("project")
def project_command(as_json: AsJson = False) -> None:
    """Neue Durchläufe aus MLflow übernehmen."""
    from reallabor.database import prepare_database
    from reallabor.recording.projection import project

    prepare_database()
    with tracking() as connection:
        report = project(connection, everything=True)
    for note in report.notes:
        notes.print(note, markup=False)
    tell(vars(report), as_json,
         f"{count(report.runs, 'Durchlauf', 'Durchläufe')} mit "
         f"{count(report.outputs, 'Ausgabe', 'Ausgaben')} übernommen.")  # fmt: skip


@app.command("publish")
def publish_command(as_json: AsJson = False) -> None:
    """An MLflow senden, was freigegeben oder beschlossen und noch nicht übertragen ist."""
    from reallabor.database import require_database
    from reallabor.rating.publishing import publish

    require_database()
    with tracking() as connection, counting("Übertragen") as advance:
        report = publish(connection, progress=advance)
    for problem in report.problems:
        notes.print(problem, markup=False)
    tell(
        vars(report),
        as_json,
        f"{count(report.sent, 'Nachricht', 'Nachrichten')} übertragen, {report.due} noch offen.",
    )


@app.command()
def agreement(slug: Slug, as_json: AsJson = False) -> None:
    """Wie weit die Bewertenden übereinstimmen, je Kriterium."""
    from reallabor.database import reading, require_database
    from reallabor.deciding.comparison import agreement_json
    from reallabor.rating.agreement import scenario_agreement
    from reallabor.recording.catalogue import get_scenario

    require_database()
    with reading() as session:
        result = agreement_json(slug, scenario_agreement(session, get_scenario(session, slug)))
    table = Table("Kriterium", "Ausgaben", "Bewertende", "Alpha (ordinal)", "95 %", "AC2", "Roh")
    for key, row in result["criteria"].items():
        table.add_row(
            Text(key), str(row["units"]), str(row["raters"]), number(row["alpha"]["ordinal"], 3),
            ends(row["alpha_interval"], 2), number(row["ac2"], 3), number(row["raw_agreement"], 3),
        )  # fmt: skip
    reasons = {
        f"{key}: {reason}"
        for key, row in result["criteria"].items()
        if (reason := row.get("alpha_reason"))
    }
    tell(result, as_json, table, *sorted(reasons))


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
    decision = scenario["decision"]
    screen.print(
        f"Beschluss: {decision['verdict']} ({german_day(decision['date'])})" if decision
        else "Beschluss: noch keiner",
        markup=False,
    )  # fmt: skip
    for point in scenario["readiness"]["missing"]:
        screen.print(f"  fehlt: {point}", markup=False, highlight=False)


def parse_scale(scale: str | None) -> tuple[float, float] | None:
    """MIN:MAX as two numbers; anything else is wrong usage."""
    if scale is None:
        return None
    try:
        low, high = (float(part.replace(",", ".")) for part in scale.split(":"))
    except ValueError:
        low, high = 0.0, 0.0
    if not (low < high and math.isfinite(high - low)):
        raise typer.BadParameter("--scale erwartet MIN:MAX, z. B. 1:5, mit MIN kleiner als MAX.")
    return low, high


def tell(result: dict[str, Any], as_json: bool, *lines: str | Table) -> None:
    """The result as JSON, or the lines for people."""
    if as_json:
        print_json(result)
        return
    for line in lines:
        screen.print(line, soft_wrap=isinstance(line, str), highlight=False, markup=False)


def print_json(result: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(result, ensure_ascii=False, allow_nan=False, default=str) + "\n")


def take_over(slug: str, connection: "Connection") -> None:
    """Bring what was recorded into the platform database, where there is one."""
    if find_spec("sqlmodel") is None:
        text = "Nur aufgezeichnet: Zum Bewerten und Vergleichen bitte reallabor[app] installieren."
        notes.print(text, markup=False)
        return
    from reallabor.database import database_exists, require_database
    from reallabor.recording.projection import project

    if not database_exists():
        notes.print("Nur aufgezeichnet: Hier gibt es noch keine Plattform-Datenbank.")
        return
    require_database()
    project(connection, slug=slug, everything=True)


def german_day(iso: str) -> str:
    """`2026-11-21` as `21.11.2026`."""
    return ".".join(reversed(iso.split("-")))


def ends(interval: list[float] | None, digits: int) -> str:
    low, high = interval or (None, None)
    return span(low, high, digits)


@contextmanager
def tracking() -> "Iterator[Connection]":
    """MLflow for one command."""
    from reallabor.settings import get_settings
    from reallabor.supervisor import tracking_connection

    with tracking_connection(get_settings(), say=notes.print) as connection:
        yield connection


@contextmanager
def case_progress() -> "Iterator[OnCase]":
    """A progress bar per variant on standard error."""
    bars: dict[str, TaskID] = {}
    with _bars() as progress:

        def on_case(variant: str, done: int, total: int) -> None:
            if variant not in bars:
                bars[variant] = progress.add_task(variant, total=total)
            progress.update(bars[variant], completed=done)

        yield on_case


@contextmanager
def counting(title: str) -> "Iterator[Any]":
    """One progress bar that is told done and total."""
    with _bars() as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=notes,
        transient=True,
    )  # fmt: skip


def main() -> None:
    """Entry of the `reallabor` script."""
    from pydantic import ValidationError

    from reallabor.content import SENTENCES
    from reallabor.logs import configure_logs
    from reallabor.settings import get_settings

    command = typer.main.get_command(app)
    for each in (command, *getattr(command, "commands", {}).values()):
        option = each.get_help_option(typer.Context(each))
        if option is not None:
            option.help = "Diese Hilfe zeigen."
    try:
        configure_logs(get_settings().log_level)
        command()
    except ReallaborError as refusal:
        notes.print(str(refusal), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except ValidationError as error:
        setting = error.errors()[0]
        name = f"REALLABOR_{'_'.join(map(str, setting['loc'])).upper()}"
        sentence = SENTENCES.get(setting["type"], "hat keinen gültigen Wert")
        notes.print(f"Die Einstellung {name} {sentence}.", markup=False)
        sys.exit(2)
    except ModuleNotFoundError as missing:
        if missing.name not in _APP_PARTS:
            raise
        text = "Das geht nur mit der ganzen Anwendung; bitte reallabor[app] installieren."
        notes.print(text, markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
