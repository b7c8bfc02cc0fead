"""What the rules suggest for a scenario. A suggestion only: the steering group decides, and
departing from it needs a reason."""

from collections.abc import Sequence

from reallabor.deciding.candidate import candidate_of
from reallabor.deciding.comparison import ScenarioComparison
from reallabor.deciding.readiness import Lack, Readiness
from reallabor.german import count, number
from reallabor.models import Verdict


def suggestion(readiness: Readiness, comparison: ScenarioComparison) -> tuple[Verdict, str]:
    """The suggested verdict, and why in one German sentence.

    The first that holds: a prohibited practice, Beenden; a missed gate, a score or a median under
    its threshold, Nachbessern (better outputs mend it); anything else missing, Zurückstellen (more
    data or an open review mends it); nothing missing, Weiterentwickeln.
    """
    by_lack = {
        lack: [point.text for point in readiness.points if point.lack == lack] for lack in Lack
    }
    if stopped := by_lack[Lack.STOPPED]:
        return Verdict.STOP, f"{stopped[0]}."
    if short := by_lack[Lack.MISSED] + by_lack[Lack.WEAK]:
        return Verdict.REVISE, _named(short)
    if thin := by_lack[Lack.OPEN] + by_lack[Lack.DATA]:
        return Verdict.DEFER, f"Noch nicht entscheidbar. {_named(thin)}"
    candidate = candidate_of(comparison.result) if comparison.result else None
    score = number(candidate.score.mean) if candidate else number(None)
    return Verdict.DEVELOP, f"Alle Voraussetzungen sind erfüllt (Punktwert {score})."


def _named(texts: Sequence[str]) -> str:
    """The first three, and how many more there are."""
    more = len(texts) - 3
    rest = f"; dazu {count(more, 'weiterer Punkt', 'weitere Punkte')}" if more > 0 else ""
    return f"{'; '.join(texts[:3])}{rest}."
