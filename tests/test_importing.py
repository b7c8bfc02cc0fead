"""import-ratings: all or nothing, idempotent, under pseudonyms; published examples come out."""

import csv
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import building
import pytest
from building import Call, Trial, start_reallabor
from scipy import stats
from sqlalchemy import MetaData, inspect
from sqlmodel import Session, col, func, select

from reallabor.database import get_engine, reading, transaction
from reallabor.errors import InvalidRatings, UnknownObject, WrongState
from reallabor.models import (
    AuditEntry,
    Case,
    Delivery,
    OutboxEntry,
    Person,
    Rater,
    Rating,
    Round,
    Rubric,
    Scenario,
    TrialRun,
)
from reallabor.rating.importing import ImportReport, import_ratings
from reallabor.rating.rating_file import read_ratings

HEADER = "case,variant,rater,criterion,level,comment,cluster\n"
ROWS = "".join(
    f"c{case},{variant},{rater},{criterion},{1 + (case + len(variant) + len(rater)) % 5},,\n"
    for case in range(4)
    for variant in ("alpha", "be")
    for rater in ("Ruth Rater", "Rolf Richter")
    for criterion in ("F", "G")
)
NUMBER = 32


def write(tmp_path: Path, rows: str, name: str = "r.csv") -> Path:
    file = tmp_path / name
    file.write_text(HEADER + rows, encoding="utf-8")
    return file


def take(slug: str, file: Path, **options: Any) -> ImportReport:
    """One import in a transaction of its own, as the pilot team does it."""
    with transaction() as session:
        pilot = session.exec(select(Person).where(Person.name == "Paul Pilot")).first()
        pilot = pilot or building.add_staff(session)["pilot"]
        return import_ratings(session, slug, read_ratings(file), actor=pilot, **options)


def current(session: Session) -> list[Rating]:
    return list(
        session.exec(
            select(Rating).where(col(Rating.superseded_at).is_(None)).order_by(col(Rating.id))
        ).all()
    )


def count_of(session: Session, table: Any) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


def assert_nothing_stored() -> None:
    with reading() as session:
        for table in (Scenario, Case, Round, Rater, Rating, Rubric, OutboxEntry, AuditEntry):
            assert count_of(session, table) == 0, table


def test_create_makes_everything_from_file(tmp_path: Path, platform_url: str) -> None:
    report = take("neu", write(tmp_path, ROWS), create=True, scale=(1, 5))
    assert (report.created, report.unchanged) == (True, False)
    assert (report.ratings, report.cases, report.variants, report.raters, report.criteria) == (
        NUMBER, 4, 2, 2, 2,
    )  # fmt: skip
    with reading() as session:
        round_ = session.exec(select(Round)).one()
        assert round_.released_at is not None
        assert round_.origin == "imported"
        kinds = sorted(session.exec(select(OutboxEntry.kind)).all())
        rubric = session.exec(select(Rubric)).one()
        assert len(current(session)) == NUMBER
    assert kinds == [Delivery.IMPORTED_RUN] * 2 + [Delivery.SCORES] * 2
    assert (rubric.scale_min, rubric.scale_max, rubric.scale_declared) == (1, 5, True)


def test_without_create_unknown_slug_is_refused(tmp_path: Path, platform_url: str) -> None:
    with pytest.raises(UnknownObject, match="Szenario 'neu' gibt es hier nicht"):
        take("neu", write(tmp_path, ROWS))
    assert_nothing_stored()


@pytest.mark.parametrize("slug", ["Neu", "a b", "../x", "-a", "ä", ""])
def test_unfit_name_creates_nothing(tmp_path: Path, platform_url: str, slug: str) -> None:
    with pytest.raises(InvalidRatings, match="taugt nicht als Name"):
        take(slug, write(tmp_path, ROWS), create=True)
    assert_nothing_stored()


def test_same_file_twice_changes_nothing(tmp_path: Path, platform_url: str) -> None:
    file = write(tmp_path, ROWS)
    take("neu", file, create=True, scale=(1, 5))
    with transaction() as session:
        for entry in session.exec(select(OutboxEntry)):
            entry.done_at = entry.created_at
    report = take("neu", file, create=True, scale=(1, 5))
    assert (report.unchanged, report.ratings, report.created) == (True, 0, False)
    with reading() as session:
        assert count_of(session, Rating) == NUMBER
        assert count_of(session, Round) == 1
        assert count_of(session, AuditEntry) == 1
        assert all(entry.done_at for entry in session.exec(select(OutboxEntry)))


