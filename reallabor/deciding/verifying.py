"""Does a decision still hold? Its evidence against its hash and the audit trail, the frozen figures
against the data of their round, computed anew, and the files behind its gates."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.deciding.auditing import audit_hashes, decision_faults
from reallabor.deciding.comparison import compare
from reallabor.deciding.data_hash import round_data_sha256
from reallabor.deciding.figures import scenario_cells
from reallabor.deciding.published import comparison_json
from reallabor.deciding.published_figures import cell_figures, comparison_figures
from reallabor.errors import EvidenceMissing, UnknownObject
from reallabor.german import ZONE, number
from reallabor.models import AuditEntry, Decision, Evidence, Organisation, Round, Scenario, row_id
from reallabor.rating.agreement import round_agreement
from reallabor.rating.results import RoundResult, round_result
from reallabor.recording.evidence_files import read_evidence
from reallabor.tracking import Connection


@dataclass(frozen=True)
class FigureCheck:
    """One frozen figure beside the one that the data gives today."""

    title: str
    frozen: float | None
    today: float | None
    same: bool

    @property
    def words(self) -> str:
        """`Punktwert 71,2 statt 73,4`: what comes out today, and what was frozen."""
        if self.same:
            return f"{self.title} {_told(self.frozen)}"
        digits = 1
        while digits < 9 and _told(self.today, digits) == _told(self.frozen, digits):
            digits += 1
        return f"{self.title} {_told(self.today, digits)} statt {_told(self.frozen, digits)}"


@dataclass(frozen=True)
class DecisionReport:
    """What was held against what; the decision holds where nothing differs."""

    decision_id: int
    slug: str
    verdict: str
    decided_on: str
    evidence_sha256: str
    figures: list[FigureCheck]
    faults: list[str]
    """German sentences on what differs beside the figures."""
    remarks: list[str]
    """What could not be checked, and why."""

    @property
    def holds(self) -> bool:
        return not self.faults and all(each.same for each in self.figures)

    @property
    def figures_words(self) -> str:
        """How many figures come out again, so that it fits the verdict; empty without figures."""
        n, same = len(self.figures), sum(each.same for each in self.figures)
        if n == 0:
            return ""
        if same == n and self.faults:
            return f"An den Zahlen liegt es nicht: Alle {number(n, 0)} kommen wieder heraus."
        if same == n:
            return f"Alle {number(n, 0)} Zahlen kommen wieder heraus."
        if same == 0:
            return f"Keine von {number(n, 0)} Zahlen kommt wieder heraus."
        return (
            f"{number(same, 0)} von {number(n, 0)} Zahlen {'kommt' if same == 1 else 'kommen'} "
            f"wieder heraus, {number(n - same, 0)} nicht."
        )

    def as_json(self) -> dict[str, Any]:
        """The published form of `verify-decision --json`."""
        return {"holds": self.holds, **asdict(self)}


def verify_decision(
    session: Session, decision_id: int, *, connection: Connection | None = None
) -> DecisionReport:
    """Check one decision, of any format. With a connection, files that lie in MLflow are read too.
    Raises UnknownObject."""
    decision = session.get(Decision, decision_id)
    if decision is None:
        raise UnknownObject(
            f"Einen Beschluss Nr. {decision_id} gibt es hier nicht. Die Nummer steht auf dem "
            "Beschluss und in `reallabor compare --json`."
        )
    scenario = session.get_one(Scenario, decision.scenario_id)
    faults, remarks = list(_record_faults(session, decision)), list[str]()
    figures: list[FigureCheck] = []
    round_ = _round_of(session, decision)
    if round_ is not None:
        figures = _figures(session, scenario, round_, decision.evidence)
        remarks += _changed_since(session, scenario, decision.evidence)
        stored = decision.evidence.get("data_sha256")
        if stored is None:
            remarks.append("Ein Beschluss des ersten Formats trägt keine Prüfsumme der Daten.")
        elif stored != round_data_sha256(session, round_):
            faults.append(
                "Die Bewertungen, Klärungen oder Ausgaben der Runde sind nicht mehr die, auf denen "
                "der Beschluss beruht (Prüfsumme der Daten)."
            )
    elif decision.evidence["comparison"].get("variants"):
        faults.append("Die Runde, auf der der Beschluss beruht, gibt es nicht mehr.")
    else:
        remarks.append("Zum Beschluss gab es keine freigegebene Runde; nachzurechnen ist nichts.")
    if decision.evidence.get("ranking"):
        remarks.append("Die Rangfolge hängt von allen Szenarien ab und wird nicht nachgerechnet.")
    for fault, remark in _files(session, decision, connection):
        faults += [fault] if fault else []
        remarks += [remark] if remark else []
    return DecisionReport(
        decision_id=row_id(decision.id),
        slug=scenario.slug,
        verdict=str(decision.verdict),
        decided_on=decision.decided_at.astimezone(ZONE).date().isoformat(),
        evidence_sha256=decision.evidence_sha256,
        figures=figures,
        faults=faults,
        remarks=remarks,
    )


def _record_faults(session: Session, decision: Decision) -> Iterator[str]:
    key = audit.row_key(decision)
    entry = session.exec(
        select(AuditEntry).where(AuditEntry.action == "decided", AuditEntry.subject == key)
        .order_by(col(AuditEntry.id).desc())  # a removed demonstration may have had the number
    ).first()  # fmt: skip
    if entry is None:
        yield "Kein Eintrag des Protokolls weiß von diesem Beschluss."
    yield from decision_faults(decision, entry, audit_hashes(session))
    seal = None
    for each in session.exec(select(AuditEntry).order_by(col(AuditEntry.id))):
        seal = each.details.get(audit.SEAL, {}).get(key, seal)
    if seal is not None and seal != audit.row_digest(decision):
        yield "Die Zeile des Beschlusses wurde nach dem Festhalten geändert."


def _round_of(session: Session, decision: Decision) -> Round | None:
    evidence = decision.evidence
    if stored := evidence.get("round"):
        return session.get(Round, stored["id"])
    if (places := evidence["comparison"].get("round")) is None:
        return None
    return session.exec(
        select(Round).where(Round.scenario_id == decision.scenario_id, Round.number == places)
    ).first()


def _figures(
    session: Session, scenario: Scenario, round_: Round, evidence: Mapping[str, Any]
) -> list[FigureCheck]:
    """Every frozen figure that the data of a round gives; gates, voices, readiness and what the
    Steckbrief says are not among them, they may change later without anything being wrong."""
    frozen = evidence["comparison"]
    today = replace(
        compare(session, [scenario.slug])[0],
        result=_named_as_then(round_result(session, round_), frozen),
        agreement=round_agreement(session, round_),
    )
    computed = [
        *comparison_figures(comparison_json(today)),
        *cell_figures([asdict(cell) for cell in scenario_cells(today)]),
    ]
    now = {each.key: each.value for each in computed}
    rewritten = _is_rewritten(scenario, evidence)
    cells = [
        each
        for each in evidence.get("figures", [])
        if not (rewritten and (each["key"] == "net_minutes" or each["n"] is None))
    ]
    return [
        FigureCheck(title, value, now.get(key), _same(value, now.get(key)))
        for key, title, value in (
            *comparison_figures(frozen, _renamed(session, frozen)),
            *cell_figures(cells),
        )
    ]


def _named_as_then(result: RoundResult, frozen: Mapping[str, Any]) -> RoundResult:
    """The result under the titles, and with the candidate, that its variants had at the time."""
    then = {each["variant"]: each for each in frozen.get("variants", [])}
    return replace(result, variants=[
        replace(each, title=known["title"], candidate=known.get("candidate", each.candidate))
        if (known := then.get(each.variant)) else each
        for each in result.variants
    ])  # fmt: skip


def _is_rewritten(scenario: Scenario, evidence: Mapping[str, Any]) -> bool:
    """Whether the Steckbrief is another one by now; the first format does not say."""
    stored = evidence.get("scenario", {}).get("content_sha256")
    return stored is not None and stored != scenario.content_sha256


def _renamed(session: Session, frozen: Mapping[str, Any]) -> set[str]:
    """Frozen names of organisations that none bears any more."""
    names = {
        house["organisation"]
        for variant in frozen.get("variants", [])
        for house in variant.get("organisations", [])
    }
    return names - {"", *session.exec(select(Organisation.name)).all()}


def _changed_since(
    session: Session, scenario: Scenario, evidence: Mapping[str, Any]
) -> Iterator[str]:
    """What was left out of the figures because it is no part of the round's data."""
    if _is_rewritten(scenario, evidence):
        yield ("Der Steckbrief wurde seit dem Beschluss geändert; gesparte Minuten und geschätzte "
               "Kosten werden nicht nachgerechnet.")  # fmt: skip
    for name in sorted(_renamed(session, evidence["comparison"])):
        yield (f"Die Organisation '{name}' gibt es unter diesem Namen nicht mehr; nachgerechnet "
               "wird, was sie nicht einzeln nennt.")  # fmt: skip


