"""The vote on an item: opened and closed by the organisation, cast by each member on the own device
or on call. It looks for news by itself while the meeting runs."""

import pandas as pd
import streamlit as st

from reallabor.database import reading, transaction
from reallabor.deciding.decisions import VERDICTS
from reallabor.deciding.meeting_views import OPEN, ItemView, MeetingView, MotionView, meeting_view
from reallabor.deciding.voting import CHOICES, cast_vote, close_motion, open_motion
from reallabor.german import count
from reallabor.people import Person
from reallabor.policies import may_run_meetings
from reallabor.ui.page import plain, refusals, say_after_rerun
from reallabor.ui.tables import show_table

NEWS = "4s"
"""How often an open meeting looks for a motion or votes of others."""
_LABELS = {"ja": "Ja", "nein": "Nein", "Enthaltung": "Enthaltung"}


def show_ballot(view: MeetingView, item: ItemView, me: Person) -> None:
    """Motions so far, the open one to vote on, and the next."""
    running = view.state == OPEN and item.decision is None
    st.fragment(_ballot, run_every=NEWS if running else None)(
        view.meeting.id or 0, item.item_id, item.state, me
    )


def _ballot(meeting_id: int, item_id: int, seen: str, me: Person) -> None:
    with refusals():
        with reading() as session:
            view = meeting_view(session, meeting_id)
        item = next(each for each in view.items if each.item_id == item_id)
        if item.state != seen:
            st.rerun()  # the agenda and the resolution show the state too
        if item.motions:
            show_table(_motions_table(item))
        motion = item.open_motion
        if motion:
            _show_motion(view, item, motion, me)
        elif view.state == OPEN and item.decision is None and may_run_meetings(me):
            with st.expander(
                "Noch einmal abstimmen" if item.motions else "Antrag stellen",
                expanded=item.adopted is None,
            ):
                _put(item, me)
        elif not item.motions:
            st.caption("Noch kein Antrag gestellt.")


def _motions_table(item: ItemView) -> pd.DataFrame:
    rows = [
        {
            "Antrag": f"{each.number}: {each.verdict}" + (" (geheim)" if each.secret else ""),
            "Ja": _told(each, each.result.yes),
            "Nein": _told(each, each.result.no),
            "Enthaltung": _told(each, each.result.abstain),
            "Ergebnis": _outcome(each),
        }
        for each in item.motions
    ]
    return pd.DataFrame(rows).set_index("Antrag")


def _told(motion: MotionView, n: int) -> str:
    return "–" if motion.secret and not motion.result.closed else str(n)


def _outcome(motion: MotionView) -> str:
    if not motion.result.closed:
        return f"läuft, {count(len(motion.choices), 'Stimme', 'Stimmen')}"
    if not motion.result.quorate:
        return "nicht beschlussfähig"
    return "angenommen" if motion.result.adopted else "abgelehnt"


def _show_motion(view: MeetingView, item: ItemView, motion: MotionView, me: Person) -> None:
    kind = "geheim" if motion.secret else "offen"
    st.markdown(f"**Abstimmung läuft: {motion.verdict} ({kind})**")
    member = view.member_of(me.id)
    if member and member.has_vote:
        _own_vote(item, motion, member.participant_id, me)
    if not may_run_meetings(me):
        return
    waiting = {
        each.participant_id: each.name
        for each in view.participants
        if each.has_vote and each.participant_id not in motion.choices
        and each.participant_id not in item.obstacles
    }  # fmt: skip
    if waiting:
        st.caption(f"Noch ohne Stimme: {plain(', '.join(waiting.values()))}.")
        with st.expander("Stimme auf Zuruf eintragen"):
            if motion.secret:
                st.caption("Geheim: Bitte das Gerät weitergeben, damit die Person selbst wählt.")
            chosen = st.selectbox("Für wen", list(waiting), format_func=waiting.__getitem__,
                                  key=f"voter-{motion.motion_id}-{len(waiting)}",
                                  placeholder="Bitte wählen")  # fmt: skip
            _choices(motion, chosen, me, key="call")
    if st.button("Abstimmung schließen", type="secondary" if waiting else "primary",
                 key=f"close-{motion.motion_id}"):  # fmt: skip
        with transaction() as session:
            result = close_motion(session, motion.motion_id, actor=me)
        say_after_rerun(
            f"Abstimmung geschlossen: {result.yes} Ja, {result.no} Nein, {result.abstain} "
            f"Enthaltung. {'Angenommen' if result.adopted else 'Nicht angenommen'}."
        )


def _own_vote(item: ItemView, motion: MotionView, participant: int, me: Person) -> None:
    if participant in motion.choices:
        choice = motion.choices[participant]
        said = f": {_LABELS[choice]}" if choice else ""
        st.success(f"Ihre Stimme ist abgegeben{said}.", icon=":material/how_to_vote:")
    elif participant in item.obstacles:
        st.info(plain(item.obstacles[participant]), icon=":material/info:")
    else:
        st.markdown("**Ihre Stimme** (gilt sofort und lässt sich nicht ändern)")
        _choices(motion, participant, me, key="own")


def _choices(motion: MotionView, participant: int, me: Person, *, key: str) -> None:
    for column, choice in zip(st.columns(3), CHOICES, strict=True):
        with column:
            if st.button(_LABELS[choice], key=f"{key}-{motion.motion_id}-{choice}",
                         width="stretch"):  # fmt: skip
                with transaction() as session:
                    cast_vote(session, motion.motion_id, participant, choice, actor=me)
                say_after_rerun("Die Stimme ist abgegeben.")


def _put(item: ItemView, me: Person) -> None:
    verdict = st.radio("Antrag", VERDICTS, index=None, horizontal=True,
                       key=f"motion-{item.item_id}-{len(item.motions)}")  # fmt: skip
    secret = st.checkbox("Geheim abstimmen", key=f"secret-{item.item_id}-{len(item.motions)}")
    if st.button("Abstimmung öffnen", type="primary", disabled=verdict is None,
                 key=f"open-{item.item_id}"):  # fmt: skip
        with transaction() as session:
            open_motion(session, item.item_id, verdict or "", secret=secret, actor=me)
        say_after_rerun("Die Abstimmung läuft. Mitglieder sehen sie auf ihrem Gerät.")
