"""What a reviewer finds on a gate of law: append-only, with evidence; the newest of a gate counts.
Missing the gate that stops ends the trial in the same transaction."""

import hashlib
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Day
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import digest, storable
from reallabor.deciding.gates import (
    EvidenceView,
    counts_as_demo,
    evidence_of,
    newest_findings,
    problem_of,
    reviewed_on,
)
from reallabor.deciding.worksheets import require_settled
from reallabor.errors import InvalidFinding, UnknownObject
from reallabor.gates import GateContent, load_gates
from reallabor.german import day, today
from reallabor.models import (
    Delivery,
    Evidence,
    GateOutcome,
    GateReview,
    Person,
    Scenario,
    now,
    row_id,
)
from reallabor.policies import require_office
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.outbox import enqueue

__all__ = [
    "MOST_BYTES", "NOTE_LIMIT", "EvidenceFile", "EvidenceLink", "FindingView", "GateOutcome",
    "default_expiry", "list_findings", "record_finding",
]  # fmt: skip

NOTE_LIMIT = 4000
"""Longest note in characters."""
MOST_BYTES = 20_000_000
"""Of one file."""
MOST_ITEMS = 10
"""Files and links with one finding."""
_LONGEST_TITLE = 200
_LONGEST_URL = 2000


@dataclass(frozen=True)
class EvidenceFile:
    """A file as it was chosen."""

    name: str
    data: bytes


@dataclass(frozen=True)
class EvidenceLink:
    """Where the evidence lies; `title` says what it is."""

    title: str
    url: str


@dataclass(frozen=True)
class FindingView:
    """One finding in the history of a gate."""

    outcome: GateOutcome
    office: str
    reviewer: str
    reviewed_on: Day
    expires_on: Day | None
    legal_status: Day
    note: str
    evidence: list[EvidenceView]
    demo: bool


def record_finding(
    session: Session,
    slug: str,
    gate: str,
    *,
    outcome: GateOutcome,
    office: str,
    note: str,
    files: Sequence[EvidenceFile] = (),
    links: Sequence[EvidenceLink] = (),
    expires_on: Day | None = None,
    actor: Person,
) -> GateReview:
    """Record what was found on a gate, with its evidence; files go to MLflow through the outbox.

    Every outcome needs a note, "passed" the evidence that the gate asks for, and the settled
    worksheet of a gate that has one. Without `expires_on` the finding expires as `gates.yaml` says;
    it may expire earlier. The same act repeated on the same day changes nothing. Raises
    UnknownObject, NotAllowed, InvalidFinding; then nothing was stored.
    """
    scenario = get_scenario(session, slug)
    content = load_gates()
    text = next((each for each in content.gates_of(scenario.content) if each.key == gate), None)
    if text is None:
        raise UnknownObject(f"Einen Prüfpunkt '{gate}' hat '{scenario.title}' nicht.")
    require_office(actor, office, text.offices, text.title)
    note = storable(note.strip())
    evidence = [_file(each) for each in files] + [_link(each) for each in links]
    _require_complete(text, outcome, note, evidence)
    expires_on = _expiry(text, outcome, expires_on)
    # Locked: findings follow each other, and a rating is saved before a stop or refused after it.
    session.exec(select(Scenario.id).where(Scenario.id == scenario.id).with_for_update()).one()
    demo = counts_as_demo(session, scenario)
    if outcome == GateOutcome.PASSED:
        require_settled(session, scenario, text, demo=demo)
    review = GateReview(
        scenario_id=row_id(scenario.id),
        gate=gate,
        outcome=outcome,
        office=office,
        note=note,
        legal_status=content.legal_status,
        content_sha256=text.sha256,
        expires_on=expires_on,
        person_id=row_id(actor.id),
        demo=demo,
    )
    earlier = newest_findings(session, scenario, demo=demo).get(gate)
    if earlier is not None and _same(session, earlier, review, evidence, text):
        return earlier  # pressed twice
    session.add(review)
    session.flush()
    _store_evidence(session, review, evidence)
    audit.record(
        session, "gate_reviewed", f"review/{review.id}", actor=actor,
        details={
            "scenario": slug, "gate": gate, "outcome": outcome.value, "office": office,
            "text": text.sha256, "note": digest(note),
            "evidence": [each.sha256 or digest(each.url) for each in evidence],
        },
        seal=[review, *evidence],
    )  # fmt: skip
    if text.stops:
        _stop_or_lift(session, scenario, outcome, actor=actor)
    return review


def list_findings(session: Session, slug: str) -> dict[str, list[FindingView]]:
    """All findings on a scenario by gate, newest first. Raises UnknownObject."""
    scenario = get_scenario(session, slug)
    rows = session.exec(
        select(GateReview, Person.name)
        .join(Person, col(Person.id) == GateReview.person_id)
        .where(GateReview.scenario_id == scenario.id)
        .order_by(col(GateReview.id).desc())
    ).all()
    evidence = evidence_of(session, [row_id(review.id) for review, _ in rows])
    found: dict[str, list[FindingView]] = {}
    for review, name in rows:
        found.setdefault(review.gate, []).append(
            FindingView(
                GateOutcome(review.outcome), review.office, name, reviewed_on(review),
                review.expires_on, review.legal_status, review.note,
                evidence.get(row_id(review.id), []), review.demo,
            )
        )  # fmt: skip
    return found


