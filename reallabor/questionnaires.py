"""Speaks to `evaluations/rueckmeldung.yaml`: the questionnaires for voices of staff and clients."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from reallabor.content import Content, load_yaml
from reallabor.settings import get_settings

Text = Annotated[str, StringConstraints(min_length=1)]
FILE = "rueckmeldung.yaml"
AUDIENCES = ("clients", "staff")


class Wording(Content):
    """A question in one of the two languages, with a text for every level of its answer."""

    question: Text
    levels: dict[int, Text]


class Question(Content):
    """One question, worded twice; both wordings share the levels, so their answers add up."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    needs_sample: bool = False
    """Whether it is about the sample, and makes no sense where none is shown."""
    standard: Wording
    simple: Wording

    def wording(self, simple: bool) -> Wording:
        return self.simple if simple else self.standard


class Texts(Content):
    """What stands around the questions, in one language."""

    title: Text
    intro: Text
    privacy: Text
    sample_input: Text
    """Heading of what the system was given."""
    sample: Text
    """Heading of what the system made of it."""
    sample_note: Text
    """That it is an example, may be wrong and is no advice."""
    unsure: Text
    """The answer that counts as none."""
    worry: Text
    """The last question, answered in free text."""
    worry_hint: Text


class Questionnaire(Content):
    """For one audience: two to four questions with levels from 1 (worst) to `levels` (best), and
    worries as free text."""

    audience: Literal["staff", "clients"]
    levels: Annotated[int, Field(ge=2, le=5)]
    standard: Texts
    simple: Texts
    questions: Annotated[list[Question], Field(min_length=2, max_length=4)]

    @model_validator(mode="after")
    def _consistent(self) -> "Questionnaire":
        keys = [question.key for question in self.questions]
        if len(set(keys)) < len(keys):
            raise ValueError("questions: eine Kennung (key) steht zweimal da")
        wanted = list(range(1, self.levels + 1))
        for question in self.questions:
            for simple in (False, True):
                if sorted(question.wording(simple).levels) != wanted:
                    language = "simple" if simple else "standard"
                    raise ValueError(
                        f"bei {question.key} ({language}) müssen die Antworten 1 bis {self.levels} "
                        "je einen Text haben"
                    )
        return self

    def texts(self, simple: bool) -> Texts:
        return self.simple if simple else self.standard

    def asked(self, *, with_sample: bool) -> "Questionnaire":
        """The same with only those questions that make sense."""
        kept = [each for each in self.questions if with_sample or not each.needs_sample]
        return self.model_copy(update={"questions": kept})


class Questionnaires(Content):
    """`rueckmeldung.yaml`: one questionnaire per audience."""

    version: Annotated[int, Field(ge=1)]
    note: Text
    """Stands where a survey is opened."""
    questionnaires: list[Questionnaire]

    @model_validator(mode="after")
    def _one_per_audience(self) -> "Questionnaires":
        if sorted(each.audience for each in self.questionnaires) != sorted(AUDIENCES):
            raise ValueError("questionnaires: nötig sind genau einer für staff, einer für clients")
        for each in self.questionnaires:
            if len(each.asked(with_sample=False).questions) < 2:
                raise ValueError(
                    f"bei {each.audience} bleiben ohne Beispieltext weniger als zwei Fragen"
                )
        return self

    def for_audience(self, audience: str) -> Questionnaire:
        """The one for `staff` or `clients`."""
        return next(each for each in self.questionnaires if each.audience == audience)


def load_questionnaires(folder: Path | None = None) -> Questionnaires:
    """Both questionnaires, checked. Raises InvalidContent with file, line and field."""
    folder = folder or get_settings().content / "evaluations"
    return load_yaml(folder / FILE, Questionnaires)
