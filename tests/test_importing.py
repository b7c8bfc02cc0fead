"""import-ratings: all or nothing, idempotent, under pseudonyms; published examples come out."""

from collections.abc import Callable
from pathlib import Path

import building
import pytest
from building import Call, Trial
from imports import NUMBER, ROWS, assert_nothing_stored, count_of, current, take, write
from sqlmodel import select

from reallabor.database import reading, transaction
from reallabor.errors import InvalidRatings, UnknownObject, WrongState
from reallabor.models import (
    AuditEntry,
    Delivery,
    OutboxEntry,
    Rater,
    Rating,
    Round,
    Rubric,
    Scenario,
    TrialRun,
)


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
        from reallabor.deciding.comparison import compare
        from reallabor.deciding.published import comparison_json

        (variant,) = comparison_json(compare(session, [shipped.slug])[0])["variants"]
    assert variant["criteria"]["FR"]["mean"] == 5
    assert variant["n_ratings"] == 1


def test_imported_scenario_needs_no_folder(
    tmp_path: Path, platform_url: str, call: Callable[..., Call], trial: Trial
) -> None:
    take("neu", write(tmp_path, ROWS), create=True)
    assert not (trial.content / "scenarios" / "neu").exists()
    titles = [each["slug"] for each in call("compare", "--json").json["scenarios"]]
    assert titles == ["neu"]
    with reading() as session:
        assert count_of(session, TrialRun) == 2
