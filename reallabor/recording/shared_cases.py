"""Cases in MLflow: a scenario's Steckbrief and cases lie in its experiment as files of one run, so
that somebody who has nothing but MLflow's address can record a trial."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from reallabor.errors import UnknownObject
from reallabor.scenarios import ScenarioFolder, load_scenario, write_scenario
from reallabor.tracking import Connection, names, recording
from reallabor.tracking.reading import content_run, fetch_files

FILES = ("scenario.yaml", "cases.jsonl")


def publish_cases(connection: Connection, scenario: ScenarioFolder) -> None:
    """Bring the present cases into the scenario's experiment; the same ones never twice."""
    experiment_id = recording.ensure_experiment(connection, scenario.slug, scenario.content.title)
    run = recording.open_run(
        connection,
        experiment_id,
        run_key=f"content/{scenario.sha256}",
        name="Steckbrief und Fälle",
        started_at=datetime.now(UTC),
        tags={names.CONTENT: "true", names.CASES_SHA256: scenario.cases_sha256},
    )
    with tempfile.TemporaryDirectory() as folder:
        write_scenario(scenario, Path(folder))
        moment = datetime.now(UTC)
        recording.finish_run(
            connection,
            run.run_id,
            params={},
            artifacts=[Path(folder) / name for name in FILES],
            finished_at=moment,
        )


def fetch_scenario(connection: Connection, slug: str) -> ScenarioFolder:
    """The newest Steckbrief and cases that MLflow holds. Raises UnknownObject, TrackingUnavailable,
    TrackingRefused."""
    connection.require()
    run_id = content_run(connection, slug)
    if run_id is None:
        raise UnknownObject(
            f"Zum Szenario '{slug}' liegen unter {connection.address} keine Fälle. Bitte den "
            "Kurznamen prüfen, oder das Reallabor bitten, das Szenario dort zu veröffentlichen."
        )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / slug
        target.mkdir()
        fetch_files(connection, run_id, FILES, target)
        found = load_scenario(slug, Path(folder))
        return ScenarioFolder(slug=slug, content=found.content, cases=found.cases)
