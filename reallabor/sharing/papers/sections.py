"""The sections that Beschlussvorlage and Beschluss share: gates, readiness, conflicts of interest
and the legal note, as the evidence has them."""

from collections.abc import Mapping
from typing import Any

from reallabor.sharing.papers.blocks import Block, Heading, Items, Note, Paragraph, Table
from reallabor.sharing.papers.wording import GATE_WORDS, Evidence, german_day, listed


def gates(evidence: Evidence) -> list[Block]:
    """Every gate with what was found, by whom, when and on what evidence."""
    found = evidence.get("gates") or evidence.get("comparison", {}).get("gates") or []
    if not found:
        return [Paragraph("Für dieses Szenario sind keine Ausschlusskriterien festgelegt.")]
    missed = [gate["title"] for gate in found if gate["state"] == "missed"]
    blocks: list[Block] = []
    if missed:
        blocks.append(Note(
            f"Verfehlt: {'; '.join(missed)}. Ein verfehltes Ausschlusskriterium gleicht kein "
            "Punktwert aus."
        ))  # fmt: skip
    blocks.append(Table(
        caption="Ausschlusskriterien und Prüfpunkte",
        header=["Prüfpunkt", "Stand", "Stelle", "Nachweis"],
        rows=[
            [_lines(gate["title"], gate.get("article")), _state(gate), gate.get("office") or "",
             _lines(gate.get("note"), *map(_document, gate.get("evidence") or []))]
            for gate in found
        ],
        widths=[6, 4, 2.6, 5],
    ))  # fmt: skip
    return blocks


def _state(gate: Mapping[str, Any]) -> str:
    words = str(gate.get("words") or GATE_WORDS.get(gate["state"], gate["state"]))
    reviewed, expires = gate.get("reviewed_on"), gate.get("expires_on")
    if reviewed and german_day(reviewed) not in words:
        words = f"{words}, geprüft am {german_day(reviewed)}"
    if expires and german_day(expires) not in words:
        words = f"{words}, gilt bis {german_day(expires)}"
    return words


def _document(each: Mapping[str, Any]) -> str:
    return listed([each.get("title"), each.get("url")])


def _lines(*texts: object) -> str:
    return "\n".join(str(text) for text in texts if text)


def readiness(evidence: Evidence) -> list[Block]:
    """Whether the thresholds are reached, and every point that is missing."""
    found = evidence.get("readiness") or evidence.get("comparison", {}).get("readiness") or {}
    missing = found.get("missing") or []
    if not missing:
        return [Paragraph("Alle Schwellen sind erreicht; es fehlt nichts.", lead="Bereit.")]
    return [Paragraph("Es fehlt:", lead="Noch nicht bereit."), Items(list(missing))]


def conflicts(evidence: Evidence) -> list[Block]:
    """Who has an interest of their own in the item."""
    meeting = evidence.get("meeting")
    if not meeting:
        return [Paragraph("Ohne Sitzung; Befangenheit wurde nicht abgefragt.")]
    rows = meeting.get("conflicts") or []
    if not rows:
        return [Paragraph("Niemand hat Befangenheit angezeigt; kein eigener Pilot ist betroffen.")]
    kinds = {"own_pilot": "eigener Pilot", "declared": "selbst angezeigt"}
    return [Table(
        caption="Interessenkonflikte",
        header=["Name", "Organisation", "Art", "Grund"],
        rows=[[each["name"], each.get("organisation") or "", kinds.get(each["kind"], each["kind"]),
               each.get("reason") or ""] for each in rows],
        widths=[4, 4.5, 3, 5],
    )]  # fmt: skip


def legal_note(evidence: Evidence) -> list[Block]:
    """What the paper is not."""
    status = evidence.get("legal_status")
    since = f" Rechtsstand: {german_day(status)}." if status else ""
    return [
        Heading("Rechtlicher Hinweis"),
        Paragraph(
            "Angaben zum Recht sind eine Arbeitshilfe, keine Rechtsberatung." + since + " Das "
            "KI-Reallabor ist kein Reallabor nach Art. 57 der KI-Verordnung."
        ),
    ]


def number_headings(sections: list[tuple[str, list[Block]]]) -> list[Block]:
    """Each title as `1 Titel`, followed by its blocks; a section without blocks is left out."""
    blocks: list[Block] = []
    full = [(title, body) for title, body in sections if body]
    for place, (title, body) in enumerate(full, start=1):
        blocks += [Heading(f"{place} {title}"), *body]
    return blocks
