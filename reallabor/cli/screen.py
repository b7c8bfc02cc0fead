"""What all commands share: the typer application, the two screens, tables, progress and MLflow."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.rich_utils
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from reallabor.german import span

if TYPE_CHECKING:
    from reallabor.recording.trials import Progress as OnCase
    from reallabor.tracking import Connection

# Typer speaks English by itself; these are the words a reader of --help meets.
typer.rich_utils.REQUIRED_LONG_STRING = "[nötig]"
typer.rich_utils.DEFAULT_STRING = "[Vorgabe: {}]"
typer.rich_utils.RICH_HELP = "Hilfe: [blue]{command_path} {help_option}[/]"
typer.rich_utils.OPTIONS_PANEL_TITLE = "Optionen"
typer.rich_utils.ARGUMENTS_PANEL_TITLE = "Angaben"
typer.rich_utils.COMMANDS_PANEL_TITLE = "Befehle"
typer.rich_utils.ERRORS_PANEL_TITLE = "Fehler"

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
