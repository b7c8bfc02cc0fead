"""Three ways to look up a case worker's question in the same small collection of passages.

``bm25`` ranks by rare word stems with compounds taken apart and quotes whole passages; ``hybrid``
fuses three rankings, knows abbreviations and everyday words and answers with single sentences;
``inhaltsverzeichnis`` is the baseline without AI: headings, keywords and paragraphs looked up
literally. No variant generates text: every sentence about the law comes from ``passages.jsonl``.
"""

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

Answer = dict[str, object]
Ranking = list[tuple[int, float]]
Search = Callable[[str], tuple[Ranking, bool]]

ANSWERED, NOTHING, CASE = "beantwortet", "keine Fundstelle", "Einzelfall abgelehnt"
MAX_SOURCES = 5
MAX_CHARS = 4000
# Below these the collection counts as silent. Set on 52 questions that are not among the cases.
SURE_BM25 = 5.5
SURE_HYBRID = 0.14
NEARLY_AS_GOOD = 0.85
# Constant of reciprocal rank fusion; small, because the collection is.
RRF = 20
REFORM = "2026-07-01"

ABSTRACT = "Abstrakte Auskunft ohne Prüfung eines Einzelfalls. Vor Gebrauch die Fundstelle lesen."
DECLINED = (
    "Das ist die Frage nach einem Einzelfall. Dazu gibt dieses Werkzeug keine Empfehlung, keine "
    "Berechnung und keine Bestätigung; es entscheidet die zuständige Sachbearbeitung. Bitte keine "
    "Namen oder Falldaten eingeben."
)
ABSTRACT_ONLY = "Abstrakt steht dazu in der Sammlung:"
NOT_FOUND = (
    "Dazu steht in der Sammlung nichts, was sicher passt. Es wird deshalb keine Fundstelle genannt "
    "und nichts ergänzt. Bitte die Frage genauer stellen oder im Fachreferat nachfragen."
)
LAW = r"SGB\s?(?:I|II|III|IX|V|VI|VIII|X|XI|XII)\b|SGG|BGB|ZPO|AO|GG|DSGVO"
PARAGRAPH = re.compile(
    rf"(?:§{{1,2}}|Art\.)\s?([0-9][^§;]{{0,40}}?)\s?({LAW})|§{{1,2}}\s?([0-9]{{1,4}}[a-z]?)\b"
)
NUMBER = re.compile(r"(?<![\w.])([0-9]{1,4})([a-z]?)\b(?:\s+bis\s+([0-9]{1,4})([a-z]?)\b)?")
# A named person, or a plain request to decide, compute or confirm: no longer an abstract question.
PERSON = re.compile(r"\b(?:Herrn?|Frau|Familie|Eheleute)\s+[A-ZÄÖÜ](?:\.|\w+)")
REQUEST = re.compile(
    r"\b(?:empfiehl|empfehl\w+ (?:mir|sie mir)|entscheide (?:bitte|du|für)|bitte entscheide"
    r"|best(?:ä|ae)tig\w* (?:bitte|mir|uns|kurz)|berechne\b|rechne \w*\s?(?:mal |mir )?\w*\s?aus"
    r"|ausrechnen|was w(?:ü|ue)rdest du|vorschlag f(?:ü|ue)r die h(?:ö|oe)he"
    r"|(?:diese[rmn]?|der|die) \w*\s?(?:kundin|kunden|familie) (?:ab \w+ )?zusteht)",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]{2,40}(?:-[^\W\d_]{2,40})*|\b[^\W\d_]\b")
FOLD = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss"})
STOPWORDS = frozenset(
    """ab aber alle allein allem allen aller alles als also am an andere anderen auch auf aus außer
    außerdem bei beim bereits bin bis bitte bloß brauche brauchen braucht da dabei dafür dann daran
    darauf darf darum das dass davon dazu dem den denn der des deshalb die dies diese diesem diesen
    dieser dieses doch dort du durch dürfen egal eigentlich ein eine einem einen einer eines einfach
    er erst erstens es etwas euch extra fest fragt für ganz geben gegen gehen geht genau gerade gern
    gibt gilt gut habe haben hallo hat hatte hatten heute hier hin hinter ich ihm ihn ihr ihre ihren
    ihrer im immer in ins ist ja jede jedem jeden jeder jemand jetzt kann kannst kein keine keinen
    klar komme kommen kommt konnte können könnte kurz lange lassen laut leute liegt machen macht mal
    man mehr mein meine meinem meinen meiner mir mich mit muss müssen müsste nach natürlich nein
    nicht nichts nie noch nun nur ob oder ohne okay schon sehr sei seid sein seine seinem seinen
    seiner seit selbst sich sie sind so soll sollen sollte sonst steht stimmt tun um und uns unser
    unsere unseren unter vom von vor wann war wäre waren warum was weg wegen weil weiter welche
    welchem welchen welcher welches wem wen wenig wenn wer werde werden weshalb wie wieder wieso
    wieviel will wir wird wissen wo wohin wohl wollen wollte wurde würde wurden zu zum zur zwar zwei
    zweitens danke hilfe genauer frage fragen""".split()
)


