"""Files of ratings: what is read, and how each error names its row and column."""

import json
from pathlib import Path

import pytest

from reallabor.errors import InvalidRatings
from reallabor.rating.rating_file import RatingFile, read_ratings

HEADER = "case,variant,rater,criterion,level,comment,cluster"


def read(path: Path, data: str | bytes, name: str = "r.csv") -> RatingFile:
    file = path / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_ratings(file)


def refusal(path: Path, data: str | bytes, name: str = "r.csv") -> str:
    with pytest.raises(InvalidRatings) as refused:
        read(path, data, name)
    assert name in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_all_delimiters_give_same_rows(tmp_path: Path, delimiter: str, newline: str) -> None:
    rows = [HEADER, "f-1,eins,Ärztin,FR,4,gut,D1", "f-2,eins,Ärztin,FR,5,,D1"]
    text = newline.join(row.replace(",", delimiter) for row in rows) + newline
    file = read(tmp_path, text)
    assert [(r.line, r.case, r.rater, r.level, r.comment, r.cluster) for r in file.rows] == [
        (2, "f-1", "Ärztin", 4.0, "gut", "D1"), (3, "f-2", "Ärztin", 5.0, None, "D1"),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_umlauts_survive_excel_encodings(tmp_path: Path, encoding: str) -> None:
    text = "case;variant;rater;criterion;level;comment\nf;v;Jörg;FR;3;größer – „so“ 5 €\n"
    (row,) = read(tmp_path, text.encode(encoding)).rows
    assert (row.case, row.rater, row.comment) == ("f", "Jörg", "größer – „so“ 5 €")


def test_decimal_comma_and_point_are_numbers(tmp_path: Path) -> None:
    text = "case;variant;rater;criterion;level\na;v;r;F;4,5\nb;v;r;F;4.25\nc;v;r;F;-0,5\n"
    assert [row.level for row in read(tmp_path, text).rows] == [4.5, 4.25, -0.5]


def test_unquoted_decimal_comma_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, "case,variant,rater,criterion,level\na,v,r,F,4\nb,v,r,F,4,5\n")
    assert "Zeile 3: Hier stehen mehr Werte als Spalten" in message


def test_quotes_hold_line_breaks_and_delimiters(tmp_path: Path) -> None:
    text = f'{HEADER}\na,v,r,F,4,"erste\nzweite, ""so""",\nb,v,r,F,3,,\n'
    rows = read(tmp_path, text).rows
    assert rows[0].comment == 'erste\nzweite, "so"'
    assert rows[1].case == "b"


def test_unclosed_quote_swallows_no_rows(tmp_path: Path) -> None:
    message = refusal(tmp_path, f'{HEADER}\na,v,r,F,4,"offen,\nb,v,r,F,3,,\n')
    assert "Zeile 2: nicht lesbar" in message


def test_json_lines_are_read(tmp_path: Path) -> None:
    row = {"case": "a", "variant": "v", "rater": "r", "criterion": "F", "level": 4.5,
           "comment": "eins\u2028zwei\u0085drei", "cluster": None}  # fmt: skip
    text = json.dumps(row, ensure_ascii=False) + "\r\n\n" + json.dumps({**row, "case": 7}) + "\n"
    rows = read(tmp_path, text, "r.jsonl").rows
    assert [(r.line, r.case, r.level) for r in rows] == [(1, "a", 4.5), (3, "7", 4.5)]
    assert rows[0].comment == "eins\u2028zwei\u0085drei"


def test_column_order_and_case_do_not_matter(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "Level; Rater ;CASE;Criterion;variant;mehr\n4;r;a;F;v;x\n").rows
    assert (row.case, row.rater, row.level) == ("a", "r", 4.0)


@pytest.mark.parametrize("column", ["case", "variant", "rater", "criterion", "level"])
def test_missing_column_is_named(tmp_path: Path, column: str) -> None:
    header = HEADER.replace(column, "anders")
    message = refusal(tmp_path, f"{header}\na,v,r,F,4,,\n")
    assert f"Zeile 1: Die Spalte '{column}' fehlt" in message


def test_double_column_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, "case,variant,rater,criterion,level,Level\na,v,r,F,4,5\n")
    assert "Zeile 1: Die Spalte 'level' steht zweimal da" in message


@pytest.mark.parametrize("column", ["case", "variant", "rater", "criterion", "level"])
def test_missing_value_names_row_and_column(tmp_path: Path, column: str) -> None:
    values = dict(zip(HEADER.split(","), "b,v,r,F,4,,".split(","), strict=True)) | {column: " "}
    message = refusal(tmp_path, f"{HEADER}\na,v,r,F,4,,\n{','.join(values.values())}\n")
    assert f"Zeile 3, Spalte {column}: Der Wert fehlt" in message


@pytest.mark.parametrize(
    "value", ["vier", "nan", "NaN", "inf", "-Infinity", "1.000,5", "1_0", "4;"]
)
def test_level_must_be_finite_number(tmp_path: Path, value: str) -> None:
    message = refusal(tmp_path, f'{HEADER}\na,v,r,F,4,,\nb,v,r,F,"{value}",,\n')
    assert "Zeile 3, Spalte level" in message
    assert "keine endliche Zahl" in message


def test_true_is_no_level(tmp_path: Path) -> None:
    line = '{"case": "a", "variant": "v", "rater": "r", "criterion": "F", "level": true}'
    assert "Zeile 1, Spalte level" in refusal(tmp_path, line, "r.jsonl")


def test_double_rating_names_both_rows(tmp_path: Path) -> None:
    message = refusal(tmp_path, f"{HEADER}\na,v,r,F,4,,\nb,v,r,F,4,,\na,v,r,F,5,,\n")
    assert "Zeile 4: Diese Bewertung steht schon in Zeile 2" in message
    assert "'r'" not in message  # people are not named on screens


def test_case_in_two_clusters_refuses_file(tmp_path: Path) -> None:
    message = refusal(tmp_path, f"{HEADER}\na,v,r,F,4,,D1\na,w,r,F,4,,D2\n")
    assert (
        "Zeile 3, Spalte cluster: Der Fall 'a' gehört hier zu 'D2', in Zeile 2 zu 'D1'" in message
    )
    message = refusal(tmp_path, f"{HEADER}\na,v,r,F,4,,D1\na,w,r,F,4,,\n")
    assert "'(leer)'" in message


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "r.csv", "Die Datei ist leer"),
        (b" \n\n", "r.csv", "Die Datei ist leer"),
        (f"{HEADER}\n".encode(), "r.csv", "keine Bewertungen"),
        (b"PK\x03\x04", "r.xlsx", "als CSV"),
        (b"{", "r.jsonl", "Zeile 1: kein gültiges JSON"),
        (b"[1]", "r.jsonl", "Zeile 1: Nötig ist ein Eintrag"),
    ],
)
def test_useless_file_is_explained(tmp_path: Path, data: bytes, name: str, sentence: str) -> None:
    assert sentence in refusal(tmp_path, data, name)


def test_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidRatings, match=r"nichts\.csv: Die Datei lässt sich nicht lesen"):
        read_ratings(tmp_path / "nichts.csv")
