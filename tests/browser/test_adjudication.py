"""Adjudication from the keyboard, blind, and the agreement page with a new rubric version."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

import building
import pytest
from conftest import Platform, Screen, new_screen
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session, col, select
from test_pages import violations

from reallabor.database import reading, transaction
from reallabor.models import (
    Adjudication,
    Assignment,
    Case,
    Output,
    Person,
    Rater,
    Rating,
    Remark,
    Role,
    TrialRun,
    row_id,
)
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.rounds import open_round
from reallabor.recording.creating import checked_rubric, create_scenario
from reallabor.recording.rubric_versions import newest_rubric
from reallabor.scenarios import CaseContent

ORGANISER, STEERING = "Nadja Organisation", "Ruth Lenkungskreis"
VARIANT, TITLE, HOUSE = "pirol-variante", "Suche Pirol", "Pirolhaus Kreis Probe"
RATERS = ("Pia Pirolprobe", "Rolf Pirolprobe")
ANCHORS = {1: "Falsch", 2: "Eher falsch", 3: "Halb richtig", 4: "Eher richtig", 5: "Richtig"}
RUBRIC: dict[str, Any] = {
    "key": "pirol", "version": 1, "title": "Prüfraster", "scale": {"min": 1, "max": 5},
    "criteria": [{"key": "R", "title": "Richtigkeit", "question": "Stimmt das?", "weight": 60,
                  "levels": ANCHORS},
                 {"key": "T", "title": "Ton", "weight": 40,
                  "levels": {n: f"Ton {text}" for n, text in ANCHORS.items()}}],
}  # fmt: skip
STECKBRIEF: dict[str, Any] = {
    "title": "Strittige Antworten", "organisation": HOUSE, "legal_status": "2026-11-01",
    "task": "Antworten.", "helps": "Allen.", "ai_kind": "Auskunft", "rubric": "pirol",
    "risk_class": {"class": "minimal", "article": "keiner", "reason": "Probe"}, "gates": [],
    "baseline_minutes": 1, "yearly_volume": 1, "candidate": VARIANT,
    "variants": [{"key": VARIANT, "title": f"{TITLE} eins"},
                 {"key": "bisher", "title": f"{TITLE} alt", "baseline": True}],
}  # fmt: skip
LEVELS = {"d-1": {"R": (1, 5)}, "d-2": {"R": (2, 4)}, "d-3": {"T": (4, 2)}}
"""Three disputes in this order; all else is a 4."""


@dataclass
class Disputed:
    """An open round with three disputes."""

    url: str
    round_id: int
    secrets: list[str]


@pytest.fixture(scope="module")
def disputed(platform: Platform) -> Disputed:
    """A scenario of its own: other tests count the rounds and people of theirs."""
    url = f"sqlite:///{platform.home}/reallabor.sqlite"
    with transaction(url) as session:
        organiser = session.exec(select(Person).where(Person.name == ORGANISER)).one()
        cases = [CaseContent(id=f"d-{n}", input=f"Frage {n}?", reference="So ist es.")
                 for n in range(1, 6)]  # fmt: skip
        create_scenario(session, "strittig", STECKBRIEF, cases,
                        rubric=checked_rubric(RUBRIC), actor=organiser)  # fmt: skip
        run = building.add_run(session, "strittig", VARIANT, organisation=HOUSE)
        for output in session.exec(select(Output).where(Output.run_id == run.id)):
            output.text = "Das steht im Bescheid, Seite zwei."
            session.add(output)
        people = [building.add_person(session, name, Role.EVALUATOR) for name in RATERS]
        round_ = open_round(
            session, "strittig", actor=organiser, choice=RoundChoice(evaluators=people)
        )
        for place, person in enumerate(people):
            rate(session, row_id(round_.id), person, place)
            person.active = False  # other tests choose among all evaluators
            session.add(person)
        traces = session.exec(select(Output.trace_id).where(Output.run_id == run.id)).all()
        tracking = session.get_one(TrialRun, run.id).tracking_run_id
        return Disputed(url, row_id(round_.id), [
            VARIANT, TITLE, HOUSE, *RATERS, str(tracking), *map(str, traces),
        ])  # fmt: skip


def rate(session: Session, round_id: int, person: Person, place: int) -> None:
    rows = session.exec(
        select(Case.key, Assignment.token, Rater.id, Output.id)
        .join(Output, col(Output.case_id) == Case.id)
        .join(Assignment, col(Assignment.output_id) == Output.id)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .where(Rater.round_id == round_id, Rater.person_id == person.id)
    ).all()
    for case, token, rater, output in rows:
        given = {key: pair[place] for key, pair in LEVELS.get(case, {}).items()}
        building.rate(session, person, token, {"R": 4, "T": 4, **given})
        if case == "d-1" and place == 0:
            session.add(
                Remark(rater_id=rater, output_id=output, text="Die Seite stimmt nicht.",
                       passages=[{"start": 23, "end": 33, "criterion": "R"}],
                       submission=str(uuid.uuid4()))
            )  # fmt: skip
    for rating in session.exec(select(Rating).where(Rating.round_id == round_id)):
        rating.comment = f"Kommentar zu Stufe {rating.level:g}"
        session.add(rating)
    session.flush()


def heading(page: Page, number: int, title: str = "Richtigkeit") -> None:
    name = f"Strittiges Urteil {number} von 3: {title}"
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def decisions(disputed: Disputed) -> list[tuple[float, str]]:
    with reading(disputed.url) as session:
        rows = session.exec(
            select(Adjudication.level, Adjudication.reason)
            .where(col(Adjudication.superseded_at).is_(None))
            .order_by(col(Adjudication.id))
        ).all()
    return [tuple(row) for row in rows]


def test_desk_is_accessible_and_blind(screen: Screen, disputed: Disputed) -> None:
    screen.open("klaerung", ORGANISER, runde=str(disputed.round_id))
    page = screen.page
    heading(page, 1)
    expect(page.get_by_text("Kommentar zu Stufe 5")).to_be_visible()
    expect(page.get_by_text("Die Seite stimmt nicht.")).to_be_visible()
    expect(page.locator("mark")).to_contain_text("Seite zwei")
    expect(page.get_by_text("0 von 3 geklärt")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_text("voriges und nächstes Urteil")).to_be_visible()
    assert violations(screen) == []
    page.keyboard.press("Escape")
    expect(page.get_by_text("voriges und nächstes Urteil")).to_be_hidden()
    for number in (2, 3):
        page.keyboard.press("ArrowRight")
        heading(page, number, "Ton" if number == 3 else "Richtigkeit")
    wire = b"\n".join(screen.frames) + page.content().encode()
    assert len(screen.frames) > 5
    assert not [secret for secret in disputed.secrets if secret.encode() in wire]


def test_disputes_are_decided_by_keyboard_alone(screen: Screen, disputed: Disputed) -> None:
    screen.open("klaerung", ORGANISER, runde=str(disputed.round_id))
    page = screen.page
    heading(page, 1)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Bitte zuerst eine Stufe wählen.")).to_be_visible()
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Stufe 3 hat niemand vergeben. Bitte begründen")).to_be_visible()
    assert decisions(disputed) == []
    page.keyboard.type("Halb: 5 ? r c")  # nothing of it may fire while typing
    expect(page.get_by_label(re.compile("Begründung"))).to_have_value("Halb: 5 ? r c")
    expect(page.locator("input[value='3']")).to_be_checked()
    page.keyboard.press("Control+Enter")
    heading(page, 2)
    expect(page.get_by_text("1 von 3 geklärt")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    heading(page, 1)
    expect(page.get_by_text("Geklärt mit Stufe 3.")).to_be_visible()
    page.keyboard.press("ArrowRight")
    heading(page, 2)
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    heading(page, 3, "Ton")
    page.get_by_role("button", name=re.compile("Stufe 2 von B-.* übernehmen")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 von 3 geklärt")).to_be_visible()
    expect(page.get_by_text("Alle strittigen Urteile sind geklärt.")).to_be_visible()
    assert decisions(disputed) == [(3, "Halb: 5 ? r c"), (4, ""), (2, "")]
    page.reload()
    screen.rest()
    expect(page.get_by_text("3 von 3 geklärt")).to_be_visible()


def test_rater_and_steering_group_decide_nothing(screen: Screen, disputed: Disputed) -> None:
    for person in (STEERING, "Emre Bewertung"):
        screen.open("klaerung", person, runde=str(disputed.round_id))
        expect(screen.page.get_by_text("klären kann nur die Organisation")).to_be_visible()
        screen.open("uebereinstimmung", person, runde=str(disputed.round_id))
        expect(screen.page.get_by_text("läuft noch; ihre Übereinstimmung")).to_be_visible()


def test_open_round_shows_confusion_and_no_system(screen: Screen, disputed: Disputed) -> None:
    screen.open("uebereinstimmung", ORGANISER, runde=str(disputed.round_id))
    page = screen.page
    expect(page.get_by_text("Dieser vorläufige Stand ist nur für")).to_be_visible()
    sentence = re.compile("Zwischen Stufe . „.*“ und Stufe . „.*“ wird am häufigsten")
    expect(page.get_by_text(sentence)).to_be_visible()
    page.wait_for_timeout(500)
    assert violations(screen) == []
    wire = b"\n".join(screen.frames) + page.content().encode()
    assert not [secret for secret in disputed.secrets if secret.encode() in wire]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_released_round_is_accessible_and_leads_to_outputs(
    browser: Browser, platform: Platform, dark: bool
) -> None:
    screen = new_screen(browser, platform, dark=dark)
    screen.open("vergleich", STEERING, szenario="buerger-chatbot")
    page = screen.page
    page.get_by_role("link", name="Übereinstimmung im Einzelnen").click()
    screen.rest()
    expect(page.get_by_role("heading", name="Fälle, strittigste zuerst")).to_be_visible()
    page.wait_for_timeout(500)
    found = violations(screen)
    page.get_by_role("link", name=re.compile(r"ohne KI|\(Jobcenter")).first.click()
    expect(page.get_by_role("heading", level=1, name="Durchlauf")).to_be_visible()
    expect(page).to_have_url(re.compile("fall="))
    page.context.close()
    assert found == []
    assert not screen.faults


def test_confused_anchors_become_a_new_version(screen: Screen, disputed: Disputed) -> None:
    screen.open("uebereinstimmung", ORGANISER, runde=str(disputed.round_id))
    page = screen.page
    page.get_by_role("link", name="Ankertexte neu fassen").click()
    expect(page.get_by_role("heading", name=re.compile("pirol@1"))).to_be_visible()
    assert violations(screen) == []
    page.get_by_role("textbox", name="Stufe 4").first.fill("Richtig bis auf Kleinigkeiten")
    page.get_by_role("button", name="Als neue Fassung speichern").click()
    expect(page.get_by_text("pirol@2 ist gespeichert.").first).to_be_visible()
    with reading(disputed.url) as session:
        newest = newest_rubric(session, "pirol")
    texts = {each.levels[4] for each in newest.criteria}
    assert "Richtig bis auf Kleinigkeiten" in texts
    assert newest.version == 2
