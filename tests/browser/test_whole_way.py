"""One real trial all the way in a browser: recorded, rated blind by two people with the keyboard,
released, compared, flagged, and visible in MLflow."""

import re
from time import monotonic, sleep

import pytest
from conftest import CANARIES, CANARY_TEAM, CANARY_TITLE, Platform, Screen, new_screen, prose
from mlflow import MlflowClient
from playwright.sync_api import Browser, Locator, expect

ORGANISER, STEERING = "Nadja Organisation", "Ruth Lenkungskreis"
RATERS = ("Emre Bewertung", "Katrin Bewertung")
GOLD = 3
"""Gold cases that the plan mixes in unless somebody says otherwise; they reach no result."""
REMARK = "Kanarienbemerkung: freundlich, aber lang."


@pytest.fixture(scope="module")
def recorded(platform: Platform) -> Platform:
    """The trial, recorded for real and taken over."""
    platform.reallabor("run", platform.slug)
    return platform


def card(screen: Screen) -> Locator:
    """The trial's own card; other tests may have left rounds of other scenarios open."""
    heading = screen.page.get_by_role("heading", name="Kleiner Versuch")
    return screen.page.get_by_test_id("stVerticalBlock").filter(has=heading).last


def score_all(screen: Screen, person: str, *, remark: str = "") -> int:
    """Rate everything from the keyboard alone; gives the number of outputs."""
    screen.open("", person)
    page = screen.page
    expect(page.get_by_role("heading", name="Ihre offenen Bewertungen")).to_be_visible()
    card(screen).get_by_role("button", name="Bewertung beginnen").click()
    screen.rest()
    heading = page.get_by_role("heading", name=re.compile(r"Fall \d+ von \d+"))
    expect(heading).to_be_visible()
    total = int(re.findall(r"\d+", heading.inner_text())[1])
    page.locator("fieldset input").first.focus()
    for position in range(1, total + 1):
        expect(page.get_by_role("heading", name=f"Fall {position} von {total}")).to_be_visible()
        if remark and position == 1:
            page.get_by_role("textbox").last.fill(remark)
            page.locator("fieldset input").first.focus()
        for digit in "435544":
            page.keyboard.press(digit)
        page.keyboard.press("Enter")
    expect(page.get_by_text(prose(f"Alle {total} Ausgaben bewertet"))).to_be_visible()
    expect(page.locator(".safety", has_text="Alles gespeichert")).to_be_visible()
    return total


def wait_for(condition, what: str, seconds: float = 60.0):  # type: ignore[no-untyped-def]
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        if value := condition():
            return value
        sleep(0.5)
    raise AssertionError(what)


