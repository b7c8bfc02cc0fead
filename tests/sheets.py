"""Builds the files that people upload, in every format and with all that can be wrong with them."""

import csv
import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

import openpyxl

Rows = Sequence[Sequence[Any]]


def xlsx(rows: Rows, *, title: str = "Tabelle1", **more: Rows) -> bytes:
    """A workbook; `more` are further sheets by name."""
    book = openpyxl.Workbook()
    sheets = {title: rows, **more}
    book.remove(book.active)
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(list(row))
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def separated(
    rows: Rows, separator: str = ";", encoding: str = "utf-8", *, comma: bool = True
) -> bytes:
    """A csv as Excel writes it in Germany: decimal comma, dates with dots, CRLF."""

    def text(cell: Any) -> str:
        if cell is None:
            return ""
        if isinstance(cell, bool):
            return "ja" if cell else "nein"
        if isinstance(cell, float):
            return str(cell).replace(".", ",") if comma else str(cell)
        return f"{cell:%d.%m.%Y}" if isinstance(cell, date) else str(cell)

    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator).writerows([[text(cell) for cell in row] for row in rows])
    return file.getvalue().encode(encoding)


def json_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


_ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body>
<office:spreadsheet><table:table table:name="Tabelle1">{rows}</table:table></office:spreadsheet>
</office:body></office:document-content>"""
_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def ods(rows: Rows, *, encrypted: bool = False) -> bytes:
    """An OpenDocument table; encrypted ones say so in their manifest."""

    def cell(value: Any) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, bool):
            kind = f'office:value-type="boolean" office:boolean-value="{str(value).lower()}"'
        elif isinstance(value, int | float):
            kind = f'office:value-type="float" office:value="{value}"'
        elif isinstance(value, date):
            kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
        else:
            kind = 'office:value-type="string"'
        lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in str(value).split("\n"))
        return f"<table:table-cell {kind}>{lines}</table:table-cell>"

    body = "".join(
        f"<table:table-row>{''.join(cell(value) for value in row)}</table:table-row>"
        for row in rows
    )
    secret = '<manifest:encryption-data manifest:checksum="x"/>' if encrypted else ""
    manifest = (
        '<?xml version="1.0"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/>'
        f'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">'
        f"{secret}</manifest:file-entry></manifest:manifest>"
    )
    content = b"\x00\x91secret" * 20 if encrypted else _ODS.format(rows=body).encode()
    return zipped({"mimetype": _ODS_TYPE.encode(), "META-INF/manifest.xml": manifest.encode(),
                   "content.xml": content})  # fmt: skip


def zipped(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def repacked(data: bytes, change: Mapping[str, Any]) -> bytes:
    """An archive with some members changed by a function from old to new bytes, or added."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, new in change.items():
        members[name] = new(members[name]) if callable(new) else new
    return zipped(members)


# --- xls: BIFF8 in a compound file, as far as a table of texts and numbers needs it ---------------


def xls(rows: Rows) -> bytes:
    """An Excel 97 workbook with one sheet."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def cell(row: int, column: int, value: Any) -> bytes:
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(value, bool):
            return record(0x0205, place + struct.pack("<BB", value, 0))
        if isinstance(value, int | float):
            return record(0x0203, place + struct.pack("<d", value))
        text = str(value).encode("utf-16-le")
        return record(0x0204, place + struct.pack("<HB", len(text) // 2, 1) + text)

    begin = struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 6)
    name = b"Tabelle1"
    head = record(0x0809, begin)
    sheet_at = len(head) + 4 + 8 + len(name) + 4
    head += record(0x0085, struct.pack("<IHBB", sheet_at, 0, len(name), 0) + name)
    head += record(0x000A, b"")
    width = max(len(row) for row in rows)
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 6))
    sheet += record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for at, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                sheet += cell(at, column, value)
    return compound({"Workbook": head + sheet + record(0x000A, b"")})


def compound(streams: Mapping[str, bytes]) -> bytes:
    """An OLE compound file; streams are filled up to 4096 bytes, so that none is a small one."""
    free, end, fat_sector = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    body, chains, entries = b"", [], []
    sector = 2  # 0 is the table of sectors, 1 the directory
    for name, data in streams.items():
        padded = data.ljust(max(4096, -(-len(data) // 512) * 512), b"\x00")
        count = len(padded) // 512
        chains += [*range(sector + 1, sector + count), end]
        entries.append((name, 2, sector, len(padded), free))
        sector += count
        body += padded
    fat = [fat_sector, end, *chains]
    assert len(fat) <= 128
    fat += [free] * (128 - len(fat))

    def entry(name: str, kind: int, start: int, size: int, child: int) -> bytes:
        text = name.encode("utf-16-le")
        return (
            text.ljust(64, b"\x00") + struct.pack("<HBB", len(text) + 2 if text else 0, kind, 1)
            + struct.pack("<III", free, free, child) + b"\x00" * 36
            + struct.pack("<IQ", start, size)
        )  # fmt: skip

    directory = entry("Root Entry", 5, end, 0, 1) + b"".join(entry(*each) for each in entries)
    directory += entry("", 0, 0, 0, free) * (4 - len(directory) // 128)
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 16
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\x00" * 6
        + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0)
        + struct.pack("<I", 0) + struct.pack("<I", free) * 108
    )  # fmt: skip
    return header + struct.pack("<128I", *fat) + directory + body
