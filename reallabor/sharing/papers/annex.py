"""The annex `Nachweis`: on what a paper rests, so that anybody can check it later."""

from reallabor.sharing.papers.blocks import Block, Facts, Heading, Paragraph, Table
from reallabor.sharing.papers.wording import Evidence, facts, german_day


def data_line(evidence: Evidence) -> str:
    """At the foot of a page before the decision: which state of the data was read."""
    digest = evidence.get("data_sha256")
    return f"Prüfsumme der Daten {digest}" if digest else ""


def annex(evidence: Evidence, *, number: int | None = None, sha256: str = "") -> list[Block]:
    """Hashes, runs and files; with `number` also how to verify the decision."""
    scenario, rubric = evidence.get("scenario") or {}, evidence.get("rubric") or {}
    round_, trail = evidence.get("round") or {}, evidence.get("audit") or {}
    released = german_day(round_.get("released_on"))
    blocks: list[Block] = [
        Heading("Anhang: Nachweis"),
        Facts(facts(
            ("Beschluss-Nr.", number),
            ("Prüfsumme der Belege", sha256),
            ("Prüfsumme der Daten", evidence.get("data_sha256")),
            ("Szenario", scenario.get("slug") or evidence["comparison"].get("slug")),
            ("Prüfsumme Szenario", scenario.get("content_sha256")
             or evidence.get("scenario_sha256")),
            ("Raster", rubric.get("name") or evidence["comparison"].get("rubric")),
            ("Prüfsumme Raster", rubric.get("sha256")),
            ("Bewertungsrunde", f"{round_['number']}, freigegeben am {released}" if round_ else ""),
            ("Protokoll", f"nach Eintrag {trail['n']}" if trail else ""),
            ("Prüfsumme Eintrag", trail.get("before")),
        )),
    ]  # fmt: skip
    blocks += _runs(evidence)
    blocks += _documents(evidence)
    if number is not None:
        blocks.append(Paragraph(
            f"„reallabor verify-decision {number}“ rechnet die eingefrorenen Zahlen aus den Daten "
            "nach und sagt, ob sie noch herauskommen; „reallabor verify-audit“ findet jeden "
            "geänderten, fehlenden oder eingefügten Eintrag des Protokolls. Verbindlich ist, was "
            "die Plattform unter dieser Nummer festhält; eine Word-Fassung lässt sich ändern.",
            lead="So prüfen Sie nach:",
        ))  # fmt: skip
    return blocks


def _runs(evidence: Evidence) -> list[Block]:
    runs = evidence.get("runs") or []
    if not runs:
        return []
    candidate = set(evidence.get("candidate_runs") or [])
    return [Table(
        caption="Durchläufe in MLflow",
        header=["Kennung", "Variante"],
        rows=[[run, "Kandidat" if run in candidate else "andere" if candidate else ""]
              for run in runs],
        widths=[5, 2],
    )]  # fmt: skip


def _documents(evidence: Evidence) -> list[Block]:
    rows = [
        [gate["title"], f"{each.get('title') or each.get('url') or ''}\n{each['sha256']}"]
        for gate in evidence.get("gates") or []
        for each in gate.get("evidence") or []
        if each.get("sha256")
    ]
    if not rows:
        return []
    return [Table(
        caption="Dateien zu den Prüfpunkten und ihre Prüfsummen (SHA-256)",
        header=["Prüfpunkt", "Datei und Prüfsumme"],
        rows=rows,
        widths=[4, 10],
    )]  # fmt: skip