def test_trial_goes_from_recording_to_flag(browser: Browser, recorded: Platform) -> None:
    slug = recorded.slug
    organiser = new_screen(browser, recorded)
    organiser.open("", ORGANISER)
    card(organiser).get_by_role("button", name="Bewertung planen").click()
    organiser.rest()
    organiser.page.get_by_role("button", name="Bewertungsrunde beginnen").click()
    expect(organiser.page.get_by_text("läuft. Die Bewertenden sehen").first).to_be_visible()

    totals = []
    for person, remark in zip(RATERS, (REMARK, ""), strict=True):
        rater = new_screen(browser, recorded)
        totals.append(score_all(rater, person, remark=remark))
        assert_blind(rater, recorded)
        rater.open("steckbrief", person, szenario=slug)
        expect(
            rater.page.get_by_text("Sie bewerten dieses Szenario gerade, oder").first
        ).to_be_visible()
        expect(
            rater.page.locator(f'[data-testid="stTable"]:has-text("{CANARY_TITLE}")')
        ).to_have_count(0)
        rater.page.context.close()
        assert not rater.faults, rater.faults

    organiser.open("", ORGANISER)
    rated = sum(totals) - len(RATERS) * GOLD
    expect(organiser.page.get_by_text(f"{rated} von 36 Bewertungen")).to_be_visible()
    expect(organiser.page.get_by_text("2 von 5 Personen fertig.")).to_be_visible()
    assert not feedback(recorded), "nothing may reach MLflow before the release"
    card(organiser).get_by_role("button", name="Runde öffnen").click()
    organiser.rest()
    rows = organiser.page.get_by_role("row")
    expect(rows.filter(has_text="fertig")).to_have_count(2)
    organiser.page.get_by_text("Ja, die Ergebnisse sollen jetzt sichtbar werden.").click()
    organiser.rest()
    organiser.page.get_by_role("button", name="Freigeben").click()
    expect(organiser.page.get_by_text("ist freigegeben").first).to_be_visible()

    steering = new_screen(browser, recorded)
    steering.open("vergleich", STEERING, szenario=slug)
    page = steering.page
    expect(page.get_by_role("heading", name="Kleiner Versuch")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Runde 2 mit \d+ Fällen, 2 Bewertenden"))).to_be_visible()
    page.get_by_text("Umlaufbeschluss ohne Sitzung").click()
    page.get_by_role("radiogroup", name="Beschluss").get_by_text("Nachbessern").click()
    page.get_by_label("Begründung").fill("Verständlich, aber die Quelle fehlt oft.")
    page.get_by_role("button", name="Beschluss festhalten").click()
    expect(page.get_by_text("festgehalten: Nachbessern").first).to_be_visible()

    assert '"verdict": "Nachbessern"' in recorded.reallabor("compare", slug, "--json")
    client = MlflowClient(recorded.mlflow)
    experiment = wait_for(
        lambda: (
            (found := client.get_experiment_by_name(f"reallabor/{slug}")).tags.get(
                "reallabor.decision"
            )
            and found
        ),
        "the decision tag must reach MLflow",
    )
    assert experiment.tags["reallabor.decision"] == "Nachbessern"
    assert experiment.tags["reallabor.decision_by"] == STEERING
    given = wait_for(lambda: len(found := feedback(recorded)) >= rated * 6 and found, "scores")
    names = {each.source.source_id for each in given}
    assert len(names) == 2
    assert all(re.fullmatch(r"B-[A-Z0-9]{6}", name) for name in names)
    assert len({each.create_time_ms for each in given}) == 1, "all carry the release time"
    trials = [
        run
        for run in client.search_runs([experiment.experiment_id])
        if not {"reallabor.demo", "reallabor.content", "reallabor.evidence"} & set(run.data.tags)
    ]
    assert trials
    assert all("score.total" in run.data.metrics for run in trials)
    for each in (organiser, steering):
        each.page.context.close()
        assert not each.faults, each.faults


def test_mlflow_screen_shows_run_feedback_and_decision(
    browser: Browser, recorded: Platform
) -> None:
    client = MlflowClient(recorded.mlflow)
    experiment = client.get_experiment_by_name(f"reallabor/{recorded.slug}")
    if "reallabor.decision" not in experiment.tags:
        pytest.skip("needs the trial of the test before")
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    address = f"{recorded.mlflow}/#/experiments/{experiment.experiment_id}"
    page.goto(f"{address}/runs")
    expect(page.get_by_text(re.compile(f"{CANARY_TITLE} eins")).first).to_be_visible()
    page.goto(f"{address}/traces")
    expect(page.get_by_text(re.compile("Was ist ein Bescheid")).first).to_be_visible()
    page.close()


def feedback(platform: Platform) -> list:  # type: ignore[type-arg]
    """All human feedback on traces of real runs."""
    client = MlflowClient(platform.mlflow)
    experiment = client.get_experiment_by_name(f"reallabor/{platform.slug}")
    found = []
    for run in client.search_runs([experiment.experiment_id]):
        if run.data.tags.get("reallabor.demo") == "true":
            continue
        for trace in client.search_traces(
            locations=[experiment.experiment_id], run_id=run.info.run_id, include_spans=False
        ):
            found += [each for each in trace.info.assessments if isinstance(each.value, float)]
    return found


def assert_blind(screen: Screen, platform: Platform) -> None:
    """Nothing that names system, run or team came over the wire or stands in the page."""
    client = MlflowClient(platform.mlflow)
    experiment = client.get_experiment_by_name(f"reallabor/{platform.slug}")
    ids = [run.info.run_id for run in client.search_runs([experiment.experiment_id])]
    traces = client.search_traces(locations=[experiment.experiment_id], include_spans=False)
    ids += [trace.info.trace_id.removeprefix("tr-") for trace in traces]
    secrets = [*CANARIES.values(), CANARY_TITLE, CANARY_TEAM, *ids]
    wire = b"\n".join(screen.frames) + screen.page.content().encode()
    assert len(screen.frames) > 10
    assert not [secret for secret in secrets if secret.encode() in wire]


def test_refusal_is_one_sentence_on_the_page(screen: Screen) -> None:
    screen.open("vergleich", STEERING, szenario="buerger-chatbot")
    screen.page.get_by_text("Umlaufbeschluss ohne Sitzung").click()
    verdicts = screen.page.get_by_role("radiogroup", name="Beschluss")
    verdicts.get_by_text("Weiterentwickeln").click()
    screen.page.get_by_role("button", name="Beschluss festhalten").click()
    expect(screen.page.get_by_text("Bitte den Beschluss begründen")).to_be_visible()
