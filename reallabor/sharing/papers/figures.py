"""The figures of a paper: the cells of the comparison, the variants with their chart, and the order
under a profile of weights. All numbers stand in the evidence; nothing is computed here."""

import re
from collections.abc import Mapping
from typing import Any

from reallabor.german import UNKNOWN, share
from reallabor.sharing.papers.blocks import Block, Chart, Dot, Items, Paragraph, Table
from reallabor.sharing.papers.wording import Evidence, amount, listed, quoted, with_span


def figures(evidence: Evidence) -> list[Block]:
    """What was measured: the cells of the comparison, then the variants one by one."""
    cells = evidence.get("figures") or []
    variants = evidence.get("comparison", {}).get("variants") or []
    if not cells and not variants:
        return [Paragraph("Noch keine Bewertungsrunde ist freigegeben; es gibt keine Zahlen.")]
    blocks: list[Block] = []
    if cells:
        blocks.append(Table(
            caption="Kennzahlen des Szenarios",
            header=["Kennzahl", "Wert", "n", "Was das heißt"],
            rows=[[cell["title"], _with_unit(cell),
                   "" if cell.get("n") is None else amount(cell["n"]), cell.get("why") or ""]
                  for cell in cells],
            widths=[4.4, 5, 1.2, 7],
            figures=[2],
        ))  # fmt: skip
        blocks.append(Paragraph(
            f"In Klammern steht das 95-%-Intervall. „{UNKNOWN}“ heißt nicht bestimmbar. n ist die "
            "Zahl der Fälle oder Antworten, auf denen der Wert beruht."
        ))  # fmt: skip
    return blocks + _variants(variants)


def _with_unit(cell: Mapping[str, Any]) -> str:
    """The text of the cell; the unit beneath where the text is bare numbers."""
    text, unit = str(cell["text"]), cell.get("unit") or ""
    bare = not re.search("[^\\W\\d]", text.replace("bis", ""))
    return f"{text}\n{unit}" if unit and bare else text


def _variants(variants: list[Mapping[str, Any]]) -> list[Block]:
    if not variants:
        return []
    rows = [
        [_named(each), _score(each), amount(each.get("score_n") or 0), share(each.get("low_share"))]
        for each in variants
    ]
    table = Table(
        caption="Punktwert der Varianten, 0 bis 100",
        header=["Variante", "Punktwert", "n", "Fälle mit Stufe 1 oder 2"],
        rows=rows,
        widths=[7, 5, 1.3, 3.5],
        figures=[2, 3],
    )
    dots = [
        Dot(
            label=_named(each), text=_score(each), value=each["score"],
            low=(each.get("score_interval") or (None, None))[0],
            high=(each.get("score_interval") or (None, None))[1],
            shape="hollow" if each.get("baseline") else "full",
        )
        for each in variants if each.get("score") is not None
    ]  # fmt: skip
    if not dots:
        return [table]
    alt = "Punktwerte von 0 bis 100 mit 95-%-Intervall. "
    chart = Chart(
        caption="Punktwerte mit 95-%-Intervall; leerer Kreis: Vergleichswert ohne KI",
        alt=alt + " ".join(f"{dot.label}: {dot.text}." for dot in dots),
        dots=dots,
    )
    return [table, chart]


def _named(variant: Mapping[str, Any]) -> str:
    marks = listed([
        "Kandidat" if variant.get("candidate") else "",
        "Vergleichswert" if variant.get("baseline") else "",
    ])  # fmt: skip
    return f"{variant['title']} ({marks})" if marks else str(variant["title"])


def _score(variant: Mapping[str, Any]) -> str:
    return with_span(variant.get("score"), *(variant.get("score_interval") or (None, None)))


def ranking(evidence: Evidence) -> list[Block]:
    """The order under the profile of weights, what it could not count, and what would change it;
    nothing without one. Older records do not say what was missing."""
    found = evidence.get("ranking")
    if not found:
        return []
    titles = found.get("titles") or {}
    weights = listed([
        f"{titles.get(key, key)} {share(weight)}"
        for key, weight in (found.get("weights") or {}).items()
    ])  # fmt: skip
    blocks: list[Block] = [
        Paragraph(weights, lead=f"Gewichte ({found.get('profile') or 'ohne Namen'}):"),
        Table(
            caption="Rangfolge unter diesen Gewichten",
            header=["Rang", "Szenario", "Gesamtwert, 0 bis 1", "Gruppe", "Auf Rang 1",
                    "Unter den ersten drei"],
            rows=[
                [amount(row["rank"]), row["title"],
                 with_span(row["total"], row.get("low"), row.get("high"), 2),
                 amount(row["group"]), share(row.get("first_share")),
                 share(row.get("first_three_share"))]
                for row in found.get("rows") or []
            ],
            widths=[1.5, 5.3, 4.2, 1.9, 2.2, 2.4],
            figures=[0, 3, 4, 5],
        ),
        Paragraph(
            "Szenarien derselben Gruppe sind nicht unterscheidbar. „Auf Rang 1“ und „Unter den "
            "ersten drei“ sagen, bei welchem Anteil aller vertretbaren Gewichtungen das so wäre."
        ),
    ]  # fmt: skip
    blocks += _drawn(found, titles) + _left_out(found, evidence)
    sentences = [str(each) for each in found.get("sentences") or []]
    return [*blocks, Items(sentences)] if sentences else blocks


def _drawn(found: Mapping[str, Any], titles: Mapping[str, str]) -> list[Block]:
    """By scenario the criteria that were drawn over the whole scale."""
    said = []
    for row in found.get("rows") or []:
        gaps = [
            f"{words}: {listed([titles.get(key, key) for key in row[name]])}"
            for words, name in (("ohne Angabe zu", "missing"),
                                ("ohne 95-%-Bereich", "undetermined"))
            if row.get(name)
        ]  # fmt: skip
        if gaps:
            said.append(f"{quoted([row['title']])} {'; '.join(gaps)}.")
    if not said:
        return []
    return [
        Items(said),
        Paragraph(
            "Was fehlt oder keinen Bereich hat, ist über die ganze Skala gezogen; das macht den "
            "Gesamtwert unsicherer und zieht ihn zur Mitte."
        ),
    ]


def _left_out(found: Mapping[str, Any], evidence: Evidence) -> list[Block]:
    """The scenarios without a rank; an older record has no title but that of its own scenario."""
    slugs = found.get("not_ranked") or []
    if not slugs:
        return []
    own = evidence.get("scenario") or evidence["comparison"]
    titles = {own.get("slug"): own["title"], **(found.get("not_ranked_titles") or {})}
    names = quoted([titles.get(slug, slug) for slug in slugs])
    return [Paragraph(
        f"Nicht in der Rangfolge, weil noch keine Ergebnisse vorliegen: {names}."
    )]  # fmt: skip
