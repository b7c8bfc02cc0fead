"""The Beschlussvorlage: what the steering group has before it when it meets."""

from datetime import date as Day

from reallabor.sharing.papers.annex import annex, data_line
from reallabor.sharing.papers.blocks import (
    Block,
    Facts,
    Note,
    Options,
    Paper,
    Paragraph,
    Verdict,
)
from reallabor.sharing.papers.figures import figures, ranking
from reallabor.sharing.papers.sections import (
    conflicts,
    gates,
    legal_note,
    number_headings,
    readiness,
)
from reallabor.sharing.papers.wording import (
    DEMO,
    MEANINGS,
    Evidence,
    facts,
    german_day,
    iso_day,
    listed,
    sentence,
)


def proposal(evidence: Evidence) -> Paper:
    """The paper before a meeting; `evidence` is readable and has no resolution."""
    scenario = evidence["scenario"]
    demo: list[Block] = [Note(DEMO)] if evidence.get("demo") else []
    sections = [
        ("Worüber zu beschließen ist", _question(evidence)),
        ("Das Szenario", scenario_lines(evidence)),
        ("Ergebnisse", figures(evidence)),
        ("Ausschlusskriterien und Prüfpunkte", gates(evidence)),
        ("Reifegrad: was fehlt", readiness(evidence)),
        ("Rangfolge im Vergleich", ranking(evidence)),
        ("Befangenheit", conflicts(evidence)),
        ("Möglichkeiten", _options()),
    ]
    return Paper(
        title=f"Beschlussvorlage: {scenario['title']}",
        subject=scenario["title"],
        day=_day_of(evidence),
        footer=[listed(["Beschlussvorlage", scenario["title"]]), data_line(evidence)],
        mark="Demodaten" if evidence.get("demo") else "",
        blocks=[
            *demo, Facts(_facts(evidence)), *number_headings(sections), *legal_note(evidence),
            *annex(evidence),
        ],
    )  # fmt: skip


def _day_of(evidence: Evidence) -> Day:
    """The day of the meeting, else of the release, else of the law: the same for the same evidence,
    unlike the day of printing."""
    meeting, round_ = evidence.get("meeting") or {}, evidence.get("round") or {}
    days = (meeting.get("held_on"), round_.get("released_on"), evidence.get("legal_status"))
    return next((found for each in days if (found := iso_day(each))), Day(2000, 1, 1))


def _facts(evidence: Evidence) -> list[tuple[str, str]]:
    meeting, round_ = evidence.get("meeting") or {}, evidence.get("round") or {}
    released = german_day(round_.get("released_on"))
    return facts(
        ("Szenario", evidence["scenario"]["title"]),
        ("Pilot von", evidence["scenario"].get("organisation")),
        ("Sitzung", meeting.get("title")),
        ("Tag und Ort", listed([german_day(meeting.get("held_on")), meeting.get("place")])),
        ("Bewertungsrunde", f"{round_['number']}, freigegeben am {released}" if round_ else ""),
        ("Raster", (evidence.get("rubric") or {}).get("name")),
        ("Rechtsstand", german_day(evidence.get("legal_status"))),
    )


def _question(evidence: Evidence) -> list[Block]:
    suggestion = evidence.get("suggestion") or {}
    asked = Paragraph(
        f"Der Lenkungskreis beschließt, wie es mit dem Anwendungsszenario "
        f"„{evidence['scenario']['title']}“ weitergeht."
    )
    if not suggestion.get("verdict"):
        return [asked]
    return [
        asked,
        Verdict("Vorschlag des Programms", suggestion["verdict"]),
        Paragraph(suggestion.get("reason") or "", lead="Warum:"),
        Paragraph(
            "Das Programm schlägt vor, der Lenkungskreis entscheidet. Wer vom Vorschlag abweicht, "
            "begründet das."
        ),
    ]


def scenario_lines(evidence: Evidence) -> list[Block]:
    """What the scenario does, for whom, and of which kind the AI is."""
    scenario = evidence["scenario"]
    risk = scenario.get("risk_class") or {}
    kind = sentence(listed([scenario.get("ai_kind"), risk.get("class"), risk.get("article")]))
    rows = (
        ("Aufgabe:", scenario.get("task")),
        ("Wem es hilft:", scenario.get("helps")),
        ("Art der KI und Risikoklasse:", f"{kind} {risk.get('reason') or ''}".strip()),
    )
    return [Paragraph(text, lead=lead) for lead, text in rows if text]


def _options() -> list[Block]:
    return [
        Options(list(MEANINGS)),
        Paragraph("Zum Beschluss gehören Begründung, Auflagen mit Zuständigkeit und Frist sowie "
                  "der Tag der Wiedervorlage."),
    ]  # fmt: skip
