"""What a file of ratings brings along where it is missing: scenario, rubric, cases and variants."""

from sqlalchemy import insert
from sqlmodel import Session, select

from reallabor.content import digest
from reallabor.errors import InvalidRatings
from reallabor.evaluations import CriterionContent, RubricContent, Scale
from reallabor.models import Case, Origin, Scenario, TrialRun, Variant, now, row_id
from reallabor.rating.rating_file import RatingFile
from reallabor.recording.catalogue import store_rubric

LONGEST_CRITERION = 64
"""Longest name of a criterion in characters, as in `evaluations`."""


def create_scenario(
    session: Session,
    slug: str,
    file: RatingFile,
    *,
    scale: tuple[float, float] | None,
    higher_is_better: bool,
) -> Scenario:
    """A scenario of that name with a rubric of the file's criteria; cases and variants follow.
    Raises InvalidRatings for names that cannot be one."""
    content = _rubric_content(slug, file, scale, higher_is_better=higher_is_better)
    rubric = store_rubric(session, content, declared=scale is not None)
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


def add_cases_and_variants(session: Session, scenario: Scenario, file: RatingFile) -> None:
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
