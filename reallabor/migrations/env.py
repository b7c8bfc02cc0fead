"""Alembic's entry: the address comes from `database.prepare_database`."""

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import DateTime, String
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import reallabor.models
from reallabor.database import get_engine
from reallabor.models.base import UtcDateTime

assert reallabor.models  # registers the tables


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write plain SQLAlchemy types, so that old migrations do not depend on today's code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return f"sa.{DateTime(timezone=True)!r}"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.{String()!r}"
    return False


with get_engine(context.config.attributes["url"]).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
