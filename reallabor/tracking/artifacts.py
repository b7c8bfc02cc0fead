"""Files in MLflow beside the runs: stored under a path, read back as bytes. Storing the same again
changes nothing."""

import tempfile
from pathlib import Path, PurePosixPath

from reallabor.tracking.client import Connection


def store_file(connection: Connection, run_id: str, path: str, data: bytes) -> None:
    """Store the bytes as the artifact at this path."""
    place = PurePosixPath(path)
    with tempfile.TemporaryDirectory() as folder, connection.translated() as client:
        file = Path(folder) / place.name
        file.write_bytes(data)
        client.log_artifact(run_id, str(file), str(place.parent))


def read_file(connection: Connection, run_id: str, path: str) -> bytes | None:
    """The bytes of the artifact at this path; None where run or file are gone. Raises
    TrackingUnavailable."""
    from mlflow.exceptions import MlflowException

    place = PurePosixPath(path)
    with tempfile.TemporaryDirectory() as folder, connection.translated() as client:
        try:
            # Listed first: the server answers a missing file like a fault of its own.
            found = {str(each.path) for each in client.list_artifacts(run_id, str(place.parent))}
            if str(place) not in found:
                return None
            return Path(client.download_artifacts(run_id, path, folder)).read_bytes()
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
