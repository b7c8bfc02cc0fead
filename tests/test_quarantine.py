"""Personal data seen in an output: hidden at once, decided, erased; levels stay."""

from datetime import timedelta

import building
import pytest
from building import CRITERIA, Trial, person
from sqlmodel import Session, col, select

from reallabor.database import reading, transaction
from reallabor.errors import NotAllowed, WrongState
from reallabor.models import (
    Assignment,
    Delivery,
    EndReason,
    OutboxEntry,
    Output,
    Quarantine,
    QuarantineVerdict,
    Rating,
    Remark,
    Round,
    TrialRun,
    now,
)
from reallabor.people import acting_person
from reallabor.rating.drafting import RoundChoice, draft_round
from reallabor.rating.membership import leave_round
from reallabor.rating.progress import round_progress
from reallabor.rating.quarantine import (
    LONGEST,
    decide_quarantine,
    erase_overdue,
    list_quarantine,
    report_personal_data,
)
from reallabor.rating.ratings import Judgement, submit_rating
from reallabor.rating.rounds import open_round, release_round
from reallabor.rating.sheet import load_sheet
from reallabor.rating.surveys import sample_choices
from reallabor.recording.runs import run_detail
from reallabor.recording.settling import settle


@pytest.fixture
def opened(trial: Trial, platform_url: str) -> Trial:
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        people = [staff[name] for name in ("anna", "bert", "cora")]
        open_round(session, trial.slug, actor=staff["organiser"],
                   choice=RoundChoice(overlap=3, evaluators=people))  # fmt: skip
    return trial


def texts(session: Session, name: str = "Anna Bewertung") -> dict[str, str]:
    """Output text to token of what a person has."""
    sheet = load_sheet(session, 1, actor=person(session, name), position=1, after=99)
    return {item.output: item.token for item in sheet.items}


def reported(session: Session) -> str:
    """Report the first output of Anna; gives its text."""
    text, token = next(iter(texts(session).items()))
    report_personal_data(session, actor=person(session), token=token)
    return text


def test_report_hides_the_output_from_everybody(opened: Trial) -> None:
    with transaction() as session:
        text = reported(session)
    with reading() as session:
        for name in ("Anna Bewertung", "Bert Bewertung", "Cora Bewertung"):
            assert len(texts(session, name)) == 17
            assert text not in texts(session, name)
        (entry,) = list_quarantine(session)
        assert entry.text == text
        assert entry.erased_on - entry.reported_at == timedelta(days=14)


def test_reporting_twice_makes_one_entry(opened: Trial) -> None:
    with transaction() as session:
        token = next(iter(texts(session).values()))
        text = next(iter(texts(session)))
        berts = texts(session, "Bert Bewertung")[text]
        report_personal_data(session, actor=person(session), token=token)
        report_personal_data(session, actor=person(session), token=token)
        report_personal_data(session, actor=person(session, "Bert Bewertung"), token=berts)
    with reading() as session:
        assert len(session.exec(select(Quarantine)).all()) == 1


def test_score_for_a_hidden_output_is_refused(opened: Trial) -> None:
    with transaction() as session:
        text = next(iter(texts(session)))
        berts = texts(session, "Bert Bewertung")[text]
        reported(session)
    with pytest.raises(WrongState, match="personenbezogene Daten"), transaction() as session:
        building.rate(session, person(session, "Bert Bewertung"), berts)


def test_released_output_comes_back_in_its_place(opened: Trial) -> None:
    with transaction() as session:
        before = list(texts(session))
        reported(session)
        (entry,) = list_quarantine(session)
        decide_quarantine(
            session,
            entry.id,
            QuarantineVerdict.RELEASED,
            actor=person(session, "Olga Organisation"),
        )
    with reading() as session:
        assert list(texts(session)) == before
        assert list_quarantine(session) == []


def test_erasing_takes_texts_and_keeps_levels(opened: Trial) -> None:
    with transaction() as session:
        text = next(iter(texts(session)))
        judgement = Judgement(
            dict.fromkeys(CRITERIA, 2), "Kommentar", {"FR": "Name steht da"},
            [{"start": 0, "end": 5, "criterion": ""}], 10,
        )  # fmt: skip
        berts = texts(session, "Bert Bewertung")[text]
        submit_rating(
            session, judgement, actor=person(session, "Bert Bewertung"), token=berts,
            submission="0b1e7c1e-0000-4000-8000-000000000001",
        )  # fmt: skip
        reported(session)
        (entry,) = list_quarantine(session)
        decide_quarantine(
            session, entry.id, QuarantineVerdict.ERASED, actor=person(session, "Olga Organisation")
        )
    with reading() as session:
        output = session.exec(
            select(Output).join(Quarantine, col(Quarantine.output_id) == Output.id)
        ).one()
        assert output.text is None
        assert output.content_sha256
        remark = session.exec(select(Remark)).one()
        assert (remark.text, remark.passages, remark.rework_minutes) == ("", [], 10)
        ratings = session.exec(select(Rating)).all()
        assert [(r.level, r.comment) for r in ratings] == [(2, None)] * 6
        due = session.exec(select(OutboxEntry).where(OutboxEntry.kind == Delivery.ERASURE)).one()
        assert due.subject_id == output.id
        draft = draft_round(session, opened.slug, RoundChoice())
        assert output.id not in {o for group in draft.outputs.values() for o in group}
        assert draft.quarantined == 1


