"""The weights of the ranking: sliders whose values stand in the address, and named profiles."""

from collections.abc import Mapping, Sequence

import streamlit as st

from reallabor.comparison_scales import ComparisonScales
from reallabor.database import reading, transaction
from reallabor.deciding.profiles import (
    DEFAULT,
    NAME_LIMIT,
    Profile,
    list_profiles,
    retire_profile,
    save_profile,
)
from reallabor.deciding.ranking import normalised
from reallabor.german import share, span
from reallabor.people import Person
from reallabor.policies import may_save_profiles
from reallabor.ui.page import plain, refusals

MOST = 100
"""Where a slider ends."""
OWN = "Eigene Gewichte"
_PREFIX = "gewicht-"
"""Of the names in the address: `?gewicht-quality=40`; what is not there is as in the content."""
_PROFILE, _STALE = "weight-profile", "weights-stale"
_NEAR = 1e-9


def choose_weights(scales: ComparisonScales, person: Person) -> dict[str, float]:
    """Profile, sliders and the form that saves them; the weights as they stand, in points."""
    _read_address(scales)
    chooser, sliders, saving = st.container(), st.container(), st.container()
    with sliders:
        points = _show_sliders(scales)
    _say_stale()
    if may_save_profiles(person):
        with saving, st.expander("Gewichte als Profil speichern", icon=":material/bookmark_add:"):
            _manage(points, person)
    with reading() as session:  # after saving, so that a new profile is in the list
        profiles = list_profiles(session)
    with chooser:
        _choose_profile(scales, points, profiles)
    return points


def points_of(weights: Mapping[str, float]) -> dict[str, int]:
    """Whole points from 0 to MOST in the very proportions of these shares, in sum near 100;
    rounded where there are none."""
    for total in sorted(range(1, MOST * len(weights) + 1), key=lambda each: abs(each - 100)):
        points = {key: weight * total for key, weight in weights.items()}
        if max(points.values()) <= MOST + _NEAR and all(
            abs(point - round(point)) < _NEAR * total for point in points.values()
        ):
            return {key: round(point) for key, point in points.items()}
    return {key: round(100 * weight) for key, weight in weights.items()}


def _show_sliders(scales: ComparisonScales) -> dict[str, float]:
    points: dict[str, float] = {}
    # Two rows, so that the order of the file stays where a narrow screen puts columns in one.
    columns = [*st.columns(3), *st.columns(3)]
    places = []
    for column, scale in zip(columns, scales.criteria, strict=True):
        with column:
            points[scale.key] = st.slider(
                scale.title, 0, MOST, round(scale.weight), key=_PREFIX + scale.key,
                bind="query-params", help=scale.question, on_change=_forget_stale,
            )  # fmt: skip
            places.append(st.empty())
    total = sum(points.values())
    for place, scale in zip(places, scales.criteria, strict=True):
        weight = points[scale.key] / total if total else 0.0
        usual = span(scale.plausible.min, scale.plausible.max, 0)
        within = scale.plausible.min <= 100 * weight <= scale.plausible.max
        words = "plausibel" if within else "außerhalb des Plausiblen,"
        place.caption(f"zählt {share(weight)} ({words} {usual}\u00a0%)")
    return points


def _choose_profile(
    scales: ComparisonScales, points: Mapping[str, float], profiles: Sequence[Profile]
) -> None:
    """The name of the weights as they stand; another one sets the sliders."""
    keys = list(points)
    named = {DEFAULT: normalised(scales.weights, keys)}
    named.update({each.name: each.weights for each in profiles})
    same = [name for name, weights in named.items() if _are(weights, points)]
    last = st.session_state.get(_PROFILE)
    now = last if last in same else next(iter(same), OWN)
    st.session_state[_PROFILE] = now
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        st.selectbox(
            "Gewichte", [*([] if same else [OWN]), *named], key=_PROFILE,
            on_change=_take_over, args=(named,), placeholder="Bitte wählen",
        )  # fmt: skip
    with right:
        st.button("Zurück zur Vorgabe", icon=":material/restart_alt:", on_click=_set_points,
                  args=(points_of(named[DEFAULT]),), disabled=DEFAULT in same)  # fmt: skip


def _are(weights: Mapping[str, float], points: Mapping[str, float]) -> bool:
    total = sum(points.values())
    return total > 0 and all(
        abs(points[key] / total - weights.get(key, 0.0)) < _NEAR for key in points
    )


def _take_over(named: Mapping[str, Mapping[str, float]]) -> None:
    chosen = st.session_state[_PROFILE]
    if chosen in named:
        _set_points(points_of(named[chosen]))


def _set_points(points: Mapping[str, int]) -> None:
    for key, value in points.items():
        st.session_state[_PREFIX + key] = value
    _forget_stale()


def _manage(points: Mapping[str, float], person: Person) -> None:
    """Save the weights as they stand, or take a profile out of the list."""
    with refusals():
        with st.form("save-profile", border=False):
            name = st.text_input("Name des Profils", max_chars=NAME_LIMIT)
            if st.form_submit_button("Speichern", type="primary"):
                with transaction() as session:
                    saved = save_profile(session, name, points, actor=person)
                st.session_state[_PROFILE] = saved.name
                st.success(f"Profil „{plain(saved.name)}“ gespeichert.", icon=":material/check:")
        st.caption(
            "Ein Profil mit gleichem Namen wird ersetzt; Sitzungen und Beschlüsse behalten die "
            "Gewichte, unter denen sie entstanden sind."
        )
        with reading() as session:
            names = [each.name for each in list_profiles(session)]
        if not names:
            return
        with st.form("retire-profile", border=False):
            chosen = st.selectbox("Profil aus der Liste nehmen", names, index=None,
                                  placeholder="Bitte wählen")  # fmt: skip
            if st.form_submit_button("Aus der Liste nehmen") and chosen:
                with transaction() as session:
                    retire_profile(session, chosen, actor=person)
                st.success(f"Profil „{plain(chosen)}“ steht nicht mehr in der Liste.",
                           icon=":material/check:")  # fmt: skip


def _read_address(scales: ComparisonScales) -> None:
    """Remember what of the address is no weight; Streamlit itself then shows the default."""
    titles = {_PREFIX + scale.key: scale.title for scale in scales.criteria}
    for name in [each for each in st.query_params if each.startswith(_PREFIX)]:
        text = st.query_params[name]
        if name not in titles:
            sentence = f"Der Link nennt ein Gewicht „{plain(name[:60])}“, das es nicht gibt."
        elif text.isdecimal() and len(text) <= 3 and int(text) <= MOST:
            continue
        else:
            sentence = (
                f"Der Link nennt für {titles[name]} kein Gewicht von 0 bis {MOST}: "
                f"{plain(text[:60])}. Gezeigt wird die Vorgabe."
            )
        st.session_state.setdefault(_STALE, {})[name] = sentence


def _say_stale() -> None:
    for sentence in st.session_state.get(_STALE, {}).values():
        st.warning(sentence, icon=":material/link_off:")


def _forget_stale() -> None:
    st.session_state.pop(_STALE, None)
