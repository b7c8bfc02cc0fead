"""The ways in; needs no database, so that recording alone can name them."""

from enum import StrEnum


class Way(StrEnum):
    """How a run came in."""

    RUN = "run"
    PYTHON = "python"
    FILE = "file"
    ENDPOINT = "endpoint"
    MLFLOW = "mlflow"
    """Logged by somebody who never installed this package."""
