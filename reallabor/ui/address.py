"""Choices that stand in the address, so that a link shows what its sender saw. What a link names
and is not there (any more) is said in a sentence, and the default is shown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from reallabor.ui.page import plain

_BETWEEN = ","


def choose_one(
    label: str,
    name: str,
    options: Mapping[str, str],
    *,
    empty: str | None = None,
    always: bool = False,
    **more: Any,
) -> str:
    """A choice among `options` (value to title); with `empty` the first entry of the list is that
    title and stands for "". The value stands in the address as `name`; the first one only where it
    `always` does, because another may be the first tomorrow."""
    listed = {**({} if empty is None else {"": empty}), **options}
    default = next(iter(listed))
    _take_over(name, lambda text: text if text in listed else None, default, label)
    chosen = st.selectbox(label, list(listed), format_func=listed.__getitem__, key=_key(name),
                          placeholder="Bitte wählen", **more)  # fmt: skip
    _write(name, "" if chosen == default and not always else chosen)
    return str(chosen)


def choose_scenario(titles: Mapping[str, str]) -> str:
    """The scenario that a page is about, of its titles by slug; a link to one that is not there
    (any more) is said."""
    chosen = choose_one("Szenario", "szenario", titles, always=True)
    stale(["szenario"])
    return chosen


def choose_some(
    label: str, name: str, options: Mapping[str, str], *, most: int | None = None, **more: Any
) -> list[str]:
    """Several of `options`, as `choose_one`."""

    def read(text: str) -> list[str] | None:
        wanted = list(dict.fromkeys(text.split(_BETWEEN)))
        known = [each for each in wanted if each in options][:most]
        return known if len(known) == len(wanted) else None

    def partly(text: str) -> tuple[list[str], str]:
        wanted = list(dict.fromkeys(text.split(_BETWEEN)))
        known = [each for each in wanted if each in options][:most]
        return known, ", ".join(each for each in wanted if each not in known)

    _take_over(name, read, [], label, partly)
    chosen = st.multiselect(label, list(options), format_func=options.__getitem__, key=_key(name),
                            max_selections=most, placeholder="Bitte wählen", **more)  # fmt: skip
    _write(name, _BETWEEN.join(chosen))
    return list(chosen)


def choose_yes(label: str, name: str, **more: Any) -> bool:
    """A switch; on stands in the address as `ja`."""
    _take_over(name, lambda text: True if text == "ja" else None, False, label)
    chosen = st.toggle(label, key=_key(name), **more)
    _write(name, "ja" if chosen else "")
    return bool(chosen)


def forget(*names: str) -> None:
    """Leave these choices out of the address; they stand where they make no sense."""
    for name in names:
        _write(name, "")


def stale(names: Sequence[str]) -> None:
    """Say which parts of the address did not fit; stands below the choices."""
    for name in names:
        if sentence := st.session_state.get(f"{_key(name)}-stale"):
            st.warning(sentence, icon=":material/link_off:")


def _take_over(
    name: str,
    read: Callable[[str], Any],
    default: Any,
    label: str,
    partly: Callable[[str], tuple[Any, str]] | None = None,
) -> None:
    """Before the widget is drawn: where the address is not what this page last wrote, it counts."""
    key, text = _key(name), st.query_params.get(name, "")
    known = st.session_state.get(f"{key}-written") == text and key in st.session_state
    if known and _fits(read, st.session_state[key], default):
        # Written again: the same choice on another page is another widget and would begin anew.
        st.session_state[key] = st.session_state[key]
        return
    value = default if not text else read(text)
    st.session_state[f"{key}-stale"] = ""
    if value is None:
        value, missing = partly(text) if partly else (default, text)
        st.session_state[f"{key}-stale"] = (
            f"Der Link nennt bei „{label}“ etwas, das es hier nicht (mehr) gibt: "
            f"{plain(missing[:80])}. Gezeigt wird ohne diese Angabe."
        )
    st.session_state[key] = value


def _fits(read: Callable[[str], Any], value: Any, default: Any) -> bool:
    """Whether the present value of a widget is still among its options."""
    if value == default or isinstance(value, bool):
        return True
    text = _BETWEEN.join(value) if isinstance(value, list) else str(value)
    return read(text) is not None


def _write(name: str, text: str) -> None:
    st.session_state[f"{_key(name)}-written"] = text
    if text:
        st.query_params[name] = text
    elif name in st.query_params:
        del st.query_params[name]


def _key(name: str) -> str:
    return f"choice-{name}"
