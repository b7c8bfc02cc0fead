"""Keeps what tells systems apart from people who rate a scenario at present."""

import streamlit as st


def blind_notice() -> None:
    """Stands where runs would be shown to somebody who is to rate them."""
    st.info(
        "Sie bewerten dieses Szenario gerade, oder seine Bewertung steht noch aus. Damit Sie "
        "unvoreingenommen bleiben, sehen Sie Durchläufe und Kennzahlen erst nach der Freigabe.",
        icon=":material/visibility_off:",
    )
