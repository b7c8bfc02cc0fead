"""MLflow's judge interface around a question of our own: one model, all criteria of a rubric, one
call per output. docs/adr/0010-llm-judge.md says why the question is not left to MLflow."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reallabor.tracking import names
from reallabor.tracking.client import keep_to_ourselves

if TYPE_CHECKING:
    from mlflow.genai.judges.base import Judge


@dataclass(frozen=True)
class Judgement:
    """One level of a model on one criterion, with its reason."""

    level: int
    reason: str


Decide = Callable[[str, str, str], Mapping[str, Judgement]]
"""Asks the model about input, reference and output of a case; may raise any ReallaborError."""


@dataclass(frozen=True)
class JudgeFeedback:
    """One level of one model on one criterion, on its way into MLflow."""

    criterion: str
    level: float
    model: str
    host: str
    prompt_sha256: str
    rubric: str
    round_name: str
    comment: str | None

    @property
    def name(self) -> str:
        """A column of its own: under the name of the criterion, MLflow would take the mean over
        people and model."""
        return names.judge_column(self.criterion, self.model)

    @property
    def value(self) -> float:
        return self.level

    @property
    def source_type(self) -> str:
        return "LLM_JUDGE"

    @property
    def source_id(self) -> str:
        return self.model

    @property
    def metadata(self) -> dict[str, str]:
        return {
            "rubric": self.rubric,
            "round": self.round_name,
            "host": self.host,
            "prompt_sha256": self.prompt_sha256,
        }

    def assessment_id(self, trace_id: str) -> str:
        """The same id for every repetition, so that a level is never doubled."""
        parts = (trace_id, "judge", self.criterion, self.model, self.host, self.prompt_sha256,
                 self.rubric, self.round_name)  # fmt: skip
        return f"a-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:32]}"


def rubric_judge(model: str, instructions: str, decide: Decide) -> "Judge":
    """An MLflow judge that gives a list of `Feedback`, one per criterion, with source LLM_JUDGE.

    It takes `inputs` and `outputs` in the form of our traces and may be given to
    `mlflow.genai.evaluate` like any other scorer. Nothing but `decide` speaks to the network.
    """
    keep_to_ourselves()
    from mlflow.entities import AssessmentSource, Feedback
    from mlflow.genai.judges.base import Judge, JudgeField

    source = AssessmentSource(source_type="LLM_JUDGE", source_id=model)

    class RubricJudge(Judge):  # type: ignore[misc]
        """Here and not above, because mlflow is imported late."""

        @property
        def instructions(self) -> str:
            return instructions

        @property
        def feedback_value_type(self) -> Any:
            return int

        def get_input_fields(self) -> list[JudgeField]:
            return [
                JudgeField(name="inputs", description="The case, under `question`"),
                JudgeField(name="outputs", description="What is judged, under `text`"),
                JudgeField(name="expectations", description="A reference, under `reference`"),
            ]

        def __call__(
            self,
            *,
            inputs: dict[str, Any],
            outputs: dict[str, Any],
            expectations: dict[str, Any] | None = None,
        ) -> list[Feedback]:
            reference = str((expectations or {}).get("reference", ""))
            found = decide(str(inputs["question"]), reference, str(outputs["text"]))
            return [
                Feedback(
                    name=names.judge_column(key, model), value=each.level, rationale=each.reason,
                    source=source, metadata={"criterion": key},
                )
                for key, each in found.items()
            ]  # fmt: skip

    # The question keeps its own time; MLflow's limit would need a thread more per output.
    return RubricJudge(name=f"llm-{model}", timeout=0)


def judge_output(
    judge: "Judge", question: str, reference: str, output: str
) -> dict[str, Judgement]:
    """Run a judge on one output. Raises what its question raises."""
    given = judge.run(
        inputs={"question": question},
        outputs={"text": output},
        expectations={"reference": reference},
    )
    return {
        each.metadata["criterion"]: Judgement(int(each.value), each.rationale or "")
        for each in given
    }
