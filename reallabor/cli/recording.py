"""Commands of pilot teams: everything that records a trial."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reallabor.cli.screen import (
    AsJson,
    Slug,
    app,
    case_progress,
    counting,
    notes,
    take_over,
    tell,
    tracking,
)
from reallabor.errors import InvalidTable
from reallabor.german import count

if TYPE_CHECKING:
    from reallabor.scenarios import ScenarioFolder

_ENDPOINT = "Endpunkt"


@app.command()
def run(  # noqa: PLR0917 - typer reads the options from here
    slug: Slug,
    variant: Annotated[str | None, typer.Option(help="Nur diese Variante; sonst alle.")] = None,
    organisation: Annotated[
        str | None, typer.Option(help="Wer erprobt; sonst die Organisation des Szenarios.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Einen unterbrochenen Durchlauf fortsetzen.")
    ] = False,
    endpoint: Annotated[
        str | None,
        typer.Option(
            help="Adresse eines OpenAI-kompatiblen Endpunkts, z. B. http://127.0.0.1:8000/v1; der "
            "Schlüssel steht in REALLABOR_ENDPOINT_KEY.",
            rich_help_panel=_ENDPOINT,
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name des Modells dort.", rich_help_panel=_ENDPOINT)
    ] = None,
    temperature: Annotated[
        float,
        typer.Option(min=0, max=2, help="Streuung der Antworten; 0 streut am wenigsten.",
                     rich_help_panel=_ENDPOINT),
    ] = 0.0,
    seed: Annotated[
        int, typer.Option(help="Startzahl, damit sich Antworten wiederholen lassen.",
                          rich_help_panel=_ENDPOINT)
    ] = 1,
    max_tokens: Annotated[
        int, typer.Option(min=1, help="Längste Antwort.", rich_help_panel=_ENDPOINT)
    ] = 1500,
    parallel: Annotated[
        int, typer.Option(min=1, max=64, help="Anfragen zugleich.", rich_help_panel=_ENDPOINT)
    ] = 4,
    timeout: Annotated[
        float, typer.Option(min=1, help="Sekunden je Antwort.", rich_help_panel=_ENDPOINT)
    ] = 60.0,
    price_input: Annotated[
        float, typer.Option(min=0, help="Euro je Million gesendeter Token.",
                            rich_help_panel=_ENDPOINT)
    ] = 0.0,
    price_output: Annotated[
        float, typer.Option(min=0, help="Euro je Million erhaltener Token.",
                            rich_help_panel=_ENDPOINT)
    ] = 0.0,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Ab so viel Euro hält der Durchlauf an.",
                                   rich_help_panel=_ENDPOINT)
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Ein Szenario erproben: alle Fälle durch die Varianten, aufgezeichnet in MLflow."""
    from reallabor.recording.endpoint import Endpoint
    from reallabor.recording.trials import record_trial
    from reallabor.scenarios import load_scenario

    created = created_scenario(slug) if endpoint is not None else None
    if not resume and created is None:
        # Refuse before MLflow is started; what is resumed has its content with it.
        scenario = load_scenario(slug)
        if variant is not None and endpoint is None:
            scenario.variant(variant)
    asked = None
    if endpoint is not None or model is not None:
        if endpoint is None or model is None:
            raise typer.BadParameter("--endpoint und --model gehören zusammen.")
        if variant is not None:
            raise typer.BadParameter("Ein Endpunkt ist selbst eine Variante; bitte ohne --variant.")
        asked = Endpoint(
            endpoint, model, temperature=temperature, seed=seed, max_tokens=max_tokens,
            parallel=parallel, timeout_s=timeout, price_input_eur=price_input,
            price_output_eur=price_output, max_cost_eur=max_cost,
        )  # fmt: skip
    with tracking() as connection:
        with case_progress() as progress:
            runs = record_trial(
                slug, connection=connection, variant=variant, organisation=organisation,
                resume=resume, endpoint=asked, scenario=created, progress=progress,
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


@app.command("import-run")
def import_run_command(  # noqa: PLR0917 - typer reads the options from here
    slug: Slug,
    file: Annotated[Path, typer.Argument(help="xlsx, xls, ods, csv oder jsonl.")],
    variant: Annotated[str, typer.Option(help="Kurzname der Variante, von der die Ausgaben sind.")],
    title: Annotated[
        str, typer.Option(help="Name der Variante auf dem Bildschirm, wenn sie neu ist.")
    ] = "",
    organisation: Annotated[
        str, typer.Option(help="Wer erprobt; sonst die Organisation des Szenarios.")
    ] = "",
    column: Annotated[
        list[str] | None,
        typer.Option(help="Bedeutung=Überschrift, z. B. output=Antwort; mehrfach möglich."),
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Blatt, wenn es mehrere gibt.")] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Auch übernehmen, wenn Fälle fehlen.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Einen Durchlauf aus einer Tabelle einlesen (alles oder nichts)."""
    from reallabor.database import transaction
    from reallabor.people import acting_person
    from reallabor.recording.uploads import read_upload, take_upload

    chosen = {}
    for pair in column or []:
        meaning, equals, heading = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"--column erwartet Bedeutung=Überschrift, nicht '{pair}'.")
        chosen[meaning.strip()] = heading.strip()
    scenario = asked_scenario(slug)
    with transaction() as session:
        actor = acting_person(session)
        session.expunge(actor)
    upload = read_upload(
        scenario, file.name, read_bytes(file), variant=variant, title=title,
        organisation=organisation, columns=chosen, sheet=sheet,
    )  # fmt: skip
    for note in upload.notes:
        notes.print(note, markup=False)
    if upload.missing and not partial:
        raise InvalidTable(
            f"'{file.name}': Zu {len(upload.missing)} von {len(scenario.cases)} Fällen fehlt die "
            f"Ausgabe ({', '.join(upload.missing[:8])}{' …' if len(upload.missing) > 8 else ''}). "
            "Bitte ergänzen, oder mit --partial trotzdem übernehmen."
        )
    with tracking() as connection, counting(upload.title) as progress:
        recorded, _ = take_upload(upload, connection, actor=actor, progress=progress)
    sentence = (
        "Diese Ausgaben waren schon eingelesen; es hat sich nichts geändert."
        if recorded.unchanged
        else f"{upload.title}: {count(recorded.n_cases, 'Ausgabe', 'Ausgaben')} aufgezeichnet "
        f"(Durchlauf {recorded.run_id})."
    )
    tell({"scenario": slug, **vars(recorded), "missing": upload.missing}, as_json, sentence)


@app.command("template")
def template_command(
    slug: Slug,
    output: Annotated[
        Path | None, typer.Option(help="Zieldatei; sonst <Szenario>.xlsx im Arbeitsordner.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Die Excel-Vorlage eines Szenarios ausgeben: mit allen Fällen, zum Ausfüllen."""
    from reallabor.errors import StorageFull
    from reallabor.recording.template import template

    scenario = asked_scenario(slug)
    target = output or Path(f"{slug}.xlsx")
    try:
        target.write_bytes(template(scenario))
    except OSError as error:
        raise StorageFull(f"{target} lässt sich nicht schreiben ({error.strerror}).") from error
    tell({"file": str(target), "cases": len(scenario.cases)}, as_json, str(target))


@app.command("new-scenario")
def new_scenario_command(
    slug: Slug,
    title: Annotated[str, typer.Option(help="Titel auf dem Bildschirm.")] = "",
    rubric: Annotated[str, typer.Option(help="Bewertungsraster aus evaluations/.")] = "auskunft",
    as_json: AsJson = False,
) -> None:
    """Einen Ordner für ein neues Szenario anlegen, mit Beispielen in jeder Datei."""
    from reallabor.scaffolding import new_scenario

    folder = new_scenario(slug, title=title, rubric=rubric)
    tell({"folder": str(folder)}, as_json,
         f"Angelegt: {folder}. Nächster Schritt: die Dateien ausfüllen, dann "
         "`reallabor check-content`.")  # fmt: skip


def asked_scenario(slug: str) -> "ScenarioFolder":
    """The scenario somebody asked for, as the database has it after a look into the folders. Raises
    UnknownObject and InvalidContent."""
    from reallabor.database import prepare_database, reading, transaction
    from reallabor.recording.catalogue import load_shipped, stored_scenario

    prepare_database()
    with transaction() as session:
        load_shipped(session, asked=slug)
    with reading() as session:
        return stored_scenario(session, slug)


def created_scenario(slug: str) -> "ScenarioFolder | None":
    """A scenario that was made in the app and has no folder; None where there is a folder, or no
    database that could know of it."""
    from reallabor.scenarios import scenario_slugs

    if slug in scenario_slugs() or find_spec("sqlmodel") is None:
        return None
    from reallabor.database import database_exists, reading, require_database
    from reallabor.recording.catalogue import stored_scenario

    if not database_exists():
        return None
    require_database()
    with reading() as session:
        return stored_scenario(session, slug)


def read_bytes(file: Path) -> bytes:
    """The file's content. Raises InvalidTable where it cannot be read, and before reading what is
    far too large."""
    from reallabor.recording.table import MOST_BYTES

    try:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise InvalidTable(
                f"'{file.name}' ist {size / 1e6:.0f} MB groß; gelesen werden höchstens "
                f"{MOST_BYTES / 1e6:.0f} MB. Bitte nur die Tabelle mit den Ausgaben einlesen."
            )
        return file.read_bytes()
    except OSError as error:
        raise InvalidTable(f"{file} lässt sich nicht lesen ({error.strerror}).") from error
