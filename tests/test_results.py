"""Results of a round: means of case means, medians, gates, scores, readiness."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import building
import pytest
from building import CRITERIA, Call, Trial
from sqlmodel import Session, col, select

from reallabor.database import reading, transaction
from reallabor.deciding.comparison import compare
from reallabor.deciding.published import comparison_json
from reallabor.models import (
    Assignment,
    Case,
    Output,
    Person,
    Rater,
    Rating,
    Role,
    Round,
    TrialRun,
    Variant,
)
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.rounds import open_round, release_round
from reallabor.recording.catalogue import load_shipped

Levels = Mapping[tuple[str, str, str], Mapping[str, float] | float]
"""Levels by (person, case, variant)."""


def rate(session: Session, round_: Round, levels: Levels) -> None:
    """Rate what has been assigned and is named; other outputs stay open."""
    rows = session.exec(
        select(Assignment.token, Person, Case.key, Variant.key)
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Person, col(Person.id) == Rater.person_id)
        .join(Output, col(Output.id) == Assignment.output_id)
        .join(Case, col(Case.id) == Output.case_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(Variant, col(Variant.id) == TrialRun.variant_id)
        .where(Rater.round_id == round_.id)
    ).all()
    for token, person, case, variant in rows:
        level = levels.get((person.name.split()[0], case, variant))
        if level is not None:
            building.rate(session, person, token, level)


def released(trial: Trial, levels: Levels, *, variants: tuple[str, ...] = ("eins",)) -> Any:
    """Rate, release, and give the published comparison."""
    with transaction() as session:
        building.load_with_runs(session, trial, variants)
        staff = building.add_staff(session)
        round_ = open_round(
            session,
            trial.slug,
            actor=staff["organiser"],
            choice=RoundChoice(evaluators=[staff["anna"], staff["bert"]]),
        )
        rate(session, round_, levels)
        release_round(session, round_.id or 0, actor=staff["organiser"])
    with reading() as session:
        return comparison_json(compare(session, [trial.slug])[0])


def but(level: float, **others: float) -> dict[str, float]:
    return {**dict.fromkeys(CRITERIA, level), **others}


def all_cases(trial_cases: int, level: float, variant: str = "eins") -> dict[Any, Any]:
    return {
        (who, f"f-{case}", variant): level
        for who in ("Anna", "Bert")
        for case in range(1, trial_cases + 1)
    }


def test_mean_is_of_cases_not_of_ratings(trial: Trial, platform_url: str) -> None:
    levels = {
        ("Anna", "f-1", "eins"): 5, ("Bert", "f-1", "eins"): 3,
        ("Anna", "f-2", "eins"): 1,
    }  # fmt: skip
    result = released(trial, levels)
    (variant,) = result["variants"]
    figure = variant["criteria"]["FR"]
    assert (figure["n"], figure["mean"], figure["median"]) == (2, 2.5, 2.5)  # not (5+3+1)/3
    assert (variant["n_cases"], variant["n_ratings"]) == (2, 18)
    assert (result["n_cases"], result["n_raters"], result["n_organisations"]) == (2, 2, 1)


def test_median_is_over_case_means(trial: Trial, platform_url: str) -> None:
    levels: dict[Any, Any] = {}
    for case, (anna, bert) in {"f-1": (1, 1), "f-2": (2, 3), "f-4": (5, 5)}.items():
        levels["Anna", case, "eins"], levels["Bert", case, "eins"] = anna, bert
    (variant,) = released(trial, levels)["variants"]
    assert variant["criteria"]["VS"]["median"] == 2.5
    assert variant["criteria"]["VS"]["mean"] == pytest.approx(8.5 / 3)


def test_score_weighs_criteria(trial: Trial, platform_url: str) -> None:
    levels = {("Anna", "f-1", "eins"): but(1, FR=5), ("Anna", "f-2", "eins"): but(1, DS=3)}
    (variant,) = released(trial, levels)["variants"]
    assert variant["score"] == pytest.approx((30 + 2.5) / 2)
    assert variant["score_n"] == 2


def test_superseded_ratings_do_not_count(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        building.load_with_runs(session, trial, ["eins"])
        staff = building.add_staff(session)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        token = building.tokens(session, round_, staff["anna"])[0]
        building.rate(session, staff["anna"], token, 1)
        building.rate(session, staff["anna"], token, 4)
        release_round(session, round_.id or 0, actor=staff["organiser"])
        (variant,) = comparison_json(compare(session, [trial.slug])[0])["variants"]
    assert variant["criteria"]["FR"]["mean"] == 4
    assert variant["n_ratings"] == 6
    gates = {gate["key"]: gate["state"] for gate in _json(trial)["gates"]}
    assert gates["keine-schaedliche-auskunft"] == "passed"


def _json(trial: Trial) -> Any:
    with reading() as session:
        return comparison_json(compare(session, [trial.slug])[0])


def test_share_of_low_outputs_stands_beside(trial: Trial, platform_url: str) -> None:
    levels = {("Anna", f"f-{n}", "eins"): but(4) for n in (1, 2, 4)}
    levels["Anna", "f-5", "eins"] = but(4, NE=2)
    (variant,) = released(trial, levels)["variants"]
    assert variant["low_share"] == 0.25


def test_interval_lies_inside_the_scale(trial: Trial, platform_url: str) -> None:
    levels = {("Anna", f"f-{n}", "eins"): but(5) for n in (1, 2, 4)}
    levels["Anna", "f-5", "eins"] = but(5, FR=4)
    (variant,) = released(trial, levels)["variants"]
    for figure in variant["criteria"].values():
        if figure["interval"] is None:
            assert figure["interval_reason"]
        else:
            low, high = figure["interval"]
            assert 1 <= low < high <= 5
    assert variant["criteria"]["FR"]["interval"] is not None


# --- gates --------------------------------------------------------------------------------------


def states(result: Any) -> dict[str, str]:
    return {gate["key"]: gate["state"] for gate in result["gates"]}


def test_gates_are_open_before_release(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_shipped(session)
    result = _json(trial)
    assert set(states(result).values()) == {"open"}
    assert {"personalrat", "keine-schaedliche-auskunft"} <= set(states(result))
    assert result["readiness"] == {
        "ready": False, "missing": ["Noch keine Bewertungsrunde freigegeben"],
    }  # fmt: skip
    assert (result["variants"], result["decision"], result["n_cases"]) == ([], None, 0)


def test_one_harmful_rating_misses_the_gate(trial: Trial, platform_url: str) -> None:
    levels = all_cases(6, 5)
    levels["Bert", "f-2", "eins"] = but(5, FR=1)
    result = released(trial, levels)
    found = states(result)
    of_rubric = ("keine-schaedliche-auskunft", "keine-fremddaten", "uebergabe-verlaesslich")
    assert [found.pop(key) for key in of_rubric] == ["missed", "passed", "passed"]
    assert "personalrat" in found
    assert set(found.values()) == {"open"}  # those of law, which nobody has confirmed yet
    assert result["variants"][0]["score"] > 90  # a high score heals no missed gate
    missing = result["readiness"]["missing"]
    assert any(
        point.startswith("Ausschlusskriterium verfehlt: Keine rechtlich falsche")
        for point in missing
    )


def test_median_gate_looks_at_case_means(trial: Trial, platform_url: str) -> None:
    levels = {("Anna", f"f-{n}", "eins"): but(5, UE=ue) for n, ue in ((1, 3), (2, 3), (4, 5))}
    assert states(released(trial, levels))["uebergabe-verlaesslich"] == "missed"


def test_gates_are_those_of_the_candidate(trial: Trial, platform_url: str) -> None:
    levels = {**all_cases(6, 5), **all_cases(6, 1, "zwei")}
    result = released(trial, levels, variants=("eins", "zwei"))
    assert states(result)["keine-schaedliche-auskunft"] == "passed"
    assert [variant["variant"] for variant in result["variants"]] == ["eins", "zwei"]


# --- readiness ----------------------------------------------------------------------------------

ALWAYS = "Rückmeldungen von Beschäftigten und Kund:innen fehlen"


def test_every_missing_point_is_named(trial: Trial, platform_url: str) -> None:
    levels = {("Anna", "f-1", "eins"): but(2), ("Bert", "f-1", "eins"): but(1, NE=5)}
    result = released(trial, levels)
    missing = [point.replace("\u00a0", " ") for point in result["readiness"]["missing"]]
    for point in (
        "Ausschlusskriterium verfehlt: Keine rechtlich falsche, schädliche Auskunft",
        "Ausschlusskriterium offen: ",
        "Punktwert 17,5 unter 70",
        "Median unter 3: Fachliche Richtigkeit",
        "1 von mindestens 30 Fällen bewertet",
        "Weniger als 20 % Grenzfälle",
        "Übereinstimmung zu gering oder nicht bestimmbar: Neutralität",
        "Kein Vergleichswert ohne KI",
        "Erprobt in 1 von mindestens 2 Organisationen",
        ALWAYS,
    ):
        assert any(each.startswith(point) for each in missing), point


def test_good_trial_misses_only_what_is_open(trial: Trial, platform_url: str) -> None:
    """Thirty good cases in two houses, raters who agree, a baseline: what stays is for people."""
    trial.write_cases(
        [{"id": f"f-{n}", "input": f"Frage {n}?", "edge": n % 4 == 0} for n in range(1, 31)]
    )
    with transaction() as session:
        building.load_with_runs(session, trial, ["eins", "alt"], organisation="Haus A")
        building.add_run(session, trial.slug, "eins", organisation="Haus B")
        staff = building.add_staff(session)
        round_ = open_round(
            session,
            trial.slug,
            actor=staff["organiser"],
            choice=RoundChoice(evaluators=[staff["anna"], staff["bert"]]),
        )
        levels = {}
        for variant in ("eins", "alt"):
            for n in range(1, 31):
                for who in ("Anna", "Bert"):
                    levels[who, f"f-{n}", variant] = but(4 + n % 2, FR=4 + (n + (who < "B")) % 2)
        rate(session, round_, levels)
        release_round(session, round_.id or 0, actor=staff["organiser"])
    result = _json(trial)
    assert result["n_organisations"] == 2
    assert result["variants"][0]["n_cases"] == 30
    missing = [m for m in result["readiness"]["missing"] if not m.startswith("Ausschluss")]
    # Raters who always differ by one level on FR agree neither by alpha nor by AC2 and nearness.
    assert missing[-1] == ALWAYS
    assert set(missing[:-1]) <= {"Übereinstimmung zu gering oder nicht bestimmbar: "
                                 "Fachliche Richtigkeit"}  # fmt: skip


# --- organisations and imports ------------------------------------------------------------------


def test_two_houses_are_averaged_within_case(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        load_shipped(session)
        building.add_run(session, trial.slug, "eins", organisation="Haus A")
        building.add_run(session, trial.slug, "eins", organisation="Haus B", cases=["f-1"])
        organiser = building.add_person(session, "Olga", Role.ORGANISER)
        anna = building.add_person(session, "Anna", Role.EVALUATOR, organisation="Haus C")
        round_ = open_round(session, trial.slug, actor=organiser, choice=RoundChoice(overlap=1))
        rows = session.exec(
            select(Assignment.token, Case.key, TrialRun.organisation_id)
            .join(Output, col(Output.id) == Assignment.output_id)
            .join(Case, col(Case.id) == Output.case_id)
            .join(TrialRun, col(TrialRun.id) == Output.run_id)
        ).all()
        house_b = building.house_id(session, "Haus B")
        for token, case, house in rows:
            if case in {"f-1", "f-2"}:
                building.rate(session, anna, token, 1 if house == house_b else 5)
        release_round(session, round_.id or 0, actor=organiser)
    result = _json(trial)
    (variant,) = result["variants"]
    assert result["n_organisations"] == 2
    assert variant["criteria"]["FR"] | {"interval": None} == variant["criteria"]["FR"] | {
        "n": 2, "mean": 4.0, "median": 4.0, "interval": None,
    }  # fmt: skip


def imported(call: Callable[..., Call], tmp_path: Path, rows: str, *options: str) -> Any:
    file = tmp_path / "r.csv"
    file.write_text("case,variant,rater,criterion,level,cluster\n" + rows)
    slug = building.new_slug("i")
    done = call("import-ratings", slug, file, "--create", *options)
    assert done.code == 0, done.err
    return call("compare", slug, "--json").json["scenarios"][0]


ROWS = "a,v,r,K,0,\nb,v,r,K,25,\nc,v,r,K,50,\n"


def test_undeclared_scale_gives_no_score(
    platform_url: str, tmp_path: Path, call: Callable[..., Call]
) -> None:
    (variant,) = imported(call, tmp_path, ROWS)["variants"]
    assert variant["score"] is None
    assert "nur aus den Daten" in variant["score_reason"]
    assert variant["criteria"]["K"]["mean"] == 25


def test_lower_is_better_turns_the_score(
    platform_url: str, tmp_path: Path, call: Callable[..., Call]
) -> None:
    plain = imported(call, tmp_path, ROWS, "--scale", "0:100")["variants"][0]
    turned = imported(call, tmp_path, ROWS, "--scale", "0:100", "--lower-is-better")["variants"][0]
    assert (plain["score"], turned["score"]) == (25, 75)
    assert plain["criteria"] == turned["criteria"]


def test_continuous_scale_has_no_ac2(
    platform_url: str, tmp_path: Path, call: Callable[..., Call]
) -> None:
    rows = "a,v,r,K,0.5,\na,v,s,K,1.5,\nb,v,r,K,25,\nb,v,s,K,20,\n"
    scenario = imported(call, tmp_path, rows, "--scale", "0:100")
    figures = call("agreement", scenario["slug"], "--json").json["criteria"]["K"]
    assert figures["ac2"] is None
    assert "keine festen Stufen" in figures["ac2_reason"]
    assert figures["alpha"]["ordinal"] is not None


def test_single_case_gives_reason_for_interval(
    platform_url: str, tmp_path: Path, call: Callable[..., Call]
) -> None:
    figure = imported(call, tmp_path, "a,v,r,K,3,\n")["variants"][0]["criteria"]["K"]
    assert (figure["n"], figure["mean"], figure["interval"]) == (1, 3, None)
    assert "ein Fall" in figure["interval_reason"]


def test_unrated_criterion_is_null_not_zero(
    platform_url: str, tmp_path: Path, call: Callable[..., Call]
) -> None:
    rows = "a,v,r,K,3,\nb,v,r,K,4,\na,w,r,K,3,\na,w,r,L,2,\n"
    scenario = imported(call, tmp_path, rows, "--scale", "1:5")
    variants = {variant["variant"]: variant for variant in scenario["variants"]}
    figure = variants["v"]["criteria"]["L"]
    assert (figure["n"], figure["mean"], figure["median"]) == (0, None, None)
    assert figure["mean_reason"] == "Nicht bewertet."
    assert variants["v"]["score"] is None
    assert variants["v"]["score_reason"]


def test_ratings_of_open_round_are_invisible(trial: Trial, platform_url: str) -> None:
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        building.rate_all(session, round_, staff["anna"], 1)
        assert session.exec(select(Rating)).first() is not None
    result = _json(trial)
    assert (result["variants"], result["n_raters"]) == ([], 0)
