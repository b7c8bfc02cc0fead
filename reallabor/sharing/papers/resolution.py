"""The Beschluss: what the steering group decided, how it voted, and on what."""

from collections.abc import Mapping
from datetime import date as Day
from typing import Any

from reallabor.german import count
from reallabor.sharing.papers.annex import annex
from reallabor.sharing.papers.blocks import (
    Block,
    Facts,
    Heading,
    Note,
    Paper,
    Paragraph,
    Table,
    Verdict,
)
from reallabor.sharing.papers.figures import figures, ranking
from reallabor.sharing.papers.proposal import scenario_lines
from reallabor.sharing.papers.sections import (
    conflicts,
    gates,
    legal_note,
    number_headings,
    readiness,
)
from reallabor.sharing.papers.wording import (
    DEMO,
    Evidence,
    amount,
    facts,
    german_day,
    iso_day,
    listed,
    sentence,
)

CHANGED = (
    "Die Belege passen nicht zur Prüfsumme dieses Beschlusses: Sie wurden nach dem Beschluss "
    "verändert. Bitte mit „reallabor verify-decision {number}“ und „reallabor verify-audit“ prüfen."
)


def decision(
    evidence: Evidence, resolution: Mapping[str, Any], *, number: int, sha256: str, intact: bool
) -> Paper:
    """The paper after a meeting; all texts are readable. `intact` says whether the evidence has the
    hash `sha256`."""
    scenario = evidence.get("scenario") or {"title": evidence["comparison"]["title"]}
    warnings: list[Block] = [Note(DEMO)] if _demo(evidence) else []
    if not intact:
        warnings.append(Note(CHANGED.format(number=number)))
    sections: list[tuple[str, list[Block]]] = [
        ("Begründung", _reason(evidence, resolution)),
        ("Abstimmung", _votes(evidence)),
        ("Abweichende Meinungen",
         [Paragraph(resolution.get("dissent") or "Es ist keine festgehalten.")]),
        ("Auflagen und Wiedervorlage", _conditions(resolution)),
        ("Sitzung", _meeting(evidence)),
        ("Befangenheit", conflicts(evidence) if evidence.get("meeting") else []),
        ("Das Szenario", scenario_lines({**evidence, "scenario": scenario})),
        ("Ergebnisse, auf denen der Beschluss beruht", figures(evidence)),
        ("Ausschlusskriterien und Prüfpunkte", gates(evidence)),
        ("Reifegrad: was fehlte", readiness(evidence)),
        ("Rangfolge im Vergleich", ranking(evidence)),
    ]  # fmt: skip
    return Paper(
        title=f"Beschluss {number}: {scenario['title']}",
        subject=scenario["title"],
        day=iso_day(resolution.get("decided_on")) or Day(2000, 1, 1),
        footer=[listed([f"Beschluss {number}", scenario["title"]]),
                f"Prüfsumme der Belege {sha256}"],
        mark="Demodaten" if _demo(evidence) else "",
        blocks=[
            *warnings,
            Verdict("Der Lenkungskreis hat beschlossen", resolution["verdict"]),
            Facts(_facts(evidence, scenario, resolution)),
            *number_headings(sections),
            *legal_note(evidence),
            *annex(evidence, number=number, sha256=sha256),
        ],
    )  # fmt: skip


def _demo(evidence: Evidence) -> bool:
    return bool(evidence.get("demo") or evidence["comparison"].get("demo"))


def _facts(
    evidence: Evidence, scenario: Mapping[str, Any], resolution: Mapping[str, Any]
) -> list[tuple[str, str]]:
    meeting, earlier = evidence.get("meeting") or {}, resolution.get("supersedes") or {}
    return facts(
        ("Szenario", scenario["title"]),
        ("Pilot von", scenario.get("organisation")),
        ("Beschlossen am", german_day(resolution.get("decided_on"))),
        ("Es steht dafür", resolution.get("decided_by")),
        ("Sitzung", listed([meeting.get("title"), german_day(meeting.get("held_on")),
                            meeting.get("place")])),
        ("Wiedervorlage am", german_day(resolution.get("review_on"))),
        ("Ersetzt", f"Beschluss {earlier['id']} vom {german_day(earlier['decided_on'])}: "
         f"{earlier['verdict']}" if earlier else ""),
    )  # fmt: skip