def default_expiry(gate: GateContent) -> Day | None:
    """Until when a finding of today holds at most; None without limit."""
    return None if gate.valid_months is None else _months_on(today(), gate.valid_months)


def _months_on(start: Day, months: int) -> Day:
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return Day(year, month, min(start.day, monthrange(year, month)[1]))


def _require_complete(
    gate: GateContent, outcome: GateOutcome, note: str, evidence: Sequence[Evidence]
) -> None:
    if not note:
        raise InvalidFinding(
            f"Bitte zum Prüfpunkt '{gate.title}' in einem Satz begründen, was geprüft wurde und "
            "mit welchem Ergebnis."
        )
    if len(note) > NOTE_LIMIT:
        raise InvalidFinding(
            f"Die Begründung hat {len(note)} Zeichen; möglich sind höchstens {NOTE_LIMIT}. Bitte "
            "Längeres als Datei beilegen."
        )
    if len(evidence) > MOST_ITEMS:
        raise InvalidFinding(f"Bitte höchstens {MOST_ITEMS} Nachweise beilegen.")
    if outcome == GateOutcome.NOT_APPLICABLE and gate.stops:
        raise InvalidFinding(
            f"Der Prüfpunkt '{gate.title}' gilt für jedes Szenario; bitte als erfüllt oder "
            "verfehlt festhalten."
        )
    if outcome != GateOutcome.PASSED:
        return
    has_file = any(each.sha256 for each in evidence)
    has_link = any(each.url for each in evidence)
    wanted = {
        "file": (has_file, "eine Datei"),
        "link": (has_link, "ein Verweis"),
        "either": (has_file or has_link, "eine Datei oder ein Verweis"),
        "none": (True, ""),
    }
    given, what = wanted[gate.evidence_required]
    if not given:
        raise InvalidFinding(
            f"Zum Prüfpunkt '{gate.title}' fehlt {what} als Nachweis: {gate.evidence}."
        )


def _expiry(gate: GateContent, outcome: GateOutcome, wanted: Day | None) -> Day | None:
    if outcome == GateOutcome.MISSED:
        return None  # stays missed until somebody finds otherwise
    latest = default_expiry(gate)
    if wanted is None:
        return latest
    if wanted < today() or (latest is not None and wanted > latest):
        until = f" und {day(latest)}" if latest else ""
        raise InvalidFinding(
            f"Die Bestätigung von '{gate.title}' kann nicht am {day(wanted)} ablaufen; möglich ist "
            + (f"ein Tag zwischen heute{until}." if latest else "ein Tag ab heute.")
        )
    return wanted


def _file(file: EvidenceFile) -> Evidence:
    name = storable(" ".join(file.name.replace("\\", "/").rpartition("/")[2].split()))
    if not name or not file.data:
        raise InvalidFinding(f"Die Datei '{name}' ist leer; bitte die richtige wählen.")
    if len(file.data) > MOST_BYTES:
        raise InvalidFinding(
            f"'{name}' ist {len(file.data) / 1e6:.0f} MB groß; möglich sind höchstens "
            f"{MOST_BYTES // 1_000_000} MB. Bitte verkleinern oder als Verweis angeben."
        )
    return Evidence(
        review_id=0,
        title=name[-_LONGEST_TITLE:],
        sha256=hashlib.sha256(file.data).hexdigest(),
        n_bytes=len(file.data),
        content=file.data,
    )


def _link(link: EvidenceLink) -> Evidence:
    url = storable(link.url.strip())
    try:
        address = urlsplit(url)
        usable = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        usable = False
    if not usable or len(url) > _LONGEST_URL or any(sign.isspace() for sign in url):
        raise InvalidFinding(
            f"'{url[:80]}' ist kein Verweis; bitte eine Adresse angeben, die mit https:// beginnt."
        )
    title = storable(" ".join(link.title.split())) or url
    return Evidence(review_id=0, title=title[:_LONGEST_TITLE], url=url)


def _same(
    session: Session,
    earlier: GateReview,
    review: GateReview,
    evidence: Sequence[Evidence],
    gate: GateContent,
) -> bool:
    """Whether the same was found earlier today, and still holds."""
    known = evidence_of(session, [row_id(earlier.id)]).get(row_id(earlier.id), [])
    fields = ("outcome", "office", "note", "content_sha256", "expires_on", "person_id")
    return (
        all(getattr(earlier, name) == getattr(review, name) for name in fields)
        and reviewed_on(earlier) == today()
        and not problem_of(gate, earlier, known)
        and [(each.title, each.url, each.sha256) for each in known]
        == [(each.title, each.url, each.sha256) for each in evidence]
    )


def _store_evidence(session: Session, review: GateReview, evidence: Sequence[Evidence]) -> None:
    for each in evidence:
        each.review_id = row_id(review.id)
        session.add(each)
    session.flush()
    for each in evidence:
        if each.sha256:
            enqueue(session, Delivery.EVIDENCE, row_id(each.id))


def _stop_or_lift(
    session: Session, scenario: Scenario, outcome: GateOutcome, *, actor: Person
) -> None:
    if outcome == GateOutcome.MISSED and scenario.stopped_at is None:
        scenario.stopped_at = now()
        action = "scenario_stopped"
    elif outcome == GateOutcome.PASSED and scenario.stopped_at is not None:
        scenario.stopped_at = None
        action = "stop_lifted"
    else:
        return
    session.add(scenario)
    session.flush()
    audit.record(session, action, f"scenario/{scenario.slug}", actor=actor, details={})
