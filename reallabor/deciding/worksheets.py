"""Worksheets: questions of Art. 5, 26 and 27 of the AI Act, answered step by step. Append-only; the
newest answer to a question counts."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from reallabor import audit
from reallabor.content import digest, storable
from reallabor.deciding.gates import counts_as_demo
from reallabor.errors import InvalidFinding, UnknownObject
from reallabor.gates import GateContent, Worksheet, WorksheetItem, load_gates
from reallabor.german import date
from reallabor.models import Person, Scenario, WorksheetAnswer, row_id
from reallabor.policies import may_fill_worksheets, require
from reallabor.recording.catalogue import get_scenario

ANSWER_LIMIT = 4000
"""Longest answer in characters."""


@dataclass(frozen=True)
class ItemView:
    """A question with the answer that counts."""

    item: WorksheetItem
    text: str
    done: bool
    answered: str
    """By whom and when, in German; empty where nobody did."""


@dataclass(frozen=True)
class WorksheetView:
    """A worksheet of one scenario."""

    sheet: Worksheet
    items: list[ItemView]

    @property
    def done(self) -> int:
        """How many questions are settled."""
        return sum(each.done for each in self.items)

    @property
    def progress(self) -> str:
        """`5 von 9 geklärt`."""
        return f"{self.done} von {len(self.items)} geklärt"


def list_worksheets(session: Session, slug: str) -> list[WorksheetView]:
    """The worksheets that concern a scenario, with their answers. Raises UnknownObject."""
    scenario = get_scenario(session, slug)
    answers = _newest(session, scenario, demo=counts_as_demo(session, scenario))
    return [
        WorksheetView(sheet, [_view(item, answers.get((sheet.key, item.key)))
                              for item in sheet.items])
        for sheet in load_gates().worksheets_of(scenario.content)
    ]  # fmt: skip


def answer_worksheet(
    session: Session,
    slug: str,
    worksheet: str,
    item: str,
    *,
    text: str,
    done: bool,
    actor: Person,
) -> None:
    """Answer one question; `done` says that the point is settled, which needs a text. The same
    answer again changes nothing. Raises NotAllowed, UnknownObject, InvalidFinding."""
    require(may_fill_worksheets, actor)
    scenario = get_scenario(session, slug)
    sheets = {sheet.key: sheet for sheet in load_gates().worksheets_of(scenario.content)}
    if worksheet not in sheets or item not in {each.key for each in sheets[worksheet].items}:
        raise UnknownObject(
            f"Die Frage '{worksheet}/{item}' gibt es zu '{scenario.title}' nicht; bitte die Seite "
            "neu laden."
        )
    text = storable(text.strip())
    if len(text) > ANSWER_LIMIT:
        raise InvalidFinding(
            f"Die Antwort hat {len(text)} Zeichen; möglich sind höchstens {ANSWER_LIMIT}."
        )
    if done and not text:
        raise InvalidFinding("Geklärt ist eine Frage erst mit einer Antwort; bitte ausfüllen.")
    # Locked, so that a double click finds the first answer stored.
    session.exec(select(Scenario.id).where(Scenario.id == scenario.id).with_for_update()).one()
    demo = counts_as_demo(session, scenario)
    known = _newest(session, scenario, demo=demo).get((worksheet, item))
    if (known[0].text, known[0].done) == (text, done) if known else not text:
        return
    answer = WorksheetAnswer(
        scenario_id=row_id(scenario.id), worksheet=worksheet, item=item, text=text, done=done,
        person_id=row_id(actor.id), demo=demo,
    )  # fmt: skip
    session.add(answer)
    session.flush()
    audit.record(
        session, "worksheet_answered", f"scenario/{slug}", actor=actor,
        details={"worksheet": worksheet, "item": item, "done": done, "text": digest(text)},
        seal=[answer],
    )  # fmt: skip


def require_settled(
    session: Session, scenario: Scenario, gate: GateContent, *, demo: bool
) -> None:  # fmt: skip
    """Raises InvalidFinding where the worksheet that completes this gate has open questions."""
    answers = _newest(session, scenario, demo=demo)
    for sheet in load_gates().worksheets_of(scenario.content):
        if sheet.gate != gate.key or not sheet.completes_gate:
            continue
        open_ = [
            item.article
            for item in sheet.items
            if (known := answers.get((sheet.key, item.key))) is None or not known[0].done
        ]
        if open_:
            raise InvalidFinding(
                f"Der Prüfpunkt '{gate.title}' lässt sich erst bestätigen, wenn das Arbeitsblatt "
                f"'{sheet.title}' geklärt ist; offen: {', '.join(open_)}."
            )


def _newest(
    session: Session, scenario: Scenario, *, demo: bool
) -> dict[tuple[str, str], tuple[WorksheetAnswer, str]]:
    rows = session.exec(
        select(WorksheetAnswer, Person.name)
        .join(Person, col(Person.id) == WorksheetAnswer.person_id)
        .where(WorksheetAnswer.scenario_id == scenario.id, WorksheetAnswer.demo == demo)
        .order_by(col(WorksheetAnswer.id))
    ).all()
    return {(answer.worksheet, answer.item): (answer, name) for answer, name in rows}


def _view(item: WorksheetItem, known: tuple[WorksheetAnswer, str] | None) -> ItemView:
    if known is None:
        return ItemView(item, "", done=False, answered="")
    answer, name = known
    answered = f"{name}, {date(answer.answered_at)}"
    return ItemView(item, answer.text, done=answer.done, answered=answered)
