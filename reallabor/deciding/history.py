"""How a scenario moved from round to round. Rounds are never pooled, and two rounds are said to be
comparable only where they were rated by the same rubric version."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from reallabor.deciding.candidate import candidate_of
from reallabor.deciding.gates import Gate, rubric_gates
from reallabor.deciding.readiness import agreement_rule
from reallabor.deciding.versioned import Versioned
from reallabor.models import Round, RoundOrigin, row_id
from reallabor.rating.agreement import agreement_of
from reallabor.rating.results import Figure, released_round, result_of
from reallabor.rating.round_data import RoundData, load_rounds
from reallabor.recording.catalogue import get_scenario


@dataclass(frozen=True)
class Step:
    """One released round, with the figures of its candidate."""

    round_id: int
    number: int
    released_at: datetime
    rubric: str
    imported: bool
    candidate: str
    """Title of the variant; empty where none was named."""
    score: Figure | None
    n_cases: int
    n_raters: int
    lowest_alpha: float | None
    """The lowest ordinal alpha over criteria; None where it is nowhere determinable."""
    agreeing: tuple[int, int]
    """Criteria on which raters agree well enough, of how many."""
    gates: list[Gate]
    """Those of the rubric; what people confirm belongs to no round."""
    comparable: bool
    """Whether the round before it was rated by the same rubric version; True for the first."""
    counts: bool
    """Whether this is the round that the comparison shows."""


_KEPT: Versioned[list[Step]] = Versioned(50)


def history(session: Session, slug: str) -> list[Step]:
    """Released rounds in their order; those of the demonstration only where nothing else was ever
    released. Raises UnknownObject."""
    scenario = get_scenario(session, slug)
    key = row_id(scenario.id)

    def compute(_ids: object) -> dict[int, list[Step]]:
        current = released_round(session, scenario)
        if current is None:
            return {key: []}
        rounds = session.exec(
            select(Round)
            .where(Round.scenario_id == key, col(Round.released_at).is_not(None))
            .where(Round.demo == current.demo)
            .order_by(col(Round.released_at), col(Round.id))
        ).all()
        steps: list[Step] = []
        for data in load_rounds(session, rounds):
            before = steps[-1].rubric if steps else data.rubric.name
            steps.append(_step(session, data, before, counts=data.round_.id == current.id))
        return {key: steps}

    return _KEPT.find(session, [key], compute)[key]


def _step(session: Session, data: RoundData, before: str, *, counts: bool) -> Step:
    result = result_of(session, data, 0)
    candidate = candidate_of(result)
    agreement = agreement_of(data, with_interval=False).values()
    alphas = [a for each in agreement if (a := each.alpha["ordinal"].value) is not None]
    released_at = data.round_.released_at
    assert released_at is not None
    return Step(
        round_id=result.round_id,
        number=result.number,
        released_at=released_at,
        rubric=result.rubric,
        imported=data.round_.origin == RoundOrigin.IMPORTED,
        candidate=candidate.title if candidate else "",
        score=candidate.score if candidate else None,
        n_cases=candidate.n_cases if candidate else 0,
        n_raters=result.n_raters,
        lowest_alpha=min(alphas, default=None),
        agreeing=(sum(agreement_rule(each) is not None for each in agreement), len(agreement)),
        gates=rubric_gates(data.rubric.content.get("gates", []), candidate),
        comparable=before == result.rubric,
        counts=counts,
    )
