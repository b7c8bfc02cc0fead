"""Lets a language model judge the outputs of a round, as one rater more who never counts: its
levels stand beside those of people and in no score. May be killed and started again."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

from reallabor.database import reading, transaction
from reallabor.errors import EndpointUnavailable, InvalidJudgement, ReallaborError, UnusableAnswer
from reallabor.evaluations import RubricContent
from reallabor.models import Person
from reallabor.policies import may_judge, require
from reallabor.rating.judge_passes import (
    JudgeReport,
    begin_pass,
    finish_pass,
    store_judgements,
    texts_of,
)
from reallabor.rating.judge_prompt import correction, instructions_for, material, read_judgements
from reallabor.recording.catalogue import get_scenario
from reallabor.recording.endpoint import Endpoint, ask_model
from reallabor.tracking.judging import Decide, Judgement, judge_output, rubric_judge

MOST_UNANSWERED = 3
"""After so many outputs in a row without an answer the endpoint counts as down."""
Progress = Callable[[int, int], None]
"""Called with outputs done, outputs in all."""
Answer = Mapping[str, Judgement] | ReallaborError


def judge_round(
    slug: str, endpoint: Endpoint, *, actor: Person, progress: Progress | None = None
) -> JudgeReport:
    """Have a model judge every output of the open round, or else of the one that counts.

    Each output is stored as soon as it is judged, with levels on all criteria or with an error. A
    call with the same model and address goes on where the last one ended: what has levels is not
    asked again. Outputs in quarantine are never sent.
    Raises NotAllowed; UnknownObject; WrongState where there is nothing to judge;
    EndpointUnavailable where the model does not answer (what is stored stays).
    """
    require(may_judge, actor)
    with transaction() as session:
        running = begin_pass(
            session, get_scenario(session, slug), model=endpoint.model, host=endpoint.shown,
            actor=actor,
        )  # fmt: skip
    judge = partial(
        judge_output,
        rubric_judge(endpoint.model, running.prompt, question_to(endpoint, running.rubric)),
    )
    done = 0

    def keep(output_id: int, answer: Answer) -> None:
        nonlocal done
        with transaction() as session:
            store_judgements(session, running, output_id, answer)
        done += 1
        if progress:
            progress(done, len(running.waiting))

    silent: list[tuple[int, EndpointUnavailable]] = []
    for output_id, answer in _answers(judge, running.waiting, endpoint.parallel):
        if isinstance(answer, EndpointUnavailable):
            # Kept back: if the endpoint is down, these outputs are asked for again later.
            silent.append((output_id, answer))
            if len(silent) >= MOST_UNANSWERED:
                raise _interrupted(answer, done)
            continue
        for earlier in silent:
            keep(*earlier)
        silent.clear()
        keep(output_id, answer)
    if silent and not done:
        raise _interrupted(silent[-1][1], done)
    for earlier in silent:
        keep(*earlier)
    with transaction() as session:
        return finish_pass(session, running, asked=done)


def question_to(endpoint: Endpoint, rubric: RubricContent) -> Decide:
    """The question about one output: levels on all criteria in one call, asked once more where the
    answer cannot be read. Raises InvalidJudgement after the second, and EndpointUnavailable."""
    prompt = instructions_for(rubric)

    def decide(question: str, reference: str, output: str) -> Mapping[str, Judgement]:
        messages = [
            {"role": "system", "content": prompt},
            {"role": "user", "content": material(question, reference, output)},
        ]
        text = ""
        try:
            text = ask_model(endpoint, messages).text
            return read_judgements(text, rubric.criteria)
        except (InvalidJudgement, UnusableAnswer) as refused:
            if text:
                messages.append({"role": "assistant", "content": text})
            messages.append({"role": "user", "content": correction(str(refused))})
        try:
            return read_judgements(ask_model(endpoint, messages).text, rubric.criteria)
        except (InvalidJudgement, UnusableAnswer) as refused:
            raise InvalidJudgement(
                f"Das Sprachmodell hat zweimal nicht in der verlangten Form geantwortet. {refused}"
            ) from refused

    return decide


def _answers(judge: Decide, outputs: list[int], parallel: int) -> Iterator[tuple[int, Answer]]:
    """Outputs with levels, or with why there are none, as they come; at most `parallel` under
    way."""
    waiting = iter(outputs)
    with ThreadPoolExecutor(parallel) as pool:
        running: dict[Future[Answer], int] = {}
        try:
            while True:
                while len(running) < parallel and (output_id := next(waiting, None)) is not None:
                    with reading() as session:  # now: somebody may have reported it meanwhile
                        texts = texts_of(session, output_id)
                    if texts:
                        running[pool.submit(_answer, judge, *texts)] = output_id
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _answer(judge: Decide, question: str, reference: str, output: str) -> Answer:
    try:
        return judge(question, reference, output)
    except ReallaborError as refusal:
        return refusal


def _interrupted(outage: EndpointUnavailable, done: int) -> EndpointUnavailable:
    return EndpointUnavailable(
        f"{outage} {done} Urteile sind gesichert; derselbe Befehl macht danach weiter."
    )
