"""What python-docx has no words for: fields, borders, repeated header rows, alternative texts."""

from collections.abc import Sequence
from typing import Any

from docx.document import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm
from docx.table import Table
from docx.text.paragraph import Paragraph

_SEQUENCE = ("top", "left", "bottom", "right")
"""The order in which Word wants the sides of a border."""


def add_field(paragraph: Paragraph, code: str, shown: str = "1") -> None:
    """A field such as PAGE, with what stands there until the word processor computes it."""
    for kind, text in (("begin", ""), ("", code), ("separate", ""), ("shown", shown), ("end", "")):
        run = paragraph.add_run()
        if kind == "shown":
            run.text = text
        elif kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        else:
            instruction = OxmlElement("w:instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = f" {text} "
            run._r.append(instruction)


def add_caption(document: Document, kind: str, number: int, text: str) -> None:
    """`Tabelle 1: text`, numbered by a field, on the page of what follows."""
    paragraph = document.add_paragraph(f"{kind} ", style="Caption")
    add_field(paragraph, f"SEQ {kind} \\* ARABIC", str(number))
    paragraph.add_run(f": {text}")
    paragraph.paragraph_format.keep_with_next = True


def set_border(properties: Any, sides: Sequence[str], colour: str, eighths_pt: int) -> None:
    """A border at some sides of a paragraph or style."""
    borders = OxmlElement("w:pBdr")
    for side in (each for each in _SEQUENCE if each in sides):
        edge = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", eighths_pt), ("space", 6), ("color", colour)):
            edge.set(qn(f"w:{name}"), str(value))
        borders.append(edge)
    properties.insert_element_before(
        borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def make_header(table: Table) -> None:
    """The first row is the header: shaded, repeated on every page and named so to a screen reader;
    no row breaks between pages."""
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for cell in table.rows[0].cells:
        shade = OxmlElement("w:shd")
        for name, value in (("val", "clear"), ("color", "auto"), ("fill", "EEF1F3")):
            shade.set(qn(f"w:{name}"), value)
        cell._tc.get_or_add_tcPr().append(shade)


def fit_columns(table: Table, widths: Sequence[float], whole_mm: float) -> None:
    """Columns share the width in this proportion."""
    table.autofit = False
    unit = whole_mm / sum(widths)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width * unit)
        for cell in column.cells:
            cell.width = Mm(width * unit)


def describe_table(table: Table, text: str) -> None:
    """What a screen reader says of the table before it is read."""
    caption = OxmlElement("w:tblCaption")
    caption.set(qn("w:val"), text)
    table._tbl.tblPr.append(caption)


def describe_picture(picture: Any, text: str) -> None:
    """The alternative text of an inline picture."""
    picture._inline.docPr.set("descr", text)
