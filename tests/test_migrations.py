"""Migrations: they build exactly the tables that the models declare."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import Session, SQLModel, select

import reallabor
from reallabor.database import database_exists, get_engine, prepare_database
from reallabor.models import Assignment, Rating, Remark, Round, TrialRun


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
    prepare_database(empty_url)
    config = Config()
    config.set_main_option("script_location", str(Path(reallabor.__file__).parent / "migrations"))
    config.attributes["url"] = empty_url
    command.downgrade(config, "base")
    assert inspect(get_engine(empty_url)).get_table_names() == ["alembic_version"]


def test_upgrade_keeps_rounds_and_ratings(empty_url: str) -> None:
    """From the first version with rows in the tables that later versions change: SQLite must not
    rebuild a table that others point to."""
    config = Config()
    config.set_main_option("script_location", str(Path(reallabor.__file__).parent / "migrations"))
    config.attributes["url"] = empty_url
    command.upgrade(config, "0001")
    rows = (
        "INSERT INTO person (id, name, roles, active, demo) VALUES (1, 'Wer', '[]', true, false)",
        "INSERT INTO rubric (id, key, version, title, content, content_sha256, scale_min,"
        " scale_max, scale_declared, higher_is_better, loaded_at)"
        " VALUES (1, 'r', 1, 'R', '{}', '', 1, 5, true, true, '2026-01-01 00:00:00')",
        "INSERT INTO criterion (id, rubric_id, key, title, position, weight)"
        " VALUES (1, 1, 'k', 'K', 0, 100)",
        "INSERT INTO scenario (id, slug, title, origin, content, content_sha256, loaded_at)"
        " VALUES (1, 's', 'S', 'shipped', '{}', '', '2026-01-01 00:00:00')",
        "INSERT INTO variant (id, scenario_id, key, title, description, baseline, candidate)"
        " VALUES (1, 1, 'v', 'V', '', false, false)",
        "INSERT INTO trial_case (id, scenario_id, key, version, current, reference, passages,"
        " topic, edge, content_sha256) VALUES (1, 1, 'c', 1, true, '', '[]', '', false, '')",
        "INSERT INTO trial_run (id, scenario_id, variant_id, started_at, finished_at, params,"
        " indicators, complete, demo) VALUES (1, 1, 1, '2026-01-01 00:00:00',"
        " '2026-01-01 00:00:00', '{}', '{}', true, false)",
        "INSERT INTO output (id, run_id, case_id, details, content_sha256)"
        " VALUES (1, 1, 1, '{}', '')",
        "INSERT INTO rating_round (id, scenario_id, number, rubric_id, origin, overlap, seed,"
        " pseudonym_key, demo, opened_at, opened_by)"
        " VALUES (1, 1, 1, 1, 'blind', 2, 0, 'k', false, '2026-01-01 00:00:00', 1)",
        "INSERT INTO rater (id, round_id, pseudonym, name_key, person_id)"
        " VALUES (1, 1, 'B-1', 'k', 1)",
        "INSERT INTO assignment (id, token, rater_id, output_id, position) VALUES (1,'t',1,1,1)",
        "INSERT INTO rating (id, round_id, rater_id, output_id, criterion_id, level, submission,"
        " created_at) VALUES (1, 1, 1, 1, 1, 4, 's', '2026-01-01 00:00:00')",
        "INSERT INTO remark (id, rater_id, output_id, text, submission, created_at)"
        " VALUES (1, 1, 1, 'Text', 's', '2026-01-01 00:00:00')",
    )
    with get_engine(empty_url).begin() as connection:
        for row in rows:
            connection.execute(text(row))
    prepare_database(empty_url)
    with Session(get_engine(empty_url)) as session:
        assert session.exec(select(Rating)).one().level == 4
        remark = session.exec(select(Remark)).one()
        assert (remark.text, remark.passages, remark.rework_minutes) == ("Text", [], None)
        assert session.exec(select(Round)).one().requires_calibration is False
        assert session.exec(select(Assignment)).one().ended_at is None
        assert session.exec(select(TrialRun)).one().way == "run"
