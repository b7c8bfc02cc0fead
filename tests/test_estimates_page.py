"""What the pilot team states for the comparison, on the real pages: asked in the form, refused
where it is half, shown on the Steckbrief, and counted in the ranking."""

from collections.abc import Callable, Iterator

import building
import pytest
from building import REPOSITORY, Trial
from streamlit.testing.v1 import AppTest
from test_creating import table

from reallabor.database import reading, transaction
from reallabor.errors import UnknownObject
from reallabor.german import euro
from reallabor.rating.rounds import open_round, release_round
from reallabor.recording.catalogue import get_scenario, load_shipped
from reallabor.settings import get_settings

ORGANISER, STEERING = "Olga Organisation", "Stefan Lenkung"
SLUG = "kuendigungen"
Open = Callable[..., AppTest]


@pytest.fixture
def backend() -> str:
    """One database: how it is stored is tested elsewhere, here it is about the screen."""
    return "sqlite"


@pytest.fixture
def opened(trial: Trial, platform_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a page as somebody; one folder scenario is there, without estimates."""
    monkeypatch.setenv("REALLABOR_DEMO", "1")
    get_settings.cache_clear()
    with transaction() as session:
        load_shipped(session)
        building.add_staff(session)

    def opened(name: str, person: str = ORGANISER, **query: str) -> AppTest:
        page = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
        page.session_state["person"] = person
        page.run()
        page.switch_page(f"reallabor/ui/pages/{name}.py")
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception, page.exception
        return page

    yield opened
    get_settings.cache_clear()


def words(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info, page.warning, page.error)
    return "\n".join(str(each.value) for kind in kinds for each in kind).replace("\\", "")


def fill(page: AppTest) -> AppTest:
    """All that the form must have, and nothing for the comparison."""
    for key, text in {"title": "Kündigungen", "kind": "Klassifikation",
                      "candidate": "Assistent A"}.items():  # fmt: skip
        page.text_input(key=key).input(text)
    page.text_area(key="task").input("Kündigungen erkennen.")
    page.text_area(key="helps").input("Der Poststelle.")
    rows = [["Fall", "Eingabe"], *([f"k-{n}", f"Schreiben {n}"] for n in range(1, 4))]
    page.file_uploader(key="cases").upload("faelle.xlsx", table(*rows), "application/octet-stream")
    page.selectbox(key="rubric").set_value("auskunft")
    return page.run()


def create(page: AppTest) -> AppTest:
    page.button(key="create").click()
    page.run()
    assert not page.exception, page.exception
    return page


def release(slug: str) -> None:
    with transaction() as session:
        organiser = building.person(session, ORGANISER)
        round_ = open_round(session, slug, actor=organiser)
        building.rate_all(session, round_, building.person(session))
        release_round(session, round_.id or 0, actor=organiser)


def test_form_states_what_steckbrief_and_ranking_show(opened: Open, trial: Trial) -> None:
    page = fill(opened("new_scenario"))
    page.radio(key="effort-level").set_value(2)
    page.text_area(key="effort-reason").input("Ohne *Schnittstelle*.")
    page.radio(key="transfer-level").set_value(5)
    page.text_area(key="transfer-reason").input("Überall gleich.")
    page.text_input(key="cost").input("0,01")
    create(page)
    assert [each.value for each in page.error] == []
    with reading() as session:
        content = get_scenario(session, SLUG).content
    assert content["effort"] == {"level": 2, "reason": "Ohne *Schnittstelle*."}
    assert content["cost_per_case_eur"] == 0.01

    shown = words(opened("scenario", szenario=SLUG))
    assert "2 von 5: In Wochen einsetzbar, ohne Schnittstelle; kurze Schulung" in shown
    assert "Begründung: Ohne *Schnittstelle*." in shown
    assert "5 von 5: Unverändert in jedem Haus einsetzbar." in shown
    assert "0,01\u00a0EUR je Fall" in shown
    assert "nicht angegeben" not in shown

    with transaction() as session:
        for slug, variants in ((trial.slug, ("eins", "alt")), (SLUG, ("assistent-a",))):
            for variant in variants:
                building.add_run(session, slug, variant)
    release(trial.slug)
    release(SLUG)
    page = opened("compare", STEERING)
    (ranking,) = [each.value for each in page.table if "Gesamtwert" in each.value.columns]
    drawn = ranking["Über die ganze Skala gezogen"].str.replace("\\", "")
    drawn.index = drawn.index.str.replace("\\", "")
    assert "Einführungsaufwand" not in drawn["Kündigungen"]
    assert "Geringer Einführungsaufwand, Übertragbarkeit" in drawn[f"Probe {trial.slug}"]


@pytest.mark.parametrize(
    ("level", "reason", "said"),
    [(2, " ", "Zu Stufe 2 fehlt die Begründung"), (0, "Leicht.", "Zur Begründung fehlt die Stufe")],
)
def test_half_estimate_is_refused_at_its_field(
    opened: Open, level: int, reason: str, said: str
) -> None:
    page = fill(opened("new_scenario"))
    page.radio(key="transfer-level").set_value(level)
    page.text_area(key="transfer-reason").input(reason)
    page.run()
    assert [each.value for each in page.warning if said in each.value]
    assert not page.error
    create(page)
    (refusal,) = [each.value.replace("\\", "") for each in page.error]
    assert refusal.startswith(f"Steckbrief, „Übertragbarkeit“: {said}")
    with reading() as session, pytest.raises(UnknownObject):
        get_scenario(session, SLUG)


def test_cost_that_is_no_number_is_refused(opened: Open) -> None:
    page = fill(opened("new_scenario"))
    page.text_input(key="cost").input("ein Cent")
    create(page)
    (refusal,) = [each.value.replace("\\", "") for each in page.error]
    assert refusal == "Steckbrief, „Kosten je Fall in EUR“: muss eine Zahl sein."


def test_missing_says_what_to_do_to_who_may(opened: Open, trial: Trial) -> None:
    shown = words(opened("scenario", szenario=trial.slug))
    assert shown.count("nicht angegeben") == 4  # three fields, and what that does
    assert f"Zu ergänzen in scenarios/{trial.slug}/scenario.yaml: effort (mit level" in shown
    others = words(opened("scenario", STEERING, szenario=trial.slug))
    assert others.count("nicht angegeben") == 4
    assert "scenario.yaml" not in others
    create(fill(opened("new_scenario")))
    made = words(opened("scenario", szenario=SLUG))
    assert "Zu ergänzen auf der Seite Steckbrief unter „Angaben für den Vergleich ändern“" in made


def test_estimates_are_changed_on_the_steckbrief(opened: Open, trial: Trial) -> None:
    def field(end: str) -> str:
        with reading() as session:
            return f"{SLUG}-{get_scenario(session, SLUG).content_sha256[:8]}-{end}"

    create(fill(opened("new_scenario")))
    page = opened("scenario", szenario=SLUG)
    page.radio(key=field("effort-level")).set_value(4)
    page.text_area(key=field("effort-reason")).input("Braucht eine Schnittstelle.")
    page.text_input(key=field("cost")).input("0,0025")
    page.button(key=f"restate-{SLUG}").click()
    page.run()
    assert not page.exception
    assert not page.error
    assert "Die Angaben für den Vergleich sind geändert." in [s.value for s in page.success]
    shown = words(page)
    assert "4 von 5" in shown
    assert "0,0025\u00a0EUR je Fall" in shown
    page = opened("scenario", szenario=SLUG)
    assert page.radio(key=field("effort-level")).value == 4
    assert page.text_input(key=field("cost")).value == "0,0025"
    page.text_area(key=field("effort-reason")).input(" ")
    page.button(key=f"restate-{SLUG}").click()
    page.run()
    assert "Zu Stufe 4 fehlt die Begründung" in words(page)
    with reading() as session:
        kept = get_scenario(session, SLUG).content["effort"]
    assert kept == {"level": 4, "reason": "Braucht eine Schnittstelle."}
    page = opened("scenario", szenario=trial.slug)  # from a folder: changed there
    assert not [each for each in page.button if each.key and each.key.startswith("restate-")]
    page = opened("scenario", STEERING, szenario=SLUG)
    assert not [each for each in page.button if each.key and each.key.startswith("restate-")]


def test_stated_in_the_folder_needs_nothing(opened: Open, trial: Trial) -> None:
    estimate = {"level": 3, "reason": "Geschätzt."}
    trial.change(effort=estimate, transfer=estimate, cost_per_case_eur=0)
    with transaction() as session:
        load_shipped(session)
    shown = words(opened("scenario", szenario=trial.slug))
    assert "0,00\u00a0EUR je Fall" in shown
    assert "nicht angegeben" not in shown
    assert "scenario.yaml" not in shown


def test_estimates_are_hidden_from_who_rates_blind(opened: Open, trial: Trial) -> None:
    trial.change(effort={"level": 3, "reason": "System eins lernt mit."})
    with transaction() as session:
        building.load_with_runs(session, trial)
        open_round(session, trial.slug, actor=building.person(session, ORGANISER))
    assert "System eins" in words(opened("scenario", STEERING, szenario=trial.slug))
    assert "System eins" not in words(opened("scenario", "Anna Bewertung", szenario=trial.slug))


def test_broken_scales_leave_the_page(opened: Open, trial: Trial) -> None:
    path = trial.content / "evaluations" / "vergleich.yaml"
    path.write_text(path.read_text("utf-8").replace("weight: 30", "weight: 40"), "utf-8")
    page = opened("scenario", szenario=trial.slug)
    assert "ergeben 110 statt 100" in words(page)
    assert "Fälle" in [each.value for each in page.header]


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.01, "0,01"), (0, "0,00"), (1.5, "1,50"), (0.0025, "0,0025"), (1234, "1\u202f234,00")],
)
def test_euros_keep_their_digits(amount: float, text: str) -> None:
    assert euro(amount) == f"{text}\u00a0EUR"
