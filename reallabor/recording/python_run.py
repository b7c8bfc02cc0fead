"""A trial run recorded from a pilot team's own Python program: journalled like `reallabor run`."""

import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from numbers import Real
from typing import Any

import structlog

from reallabor.content import storable
from reallabor.errors import InvalidContent, TrackingRefused, UnknownObject, WrongState
from reallabor.german import number
from reallabor.limits import MOST_COST_EUR, MOST_LATENCY_MS, MOST_TOKENS
from reallabor.recording.answering import as_output
from reallabor.recording.journal import Journal, JournalEntry, JournalWriter, journal_root
from reallabor.recording.recordable import require_recordable
from reallabor.recording.sending import OWN_PARAMS, RecordedRun, send_journal
from reallabor.recording.shared_cases import fetch_scenario
from reallabor.scenarios import (
    CaseContent,
    ScenarioFolder,
    load_scenario,
    require_key,
    scenario_slugs,
)
from reallabor.settings import get_settings
from reallabor.tracking import Connection
from reallabor.ways import Way

log = structlog.get_logger()

_PARAM = re.compile(r"\w[\w .:-]*(/[\w :-][\w .:-]*)*")
"""What MLflow takes as the name of a parameter."""


class PythonRun:
    """One run while it is recorded; made by `reallabor.trial_run`."""

    def __init__(self, journal: Journal, variant: str, writer: JournalWriter) -> None:
        self.variant = variant
        self.recorded: RecordedRun | None = None
        """What MLflow holds, once the block has ended."""
        self._cases = {case.id: case for case in journal.scenario().cases}
        self._entries = journal.entries(variant)
        self._writer = writer
        self._given: dict[str, tuple[datetime, float]] = {}

    def cases(self) -> Iterator[CaseContent]:
        """The cases that have no output in this run yet, in the order of the scenario."""
        for case in list(self._cases.values()):
            if case.id not in self._entries:
                self._given[case.id] = (datetime.now(UTC), time.perf_counter())
                yield case

    @property
    def missing(self) -> list[str]:
        """Ids of the cases without an output."""
        return [case_id for case_id in self._cases if case_id not in self._entries]

    def record(
        self,
        case_id: str,
        output: "str | Mapping[str, Any] | None" = None,
        *,
        latency_ms: float | None = None,
        tokens: int | None = None,
        cost_eur: float | None = None,
        error: str | None = None,
    ) -> None:
        """Keep what the system gave for a case: a text, a mapping with `text` and the fields of the
        scenario, or an `error`. It is on disk when this returns.

        Without `latency_ms` the time since `cases()` gave the case is taken. The same again is
        harmless. Raises UnknownObject for a foreign case, WrongState where the case has another
        output in this run, InvalidContent for what is no output.
        """
        if case_id not in self._cases:
            raise UnknownObject(f"Einen Fall '{case_id}' gibt es in diesem Szenario nicht.")
        answer = self._output(case_id, output, error)
        if answer is not None:  # a system may name them itself, as in `reallabor run`
            named = answer.pop("tokens", None), answer.pop("cost_eur", None)
            tokens = named[0] if tokens is None else tokens
            cost_eur = named[1] if cost_eur is None else cost_eur
        entry = JournalEntry(
            case_id,
            *self._times(case_id, latency_ms),
            answer,
            storable(error) if error is not None else None,
            _whole(tokens, "tokens"),
            _finite(cost_eur, "cost_eur", MOST_COST_EUR),
        )
        known = self._entries.get(case_id)
        if known is not None:
            if (known.output, known.error) == (entry.output, entry.error):
                return
            raise WrongState(
                f"Fall '{case_id}' hat in diesem Durchlauf schon eine andere Ausgabe. Sie bleibt "
                "stehen; für geänderte Ausgaben bitte einen neuen Durchlauf beginnen."
            )
        self._writer.append(entry)
        self._entries[case_id] = entry

    def _times(self, case_id: str, latency_ms: float | None) -> tuple[str, float | None]:
        given = self._given.get(case_id)
        latency = _finite(latency_ms, "latency_ms", MOST_LATENCY_MS)
        if given is not None:
            passed = (time.perf_counter() - given[1]) * 1000
            return given[0].isoformat(), passed if latency is None else latency
        started_at = datetime.now(UTC) - timedelta(milliseconds=latency or 0)
        return started_at.isoformat(), latency

    @staticmethod
    def _output(
        case_id: str, output: "str | Mapping[str, Any] | None", error: str | None
    ) -> dict[str, Any] | None:
        if (output is None) == (error is None):
            raise InvalidContent(
                f"Fall '{case_id}': bitte entweder eine Ausgabe oder einen Fehler angeben."
            )
        if output is None:
            return None
        try:
            return as_output(dict(output) if isinstance(output, Mapping) else output)
        except (TypeError, ValueError) as problem:
            raise InvalidContent(
                f"Fall '{case_id}': Die Ausgabe lässt sich nicht speichern ({problem}). Möglich "
                "sind ein Text oder ein dict mit 'text'."
            ) from problem


