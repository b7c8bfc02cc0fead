"""The tables of the platform database, a file per noun."""

from reallabor.models.audit_entry import AuditEntry
from reallabor.models.base import now, row_id
from reallabor.models.decision import Decision, Verdict
from reallabor.models.outbox import Delivery, OutboxEntry
from reallabor.models.person import Organisation, Person, Role
from reallabor.models.rating import (
    Assignment,
    Rater,
    Rating,
    Remark,
    Round,
    RoundOrigin,
    RoundRun,
)
from reallabor.models.rubric import Criterion, Rubric
from reallabor.models.scenario import Case, Origin, Scenario, Variant
from reallabor.models.trial_run import Output, TrialRun, UnassignedOutput
from reallabor.models.watermark import Watermark
from reallabor.ways import Way

__all__ = [
    "Assignment", "AuditEntry", "Case", "Criterion", "Decision", "Delivery", "Organisation",
    "Origin", "OutboxEntry", "Output", "Person", "Rater", "Rating", "Remark", "Role", "Round",
    "RoundOrigin", "RoundRun", "Rubric", "Scenario", "TrialRun", "UnassignedOutput",
    "Variant", "Verdict", "Watermark", "Way", "now", "row_id",
]  # fmt: skip
