"""Names of raters stay outside: a pseudonym per round, also in what is exported."""

import csv
from collections.abc import Callable
from pathlib import Path

from building import Call
from imports import NUMBER, ROWS, take, write
from sqlalchemy import MetaData, inspect
from sqlmodel import select

from reallabor.database import get_engine, reading
from reallabor.models import Rater


def dump(url: str) -> str:
    """Every value of every table."""
    engine = get_engine(url)
    tables = MetaData()
    tables.reflect(engine)
    assert set(tables.tables) == set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        return "\n".join(
            str(tuple(row))
            for table in tables.tables.values()
            for row in connection.execute(table.select())
        )


def test_rater_names_stand_nowhere(
    tmp_path: Path, platform_url: str, call: Callable[..., Call]
) -> None:
    take("neu", write(tmp_path, ROWS), create=True, scale=(1, 5))
    everything = dump(platform_url)
    assert "alpha" in everything
    exported = call("export", "neu", "--json")
    assert len(exported.json["ratings"]) == NUMBER
    assert call("export", "neu", "--output", tmp_path / "out").code == 0
    files = "".join(path.read_text("utf-8-sig") for path in (tmp_path / "out").iterdir())
    compared = call("compare", "neu", "--json")
    for name in ("Ruth", "Rater,", "Rolf", "Richter"):
        for text in (everything, exported.out, files, compared.out):
            assert name not in text
    lines = (tmp_path / "out" / "ratings.csv").read_text("utf-8-sig").splitlines()
    in_file = {row["rater"] for row in csv.DictReader(lines, delimiter=";")}
    assert in_file == {row["rater"] for row in exported.json["ratings"]}


def test_pseudonyms_differ_between_rounds(tmp_path: Path, platform_url: str) -> None:
    take("neu", write(tmp_path, ROWS), create=True)
    take("anders", write(tmp_path, ROWS), create=True)
    with reading() as session:
        pseudonyms = session.exec(select(Rater.pseudonym)).all()
        keys = session.exec(select(Rater.name_key)).all()
    assert len(set(pseudonyms)) == len(set(keys)) == 4


def test_export_can_be_imported_again(
    tmp_path: Path, platform_url: str, call: Callable[..., Call]
) -> None:
    rows = "".join(f"c{i},v,x,F,{value},,D{i % 2}\n" for i, value in enumerate(
        ["0.123456789", "99.5", "33.3333333333", "100000.25"]))  # fmt: skip
    take("neu", write(tmp_path, rows), create=True)
    assert call("export", "neu", "--output", tmp_path / "out").code == 0
    take("kopie", tmp_path / "out" / "ratings.csv", create=True)
    one, other = call("compare", "neu", "kopie", "--json").json["scenarios"]
    assert one["variants"][0]["criteria"] == other["variants"][0]["criteria"]
