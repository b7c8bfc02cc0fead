"""Texts of people in a paper: any sign, any length; and setting that fails."""

import io
import random
import time
import unicodedata
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import docx
import papers
import pypdf
import pytest
from papers import flat, pages, written

from reallabor.errors import PaperFailed
from reallabor.sharing.papers import (
    decision_docx,
    decision_pdf,
    proposal_pdf,
)
from reallabor.sharing.papers import pdf as pdf_module
from reallabor.sharing.papers.blocks import Paper, Paragraph
from reallabor.sharing.papers.signs import _COVERED, PLACEHOLDER, readable, settable

HOSTILE = {
    "code": '#import "x.typ": * #panic("x") #sys.inputs',
    "markup": "$x^2$ *fett* _kursiv_ `code` @ref <label> = Titel // Kommentar /* offen",
    "quotes": "\"\\ \\u{41} ' „“ ] ) }",
    "script": "<script>alert(1)</script> & &amp; ]]>",
    "arabic": "مرحبا بالعالم und שלום",
    "emoji": "Danke 😀👩\u200d💻 漢字",
    "control": "vor \x00 \x1b[31m nach",
    "surrogate": "halb \ud83d ganz",
    "reordered": "Betrag \u202e21\u202c Euro",
    "combining": "a\u0301\u0327 x\u20dd \u0644\u065f \u25c2\u1dc7",
    "invisible": "Ver\u00adwal\u200btung\ufeff",
    "lines": "eins\r\nzwei\u2028drei\n\n\nvier",
    "blank": " \n ",
    "empty": "",
    "word": "W" * 10_000,
    "long": "Grund und Gegengrund. " * 455,
}


def filled(value: Any, text: str) -> Any:
    """The value with this text in place of every free text of people, at any depth."""
    free = {"title", "organisation", "task", "helps", "why", "text", "reason", "note", "name",
            "place", "dissent", "departure", "owner", "decided_by", "url", "office", "article",
            "profile", "ai_kind"}  # fmt: skip
    if isinstance(value, dict):
        return {
            key: text if key in free and isinstance(each, str) else filled(each, text)
            for key, each in value.items()
        }
    return [filled(each, text) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", HOSTILE)
def test_texts_of_people_never_break_a_paper(kind: str) -> None:
    text = HOSTILE[kind]
    evidence, _ = papers.frozen()
    if kind in {"word", "long"}:  # 10,000 signs in every field would be a book
        evidence["resolution"]["reason"] = text
    else:
        evidence = filled(evidence, text)
    pdf, word = written(evidence, "f" * 64)
    said = readable(text)
    shown, replaced = settable(said)
    found = flat("".join(pages(pdf)))
    if kind in {"word", "long"}:  # over several pages, with their feet in between
        assert found.count("W") + found.count("Gegengrund") >= text.count("W") + text.count(" und ")
    elif kind != "arabic":  # readers get letters that run from right to left in either order
        assert flat(shown) in found
    assert (PLACEHOLDER in found) is replaced
    assert ("stehtfürSchriftzeichen" in found) is replaced
    assert flat(said) in flat(docx.Document(io.BytesIO(word)).element.xpath("string(//w:body)"))


def test_endless_words_stay_on_the_page() -> None:
    evidence = papers.evidence(figures=filled(papers.evidence()["figures"][:1], "W" * 3_000))
    reader = pypdf.PdfReader(io.BytesIO(proposal_pdf(evidence)))
    places: list[float] = []
    for page in reader.pages:
        page.extract_text(
            visitor_text=lambda text, _cm, tm, *_: places.append(tm[4]) if "W" in text else None
        )
    right = float(reader.pages[0].mediabox.width)
    assert len(places) > 100
    assert max(places) < right - 60


def test_covered_signs_can_all_be_set() -> None:
    ranges = (map(chr, range(low, high + 1)) for low, high in _COVERED)
    signs = [sign for sign in chain.from_iterable(ranges) if unicodedata.category(sign) != "Cn"]
    mixed = random.Random(5).sample(signs, len(signs))
    words = [
        joint.join(order[start : start + 32])
        for joint, order in ((" ", signs), ("", mixed))
        for start in range(0, len(order), 32)
    ]
    assert settable(words) == (words, False)
    blocks = [Paragraph(word, lead=word) for word in words]
    paper = Paper("Zeichen", "Zeichen", date(2026, 11, 1), [], "", blocks)
    reader = pypdf.PdfReader(io.BytesIO(pdf_module.write_pdf(paper)))
    assert len(reader.pages) > 5


def test_number_does_not_turn_around() -> None:
    assert readable("Betrag \u202e21\u202c Euro") == "Betrag 21 Euro"


def test_failed_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "typesetter.py"
    broken.write_text("import os; os.abort()")
    monkeypatch.setattr(pdf_module, "_TYPESETTER", broken)
    with pytest.raises(PaperFailed, match="Bürger-Chatbot zum SGB II' ließ sich nicht setzen"):
        proposal_pdf(papers.evidence())
    broken.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(pdf_module, "_SETTING_S", 0.2)
    with pytest.raises(PaperFailed, match="kürzen"):
        proposal_pdf(papers.evidence())


def test_time_of_a_paper(capsys: pytest.CaptureFixture[str]) -> None:
    evidence, sha256 = papers.frozen()
    keys: dict[str, Any] = {"number": 12, "sha256": sha256}
    for name, write in {"PDF": decision_pdf, "DOCX": decision_docx}.items():
        start = time.perf_counter()
        file = write(evidence, **keys)
        with capsys.disabled():
            print(f"\n{name}: {1000 * (time.perf_counter() - start):.0f} ms, {len(file)} bytes")
        assert file
