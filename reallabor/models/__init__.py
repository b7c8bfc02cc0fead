"""The tables of the platform database, a file per noun."""

from reallabor.models.adjudication import Adjudication
from reallabor.models.audit_entry import AuditEntry, AuditHead
from reallabor.models.base import now, row_id
from reallabor.models.data_version import UNCOUNTED, DataVersion, data_versions
from reallabor.models.decision import Decision, Verdict
from reallabor.models.gate import Evidence, GateOutcome, GateReview, WorksheetAnswer
from reallabor.models.gold import GoldAssignment, GoldCase, GoldRating, GoldRule, LessonRead
from reallabor.models.judge import Judge, JudgeRating
from reallabor.models.meeting import (
    AgendaItem,
    Choice,
    Condition,
    Conflict,
    Meeting,
    Motion,
    Participant,
    Tally,
    Vote,
    WeightProfile,
)
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
    "UNCOUNTED", "Adjudication", "AgendaItem", "Assignment", "Audience", "AuditEntry", "AuditHead",
    "Case", "Channel", "Choice", "Condition", "Conflict", "Criterion", "DataVersion", "Decision",
    "Delivery", "EndReason", "Evidence", "GateOutcome", "GateReview", "GoldAssignment", "GoldCase",
    "GoldRating", "GoldRule", "Judge", "JudgeRating", "LessonRead", "Meeting", "Motion",
    "Organisation", "Origin", "OutboxEntry", "Output", "Participant", "Person", "Quarantine",
    "QuarantineVerdict", "Rater", "Rating", "Remark", "Role", "Round", "RoundOrigin", "RoundRun",
    "Rubric", "Scenario", "Survey", "SurveyToken", "Tally", "TrialRun", "UnassignedOutput",
    "Variant", "Verdict", "Voice", "Vote", "Watermark", "Way", "WeightProfile", "WorksheetAnswer",
    "data_versions", "now", "row_id",
]  # fmt: skip
