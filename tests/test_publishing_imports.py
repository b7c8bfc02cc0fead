"""Imported ratings in MLflow: a run each, without traces."""

from pathlib import Path
from typing import Any

import building
from sqlmodel import select
from tracked import traces

from reallabor.database import reading, transaction
from reallabor.models import Person, TrialRun
from reallabor.rating.importing import import_ratings
from reallabor.rating.publishing import publish
from reallabor.rating.rating_file import read_ratings
from reallabor.recording.projection import project
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments

HEADER = "case,variant,rater,criterion,level,comment,cluster\n"


def take(slug: str, path: Path, rows: str, **options: Any) -> None:
    path.write_text(HEADER + rows, encoding="utf-8")
    with transaction() as session:
        pilot = session.exec(select(Person).where(Person.name == "Paul Pilot")).first()
        pilot = pilot or building.add_staff(session)["pilot"]
        import_ratings(session, slug, read_ratings(path), actor=pilot, **options)


def test_imported_variant_becomes_run_without_traces(
    connection: Connection, platform_url: str, tmp_path: Path
) -> None:
    slug = building.new_slug("import")
    rows = "a,v1,Ruth,Größe,1,,\nb,v1,Ruth,Größe,2,,\na,v2,Ruth,Größe,3,,\n"
    take(slug, tmp_path / "r.csv", rows, create=True, scale=(0, 4))
    assert publish(connection).problems == []
    runs = connection.client.search_runs([experiments(connection)[slug]])
    assert sorted(run.data.tags[names.VARIANT] for run in runs) == ["v1", "v2"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    scores = {run.data.tags[names.VARIANT]: run.data.metrics for run in runs}
    assert scores["v1"]["score.Groesse"] == 1.5
    assert scores["v1"]["score.total"] == 37.5
    assert traces(connection, slug) == []
    assert "Ruth" not in str([run.to_dictionary() for run in runs])

    take(slug, tmp_path / "s.csv", rows.replace("b,v1,Ruth,Größe,2", "b,v1,Ruth,Größe,4"))
    publish(connection)
    runs = connection.client.search_runs([experiments(connection)[slug]])
    scores = {run.data.tags[names.VARIANT]: run.data.metrics for run in runs}
    assert len(runs) == 2
    assert scores["v1"]["score.Groesse"] == 2.5
    assert project(connection, slug=slug).runs == 0
    with reading() as session:
        assert len(session.exec(select(TrialRun)).all()) == 2
