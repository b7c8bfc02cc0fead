"""Keeps what tells systems apart from people who rate a scenario at present."""

import streamlit as st


def blind_notice() -> None:
    """Stands where runs would be shown to somebody who rates them now."""
    st.info(
        "Sie bewerten dieses Szenario gerade. Damit Sie unvoreingenommen bleiben, sehen "
        "Sie Durchläufe und Kennzahlen erst nach der Freigabe.",
        icon=":material/visibility_off:",
    )
