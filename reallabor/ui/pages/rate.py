"""Bewerten: one output after the other, blind."""

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.errors import DatabaseUnavailable, ReallaborError, StorageFull
from reallabor.people import Person
from reallabor.rating.ratings import Judgement, submit_rating
from reallabor.rating.reporting import report_problem
from reallabor.rating.sheet import (
    OpenRating,
    ended_rating,
    list_open_ratings,
    load_sheet,
    sheet_criteria,
    sheet_key,
)
from reallabor.ui import pages
from reallabor.ui.page import asked_number, demo_badge, page, plain
from reallabor.ui.scoring import (
    Passage,
    Refusal,
    SheetData,
    Submission,
    received_submissions,
    scoring_sheet,
)

BEFORE, AFTER = 3, 10
"""How many cases around the current one lie ready in the browser."""


class Sheet:
    """One person's sheet in one round, as this browser session knows it."""

    def __init__(self, person: Person, round_id: int) -> None:
        self.person = person
        self.round_id = round_id
        with reading() as session:
            self.key = f"sheet-{sheet_key(session, round_id, actor=person)}"
        memory = st.session_state.setdefault(f"{self.key}-memory", {})
        self.acknowledged: list[str] = memory.setdefault("acknowledged", [])
        self.refused: list[Refusal] = memory.setdefault("refused", [])
        self.memory = memory

    def receive(self) -> None:
        """Save what the browser sent; everything is checked again here."""
        received = received_submissions(self.key)
        if received is None:
            return
        answered = {*self.acknowledged, *(refusal["uuid"] for refusal in self.refused)}
        for item in received["items"]:
            if item["uuid"] in answered:
                continue
            try:
                self._save(item)
            except (DatabaseUnavailable, StorageFull):
                break  # not acknowledged: the browser keeps it and sends it again
            except ReallaborError as refusal:
                self.refused.append({"uuid": item["uuid"], "sentence": str(refusal)})
                continue
            self.acknowledged.append(item["uuid"])
        del self.acknowledged[:-50], self.refused[:-50]
        self.memory["position"] = received["position"]

    def _save(self, item: Submission) -> None:
        person, token = self.person, item["token"]
        judgement = Judgement(
            item["levels"], item["comment"], item["comments"], item["passages"], item["minutes"]
        )
        with transaction() as session:
            if item["report"]:
                report_problem(session, item["report"], actor=person, token=token)
            else:
                submit_rating(
                    session, judgement, actor=person, token=token, submission=item["uuid"]
                )

    def data(self) -> SheetData:
        """What the browser needs around the current position."""
        with reading() as session:
            sheet = load_sheet(
                session, self.round_id, actor=self.person,
                position=self.memory.get("position"), before=BEFORE, after=AFTER,
            )  # fmt: skip
            criteria = sheet_criteria(session, self.round_id)
        self.memory["position"] = sheet.position
        return {
            "criteria": [
                {"key": criterion.key, "title": criterion.title, "question": criterion.question,
                 "levels": [{"level": level, "text": text}
                            for level, text in sorted(criterion.levels.items())]}
                for criterion in criteria
            ],
            "order": sheet.order,
            "items": [
                {"token": item.token, "position": item.position, "input": item.input,
                 "reference": item.reference, "output": item.output, "levels": item.levels,
                 "comment": item.comment, "comments": item.comments,
                 "passages": [Passage(start=each["start"], end=each["end"],
                                      criterion=each["criterion"]) for each in item.passages],
                 "minutes": item.rework_minutes, "done": item.done}
                for item in sheet.items
            ],
            "start": sheet.position,
            "total": sheet.total,
            "done": sheet.done,
            "acknowledged": self.acknowledged,
            "refused": self.refused,
        }  # fmt: skip


def show_sheet(person: Person, round_id: int) -> None:
    """The sheet; of a round that has ended for this person it is empty and only answers what their
    browser still holds. Not a fragment: a browser that finds a restarted server could not reach
    one, and its unsaved scores would never arrive."""
    sheet = Sheet(person, round_id)
    scoring_sheet(sheet.data(), key=sheet.key, on_submit=sheet.receive)


def chosen_rating(ratings: list[OpenRating]) -> OpenRating:
    """The only round, or the one that the person picks; the address names it."""
    if len(ratings) == 1:
        return ratings[0]
    wanted = [str(each.round_id) for each in ratings]
    named = st.query_params.get("runde")
    return st.selectbox(
        "Welche Bewertung?",
        ratings,
        index=wanted.index(named) if named in wanted else 0,
        format_func=lambda rating: rating.title,
        placeholder="Bitte wählen",
    )


def show_open(person: Person, ratings: list[OpenRating]) -> None:
    """The sheet of a round in which this person rates."""
    rating = chosen_rating(ratings)
    st.query_params["runde"] = str(rating.round_id)
    with st.container(key="demo-badge"):
        demo_badge(rating.demo)
    if rating.stop:
        st.error(plain(rating.stop), icon=":material/block:")
        return
    show_sheet(person, rating.round_id)


def show_nothing_open(*, others: bool, ended: bool) -> None:
    """Why there is nothing to rate here, and the way on."""
    if ended:
        st.info(
            "Die Runde, in der Sie bewertet haben, ist für Sie abgeschlossen. Ihre gespeicherten "
            "Bewertungen zählen; neue sind nicht mehr möglich."
        )
    if others:
        st.info("Was Sie sonst noch zu bewerten haben, steht auf der Startseite.")
    else:
        st.info(
            "Ihnen ist gerade keine Bewertung zugeteilt. Sobald eine Runde beginnt, finden Sie "
            "sie hier und auf der Startseite.",
            icon=":material/check_circle:",
        )
    st.page_link(pages.START, label="Zur Startseite", icon=":material/home:")


with page("Bewerten", compact=True) as me:
    asked = asked_number("runde")
    with reading() as session:
        mine = list_open_ratings(session, me)
        is_open = any(each.round_id == asked for each in mine)
        ended = None if is_open else ended_rating(session, me, asked)
    if is_open or (mine and (asked is None or ended is None)):
        show_open(me, mine)
    else:
        if ended is not None:
            show_sheet(me, ended)
        show_nothing_open(others=bool(mine), ended=asked is not None and ended is not None)
