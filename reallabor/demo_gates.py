"""Scripted findings on gates for the demonstration, by a documented rule; invented like its people.
Each is recorded in the way that a reviewer takes, with a small file or a link as evidence."""

from collections.abc import Mapping

from sqlmodel import Session, col, delete, select

from reallabor.deciding.findings import EvidenceFile, EvidenceLink, record_finding
from reallabor.deciding.worksheets import answer_worksheet
from reallabor.gates import GateContent, Worksheet, load_gates
from reallabor.models import (
    Delivery,
    Evidence,
    GateOutcome,
    GateReview,
    OutboxEntry,
    Person,
    Scenario,
    WorksheetAnswer,
)
from reallabor.recording.catalogue import get_scenario

PLANS = ("all", "some", "missed", "subject")
"""In turn over the scenarios: every gate passed; the first five passed; the screening for data
protection missed and all else passed; only those of the Fachseite passed."""
MISSED = "dsfa-vorpruefung"
SOME = 5
SETTLED = 6
"""Questions answered on a worksheet that no gate depends on."""
LINK = "https://akten.example/reallabor"
"""Leads nowhere: the domain is reserved for examples."""
_FOUND = {
    GateOutcome.PASSED: "Geprüft und in Ordnung.",
    GateOutcome.MISSED: "Die Vorprüfung ergibt, dass eine Folgenabschätzung nötig ist; sie fehlt.",
}


def fill_findings(
    session: Session, slug: str, place: int, *, reviewers: Mapping[str, Person]
) -> bool:  # fmt: skip
    """Findings on the gates of one scenario by its place among those of the demonstration;
    `reviewers` by office. False where the demonstration has some here already."""
    scenario = get_scenario(session, slug)
    known = select(GateReview.id).where(GateReview.scenario_id == scenario.id, GateReview.demo)
    if session.exec(known).first() is not None:
        return False
    content = load_gates()
    for sheet in content.worksheets_of(scenario.content):
        _fill_sheet(session, slug, sheet, actor=reviewers["DSB"])
    for gate, outcome in _plan(content.gates_of(scenario.content), place):
        office = gate.offices[0]
        passed = outcome == GateOutcome.PASSED
        record_finding(
            session, slug, gate.key, outcome=outcome, office=office,
            note=f"Demonstration: {_FOUND[outcome]}",
            files=[_file(scenario, gate)] if passed and gate.evidence_required == "file" else [],
            links=[EvidenceLink(gate.evidence, f"{LINK}/{slug}/{gate.key}")]
            if passed and gate.evidence_required in ("link", "either") else [],
            actor=reviewers[office],
        )  # fmt: skip
    return True


def remove_findings(session: Session) -> None:
    """Delete the findings and answers of the demonstration with all that hangs on them. A stop that
    rests on one of them is lifted."""
    reviews = select(GateReview.id).where(GateReview.demo)
    evidence = select(Evidence.id).where(col(Evidence.review_id).in_(reviews))
    for table, condition in (
        (
            OutboxEntry,
            (col(OutboxEntry.kind) == Delivery.EVIDENCE)
            & col(OutboxEntry.subject_id).in_(evidence),
        ),
        (Evidence, col(Evidence.review_id).in_(reviews)),
        (GateReview, col(GateReview.demo)),
        (WorksheetAnswer, col(WorksheetAnswer.demo)),
    ):
        session.exec(delete(table).where(condition))
    stopping = load_gates().stopping.key
    for scenario in session.exec(select(Scenario).where(col(Scenario.stopped_at).is_not(None))):
        newest = session.exec(
            select(GateReview.outcome)
            .where(GateReview.scenario_id == scenario.id, GateReview.gate == stopping)
            .order_by(col(GateReview.id).desc())
            .limit(1)
        ).first()
        if newest != GateOutcome.MISSED:
            scenario.stopped_at = None
            session.add(scenario)


def _plan(gates: list[GateContent], place: int) -> list[tuple[GateContent, GateOutcome]]:
    plan = PLANS[place % len(PLANS)]
    if plan == "some":
        gates = gates[:SOME]
    if plan == "subject":
        gates = [gate for gate in gates if gate.offices == ["Fachseite"]]
    return [
        (gate, GateOutcome.MISSED if plan == "missed" and gate.key == MISSED
         else GateOutcome.PASSED)
        for gate in gates
    ]  # fmt: skip


def _file(scenario: Scenario, gate: GateContent) -> EvidenceFile:
    text = (
        f"Nachweis zur Demonstration (erfunden)\n\nSzenario: {scenario.title}\n"
        f"Prüfpunkt: {gate.title}\nGrundlage: {gate.article}\n\n{gate.question}\nJa, geprüft.\n"
    )
    return EvidenceFile(f"{scenario.slug}-{gate.key}.txt", text.encode())


def _fill_sheet(session: Session, slug: str, sheet: Worksheet, *, actor: Person) -> None:
    items = sheet.items if sheet.completes_gate else sheet.items[:SETTLED]
    for item in items:
        text = f"Demonstration: zu {item.article} geprüft, nichts Auffälliges."
        answer_worksheet(
            session, slug, sheet.key, item.key, text=text, done=True, actor=actor
        )  # fmt: skip