@contextmanager
def open_run(
    slug: str,
    *,
    variant: str,
    organisation: str | None,
    params: Mapping[str, object],
    title: str | None,
    resume: bool,
) -> Iterator[PythonRun]:
    """The body of `reallabor.trial_run`."""
    require_key(variant)
    require_recordable(slug)
    connection = Connection.from_settings(get_settings())
    journal = _unfinished(slug, variant, organisation) if resume else None
    if journal is None:
        scenario = _scenario(slug, connection)
        journal = Journal.create(
            journal_root(),
            scenario,
            variants=[variant],
            organisation=organisation or scenario.content.organisation,
            way=Way.PYTHON,
            titles={variant: title} if title else {},
            params={_param_name(key): _shortened(value) for key, value in params.items()},
        )
    with journal.locked():
        with journal.writer(variant) as writer:
            run = PythonRun(journal, variant, writer)
            try:
                yield run
            finally:
                if not journal.entries(variant):
                    journal.remove()  # nothing to keep, however the block ended
        if not journal.entries(variant):
            raise WrongState(
                f"Zu '{slug}' wurde keine Ausgabe aufgezeichnet; es gibt nichts zu senden."
            )
        journal.close()
        if missing := run.missing:
            log.warning("cases_missing", scenario=slug, n=len(missing), first=missing[0])
        run.recorded = send_journal(
            journal,
            connection,
            next_step=f"später senden mit `reallabor run {slug} --resume`.",
        )[0]


def _unfinished(slug: str, variant: str, organisation: str | None) -> Journal | None:
    for journal in Journal.unfinished(journal_root(), slug):
        plan = journal.plan
        if (
            plan.way == Way.PYTHON
            and plan.variants == [variant]
            and organisation in (None, plan.organisation)
        ):
            return journal
    return None


def _scenario(slug: str, connection: Connection) -> ScenarioFolder:
    """From the folder where it lies here, else from MLflow."""
    if slug in scenario_slugs():
        return load_scenario(slug)
    return fetch_scenario(connection, slug)


def _param_name(key: object) -> str:
    name = str(key)
    if len(name) > 250 or not _PARAM.fullmatch(name):
        raise InvalidContent(
            f"'{name[:60]}' geht nicht als Name eines Parameters: erlaubt sind bis zu 250 "
            "Buchstaben, Ziffern, Leerzeichen und _ - . : /"
        )
    return f"params.{name}" if name in OWN_PARAMS else name  # those names are ours


def _shortened(value: object) -> str:
    """MLflow takes at most 6,000 characters."""
    text = str(storable(str(value)))
    if len(text) > 6000:
        raise TrackingRefused(
            f"Ein Parameter ist {len(text)} Zeichen lang; MLflow nimmt höchstens 6000. Lange Texte "
            "bitte als Datei ablegen und hier nur benennen."
        )
    return text


def _finite(value: float | None, name: str, most: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise InvalidContent(f"{name} muss eine endliche Zahl sein, nicht {value!r}.")
    if not 0 <= value <= most:
        raise InvalidContent(
            f"{name} muss zwischen 0 und {number(most, 0)} liegen, ist aber {value!r}."
        )
    return float(value)


def _whole(value: int | None, name: str) -> int | None:
    found = _finite(value, name, MOST_TOKENS)
    return None if found is None else round(found)
