"""A number per scenario that every write raises which changes what a comparison shows. Caches are
keyed by it: nobody sees old figures, and nobody waits for a timer.

Writes are noticed where they happen, in the session: rows by their way to a scenario, statements
over many rows by their table. A test holds every table against `WAYS` and `_UNSHOWN`.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState
from sqlmodel import Field, Session, SQLModel, col, select

from reallabor.models.adjudication import Adjudication
from reallabor.models.decision import Decision
from reallabor.models.gate import Evidence, GateReview, WorksheetAnswer
from reallabor.models.meeting import Condition
from reallabor.models.person import Organisation
from reallabor.models.quarantine import Quarantine
from reallabor.models.rating import Rater, Rating, Remark, Round, RoundRun
from reallabor.models.rubric import Criterion, Rubric
from reallabor.models.scenario import Case, Scenario, Variant
from reallabor.models.trial_run import Output, TrialRun
from reallabor.models.voice import Survey, Voice

ALL = 0
"""Stands for all scenarios: what a write to shared content raises."""
UNCOUNTED = "uncounted"
"""Execution option of a statement whose change is counted by a row that is written with it."""


class DataVersion(SQLModel, table=True):
    """The version of one scenario's data, or of what all share (scenario `ALL`)."""

    __tablename__ = "data_version"
    scenario_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int = 1


def _of_rounds(ids: Any) -> Any:
    # What is being rated is not shown; it would raise the version with every keystroke.
    return select(Round.scenario_id).where(
        col(Round.id).in_(ids), col(Round.released_at).is_not(None)
    )


def _of_raters(ids: Any) -> Any:
    return _of_rounds(select(Rater.round_id).where(col(Rater.id).in_(ids)))


def _of_runs(ids: Any) -> Any:
    return select(TrialRun.scenario_id).where(col(TrialRun.id).in_(ids))


def _of_outputs(ids: Any) -> Any:
    return _of_runs(select(Output.run_id).where(col(Output.id).in_(ids)))


def _of_surveys(ids: Any) -> Any:
    return select(Survey.scenario_id).where(col(Survey.id).in_(ids))


def _of_reviews(ids: Any) -> Any:
    return select(GateReview.scenario_id).where(col(GateReview.id).in_(ids))


def _of_decisions(ids: Any) -> Any:
    return select(Decision.scenario_id).where(col(Decision.id).in_(ids))


WAYS: dict[type[SQLModel], tuple[str, Any]] = {
    Scenario: ("id", None),
    Variant: ("scenario_id", None),
    Case: ("scenario_id", None),
    TrialRun: ("scenario_id", None),
    Round: ("scenario_id", None),
    Survey: ("scenario_id", None),
    Decision: ("scenario_id", None),
    GateReview: ("scenario_id", None),
    WorksheetAnswer: ("scenario_id", None),
    Output: ("run_id", _of_runs),
    RoundRun: ("round_id", _of_rounds),
    Rating: ("round_id", _of_rounds),
    Adjudication: ("round_id", _of_rounds),
    Rater: ("round_id", _of_rounds),
    Remark: ("rater_id", _of_raters),
    Voice: ("survey_id", _of_surveys),
    Quarantine: ("output_id", _of_outputs),
    Evidence: ("review_id", _of_reviews),
    Condition: ("decision_id", _of_decisions),
    Rubric: ("", None),
    Criterion: ("", None),
    Organisation: ("", None),
}
"""By table the column from which the scenario is found, and the query that finds it; an empty
column means all scenarios."""

UNSHOWN = frozenset({
    "agenda_item", "assignment", "audit_entry", "audit_head", "conflict_of_interest",
    "data_version", "gold_assignment", "gold_case", "gold_rating", "gold_rule", "judge",
    "judge_rating", "lesson_read", "meeting", "motion", "outbox", "participant", "person",
    "survey_token", "tally", "unassigned_output", "vote", "watermark", "weight_profile",
})  # fmt: skip
"""Tables that no comparison reads."""


def data_versions(session: Session) -> dict[int, int]:
    """Versions by scenario id; `ALL` for what they share. What was never written is missing."""
    return {row.scenario_id: row.version for row in session.exec(select(DataVersion)).all()}


def _count_rows(session: Any, _context: Any = None) -> None:
    """After a flush: every scenario of which a shown row was written."""
    touched: dict[type[SQLModel], set[Any]] = defaultdict(set)
    for row in [*session.new, *session.dirty, *session.deleted]:
        way = WAYS.get(type(row))
        if way is None or (row in session.dirty and not session.is_modified(row)):
            continue
        touched[type(row)].add(getattr(row, way[0]) if way[0] else ALL)
    for table, values in touched.items():
        _touch(session, table, values)


def _count_statement(state: ORMExecuteState) -> None:
    """Before a statement over many rows: the rows of an insert name their place, anything else
    raises the version of all."""
    if not (state.is_insert or state.is_update or state.is_delete):
        return
    if state.execution_options.get(UNCOUNTED):
        return
    mapper = state.bind_mapper
    table = mapper.class_ if mapper is not None else None
    if table is None or table not in WAYS:
        return
    column = WAYS[table][0]
    rows = state.parameters if isinstance(state.parameters, list) else []
    if state.is_insert and column and rows and all(column in row for row in rows):
        state.session.flush()
        _touch(state.session, table, {row[column] for row in rows})
    else:
        _touch_all(state.session, {ALL})


def _touch(session: Any, table: type[SQLModel], values: set[Any]) -> None:
    column, find = WAYS[table]
    if find is not None and values:
        values = set(session.connection().execute(find(values)).scalars())
    _touch_all(session, values if column else {ALL})


def _touch_all(session: Any, scenarios: Iterable[int]) -> None:
    session.info.setdefault("raised", set()).update(scenarios)


def _write(session: Any) -> None:
    """Before the commit, in one statement and in one order: writers never wait for each other in a
    circle, and hold these rows no longer than they must."""
    session.flush()
    raised = sorted(session.info.get("raised", ()))
    if not raised:
        return
    connection: Connection = session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(DataVersion).values(
        [{"scenario_id": each, "version": 1} for each in raised]
    )
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["scenario_id"], set_={"version": DataVersion.version + 1}
        )
    )


def _begin_anew(session: Any) -> None:
    session.info.pop("raised", None)


event.listen(Session, "after_flush", _count_rows)
event.listen(Session, "do_orm_execute", _count_statement)
event.listen(Session, "before_commit", _write)
event.listen(Session, "after_commit", _begin_anew)
event.listen(Session, "after_rollback", _begin_anew)