def _reason(evidence: Evidence, resolution: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = [Paragraph(resolution.get("reason") or "Es ist keine festgehalten.")]
    suggestion = evidence.get("suggestion") or {}
    suggested = suggestion.get("verdict")
    if suggested and suggested != resolution["verdict"]:
        blocks.append(Paragraph(
            sentence(f"Das Programm hatte „{suggested}“ vorgeschlagen: "
                     f"{suggestion.get('reason') or ''}"),
            lead="Abweichung vom Vorschlag:",
        ))  # fmt: skip
    if resolution.get("departure"):
        blocks.append(Paragraph(resolution["departure"], lead="Grund der Abweichung:"))
    return blocks


def _handed_over(n: int) -> str:
    said = count(n, "Person hat", "Personen haben")
    return f" {said} dafür das Gerät der Organisation benutzt." if n else ""


_ON_CALL = " (auf Zuruf)"
"""Behind a vote that the organisation entered for the member."""


def _votes(evidence: Evidence) -> list[Block]:
    motions = (evidence.get("meeting") or {}).get("motions") or []
    if not motions:
        return [Paragraph("Der Beschluss wurde ohne Sitzung gefasst (Umlaufbeschluss).")]
    blocks: list[Block] = [Table(
        caption="Anträge und Stimmen",
        header=["Antrag", "Beschluss", "Art", "Ja", "Nein", "Enthaltung", "Ergebnis"],
        rows=[
            [amount(each["number"]), each["verdict"], "geheim" if each["secret"] else "offen",
             amount(each["yes"]), amount(each["no"]), amount(each["abstain"]),
             "angenommen" if each["adopted"] else "nicht angenommen"]
            for each in motions
        ],
        widths=[1.9, 3.9, 1.9, 1.1, 1.4, 2.7, 3.4],
        figures=[0, 3, 4, 5],
    )]  # fmt: skip
    for motion in motions:
        if motion["secret"]:
            blocks.append(Paragraph(
                f"Über Antrag {motion['number']} wurde geheim abgestimmt; festgehalten sind nur "
                "die Zahlen." + _handed_over(motion.get("on_call", 0))
            ))  # fmt: skip
        elif motion.get("votes"):
            blocks.append(Table(
                caption=f"Stimmen zu Antrag {motion['number']}",
                header=["Name", "Stimme"],
                rows=[
                    [vote["name"], vote["choice"] + _ON_CALL * bool(vote.get("on_call"))]
                    for vote in motion["votes"]
                ],
                widths=[5, 3],
            ))  # fmt: skip
    return blocks


def _conditions(resolution: Mapping[str, Any]) -> list[Block]:
    rows = resolution.get("conditions") or []
    review = german_day(resolution.get("review_on"))
    again = Paragraph(
        f"Der Lenkungskreis sieht sich das Szenario am {review} wieder an." if review
        else "Ein Tag der Wiedervorlage ist nicht festgelegt."
    )  # fmt: skip
    if not rows:
        return [Paragraph("Der Beschluss enthält keine Auflagen."), again]
    return [
        Table(
            caption="Auflagen",
            header=["Nr.", "Auflage", "Zuständig", "Fällig am"],
            rows=[[amount(place), each["text"], each["owner"], german_day(each["due_on"])]
                  for place, each in enumerate(rows, start=1)],
            widths=[1.2, 8, 4.5, 2.9],
            figures=[0],
        ),
        again,
    ]  # fmt: skip


def _meeting(evidence: Evidence) -> list[Block]:
    meeting = evidence.get("meeting")
    if not meeting:
        return []
    state = "beschlussfähig" if meeting["quorate"] else "nicht beschlussfähig"
    present = count(meeting["n_present_voting"], "stimmberechtigtes Mitglied war",
                    "stimmberechtigte Mitglieder waren")  # fmt: skip
    blocks: list[Block] = [Paragraph(
        f"{present} anwesend; nötig sind {amount(meeting['quorum'])}. Die Sitzung war {state}."
    )]  # fmt: skip
    if people := meeting.get("participants"):
        blocks.append(Table(
            caption="Teilnehmende",
            header=["Name", "Organisation", "Stimmrecht", "Anwesend"],
            rows=[[each["name"], each.get("organisation") or "", _yes(each["has_vote"]),
                   _yes(each["present"])] for each in people],
            widths=[5, 5.6, 2.8, 2.6],
        ))  # fmt: skip
    if meeting.get("note"):
        blocks += [Heading("Aus der Aussprache", level=3), Paragraph(meeting["note"])]
    return blocks


def _yes(value: object) -> str:
    return "ja" if value else "nein"
