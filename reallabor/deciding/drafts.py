"""What is written down on an agenda item before it is confirmed: saved at every step, and never
over what somebody else has written meanwhile."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from reallabor.content import digest, storable
from reallabor.deciding.meetings import get_item, locked_item, running_meeting
from reallabor.errors import WrongState
from reallabor.models import AgendaItem, Person
from reallabor.policies import may_confirm, require


def draft_state(item: AgendaItem) -> str:
    """Stands for note and draft as they are now; `save_draft` wants it back."""
    return digest([item.note, item.draft])


def read_draft(session: Session, item_id: int) -> tuple[str, dict[str, Any], str]:
    """Note, draft and state of an item. Raises UnknownObject."""
    item = get_item(session, item_id)
    return item.note, dict(item.draft), draft_state(item)


def save_draft(
    session: Session,
    item_id: int,
    *,
    note: str,
    draft: Mapping[str, Any],
    seen: str,
    actor: Person,
) -> str:
    """Keep what was typed; gives the new state. `seen` is the state that it was typed upon: where
    somebody else saved since, nothing is overwritten. Raises WrongState, NotAllowed."""
    require(may_confirm, actor)
    item = locked_item(session, item_id)
    running_meeting(session, item.meeting_id)
    if item.decision_id is not None:
        raise WrongState("Dieser Punkt ist schon beschlossen; der Entwurf ändert sich nicht mehr.")
    wanted = digest([storable(note), storable(dict(draft))])
    if draft_state(item) not in (seen, wanted):
        raise WrongState(
            "Jemand anderes hat diesen Punkt inzwischen bearbeitet; nichts wurde überschrieben. "
            "Bitte den neuen Stand laden und die eigene Änderung noch einmal eintragen."
        )
    item.note, item.draft = storable(note), storable(dict(draft))
    session.add(item)
    session.flush()
    return draft_state(item)
