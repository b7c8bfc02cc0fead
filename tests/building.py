"""Builds what tests work on: content folders, people, runs, rounds, and calls of the command line.
Rows are written through the same functions and tables as the software uses."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import yaml
from sqlmodel import Session, col, select

from reallabor.content import digest
from reallabor.deciding.worksheets import answer_worksheet
from reallabor.gates import load_gates
from reallabor.models import (
    Assignment,
    Case,
    Delivery,
    Organisation,
    OutboxEntry,
    Output,
    Person,
    Rater,
    Role,
    Round,
    Scenario,
    TrialRun,
    Variant,
)
from reallabor.policies import OFFICES
from reallabor.rating.ratings import Judgement, submit_rating
from reallabor.recording.catalogue import get_organisation, load_shipped
from reallabor.settings import Settings
from reallabor.supervisor import _free_port, _wait, tracking_part
from reallabor.tracking import Connection, names
from reallabor.tracking.reading import experiments

REPOSITORY = Path(__file__).resolve().parent.parent
SHIPPED = "buerger-chatbot"
HOUSE = "Jobcenter Musterstadt"
"""The organisation of the small trial."""
OTHER = "Jobcenter Beispielkreis"
CRITERIA = ("FR", "QU", "VS", "UE", "NE", "DS")

SYSTEM = '''
"""Three small systems; each call is noted in calls.txt, so that a test can count them."""
import os
import time
from pathlib import Path


def build(variant, folder):
    calls = Path(__file__).parent / "calls.txt"

    def answer(question):
        time.sleep(float(os.environ.get("TRIAL_SLEEP", "0")))
        with calls.open("a", encoding="utf-8") as file:
            file.write(f"{variant}\\t{question[:40]!r}\\n")
        if "kaputt" in question:
            raise ValueError(f"kann {question!r} nicht lesen")
        return {
            "text": f"Antwort von {variant} auf: {question}",
            "sources": ["p-1"] if variant == "eins" else ["p-9"],
            "handover": "Notfall" in question,
        }

    return answer
'''

QUESTIONS = (
    ("f-1", "Wann bekomme ich Geld?", False),
    ("f-2", "Wo stelle ich den Antrag?", False),
    ("f-3", "Diese Frage ist kaputt.", False),
    ("f-4", "Notfall: Der Strom ist weg.", True),
    ("f-5", "Was ist ein Bescheid?", False),
    ("f-6", "Darf ich umziehen?", True),
)
FAILING = ("f-3",)


@dataclass(frozen=True)
class Trial:
    """A runnable scenario in a content folder of its own."""

    slug: str
    content: Path

    @property
    def folder(self) -> Path:
        return self.content / "scenarios" / self.slug

    def calls(self) -> list[str]:
        """One line per call of a system: variant, tab, question."""
        file = self.folder / "calls.txt"
        return file.read_text("utf-8").splitlines() if file.exists() else []

    def write_cases(self, cases: Sequence[Mapping[str, Any]]) -> None:
        lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
        (self.folder / "cases.jsonl").write_text(lines, encoding="utf-8")

    def change(self, **fields: Any) -> None:
        """Set fields of scenario.yaml; None takes a field away."""
        path = self.folder / "scenario.yaml"
        data = {**yaml.safe_load(path.read_text("utf-8")), **fields}
        data = {key: value for key, value in data.items() if value is not None}
        path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")


def new_slug(prefix: str = "probe") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def _surroundings(content: Path) -> None:
    shutil.copytree(REPOSITORY / "evaluations", content / "evaluations", dirs_exist_ok=True)
    shutil.copytree(REPOSITORY / "tracking", content / "tracking", dirs_exist_ok=True)


def small_trial(content: Path, slug: str | None = None) -> Trial:
    """Six short cases, one of them failing, two edge cases; two systems and a baseline."""
    trial = Trial(slug or new_slug(), content)
    _surroundings(content)
    trial.folder.mkdir(parents=True)
    steckbrief = {
        "title": f"Probe {trial.slug}",
        "organisation": HOUSE,
        "legal_status": "2026-11-01",
        "task": "Fragen beantworten.",
        "helps": "Menschen mit Fragen.",
        "ai_kind": "Auskunft",
        "risk_class": {"class": "Transparenzpflicht", "article": "Art. 50", "reason": "Probe"},
        "rubric": "auskunft",
        "gates": ["personalrat"],
        "baseline_minutes": 5,
        "yearly_volume": 100,
        "candidate": "eins",
        "variants": [
            {"key": "eins", "title": "System eins"},
            {"key": "zwei", "title": "System zwei"},
            {"key": "alt", "title": "Ohne KI", "baseline": True},
        ],
    }
    path = trial.folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(steckbrief, allow_unicode=True, sort_keys=False), "utf-8")
    trial.write_cases(
        [
            {"id": key, "input": text, "edge": edge, "reference": "So ist es.", "passages": ["p-1"]}
            for key, text, edge in QUESTIONS
        ]
    )
    (trial.folder / "system.py").write_text(SYSTEM, encoding="utf-8")
    return trial


def copied_trial(content: Path, slug: str | None = None) -> Trial:
    """The shipped scenario under another name."""
    trial = Trial(slug or new_slug("kopie"), content)
    _surroundings(content)
    shutil.copytree(
        REPOSITORY / "scenarios" / SHIPPED, trial.folder,
        ignore=shutil.ignore_patterns("__pycache__"),
    )  # fmt: skip
    return trial


def administer(server: str, statement: str) -> None:
    """Run a statement outside a transaction in PostgreSQL's own database."""
    with psycopg.connect(server.format("postgres"), autocommit=True) as session:
        session.execute(statement)


