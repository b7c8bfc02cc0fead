"""The error tree. Every message is one German sentence for people: it names the object, what is
wrong and the next step. They are shown in one place each: `cli.main` and `ui.page`."""


class ReallaborError(Exception):
    """Base of all refusals that a person may read; the process exits with 1."""


class UnknownObject(ReallaborError):
    """A scenario, variant, case, rubric or person that does not exist."""


class InvalidContent(ReallaborError):
    """A content file (scenario, cases, rubric, gates) is broken; names file, line and field."""


class InvalidRatings(ReallaborError):
    """A file of ratings is refused as a whole; names rows and columns."""


class InvalidRating(ReallaborError):
    """One submitted rating is refused; nothing of it was stored."""


class InvalidWeights(ReallaborError):
    """Weights under which scenarios cannot be ranked; names the criterion."""


class InvalidProfile(ReallaborError):
    """A name under which weights cannot be saved; nothing of it was stored."""


class InvalidVoice(ReallaborError):
    """An answered questionnaire is refused; nothing of it was stored."""


class InvalidMeeting(ReallaborError):
    """A planned meeting lacks something, or names people or scenarios that cannot be part of it."""


class VoteRefused(ReallaborError):
    """A vote does not count: too late, twice, absent, without a vote, or with a conflict."""


class NotAllowed(ReallaborError):
    """The acting person may not do this."""


class WrongState(ReallaborError):
    """The object is not in a state in which this is possible (round released, run unfinished)."""


class TrackingUnavailable(ReallaborError):
    """MLflow does not answer, or answered with an error that waiting may cure."""


class TrackingRefused(ReallaborError):
    """MLflow refused a request; repeating it unchanged would be refused again."""


class EvidenceMissing(ReallaborError):
    """A file behind a confirmed gate is no longer in MLflow, or another one lies there."""


class InvalidFinding(ReallaborError):
    """A finding on a gate or an answer on a worksheet is refused; nothing of it was stored."""


class ContentChanged(TrackingRefused):
    """A trace exists under this id with another content; it is never replaced."""


class EndpointUnavailable(ReallaborError):
    """The endpoint of a model does not answer, or something else answers there."""


class RequestRefused(EndpointUnavailable):
    """The endpoint does not take this one request, for its length or form."""


class UnusableAnswer(ReallaborError):
    """A model answered, but with nothing that could be an output; what it used is known."""

    def __init__(self, message: str, *, tokens: int | None, cost_eur: float | None) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.cost_eur = cost_eur


class InvalidJudgement(ReallaborError):
    """A language model judged an output in a form that cannot be read as levels of the rubric."""


class InvalidTable(ReallaborError):
    """An uploaded table is refused as a whole; names rows and columns."""


class DatabaseUnavailable(ReallaborError):
    """There is no platform database, or it cannot be opened."""


class StorageFull(ReallaborError):
    """A local file could not be written."""


class UnusableEvidence(ReallaborError):
    """From this evidence no paper can be written: the scenario or what was decided is missing."""


class PaperFailed(ReallaborError):
    """A paper could not be set."""


class NotStarted(ReallaborError):
    """A part of the platform could not be started (port taken, program missing)."""
