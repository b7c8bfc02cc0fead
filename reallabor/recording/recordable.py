"""Asked before anything is recorded, also where there is nothing but MLflow to record into."""

from importlib.util import find_spec


def require_recordable(slug: str) -> None:
    """Raises WrongState where the scenario is stopped. Only a platform database can know of it;
    without one the run is recorded in MLflow, and not taken over as long as the stop lasts."""
    if find_spec("sqlmodel") is None:
        return
    from reallabor.database import database_exists, reading, require_database
    from reallabor.recording.stopping import require_slug_not_stopped

    if database_exists():
        require_database()
        with reading() as session:
            require_slug_not_stopped(session, slug)