def test_changed_file_adds_and_revises(tmp_path: Path, platform_url: str) -> None:
    take("neu", write(tmp_path, ROWS), create=True, scale=(1, 5))
    lines = ROWS.splitlines(keepends=True)
    first = lines[0].split(",")
    first[4] = "5" if first[4] != "5" else "4"
    changed = ",".join(first) + "".join(lines[1:]) + "c9,alpha,Ruth Rater,F,3,,\n"
    report = take("neu", write(tmp_path, changed, "s.csv"), create=True)
    assert (report.ratings, report.revised) == (2, 1)
    with reading() as session:
        assert count_of(session, Rating) == NUMBER + 2
        assert len(current(session)) == NUMBER + 1
        assert count_of(session, Rater) == 2
        assert count_of(session, Round) == 1


def test_error_in_last_row_stores_nothing(
    tmp_path: Path, platform_url: str, call: Callable[..., Call]
) -> None:
    file = write(tmp_path, ROWS + "c1,alpha,Neu,F,9,,\n")
    done = call("import-ratings", "neu", file, "--create", "--scale", "1:5", "--json")
    assert (done.code, done.out) == (1, "")
    assert f"Zeile {NUMBER + 2}, Spalte level: Stufe 9 gibt es in 'import/neu@1' nicht" in done.err
    with reading() as session:
        assert count_of(session, Rating) == 0
        assert session.exec(select(Scenario).where(Scenario.slug == "neu")).first() is None


def test_options_against_stored_rubric_are_refused(tmp_path: Path, platform_url: str) -> None:
    take("neu", write(tmp_path, ROWS), create=True, scale=(1, 5))
    other = write(tmp_path, "c1,alpha,Neu,F,3,,\n", "s.csv")
    with pytest.raises(InvalidRatings, match="hat die Skala 1 bis 5; --scale 0:100"):
        take("neu", other, scale=(0, 100))
    with pytest.raises(InvalidRatings, match="--lower-is-better widerspricht"):
        take("neu", other, lower_is_better=True)
    with reading() as session:
        assert count_of(session, Rating) == NUMBER


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("c9,alpha,x,F,3,,\n", "Spalte case: Den Fall 'c9' gibt es"),
        ("c1,gamma,x,F,3,,\n", "Spalte variant: Zu 'gamma' gibt es"),
        ("c1,alpha,x,H,3,,\n", "Spalte criterion: 'H' gibt es"),
        ("c1,alpha,x,F,0,,\n", "Spalte level: Stufe 0 gibt es"),
    ],
)
def test_unknown_names_refuse_the_file(
    tmp_path: Path, platform_url: str, row: str, sentence: str
) -> None:
    take("neu", write(tmp_path, ROWS), create=True, scale=(1, 5))
    with pytest.raises(InvalidRatings, match=sentence) as refusal:
        take("neu", write(tmp_path, "c0,alpha,y,F,3,,\n" + row, "s.csv"))
    assert "Zeile 3" in str(refusal.value)
    with reading() as session:
        assert count_of(session, Rating) == NUMBER
        assert count_of(session, Rater) == 2


def test_cluster_of_known_case_never_changes(tmp_path: Path, platform_url: str) -> None:
    take("neu", write(tmp_path, "c1,v,x,F,3,,D1\nc2,v,x,F,1,,D1\n"), create=True)
    with pytest.raises(InvalidRatings, match="'c1' gehört bisher zu 'D1'"):
        take("neu", write(tmp_path, "c1,v,y,F,3,,D2\n", "s.csv"), create=True)


def test_overlong_criterion_names_its_row(tmp_path: Path, platform_url: str) -> None:
    with pytest.raises(InvalidRatings, match=r"Zeile 2, Spalte criterion: .* 64 Zeichen"):
        take("neu", write(tmp_path, f"c1,v,x,{'K' * 65},3,,\n"), create=True)
    assert_nothing_stored()


# --- ratings of shipped scenarios ---------------------------------------------------------------


@pytest.fixture
def shipped(trial: Trial, platform_url: str) -> Trial:
    with transaction() as session:
        building.load_with_runs(session, trial, ["eins", "zwei"])
        building.add_staff(session)
    return trial


def test_ratings_reach_the_recorded_outputs(shipped: Trial, tmp_path: Path) -> None:
    file = write(tmp_path, "f-1,eins,x,FR,4,gut,\nf-1,zwei,x,FR,2,,\n")
    report = take(shipped.slug, file)
    assert (report.ratings, report.created) == (2, False)
    with reading() as session:
        kinds = building.judged_kinds(session)
    assert kinds == ["feedback", "feedback", "scores", "scores"]