def test_undecided_is_erased_after_two_weeks(opened: Trial) -> None:
    with transaction() as session:
        reported(session)
        assert erase_overdue(session, actor=acting_person(session)) == 0
        entry = session.exec(select(Quarantine)).one()
        entry.reported_at = now() - LONGEST - timedelta(minutes=1)
        session.add(entry)
    with transaction() as session:
        assert erase_overdue(session, actor=acting_person(session)) == 1
        assert erase_overdue(session, actor=acting_person(session)) == 0
    with reading() as session:
        assert len(session.exec(select(Output).where(col(Output.text).is_(None))).all()) == 1


@pytest.mark.parametrize("name", ["Paul Pilot", "Anna Bewertung", "Stefan Lenkung"])
def test_only_the_organisation_decides(opened: Trial, name: str) -> None:
    with transaction() as session:
        reported(session)
        (entry,) = list_quarantine(session)
    with pytest.raises(NotAllowed), transaction() as session:
        decide_quarantine(
            session, entry.id, QuarantineVerdict.RELEASED, actor=person(session, name)
        )
    with transaction() as session:
        olga = person(session, "Olga Organisation")
        decide_quarantine(session, entry.id, QuarantineVerdict.RELEASED, actor=olga)
        with pytest.raises(WrongState, match="inzwischen entschieden"):
            decide_quarantine(session, entry.id, QuarantineVerdict.ERASED, actor=olga)


def test_new_rounds_leave_hidden_outputs_out(opened: Trial) -> None:
    with transaction() as session:
        text = reported(session)
        building.rate(session, person(session), next(iter(texts(session).values())))
        release_round(session, 1, actor=person(session, "Olga Organisation"))
        open_round(session, opened.slug, actor=person(session, "Olga Organisation"))
        number = session.exec(select(Round.id).order_by(col(Round.id).desc())).first()
        shown = {
            item.output
            for name in ("Anna Bewertung", "Bert Bewertung", "Cora Bewertung")
            for item in load_sheet(
                session, number or 0, actor=person(session, name), position=1, after=99
            ).items
        }
        assert len(shown) == 17
        assert text not in shown


# --- what a review found ------------------------------------------------------------------------


def test_score_under_way_does_not_bring_a_hidden_output_back(opened: Trial) -> None:
    """The case had moved to somebody else when it was reported."""
    with transaction() as session:
        text, token = next(iter(texts(session).items()))
        assignment = session.exec(select(Assignment).where(Assignment.token == token)).one()
        assignment.ended_at, assignment.ended_because = now(), EndReason.MOVED
        session.add(assignment)
        session.flush()
        berts = texts(session, "Bert Bewertung")[text]
        report_personal_data(session, actor=person(session, "Bert Bewertung"), token=berts)
    with pytest.raises(WrongState, match="personenbezogene Daten"), transaction() as session:
        building.rate(session, person(session), token)
    with reading() as session:
        assert text not in texts(session)


def test_released_output_goes_to_nobody_who_left(opened: Trial) -> None:
    with transaction() as session:
        text = reported(session)
        boss = person(session, "Olga Organisation")
        leave_round(session, 1, person=person(session, "Bert Bewertung"), actor=boss)
        (entry,) = list_quarantine(session)
        decide_quarantine(session, entry.id, QuarantineVerdict.RELEASED, actor=boss)
    with reading() as session:
        assert text in texts(session)
        assert text in texts(session, "Cora Bewertung")
        progress = round_progress(session, 1)
        assert {each.name: each.total for each in progress.raters}["Bert Bewertung"] == 0


def test_hidden_text_is_shown_on_no_page(opened: Trial) -> None:
    with transaction() as session:
        text = reported(session)
        run_id = session.exec(select(Output.run_id).where(Output.text == text)).one()
        shown = run_detail(session, run_id)
        assert text not in str(shown)
        assert "Gesperrt" in str(shown)
        assert text not in str(sample_choices(session, opened.slug,
                                              actor=person(session, "Paul Pilot")))  # fmt: skip


def test_erasing_changes_no_indicator(opened: Trial) -> None:
    with transaction() as session:
        text = reported(session)
        run_id = session.exec(select(Output.run_id).where(Output.text == text)).one()
        run = session.get_one(TrialRun, run_id)
        settle(session, run)
        before = dict(run.indicators)
        (entry,) = list_quarantine(session)
        decide_quarantine(
            session, entry.id, QuarantineVerdict.ERASED, actor=person(session, "Olga Organisation")
        )
        settle(session, run)
        assert run.complete
        assert run.indicators["failure_share"] == before["failure_share"] == 0