@dataclass(frozen=True)
class Passage:
    """One text of the collection with the place it rests on."""

    id: str
    title: str
    text: str
    source: str
    legal_status: str
    keywords: tuple[str, ...]

    @property
    def citation(self) -> str:
        """Source with the date of the law, and a warning if that lies before the reform."""
        day = date.fromisoformat(self.legal_status).strftime("%d.%m.%Y")
        warning = " (vor dem 1. Juli 2026 verfasst: prüfen)" if self.legal_status < REFORM else ""
        return f"{self.source}, Rechtsstand {day}{warning}"

    @property
    def sentences(self) -> list[str]:
        """The sentences of the text; abbreviations and numbers with a full stop do not end one."""
        return re.split(r"(?<=[^\d\W]{3}\.)\s+(?=[A-ZÄÖÜ])|(?<=\?)\s+", self.text)

    @property
    def weighted(self) -> str:
        """Text for a search: headings and keywords count more than running text."""
        return f"{(self.title + ' ') * 3}{' '.join(self.keywords) + ' '}{self.text} {self.source}"


def load_passages(folder: Path) -> list[Passage]:
    """Read the collection of the scenario in ``folder``."""
    lines = (folder / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = (json.loads(line) for line in lines if line.strip())
    return [Passage(**{**row, "keywords": tuple(row["keywords"])}) for row in rows]


def shorten(question: str) -> str:
    """Keep the beginning and the end of an overlong text; control characters become blanks."""
    if len(question) > MAX_CHARS:
        question = f"{question[: MAX_CHARS - 1000]} {question[-1000:]}"
    text = unicodedata.normalize("NFKC", question)[:MAX_CHARS]
    return re.sub(r"[\x00-\x1f]+", " ", text).strip()


def paragraphs(text: str) -> set[str]:
    """Sections of a law named in a text: ``45 SGB X``, or ``45`` where the law is not named."""
    found: set[str] = set()
    for match in PARAGRAPH.finditer(text):
        law = re.sub(r"SGB\s?", "SGB ", match[2] or "")
        # Subsections ("Abs. 2 und 3") are no sections.
        body = re.sub(r"(Abs|Satz|Nr|Buchst)\.?\s?\w+((, | und | bis )\d+)*", "", match[1] or "")
        for first, letter, last, until in NUMBER.findall(match[3] or body):
            end = min(int(last), int(first) + 50) if last else int(first)
            names = [first + letter, *map(str, range(int(first) + 1, end + 1))]
            names += [last + chr(code) for code in range(ord("a"), ord(until or "A") + 1)]
            found.update(f"{name} {law}".strip() for name in names)
    return found


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Stem of a German word after CISTEM (Weissweiler and Fraser 2017), without its case rule."""
    word = word.casefold().translate(FOLD)
    if word.startswith("ge") and len(word) > 6:
        word = word[2:]
    while len(word) > 3:
        if len(word) > 5 and word.endswith(("em", "er", "nd")):
            word = word[:-2]
        elif word.endswith(("e", "s", "n", "t")):
            word = word[:-1]
        else:
            break
    return word


class Terms:
    """Turns a text into stems; compounds are split into parts that the collection knows."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._parts: dict[str, list[str]] = {}
        words = {word for text in texts for word in self.words(text)}
        self.known = frozenset(stem(word) for word in words if len(word) >= 4)

    @staticmethod
    def words(text: str) -> list[str]:
        """Content words in lower case."""
        found = (word.casefold() for word in WORD.findall(text))
        return [word for word in found if word not in STOPWORDS and len(word) > 1]

    def parts(self, word: str) -> list[str]:
        """Stems of the known parts of a compound, linking letters dropped; else nothing."""
        if word not in self._parts:
            self._parts[word] = self._split(word)
        return self._parts[word]

    def _split(self, word: str) -> list[str]:
        if "-" in word:
            return [stem(part) for part in word.split("-") if len(part) > 2]
        best: list[str] = []
        for cut in range(4, len(word) - 3):
            tail = stem(word[cut:])
            if tail not in self.known:
                continue
            heads = {stem(word[:cut]), stem(word[:cut].removesuffix("s"))} & self.known
            if heads:
                return [min(heads), tail]
            best = best or ([tail] if len(tail) > 4 else [])
        return best

    def __call__(self, text: str) -> list[str]:
        """All terms of a text, in order, sections of law included."""
        terms = [f"§{name.split()[0]}" for name in sorted(paragraphs(text))]
        terms += [f"§{number}" for number in re.findall(r"\b(\d{2,3})er\b", text)]
        for word in self.words(text):
            terms += [stem(word), *self.parts(word)]
        return terms


class Bm25:
    """Okapi BM25 (Robertson and Zaragoza 2009) over a small collection."""

    def __init__(self, documents: Sequence[list[str]]) -> None:
        self.counts = [Counter(document) for document in documents]
        lengths = [len(document) for document in documents]
        mean = sum(lengths) / len(lengths)
        self.norms = [1.2 * (0.4 + 0.6 * length / mean) for length in lengths]
        seen = Counter(term for count in self.counts for term in count)
        total = len(documents)
        self.idf = {t: math.log(1 + (total - n + 0.5) / (n + 0.5)) for t, n in seen.items()}

    def scores(self, query: list[str]) -> list[float]:
        """Score of each document; repeated query terms count once."""
        terms = sorted({term for term in query if term in self.idf})
        return [
            sum(self.idf[t] * 2.2 * count[t] / (count[t] + norm) for t in terms if count[t])
            for count, norm in zip(self.counts, self.norms, strict=True)
        ]


def ranked(scores: Iterable[float]) -> Ranking:
    """Passages with a positive score, best first, ties in the order of the collection."""
    pairs = sorted(enumerate(scores), key=lambda pair: (-round(pair[1], 9), pair[0]))
    return [(index, float(score)) for index, score in pairs if score > 0]


def bm25_search(passages: list[Passage], terms: Terms) -> Search:
    """Rank by rare shared stems; sure where the best passage shares enough of them."""
    index = Bm25([terms(passage.weighted) for passage in passages])

    def search(question: str) -> tuple[Ranking, bool]:
        ranking = ranked(index.scores(terms(question)))
        return ranking, bool(ranking) and ranking[0][1] >= SURE_BM25

    return search


def hybrid_search(passages: list[Passage], terms: Terms, expand: Callable[[str], str]) -> Search:
    """Fuse BM25, words and letters by reciprocal rank (Cormack, Clarke and Büttcher 2009)."""
    vectorizer = import_module("sklearn.feature_extraction.text").TfidfVectorizer
    index = Bm25([terms(passage.weighted) for passage in passages])
    by_words: Any = vectorizer(analyzer=terms, sublinear_tf=True)
    by_letters: Any = vectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    texts = [passage.weighted for passage in passages]
    words = by_words.fit_transform(texts)
    letters = by_letters.fit_transform([" ".join(terms.words(text)) for text in texts])

    def search(question: str) -> tuple[Ranking, bool]:
        wide = expand(question)
        content = " ".join(terms.words(wide))
        cosines = [
            (words @ by_words.transform([wide]).T).toarray().ravel().tolist(),
            (letters @ by_letters.transform([content]).T).toarray().ravel().tolist(),
        ]
        fused = [0.0] * len(passages)
        for view in (index.scores(terms(wide)), *cosines):
            for rank, (position, _) in enumerate(ranked(view), start=1):
                fused[position] += 1 / (RRF + rank)
        ranking = ranked(fused)
        sure = bool(ranking) and sum(view[ranking[0][0]] for view in cosines) / 2 >= SURE_HYBRID
        return ranking, sure

    return search


def whole_passages(passages: list[Passage], ranking: Ranking, _: str) -> str:
    """Quote the best passage, and the second where it is nearly as good, each with citation."""
    top = ranking[0][1]
    quoted = [passages[i] for i, score in ranking[:2] if score >= NEARLY_AS_GOOD * top]
    return "\n\n".join(f"{p.title}\n{p.text}\nFundstelle: {p.citation}" for p in quoted)


def chosen_sentences(terms: Terms, expand: Callable[[str], str]) -> Callable[..., str]:
    """Answer with the sentences that share most with the question, and with what is open."""

    def write(passages: list[Passage], ranking: Ranking, question: str) -> str:
        asked = set(terms(expand(question)))
        best = [passages[i] for i, _ in ranking[:3]]
        scored = []
        for place, passage in enumerate(best):
            for number, sentence in enumerate(passage.sentences):
                shared = len(asked & set(terms(sentence)))
                # The first passage and its opening sentence weigh more than a chance word.
                bonus = 1.5 * (place == 0) + (number == 0)
                scored.append((shared + bonus - 0.5 * place, place, number, sentence))
        scored.sort(key=lambda row: (-row[0], row[1], row[2]))
        picked = sorted(row[1:] for row in scored[:4])
        parts = []
        for place in sorted({row[0] for row in picked}):
            chosen = [sentence for at, _, sentence in picked if at == place]
            is_open = [s for s in best[place].sentences if "zu prüfen" in s and s not in chosen]
            text = " ".join([*chosen, *is_open])
            parts.append(f"{text}\n[{best[place].title}: {best[place].citation}]")
        return "\n\n".join(parts)

    return write


def see_also(passages: list[Passage], ranking: Ranking, text: str) -> str:
    """One line with the further passages of the ranking that the text does not quote."""
    rest = [passages[i] for i, _ in ranking if passages[i].citation not in text]
    return "Siehe auch: " + "; ".join(f"{p.title} ({p.source})" for p in rest[:3]) if rest else ""


def assistant(
    passages: list[Passage],
    search: Search,
    write: Callable[..., str],
    hints: Callable[[str], list[str]],
) -> Callable[[str], Answer]:
    """Wrap a search: decline cases, say where the collection is silent, else answer and cite."""
    cited = set().union(*(paragraphs(f"{p.source}; {p.text}") for p in passages))
    bare = {name for name in cited if " " not in name}
    cited |= {name.split()[0] for name in cited}

    def answer(raw: str) -> Answer:
        question = shorten(raw)
        is_case = bool(PERSON.search(question) or REQUEST.search(question))
        unknown = sorted(
            name
            for name in paragraphs(question)
            if name not in cited and name.split()[0] not in bare
        )
        ranking, sure = search(question)
        sure, ranking = sure and not unknown, ranking[:MAX_SOURCES]
        lines = [DECLINED] if is_case else []
        if sure:
            text = write(passages, ranking, question)
            lines += [ABSTRACT_ONLY] if is_case else []
            lines += [text, see_also(passages, ranking, text)]
        elif not is_case:
            lines.append(NOT_FOUND)
        if unknown:
            lines.append(f"In der Sammlung kommt nicht vor: § {', § '.join(unknown[:5])}.")
        lines += [*hints(question), ABSTRACT]
        outcome = CASE if is_case else ANSWERED if sure else NOTHING
        sources = [passages[i].id for i, _ in ranking] if sure else []
        return {"text": "\n\n".join(filter(None, lines)), "sources": sources, "outcome": outcome}

    return answer


def register(passages: list[Passage], chapters: dict[str, str]) -> Callable[[str], Answer]:
    """The table of contents as people use it: literal words of headings and keywords, and §."""
    entries = [set(Terms.words(f"{p.title} {' '.join(p.keywords)}")) for p in passages]
    laws = [{name.split()[0] for name in paragraphs(p.source)} for p in passages]

    def answer(raw: str) -> Answer:
        question = shorten(raw)
        asked, named = set(Terms.words(question)), {n.split()[0] for n in paragraphs(question)}
        hits = ranked(
            len(asked & entry) + 2 * len(named & law)
            for entry, law in zip(entries, laws, strict=True)
        )[:MAX_SOURCES]
        if not hits:
            text = "Im Inhaltsverzeichnis und unter den Stichwörtern findet sich dazu nichts."
            return {"text": text, "sources": [], "outcome": NOTHING}
        found = [passages[i] for i, _ in hits]
        lines = [f"Kapitel {chapters[p.id.split('-')[0]]}: {p.title}. {p.citation}" for p in found]
        text = "\n".join(["Nachzuschlagen unter:", *lines])
        return {"text": text, "sources": [p.id for p in found], "outcome": ANSWERED}

    return answer


def build(variant: str, folder: Path) -> Callable[[str], Answer]:
    """Build one variant of the scenario in ``folder``; it answers text, sources and outcome."""
    passages = load_passages(folder)
    lists = json.loads((folder / "words.json").read_text(encoding="utf-8"))
    if variant == "inhaltsverzeichnis":
        return register(passages, lists["chapters"])
    terms = Terms(passage.weighted for passage in passages)
    if variant == "bm25":
        return assistant(passages, bm25_search(passages, terms), whole_passages, lambda _: [])
    if variant != "hybrid":
        raise ValueError(f"unknown variant: {variant!r}")
    synonyms = {stem(word): meaning for word, meaning in lists["expand"].items()}

    def expand(text: str) -> str:
        known = (synonyms.get(stem(word), "") for word in dict.fromkeys(terms.words(text)))
        return " ".join([text, *filter(None, known)])

    def hints(question: str) -> list[str]:
        plain = question.casefold()
        old = [note for word, note in lists["outdated"].items() if re.search(rf"\b{word}", plain)]
        return [f"Begriff: {note}" for note in dict.fromkeys(old)]

    search = hybrid_search(passages, terms, expand)
    return assistant(passages, search, chosen_sentences(terms, expand), hints)
