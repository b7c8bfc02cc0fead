"""Files behind confirmed gates on their way to MLflow and back: sent as artifacts of one run per
scenario, verified by hash, and looked for again once a day."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.database import reading, transaction
from reallabor.errors import EvidenceMissing, TrackingRefused, UnknownObject
from reallabor.models import Evidence, GateReview, Person, Scenario, now
from reallabor.policies import may_check_evidence, require
from reallabor.tracking import Connection, artifacts, names, recording

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80

_OPENING = Lock()
"""Two files that are sent at the same moment share one run: MLflow would make two."""


@dataclass
class EvidenceReport:
    """What one look at all files in MLflow found."""

    checked: int = 0
    missing: list[str] = field(default_factory=list)
    """German sentences: which file of which gate is gone or changed."""


def send_evidence(connection: Connection, evidence_id: int) -> None:
    """Bring one file to MLflow, and drop its bytes here once MLflow gives them back unchanged.

    Killed at any moment, the bytes are still here or already there; sending again stores the same
    file under the same path. Raises TrackingUnavailable, TrackingRefused.
    """
    with reading() as session:
        evidence = session.get(Evidence, evidence_id)
        if evidence is None or evidence.content is None:
            return  # taken away with the demonstration, or sent before
        review = session.get_one(GateReview, evidence.review_id)
        scenario = session.get_one(Scenario, review.scenario_id)
        slug, title, demo = scenario.slug, scenario.title, review.demo
        data, path = evidence.content, artifact_path(review.gate, evidence)
    run_id = _evidence_run(connection, slug, title, demo=demo)
    artifacts.store_file(connection, run_id, path, data)
    if artifacts.read_file(connection, run_id, path) != data:
        raise TrackingRefused(
            f"MLflow hat den Nachweis '{path}' nicht unverändert abgelegt; er bleibt hier "
            "gespeichert und wird noch einmal gesendet."
        )
    with transaction() as session:
        evidence = session.get(Evidence, evidence_id)
        if evidence is not None:
            evidence.tracking_run_id, evidence.artifact_path = run_id, path
            evidence.content = None
            session.add(evidence)


def artifact_path(gate: str, evidence: Evidence) -> str:
    """Where the file lies in its run: by gate and hash, so that one never replaces another."""
    stem, dot, ending = _UNSAFE.sub("-", evidence.title).strip("-.").rpartition(".")
    name = f"{stem[:_LONGEST_NAME]}{dot}{ending[:_LONGEST_NAME]}" or "datei"
    return f"evidence/{gate}/{evidence.sha256[:12]}-{name}"


def _evidence_run(connection: Connection, slug: str, title: str, *, demo: bool) -> str:
    experiment_id = recording.ensure_experiment(connection, slug, title)
    kind = "demo" if demo else "true"
    moment = datetime.now(UTC)
    with _OPENING:
        run = recording.open_run(
            connection,
            experiment_id,
            run_key=f"evidence/{kind}",
            name="Nachweise zu Prüfpunkten" + (" (Demonstration)" if demo else ""),
            started_at=moment,
            tags={names.EVIDENCE: kind},
        )
        if not run.finished:
            recording.finish_run(
                connection, run.run_id, params={}, artifacts=[], finished_at=moment
            )
    return run.run_id


def read_evidence(session: Session, connection: Connection, evidence_id: int) -> bytes:
    """The file's bytes, checked against its hash, from here or from MLflow. Raises UnknownObject,
    EvidenceMissing, TrackingUnavailable."""
    evidence = session.get(Evidence, evidence_id)
    if evidence is None or not evidence.sha256:
        raise UnknownObject(f"Eine Datei Nr. {evidence_id} gibt es unter den Nachweisen nicht.")
    data = evidence.content
    if data is None:
        connection.require()
        data = artifacts.read_file(connection, evidence.tracking_run_id, evidence.artifact_path)
    if data is None:
        raise EvidenceMissing(
            f"Der Nachweis '{evidence.title}' liegt nicht mehr in MLflow. Bitte dort aus der "
            "Sicherung zurückholen oder den Prüfpunkt mit der Datei neu bestätigen."
        )
    if hashlib.sha256(data).hexdigest() != evidence.sha256:
        raise EvidenceMissing(
            f"Der Nachweis '{evidence.title}' wurde verändert: Seine Prüfsumme ist nicht die, mit "
            "der er eingereicht wurde. Bitte den Prüfpunkt mit der richtigen Datei neu bestätigen."
        )
    return data


def check_evidence(connection: Connection, *, actor: Person) -> EvidenceReport:
    """Look for every file that was sent; what is gone or changed is marked since then, what is back
    is unmarked. Both are in the audit trail. Raises NotAllowed, and TrackingUnavailable: then
    nothing more is marked."""
    require(may_check_evidence, actor)
    connection.require()
    report = EvidenceReport()
    with reading() as session:
        sent = session.exec(
            select(Evidence.id).where(Evidence.artifact_path != "").order_by(col(Evidence.id))
        ).all()
    for evidence_id in sent:
        assert evidence_id is not None
        report.checked += 1
        problem = _problem_with(connection, evidence_id)
        if problem:
            report.missing.append(problem)
        _mark(evidence_id, missing=problem is not None, actor=actor)
    return report


def _problem_with(connection: Connection, evidence_id: int) -> str | None:
    with reading() as session:
        try:
            read_evidence(session, connection, evidence_id)
        except EvidenceMissing as missing:
            return str(missing)
        except UnknownObject:
            return None  # taken away while we were looking
    return None


def _mark(evidence_id: int, *, missing: bool, actor: Person) -> None:
    with transaction() as session:
        evidence = session.get(Evidence, evidence_id)
        if evidence is None or missing == (evidence.missing_since is not None):
            return
        evidence.missing_since = now() if missing else None
        session.add(evidence)
        audit.record(
            session, "evidence_missing" if missing else "evidence_found",
            f"evidence/{evidence_id}", actor=actor,
            details={"review": evidence.review_id, "sha256": evidence.sha256},
        )  # fmt: skip
