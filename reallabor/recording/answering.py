"""Asks a system for the outputs of cases, one after another or several at once; what goes wrong
with one case is the error of that case."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from reallabor.content import digest, storable
from reallabor.errors import EndpointUnavailable, ReallaborError, UnusableAnswer
from reallabor.limits import MOST_COST_EUR, MOST_TOKENS, plausible
from reallabor.recording.journal import JournalEntry
from reallabor.scenarios import CaseContent, System

log = structlog.get_logger()


@dataclass(frozen=True)
class Answered:
    """What came for one case, and why nothing came where an endpoint was down."""

    entry: JournalEntry
    outage: EndpointUnavailable | None = None


def answers(
    system: System,
    cases: list[CaseContent],
    parallel: int,
    may_go_on: Callable[[], bool],
) -> Iterator[Answered]:
    """Answers as they come, at most `parallel` under way; no new one once `may_go_on` says no."""
    if parallel <= 1:
        for case in cases:
            if not may_go_on():
                return
            yield _answer(system, case)
        return
    waiting = iter(cases)
    with ThreadPoolExecutor(parallel) as pool:
        running: set[Future[Answered]] = set()
        try:
            while True:
                while len(running) < parallel and may_go_on():
                    following = next(waiting, None)
                    if following is None:
                        break
                    running.add(pool.submit(_answer, system, following))
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _answer(system: System, case: CaseContent) -> Answered:
    started_at = datetime.now(UTC).isoformat()
    begin = time.perf_counter()
    output: dict[str, Any] | None = None
    error: str | None = None
    outage: EndpointUnavailable | None = None
    tokens: Any = None
    cost: Any = None
    try:
        output = as_output(system(case.input))
    except EndpointUnavailable as refusal:
        error, outage, cost = str(refusal), refusal, 0.0  # nothing came that could be billed
    except UnusableAnswer as refusal:
        error, tokens, cost = str(refusal), refusal.tokens, refusal.cost_eur
    except ReallaborError as refusal:
        error = str(refusal)
    # The system is foreign code and may raise anything; the other cases must not be lost with it.
    except Exception as failure:  # noqa: BLE001
        error = f"{type(failure).__name__}: {failure}"[:500]
        log.warning("case_failed", case=case.id, error=error)
    latency_ms = (time.perf_counter() - begin) * 1000
    if output:
        tokens, cost = output.pop("tokens", None), output.pop("cost_eur", None)
    entry = JournalEntry(
        case.id, started_at, latency_ms, output, error and storable(error),
        round(tokens) if _is_plausible(tokens, MOST_TOKENS) else None,
        float(cost) if _is_plausible(cost, MOST_COST_EUR) else None,
    )  # fmt: skip
    return Answered(entry, outage)


def _is_plausible(value: Any, most: float) -> bool:
    """Whether a system's own figure can be recorded; anything else is as if it had said nothing."""
    return isinstance(value, int | float) and plausible(value, most) is not None


def as_output(answer: object) -> dict[str, Any]:
    """The answer as a dict with `text`; anything else of a system is an error of this case.

    Raises TypeError, or ValueError for what JSON does not know.
    """
    output = {"text": answer} if isinstance(answer, str) else answer
    if not isinstance(output, dict) or not isinstance(output.get("text"), str):
        raise TypeError(f"das System gab {type(answer).__name__} statt eines Textes zurück")
    digest(output)  # NaN and objects that JSON does not know are refused here
    return {str(key): value for key, value in storable(output).items()}
