"""Beschlussvorlage and Beschluss: both files say the same, are accessible, and hold any text."""

import io
import re
from datetime import date

import docx
import papers
import pypdf
import pytest
from docx.oxml.ns import qn
from papers import VARIETY, flat, model, pages, tags, texts, written

from reallabor.sharing.papers import (
    decision_pdf,
)
from reallabor.sharing.papers.blocks import Chart, Heading, Table


@pytest.mark.parametrize("kind", VARIETY)
def test_both_files_hold_every_text(kind: str) -> None:
    evidence, sha256 = VARIETY[kind]()
    paper = model(evidence, sha256)
    pdf, word = written(evidence, sha256)
    in_pdf = flat("".join(pages(pdf)))
    document = docx.Document(io.BytesIO(word))
    in_word = flat(document.element.xpath("string(//w:body)"))
    alts = {each.alt for each in paper.blocks if isinstance(each, Chart)}
    for text in texts(paper):
        if text not in alts:
            assert flat(text) in in_pdf
            assert flat(text) in in_word
    assert {each["/Alt"] for each in tags(pdf) if "/Alt" in each} == alts


def test_every_figure_is_printed_as_frozen() -> None:
    evidence, sha256 = papers.frozen()
    text = flat("".join(pages(decision_pdf(evidence, number=12, sha256=sha256))))
    for figure in evidence["figures"]:
        assert flat(figure["text"]) in text
        assert flat(figure["why"]) in text


def test_unit_follows_bare_numbers_only() -> None:
    table = next(each for each in model(papers.evidence()).blocks if isinstance(each, Table))
    shown = {row[0]: row[1] for row in table.rows}
    assert shown["Punktwert"] == "74,2 (69,8 bis 78,1)\nPunkte"
    assert shown["Kosten je Fall"] == "0,02\nEuro je Fall"
    assert shown["Reifegrad"] == "2 Punkte fehlen"
    assert shown["Kund:innen"] == "n. b."


@pytest.mark.parametrize("kind", VARIETY)
def test_pdf_is_tagged_for_readers(kind: str) -> None:
    evidence, sha256 = VARIETY[kind]()
    paper = model(evidence, sha256)
    pdf, _ = written(evidence, sha256)
    root = pypdf.PdfReader(io.BytesIO(pdf)).root_object
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"].split("-")[0] == "de"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    xmp = root["/Metadata"].get_data().decode()
    assert re.search(r"pdfuaid:part(=\"|>)1", xmp)
    assert re.search(r"pdfaid:part(=\"|>)2", xmp)
    assert paper.title in xmp
    kinds = [each["/S"] for each in tags(pdf)]
    headings = [each.text for each in paper.blocks if isinstance(each, Heading)]
    tables = [each for each in paper.blocks if isinstance(each, Table)]
    charts = [each for each in paper.blocks if isinstance(each, Chart)]
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") + kinds.count("/H3") == len(headings)
    assert kinds.count("/Table") == kinds.count("/THead") == len(tables)
    assert kinds.count("/TH") == sum(len(each.header) for each in tables)
    assert kinds.count("/TD") == sum(len(row) for each in tables for row in each.rows)
    assert kinds.count("/Figure") == len(charts)
    assert "/P" in kinds


@pytest.mark.parametrize("kind", VARIETY)
def test_docx_has_real_structure(kind: str) -> None:
    evidence, sha256 = VARIETY[kind]()
    paper = model(evidence, sha256)
    document = docx.Document(io.BytesIO(written(evidence, sha256)[1]))
    headings = [
        (int(each.style.name[-1]), each.text)
        for each in document.paragraphs
        if each.style.name.startswith("Heading")
    ]
    expected = [each for each in paper.blocks if isinstance(each, Heading)]
    assert headings == [(1, paper.title), *((each.level, each.text) for each in expected)]
    tables = [each for each in paper.blocks if isinstance(each, Table)]
    found = [[[cell.text for cell in row.cells] for row in table.rows] for table in document.tables]
    assert found == [[each.header, *each.rows] for each in tables]
    for table in document.tables:
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    captions = [each.text for each in document.paragraphs if each.style.name == "Caption"]
    assert [text for text in captions if text.startswith("Tabelle")] == [
        f"Tabelle {place}: {each.caption}" for place, each in enumerate(tables, start=1)
    ]
    language = document.styles.element.find(f".//{qn('w:lang')}").get(qn("w:val"))
    assert (language, document.core_properties.title) == ("de-DE", paper.title)
    footer = document.sections[0].footer._element.xml
    assert " PAGE " in footer
    assert " NUMPAGES " in footer
    alts = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert alts == [each.alt for each in paper.blocks if isinstance(each, Chart)]


def test_foot_of_every_page_names_decision_and_hash() -> None:
    evidence, sha256 = papers.frozen(demo=True)
    found = pages(decision_pdf(evidence, number=12, sha256=sha256))
    assert len(found) > 2
    for place, text in enumerate(found, start=1):
        assert "Beschluss 12, Bürger-Chatbot" in text
        assert f"Prüfsumme der Belege {sha256}" in text
        assert f"Seite {place} von {len(found)}" in text
        assert "Demodaten" in text.splitlines()[0]
    real, sha256 = papers.frozen()
    assert "Demodaten" not in "".join(pages(decision_pdf(real, number=12, sha256=sha256)))


def test_same_evidence_gives_same_bytes() -> None:
    evidence, sha256 = papers.frozen()
    first, second = (decision_pdf(evidence, number=12, sha256=sha256) for _ in range(2))
    assert first == second
    assert decision_pdf(evidence, number=13, sha256=sha256) != first
    created = pypdf.PdfReader(io.BytesIO(first)).metadata
    assert created is not None
    assert created.creation_date is not None
    assert created.creation_date.date() == date(2026, 11, 19)


def test_changed_evidence_is_said_first() -> None:
    evidence, sha256 = papers.frozen()
    sound = pages(decision_pdf(evidence, number=12, sha256=sha256))
    assert "passen nicht zur Prüfsumme" not in "".join(sound)
    evidence["figures"][1]["text"] = "94,2 (89,8 bis 98,1)"
    broken = pages(decision_pdf(evidence, number=12, sha256=sha256))
    assert flat("Die Belege passen nicht zur Prüfsumme dieses Beschlusses") in flat(broken[0])
