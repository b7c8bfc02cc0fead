"""Holds the audit trail against what it speaks of: nothing changed, missing or put in by hand. The
chain itself is `reallabor.audit`; what can be proved, and what only MLflow's tags or a printed
Beschluss can show, is in docs/adr/0012."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, SQLModel, col, func, select

from reallabor import audit
from reallabor.audit import Break
from reallabor.content import digest
from reallabor.models import (
    AgendaItem,
    AuditEntry,
    Condition,
    Conflict,
    Decision,
    Evidence,
    GateReview,
    Meeting,
    Motion,
    Participant,
    Tally,
    Vote,
    WorksheetAnswer,
    row_id,
)
from reallabor.tracking import names

NEXT_STEP = (
    "Bitte nichts weiter ändern, die letzte Sicherung danebenlegen und mit den Kennzeichen in "
    "MLflow und den ausgefertigten Beschlüssen vergleichen."
)
SEALED: tuple[type[SQLModel], ...] = (
    Decision, Condition, Meeting, Participant, AgendaItem, Conflict, Motion, Vote, Tally,
    GateReview, Evidence, WorksheetAnswer,
)  # fmt: skip
"""Tables whose rows may be sealed."""


@dataclass(frozen=True)
class AuditReport:
    """What was found; whole where there is no break."""

    entries: int
    head: str
    """Hash of the newest entry."""
    records: int
    """Sealed rows that were held against the trail."""
    breaks: list[Break]
    remarks: list[str]
    """What is worth knowing and no break, such as a clock that was put back."""

    @property
    def whole(self) -> bool:
        return not self.breaks

    def as_json(self) -> dict[str, Any]:
        """The published form of `verify-audit --json`."""
        return {
            "whole": self.whole,
            "entries": self.entries,
            "head": self.head,
            "records": self.records,
            "breaks": [vars(each) for each in self.breaks],
            "remarks": self.remarks,
            "next_step": None if self.whole else NEXT_STEP,
        }


def verify_audit(
    session: Session, *, tags: Mapping[str, Mapping[str, str]] | None = None
) -> AuditReport:
    """The chain entry by entry, every sealed row, and every row that must be sealed. With `tags`,
    what decisions wrote on MLflow's experiments (by slug), also against those."""
    seals = _seals(session)
    rows = {
        key: row
        for table in SEALED
        if any(key.startswith(f"{table.__tablename__}/") for key in seals)
        for row in session.exec(select(table)).all()
        if (key := audit.row_key(row)) in seals
    }
    breaks = [
        *audit.chain_breaks(session),
        *_changed(seals, rows),
        *_unsealed(session, seals),
        *_decision_breaks(session),
        *_tag_breaks(session, tags or {}),
    ]
    entries = session.exec(select(func.count()).select_from(AuditEntry)).one()
    return AuditReport(
        entries=entries,
        head=audit.head_of(session)[1],
        records=len(rows),
        breaks=breaks,
        remarks=audit.clock_remarks(session) + _older_decisions(session, seals),
    )


def sealed_rows(session: Session) -> set[str]:
    """`table/key` of every sealed row that is there."""
    seals = _seals(session)
    return {
        key
        for table in SEALED
        for row in session.exec(select(table)).all()
        if (key := audit.row_key(row)) in seals
    }


_Seals = dict[str, tuple[int, str]]


def _seals(session: Session) -> _Seals:
    """The newest seal with its entry of every row that no command took away since. SQLite gives the
    number of a removed row to the next one, so what was removed says nothing of what follows."""
    seals: _Seals = {}
    for entry in session.exec(select(AuditEntry).order_by(col(AuditEntry.id))):
        for key in entry.details.get(audit.REMOVED, []):
            seals.pop(key, None)
        for key, value in entry.details.get(audit.SEAL, {}).items():
            seals[key] = (row_id(entry.id), value)
    return seals


def _changed(seals: _Seals, rows: Mapping[str, SQLModel]) -> Iterator[Break]:
    for key, (entry, value) in sorted(seals.items(), key=lambda each: each[1]):
        row = rows.get(key)
        if row is None:
            yield Break(
                entry, key, f"{_name(key)} fehlt; festgehalten ist die Zeile in Eintrag {entry}."
            )
        elif audit.row_digest(row) != value:
            yield Break(
                entry, key,
                f"{_name(key)} wurde geändert: Der Inhalt ist nicht mehr der, den Eintrag {entry} "
                "festgehalten hat.",
            )  # fmt: skip


def _unsealed(session: Session, seals: _Seals) -> Iterator[Break]:
    """Rows that no entry speaks of: put in by hand."""
    decided = set(
        session.exec(select(AuditEntry.subject).where(AuditEntry.action == "decided")).all()
    )
    for row in _rows_to_seal(session):
        key = audit.row_key(row)
        if key not in seals and not (isinstance(row, Decision) and key in decided):
            yield Break(None, key, f"{_name(key)} steht in der Datenbank, aber kein Eintrag des "
                        "Protokolls weiß davon: ohne die Plattform eingefügt.")  # fmt: skip


