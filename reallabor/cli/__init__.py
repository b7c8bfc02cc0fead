"""The command line: `reallabor`. Each command loads late, makes one call and prints. Exit codes: 0
done, 1 refused with a sentence, 2 wrong usage."""

import sys

import typer

from reallabor.cli import operating

# isort: split
from reallabor.cli import recording

# isort: split
from reallabor.cli import rating

# isort: split
from reallabor.cli import deciding

# isort: split
from reallabor.cli.screen import app, notes
from reallabor.errors import ReallaborError

__all__ = ["app", "deciding", "main", "operating", "rating", "recording"]

_APP_PARTS = frozenset({"alembic", "numpy", "pandas", "scipy", "sqlalchemy", "sqlmodel"})
"""Top-level packages of the extra `app` that commands import; recording needs none of them."""


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
