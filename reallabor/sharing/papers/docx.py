"""Papers as DOCX that a secretary can edit: real headings, tables with repeated header rows and
captions, German as language, page numbers as fields."""

import io
import re
from datetime import datetime, time
from typing import assert_never

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph as DocxParagraph

from reallabor.sharing.papers.blocks import (
    Block,
    Chart,
    Facts,
    Heading,
    Items,
    Note,
    Options,
    Paper,
    Paragraph,
    Table,
    Verdict,
)
from reallabor.sharing.papers.docx_parts import (
    add_caption,
    describe_picture,
    describe_table,
    fit_columns,
    make_header,
)
from reallabor.sharing.papers.docx_styles import (
    CELL,
    LANGUAGE,
    NOTE,
    TEXT_WIDTH_MM,
    VERDICT,
    prepare,
)
from reallabor.sharing.papers.pdf import draw_picture

BOX = "\u2610"
"""An empty box to tick."""
_HASH = re.compile("[0-9a-f]{64}")


def write_docx(paper: Paper) -> bytes:
    """The file. Raises PaperFailed where a chart could not be drawn."""
    document = Document()
    prepare(document, footer=paper.footer, mark=paper.mark)
    core = document.core_properties
    core.title, core.subject = paper.title[:255], paper.subject[:255]
    core.author = core.last_modified_by = "Lenkungskreis"
    core.comments, core.language = "", LANGUAGE
    core.created = core.modified = datetime.combine(paper.day, time(12))
    document.add_heading(paper.title, level=1)
    writer = _Writer(document, paper)
    for block in paper.blocks:
        writer.add(block)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


class _Writer:
    """Adds blocks to a document; counts its tables and pictures."""

    def __init__(self, document: DocxDocument, paper: Paper) -> None:
        self.document = document
        self.day = paper.day
        self.n_tables = self.n_pictures = 0

    def add(self, block: Block) -> None:
        match block:
            case Heading():
                self.document.add_heading(block.text, level=block.level)
            case Paragraph():
                paragraph = self.document.add_paragraph()
                if block.lead:
                    paragraph.add_run(f"{block.lead} ").bold = True
                paragraph.add_run(block.text)
            case Verdict():
                self.document.add_paragraph(block.label).paragraph_format.keep_with_next = True
                self.document.add_paragraph(block.text, style=VERDICT)
            case Note():
                self.document.add_paragraph(block.text, style=NOTE)
            case Table():
                self._table(block)
            case Chart():
                self._chart(block)
            case Facts() | Items() | Options():
                self._list(block)
            case _:
                assert_never(block)

    def _list(self, block: Facts | Items | Options) -> None:
        if isinstance(block, Items):
            for text in block.texts:
                self.document.add_paragraph(text, style="List Bullet")
            return
        for name, text in block.rows:
            if isinstance(block, Facts):
                self._hang(f"{name}:", text, Mm(45))
            else:
                self._hang(BOX, f"{name}: {text}", Mm(8))

    def _hang(self, name: str, text: str, indent: Mm) -> DocxParagraph:
        """The name, a tab, and the text that hangs beneath itself."""
        paragraph = self.document.add_paragraph()
        shape = paragraph.paragraph_format
        shape.left_indent, shape.first_line_indent = indent, -indent
        shape.tab_stops.add_tab_stop(indent)
        shape.space_after = Mm(1)
        paragraph.add_run(name).bold = True
        value = paragraph.add_run(f"\t{text}")
        if _HASH.fullmatch(text):
            value.font.size = Pt(9)  # on one line
        return paragraph

    def _table(self, block: Table) -> None:
        self.n_tables += 1
        add_caption(self.document, "Tabelle", self.n_tables, block.caption)
        table = self.document.add_table(1 + len(block.rows), len(block.header), style="Table Grid")
        describe_table(table, block.caption)
        # Row by row: table.cell() counts all cells anew each time.
        for place, (row, texts) in enumerate(zip(table.rows, [block.header, *block.rows],
                                                 strict=True)):  # fmt: skip
            for column, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
                paragraph = cell.paragraphs[0]
                paragraph.add_run(text).bold = place == 0 or None
                paragraph.style = self.document.styles[CELL]
                if column in block.figures:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        make_header(table)
        fit_columns(table, block.widths, TEXT_WIDTH_MM)
        self.document.add_paragraph(style=CELL)

    def _chart(self, block: Chart) -> None:
        self.n_pictures += 1
        add_caption(self.document, "Bild", self.n_pictures, block.caption)
        picture = self.document.add_picture(
            io.BytesIO(draw_picture(block, self.day)), width=Mm(TEXT_WIDTH_MM)
        )
        describe_picture(picture, block.alt)
