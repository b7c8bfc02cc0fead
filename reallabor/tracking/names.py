"""Every name that we write into MLflow, in one place."""

EXPERIMENT_PREFIX = "reallabor/"

# Experiment tags
TITLE = "reallabor.title"
DECISION = "reallabor.decision"
DECISION_REASON = "reallabor.decision_reason"
DECISION_BY = "reallabor.decision_by"
DECISION_DATE = "reallabor.decision_date"
DECISION_ID = "reallabor.decision.id"
DECISION_SHA256 = "reallabor.decision.sha256"
"""Of the frozen evidence."""
DECISION_REVIEW_ON = "reallabor.decision.review_on"
DECISION_AUDIT = "reallabor.decision.audit"
"""Hash of the audit entry of the decision: an anchor of the trail outside its own database."""
DECISION_TAGS = (
    DECISION, DECISION_REASON, DECISION_BY, DECISION_DATE, DECISION_ID, DECISION_SHA256,
    DECISION_REVIEW_ON, DECISION_AUDIT,
)  # fmt: skip
"""All that a decision writes on an experiment; DECISION, its id and hash also on the runs of the
candidate."""

# Run tags
VARIANT = "variant"
VARIANT_TITLE = "reallabor.variant_title"
WAY = "reallabor.way"
"""How a run of ours came in; a run without it was logged with plain mlflow."""
CONTENT = "reallabor.content"
"""Set on the run that holds steckbrief and cases as files, so that recording needs nothing else;
such a run has no traces and is not read back."""
EVIDENCE = "reallabor.evidence"
"""Set on the run that holds the files behind confirmed gates as artifacts, `true` or, for those of
the demonstration, `demo`; such a run has no traces and is not read back."""
ORGANISATION = "organisation"
RUN_KEY = "reallabor.run_key"
DEMO = "reallabor.demo"
SCENARIO = "reallabor.scenario"
CASES_SHA256 = "reallabor.cases_sha256"
SCENARIO_SHA256 = "reallabor.scenario_sha256"
IMPORTED = "reallabor.imported"
"""Set on runs that we made for imported ratings; they have no traces and are not read back."""
RUBRIC = "reallabor.rubric"
ROUND = "reallabor.round"

# Trace tag; MLflow takes a fifth longer for every further tag of a trace, so there is only one
CASE_ID = "case_id"

# Attributes of the root span; traces of the first version carry the hashes as tags instead
CASE_SHA256 = "case_sha256"
CONTENT_SHA256 = "content_sha256"
TOKENS = "reallabor.tokens"
COST_EUR = "reallabor.cost_eur"
NO_LATENCY = "reallabor.no_latency"
"""The time between start and end says nothing: the output came from a file."""

SCORE_PREFIX = "score."
"""Metrics with this prefix are ours: published after release, never read back."""


LONGEST_COLUMN = 250
"""Characters that MLflow takes as the name of an assessment."""


def judge_column(criterion: str, model: str) -> str:
    """The name under which a language model's levels stand, beside those of people."""
    return f"LLM {criterion} ({model})"[:LONGEST_COLUMN]


def experiment_name(slug: str) -> str:
    """The MLflow experiment of a scenario."""
    return f"{EXPERIMENT_PREFIX}{slug}"
