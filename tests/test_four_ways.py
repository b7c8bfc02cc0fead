"""Four ways in, one result: the same outputs give the same comparison, whichever way they came."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import sheets
from building import Call, Trial, add_staff, new_slug, rate, tokens
from fielded import CASES, FIELDS, OUTPUTS, fielded_trial
from sqlmodel import Session, col, select

import reallabor
from reallabor.database import get_engine, reading, transaction
from reallabor.models import Assignment, Case, Output, Person, TrialRun, Variant, Way
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.rounds import open_round, release_round
from reallabor.recording.projection import project
from reallabor.settings import get_settings
from reallabor.tracking import Connection
from reallabor.tracking.publishing import delete_runs
from reallabor.tracking.reading import experiments

# One worker records the reference once.
pytestmark = [pytest.mark.xdist_group("four-ways"), pytest.mark.parametrize("backend", ["sqlite"])]

SLUG = new_slug("vier-wege")
INPUTS = {case["id"]: case["input"] for case in CASES}
VARIANTS = list(OUTPUTS)


class Clock:
    """Stands in for `time` where systems run here: every case takes as long as it is said to."""

    def __init__(self, latencies_ms: Sequence[float]) -> None:
        self._readings = iter([reading for each in latencies_ms for reading in (0.0, each / 1000)])

    def perf_counter(self) -> float:
        return next(self._readings)


@pytest.fixture
def trial(use_content: Callable[[Trial], Trial], tmp_path: Path) -> Trial:
    """The scenario with fields, always under the same name."""
    return use_content(fielded_trial(tmp_path / "content", SLUG))


# --- the ways -------------------------------------------------------------------------------------


class Ways:
    """Brings all outputs of all variants in, each method on one way."""

    def __init__(
        self,
        connection: Connection,
        call: Callable[..., Call],
        monkeypatch: pytest.MonkeyPatch,
        folder: Path,
    ) -> None:
        self.connection, self.call, self.folder = connection, call, folder
        self.monkeypatch = monkeypatch

    def run(self) -> None:
        latencies = [each.latency_ms for key in VARIANTS for each in OUTPUTS[key].values()]
        with self.monkeypatch.context() as patch:
            patch.setattr("reallabor.recording.answering.time", Clock(latencies))
            assert self.call("run", SLUG).code == 0

    def python(self) -> None:
        for variant in VARIANTS:
            with reallabor.trial_run(SLUG, variant=variant, params={"modell": "x"}) as run:
                for case in run.cases():
                    known = OUTPUTS[variant][case.id]
                    run.record(
                        case.id, None if known.error else known.answer, error=known.error,
                        latency_ms=known.latency_ms, tokens=known.tokens, cost_eur=known.cost_eur,
                    )  # fmt: skip

    def xlsx(self) -> None:
        self._import("xlsx", sheets.xlsx)

    def xls(self) -> None:
        self._import("xls", lambda rows: sheets.xls([[_plain(c) for c in row] for row in rows]))

    def ods(self) -> None:
        self._import("ods", sheets.ods)

    def csv_cp1252(self) -> None:
        self._import("csv", lambda rows: sheets.separated(rows, ";", "cp1252"))

    def jsonl(self) -> None:
        for variant in VARIANTS:
            rows = [
                {"case_id": case, "output": None if known.error else known.answer,
                 "error": known.error, "latency_ms": known.latency_ms, "tokens": known.tokens,
                 "cost_eur": known.cost_eur}
                for case, known in OUTPUTS[variant].items()
            ]  # fmt: skip
            self._send(variant, "jsonl", sheets.json_lines(rows))

    def mlflow_tagged(self) -> None:
        self._plain("tags")

    def mlflow_by_text(self) -> None:
        self._plain("text")

    def _import(self, ending: str, write: Callable[[sheets.Rows], bytes]) -> None:
        titles = [each["title"] for each in FIELDS]
        header = ["Fall", "Eingabe", "Antwort", *titles, "Antwortzeit (s)", "Token", "Kosten (€)",
                  "Fehler"]  # fmt: skip
        for variant in VARIANTS:
            rows = [
                [case, INPUTS[case], known.text, *(_cell(each, known.fields) for each in FIELDS),
                 known.latency_ms / 1000, known.tokens, known.cost_eur, known.error]
                for case, known in OUTPUTS[variant].items()
            ]  # fmt: skip
            self._send(variant, ending, write([["Ausgaben des Systems"], [], header, *rows]))

    def _send(self, variant: str, ending: str, data: bytes) -> None:
        file = self.folder / f"{variant}.{ending}"
        file.write_bytes(data)
        done = self.call("import-run", SLUG, file, "--variant", variant, "--json")
        assert done.json["n_cases"] == len(CASES)

    def _plain(self, matched: str) -> None:
        task = {
            "matched": matched, "inputs": INPUTS,
            "outputs": {key: {case: asdict(known) for case, known in outputs.items()}
                        for key, outputs in OUTPUTS.items()},
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", PLAIN, self.connection.address, f"reallabor/{SLUG}"],
            input=json.dumps(task), text=True, check=False, capture_output=True,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def _cell(field: dict[str, Any], fields: Any) -> Any:
    value = fields.get(field["key"])
    if value is not None and field["kind"] == "date":
        return date.fromisoformat(value)
    return "; ".join(value) if isinstance(value, list) else value


def _plain(cell: Any) -> Any:
    """Excel keeps a day as a number of days."""
    return (
        float(cell.toordinal() - date(1899, 12, 30).toordinal()) if isinstance(cell, date) else cell
    )


PLAIN = """
import json, sys
import mlflow

