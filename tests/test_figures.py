"""The figures of scenarios: true where there is little to show, and the same everywhere."""

from collections.abc import Callable
from typing import Any

import building
import meeting
import pytest
from building import Call, Trial
from sqlalchemy import text
from sqlmodel import select
from test_results import all_cases, but, released

from reallabor.database import reading, transaction
from reallabor.deciding.comparison import ScenarioComparison, compare
from reallabor.deciding.figures import TITLES, Cell, meanings, more_cases, scenario_cells
from reallabor.german import UNKNOWN, euro, today
from reallabor.models import Organisation, Output, Rater, Remark, Survey, TrialRun, Voice
from reallabor.models.base import now
from reallabor.recording.catalogue import load_shipped


def shown(trial: Trial) -> ScenarioComparison:
    with reading() as session:
        return compare(session, [trial.slug])[0]


def cells(trial: Trial) -> dict[str, Cell]:
    return {cell.key: cell for cell in scenario_cells(shown(trial))}


def test_every_column_has_a_meaning() -> None:
    assert list(meanings()) == list(TITLES)
    assert all(text.endswith(".") for text in meanings().values())
    assert "Alpha ab 0,667" in meanings()["agreement"]


def test_scenario_without_ratings_claims_nothing(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_shipped(session)
    found = cells(trial)
    assert list(found) == list(TITLES)
    for key in ("score", "agreement", "net_minutes", "staff", "clients", "cost"):
        assert (found[key].text, found[key].value) == (UNKNOWN, None)
        assert found[key].why.endswith(".")
    assert found["readiness"].text == "noch nicht bewertet"
    assert found["decision"].text == "noch keiner"
    assert [found[key].text for key in ("n_cases", "n_raters", "n_organisations")] == ["0"] * 3


def test_command_line_counts_nothing_where_nothing_was_rated(
    trial: Trial, platform_url: str, call: Callable[..., Call]
) -> None:
    with transaction() as session:
        load_shipped(session)
    said = call("compare", trial.slug).out
    assert said.count("Noch keine Bewertungsrunde freigegeben.") == 1
    for claimed in ("Fälle:", "Bewertende:", "Organisationen:", "Punktwert:"):
        assert claimed not in said
    assert "Ausschlusskriterien: " in said  # known without ratings


def test_command_line_says_why_no_candidate_counts(
    trial: Trial, platform_url: str, call: Callable[..., Call]
) -> None:
    with transaction() as session:
        meeting.release_results(session, trial)
        session.connection().execute(text("UPDATE variant SET candidate = false"))
        session.connection().execute(text("UPDATE rating_round SET candidate_id = NULL"))
    said = call("compare", trial.slug).out
    assert said.count("Kein Kandidat benannt, auf den sich ein Punktwert bezöge.") == 1
    assert "Fälle: 0" not in said
    assert "Bewertende: 1" in said


def test_one_case_has_a_score_but_no_interval(trial: Trial, platform_url: str) -> None:
    released(trial, {("Anna", "f-1", "eins"): 4, ("Bert", "f-1", "eins"): 4})
    score = cells(trial)["score"]
    assert (score.text, score.low, score.high, score.n) == ("75,0", None, None, 1)
    assert "Nur ein Fall: kein Intervall bestimmbar." in score.why
    assert "Wie viele Fälle noch fehlen, ist nicht bestimmbar" in more_cases(shown(trial))


def test_one_rater_leaves_agreement_open(trial: Trial, platform_url: str) -> None:
    released(trial, {("Anna", f"f-{n}", "eins"): but(4, FR=n) for n in (1, 2, 4)})
    found = cells(trial)
    assert found["n_raters"].value == 1
    assert (found["agreement"].text, found["agreement"].value) == ("0 von 6 Kriterien", 0)
    assert "Fachliche Richtigkeit" in found["agreement"].why


def test_equal_levels_never_give_width_zero(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 5))
    score = cells(trial)["score"]
    assert score.value == score.high == 100
    assert score.low is not None
    assert score.low < 90
    assert more_cases(shown(trial)).startswith("Noch ")