# --- people -----------------------------------------------------------------------------------


def add_person(
    session: Session, name: str, *roles: Role, organisation: str | None = OTHER, active: bool = True
) -> Person:
    """A person with these roles."""
    house = get_organisation(session, organisation) if organisation else None
    person = Person(
        name=name,
        organisation_id=house.id if house else None,
        roles=[role.value for role in roles],
        active=active,
    )
    session.add(person)
    session.flush()
    return person


def add_staff(session: Session) -> dict[str, Person]:
    """One person per role, and three evaluators from another house than the pilot's."""
    return {
        "organiser": add_person(session, "Olga Organisation", Role.ORGANISER, organisation=HOUSE),
        "pilot": add_person(session, "Paul Pilot", Role.PILOT, organisation=HOUSE),
        "steering": add_person(session, "Stefan Lenkung", Role.STEERING),
        "anna": add_person(session, "Anna Bewertung", Role.EVALUATOR),
        "bert": add_person(session, "Bert Bewertung", Role.EVALUATOR),
        "cora": add_person(session, "Cora Bewertung", Role.EVALUATOR),
        "nobody": add_person(session, "Nora Niemand"),
    }


def add_reviewers(session: Session) -> dict[str, Person]:
    """One person per office, by office."""
    return {
        office: add_person(session, f"{role.value.title().replace('_', ' ')} Prüfung", role)
        for office, role in OFFICES.items()
    }


def settle_worksheet(session: Session, slug: str, worksheet: str, actor: Person) -> None:
    """Answer every question of a worksheet."""
    sheet = next(each for each in load_gates().worksheets if each.key == worksheet)
    for item in sheet.items:
        answer_worksheet(
            session, slug, worksheet, item.key, text="Nein, geprüft.", done=True, actor=actor
        )


# --- runs without MLflow: what the projection would have written -------------------------------


def add_run(
    session: Session,
    slug: str,
    variant: str,
    *,
    organisation: str | None = HOUSE,
    demo: bool = False,
    finished_at: datetime | None = None,
    cases: Sequence[str] | None = None,
    failing: Sequence[str] = (),
) -> TrialRun:
    """A finished run with an output per current case, as the projection writes it."""
    scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).one()
    found = session.exec(
        select(Variant).where(Variant.scenario_id == scenario.id, Variant.key == variant)
    ).one()
    house = get_organisation(session, organisation) if organisation else None
    moment = finished_at or datetime.now(UTC)
    run = TrialRun(
        scenario_id=scenario.id,
        variant_id=found.id,
        organisation_id=house.id if house else None,
        tracking_run_id=uuid.uuid4().hex,
        started_at=moment - timedelta(minutes=1),
        finished_at=moment,
        demo=demo,
    )
    session.add(run)
    session.flush()
    for case in session.exec(
        select(Case).where(Case.scenario_id == scenario.id, Case.current).order_by(col(Case.id))
    ).all():
        if cases is not None and case.key not in cases:
            continue
        failed = case.key in failing
        text = None if failed else f"Antwort von {variant} auf {case.key}"
        session.add(
            Output(
                run_id=run.id,
                case_id=case.id,
                trace_id=f"tr-{uuid.uuid4().hex}",
                text=text,
                error="ValueError: kaputt" if failed else None,
                latency_ms=12.0,
                content_sha256=digest([text]),
            )
        )
    session.flush()
    return run


def load_with_runs(session: Session, trial: Trial, variants: Sequence[str] = ("eins", "zwei",
                   "alt"), **options: Any) -> list[TrialRun]:  # fmt: skip
    """Load the content and add one run per variant."""
    load_shipped(session)
    return [add_run(session, trial.slug, variant, **options) for variant in variants]


def house_id(session: Session, name: str) -> int | None:
    return session.exec(select(Organisation.id).where(Organisation.name == name)).first()


# --- rating -----------------------------------------------------------------------------------


