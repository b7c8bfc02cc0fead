"""The pages Sitzungen and Sitzung without a browser: plan, open, come, vote, write, confirm; each
as the person whose part it is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import meeting
import pytest
from building import REPOSITORY, Trial
from meeting import CHAIR, GUEST, ORGANISER, OTHER, PILOT, Gathering, gather_people
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from reallabor.database import reading, transaction
from reallabor.deciding.drafts import read_draft
from reallabor.deciding.meeting_views import meeting_view
from reallabor.german import day, today
from reallabor.models import AgendaItem, AuditEntry, Condition, Decision, Meeting
from reallabor.settings import get_settings

Show = Callable[..., AppTest]


@pytest.fixture
def released(trial: Trial, platform_url: str, monkeypatch: pytest.MonkeyPatch) -> Trial:
    monkeypatch.setenv("REALLABOR_DEMO", "1")
    get_settings.cache_clear()
    with transaction() as session:
        meeting.release_results(session, trial)
    return trial


@pytest.fixture
def show() -> Show:
    def show(page: str, person: str, **query: object) -> AppTest:
        app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
        app.query_params["person"] = person
        app.run()
        for key, value in query.items():
            app.query_params[key] = str(value)
        app.switch_page(f"reallabor/ui/pages/{page}.py").run()
        assert not app.exception, app.exception
        return app

    return show


def words(app: AppTest) -> str:
    parts = (*app.markdown, *app.caption, *app.info, *app.success, *app.warning, *app.error,
             *app.subheader, *app.header)  # fmt: skip
    return " ".join(str(each.value) for each in parts).replace("\\", "")


def labelled(elements: Any, label: str) -> Any:
    (found,) = [each for each in elements if each.label == label]
    return found


def press(app: AppTest, label: str) -> AppTest:
    labelled(app.button, label).click()
    app.run()
    assert not app.exception, app.exception
    return app


def at(gathering: Gathering) -> dict[str, int]:
    return {"sitzung": gathering.meeting_id, "punkt": gathering.item_id}


def test_organisation_plans_a_meeting(released: Trial, show: Show) -> None:
    app = show("meetings", ORGANISER)
    assert "Noch keine Sitzung geplant" in words(app)
    labelled(app.text_input, "Titel").input("7. Sitzung")
    labelled(app.multiselect, "Tagesordnung, in dieser Reihenfolge").select(released.slug)
    labelled(app.text_area, "Gäste ohne Stimme, je Zeile ein Name").input("Dana Datenschutz\n\n")
    press(app, "Sitzung planen")
    with reading() as session:
        planned = session.exec(select(Meeting)).one()
        view = meeting_view(session, planned.id or 0)
    assert (planned.title, planned.quorum) == ("7. Sitzung", 2)
    assert [each.name for each in view.participants if not each.has_vote] == ["Dana Datenschutz"]
    app = show("meetings", CHAIR)
    assert "0 von 1 Punkt beschlossen" in words(app)
    assert "Neue Sitzung planen" not in [each.label for each in app.expander]


def test_refused_plan_is_a_sentence(released: Trial, show: Show) -> None:
    app = show("meetings", ORGANISER)
    press(app, "Sitzung planen")
    assert "Bitte der Sitzung einen Titel geben." in words(app)


def test_organisation_changes_a_planned_meeting(released: Trial, show: Show) -> None:
    gathering = gather_people(released, opened=False)
    app = show("meeting", ORGANISER, **at(gathering))
    later = today() + timedelta(days=20)
    labelled(app.text_input, "Titel").input("Verschoben")
    labelled(app.text_input, "Ort").input("Bensheim")
    labelled(app.date_input, "Tag").set_value(later)
    press(app, "Planung ändern")
    assert f"{day(later)}, Bensheim. Die Sitzung ist geplant." in words(app)
    with reading() as session:
        view = meeting_view(session, gathering.meeting_id)
        noted = session.exec(select(AuditEntry.action).order_by(col(AuditEntry.id))).all()
    assert (view.meeting.title, view.meeting.held_on) == ("Verschoben", later)
    assert [each.name for each in view.participants] == [CHAIR, OTHER, PILOT, GUEST]
    assert [item.slug for item in view.items] == [released.slug]
    assert noted[-1] == "meeting_changed"
    for person, opened in ((CHAIR, False), (ORGANISER, True)):
        if opened:
            press(app, "Sitzung eröffnen")
        buttons = show("meeting", person, **at(gathering)).button
        assert "Planung ändern" not in [each.label for each in buttons]


def test_organisation_opens_and_notes_who_came(released: Trial, show: Show) -> None:
    gathering = gather_people(released, opened=False)
    app = show("meeting", ORGANISER, **at(gathering))
    press(app, "Sitzung eröffnen")
    assert "Noch nicht beschlussfähig: 0 Stimmberechtigte anwesend" in words(app)
    for name in (CHAIR, OTHER):
        next(each for each in app.checkbox if each.label.startswith(name)).check().run()
    assert "2 Stimmberechtigte anwesend, beschlussfähig ab 2." in words(app)
    with reading() as session:
        assert meeting_view(session, gathering.meeting_id).n_present == 2


def test_member_votes_on_the_own_device(released: Trial, show: Show) -> None:
    gathering = gather_people(released)
    meeting.put(gathering, "Nachbessern", secret=True)
    app = show("meeting", CHAIR, **at(gathering))
    assert "Abstimmung läuft: Nachbessern (geheim)" in words(app)
    assert "Abstimmung schließen" not in [each.label for each in app.button]
    press(app, "Ja")
    assert "Ihre Stimme ist abgegeben." in words(app)
    assert "Ja" not in [each.label for each in app.button]
    absent = show("meeting", PILOT, **at(gathering))
    assert f"'{PILOT}' ist nicht als anwesend eingetragen" in words(absent)


def test_whole_item_on_the_page(released: Trial, show: Show) -> None:
    gathering = gather_people(released)
    app = show("meeting", ORGANISER, **at(gathering))
    assert "Vorschlag nach den Regeln: **Zurückstellen**" in words(app)
    assert f"{PILOT} (Jobcenter Musterstadt): eigener Pilot; stimmt mit ab." in words(app)
    labelled(app.radio, "Antrag").set_value("Nachbessern").run()
    press(app, "Abstimmung öffnen")
    for _ in (CHAIR, OTHER):
        press(app, "Ja")  # on call
    press(app, "Abstimmung schließen")
    assert "2 Ja, 0 Nein, 0 Enthaltung. Angenommen" in words(app)
    labelled(app.text_area, "Aussprache").input("Lange gesprochen").run()
    labelled(app.text_area, "Begründung").input("Trägt noch nicht").run()
    labelled(app.text_input, "Auflage 1").input("Schulen").run()
    with reading() as session:
        note, draft, _ = read_draft(session, gathering.item_id)
    assert (note, draft["reason"], draft["conditions"][0]["text"]) == (
        "Lange gesprochen", "Trägt noch nicht", "Schulen"
    )  # fmt: skip
    press(app, "Beschluss bestätigen")
    assert "Zu jeder Auflage gehören ein Text und wer sie erfüllt" in words(app)
    app.text_input(key=f"owner-0-{gathering.item_id}").input("Paul Pilot").run()
    press(app, "Beschluss bestätigen")
    assert "weicht vom Vorschlag 'Zurückstellen' ab" in words(app)
    labelled(app.text_area, "Warum anders als vorgeschlagen (Zurückstellen)?").input("Eilt").run()
    labelled(app.checkbox, "Mit Wiedervorlage").check().run()
    labelled(app.text_area, "Abweichende Meinung").input("Eine Stimme dagegen").run()
    press(app, "Beschluss bestätigen")
    with reading() as session:
        decision = session.exec(select(Decision)).one()
        (condition,) = session.exec(select(Condition)).all()
        assert session.exec(select(AgendaItem.decision_id)).one() == decision.id
    assert (decision.verdict, decision.dissent) == ("Nachbessern", "Eine Stimme dagegen")
    assert decision.review_on is not None
    assert (condition.text, condition.owner) == ("Schulen", "Paul Pilot")
    assert "Abweichend vom Vorschlag:** Eilt" in words(app)
    assert "Lange gesprochen" in words(app)


def test_draft_survives_another_device(released: Trial, show: Show) -> None:
    gathering = gather_people(released)
    meeting.adopt(gathering, "Zurückstellen")
    mine, yours = (show("meeting", name, **at(gathering)) for name in (ORGANISER, CHAIR))
    labelled(mine.text_area, "Begründung").input("Meine Begründung").run()
    labelled(yours.text_area, "Aussprache").input("Deine Aussprache").run()
    assert "nichts wurde überschrieben" in words(yours)
    with reading() as session:
        note, draft, _ = read_draft(session, gathering.item_id)
    assert (note, draft["reason"]) == ("", "Meine Begründung")
    press(yours, "Neuen Stand laden")
    assert labelled(yours.text_area, "Begründung").value == "Meine Begründung"
    labelled(yours.text_area, "Aussprache").input("Deine Aussprache").run()
    with reading() as session:
        assert read_draft(session, gathering.item_id)[0] == "Deine Aussprache"


def test_due_conditions_stand_on_the_start_page(released: Trial, show: Show) -> None:
    from datetime import timedelta

    from reallabor.deciding.decisions import NewCondition
    from reallabor.german import today

    gathering = gather_people(released)
    meeting.adopt(gathering, "Zurückstellen")
    meeting.confirm(gathering, "Zurückstellen", review_on=today() + timedelta(days=9), conditions=[
        NewCondition("Zeiten messen", "Paul Pilot", today() + timedelta(days=9))
    ])  # fmt: skip
    for person in (CHAIR, "Paul Pilot"):
        app = show("start", person)
        assert "Zeiten messen (Paul Pilot, bis" in words(app)
        assert ("Wiedervorlage am" in words(app)) is (person == CHAIR)
    labelled(app.text_input, "Wodurch erfüllt?").input("Gemessen")
    press(app, "Als erfüllt vermerken")
    assert "Zeiten messen" not in words(app)
    protocol = show("meeting", "Nora Niemand", **at(gathering))
    assert "erfüllt am" in words(protocol)