def test_missed_gate_stands_beside_the_best_score(trial: Trial, platform_url: str) -> None:
    levels = all_cases(6, 5)
    levels["Bert", "f-2", "eins"] = but(5, FR=1)
    released(trial, levels)
    found = cells(trial)
    assert (found["score"].value or 0) > 90
    assert found["gates"].text.startswith("1 verfehlt, ")
    assert "Verfehlt: Keine rechtlich falsche" in found["gates"].why
    assert found["readiness"].text.endswith("Punkte fehlen")


def test_house_that_left_is_marked(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    with transaction() as session:
        house = session.exec(select(Organisation).where(Organisation.name == building.HOUSE)).one()
        house.left_on = today()
        session.add(house)
    assert f"{building.HOUSE} (ausgeschieden)" in cells(trial)["n_organisations"].why


# --- minutes, cost, voices -----------------------------------------------------------------------


def say_minutes(trial: Trial, *minutes: int, variant: str = "eins") -> None:
    """A remark with minutes for each of the first outputs of a variant, by every rater."""
    with transaction() as session:
        outputs = session.exec(select(Output).order_by(Output.id)).all()  # type: ignore[arg-type]
        chosen = [each for each in outputs if f"von {variant} " in (each.text or "")]
        for rater in session.exec(select(Rater)).all():
            for output, given in zip(chosen, minutes, strict=False):
                place = f"{rater.id}/{output.id}"
                session.add(Remark(rater_id=rater.id, output_id=output.id, submission=place,
                                   rework_minutes=given, created_at=now()))  # fmt: skip


def test_minutes_saved_are_volume_times_difference(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    say_minutes(trial, 1, 2, 3, 2)
    saved = cells(trial)["net_minutes"]
    assert saved.value == pytest.approx(100 * (5 - 2))  # volume 100, 5 minutes without AI
    assert saved.n == 4
    assert saved.low is not None
    assert saved.high is not None
    assert saved.low < 300 < saved.high < 500
    assert "100 Fälle im Jahr, 5,0 Minuten je Fall ohne KI" in saved.why


def test_equal_minutes_have_no_interval(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    say_minutes(trial, 2, 2, 2, 2)
    saved = cells(trial)["net_minutes"]
    assert (saved.text, saved.low, saved.high) == ("300", None, None)
    assert "nicht belastbar" in saved.why


def test_rework_longer_than_the_task_costs_minutes(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    say_minutes(trial, 9, 8, 9, 10)
    saved = cells(trial)["net_minutes"]
    assert saved.value == pytest.approx(-400)
    assert saved.text.startswith("−400 (")


def test_minutes_of_other_variants_do_not_count(trial: Trial, platform_url: str) -> None:
    released(trial, {**all_cases(6, 4), **all_cases(6, 3, "zwei")}, variants=("eins", "zwei"))
    say_minutes(trial, 1, 2, 3, variant="zwei")
    assert cells(trial)["net_minutes"].text == UNKNOWN


def test_recorded_cost_goes_before_the_estimate(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    assert cells(trial)["cost"].text == UNKNOWN
    with transaction() as session:
        for place, output in enumerate(session.exec(select(Output)).all()):
            output.cost_eur = 0.001 * (1 + place % 2)
            session.add(output)
    cost = cells(trial)["cost"]
    assert cost.text.startswith("0,0015 (")
    assert (cost.value, cost.n) == (pytest.approx(0.0015), 6)
    assert "Aufgezeichnet" in cost.why


@pytest.mark.parametrize(("stated", "text"), [(0.01, "0,01"), (0.0025, "0,0025"), (12, "12,00")])
def test_stated_cost_reads_as_on_the_steckbrief(
    trial: Trial, platform_url: str, stated: float, text: str
) -> None:
    trial.change(cost_per_case_eur=stated)
    released(trial, all_cases(6, 4))
    assert cells(trial)["cost"].text == text
    assert euro(stated) == f"{text}\u00a0EUR"


def ask(trial: Trial, *levels: int, demo: bool = False) -> None:
    from reallabor.questionnaires import load_questionnaires

    questions = load_questionnaires().for_audience("staff").asked(with_sample=False)
    with transaction() as session:
        scenario_id = session.exec(select(TrialRun.scenario_id).limit(1)).one()
        survey = Survey(scenario_id=scenario_id, audience="staff", opened_by=1, demo=demo,
                        questions=questions.model_dump(mode="json"),
                        device_key=f"{trial.slug}{demo}")  # fmt: skip
        session.add(survey)
        session.flush()
        session.add_all(
            Voice(survey_id=survey.id, channel="link", answers={"nutzen": level},
                  submission=f"{survey.id}/{place}")
            for place, level in enumerate(levels)
        )  # fmt: skip


def test_four_answers_are_not_shown(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    ask(trial, 4, 5, 4, 4)
    staff = cells(trial)["staff"]
    assert (staff.text, staff.value, staff.n) == (UNKNOWN, None, 4)
    assert "Erst 4 von mindestens 5 Antworten" in staff.why


def test_five_answers_give_mean_and_interval(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    ask(trial, 4, 5, 4, 4, 3)
    staff = cells(trial)["staff"]
    assert (staff.value, staff.n, staff.unit) == (4.0, 5, "Stufe 1 bis 5")
    assert staff.text.startswith("4,0 (")
    assert staff.high is not None
    assert staff.high <= 5
    assert cells(trial)["clients"].why == "Niemand hat geantwortet."


def test_demo_voices_do_not_count_for_real_results(trial: Trial, platform_url: str) -> None:
    released(trial, all_cases(6, 4))
    ask(trial, 5, 5, 5, 5, 5, 4, demo=True)
    assert cells(trial)["staff"].value is None


# --- the same everywhere -------------------------------------------------------------------------


def rows_of_csv(content: bytes) -> list[list[str]]:
    import csv
    import io

    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


def test_files_and_command_line_show_the_same_cells(
    trial: Trial, platform_url: str, call: Callable[..., Call]
) -> None:
    import io

    from openpyxl import load_workbook

    from reallabor.sharing.figure_files import columns, figures_csv, figures_xlsx

    released(trial, all_cases(6, 4))
    say_minutes(trial, 1, 2, 3, 2)
    comparison = shown(trial)
    wanted = scenario_cells(comparison)
    book = load_workbook(io.BytesIO(figures_xlsx([comparison])))
    head, row = [[cell.value for cell in line] for line in book["Vergleich"].iter_rows()]
    written = dict(zip(rows_of_csv(figures_csv([comparison]))[0],
                       rows_of_csv(figures_csv([comparison]))[1], strict=True))  # fmt: skip
    assert head == columns() == list(written)
    sheet = dict(zip(head, row, strict=True))
    (printed,) = call("compare", trial.slug, "--json").json["scenarios"]
    by_key = {figure["key"]: figure for figure in printed["figures"]}
    assert list(by_key) == [cell.key for cell in wanted]
    for cell in wanted:
        assert sheet[cell.title] == by_key[cell.key]["text"] == cell.text
        assert written[cell.title].removeprefix("'") == cell.text
        assert by_key[cell.key] == {name: getattr(cell, name) for name in Cell.__annotations__}
        if cell.key == "decision":
            continue
        for name, title in (("value", "Wert"), ("low", "von (95 %)"), ("high", "bis (95 %)"),
                            ("n", "n")):  # fmt: skip
            value = getattr(cell, name)
            # A spreadsheet keeps fifteen digits.
            in_sheet = sheet[f"{cell.title}: {title}"]
            assert in_sheet == (None if value is None else pytest.approx(value, rel=1e-14))
            said = written[f"{cell.title}: {title}"]
            assert (float(said.replace(",", ".")) if said else None) == value


def test_files_run_no_formula(trial: Trial, platform_url: str) -> None:
    import io

    from openpyxl import load_workbook

    from reallabor.sharing.figure_files import figures_csv, figures_xlsx

    trial.change(title='=HYPERLINK("http://boese.example")')
    with transaction() as session:
        load_shipped(session)
    comparison = shown(trial)
    book = load_workbook(io.BytesIO(figures_xlsx([comparison])))
    kinds = {cell.data_type for sheet in book for line in sheet.iter_rows() for cell in line}
    assert "f" not in kinds
    cells_: list[Any] = [cell for row in rows_of_csv(figures_csv([comparison])) for cell in row]
    assert not [cell for cell in cells_ if cell.startswith(("=", "+", "@"))]
