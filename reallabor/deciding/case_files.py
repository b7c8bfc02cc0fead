"""One case of a released round in full: what every variant gave, and how it was rated. Raters are
named by the pseudonym of the round."""

from collections import defaultdict
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from reallabor.deciding.agenda import runs_are_hidden
from reallabor.errors import NotAllowed, UnknownObject
from reallabor.models import (
    Case,
    Criterion,
    Organisation,
    Output,
    Person,
    Rater,
    Rating,
    Remark,
    RoundRun,
    TrialRun,
    Variant,
    row_id,
)
from reallabor.rating.adjudicated import holding
from reallabor.rating.results import released_round
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.hidden_outputs import HIDDEN, is_hidden


@dataclass(frozen=True)
class GivenRating:
    """What one person gave one output."""

    pseudonym: str
    levels: dict[str, float]
    """By key of the criterion."""
    comments: dict[str, str]
    remark: str
    rework_minutes: int | None


@dataclass(frozen=True)
class RatedOutput:
    """One output of the case."""

    variant: str
    """Its key."""
    title: str
    organisation: str
    run_id: int
    trace_id: str | None
    text: str | None
    """None where the system failed or the output is hidden; then `error` says why."""
    error: str | None
    ratings: list[GivenRating]
    """By pseudonym, which follows neither order nor speed."""
    adjudicated: dict[str, float] = field(default_factory=dict)
    """Levels that hold instead, by key of the criterion."""


@dataclass(frozen=True)
class CaseFile:
    """One case with its outputs."""

    case: str
    topic: str
    edge: bool
    input: str
    reference: str
    criteria: dict[str, str]
    """Titles by key, in the rubric's order."""
    experiment_id: str | None
    outputs: list[RatedOutput]


def case_file(session: Session, slug: str, case: str, *, actor: Person) -> CaseFile:
    """The case in the round that counts. Raises UnknownObject, and NotAllowed for people who rate
    the scenario at present: who has read outputs under a name cannot rate them blind."""
    if runs_are_hidden(session, slug, actor):
        raise NotAllowed(
            f"'{actor.name}' bewertet dieses Szenario gerade, oder seine Bewertung steht noch aus; "
            "einzelne Fälle sind erst nach der Freigabe zu sehen."
        )
    scenario = get_scenario(session, slug)
    round_ = released_round(session, scenario)
    rows = [] if round_ is None else session.exec(
        select(Output, Case, TrialRun, Variant, is_hidden())  # type: ignore[call-overload]
        .join(Case, col(Case.id) == Output.case_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(Variant, col(Variant.id) == TrialRun.variant_id)
        .join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
        .where(RoundRun.round_id == round_.id, Case.key == case)
        .order_by(col(Variant.id), col(TrialRun.id), col(Case.version))
    ).all()  # fmt: skip
    if round_ is None or not rows:
        raise UnknownObject(
            f"Den Fall '{case}' gibt es in der freigegebenen Runde von '{scenario.title}' nicht."
        )
    criteria = session.exec(
        select(Criterion)
        .where(Criterion.rubric_id == round_.rubric_id)
        .order_by(col(Criterion.position))
    ).all()
    keys = {row_id(each.id): each.key for each in criteria}
    outputs = [row_id(output.id) for output, *_ in rows]
    given = _ratings(session, row_id(round_.id), outputs, keys)
    decided: dict[int, dict[str, float]] = {each: {} for each in outputs}
    for each in outputs:
        for (_, criterion), row in holding(session, round_, output_id=each).items():
            decided[each][keys[criterion]] = row.level
    houses = dict(session.exec(select(Organisation.id, Organisation.name)).all())
    _, shown, *_ = rows[-1]
    return CaseFile(
        case=case,
        topic=shown.topic,
        edge=shown.edge,
        input=shown.input or "",
        reference=shown.reference,
        criteria={each.key: each.title for each in criteria},
        experiment_id=scenario.experiment_id,
        outputs=[
            RatedOutput(
                variant=variant.key,
                title=variant.title,
                organisation=houses.get(run.organisation_id, ""),
                run_id=row_id(run.id),
                trace_id=output.trace_id,
                text=None if hidden else output.text,
                error=output.error or (HIDDEN if hidden else None),
                ratings=given[row_id(output.id)],
                adjudicated=decided[row_id(output.id)],
            )
            for output, _, run, variant, hidden in rows
        ],
    )


def _ratings(
    session: Session, round_id: int, outputs: list[int], keys: dict[int, str]
) -> dict[int, list[GivenRating]]:
    levels: dict[tuple[int, str], dict[str, float]] = defaultdict(dict)
    comments: dict[tuple[int, str], dict[str, str]] = defaultdict(dict)
    for output, pseudonym, criterion, level, comment in session.exec(
        select(  # type: ignore[call-overload]
            Rating.output_id, Rater.pseudonym, Rating.criterion_id, Rating.level, Rating.comment
        )
        .join(Rater, col(Rater.id) == Rating.rater_id)
        .where(
            Rating.round_id == round_id,
            col(Rating.output_id).in_(outputs),
            col(Rating.superseded_at).is_(None),
        )
    ):
        levels[output, pseudonym][keys[criterion]] = level
        if comment:
            comments[output, pseudonym][keys[criterion]] = comment
    remarks = {
        (output, pseudonym): (text, minutes)
        for output, pseudonym, text, minutes in session.exec(
            select(Remark.output_id, Rater.pseudonym, Remark.text, Remark.rework_minutes)
            .join(Rater, col(Rater.id) == Remark.rater_id)
            .where(
                Rater.round_id == round_id,
                col(Remark.output_id).in_(outputs),
                col(Remark.superseded_at).is_(None),
            )
        )
    }
    found: dict[int, list[GivenRating]] = {each: [] for each in outputs}
    for output, pseudonym in sorted(levels):
        text, minutes = remarks.get((output, pseudonym), ("", None))
        found[output].append(
            GivenRating(
                pseudonym, levels[output, pseudonym], comments[output, pseudonym], text, minutes
            )
        )
    return found