def _rows_to_seal(session: Session) -> Iterator[SQLModel]:
    closed = select(Motion.id).where(col(Motion.closed_at).is_not(None))
    yield from session.exec(select(Decision)).all()
    yield from session.exec(select(Condition)).all()
    yield from session.exec(select(Motion)).all()
    yield from session.exec(select(Vote).where(col(Vote.motion_id).in_(closed))).all()
    yield from session.exec(select(Tally).where(col(Tally.motion_id).in_(closed))).all()
    over = select(Meeting.id).where(col(Meeting.closed_at).is_not(None))
    items = select(AgendaItem.id).where(col(AgendaItem.meeting_id).in_(over))
    yield from session.exec(select(Participant).where(col(Participant.meeting_id).in_(over))).all()
    yield from session.exec(select(AgendaItem).where(col(AgendaItem.meeting_id).in_(over))).all()
    yield from session.exec(select(Conflict).where(col(Conflict.item_id).in_(items))).all()
    for table in (Meeting, GateReview, Evidence, WorksheetAnswer):
        yield from session.exec(select(table)).all()


def _decision_breaks(session: Session) -> Iterator[Break]:
    """Decisions against their entry and against their own hash."""
    decided = select(AuditEntry).where(AuditEntry.action == "decided").order_by(col(AuditEntry.id))
    entries = {entry.subject: entry for entry in session.exec(decided)}  # the newest of a number
    known = audit_hashes(session)
    for decision in session.exec(select(Decision).order_by(col(Decision.id))).all():
        key = audit.row_key(decision)
        for what in decision_faults(decision, entries.get(key), known):
            entry = entries.get(key)
            yield Break(entry.id if entry else None, key, f"{_name(key)}: {what}")


def _tag_breaks(session: Session, tags: Mapping[str, Mapping[str, str]]) -> Iterator[Break]:
    """MLflow's tags lie outside this database: they show a trail that was rewritten as a whole."""
    known = audit_hashes(session)
    for slug, written in sorted(tags.items()):
        number = written.get(names.DECISION_ID, "")
        decision = session.get(Decision, int(number)) if number.isdecimal() else None
        where = f"MLflow nennt am Experiment von '{slug}'"
        if number and (
            decision is None or decision.evidence_sha256 != written.get(names.DECISION_SHA256)
        ):
            yield Break(None, f"decision/{number}", f"{where} Beschluss {number} mit einer anderen "
                        "Prüfsumme, oder es gibt ihn hier nicht mehr.")  # fmt: skip
        if written.get(names.DECISION_AUDIT, "") not in known:
            yield Break(None, "audit", f"{where} einen Eintrag des Protokolls, den es hier nicht "
                        "gibt: Das Protokoll wurde neu geschrieben.")  # fmt: skip


def audit_hashes(session: Session) -> set[str]:
    """The hashes of all entries; empty for the beginning."""
    return {"", *session.exec(select(AuditEntry.hash)).all()}


def decision_faults(decision: Decision, entry: AuditEntry | None, known: set[str]) -> Iterator[str]:
    """German sentences on what in a decision does not fit: its evidence against its hash, its
    columns against the evidence, both against the entry."""
    evidence = decision.evidence
    if digest(evidence) != decision.evidence_sha256:
        yield "Die Belege passen nicht zu ihrer Prüfsumme."
    if entry is not None:
        if entry.details.get("evidence") != decision.evidence_sha256:
            yield f"Eintrag {entry.id} nennt eine andere Prüfsumme der Belege."
        if entry.details.get("verdict") != str(decision.verdict):
            yield f"Eintrag {entry.id} nennt den Beschluss '{entry.details.get('verdict')}', " \
                f"gespeichert ist '{decision.verdict}'."  # fmt: skip
    if resolution := evidence.get("resolution"):
        for key, title, stored in (
            ("verdict", "Beschluss", str(decision.verdict)),
            ("reason", "Begründung", decision.reason),
            ("dissent", "Gegenstimmen", decision.dissent),
            ("decided_by", "Name", decision.decided_by),
            ("review_on", "Wiedervorlage",
             decision.review_on.isoformat() if decision.review_on else None),
        ):  # fmt: skip
            if resolution.get(key) != stored:
                yield f"'{title}' ist nicht mehr so, wie es in den Belegen steht."
    before = evidence.get("audit", {}).get("before", "")
    if before not in known:
        yield "Den Eintrag, der beim Beschluss der letzte war, gibt es nicht mehr."


def _older_decisions(session: Session, seals: _Seals) -> list[str]:
    """Decisions from before rows were sealed."""
    return [
        f"{_name(key)} stammt aus einer früheren Programmversion: Gesichert sind Belege und "
        "Beschluss, nicht aber Begründung und Name."
        for decision in session.exec(select(Decision).order_by(col(Decision.id))).all()
        if (key := audit.row_key(decision)) not in seals and "resolution" not in decision.evidence
    ]


_NAMES = {
    "decision": "Beschluss", "condition": "Auflage", "meeting": "Sitzung", "motion": "Antrag",
    "participant": "Teilnehmer-Zeile", "agenda_item": "Tagesordnungspunkt", "vote": "Stimme",
    "tally": "Auszählung", "conflict_of_interest": "Befangenheit", "gate_review": "Prüfvermerk",
    "evidence": "Nachweis", "worksheet_answer": "Antwort im Arbeitsblatt",
}  # fmt: skip


def _name(key: str) -> str:
    table, _, number = key.partition("/")
    return f"{_NAMES.get(table, table)} {number}"
