"""Reads files of ratings made elsewhere: one row a rating. Every refusal names row and column."""

import csv
import hashlib
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reallabor.content import BrokenLine, json_lines, storable
from reallabor.errors import InvalidRatings

REQUIRED = ("case", "variant", "rater", "criterion", "level")
OPTIONAL = ("comment", "cluster")


@dataclass(frozen=True)
class RatingRow:
    """One line of the file; `line` counts from 1 with the header."""

    line: int
    case: str
    variant: str
    rater: str
    criterion: str
    level: float
    comment: str | None
    cluster: str | None


@dataclass(frozen=True)
class RatingFile:
    """A file of ratings, read and checked in itself."""

    path: Path
    sha256: str
    rows: list[RatingRow]


def read_ratings(path: Path) -> RatingFile:
    """Read a file of ratings: csv or tsv (comma, semicolon or tab; UTF-8 or Windows-1252; decimal
    point or comma) or jsonl, with the columns of `REQUIRED` and `OPTIONAL`.

    Raises InvalidRatings with row and column: nothing is taken over from a file with an error.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidRatings(
            f"{path}: Die Datei lässt sich nicht lesen ({error.strerror})."
        ) from error
    if not data.strip():
        raise InvalidRatings(f"{path}: Die Datei ist leer.")
    if path.suffix.lower() in {".xlsx", ".xls", ".ods"}:
        raise InvalidRatings(
            f"{path}: Tabellen bitte in Excel mit 'Speichern unter' als CSV (UTF-8) ablegen."
        )
    text = _decoded(data)
    records = _json_records(path, text) if path.suffix == ".jsonl" else _csv_records(path, text)
    rows = [_row(path, line, record) for line, record in records]
    if not rows:
        raise InvalidRatings(f"{path}: Die Datei hat eine Kopfzeile, aber keine Bewertungen.")
    _refuse_doubled(path, rows)
    return RatingFile(path, hashlib.sha256(data).hexdigest(), rows)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _csv_records(path: Path, text: str) -> Iterable[tuple[int, dict[str, str | None]]]:
    header = text.partition("\n")[0]
    delimiter = max(";\t,", key=header.count)
    csv.field_size_limit(10_000_000)
    # Strict: a quotation mark that is never closed would swallow the rest of the file unseen.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names = [(name or "").strip().lower() for name in reader.fieldnames or []]
    if missing := [name for name in REQUIRED if name not in names]:
        raise InvalidRatings(
            f"{path}, Zeile 1: Die Spalte '{missing[0]}' fehlt. Nötig sind {', '.join(REQUIRED)}; "
            f"möglich auch {', '.join(OPTIONAL)}."
        )
    if doubled := [name for name in REQUIRED + OPTIONAL if names.count(name) > 1]:
        raise InvalidRatings(f"{path}, Zeile 1: Die Spalte '{doubled[0]}' steht zweimal da.")
    reader.fieldnames = names
    try:
        for record in reader:
            if None in record:
                raise InvalidRatings(
                    f"{path}, Zeile {reader.line_num}: Hier stehen mehr Werte als Spalten. Bei "
                    "Komma als Trennzeichen gehören Werte mit Komma in Anführungszeichen."
                )
            yield reader.line_num, record
    except csv.Error as error:
        raise InvalidRatings(
            f"{path}, Zeile {reader.line_num + 1}: nicht lesbar ({error})."
        ) from error


def _json_records(path: Path, text: str) -> Iterable[tuple[int, dict[str, str | None]]]:
    try:
        for line, record in json_lines(text):
            if not isinstance(record, dict):
                raise InvalidRatings(f"{path}, Zeile {line}: Nötig ist ein Eintrag in {{ }}.")
            yield (
                line,
                {key: None if value is None else str(value) for key, value in record.items()},
            )
    except BrokenLine as error:
        raise InvalidRatings(
            f"{path}, Zeile {error.number}: kein gültiges JSON ({error})."
        ) from error


def _row(path: Path, line: int, record: dict[str, str | None]) -> RatingRow:
    def field(name: str) -> str:
        return str(storable((record.get(name) or "").strip().replace("\x00", "")))

    for name in REQUIRED:
        if not field(name):
            raise InvalidRatings(f"{path}, Zeile {line}, Spalte {name}: Der Wert fehlt.")
    try:
        level = float(field("level").replace(",", ".").replace("_", "?"))  # Python takes 1_000
    except ValueError:
        level = math.nan
    if not math.isfinite(level):
        raise InvalidRatings(
            f"{path}, Zeile {line}, Spalte level: '{field('level')[:40]}' ist keine endliche Zahl."
        )
    return RatingRow(
        line=line,
        case=field("case"),
        variant=field("variant"),
        rater=field("rater"),
        criterion=field("criterion"),
        level=level,
        comment=field("comment") or None,
        cluster=field("cluster") or None,
    )


def _refuse_doubled(path: Path, rows: list[RatingRow]) -> None:
    first: dict[tuple[str, str, str, str], int] = {}
    cluster_of: dict[str, tuple[str | None, int]] = {}
    for row in rows:
        key = (row.case, row.variant, row.rater, row.criterion)
        if key in first:
            raise InvalidRatings(
                f"{path}, Zeile {row.line}: Diese Bewertung steht schon in Zeile {first[key]} "
                f"(Fall '{row.case}', Variante '{row.variant}', Kriterium '{row.criterion}', "
                "dieselbe Person). Bitte eine der beiden Zeilen streichen."
            )
        first[key] = row.line
        cluster, line = cluster_of.setdefault(row.case, (row.cluster, row.line))
        if cluster != row.cluster:
            raise InvalidRatings(
                f"{path}, Zeile {row.line}, Spalte cluster: Der Fall '{row.case}' gehört hier zu "
                f"'{row.cluster or '(leer)'}', in Zeile {line} zu '{cluster or '(leer)'}'. "
                "Ein Fall kann nur zu einer Gruppe gehören."
            )
