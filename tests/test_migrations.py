"""Migrations: they build exactly the tables that the models declare."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from reallabor.database import database_exists, get_engine, prepare_database


def test_migrations_leave_no_difference_to_models(empty_url: str) -> None:
    prepare_database(empty_url)
    with get_engine(empty_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_preparing_twice_keeps_the_data(empty_url: str) -> None:
    prepare_database(empty_url)
    with get_engine(empty_url).begin() as connection:
        connection.execute(text("INSERT INTO organisation (name) VALUES ('Haus')"))
    prepare_database(empty_url)
    with get_engine(empty_url).connect() as connection:
        assert connection.execute(text("SELECT name FROM organisation")).scalars().all() == ["Haus"]


def test_empty_database_counts_as_missing(empty_url: str) -> None:
    assert not database_exists(empty_url)
    prepare_database(empty_url)
    assert database_exists(empty_url)


def test_downgrade_takes_all_tables_away(empty_url: str) -> None:
    from pathlib import Path

    from alembic import command
    from alembic.config import Config

    import reallabor

    prepare_database(empty_url)
    config = Config()
    config.set_main_option("script_location", str(Path(reallabor.__file__).parent / "migrations"))
    config.attributes["url"] = empty_url
    command.downgrade(config, "base")
    assert inspect(get_engine(empty_url)).get_table_names() == ["alembic_version"]