def test_anchored_levels_are_whole_numbers(shipped: Trial, tmp_path: Path) -> None:
    with pytest.raises(InvalidRatings, match=r"Stufe 4\.5 .* ganze Zahlen"):
        take(shipped.slug, write(tmp_path, "f-1,eins,x,FR,4.5,,\n"))


def test_create_adds_nothing_to_shipped(shipped: Trial, tmp_path: Path) -> None:
    with pytest.raises(InvalidRatings, match="Den Fall 'neu' gibt es"):
        take(shipped.slug, write(tmp_path, "neu,eins,x,FR,4,,\n"), create=True)


def test_organisation_must_be_named_where_two(shipped: Trial, tmp_path: Path) -> None:
    with transaction() as session:
        building.add_run(session, shipped.slug, "eins", organisation="Haus B")
    file = write(tmp_path, "f-1,eins,x,FR,4,,\n")
    with pytest.raises(WrongState, match="--organisation"):
        take(shipped.slug, file)
    with pytest.raises(UnknownObject, match="Organisation 'Haus C'"):
        take(shipped.slug, file, organisation="Haus C")
    assert take(shipped.slug, file, organisation="Haus B").ratings == 1


def test_ratings_of_two_runs_are_never_pooled(shipped: Trial, tmp_path: Path) -> None:
    first = take(shipped.slug, write(tmp_path, "f-1,eins,x,FR,1,,\n"))
    with transaction() as session:
        building.add_run(session, shipped.slug, "eins")
    second = take(shipped.slug, write(tmp_path, "f-1,eins,x,FR,5,,\n", "s.csv"))
    assert first.round_id != second.round_id
    with reading() as session:
        from reallabor.deciding.comparison import as_json, compare

        (variant,) = as_json(compare(session, [shipped.slug])[0])["variants"]
    assert variant["criteria"]["FR"]["mean"] == 5
    assert variant["n_ratings"] == 1


# --- faults -------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from reallabor.database import prepare_database, transaction
from reallabor.people import acting_person
from reallabor.rating.importing import import_ratings
from reallabor.rating.rating_file import read_ratings
prepare_database()
with transaction() as session:
    import_ratings(session, "neu", read_ratings(Path(sys.argv[1])), actor=acting_person(session),
                   create=True, scale=(1, 5))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_import_leaves_nothing_half(
    tmp_path: Path, platform_url: str, trial: Trial, call: Callable[..., Call]
) -> None:
    file = write(tmp_path, ROWS)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert_nothing_stored()
    done = call("import-ratings", "neu", file, "--create", "--scale", "1:5", "--json")
    assert done.json["ratings"] == NUMBER


def test_two_processes_import_a_file_once(tmp_path: Path, empty_url: str, trial: Trial) -> None:
    file = write(tmp_path, ROWS)
    processes = [
        start_reallabor("import-ratings", "neu", file, "--create", "--scale", "1:5", "--json")
        for _ in range(2)
    ]
    reports = []
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        reports.append(json.loads(out))
    assert sorted(report["ratings"] for report in reports) == [0, NUMBER]
    with reading() as session:
        assert count_of(session, Rating) == NUMBER
        assert count_of(session, Round) == 1


def test_two_imports_at_the_same_moment_count_once(tmp_path: Path, platform_url: str) -> None:
    """Closer together than two processes can be started."""
    take("anderes", write(tmp_path, "a,v,x,F,3,,\n", "a.csv"), create=True)  # people are there
    file = write(tmp_path, ROWS)
    barrier = threading.Barrier(4)

    def import_it(_: int) -> int:
        barrier.wait()
        return take("neu", file, create=True, scale=(1, 5)).ratings

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(import_it, range(4)))
    assert sorted(taken) == [0, 0, 0, NUMBER]
    with reading() as session:
        assert count_of(session, Rating) == NUMBER + 1
        assert count_of(session, Round) == 2


def test_full_disk_during_import_is_a_sentence(
    tmp_path: Path, home: Path, trial: Trial, call: Callable[..., Call]
) -> None:
    assert call("import-ratings", "neu", write(tmp_path, ROWS), "--create").code == 0
    rows = "".join(f"c{i},v,x,F,3,{'K' * 300},\n" for i in range(3000))
    many = write(tmp_path, rows, "many.csv")
    size = 300_000  # bytes that one file may have
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f {size // 1024}; exec {building.COMMAND} import-ratings "
         f"viele {many} --create"],
        env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "Plattform-Datenbank" in done.stderr
    with reading() as session:
        assert count_of(session, Rating) == NUMBER
    assert call("import-ratings", "viele", many, "--create").code == 0


