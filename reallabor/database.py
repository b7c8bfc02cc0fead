"""The platform database: engine, migrations and transactions. Sessions open at the edge
(`cli`, `ui`, `worker`); every use case is one transaction."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlmodel import Session

from reallabor.errors import DatabaseUnavailable, StorageFull
from reallabor.settings import get_settings

_MIGRATION_LOCK = 5_271_009
"""Key of PostgreSQL's advisory lock around migrations; any fixed number."""
CATALOGUE_LOCK = 5_271_011
"""Key for `take_turns`: who makes scenarios, rubrics, organisations or imports."""


@cache
def get_engine(url: str) -> Engine:
    """The engine of this process for one address."""
    address = _address(url)
    if address.get_backend_name() != "sqlite":
        return create_engine(address, pool_pre_ping=True)
    engine = create_engine(address, connect_args={"timeout": 30})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _address(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise DatabaseUnavailable(
            "REALLABOR_DATABASE_URL ist keine Adresse einer Datenbank. Bitte so angeben: "
            "postgresql://NUTZER:PASSWORT@RECHNER/DATENBANK, oder leer lassen für SQLite."
        ) from error


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # pysqlite must not begin by itself: a transaction that reads first and writes later would
    # fail with "database is locked" although a writer only had to wait.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def database_exists(url: str | None = None) -> bool:
    """Whether the platform database is there and has its tables."""
    url = url or get_settings().platform_url
    address = _address(url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        return False
    try:
        return bool(inspect(get_engine(url)).has_table("scenario"))
    except OperationalError as error:
        raise _unavailable(error) from error


def prepare_database(url: str | None = None) -> None:
    """Create the database or bring it to the newest version. Safe when several start at once."""
    url = url or get_settings().platform_url
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        folder = Path(address.database or "").parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / ".migration.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                _upgrade(url)
        except OSError as error:
            raise StorageFull(
                f"Der Ordner {folder} lässt sich nicht beschreiben ({error.strerror}). "
                "Bitte Platz schaffen oder REALLABOR_HOME auf einen anderen Ordner setzen."
            ) from error
        return
    try:
        with get_engine(url).connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
            try:
                _upgrade(url)
            finally:
                connection.execute(
                    text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK}
                )
    except OperationalError as error:
        raise _unavailable(error) from error


def _upgrade(url: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseUnavailable(
            f"Die Plattform-Datenbank gehört zu einer anderen Programmversion ({error}). Bitte das "
            "Programm aktualisieren, oder die passende Datenbank einstellen."
        ) from error


@contextmanager
def transaction(url: str | None = None) -> Iterator[Session]:
    """A session that commits at the end, or rolls back wholly on any error."""
    with _session(url, read_only=False) as session:
        yield session
        session.commit()


@contextmanager
def reading(url: str | None = None) -> Iterator[Session]:
    """A session that only reads; on SQLite it never waits for a writer."""
    with _session(url, read_only=True) as session:
        yield session


@contextmanager
def _session(url: str | None, *, read_only: bool) -> Iterator[Session]:
    engine = get_engine(url or get_settings().platform_url)
    try:
        with Session(engine.execution_options(read_only=read_only)) as session:
            yield session
    except OperationalError as error:
        reason = str(error.orig).splitlines()[0]
        if "full" in reason:
            raise StorageFull(
                f"Die Plattform-Datenbank lässt sich nicht beschreiben ({reason}). "
                "Bitte Speicherplatz schaffen; gespeichert wurde nichts."
            ) from error
        raise _unavailable(error) from error


def _unavailable(error: OperationalError) -> DatabaseUnavailable:
    reason = str(error.orig).splitlines()[0]
    return DatabaseUnavailable(
        f"Die Plattform-Datenbank antwortet nicht ({reason}). "
        "Bitte REALLABOR_DATABASE_URL und den Datenbankdienst prüfen."
    )


def take_turns(session: Session, key: int) -> None:
    """Wait until no other transaction holds this key, and hold it to the end of this one. SQLite
    has a single writer at any time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def require_database() -> None:
    """Refuse in a sentence where no platform database has been set up yet."""
    if not database_exists():
        raise DatabaseUnavailable(
            "Hier gibt es noch keine Plattform-Datenbank; aufzeichnen geht ohne sie, bewerten "
            "und vergleichen nicht. `reallabor up` oder `reallabor demo` legt sie an, oder "
            "REALLABOR_DATABASE_URL zeigt auf eine vorhandene."
        )
    if _version() != _newest_version():
        prepare_database()


def _version() -> str | None:
    with reading() as session:
        return session.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _newest_version() -> str:
    """The number at the beginning of the newest migration's file name."""
    files = (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py")
    return max(file.name.split("_")[0] for file in files)
