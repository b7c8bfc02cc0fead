"""Rounds that several people act on at the same moment."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import building
from building import CRITERIA, Trial, counts, person, rate_one, the_round

from reallabor.database import reading, transaction
from reallabor.errors import ReallaborError
from reallabor.models import Person
from reallabor.rating.ratings import Judgement, submit_rating
from reallabor.rating.rounds import open_round, release_round


def together(*actions: Callable[[], Any]) -> list[BaseException | None]:
    """Do all at the same moment; gives what each raised."""
    ends: list[BaseException | None] = [None] * len(actions)
    barrier = threading.Barrier(len(actions))

    def act(place: int) -> None:
        barrier.wait()
        try:
            actions[place]()
        except Exception as end:  # noqa: BLE001 - another thread would lose it
            ends[place] = end

    threads = [threading.Thread(target=act, args=(place,)) for place in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for end in ends:
        if end is not None and not isinstance(end, ReallaborError):
            raise end
    return ends


def test_rating_is_in_the_release_or_refused(opened: Trial) -> None:
    with transaction() as session:
        rate_one(session)
        round_id = the_round(session).id or 0
        bert = person(session, "Bert Bewertung")
        token, bert_id = building.tokens(session, the_round(session), bert)[0], bert.id
        organiser_id = person(session, "Olga Organisation").id
    at_release: list[int] = []

    def release() -> None:
        with transaction() as session:
            release_round(session, round_id, actor=session.get_one(Person, organiser_id))
            at_release.append(counts(session)["Rating"])

    def submit() -> None:
        with transaction() as session:
            building.rate(session, session.get_one(Person, bert_id), token)

    released, submitted = together(release, submit)
    assert released is None
    with reading() as session:
        stored = counts(session)["Rating"]
    assert stored == (6 if submitted else 12)
    assert at_release == [stored]


def test_two_releases_at_once_count_once(opened: Trial) -> None:
    with transaction() as session:
        rate_one(session)
        round_id, organiser_id = (
            the_round(session).id or 0,
            person(session, "Olga Organisation").id,
        )

    def release() -> None:
        with transaction() as session:
            release_round(session, round_id, actor=session.get_one(Person, organiser_id))

    ends = together(release, release)
    assert sorted(end is None for end in ends) == [False, True]
    with reading() as session:
        assert building.judged_kinds(session) == ["feedback", "scores", "scores", "scores"]


def test_two_organisers_open_one_round(staffed: Trial) -> None:
    with reading() as session:
        organiser_id = person(session, "Olga Organisation").id

    def open_one() -> None:
        with transaction() as session:
            open_round(session, staffed.slug, actor=session.get_one(Person, organiser_id))

    ends = together(open_one, open_one)
    assert sorted(end is None for end in ends) == [False, True]
    with reading() as session:
        assert counts(session)["Round"] == 1


def test_double_click_saves_one_rating(opened: Trial) -> None:
    with reading() as session:
        anna = person(session, "Anna Bewertung")
        token, anna_id = building.tokens(session, the_round(session), anna)[0], anna.id
    submission = str(uuid.uuid4())

    def submit() -> None:
        with transaction() as session:
            submit_rating(
                session, Judgement(dict.fromkeys(CRITERIA, 4), "Gut"),
                actor=session.get_one(Person, anna_id), token=token, submission=submission,
            )  # fmt: skip

    assert together(submit, submit, submit) == [None, None, None]
    with reading() as session:
        assert counts(session)["Rating"] == 6
