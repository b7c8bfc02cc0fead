"""Lays out the folder of a new scenario: every file is there and says what belongs into it."""

from datetime import date
from pathlib import Path

from reallabor.errors import StorageFull, WrongState
from reallabor.evaluations import load_rubric
from reallabor.gates import GENERAL_GATES
from reallabor.recording.endpoint import PROMPT, prompt_of
from reallabor.scenarios import (
    CaseContent,
    ScenarioContent,
    ScenarioFolder,
    require_key,
    write_scenario,
)
from reallabor.settings import get_settings

_CASES = [
    CaseContent(
        id="fall-01",
        input="Beispiel: So sieht die Eingabe des Systems aus.",
        topic="Beispiel",
        reference="Beispiel: Woran man eine gute Ausgabe erkennt.",
    ),
    CaseContent(
        id="fall-02",
        input="Beispiel: Ein Randfall, an dem ein System scheitern könnte.",
        topic="Beispiel",
        edge=True,
        reference="Beispiel: Was hier richtig wäre.",
    ),
]
_ESTIMATES = """\

# Für den Vergleich, freiwillig: Zum Angeben das # am Anfang der Zeilen löschen. Was die Stufen
# 1 bis 5 bedeuten, steht in evaluations/vergleich.yaml. Ohne Angabe ist eine Stufe unbekannt und
# wird in der Rangfolge über die ganze Skala gezogen. cost_per_case_eur: laufende Kosten je Fall.
#effort:
#  level: 3
#  reason: Warum die Einführung so viel Aufwand macht.
#transfer:
#  level: 3
#  reason: Warum andere Häuser es so leicht oder schwer übernehmen.
#cost_per_case_eur: 0.01
"""
"""What a YAML writer cannot say: fields that are not there yet."""
_SYSTEM = '''\
"""The systems of this trial, one per variant."""

from collections.abc import Callable
from pathlib import Path


def build(variant: str, folder: Path) -> Callable[[str], str]:
    """Build one variant; it takes the text of a case and gives the text of the output."""
    if variant == "ohne-ki":
        return lambda text: f"Weitergeleitet an die Sachbearbeitung: {text[:200]}"
    if variant == "erste-idee":
        return lambda text: f"Entwurf: {text[:200]}"
    raise ValueError(f"unknown variant: {variant!r}")
'''


def new_scenario(slug: str, *, title: str = "", rubric: str = "auskunft") -> Path:
    """Make `scenarios/<slug>/`; `check-content` finds nothing wrong with it. Raises InvalidContent
    for a slug that is none, UnknownObject for a rubric that is none, WrongState where the folder
    exists."""
    require_key(slug, "ein Szenario")
    load_rubric(rubric)
    folder = get_settings().content / "scenarios" / slug
    if folder.exists():
        raise WrongState(f"Den Ordner {folder} gibt es schon; es wurde nichts geändert.")
    content = ScenarioContent.model_validate({
        "title": title.strip() or slug.replace("-", " ").capitalize(),
        "organisation": "Jobcenter Musterkreis",
        "legal_status": date.today(),  # noqa: DTZ011 - a day, not a moment
        "task": "Was das System tun soll, in zwei Sätzen.",
        "helps": "Wem es hilft.",
        "ai_kind": "Art der KI, z. B. Textentwurf",
        "risk_class": {
            "class": "zu prüfen",
            "article": "VO (EU) 2024/1689",
            "reason": "Noch nicht eingeordnet; bitte mit DSB und Fachseite klären.",
        },
        "rubric": rubric,
        "gates": list(GENERAL_GATES),
        "baseline_minutes": 10,
        "yearly_volume": 1000,
        "candidate": "erste-idee",
        "variants": [
            {"key": "erste-idee", "title": "Erste Idee"},
            {"key": "ohne-ki", "title": "Wie bisher, ohne KI", "baseline": True},
        ],
    })  # fmt: skip
    scenario = ScenarioFolder(slug=slug, content=content, cases=_CASES)
    files = {
        "system.py": _SYSTEM,
        PROMPT: prompt_of(scenario)[0],
        "README.md": f"# {content.title}\n\n## Was erprobt wird\n\n## Wie die Fälle "
        "entstanden\n\n## Grenzen\n",
    }
    draft = folder.with_name(f".{slug}.neu")
    try:
        draft.mkdir(parents=True, exist_ok=True)
        write_scenario(scenario, draft)
        with (draft / "scenario.yaml").open("a", encoding="utf-8") as file:
            file.write(_ESTIMATES)
        for name, text in files.items():
            (draft / name).write_text(text, encoding="utf-8")
        draft.rename(folder)
    except OSError as error:
        raise StorageFull(f"{folder} lässt sich nicht anlegen ({error.strerror}).") from error
    return folder
