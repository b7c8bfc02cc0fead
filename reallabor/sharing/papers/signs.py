"""Which characters a paper can hold. People's texts may contain anything; a PDF must name every
character and hold a glyph for it, and a DOCX is XML."""

import re
import unicodedata
from typing import Any

PLACEHOLDER = "\u25a1"
"""Stands in a PDF for a character that its fonts do not have."""
_COVERED = (
    (0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x2FF), (0x370, 0x377), (0x37A, 0x37F), (0x384, 0x38A),
    (0x38C, 0x38C), (0x38E, 0x3A1), (0x3A3, 0x482), (0x48A, 0x4FF), (0x531, 0x556),
    (0x559, 0x58A), (0x5BE, 0x5BE), (0x5C0, 0x5C0), (0x5C3, 0x5C3), (0x5C6, 0x5C6),
    (0x5D0, 0x5EA), (0x60C, 0x60C), (0x61B, 0x61B), (0x61F, 0x61F), (0x621, 0x63A),
    (0x640, 0x64A), (0x660, 0x66D), (0x679, 0x67B), (0x67E, 0x680), (0x686, 0x687),
    (0x691, 0x691), (0x698, 0x698), (0x6A4, 0x6A4), (0x6A9, 0x6A9), (0x6AF, 0x6AF),
    (0x6CC, 0x6CC), (0x6F0, 0x6F9), (0x10D0, 0x10FF), (0x1D00, 0x1DBF), (0x1E00, 0x1F15),
    (0x2000, 0x200A), (0x2010, 0x2027), (0x202F, 0x2040), (0x2044, 0x2052), (0x2070, 0x2071),
    (0x2074, 0x208E), (0x20A0, 0x20C0), (0x2100, 0x211E), (0x2122, 0x2122), (0x2126, 0x2151),
    (0x2153, 0x2184), (0x2190, 0x23FF), (0x2460, 0x262F), (0x2729, 0x274B), (0x27B1, 0x27FF),
    (0xFB00, 0xFB06),
)  # fmt: skip
"""First and last character of every range that the fonts of the typst wheel cover, regular and
bold, found by setting each; a test sets them again. No combining marks: on a letter of the other
font they end typst's process (0.15). Ordinary accents are one character after NFC."""
_UNCOVERED = re.compile(
    "[^\n" + "".join(f"{chr(low)}-{re.escape(chr(high))}" for low, high in _COVERED) + "]"
)
_NEW_LINE = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_REORDERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of what follows: `12` could read as `21`."""
_UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060-\u2064\ufeff\ufe00-\ufe0f]")


def readable(value: Any) -> Any:
    """Texts at any depth without what neither XML nor a reader can take: control characters and
    halves of surrogate pairs become a replacement character, marks that reorder text go."""
    if isinstance(value, str):
        text = _NEW_LINE.sub("\n", unicodedata.normalize("NFC", value)).replace("\t", " ")
        return "".join(map(_readable_sign, _REORDERING.sub("", text)))
    if isinstance(value, dict):
        return {key: readable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [readable(each) for each in value]
    return value


def _readable_sign(sign: str) -> str:
    unreadable = unicodedata.category(sign) in {"Cc", "Cs", "Cn", "Co"} and sign != "\n"
    return "\ufffd" if unreadable else sign


def settable(value: Any) -> tuple[Any, bool]:
    """Readable texts at any depth with a placeholder for each character that the fonts of the PDF
    do not have; and whether there was one."""
    if isinstance(value, str):
        text, n = _UNCOVERED.subn(PLACEHOLDER, _UNSEEN.sub("", value))
        return text, n > 0
    if isinstance(value, dict):
        pairs = {key: settable(each) for key, each in value.items()}
        return {key: pair[0] for key, pair in pairs.items()}, any(p[1] for p in pairs.values())
    if isinstance(value, list | tuple):
        parts = [settable(each) for each in value]
        return [part[0] for part in parts], any(part[1] for part in parts)
    return value, False