task = json.load(sys.stdin)
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment(sys.argv[2])
for variant, outputs in task["outputs"].items():
    tagged = task["matched"] == "tags"
    with mlflow.start_run(run_name="irgendein Name" if tagged else variant):
        if tagged:
            mlflow.set_tag("variant", variant)
        for case, known in outputs.items():
            try:
                with mlflow.start_span(name="antwort") as span:
                    span.set_inputs({"messages": [{"content": task["inputs"][case]}]})
                    if tagged:
                        mlflow.update_current_trace(tags={"case_id": case})
                    if known["error"]:
                        raise ValueError("nicht lesbar")
                    span.set_attribute("reallabor.cost_eur", known["cost_eur"])
                    span.set_attribute("mlflow.chat.tokenUsage", {
                        "input_tokens": 0, "output_tokens": known["tokens"],
                        "total_tokens": known["tokens"]})
                    span.set_outputs({"text": known["text"], **known["fields"]})
                    span.end(end_time_ns=span.start_time_ns + round(known["latency_ms"] * 1e6))
            except ValueError:
                pass
mlflow.flush_trace_async_logging(terminate=True)
"""


# --- what comes of it -----------------------------------------------------------------------------


def started_afresh(connection: Connection, home: Path, template: Path) -> None:
    """An empty platform and an empty experiment."""
    get_engine(get_settings().platform_url).dispose()
    get_engine.cache_clear()
    for file in home.glob("reallabor.sqlite*"):
        file.unlink()
    shutil.copy(template, home / "reallabor.sqlite")
    if experiment := experiments(connection).get(SLUG):
        runs = connection.client.search_runs([experiment])
        delete_runs(connection, experiment, [run.info.run_id for run in runs])


def rated_and_released() -> None:
    """Three people rate everything, each output as its case and variant demand."""
    with transaction() as session:
        staff = add_staff(session)
        people = [staff[name] for name in ("anna", "bert", "cora")]
        round_ = open_round(
            session,
            SLUG,
            actor=staff["organiser"],
            choice=RoundChoice(overlap=3, evaluators=people, seed=5),
        )
        for person in people:
            for token in tokens(session, round_, person):
                rate(session, person, token, _levels(session, person, token))
        release_round(session, round_.id or 0, actor=staff["organiser"])


def _levels(session: Session, person: Person, token: str) -> dict[str, float]:
    case, variant = session.exec(
        select(Case.key, Variant.key)
        .join(Output, col(Output.case_id) == Case.id)
        .join(Assignment, col(Assignment.output_id) == Output.id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(Variant, col(Variant.id) == TrialRun.variant_id)
        .where(Assignment.token == token)
    ).one()
    return {
        criterion: 1.0 + crc32(f"{case}/{variant}/{person.name}/{criterion}".encode()) % 5
        for criterion in ("FR", "AN")
    }


def brought_in(slug: str) -> dict[str, Any]:
    """What the platform holds of the runs: indicators and outputs."""
    with reading() as session:
        runs = session.exec(
            select(Variant.key, TrialRun)
            .join(Variant, col(Variant.id) == TrialRun.variant_id)
            .order_by(Variant.key)
        ).all()
        found: dict[str, Any] = {key: {"indicators": run.indicators} for key, run in runs}
        for variant, case, output in session.exec(
            select(Variant.key, Case.key, Output)
            .join(Case, col(Case.id) == Output.case_id)
            .join(TrialRun, col(TrialRun.id) == Output.run_id)
            .join(Variant, col(Variant.id) == TrialRun.variant_id)
        ).all():
            found[variant][case] = (output.text, output.details, output.error, output.tokens,
                                    output.cost_eur)  # fmt: skip
    return found


def normal(value: Any) -> Any:
    """Numbers to nine digits: MLflow keeps times in whole nanoseconds."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: normal(each) for key, each in value.items()}
    return [normal(each) for each in value] if isinstance(value, list | tuple) else value


REFERENCE: dict[str, Any] = {}
"""What `reallabor run` brought; the other ways must bring the same."""


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ("python", Way.PYTHON), ("xlsx", Way.FILE), ("xls", Way.FILE), ("ods", Way.FILE),
        ("csv_cp1252", Way.FILE), ("jsonl", Way.FILE), ("mlflow_tagged", Way.MLFLOW),
        ("mlflow_by_text", Way.MLFLOW),
    ],
)  # fmt: skip
def test_same_outputs_give_same_comparison(  # noqa: PLR0917
    way: str,
    kind: Way,
    trial: Trial,
    connection: Connection,
    platform_url: str,
    call: Callable[..., Call],
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    sqlite_template: Path,
    tmp_path: Path,
) -> None:
    ways = Ways(connection, call, monkeypatch, tmp_path)

    def result(name: str) -> dict[str, Any]:
        started_afresh(connection, home, sqlite_template)
        getattr(ways, name)()
        assert project(connection, slug=SLUG, everything=True).notes == []
        rated_and_released()
        return {"compare": call("compare", SLUG, "--json").out, "brought": brought_in(SLUG)}

    if not REFERENCE:
        REFERENCE.update(result("run"))
        (shown,) = json.loads(REFERENCE["compare"])["scenarios"]
        assert [each["n_cases"] for each in shown["variants"]] == [5, 6]
        (stratum,) = shown["variants"][0]["organisations"]
        assert stratum["metrics"]["critical_recall"] == pytest.approx(2 / 3)
        assert stratum["metrics"]["macro_f1"] == pytest.approx((4 / 5 + 2 / 3 + 2 / 3) / 3)
    found = result(way)
    assert found["compare"] == REFERENCE["compare"]
    assert normal(found["brought"]) == normal(REFERENCE["brought"])
    with reading() as session:
        assert set(session.exec(select(TrialRun.way))) == {kind}
