"""Takes a file of ratings over into the database: all or nothing, released as a round of its own,
and the same file twice changes nothing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, update
from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.database import CATALOGUE_LOCK, take_turns
from reallabor.errors import InvalidRatings
from reallabor.models import (
    Criterion,
    Origin,
    Person,
    Rater,
    Rating,
    Round,
    RoundOrigin,
    RoundRun,
    Rubric,
    Scenario,
    TrialRun,
    now,
    row_id,
)
from reallabor.policies import may_import_ratings, require
from reallabor.rating.drafting import RoundChoice
from reallabor.rating.imported_scenario import add_cases_and_variants, create_scenario
from reallabor.rating.outbox import enqueue_round
from reallabor.rating.rated_outputs import rated_outputs
from reallabor.rating.raters import name_key, new_pseudonym
from reallabor.rating.rating_file import RatingFile
from reallabor.rating.results import released_round
from reallabor.rating.rounds import create_round
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.stopping import require_not_stopped


@dataclass(frozen=True)
class ImportReport:
    """What a file brought."""

    slug: str
    created: bool
    unchanged: bool
    """True where all of the file was here already."""
    counts: bool
    """False where the results of the scenario come from another round, rated blind."""
    ratings: int
    revised: int
    """Ratings that replace an earlier one of the same rater; the earlier one stays."""
    cases: int
    variants: int
    raters: int
    criteria: int
    round_id: int


def import_ratings(
    session: Session,
    slug: str,
    file: RatingFile,
    *,
    actor: Person,
    create: bool = False,
    scale: tuple[float, float] | None = None,
    lower_is_better: bool = False,
    organisation: str | None = None,
) -> ImportReport:
    """Take a file of ratings over into the scenario, and release it as a round of its own.

    With `create` the scenario, its cases, variants and rubric are made from the file where they
    are missing; without, unknown names refuse the file. The same file again changes nothing; a
    changed file adds and revises. Ratings open no adjudication.
    """
    require(may_import_ratings, actor)
    take_turns(session, CATALOGUE_LOCK)  # one import after the other
    scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).first()
    created = scenario is None
    if scenario is None:
        if not create:
            get_scenario(session, slug)  # refuses and names those there are
        scenario = create_scenario(
            session, slug, file, scale=scale, higher_is_better=not lower_is_better
        )
    require_not_stopped(session, row_id(scenario.id))
    rubric = session.get_one(Rubric, row_id(scenario.rubric_id))
    _check_options(rubric, scale, lower_is_better)
    criteria = _criteria(session, rubric, file)
    if create and scenario.origin == Origin.IMPORTED:
        add_cases_and_variants(session, scenario, file)
    outputs = rated_outputs(session, scenario, file, organisation)
    round_ = _round(session, scenario, {run for run, _ in outputs.values()}, actor)
    fresh, replaced = _take_over(session, round_, file, criteria, outputs)
    if fresh:
        details: dict[str, Any] = {"file_sha256": file.sha256, "ratings": fresh}
        audit.record(session, "ratings_imported", f"scenario/{slug}", actor=actor, details=details)
        enqueue_round(session, round_)
    return ImportReport(
        slug=slug,
        created=created,
        unchanged=not fresh,
        counts=released_round(session, scenario) == round_,
        ratings=fresh,
        revised=replaced,
        cases=len({row.case for row in file.rows}),
        variants=len({row.variant for row in file.rows}),
        raters=len({row.rater for row in file.rows}),
        criteria=len({row.criterion for row in file.rows}),
        round_id=row_id(round_.id),
    )


def _check_options(rubric: Rubric, scale: tuple[float, float] | None, lower: bool) -> None:
    """Options that contradict the stored rubric are refused, not ignored."""
    if scale is not None and scale != (rubric.scale_min, rubric.scale_max):
        raise InvalidRatings(
            f"Das Bewertungsraster '{rubric.name}' hat die Skala {rubric.scale_min:g} bis "
            f"{rubric.scale_max:g}; --scale {scale[0]:g}:{scale[1]:g} passt nicht dazu."
        )
    if lower and rubric.higher_is_better:
        raise InvalidRatings(
            f"Im Bewertungsraster '{rubric.name}' ist höher besser; --lower-is-better widerspricht."
        )


def _criteria(session: Session, rubric: Rubric, file: RatingFile) -> dict[str, int]:
    """Criterion ids by key, after checking every row against the rubric."""
    rows = session.exec(select(Criterion).where(Criterion.rubric_id == rubric.id)).all()
    criteria = {row.key: row_id(row.id) for row in rows}
    whole = bool(rubric.content["criteria"][0]["levels"])  # anchored levels are whole numbers
    for row in file.rows:
        if row.criterion not in criteria:
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte criterion: '{row.criterion}' gibt es in "
                f"'{rubric.name}' nicht; dort stehen: {', '.join(criteria)}."
            )
        fits = rubric.scale_min <= row.level <= rubric.scale_max
        if not fits or (whole and not row.level.is_integer()):
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte level: Stufe {row.level:g} gibt es in "
                f"'{rubric.name}' nicht; erlaubt: {rubric.scale_min:g} bis {rubric.scale_max:g}"
                f"{', ganze Zahlen' if whole else ''}."
            )
    return criteria


def _round(session: Session, scenario: Scenario, runs: set[int], actor: Person) -> Round:
    """The round of imported ratings on these runs and the rubric version. A newer run of a variant
    opens a round of its own, because ratings are never pooled across runs."""
    rows = session.exec(select(TrialRun).where(col(TrialRun.id).in_(runs))).all()
    places = {(run.variant_id, run.organisation_id): run.id for run in rows}
    for round_ in session.exec(
        select(Round).where(
            Round.scenario_id == scenario.id,
            Round.rubric_id == scenario.rubric_id,
            Round.origin == RoundOrigin.IMPORTED,
            Round.demo == any(run.demo for run in rows),
        )
    ):
        stored = session.exec(
            select(TrialRun)
            .join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
            .where(RoundRun.round_id == round_.id)
        ).all()
        if any(places.get((r.variant_id, r.organisation_id), r.id) != r.id for r in stored):
            continue
        known = {run.id for run in stored}
        session.add_all(
            RoundRun(round_id=row_id(round_.id), run_id=run) for run in sorted(runs - known)
        )
        session.flush()
        return round_
    round_ = create_round(session, scenario, rows, actor=actor, choice=RoundChoice(overlap=1))
    round_.origin = RoundOrigin.IMPORTED
    round_.released_at = now()
    round_.released_by = actor.id
    session.add(round_)
    session.flush()
    return round_


def _take_over(
    session: Session,
    round_: Round,
    file: RatingFile,
    criteria: dict[str, int],
    outputs: dict[tuple[str, str], tuple[int, int]],
) -> tuple[int, int]:
    """Store what is new or changed; gives how many ratings are new and how many they replace."""
    submission = f"file:{file.sha256}"
    raters = _raters(session, round_, file)
    current = {
        (rater, output, criterion): (rating, level, comment)
        for rating, rater, output, criterion, level, comment in session.exec(
            select(  # type: ignore[call-overload]
                Rating.id,
                Rating.rater_id,
                Rating.output_id,
                Rating.criterion_id,
                Rating.level,
                Rating.comment,
            ).where(Rating.round_id == round_.id, col(Rating.superseded_at).is_(None))
        )
    }
    moment = now()
    fresh: list[dict[str, Any]] = []
    replaced: list[int] = []
    for row in file.rows:
        place = (raters[row.rater], outputs[row.variant, row.case][1], criteria[row.criterion])
        known = current.get(place)
        if known is not None:
            if known[1:] == (row.level, row.comment):
                continue
            replaced.append(known[0])
        fresh.append(
            {"round_id": round_.id, "rater_id": place[0], "output_id": place[1],
             "criterion_id": place[2], "level": row.level, "comment": row.comment,
             "submission": submission, "created_at": moment}
        )  # fmt: skip
    for start in range(0, len(replaced), 500):
        session.exec(
            update(Rating)
            .where(col(Rating.id).in_(replaced[start : start + 500]))
            .values(superseded_at=moment)
        )
    if fresh:
        session.exec(insert(Rating), params=fresh)
    return len(fresh), len(replaced)


def _raters(session: Session, round_: Round, file: RatingFile) -> dict[str, int]:
    """Rater ids by the name in the file; new ones get a pseudonym, the name is not stored."""
    keys = {name: name_key(round_, name) for name in {row.rater for row in file.rows}}
    known = dict(
        session.exec(select(Rater.name_key, Rater.id).where(Rater.round_id == round_.id)).all()
    )
    fresh = [
        {"round_id": round_.id, "pseudonym": new_pseudonym(), "name_key": key}
        for key in sorted(keys.values())
        if key not in known
    ]
    if fresh:
        session.exec(insert(Rater), params=fresh)
        known = dict(
            session.exec(select(Rater.name_key, Rater.id).where(Rater.round_id == round_.id)).all()
        )
    return {name: row_id(known[key]) for name, key in keys.items()}
