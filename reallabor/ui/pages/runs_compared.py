"""Gegenüberstellung: two runs of one scenario case by case, with what differs marked."""

import html
from collections.abc import Sequence

import streamlit as st

from reallabor.database import reading
from reallabor.deciding.agenda import runs_are_hidden
from reallabor.german import count, date
from reallabor.recording.runs import CasePair, Part, compare_runs, list_runs, run_detail
from reallabor.ui import pages
from reallabor.ui.blind import blind_notice
from reallabor.ui.page import page, plain
from reallabor.ui.tables import field_table, show_table

PAGE = 10
_STYLE = """
<style>
.rl-text { white-space: pre-wrap; overflow-wrap: anywhere; }
.rl-text mark { background: #FFE9A8; color: #1D1D1F; border-bottom: 2px solid #B35900;
  padding: 0 1px; }
</style>
"""


def show_parts(parts: Sequence[Part]) -> None:
    """A text with what the other one has not; marked by colour and by underline."""
    text = "".join(
        f"<mark>{html.escape(part.text)}</mark>" if part.changed else html.escape(part.text)
        for part in parts
    )
    st.html(f'<div class="rl-text">{text or "(keine Ausgabe)"}</div>')


def show_pair(pair: CasePair, names: tuple[str, str], fields: list) -> None:  # type: ignore[type-arg]
    """One case in both runs."""
    with st.container(border=True):
        st.header(f"Fall {plain(pair.case)}", anchor=False)
        st.badge("gleich" if pair.same else "verschieden",
                 icon=":material/check:" if pair.same else ":material/difference:",
                 color="green" if pair.same else "orange")  # fmt: skip
        with st.expander("Eingabe"):
            st.text(pair.input)
        for column, name, parts, output in zip(
            st.columns(2), names, pair.parts, (pair.left, pair.right),
            strict=True,
        ):  # fmt: skip
            with column:
                st.markdown(f"**{plain(name)}**")
                if output is None:
                    st.caption("Keine Ausgabe zu diesem Fall.")
                    continue
                show_parts(parts)
        if fields and pair.left and pair.right:
            show_table(
                field_table(
                    fields, ("Erwartet", pair.left.expected), (names[0], pair.left.details),
                    (names[1] + ("" if names[0] != names[1] else " (2)"), pair.right.details),
                )
            )  # fmt: skip


with page("Zwei Durchläufe gegenüberstellen") as me:
    slug = st.query_params.get("szenario", "")
    with reading() as session:
        blind = runs_are_hidden(session, slug, me)
        runs = list_runs(session, slug) if slug else []
    if blind:
        blind_notice()
        st.stop()
    if len(runs) < 2:
        st.info(
            "Zum Gegenüberstellen braucht ein Szenario zwei Durchläufe.",
            icon=":material/compare_arrows:",
        )
        st.page_link(pages.SCENARIOS, label="Zu den Szenarien", icon=":material/arrow_back:")
        st.stop()
    titles = {
        run.run_id: f"{run.name}, {run.organisation or '–'}, {date(run.finished_at)} "
        f"(Nr. {run.run_id})"
        for run in runs
    }
    ids = list(titles)
    chosen: list[int] = []
    for column, key, label, fallback in zip(
        st.columns(2), ("a", "b"), ("Erster Durchlauf", "Zweiter Durchlauf"), (0, 1), strict=True
    ):
        wanted = st.query_params.get(key, "")
        index = ids.index(int(wanted)) if wanted.isdecimal() and int(wanted) in ids else fallback
        if chosen and ids[index] == chosen[0]:
            index = next(place for place, each in enumerate(ids) if each != chosen[0])
        with column:
            run_id = st.selectbox(
                label,
                ids,
                format_func=titles.__getitem__,
                index=index,
                key=f"run-{key}",
                placeholder="Bitte wählen",
            )
        chosen.append(run_id)
        st.query_params[key] = str(run_id)
    with reading() as session, st.spinner("Wird verglichen …"):
        pairs = compare_runs(session, chosen[0], chosen[1])
        detail = run_detail(session, chosen[0])
    names = tuple(next(run.name for run in runs if run.run_id == each) for each in chosen)
    different = [pair for pair in pairs if not pair.same]
    st.html(_STYLE)
    st.write(
        f"{count(len(different), 'Fall', 'Fälle')} von {len(pairs)} verschieden. Was nur auf einer "
        "Seite steht, ist hinterlegt und unterstrichen."
    )
    only = st.toggle("Nur verschiedene zeigen", value=bool(different), key="only-different")
    shown = different if only else pairs
    if not shown:
        st.success("Alle Ausgaben sind gleich.", icon=":material/check:")
    last = max(1, -(-len(shown) // PAGE))
    number = 1
    if last > 1:
        number = st.select_slider("Seite", range(1, last + 1), key="page-of-pairs")
    for pair in shown[(number - 1) * PAGE : number * PAGE]:
        show_pair(pair, (names[0], names[1]), detail.fields)
    st.page_link(pages.SCENARIO, label="Zum Steckbrief", icon=":material/arrow_back:",
                 query_params={"szenario": slug})  # fmt: skip