def tokens(session: Session, round_: Round, person: Person) -> list[str]:
    """The tokens of a person in a round, in their order."""
    return list(
        session.exec(
            select(Assignment.token)
            .join(Rater, col(Rater.id) == Assignment.rater_id)
            .where(Rater.round_id == round_.id, Rater.person_id == person.id)
            .order_by(col(Assignment.position))
        ).all()
    )


def rate(
    session: Session,
    person: Person,
    token: str,
    level: float | Mapping[str, float] = 4,
    *,
    comment: str = "",
    submission: str | None = None,
) -> str:
    """Submit one rating with the same level on all criteria; gives the submission's id."""
    levels = level if isinstance(level, Mapping) else dict.fromkeys(CRITERIA, level)
    submission = submission or str(uuid.uuid4())
    submit_rating(
        session, Judgement(levels, comment), actor=person, token=token, submission=submission
    )
    return submission


def rate_all(session: Session, round_: Round, person: Person, level: float = 4) -> None:
    """Rate everything that a person has been given."""
    for token in tokens(session, round_, person):
        rate(session, person, token, level)


def judged_kinds(session: Session) -> list[str]:
    """What is to be sent because somebody rated, released or decided, sorted by kind; cases and
    indicators are sent without any judgement."""
    unjudged = [Delivery.CASES, Delivery.INDICATORS]
    kinds = select(OutboxEntry.kind).where(col(OutboxEntry.kind).not_in(unjudged))
    return sorted(session.exec(kinds).all())


# --- MLflow -----------------------------------------------------------------------------------


def trial_runs(connection: Connection, slug: str) -> list[Any]:
    """MLflow's own view: every run of the scenario, whatever its state, but those that hold its
    cases or the evidence of its gates."""
    found = connection.client.search_runs([experiments(connection)[slug]])
    ours = {names.CONTENT, names.EVIDENCE}
    return [run for run in found if not ours & set(run.data.tags)]


def content_runs(connection: Connection, slug: str) -> list[Any]:
    """The runs that hold the cases of a scenario as files."""
    found = connection.client.search_runs([experiments(connection)[slug]])
    return [run for run in found if names.CONTENT in run.data.tags]


def metric_histories(connection: Connection, run_id: str) -> dict[str, list[float]]:
    """All values that each metric of a run ever had, in MLflow."""
    keys = connection.client.get_run(run_id).data.metrics
    return {
        key: [metric.value for metric in connection.client.get_metric_history(run_id, key)]
        for key in keys
    }


# --- network ----------------------------------------------------------------------------------


class Proxy:
    """Stands between a client and MLflow. `before` sees every connection (as b"") and every piece
    that the client sends; it may wait or raise OSError (the connection is cut). `delay_s` holds
    every answer back for a while, `mute` for good."""

    def __init__(self, address: str, before: Callable[[bytes], None] = lambda _data: None,
                 *, delay_s: float = 0.0) -> None:  # fmt: skip
        self.upstream = int(address.rsplit(":", 1)[1])
        self.before = before
        self.delay_s = delay_s
        self.mute = threading.Event()
        self.closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self.closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            self.before(b"")
            server = socket.create_connection(("127.0.0.1", self.upstream))
        except OSError:
            client.close()
            return
        threading.Thread(target=self._answers, args=(server, client), daemon=True).start()
        here, there = (f"127.0.0.1:{port}".encode() for port in (self.port, self.upstream))
        with suppress(OSError):
            while data := client.recv(65536):
                self.before(data)
                server.sendall(data.replace(here, there))  # MLflow checks the Host header
        for end in (client, server):
            end.close()

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if self.delay_s:
                    self.closed.wait(self.delay_s)
                if not self.mute.is_set():
                    client.sendall(data)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class MlflowServer:
    """A real MLflow server as the platform starts it; can be stopped and started again."""

    def __init__(self, settings: Settings) -> None:
        port = _free_port()
        self.home = settings.home
        self.address = f"http://127.0.0.1:{port}"
        self._part = tracking_part(settings, port, workers=1)

    def start(self) -> None:
        self._part.start()
        _wait(self._part, Connection(self.address).answers)

    def stop(self) -> None:
        self._part.stop()


# --- command line -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """The end of one call of the command line."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed; its standard output is nothing but JSON."""
        assert self.code == 0, self.err
        return json.loads(self.out)


COMMAND = str(Path(sys.executable).parent / "reallabor")


def reallabor(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """One real call of the command line in the settings of this test."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def start_reallabor(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """The same without waiting for its end."""
    return subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def as_json(done: subprocess.CompletedProcess[str]) -> Any:
    """What the call printed; its standard output is nothing but JSON."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wait_until(true: Callable[[], object], *, within_s: float = 30.0) -> None:
    """Wait for something outside; fails where it does not come."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
