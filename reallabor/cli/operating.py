"""Commands of those who run the platform."""

from typing import TYPE_CHECKING, Annotated

import typer

from reallabor.cli.screen import (
    AsJson,
    app,
    case_progress,
    counting,
    notes,
    print_json,
    tell,
    tracking,
)
from reallabor.german import count

if TYPE_CHECKING:
    from reallabor.tracking import Connection


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
    from reallabor import demo, demo_removal
    from reallabor.database import prepare_database
    from reallabor.rating.publishing import publish

    prepare_database()
    with tracking() as connection:
        if remove:
            removed = demo_removal.remove(connection)
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
        f"{count(report.cases, 'Fall', 'Fällen')}, {len(report.rubrics)} Bewertungsraster, "
        f"{count(report.gold_cases, 'Kalibrierfall', 'Kalibrierfälle')}, "
        f"{count(report.lessons, 'Lektion', 'Lektionen')}.",
    )  # fmt: skip


@app.command("check-evidence")
def check_evidence_command(as_json: AsJson = False) -> None:
    """Prüfen, ob alle Nachweise zu Prüfpunkten unverändert in MLflow liegen."""
    from reallabor.database import require_database, transaction
    from reallabor.people import acting_person
    from reallabor.recording.evidence_files import check_evidence

    require_database()
    with transaction() as session:
        actor = acting_person(session)
        session.expunge(actor)
    with tracking() as connection:
        report = check_evidence(connection, actor=actor)
    for sentence in report.missing:
        notes.print(sentence, markup=False, highlight=False, soft_wrap=True)
    tell(vars(report), as_json,
         f"{count(report.checked, 'Nachweis', 'Nachweise')} geprüft, {len(report.missing)} fehlen "
         "oder sind verändert.")  # fmt: skip
    if report.missing:
        raise typer.Exit(1)


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