def _same(frozen: float | None, today: float | None) -> bool:
    """Equal but for the last digits, in which machines differ."""
    if frozen is None or today is None:
        return frozen is today
    return math.isclose(frozen, today, rel_tol=1e-9, abs_tol=1e-9)


def _told(value: float | None, digits: int = 1) -> str:
    whole = value is not None and float(value).is_integer()
    return number(value, 0 if whole else digits)


def _files(
    session: Session, decision: Decision, connection: Connection | None
) -> Iterator[tuple[str, str]]:
    """A fault or a remark per file that the frozen gates name."""
    for gate in decision.evidence.get("gates", []):
        for file in gate.get("evidence", []):
            if file["sha256"]:
                yield _file(session, file["title"], file["sha256"], connection)


def _file(
    session: Session, title: str, sha256: str, connection: Connection | None
) -> tuple[str, str]:
    row = session.exec(  # the same file may stand behind several findings: one that is there
        select(Evidence)
        .where(Evidence.sha256 == sha256)
        .order_by(col(Evidence.missing_since).is_not(None), col(Evidence.id))
    ).first()
    if row is None:
        return f"Den Nachweis '{title}' gibt es nicht mehr.", ""
    if row.content is None and connection is None:
        return "", f"Der Nachweis '{title}' liegt in MLflow und wurde nicht gelesen."
    try:
        # Without a connection the bytes are here, and it is not asked.
        read_evidence(session, connection or Connection.from_settings(), row_id(row.id))
    except EvidenceMissing as missing:
        return str(missing), ""
    return "", ""
