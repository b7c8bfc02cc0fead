"""The tables of the platform database, a file per noun."""

from reallabor.models.adjudication import Adjudication
from reallabor.models.audit_entry import AuditEntry
from reallabor.models.base import now, row_id
from reallabor.models.decision import Decision, Verdict
from reallabor.models.gold import GoldAssignment, GoldCase, GoldRating, GoldRule, LessonRead
from reallabor.models.judge import Judge, JudgeRating
from reallabor.models.outbox import Delivery, OutboxEntry
from reallabor.models.person import Organisation, Person, Role
from reallabor.models.quarantine import Quarantine, QuarantineVerdict
from reallabor.models.rating import (
    Assignment,
    EndReason,
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
from reallabor.models.voice import Audience, Channel, Survey, SurveyToken, Voice
from reallabor.models.watermark import Watermark
from reallabor.ways import Way

__all__ = [
    "Adjudication", "Assignment", "Audience", "AuditEntry", "Case", "Channel", "Criterion",
    "Decision", "Delivery", "EndReason", "GoldAssignment", "GoldCase", "GoldRating", "GoldRule",
    "Judge", "JudgeRating", "LessonRead", "Organisation", "Origin", "OutboxEntry", "Output",
    "Person", "Quarantine", "QuarantineVerdict", "Rater", "Rating", "Remark", "Role", "Round",
    "RoundOrigin", "RoundRun", "Rubric", "Scenario", "Survey", "SurveyToken", "TrialRun",
    "UnassignedOutput", "Variant", "Verdict", "Voice", "Watermark", "Way", "now", "row_id",
]  # fmt: skip
