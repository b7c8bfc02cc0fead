"""Takes a file of ratings over into the database: all or nothing, released as a round of its own,
and the same file twice changes nothing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, update
from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import digest
from reallabor.database import CATALOGUE_LOCK, take_turns
from reallabor.errors import InvalidRatings, UnknownObject, WrongState
from reallabor.evaluations import CriterionContent, RubricContent, Scale
from reallabor.models import (
    Case,
    Criterion,
    Organisation,
    Origin,
    Output,
    Person,
    Rater,
    Rating,
    Round,
    RoundOrigin,
    RoundRun,
    Rubric,
    Scenario,
    TrialRun,
    Variant,
    now,
    row_id,
)
from reallabor.policies import may_import_ratings, require
from reallabor.rating.drafting import RoundChoice, newest_runs
from reallabor.rating.outbox import enqueue_round
from reallabor.rating.raters import name_key, new_pseudonym
from reallabor.rating.rating_file import RatingFile, RatingRow
from reallabor.rating.results import released_round
from reallabor.rating.rounds import create_round
from reallabor.recording.catalogue import get_scenario, store_rubric
from reallabor.recording.stopping import require_not_stopped

LONGEST_CRITERION = 64
"""Longest name of a criterion in characters, as in `evaluations`."""


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
        rubric_content = _rubric_content(slug, file, scale, higher_is_better=not lower_is_better)
        scenario = _create_scenario(session, slug, file, rubric_content, declared=scale is not None)
    require_not_stopped(session, row_id(scenario.id))
    rubric = session.get_one(Rubric, row_id(scenario.rubric_id))
    _check_options(rubric, scale, lower_is_better)
    criteria = _criteria(session, rubric, file)
    if create and scenario.origin == Origin.IMPORTED:
        _add_cases_and_variants(session, scenario, file)
    outputs = _outputs(session, scenario, file, organisation)
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


def _rubric_content(
    slug: str, file: RatingFile, scale: tuple[float, float] | None, *, higher_is_better: bool
) -> RubricContent:
    """A rubric of the file's criteria with equal weights; without `scale` on the data's range."""
    if not slug or set(slug) - set("abcdefghijklmnopqrstuvwxyz0123456789-") or slug[0] == "-":
        raise InvalidRatings(
            f"'{slug}' taugt nicht als Name eines Szenarios; erlaubt sind a-z, 0-9 und -."
        )
    for row in file.rows:
        if len(row.criterion) > LONGEST_CRITERION or "\n" in row.criterion:
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte criterion: Der Name eines Kriteriums darf "
                f"höchstens {LONGEST_CRITERION} Zeichen haben und steht in einer Zeile."
            )
    levels = [row.level for row in file.rows]
    low, high = scale or (min(levels), max(levels))
    keys = list(dict.fromkeys(row.criterion for row in file.rows))
    return RubricContent(
        key=f"import/{slug}",  # never the name of a shipped rubric
        version=1,
        title=f"Aus {file.path.name} angelegt",
        scale=Scale(min=low, max=high if high > low else low + 1),
        higher_is_better=higher_is_better,
        criteria=[CriterionContent(key=key, title=key, weight=100 / len(keys)) for key in keys],
    )


def _create_scenario(
    session: Session, slug: str, file: RatingFile, content: RubricContent, *, declared: bool
) -> Scenario:
    rubric = store_rubric(session, content, declared=declared)
    scenario = Scenario(
        slug=slug,
        title=slug,
        origin=Origin.IMPORTED,
        content={"title": slug, "file": file.path.name},
        content_sha256=digest([slug, file.sha256]),
        rubric_id=rubric.id,
    )
    session.add(scenario)
    session.flush()
    return scenario


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


def _add_cases_and_variants(session: Session, scenario: Scenario, file: RatingFile) -> None:
    """Make the cases and variants that the file names and the scenario does not have yet."""
    scenario_id = row_id(scenario.id)
    stored = session.exec(
        select(Case.key, Case.cluster).where(Case.scenario_id == scenario_id)
    ).all()
    clusters = dict(stored)
    fresh: dict[str, str | None] = {}
    for row in file.rows:
        if row.case not in clusters:
            fresh[row.case] = row.cluster
        elif clusters[row.case] != row.cluster:
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte cluster: Der Fall '{row.case}' gehört "
                f"bisher zu '{clusters[row.case] or '(leer)'}'; ein Fall kann nur zu einer Gruppe "
                "gehören."
            )
    if fresh:
        session.exec(
            insert(Case),
            params=[
                {"scenario_id": scenario_id, "key": key, "version": 1, "current": True,
                 "reference": "", "passages": [], "topic": "", "edge": False,
                 "cluster": cluster, "content_sha256": digest([key, cluster])}
                for key, cluster in fresh.items()
            ],
        )  # fmt: skip
    known = set(session.exec(select(Variant.key).where(Variant.scenario_id == scenario_id)))
    moment = now()
    for key in dict.fromkeys(row.variant for row in file.rows):
        if key in known:
            continue
        variant = Variant(scenario_id=scenario_id, key=key, title=key)
        session.add(variant)
        session.flush()
        session.add(
            TrialRun(
                scenario_id=scenario_id,
                variant_id=row_id(variant.id),
                started_at=moment,
                finished_at=moment,
            )
        )
    session.flush()


def _outputs(
    session: Session, scenario: Scenario, file: RatingFile, organisation: str | None
) -> dict[tuple[str, str], tuple[int, int]]:
    """Run id and output id of every (variant, case) that the file names."""
    runs = _runs(session, scenario, organisation)
    current = select(Case.key, Case.id, Case.cluster).where(
        Case.scenario_id == scenario.id, Case.current
    )
    rows = session.exec(current).all()
    cases = {key: case_id for key, case_id, _ in rows}
    clusters = {key: cluster for key, _, cluster in rows}
    wanted: dict[tuple[str, str], RatingRow] = {}
    for row in file.rows:
        wanted.setdefault((row.variant, row.case), row)
    for row in wanted.values():
        if row.variant not in runs:
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte variant: Zu '{row.variant}' gibt es in "
                f"'{scenario.slug}' keinen Durchlauf; vorhanden: {', '.join(runs) or 'keiner'}."
            )
        if row.case not in cases:
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte case: Den Fall '{row.case}' gibt es in "
                f"'{scenario.slug}' nicht."
            )
        if row.cluster is not None and row.cluster != clusters[row.case]:
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte cluster: Der Fall '{row.case}' gehört "
                f"hier zu '{clusters[row.case] or '(keiner Gruppe)'}', nicht zu '{row.cluster}'."
            )
    stored = _stored_outputs(session, runs)
    missing = [key for key in wanted if (runs[key[0]], cases[key[1]]) not in stored]
    if missing and scenario.origin != Origin.IMPORTED:
        row = wanted[missing[0]]
        raise InvalidRatings(
            f"{file.path}, Zeile {row.line}: Zu Fall '{row.case}' hat die Variante '{row.variant}' "
            "in ihrem neuesten Durchlauf keine Ausgabe."
        )
    if missing:
        session.exec(
            insert(Output),
            params=[
                {"run_id": runs[variant], "case_id": cases[case], "details": {},
                 "content_sha256": ""}
                for variant, case in missing
            ],
        )  # fmt: skip
        stored = _stored_outputs(session, runs)
    return {key: (runs[key[0]], stored[runs[key[0]], row_id(cases[key[1]])]) for key in wanted}


def _runs(session: Session, scenario: Scenario, organisation: str | None) -> dict[str, int]:
    """The run of each variant that ratings from outside belong to."""
    titles = dict(
        session.exec(
            select(Variant.id, Variant.key).where(Variant.scenario_id == scenario.id)
        ).all()
    )
    houses = dict(session.exec(select(Organisation.id, Organisation.name)).all())
    found: dict[str, int] = {}
    for run in newest_runs(session, scenario, with_outputs=False):
        _refuse_demo(run, scenario)
        if organisation is not None and houses.get(run.organisation_id) != organisation:
            continue
        key = titles[run.variant_id]
        if key in found:
            raise WrongState(
                f"Die Variante '{key}' wurde in mehreren Organisationen erprobt; bitte mit "
                "--organisation angeben, zu welcher die Bewertungen gehören."
            )
        found[key] = row_id(run.id)
    if organisation is not None and not found:
        raise UnknownObject(
            f"Zu '{scenario.slug}' gibt es keinen Durchlauf der Organisation '{organisation}'."
        )
    return found


def _refuse_demo(run: TrialRun, scenario: Scenario) -> None:
    if run.demo:
        raise WrongState(
            f"Zu '{scenario.slug}' gibt es bisher nur Demodaten; mit ihnen werden echte "
            f"Bewertungen nicht vermischt. Bitte zuerst `reallabor run {scenario.slug}` ausführen."
        )


def _stored_outputs(session: Session, runs: dict[str, int]) -> dict[tuple[int, int], int]:
    rows = session.exec(
        select(Output.run_id, Output.case_id, Output.id).where(
            col(Output.run_id).in_(list(runs.values()))
        )
    ).all()
    return {(run, case): row_id(output) for run, case, output in rows}


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
