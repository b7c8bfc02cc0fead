"""Uploads are undone within the hour, here and in MLflow, by those who may."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from building import Call, Trial, add_person, add_staff, rate, tokens
from sqlmodel import func, select
from uploading import (
    DOWN,
    assert_recorded_once,
    checked,
    person,
    pilot,
    rows_in_database,
    runs_of,
    traces_of,
    unfinished,
)

from reallabor.database import reading, transaction
from reallabor.errors import NotAllowed, UnknownObject, WrongState
from reallabor.models import (
    AuditEntry,
    Delivery,
    OutboxEntry,
    Role,
    Scenario,
    UnassignedOutput,
    Variant,
    row_id,
)
from reallabor.rating.publishing import publish
from reallabor.rating.rounds import open_round, release_round
from reallabor.recording import undoing
from reallabor.recording.projection import project
from reallabor.recording.undoing import undo_upload
from reallabor.recording.uploads import record_upload, take_upload
from reallabor.tracking import Connection


def taken_over(fielded: Trial, connection: Connection, **more: Any) -> str:
    run_id = record_upload(checked(fielded, **more), connection).run_id
    project(connection, slug=fielded.slug, everything=True)
    return run_id


def test_upload_is_undone_within_the_hour(
    fielded: Trial, connection: Connection, platform_url: str
) -> None:
    run_id = taken_over(fielded, connection, variant="neue-idee", title="Neue Idee")
    assert rows_in_database() == (1, 6)
    actor = pilot()
    assert undo_upload(run_id, actor=actor, connection=connection) == "Neue Idee"
    assert rows_in_database() == (0, 0)
    assert runs_of(connection, fielded) == []
    assert traces_of(connection, fielded) == []
    with reading() as session:
        assert session.exec(select(Variant).where(Variant.key == "neue-idee")).first() is None
        kinds = session.exec(select(AuditEntry.action)).all()
    assert "upload_undone" in kinds
    publish(connection)  # what was due for the run is no longer
    assert project(connection, slug=fielded.slug, everything=True).runs == 0
    with pytest.raises(UnknownObject, match="gibt es hier nicht mehr"):
        undo_upload(run_id, actor=actor, connection=connection)
    # The same file may come again.
    assert not record_upload(checked(fielded, variant="neue-idee"), connection).unchanged
    project(connection, slug=fielded.slug, everything=True)
    assert rows_in_database() == (1, 6)


def test_after_an_hour_an_upload_stays(
    fielded: Trial, connection: Connection, platform_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = taken_over(fielded, connection)
    later = datetime.now(UTC) + timedelta(hours=1, seconds=1)
    monkeypatch.setattr(undoing, "now", lambda: later)
    actor = pilot()
    with pytest.raises(WrongState, match="Die Stunde zum Rückgängigmachen ist vorbei"):
        undo_upload(run_id, actor=actor, connection=connection)
    assert rows_in_database() == (1, 6)
    assert_recorded_once(connection, fielded)
    monkeypatch.setattr(undoing, "now", lambda: later - timedelta(seconds=20))
    undo_upload(run_id, actor=actor, connection=connection)
    assert rows_in_database() == (0, 0)


@pytest.mark.parametrize("released", [False, True])
def test_upload_in_a_round_stays(
    fielded: Trial, connection: Connection, platform_url: str, released: bool
) -> None:
    run_id = taken_over(fielded, connection)
    with transaction() as session:
        staff = add_staff(session)
        round_ = open_round(session, fielded.slug, actor=staff["organiser"])
        if released:
            token = tokens(session, round_, staff["anna"])[0]
            rate(session, staff["anna"], token, {"FR": 4, "AN": 4})
            release_round(session, row_id(round_.id), actor=staff["organiser"])
    with pytest.raises(WrongState, match="wird schon bewertet"):
        undo_upload(run_id, actor=pilot(), connection=connection)
    assert rows_in_database() == (1, 6)
    assert_recorded_once(connection, fielded)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize(
    ("roles", "active", "allowed"),
    [((Role.PILOT,), True, True), ((Role.ORGANISER,), True, True), ((Role.PILOT,), False, False),
     ((Role.EVALUATOR,), True, False), ((Role.STEERING,), True, False), ((), True, False)],
)  # fmt: skip
def test_only_pilots_and_organisers_undo(  # noqa: PLR0917
    fielded: Trial,
    connection: Connection,
    platform_url: str,
    roles: tuple[Role, ...],
    active: bool,
    allowed: bool,
) -> None:
    run_id = taken_over(fielded, connection)
    actor = person(*roles, active=active)
    if allowed:
        undo_upload(run_id, actor=actor, connection=connection)
    else:
        with pytest.raises(NotAllowed, match="nur Pilotteams und die Organisation"):
            undo_upload(run_id, actor=actor, connection=connection)
    assert rows_in_database() == ((0, 0) if allowed else (1, 6))
    assert len(runs_of(connection, fielded)) == (0 if allowed else 1)


def test_run_of_another_way_is_not_undone(
    fielded: Trial, connection: Connection, platform_url: str, call: Callable[..., Call]
) -> None:
    (run,) = call("run", fielded.slug, "--variant", "eins", "--json").json["runs"]
    project(connection, slug=fielded.slug, everything=True)
    with pytest.raises(WrongState, match="nur Durchläufe aus einer Datei"):
        undo_upload(run["run_id"], actor=pilot(), connection=connection)
    assert rows_in_database() == (1, 6)


@pytest.mark.parametrize("stopped_after", ["traces", "run"])
def test_killed_undo_is_completed_by_the_worker(
    fielded: Trial,
    connection: Connection,
    platform_url: str,
    monkeypatch: pytest.MonkeyPatch,
    stopped_after: str,
) -> None:
    run_id = taken_over(fielded, connection)
    actor = pilot()

    class Stopped(BaseException):
        pass

    def stop(*_: Any, **__: Any) -> None:
        raise Stopped

    with monkeypatch.context() as patch:  # what a kill at this moment leaves
        if stopped_after == "traces":
            patch.setattr(type(connection.client), "delete_run", stop)
        else:
            patch.setattr(undoing, "finish_withdrawals", stop)
        with pytest.raises(Stopped):
            undo_upload(run_id, actor=actor, connection=connection)
    assert rows_in_database() == (0, 0)
    project(connection, slug=fielded.slug, everything=True, verify=True)
    assert rows_in_database() == (0, 0)  # not taken over again while its deletion is due
    publish(connection)

    assert runs_of(connection, fielded) == []
    with reading() as session:
        left = session.exec(select(func.count()).select_from(UnassignedOutput)).one()
        due = session.exec(select(OutboxEntry).where(OutboxEntry.kind == "indicators")).all()
    assert (left, due) == (0, [])


def test_outage_while_undoing_is_made_up_later(
    fielded: Trial, connection: Connection, platform_url: str
) -> None:
    run_id, actor = taken_over(fielded, connection), pilot()
    undo_upload(run_id, actor=actor, connection=DOWN)
    assert rows_in_database() == (0, 0)
    assert len(runs_of(connection, fielded)) == 1  # still there, and left alone
    project(connection, slug=fielded.slug, everything=True)
    assert rows_in_database() == (0, 0)
    # The same file again finishes the deletion first, so that it is a run of its own.
    again, _ = take_upload(checked(fielded), connection, actor=actor)
    assert not again.unchanged
    assert again.run_id != run_id
    assert rows_in_database() == (1, 6)
    assert_recorded_once(connection, fielded)


def test_upload_undone_by_somebody_else_is_a_sentence(
    fielded: Trial, connection: Connection, platform_url: str
) -> None:
    project(connection, slug=fielded.slug)  # so that the scenario is there

    def undone(sent: int, total: int) -> None:
        (journal,) = unfinished(fielded)
        with transaction() as session:
            scenario = session.exec(select(Scenario)).one()
            session.add(
                OutboxEntry(
                    key=f"withdrawal/{journal.run_id('eins')}",
                    kind=Delivery.WITHDRAWAL,
                    subject_id=row_id(scenario.id),
                )
            )

    with pytest.raises(WrongState, match=r"'a\.xlsx' ist in MLflow aufgezeichnet, hier aber nicht"):
        take_upload(checked(fielded), connection, actor=pilot(), progress=undone)
    assert rows_in_database() == (0, 0)


def test_pilot_of_another_house_may_not_undo(
    fielded: Trial, connection: Connection, platform_url: str
) -> None:
    run_id = taken_over(fielded, connection)
    with transaction() as session:
        stranger = add_person(session, "Fremd", Role.PILOT, organisation="Anderes Haus")
        session.expunge(stranger)
    with pytest.raises(NotAllowed, match="gehört einer anderen Organisation"):
        undo_upload(run_id, actor=stranger, connection=connection)
    assert rows_in_database() == (1, 6)
