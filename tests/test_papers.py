"""Beschlussvorlage and Beschluss: both files say the same, are accessible, and hold any text."""

import io
import json
import random
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import docx
import papers
import pypdf
import pytest
from docx.oxml.ns import qn

from reallabor.errors import PaperFailed, UnusableEvidence
from reallabor.sharing.papers import (
    decision_docx,
    decision_pdf,
    file_name,
    proposal_docx,
    proposal_pdf,
)
from reallabor.sharing.papers import pdf as pdf_module
from reallabor.sharing.papers.blocks import Chart, Facts, Heading, Items, Paper, Paragraph, Table
from reallabor.sharing.papers.proposal import proposal
from reallabor.sharing.papers.resolution import decision
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


def flat(text: str) -> str:
    """Without what setting in lines and columns adds."""
    return re.sub(r"[\s\u00ad\u200b\u2010-]", "", text)


def pages(file: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(file)).pages]


def tags(file: bytes) -> Iterator[dict[str, Any]]:
    """All elements of the structure tree, in reading order."""
    stack: list[Any] = [pypdf.PdfReader(io.BytesIO(file)).root_object["/StructTreeRoot"]]
    while stack:
        element = stack.pop()
        element = element.get_object() if hasattr(element, "get_object") else element
        if isinstance(element, list):
            stack += reversed(element)
        elif isinstance(element, dict):
            if "/S" in element:
                yield element
            if "/K" in element:
                stack.append(element["/K"])


def model(evidence: dict[str, Any], sha256: str = "") -> Paper:
    if not sha256:
        return proposal(readable(evidence))
    resolution = evidence.get("resolution") or papers.RESOLUTION
    return decision(readable(evidence), readable(resolution), number=12, sha256=sha256, intact=True)


def texts(paper: Paper) -> Iterator[str]:
    """Every text that the model of a paper holds."""
    yield paper.title
    for block in paper.as_json()["blocks"]:
        for key in ("text", "lead", "label", "caption", "alt"):
            yield block.get(key) or ""
        yield from block.get("texts") or []
        yield from block.get("header") or []
        yield from chain.from_iterable(block.get("rows") or [])


def variety() -> dict[str, Callable[[], tuple[dict[str, Any], str]]]:
    """Evidence and hash by what is special; an empty hash means a proposal."""
    gates = papers.evidence()["gates"]
    meeting = papers.evidence()["meeting"]
    return {
        "proposal": lambda: (papers.evidence(), ""),
        "proposal without round": lambda: (
            papers.evidence(
                figures=[], ranking=None, round=None, rubric=None, runs=[], candidate_runs=[],
                meeting=None, comparison={**papers.evidence()["comparison"], "variants": []},
                readiness={"ready": False, "missing": ["Noch keine Runde freigegeben"]},
            ), "",
        ),
        "missed gate": lambda: papers.frozen(
            gates=[*gates, {**gates[1], "state": "missed", "title": "Datenschutz verfehlt"}]
        ),
        "all ready": lambda: papers.frozen(
            readiness={"ready": True, "missing": []},
            resolution={**papers.RESOLUTION, "verdict": "Weiterentwickeln", "conditions": [],
                        "dissent": "", "review_on": None, "supersedes": None,
                        "departure": "Der Personalrat hat mündlich zugestimmt."},
        ),
        "secret": lambda: papers.frozen(
            meeting={**meeting, "motions": meeting["motions"][1:], "quorate": False}
        ),
        "circulation": lambda: papers.frozen(meeting=None, ranking=None, demo=True),
        "old format": papers.old,
    }  # fmt: skip


VARIETY = variety()


def written(evidence: dict[str, Any], sha256: str) -> tuple[bytes, bytes]:
    """PDF and DOCX."""
    if not sha256:
        return proposal_pdf(evidence), proposal_docx(evidence)
    known = None if evidence.get("resolution") else papers.RESOLUTION
    keys: dict[str, Any] = {"number": 12, "sha256": sha256, "resolution": known}
    return decision_pdf(evidence, **keys), decision_docx(evidence, **keys)


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


# --- what a paper says --------------------------------------------------------------------------


def section(paper: Paper, title: str) -> list[str]:
    """The texts from the heading that ends so to the next of its level."""
    found: list[str] = []
    within = False
    for block in paper.as_json()["blocks"]:
        if block["kind"] == "heading" and block["level"] == 2:
            within = block["text"].endswith(title)
        elif within:
            found.append(json.dumps(block, ensure_ascii=False))
    assert found, title
    return found


def test_secret_vote_shows_counts_only() -> None:
    evidence, sha256 = VARIETY["secret"]()
    (table, note) = section(model(evidence, sha256), "Abstimmung")
    assert '["2", "Nachbessern", "geheim", "3", "1", "0", "angenommen"]' in table
    assert "geheim abgestimmt" in note
    assert "Yılmaz" not in table + note
    assert "nicht beschlussfähig" in section(model(evidence, sha256), "Sitzung")[0]


def test_open_vote_names_who_voted_how() -> None:
    votes = "".join(section(model(*papers.frozen()), "Abstimmung"))
    assert '["Ayşe Yılmaz", "nein"], ["Dr. Jörg Übelhör-Weiß", "ja"]' in votes


@pytest.mark.parametrize("secret", [False, True])
def test_vote_on_call_is_said(secret: bool) -> None:
    evidence, sha256 = papers.frozen()
    motion = evidence["meeting"]["motions"][-1]
    motion["secret"], motion["on_call"] = secret, 1
    if secret:
        motion["votes"] = None
        said = "1 Person hat dafür das Gerät der Organisation benutzt."
    else:
        motion["votes"] = [{"name": "Ayşe Yılmaz", "choice": "nein", "on_call": True}]
        said = '["Ayşe Yılmaz", "nein (auf Zuruf)"]'
    assert said in "".join(section(model(evidence, sha256), "Abstimmung"))


