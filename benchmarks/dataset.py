"""A generated platform database: many scenarios with released rounds, straight into the tables.

Every case is rated by every rater: by all but the last on the candidate, by the last in turn on the
second variant and the baseline, so that variants share cases and raters share outputs.
Usage: dataset.py FOLDER [scenarios] [cases] [raters]; the folder becomes a REALLABOR_HOME.
"""

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

SCENARIOS, CASES, RATERS = 100, 200, 3
CRITERIA = ("FR", "QU", "VS", "UE", "NE", "DS")
VARIANTS = ("system", "zweites", "ohne-ki")
HOUSES = 15
AI_KINDS = ("Auskunft", "Klassifikation", "Zusammenfassung", "Übersetzung")
START = datetime(2026, 9, 1, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How large the data set is."""

    scenarios: int = SCENARIOS
    cases: int = CASES
    raters: int = RATERS

    @property
    def ratings(self) -> int:
        return self.scenarios * self.cases * self.raters * len(CRITERIA)


def build(size: Size, *, seed: int = 1) -> None:
    """Fill the platform database that the settings name; it must be empty and on SQLite."""
    from sqlmodel import insert

    from reallabor.database import get_engine, prepare_database
    from reallabor.models import Organisation, Person
    from reallabor.settings import get_settings

    prepare_database()
    engine = get_engine(get_settings().platform_url)
    rng = np.random.default_rng(seed)
    with engine.connect() as connection:
        # Nobody reads while it is filled, and a broken fill is thrown away.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.execute(
            insert(Organisation), [{"id": i + 1, "name": f"Haus {i + 1}"} for i in range(HOUSES)]
        )
        connection.execute(
            insert(Person),
            [{"id": 1, "name": "Olga Organisation", "organisation_id": None,
              "roles": ["organiser", "pilot"], "active": True, "demo": False},
             {"id": 2, "name": "Stefan Lenkung", "organisation_id": 1,
              "roles": ["steering"], "active": True, "demo": False}],
        )  # fmt: skip
        rubric_id = _rubric(connection)
        for number in range(size.scenarios):
            _scenario(connection, size, number, rubric_id, rng)
        connection.commit()


def _insert(connection: Any, table: type, rows: Iterable[dict[str, Any]]) -> None:
    from sqlmodel import insert

    listed = list(rows)
    if listed:
        connection.execute(insert(table), listed)


def _rubric(connection: Any) -> int:
    from reallabor.evaluations import load_rubric
    from reallabor.models import Criterion, Rubric

    content = load_rubric("auskunft")
    _insert(connection, Rubric, [{
        "id": 1, "key": content.key, "version": content.version, "title": content.title,
        "content": content.model_dump(mode="json"), "content_sha256": content.sha256,
        "scale_min": 1.0, "scale_max": 5.0, "scale_declared": True, "higher_is_better": True,
        "loaded_at": START,
    }])  # fmt: skip
    _insert(connection, Criterion, (
        {"id": place, "rubric_id": 1, "key": each.key, "title": each.title, "position": place,
         "weight": each.weight}
        for place, each in enumerate(content.criteria, start=1)
    ))  # fmt: skip
    assert tuple(each.key for each in content.criteria) == CRITERIA
    return 1


def _scenario(
    connection: Any, size: Size, number: int, rubric_id: int, rng: np.random.Generator
) -> None:
    from reallabor.models import (
        Case,
        Output,
        Rater,
        Round,
        RoundRun,
        Scenario,
        TrialRun,
        Variant,
    )

    scenario_id = number + 1
    slug = f"szenario-{scenario_id:04d}"
    houses = [1 + (number + step) % HOUSES for step in range(2 + number % 2)]
    _insert(connection, Scenario, [{
        "id": scenario_id, "slug": slug, "title": f"Szenario {scenario_id:04d}",
        "origin": "created", "content": _content(number, houses[0]), "content_sha256": slug,
        "rubric_id": rubric_id, "loaded_at": START,
    }])  # fmt: skip
    first_variant, first_case = number * len(VARIANTS), number * size.cases
    _insert(connection, Variant, (
        {"id": first_variant + place + 1, "scenario_id": scenario_id, "key": key,
         "title": key.capitalize(), "description": "", "baseline": key == "ohne-ki",
         "candidate": key == "system"}
        for place, key in enumerate(VARIANTS)
    ))  # fmt: skip
    _insert(connection, Case, (
        {"id": first_case + n + 1, "scenario_id": scenario_id, "key": f"f-{n + 1:04d}",
         "version": 1, "current": True, "input": f"Frage {n + 1}?", "reference": "",
         "passages": [], "topic": f"Thema {n % 5 + 1}", "edge": n % 4 == 0,
         "cluster": None, "expected": {}, "content_sha256": f"{slug}/{n}"}
        for n in range(size.cases)
    ))  # fmt: skip
    runs, outputs = _runs(size, number, houses)
    _insert(connection, TrialRun, runs)
    _insert(connection, Output, outputs)
    finished = START + timedelta(days=number % 40)
    _insert(connection, Round, [{
        "id": scenario_id, "scenario_id": scenario_id, "number": 1, "rubric_id": rubric_id,
        "origin": "blind", "overlap": 2, "seed": number, "candidate_id": first_variant + 1,
        "pseudonym_key": "bench", "demo": False, "requires_calibration": False,
        "opened_at": finished, "opened_by": 1, "released_at": finished + timedelta(days=5),
        "released_by": 1,
    }])  # fmt: skip
    _insert(connection, RoundRun, ({"round_id": scenario_id, "run_id": run["id"]} for run in runs))
    _insert(connection, Rater, (
        {"id": number * size.raters + n + 1, "round_id": scenario_id, "pseudonym": f"B-{n:06d}",
         "name_key": f"{slug}/{n}", "person_id": None}
        for n in range(size.raters)
    ))  # fmt: skip
    _judgements(connection, size, number, rng)
    _voices(connection, number, rng)
    _gates(connection, number)


def _content(number: int, house: int) -> dict[str, Any]:
    """A Steckbrief in the stored form."""
    return {
        "title": f"Szenario {number + 1:04d}", "organisation": f"Haus {house}",
        "legal_status": "2026-11-01", "task": "Fragen beantworten.", "helps": "Menschen.",
        "ai_kind": AI_KINDS[number % len(AI_KINDS)],
        "risk_class": {"class": "Hochrisiko" if number % 5 == 0 else "Transparenzpflicht",
                       "article": "Art. 50", "reason": "Messung"},
        "rubric": "auskunft", "gates": ["ki-vo-klasse", "personalrat", "verbotene-praktiken"],
        "baseline_minutes": 12.0, "yearly_volume": 500 + 10 * number, "candidate": "system",
        "variants": [{"key": key, "title": key.capitalize(), "description": "",
                      "baseline": key == "ohne-ki"} for key in VARIANTS],
        "fields": [], "measures": [], "allowed_contacts": [],
    }  # fmt: skip


def _runs(
    size: Size, number: int, houses: list[int]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """One run of every variant per house; a case belongs to one house."""
    per_scenario = 3 * len(VARIANTS)
    moment = START + timedelta(days=number % 30)
    runs = [
        {"id": number * per_scenario + place * len(houses) + step + 1, "scenario_id": number + 1,
         "variant_id": number * len(VARIANTS) + place + 1, "organisation_id": house,
         "tracking_run_id": f"run-{number}-{place}-{step}", "started_at": moment,
         "finished_at": moment + timedelta(minutes=5), "params": {}, "indicators": {},
         "complete": True, "demo": False, "way": "run", "taken_at": moment}
        for place in range(len(VARIANTS))
        for step, house in enumerate(houses)
    ]  # fmt: skip
    outputs = [
        {"id": output_id(size, number, place, case),
         "run_id": runs[place * len(houses) + case % len(houses)]["id"],
         "case_id": number * size.cases + case + 1, "trace_id": f"tr-{number}-{place}-{case}",
         "text": "Antwort", "details": {}, "latency_ms": 900.0,
         "cost_eur": None if place == 2 else 0.002 + 0.0001 * (case % 7), "content_sha256": "x"}
        for place in range(len(VARIANTS))
        for case in range(size.cases)
    ]  # fmt: skip
    return runs, outputs


def output_id(size: Size, number: int, variant: int, case: int) -> int:
    """Key of the output of a variant (by place) for a case (by place)."""
    return (number * len(VARIANTS) + variant) * size.cases + case + 1


def _judgements(connection: Any, size: Size, number: int, rng: np.random.Generator) -> None:
    """Levels of all raters, with rework minutes for every fourth output, and the assignments."""
    from reallabor.models import Assignment, Remark

    quality = rng.normal((4.1, 3.6, 3.3)[number % 3], 0.7, (len(VARIANTS), size.cases))
    quality -= np.array([0.0, 0.2, 0.3])[:, None]
    noise = rng.normal(0, 0.5, (size.cases, size.raters, len(CRITERIA)))
    assignments, remarks = [], []
    levels: list[tuple[Any, ...]] = []
    moment = (START + timedelta(days=number % 40 + 1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    for case in range(size.cases):
        for rater in range(size.raters):
            # The last rater sees the other variants in turn, all others the candidate.
            variant = 1 + case % 2 if rater == size.raters - 1 and size.raters > 1 else 0
            output = output_id(size, number, variant, case)
            rater_id = number * size.raters + rater + 1
            place = f"{rater_id}/{output}"
            assignments.append({"token": place, "rater_id": rater_id, "output_id": output,
                                "position": case + 1})  # fmt: skip
            given = np.clip(np.rint(quality[variant, case] + noise[case, rater]), 1, 5)
            levels += [
                (number + 1, rater_id, output, criterion, float(level), place, moment)
                for criterion, level in enumerate(given, start=1)
            ]
            if case % 4 == 0:
                remarks.append({"rater_id": rater_id, "output_id": output, "text": "",
                                "rework_minutes": int(max(0, 8 - 1.5 * given[0])),
                                "passages": [], "submission": place,
                                "created_at": START})  # fmt: skip
    _insert(connection, Assignment, assignments)
    connection.exec_driver_sql(
        "INSERT INTO rating (round_id, rater_id, output_id, criterion_id, level, submission, "
        "created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        levels,
    )
    _insert(connection, Remark, remarks)


def _voices(connection: Any, number: int, rng: np.random.Generator) -> None:
    from reallabor.models import Survey, Voice
    from reallabor.questionnaires import load_questionnaires

    for place, audience in enumerate(("staff", "clients")):
        questionnaire = load_questionnaires().for_audience(audience).asked(with_sample=False)
        survey_id = 2 * number + place + 1
        _insert(connection, Survey, [{
            "id": survey_id, "scenario_id": number + 1, "audience": audience,
            "questions": questionnaire.model_dump(mode="json"), "about": "Messung",
            "sample_input": "", "sample": "", "device_key": f"k-{survey_id}", "demo": False,
            "opened_at": START, "opened_by": 1,
        }])  # fmt: skip
        _insert(connection, Voice, (
            {"survey_id": survey_id, "channel": "link", "simple": False, "worry": "",
             "answers": {each.key: int(rng.integers(1, questionnaire.levels + 1))
                         for each in questionnaire.questions},
             "submission": f"{survey_id}/{n}", "received_on": date(2026, 10, 1)}
            for n in range(3 + number % 9)
        ))  # fmt: skip


def _gates(connection: Any, number: int) -> None:
    from reallabor.models import GateReview

    _insert(connection, GateReview, (
        {"scenario_id": number + 1, "gate": key,
         "outcome": "missed" if (number + place) % 17 == 0 else "passed", "office": "Fachseite",
         "note": "Messung", "legal_status": date(2026, 11, 1), "content_sha256": "",
         "expires_on": date(2028, 1, 1), "person_id": 1, "reviewed_at": START, "demo": False}
        for place, key in enumerate(("ki-vo-klasse", "verbotene-praktiken"))
    ))  # fmt: skip


def use_home(folder: Path) -> None:
    """Let this process work on a home of its own, whatever the caller's settings are."""
    from reallabor.settings import get_settings

    for name in [name for name in os.environ if name.startswith("REALLABOR_")]:
        del os.environ[name]
    os.environ["REALLABOR_HOME"] = str(folder)
    get_settings.cache_clear()


if __name__ == "__main__":
    home = Path(sys.argv[1])
    home.mkdir(parents=True, exist_ok=True)
    use_home(home)
    wanted = Size(*map(int, sys.argv[2:5]))
    begin = time.perf_counter()
    build(wanted)
    print(f"{wanted.ratings} Bewertungen in {time.perf_counter() - begin:.1f} s: {home}")
