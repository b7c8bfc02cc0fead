"""A small scenario whose outputs have fields, and two systems with known outputs: what each way of
recording must bring into the platform unchanged."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from building import HOUSE, Trial, _surroundings, new_slug

FIELDS = [
    {"key": "klasse", "title": "Klasse", "kind": "choice",
     "values": ["widerspruch", "miete", "sonstiges"]},
    {"key": "frist", "title": "Frist", "kind": "date", "hint": "Der letzte Tag."},
    {"key": "nachweise", "title": "Nachweise", "kind": "list"},
    {"key": "betrag", "title": "Betrag", "kind": "number"},
    {"key": "dringend", "title": "Dringend", "kind": "bool"},
]  # fmt: skip
MEASURES = [
    {"kind": "macro_f1", "fields": ["klasse"]},
    {"kind": "critical_recall", "fields": ["klasse"], "critical": ["widerspruch"]},
    {"kind": "field_f1", "fields": ["frist", "nachweise", "betrag", "dringend"]},
    {"kind": "exact", "fields": ["frist"]},
    {"kind": "kept"},
]
PROMPT = "Ordne das Schreiben ein und antworte als JSON.\n\n{{input}}\n"


@dataclass(frozen=True)
class Known:
    """An output as somebody has it before it is recorded."""

    text: str | None
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    latency_ms: float = 125.0
    tokens: int | None = 40
    cost_eur: float | None = 0.0025

    @property
    def answer(self) -> dict[str, Any]:
        return {"text": self.text, **self.fields}


CASES: list[dict[str, Any]] = [
    {"id": "k-1", "input": "Ich lege Widerspruch gegen den Bescheid vom 2. März 2026 ein.",
     "expected": {"klasse": "widerspruch", "frist": "2026-04-07", "dringend": True}},
    {"id": "k-2", "input": "Unsere Miete steigt auf 612,50 €.\nDer Vermieter will es schriftlich.",
     "expected": {"klasse": "miete", "nachweise": ["Mietvertrag", "Schreiben"], "betrag": 612.5}},
    {"id": "k-3", "input": "Dieses Blatt ist kaputt.", "edge": True,
     "expected": {"klasse": "widerspruch", "frist": "2026-05-01"}},
    {"id": "k-4", "input": "Größere Änderung: „Öfen & Übergänge“ – was nun, Frau Groß?",
     "edge": True, "expected": {"klasse": "sonstiges", "dringend": False}},
    {"id": "k-5", "input": "Widerspruch; Frist bis zum 30.11.2026; ich bitte um Nachricht.",
     "expected": {"klasse": "widerspruch", "frist": "2026-11-30"}},
    {"id": "k-6", "input": "Anbei der Kontoauszug, danke.",
     "expected": {"klasse": "sonstiges", "nachweise": ["Kontoauszug"]}},
]  # fmt: skip
FAILING = "k-3"

OUTPUTS: dict[str, dict[str, Known]] = {
    "eins": {
        "k-1": Known("Widerspruch gegen den Bescheid vom 2. März 2026; eilt.",
                     {"klasse": "widerspruch", "frist": "2026-04-07", "dringend": True}, None,
                     250.0, 71, 0.0041),
        "k-2": Known("Miete: 612,50 €.\nSchreiben fehlt noch.",
                     {"klasse": "miete", "nachweise": ["Mietvertrag", "Schreiben"],
                      "betrag": 612.5}, None, 500.0, 63, 0.0035),
        "k-3": Known(None, {}, "ValueError: nicht lesbar", 125.0, None, None),
        "k-4": Known("Änderung „größer“ – Rückfrage bei Frau Groß; keine Eile.",
                     {"klasse": "miete", "dringend": False}),
        "k-5": Known("Widerspruch, bis zum 30.11.2026 zu beantworten.",
                     {"klasse": "widerspruch", "frist": "2026-11-30", "dringend": False}),
        "k-6": Known('Ein "Kontoauszug"; sonst nichts.',
                     {"klasse": "sonstiges", "nachweise": ["Kontoauszug"]}),
    },
    "alt": {
        case["id"]: Known(f"Zur Ablage: {case['input'][:12]}", {"klasse": "sonstiges"}, None,
                          1000.0, 5, 0.0001)
        for case in CASES
    },
}  # fmt: skip
TITLES = {"eins": "System eins", "alt": "Ohne KI"}

SYSTEM = '''
"""Gives the known outputs."""
import json
from pathlib import Path


def build(variant, folder):
    known = json.loads((Path(folder) / "known.json").read_text("utf-8"))[variant]

    def answer(text):
        found = known[text]
        if found["error"]:
            raise ValueError(found["error"].removeprefix("ValueError: "))
        return found["answer"] | {"tokens": found["tokens"], "cost_eur": found["cost_eur"]}

    return answer
'''


def fielded_trial(content: Path, slug: str | None = None) -> Trial:
    """Six cases, one of them failing; a system and a baseline; fields, measures and a prompt."""
    trial = Trial(slug or new_slug("felder"), content)
    _surroundings(content)
    trial.folder.mkdir(parents=True)
    steckbrief = {
        "title": "Probe mit Feldern",
        "organisation": HOUSE,
        "legal_status": "2026-11-01",
        "task": "Schreiben einordnen.",
        "helps": "Der Poststelle.",
        "ai_kind": "Klassifikation",
        "risk_class": {"class": "zu prüfen", "article": "Art. 6", "reason": "Probe"},
        "rubric": "klassifikation",
        "gates": ["personalrat"],
        "baseline_minutes": 5,
        "yearly_volume": 100,
        "candidate": "eins",
        "variants": [
            {"key": "eins", "title": TITLES["eins"]},
            {"key": "alt", "title": TITLES["alt"], "baseline": True},
        ],
        "fields": FIELDS,
        "measures": MEASURES,
    }
    path = trial.folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(steckbrief, allow_unicode=True, sort_keys=False), "utf-8")
    trial.write_cases(CASES)
    (trial.folder / "system.py").write_text(SYSTEM, "utf-8")
    (trial.folder / "prompt.md").write_text(PROMPT, "utf-8")
    texts = {case["id"]: case["input"] for case in CASES}
    known = {
        variant: {
            texts[case]: {"answer": each.answer, "error": each.error, "tokens": each.tokens,
                          "cost_eur": each.cost_eur}
            for case, each in outputs.items()
        }
        for variant, outputs in OUTPUTS.items()
    }  # fmt: skip
    (trial.folder / "known.json").write_text(json.dumps(known, ensure_ascii=False), "utf-8")
    return trial