# --- pseudonyms ---------------------------------------------------------------------------------


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


# --- published examples -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def examples(shared_data: Path) -> Any:
    return json.loads((shared_data / "worked_examples.json").read_text("utf-8"))


def test_canonical_example_gives_published_agreement(
    tmp_path: Path, platform_url: str, examples: Any, call: Callable[..., Call]
) -> None:
    example = examples["krippendorff_canonical"]
    rows = "".join(
        f"u{unit:02d},v,r{rater},K,{level},,\n"
        for rater, levels in enumerate(example["ratings_by_rater"])
        for unit, level in enumerate(levels)
        if level is not None
    )
    done = call("import-ratings", "kanon", write(tmp_path, rows), "--create", "--scale", "1:5")
    assert done.code == 0, done.err
    figures = call("agreement", "kanon", "--json").json["criteria"]["K"]
    for kind in ("nominal", "ordinal", "interval"):
        assert figures["alpha"][kind] == pytest.approx(example["alpha"][kind], abs=1e-6)
    published = example["gwet"]["quadratic"]["coefficient"]
    assert figures["ac2"] == pytest.approx(published, abs=5e-4)
    assert (figures["units"], figures["raters"], figures["ratings"]) == (12, 4, 41)
    assert figures["alpha_interval"] is None
    assert "nicht belastbar" in figures["alpha_interval_reason"]


def test_wmt_example_gives_published_means(
    tmp_path: Path, platform_url: str, shared_data: Path, examples: Any,
    call: Callable[..., Call],
) -> None:  # fmt: skip
    example = examples["wmt21_ted_en_de"]
    penalties: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    file = tmp_path / "wmt.csv"
    source = shared_data / "wmt_mqm" / "ted_ende_scores_long.csv"
    with source.open(encoding="utf-8") as rows, file.open("w", encoding="utf-8") as target:
        target.write(HEADER)
        for row in csv.DictReader(rows):
            case = f"{row['doc']}/{row['seg_id']}"
            target.write(f"{case},{row['system']},{row['rater']},MQM,{row['MQM']},,{row['doc']}\n")
            penalties[row["system"]][row["doc"], row["seg_id"]] = float(row["MQM"])
    done = call("import-ratings", "wmt", file, "--create", "--lower-is-better", "--json")
    assert done.code == 0, done.err

    (scenario,) = call("compare", "wmt", "--json").json["scenarios"]
    assert scenario["n_cases"] == example["segments"]
    variants = {variant["variant"]: variant for variant in scenario["variants"]}
    assert len(variants) == example["systems"]
    for system, mean in example["mean_penalty"].items():
        assert round(variants[system]["criteria"]["MQM"]["mean"], 2) == mean
    for system, variant in variants.items():
        figure, values = variant["criteria"]["MQM"], penalties[system]
        mean = statistics.fmean(values.values())
        sums: dict[str, float] = defaultdict(float)
        sizes: dict[str, int] = defaultdict(int)
        for (doc, _), value in values.items():
            sums[doc] += value - mean
            sizes[doc] += 1
        clusters, n = len(sums), len(values)
        variance = clusters / (clusters - 1) * sum(s * s for s in sums.values()) / n**2
        equal_sized = n**2 / sum(size * size for size in sizes.values())
        reach = stats.t.ppf(0.975, equal_sized - 1) * math.sqrt(variance)
        assert (figure["n"], figure["mean"]) == (n, pytest.approx(mean))
        assert figure["interval"] == pytest.approx([mean - reach, mean + reach])
        assert figure["interval_method"] == "t-cluster"
        assert variant["score"] is None
        assert "Skala" in variant["score_reason"]

    figures = call("agreement", "wmt", "--json").json["criteria"]["MQM"]
    assert figures["alpha"] == {"nominal": None, "ordinal": None, "interval": None}
    for key in ("alpha_interval", "ac2", "raw_agreement"):
        assert figures[key] is None
    for key in ("alpha_reason", "alpha_interval_reason", "ac2_reason", "raw_agreement_reason"):
        assert figures[key].strip()


def test_imported_scenario_needs_no_folder(
    tmp_path: Path, platform_url: str, call: Callable[..., Call], trial: Trial
) -> None:
    take("neu", write(tmp_path, ROWS), create=True)
    assert not (trial.content / "scenarios" / "neu").exists()
    titles = [each["slug"] for each in call("compare", "--json").json["scenarios"]]
    assert titles == ["neu"]
    with reading() as session:
        assert count_of(session, TrialRun) == 2
