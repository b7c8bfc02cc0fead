"""Every name that we write into MLflow, in one place."""

EXPERIMENT_PREFIX = "reallabor/"

# Experiment tags
TITLE = "reallabor.title"
DECISION = "reallabor.decision"
DECISION_REASON = "reallabor.decision_reason"
DECISION_BY = "reallabor.decision_by"
DECISION_DATE = "reallabor.decision_date"

# Run tags
VARIANT = "variant"
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

# Trace tags
CASE_ID = "case_id"
CASE_SHA256 = "case_sha256"
CONTENT_SHA256 = "content_sha256"

SCORE_PREFIX = "score."
"""Metrics with this prefix are ours: published after release, never read back."""


def experiment_name(slug: str) -> str:
    """The MLflow experiment of a scenario."""
    return f"{EXPERIMENT_PREFIX}{slug}"
