"""Readability of German text: Amstad's reading ease and the first Wiener Sachtextformel.

Indicators only, never gates: both know the length of words and sentences, not their meaning."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*", re.UNICODE)
_VOWELS = re.compile(
    r"aa|ee|oo|ie|ei|ai|ey|ay|au|äu|eu|ou|[aeiouyäöüéèêáàâóòôúùûíìî]", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?…]+(?=[\s\"“”»«)\]]|$)|\n\s*\n|[:;](?=\s)")
_NO_END = re.compile(
    r"\b(?:z\. ?B|d\. ?h|u\. ?a|o\. ?ä|i\. ?d\. ?R|bzw|ggf|evtl|usw|ca|Nr|Abs|Art|Str|Tel|vgl|inkl"
    r"|bspw|Dr|Std|Min|max|min|\d{1,2})\.(?=\s)"
)


@dataclass(frozen=True)
class Readability:
    """Amstad: 0 (very hard) to 100 (very easy). WSTF1: school year, about 4 to 15."""

    words: int
    sentences: int
    amstad: float
    wstf1: float


def syllables(word: str) -> int:
    """Vowel groups of a German word, at least one; diphthongs and ie count once."""
    return max(1, len(_VOWELS.findall(word)))


def readability(text: str) -> Readability | None:
    """Figures of a text, or None where it has no words.

    Amstad 1978: 180 - ASL - 58.5 ASW. Bamberger & Vanecek 1984, first formula:
    0.1935 MS + 0.1672 SL + 0.1297 IW - 0.0327 ES - 0.875, with ASL = SL words per sentence, ASW
    syllables per word, MS, IW, ES the percentages of words with at least three syllables, with
    more than six letters, and with one syllable.
    """
    words = _WORD.findall(text)
    if not words:
        return None
    plain = _NO_END.sub(lambda match: match.group().replace(".", " "), text)
    parts = [part for part in _SENTENCE_END.split(plain) if part and _WORD.search(part)]
    n, sentences = len(words), max(1, len(parts))
    counts = [syllables(word) for word in words]
    words_per_sentence = n / sentences
    long_share = 100 * sum(count >= 3 for count in counts) / n
    letters_share = 100 * sum(len(word) > 6 for word in words) / n
    single_share = 100 * sum(count == 1 for count in counts) / n
    return Readability(
        words=n,
        sentences=sentences,
        amstad=180 - words_per_sentence - 58.5 * sum(counts) / n,
        wstf1=0.1935 * long_share
        + 0.1672 * words_per_sentence
        + 0.1297 * letters_share
        - 0.0327 * single_share
        - 0.875,
    )
