"""Commands around ratings."""

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from reallabor.cli.screen import AsJson, Slug, app, counting, ends, notes, tell
from reallabor.german import count, number


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


@app.command()
def agreement(slug: Slug, as_json: AsJson = False) -> None:
    """Wie weit die Bewertenden übereinstimmen, je Kriterium."""
    from reallabor.database import reading, require_database
    from reallabor.deciding.published import agreement_json
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
def judge(  # noqa: PLR0917 - typer reads the options from here
    slug: Slug,
    endpoint: Annotated[
        str,
        typer.Option(
            help="Adresse eines OpenAI-kompatiblen Endpunkts, z. B. http://127.0.0.1:8000/v1; der "
            "Schlüssel steht in REALLABOR_ENDPOINT_KEY."
        ),
    ],
    model: Annotated[str, typer.Option(help="Name des Modells dort.")],
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Anfragen zugleich.")] = 4,
    timeout: Annotated[float, typer.Option(min=1, help="Sekunden je Antwort.")] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Ein Sprachmodell dieselben Ausgaben beurteilen lassen; zählt nie im Punktwert."""
    from reallabor.database import require_database, transaction
    from reallabor.people import acting_person
    from reallabor.rating.judging import judge_round
    from reallabor.recording.endpoint import Endpoint

    asked = Endpoint(
        endpoint, model, temperature=0.0, max_tokens=4000, parallel=parallel, timeout_s=timeout
    )
    require_database()
    with transaction() as session:
        actor = acting_person(session)
        session.expunge(actor)
    with counting("Beurteilt") as advance:
        report = judge_round(slug, asked, actor=actor, progress=advance)
    sentence = (
        f"Runde {report.round}: {report.model} hat {report.judged} von "
        f"{count(report.outputs, 'Ausgabe', 'Ausgaben')} beurteilt"
    )
    if report.failed:
        sentence += (
            f", zu {report.failed} gab es keine brauchbare Antwort; derselbe Befehl fragt nach "
            "ihnen noch einmal"
        )
    shown = "sichtbar bei der Übereinstimmung" if report.released else "sichtbar nach der Freigabe"
    tell(vars(report), as_json, f"{sentence}. Die Urteile zählen nie im Punktwert; {shown}.")


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
