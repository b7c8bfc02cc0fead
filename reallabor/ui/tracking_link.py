"""The way from a page into the MLflow screen."""

import streamlit as st

from reallabor.settings import get_settings


def run_link(experiment_id: str | None, tracking_run_id: str | None) -> None:
    """A link that opens one run in MLflow."""
    if experiment_id is not None and tracking_run_id is not None:
        base = get_settings().tracking_address
        address = f"{base}/#/experiments/{experiment_id}/runs/{tracking_run_id}"
        st.link_button("In MLflow öffnen", address, icon=":material/open_in_new:")


def experiment_link(experiment_id: str | None) -> None:
    """A link that opens the scenario's experiment in MLflow; nothing before the first run."""
    if experiment_id is not None:
        address = f"{get_settings().tracking_address}/#/experiments/{experiment_id}/runs"
        st.link_button("In MLflow öffnen", address, icon=":material/open_in_new:")


def trace_link(experiment_id: str | None, trace_id: str | None, *, key: str) -> None:
    """A link that opens one output as a trace in MLflow; nothing where only ratings were
    imported."""
    if experiment_id is not None and trace_id is not None:
        base = get_settings().tracking_address
        address = f"{base}/#/experiments/{experiment_id}/traces?selectedEvaluationId={trace_id}"
        st.link_button("Trace in MLflow öffnen", address, icon=":material/open_in_new:",
                       key=f"trace-{key}")  # fmt: skip
