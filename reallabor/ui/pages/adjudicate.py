"""Klärung: one judgement after the other on which raters disagree, blind."""

import streamlit as st

from reallabor.database import reading, transaction
from reallabor.errors import DatabaseUnavailable, ReallaborError, StorageFull
from reallabor.german import count
from reallabor.people import Person
from reallabor.rating.adjudicating import count_open_disputes, decide_level, list_disputes
from reallabor.rating.dispute_sheet import DisputeSheet, dispute_sheet
from reallabor.rating.disputes import Dispute
from reallabor.rating.rounds import stored_round
from reallabor.ui import pages
from reallabor.ui.adjudication import (
    Decision,
    DeskData,
    DeskDispute,
    Refusal,
    adjudication_desk,
    received_act,
)
from reallabor.ui.page import asked_number, demo_badge, page


class Desk:
    """One person's desk in one round, as this browser session knows it."""

    def __init__(self, person: Person, round_id: int) -> None:
        self.person = person
        self.round_id = round_id
        self.key = f"desk-{person.id}-{round_id}"
        memory = st.session_state.setdefault(f"{self.key}-memory", {})
        self.acknowledged: list[str] = memory.setdefault("acknowledged", [])
        self.refused: list[Refusal] = memory.setdefault("refused", [])
        self.memory = memory

    def receive(self) -> None:
        """Store what the browser sent, or turn to the dispute it asks for."""
        act = received_act(self.key)
        if act is None:
            return
        if act["decision"] is not None:
            self.decide(act["decision"])
        elif act["position"] is not None:
            disputes = self.disputes()
            if 1 <= act["position"] <= len(disputes):
                self.memory["token"] = disputes[act["position"] - 1].token

    def decide(self, decision: Decision) -> None:
        """Store a decision once; everything is checked again there."""
        if decision["uuid"] in {*self.acknowledged, *(each["uuid"] for each in self.refused)}:
            return
        try:
            with transaction() as session:
                decide_level(
                    session, self.round_id, decision["token"], seen=decision["seen"],
                    level=decision["level"], reason=decision["reason"],
                    submission=decision["uuid"], actor=self.person,
                )  # fmt: skip
        except (DatabaseUnavailable, StorageFull):
            return  # not acknowledged: the browser keeps it and sends it again
        except ReallaborError as refusal:
            self.refused.append({"uuid": decision["uuid"], "sentence": str(refusal)})
            return
        self.acknowledged.append(decision["uuid"])
        del self.acknowledged[:-20], self.refused[:-20]
        self.memory["token"] = next_open(self.disputes(), decision["token"])

    def disputes(self) -> list[Dispute]:
        with reading() as session:
            return list_disputes(session, self.round_id, actor=self.person)

    def data(self, disputes: list[Dispute]) -> DeskData:
        """What the browser shows: the dispute that was asked for, else the first open one."""
        tokens = [each.token for each in disputes]
        if self.memory.get("token") not in tokens:
            self.memory["token"] = next_open(disputes, tokens[-1])
        place = tokens.index(self.memory["token"])
        with reading() as session:
            sheet = dispute_sheet(session, stored_round(session, self.round_id), disputes[place])
        return {
            "dispute": shown(disputes[place], sheet, place + 1),
            "total": len(disputes),
            "done": sum(not each.open for each in disputes),
            "acknowledged": self.acknowledged,
            "refused": self.refused,
        }


def next_open(disputes: list[Dispute], token: str) -> str:
    """The next open dispute after this one, from the beginning again at the end; the same where
    all are decided."""
    tokens = [each.token for each in disputes]
    start = tokens.index(token) + 1 if token in tokens else 0
    order = disputes[start:] + disputes[:start]
    return next((each.token for each in order if each.open), token)


def shown(dispute: Dispute, sheet: DisputeSheet, position: int) -> DeskDispute:
    """A dispute as the browser gets it."""
    return {
        "token": dispute.token,
        "seen": dispute.seen,
        "position": position,
        "input": sheet.input,
        "reference": sheet.reference,
        "output": [{"text": each.text, "marked_by": list(each.marked_by)} for each in sheet.output],
        "title": sheet.criterion.title,
        "question": sheet.criterion.question,
        "levels": [{"level": level, "text": text}
                   for level, text in sorted(sheet.criterion.levels.items())],
        "ratings": [{"pseudonym": each.pseudonym, "level": round(each.level),
                     "comment": each.comment, "remark": each.remark} for each in sheet.ratings],
        "gate": dispute.gate,
        "level": None if dispute.level is None else round(dispute.level),
        "reason": dispute.reason,
        "outdated": dispute.outdated,
    }  # fmt: skip


def show_desk(person: Person, round_id: int) -> None:
    """The desk, or why there is nothing to decide."""
    with reading() as session:
        round_ = stored_round(session, round_id)
        released, demo, number = round_.released_at is not None, round_.demo, round_.number
        everything = count_open_disputes(session, round_id)
    with st.container(key="demo-badge"):
        demo_badge(demo)
    if released:
        st.info(f"Runde {number} ist freigegeben; Klärungen lassen sich nicht mehr ändern.")
        st.page_link(pages.AGREEMENT, label="Zur Übereinstimmung", icon=":material/handshake:",
                     query_params={"runde": str(round_id)})  # fmt: skip
        return
    desk = Desk(person, round_id)
    disputes = desk.disputes()
    if disputes:
        # Not a fragment: a browser that finds a restarted server could not reach one.
        adjudication_desk(desk.data(disputes), key=desk.key, on_act=desk.receive)
    else:
        st.info("In dieser Runde ist für Sie nichts zu klären.", icon=":material/check_circle:")
    if others := everything - sum(each.open for each in disputes):
        st.caption(
            f"{count(others, 'weiteres strittiges Urteil betrifft', 'weitere betreffen')} Ausgaben "
            "Ihrer eigenen Organisation; darüber entscheidet jemand aus einem anderen Haus."
        )


with page("Klärung", compact=True) as me:
    asked = asked_number("runde")
    if asked is None:
        st.info("Welche Runde? Zur Klärung führt die Seite der Bewertungsrunde.")
        st.page_link(pages.START, label="Zur Startseite", icon=":material/home:")
    else:
        show_desk(me, asked)