def test_missed_gate_stands_before_the_table() -> None:
    note, table = section(model(*VARIETY["missed gate"]()), "Prüfpunkte")
    assert "Verfehlt: Datenschutz verfehlt." in note
    assert '"verfehlt, geprüft am 03.11.2026"' in table


def test_departure_from_suggestion_is_explained() -> None:
    told = "".join(section(model(*VARIETY["all ready"]()), "Begründung"))
    assert "„Nachbessern“ vorgeschlagen" in told
    assert "mündlich zugestimmt" in told
    followed = section(model(*papers.frozen()), "Begründung")
    assert len(followed) == 1


def test_verdict_comes_before_everything_else() -> None:
    paper = model(*papers.frozen())
    assert paper.as_json()["blocks"][0] == {
        "kind": "verdict", "label": "Der Lenkungskreis hat beschlossen", "text": "Nachbessern",
    }  # fmt: skip
    facts = next(each for each in paper.blocks if isinstance(each, Facts))
    assert ("Ersetzt", "Beschluss 7 vom 21.05.2026: Zurückstellen") in facts.rows
    assert ("Wiedervorlage am", "18.03.2027") in facts.rows


def test_conditions_name_owner_and_due_date() -> None:
    (table, review) = section(model(*papers.frozen()), "Wiedervorlage")
    assert '"Jobcenter Neue Wege", "31.01.2027"' in table
    assert "18.03.2027" in review


def test_proposal_offers_four_verdicts_unticked() -> None:
    (options, _) = section(model(papers.evidence()), "Möglichkeiten")
    names = ["Weiterentwickeln", "Nachbessern", "Zurückstellen", "Beenden"]
    assert [name for name, _ in json.loads(options)["rows"]] == names
    text = "".join(pages(proposal_pdf(papers.evidence())))
    assert text.count("\u2610") == 4
    assert not re.search("[\u2611\u2612]", text)


def test_readiness_lists_every_missing_point() -> None:
    paper = model(papers.evidence())
    (items,) = (each for each in paper.blocks if isinstance(each, Items) and "offen" in str(each))
    assert items.texts == papers.evidence()["readiness"]["missing"]


def ranked(**more: Any) -> str:
    """What a decision says of its ranking; `more` are keys of the ranking."""
    kept = papers.evidence()["ranking"]
    evidence, sha256 = papers.frozen(ranking={**kept, **more})
    return "".join(section(model(evidence, sha256), "Rangfolge im Vergleich"))


def test_ranking_says_what_was_drawn() -> None:
    kept = papers.evidence()["ranking"]
    first, second = kept["rows"]
    told = ranked(rows=[
        {**first, "missing": [], "undetermined": []},
        {**second, "missing": ["staff", "effort"], "undetermined": ["benefit"]},
    ])  # fmt: skip
    assert (
        "„Posteingang zuordnen“ ohne Angabe zu: Beschäftigte, Aufwand; ohne 95-%-Bereich: Nutzen."
    ) in told
    assert "ist über die ganze Skala gezogen" in told
    assert "„Bürger-Chatbot zum SGB II“ ohne" not in told


def test_ranking_names_who_is_left_out_by_title() -> None:
    left_out = ["vermerk", "buerger-chatbot", "alt"]
    titles = {"vermerk": "Gesprächsvermerk"}
    told = ranked(not_ranked=left_out, not_ranked_titles=titles)
    assert (
        "Nicht in der Rangfolge, weil noch keine Ergebnisse vorliegen: „Gesprächsvermerk“, "
        "„Bürger-Chatbot zum SGB II“, „alt“."
    ) in told  # an older record has no titles but that of its own scenario
    assert "Nicht in der Rangfolge" not in ranked(not_ranked=[], not_ranked_titles={})


def test_old_ranking_is_printed_without_what_it_does_not_say() -> None:
    told = ranked()
    assert "Posteingang zuordnen" in told
    assert "ohne Angabe" not in told
    assert "ganze Skala" not in told
    assert "Nicht in der Rangfolge" not in told


def test_annex_says_how_to_verify() -> None:
    evidence, sha256 = papers.frozen()
    annex = "".join(section(model(evidence, sha256), "Nachweis"))
    assert "reallabor verify-decision 12" in annex
    for digest in (sha256, evidence["data_sha256"], *evidence["runs"]):
        assert digest in annex


def test_old_evidence_needs_the_resolution() -> None:
    evidence, sha256 = papers.old()
    with pytest.raises(UnusableEvidence, match="Beschluss 3 steht nicht"):
        decision_pdf(evidence, number=3, sha256=sha256)
    with pytest.raises(UnusableEvidence, match="keine Beschlussvorlage"):
        proposal_pdf(evidence)


def test_file_names_hold_number_and_scenario() -> None:
    evidence, _ = papers.frozen()
    assert file_name(evidence, number=12) == "Beschluss-12-buerger-chatbot.pdf"
    assert file_name(evidence, suffix="docx") == "Beschlussvorlage-buerger-chatbot.docx"
    assert file_name(papers.old()[0], number=3) == "Beschluss-3-buerger-chatbot.pdf"
    evidence["scenario"]["slug"] = '../../etc/p"a\r\nsswd'
    assert file_name(evidence, number=12) == "Beschluss-12-etc-p-a-sswd.pdf"


# --- texts of people ----------------------------------------------------------------------------


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
