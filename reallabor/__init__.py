"""What a pilot team imports: `trial_run`, to record a trial from its own Python program."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reallabor.recording.python_run import PythonRun

__all__ = ["trial_run"]


def trial_run(
    scenario: str,
    *,
    variant: str,
    organisation: str | None = None,
    params: Mapping[str, object] | None = None,
    title: str | None = None,
    resume: bool = False,
) -> "AbstractContextManager[PythonRun]":
    """Record one run of one variant of a scenario from Python.

    ::

        with reallabor.trial_run("buerger-chatbot", variant="mein-assistent") as run:
            for case in run.cases():
                answer = assistant(case.input)
                run.record(case.id, answer, latency_ms=412, tokens=350, cost_eur=0.002)

    Needs nothing but REALLABOR_TRACKING_URI (and REALLABOR_TRACKING_TOKEN where the server asks for
    one): the cases come from MLflow where there is no folder of the scenario here. Every output is
    on disk before `record` returns. The run is sent when the block ends without an exception; after
    an interruption of any kind the same call with `resume=True` goes on, and `cases()` gives only
    what is missing. `variant` is a short name (small letters, digits, hyphens), `params` is what
    somebody would need to build the same system again.

    Raises reallabor.errors.ReallaborError with a German sentence.
    """
    from reallabor.recording.python_run import open_run

    return open_run(
        scenario,
        variant=variant,
        organisation=organisation,
        params=params or {},
        title=title,
        resume=resume,
    )
