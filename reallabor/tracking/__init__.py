"""The port to MLflow; no other part of the package imports mlflow (the import contracts see to
it)."""

from reallabor.tracking.client import Connection

__all__ = ["Connection"]
