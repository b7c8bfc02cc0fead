"""The local journal of a trial: every output is on disk before it is sent anywhere. A trial that
was killed at any moment goes on from here without running a case twice."""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from reallabor.errors import StorageFull, WrongState
from reallabor.scenarios import ScenarioFolder, load_scenario, write_scenario
from reallabor.settings import get_settings
from reallabor.ways import Way


def journal_root() -> Path:
    """Where the journals of this home lie."""
    return get_settings().home / "journal"


_CLOSED = "closed"
"""A file of this name says that no further output will come."""


@dataclass(frozen=True)
class JournalEntry:
    """What a system gave for one case; exactly one of `output` and `error` is set."""

    case_id: str
    started_at: str
    """ISO 8601 with time zone."""
    latency_ms: float | None
    """None where nobody measured it."""
    output: dict[str, Any] | None
    error: str | None
    tokens: int | None = None
    cost_eur: float | None = None


@dataclass(frozen=True)
class TrialPlan:
    """What one trial set out to do; lies in `plan.json` until all is sent."""

    key: str
    slug: str
    organisation: str
    variants: list[str]
    created_at: str
    demo: bool = False
    code_sha256: str = ""
    """What the systems were made of when the trial began."""
    reallabor: str = ""
    """Version of this package then."""
    way: Way = Way.RUN
    titles: dict[str, str] = field(default_factory=dict)
    """Titles of variants that the scenario does not name itself."""
    params: dict[str, str] = field(default_factory=dict)
    """Configuration of the system, as it stands on the run."""


class Journal:
    """The folder of one trial: plan, a copy of the content it runs on, one file per variant."""

    def __init__(self, folder: Path, plan: TrialPlan) -> None:
        self.folder = folder
        self.plan = plan

    @classmethod
    def create(
        cls,
        root: Path,
        scenario: ScenarioFolder,
        *,
        variants: list[str],
        organisation: str,
        demo: bool = False,
        way: Way = Way.RUN,
        key: str | None = None,
        titles: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        entries: Sequence[JournalEntry] | None = None,
    ) -> "Journal":
        """A new journal; it appears whole or not at all, with `entries` of its only variant where
        they are known already. `key` names the trial where repeating must find it again."""
        plan = TrialPlan(
            key=key or uuid.uuid4().hex,
            slug=scenario.slug,
            organisation=organisation,
            variants=variants,
            created_at=datetime.now(UTC).isoformat(),
            demo=demo,
            code_sha256=scenario.code_sha256,
            reallabor=version("reallabor"),
            way=way,
            titles=dict(titles or {}),
            params=dict(params or {}),
        )
        name = f"{plan.created_at[:19].replace(':', '')}-{plan.key[-8:]}"
        folder = root / scenario.slug / name
        with _writing(folder):
            draft = folder.with_name(f".{name}-{uuid.uuid4().hex[:8]}")
            copy = draft / "content" / scenario.slug
            copy.mkdir(parents=True)
            write_scenario(scenario, copy)
            if entries is not None:
                with (draft / f"{variants[0]}.jsonl").open("wb") as file:
                    file.writelines(_line(entry) for entry in entries)
                (draft / _CLOSED).touch()
            (draft / "plan.json").write_text(json.dumps(asdict(plan)), encoding="utf-8")
            draft.rename(folder)
        return cls(folder, plan)

    @classmethod
    def unfinished(cls, root: Path, slug: str) -> list["Journal"]:
        """All trials of a scenario that are not wholly sent, newest first."""
        found = []
        for file in sorted((root / slug).glob("[!.]*/plan.json"), reverse=True):
            found.append(cls(file.parent, _read_plan(file)))
        return found

    def scenario(self) -> ScenarioFolder:
        """The content as it was when the trial began."""
        return load_scenario(self.plan.slug, self.folder / "content")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this journal alone; a second process is refused in a sentence."""
        with (self.folder / "plan.json").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise WrongState(
                    f"Der Durchlauf von '{self.plan.slug}' läuft gerade in einem anderen Prozess. "
                    "Bitte dort das Ende abwarten."
                ) from error
            yield

    def entries(self, variant: str) -> dict[str, JournalEntry]:
        """What is on disk for a variant, by case id. A line torn by a crash is cut off."""
        path = self._path(variant)
        if not path.exists():
            return {}
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            with path.open("r+b") as file:
                file.truncate(len(whole))
        rows = [JournalEntry(**json.loads(line)) for line in whole.splitlines()]
        return {row.case_id: row for row in rows}

    @contextmanager
    def writer(self, variant: str) -> Iterator["JournalWriter"]:
        """Append entries of a variant."""
        with _writing(self.folder):
            file = self._path(variant).open("ab", buffering=0)
        # What fails between the writes is the caller's: an OSError there is no full disk here.
        with file:
            yield JournalWriter(file, self.folder)
            with _writing(self.folder):
                os.fsync(file.fileno())

    def run_id(self, variant: str) -> str | None:
        """MLflow's run of a variant, once it was opened."""
        path = self._path(variant).with_suffix(".run")
        return path.read_text("utf-8") if path.exists() else None

    def remember_run(self, variant: str, run_id: str) -> None:
        """Keep MLflow's run id, so that an interruption never opens a second run."""
        with _writing(self.folder):
            draft = self._path(variant).with_suffix(".draft")
            draft.write_text(run_id, "utf-8")
            draft.rename(self._path(variant).with_suffix(".run"))

    def close(self) -> None:
        """Remember that no further output will come, whether all cases have one or not."""
        with _writing(self.folder):
            (self.folder / _CLOSED).touch()

    @property
    def closed(self) -> bool:
        """Whether all outputs are here that will ever come."""
        return (self.folder / _CLOSED).exists()

    def mark_sent(self, variant: str) -> None:
        """Remember that MLflow holds this variant whole."""
        with _writing(self.folder):
            self._path(variant).with_suffix(".sent").touch()

    def is_sent(self, variant: str) -> bool:
        return self._path(variant).with_suffix(".sent").exists()

    def remove(self) -> None:
        """Delete the journal once MLflow holds everything."""
        # Rename first: a half-deleted folder must not look like an unfinished trial.
        gone = self.folder.with_name(f".{self.folder.name}.gone")
        self.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _path(self, variant: str) -> Path:
        return self.folder / f"{variant}.jsonl"


def _read_plan(file: Path) -> TrialPlan:
    """The plan, whichever version of this package wrote it."""
    written = json.loads(file.read_text("utf-8"))
    plan = {each.name: written[each.name] for each in fields(TrialPlan) if each.name in written}
    return TrialPlan(**{**plan, "way": Way(plan.get("way", Way.RUN))})


def _line(entry: JournalEntry) -> bytes:
    return (json.dumps(asdict(entry), ensure_ascii=False, allow_nan=False) + "\n").encode()


class JournalWriter:
    """Appends one line per output; after `append` the line survives a killed process."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file = file
        self._folder = folder

    def append(self, entry: JournalEntry) -> None:
        data = _line(entry)
        with _writing(self._folder):
            written = self._file.write(data)
            if written != len(data):  # the disk took only a part
                raise OSError(28, "No space left on device")


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFull(
            f"Das Journal unter {folder} lässt sich nicht schreiben ({error.strerror}). "
            "Bitte Platz schaffen und mit `reallabor run … --resume` fortsetzen; bisherige "
            "Ausgaben sind gesichert."
        ) from error
