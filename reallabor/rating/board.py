"""Who holds what in an open round, and handing it on: what is rated stays where it is, what nobody
has begun can change hands."""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session, col, func, select

from reallabor.models import (
    Assignment,
    EndReason,
    GoldAssignment,
    Output,
    Person,
    Rater,
    Round,
    RoundRun,
    TrialRun,
    now,
    row_id,
)
from reallabor.rating.assigning import may_rate_of, mixed_places, spread
from reallabor.rating.raters import new_token
from reallabor.rating.sheet import is_rated
from reallabor.recording.hidden_outputs import is_hidden

RaterId = int
CaseId = int
OutputId = int


@dataclass
class Place:
    """One assignment as the board knows it."""

    row: Assignment
    case: CaseId
    rated: bool

    @property
    def open(self) -> bool:
        """Whether the rater still has to rate it, or has."""
        return self.row.ended_at is None

    @property
    def declined(self) -> bool:
        """Whether the rater gave it back."""
        return self.row.ended_because is not None and EndReason(self.row.ended_because).declined


@dataclass
class Board:
    """All assignments of one round. Changes are made on the rows; `arrange` stores new ones."""

    session: Session
    round_: Round
    houses: dict[RaterId, int | None]
    """Organisation of every rater who can still be given something."""
    outputs: dict[CaseId, dict[OutputId, int | None]]
    """What may be rated in the round: case to outputs with the organisation of their run."""
    places: dict[RaterId, dict[OutputId, Place]]
    rng: random.Random
    taken: dict[RaterId, dict[CaseId, list[OutputId]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """What was given to somebody since the board was loaded."""

    def held(self, rater: RaterId, case: CaseId | None = None) -> list[Place]:
        """What a rater has, of one case or of all."""
        return [
            place
            for place in self.places.get(rater, {}).values()
            if place.open and (case is None or place.case == case)
        ]

    def load(self, rater: RaterId) -> int:
        """How many cases a rater has, rated or not."""
        return len({place.case for place in self.held(rater)})

    def unbegun(self, rater: RaterId) -> list[CaseId]:
        """The cases of a rater in which nothing is rated, the last in their order first."""
        last: dict[CaseId, int] = {}
        for place in self.held(rater):
            last[place.case] = max(last.get(place.case, 0), place.row.position)
        begun = {place.case for place in self.held(rater) if place.rated}
        return sorted(last.keys() - begun, key=lambda case: -last[case])

    def cover(self, output: OutputId) -> int:
        """How many raters have the output."""
        found = (mine.get(output) for mine in self.places.values())
        return sum(place is not None and place.open for place in found)

    def short(self, case: CaseId) -> list[OutputId]:
        """Outputs of a case that too few raters have."""
        return [o for o in self.outputs.get(case, {}) if self.cover(o) < self.round_.overlap]

    def may_take(self, rater: RaterId, case: CaseId) -> list[OutputId]:
        """What a rater could be given of a case: nothing where they have it or declined it."""
        for place in self.places.get(rater, {}).values():
            if place.case == case and (place.open or place.declined):
                return []
        return may_rate_of(self.outputs.get(case, {}), self.houses[rater])

    def take(self, rater: RaterId, case: CaseId) -> None:
        """Give a rater all they may rate of a case."""
        given = self.may_take(rater, case)
        for output in given:
            place = self.places.setdefault(rater, {}).get(output)
            if place is None:
                row = Assignment(token=new_token(), rater_id=rater, output_id=output, position=0)
                place = self.places[rater][output] = Place(row, case, rated=False)
            place.row.ended_at = place.row.ended_because = None
        self.taken[rater][case] = given

    def end(self, places: Collection[Place], reason: EndReason) -> None:
        """Take assignments from their rater; what is rated stays theirs."""
        for place in places:
            if not place.rated:
                place.row.ended_at, place.row.ended_because = now(), reason

    def hand_on(self, case: CaseId) -> list[OutputId]:
        """Give a case to more raters until each output has enough; those with the fewest cases
        first. Gives the outputs for which nobody is left."""
        while short := self.short(case):
            able = [
                (self.load(rater), self.rng.random(), rater)
                for rater in self.houses
                if set(short) & set(self.may_take(rater, case))
            ]
            if not able:
                return short
            self.take(min(able)[-1], case)
        return []

    def arrange(self, gold: Mapping[RaterId, Sequence[int]] | None = None) -> None:
        """Put what was taken at the end of each rater's order, variants of a case apart, with the
        given gold cases somewhere among it, and store all."""
        for rater, by_case in self.taken.items():
            fresh = {output for outputs in by_case.values() for output in outputs}
            mine = self.places[rater]
            kept = [place for output, place in mine.items() if output not in fresh]
            before = self.session.exec(
                select(func.max(GoldAssignment.position)).where(GoldAssignment.rater_id == rater)
            ).one()
            end = max([place.row.position for place in mine.values()] + [before or 0])
            latest = max(kept, key=lambda place: place.row.position, default=None)
            order = spread(by_case, self.rng, last=latest.case if latest else None)
            cases = list((gold or {}).get(rater, []))
            places = mixed_places(len(order), len(cases), self.rng)
            free = [n for n in range(1, len(order) + len(cases) + 1) if n not in set(places)]
            for output, step in zip(order, free, strict=True):
                mine[output].row.position = end + step
                self.session.add(mine[output].row)
            self.session.add_all(
                GoldAssignment(
                    token=new_token(), rater_id=rater, gold_case_id=case, position=end + step
                )
                for case, step in zip(cases, places, strict=True)
            )
        self.taken.clear()
        self.session.flush()


def load_board(session: Session, round_: Round) -> Board:
    """The board of a round that is not released."""
    rows = session.exec(
        select(Output.id, Output.case_id, TrialRun.organisation_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
        .where(RoundRun.round_id == round_.id, col(Output.text).is_not(None), ~is_hidden())
        .order_by(col(Output.case_id), col(Output.id))
    ).all()
    outputs: dict[int, dict[int, int | None]] = {}
    for output_id, case_id, house in rows:
        outputs.setdefault(case_id, {})[row_id(output_id)] = house
    places: dict[int, dict[int, Place]] = defaultdict(dict)
    for row, case_id, rated in session.exec(
        select(Assignment, Output.case_id, is_rated())
        .join(Rater, col(Rater.id) == Assignment.rater_id)
        .join(Output, col(Output.id) == Assignment.output_id)
        .where(Rater.round_id == round_.id)
    ):
        places[row.rater_id][row.output_id] = Place(row, case_id, rated)
    houses = {
        row_id(rater_id): house
        for rater_id, house in session.exec(
            select(Rater.id, Person.organisation_id)
            .join(Person, col(Person.id) == Rater.person_id)
            .where(Rater.round_id == round_.id, col(Rater.left_at).is_(None), Person.active)
            .order_by(col(Rater.id))
        )
    }
    rng = random.Random(f"{round_.seed}/{sum(map(len, places.values()))}")
    return Board(session, round_, houses, outputs, places, rng)
