"""How far the projection has read MLflow."""

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class Watermark(SQLModel, table=True):
    """One MLflow experiment; runs that ended before `end_time_ms` have been seen."""

    experiment_id: str = Field(primary_key=True)
    end_time_ms: int = Field(default=0, sa_type=sa.BigInteger)
