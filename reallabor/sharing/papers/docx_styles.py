"""How a DOCX paper looks: styles, page, header and footer, language."""

from typing import Any

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from reallabor.sharing.papers.docx_parts import add_field, set_border

VERDICT = "Beschlusssatz"
NOTE = "Achtung"
CELL = "Tabellentext"
LANGUAGE = "de-DE"
TEXT_WIDTH_MM = 165
_FONT = "Calibri"
_INK, _ACCENT, _FAINT = RGBColor(0x1B, 0x22, 0x27), RGBColor(0x0B, 0x5C, 0x8A), RGBColor(77, 90, 99)


def prepare(document: Document, *, footer: list[str], mark: str) -> None:
    """Page, styles, head and foot of an empty document."""
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(25), Mm(20)
    section.top_margin, section.bottom_margin = Mm(25), Mm(25)
    _speak_german(document)
    _add_styles(document)
    head = section.header.paragraphs[0]
    head.text = mark
    head.style.font.bold = True
    foot = section.footer.paragraphs[0]
    for line in footer:
        if line:
            foot.add_run(line).add_break()
    foot.add_run("Seite ")
    add_field(foot, "PAGE")
    foot.add_run(" von ")
    add_field(foot, "NUMPAGES")


def _speak_german(document: Document) -> None:
    """The language of all text, so that it is checked, hyphenated and read aloud as German."""
    defaults: Any = document.styles.element.find(qn("w:docDefaults"))
    properties = defaults.find(qn("w:rPrDefault")).find(qn("w:rPr"))
    language = properties.find(qn("w:lang"))
    if language is None:
        language = OxmlElement("w:lang")
        properties.append(language)
    for name in ("w:val", "w:eastAsia"):
        language.set(qn(name), LANGUAGE)
    hyphenation = OxmlElement("w:autoHyphenation")
    settings: Any = document.settings.element
    settings.find(qn("w:defaultTabStop")).addnext(hyphenation)


def _add_styles(document: Document) -> None:
    normal: Any = document.styles["Normal"]
    normal.font.name, normal.font.size, normal.font.color.rgb = _FONT, Pt(11), _INK
    normal.paragraph_format.space_after = Pt(6)
    for level, size, before in ((1, 20, 0), (2, 14, 18), (3, 12, 10)):
        heading: Any = document.styles[f"Heading {level}"]
        heading.font.size, heading.font.bold = Pt(size), True
        heading.font.color.rgb = _ACCENT if level == 2 else _INK
        _set_font(heading)
        heading.paragraph_format.space_before = Pt(before)
        heading.paragraph_format.space_after = Pt(6)
    caption: Any = document.styles["Caption"]
    caption.font.size, caption.font.bold, caption.font.color.rgb = Pt(10), True, _INK
    caption.paragraph_format.space_before, caption.paragraph_format.space_after = Pt(8), Pt(3)
    for name in ("Header", "Footer"):
        style: Any = document.styles[name]
        style.font.size, style.font.color.rgb = Pt(8.5), _FAINT
    cell: Any = document.styles.add_style(CELL, WD_STYLE_TYPE.PARAGRAPH)
    cell.base_style = normal
    cell.font.size = Pt(9.5)
    cell.paragraph_format.space_after = Pt(0)
    verdict: Any = document.styles.add_style(VERDICT, WD_STYLE_TYPE.PARAGRAPH)
    verdict.base_style = normal
    verdict.font.size, verdict.font.bold = Pt(17), True
    set_border(verdict.element.get_or_add_pPr(), ("left",), "0B5C8A", 24)
    note: Any = document.styles.add_style(NOTE, WD_STYLE_TYPE.PARAGRAPH)
    note.base_style = normal
    note.font.bold = True
    set_border(note.element.get_or_add_pPr(), ("top", "left", "bottom", "right"), "1B2227", 8)


def _set_font(style: Any) -> None:
    """Instead of the font of the template's theme."""
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    style.font.name = _FONT
