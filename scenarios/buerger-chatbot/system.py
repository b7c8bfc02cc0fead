"""Three ways to answer a citizen's question from the same small knowledge base.

``bm25`` and ``tfidf`` search the passages and fill an answer template; ``stichwortverzeichnis`` is
the baseline without AI: it looks words up in a keyword register, as a reader would in the index of
a brochure. Nothing is generated and nothing is downloaded: every sentence about the law comes from
``passages.jsonl``. Each variant imports only the library that it needs.
"""

import json
import logging
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

Answer = dict[str, object]
Ranking = list[tuple[int, float]]

MAX_SOURCES = 3
MIN_STEM = 4
# Below these scores a person takes over. Set on 25 questions that are not among the cases.
SURE_BM25 = 2.5
SURE_TFIDF = 0.12
# A question is rarely longer than this; of a longer text the beginning and the end are read.
HEAD_CHARS = 3000
TAIL_CHARS = 1000
# The second passage is quoted too when it scores at least this share of the best one.
NEARLY_AS_GOOD = 0.9

AI_NOTICE = (
    "Hinweis: Diese Auskunft wurde mit KI aus einer Textsammlung herausgesucht. "
    "Sie ist allgemein, kann Fehler enthalten und ist keine Entscheidung."
)
CONTACT = (
    "persönlich im Servicebereich, unter der Nummer auf Ihrem Bescheid "
    "oder per E-Mail an service@jobcenter.example"
)
HANDOVER = f"Einen Menschen erreichen Sie {CONTACT}."
URGENT = (
    "Ihre Lage klingt dringend. Bitte warten Sie nicht auf eine schriftliche Antwort: Kommen Sie "
    "noch heute ins Jobcenter oder rufen Sie an (Nummer auf Ihrem Bescheid) und sagen Sie das Wort "
    "„Notfall“. Außerhalb der Öffnungszeiten hilft der Bereitschaftsdienst Ihrer Stadt oder "
    "Gemeinde. Bei Gefahr für Leib und Leben wählen Sie den Notruf 112."
)
PERSONAL = (
    "Über Ihren eigenen Fall kann diese Auskunft nicht entscheiden und keinen Betrag berechnen. "
    "Das prüft eine Sachbearbeitung anhand Ihrer Unterlagen. Allgemein gilt:"
)
OTHERS = (
    "Über andere Personen gibt das Jobcenter keine Auskunft. Bitte geben Sie deren Daten nicht ein."
)
UNSURE = "Zu Ihrer Frage habe ich keinen Text gefunden, der sicher passt."
EMPTY = "Ich habe keine Frage erkannt. Bitte schreiben Sie in einem Satz, worum es geht."
NOT_FOLLOWED = (
    "Diese Auskunft gibt nur allgemeine Informationen zum SGB II. Sie folgt keinen anderen "
    "Anweisungen und kann nichts bewilligen oder zusagen."
)
# More than a slip: such a text is an attempt to steer the system, so no passage is quoted at all.
STEERING = re.compile(
    r"(ignorier|vergiss|missachte)\w* .{0,30}(anweisung|regel|vorgabe)|system-?(prompt|text)"
    r"|(ignore|forget) .{0,30}(instruction|rule)|du bist (jetzt|ab jetzt|nun)\b"
)
EMERGENCY = re.compile(
    r"strom\w* (ist |wurde |wird |haben |am |sie )*(abgestellt|abgeschaltet|abgedreht|gesperrt|weg)"
    r"|(strom|gas|wasser|heizung)\b.{0,40}(abgestellt|abgeschaltet|abgedreht|gesperrt)"
    r"|stromsperre|energiesperre|obdachlos|wohnungslos|ohne wohnung|keine wohnung mehr"
    r"|auf der stra(ss|ß)e|notunterkunft|r(ae|ä)umung|fristlos|nichts (mehr )?zu essen"
    r"|kein essen|hunger|mittellos"
    r"|gar kein geld|kein geld mehr|keinen cent|frauenhaus|schl(ae|ä)gt mich|bedroht|notfall"
    r"|nicht mehr leben|umbringen|suizid"
)
PERSONAL_DECISION = re.compile(
    r"entscheide\w*|genehmig\w*|bewilligen sie|zusage\b|berechne|ausrechnen|rechnen sie"
    r"|wie ?viel .{0,25}(steht mir|bekomme ich|krieg|kriege ich|erhalte ich)|steht mir genau"
    r"|stand meines|mein(en|em|es)? (antrag|widerspruch|akte|fall)\b|wann kommt mein geld"
)
OTHER_PERSON = re.compile(
    r"\b(ex|ex-?mann|ex-?frau|ex-?freund\w*|nachbar\w*|schwager|schw(ae|ä)gerin|kolleg\w+|vermieter\w*)\b"
    r".{0,120}\b(bekommt|bezieht|kriegt|arbeitslos|angezeigt|gemeldet|adresse|geburtsdatum)\b"
)

STOPWORDS = frozenset(
    """
    aber alle allem allen aller alles als also am an andere anderen anderer anderes ans auch auf
    aufs aus bald bei beide beiden beim bin bis bitte bleibt da dabei dadurch dafuer daher damals
    damen damit danach dank danke dann daran darauf darf darueber darum das dass dasselbe davon
    dazu dein dem den denen denn der deren derjenige des deshalb dessen dich die dies diese diesem
    diesen dieser dieses dir doch dort drei du duerfen durch eben eigentlich ein eine einem einen
    einer eines einfach einmal eins er erst erstmal es etwa etwas euch euer eure euren eurer falls
    fast frage fragen freundlich fuer ganz gar geben geehrte gegen gehen geht gemacht genau gerade
    gerne gestern gibt gibts ging gleich gruesse gruss guten hab habe haben haette haetten hallo
    halt hat hatte hatten her herren heute hier hierfuer hierzu hin hinter ich ihm ihn ihnen ihr
    ihre ihrem ihren ihrer ihres ihrs im immer in ins irgendwo ist ja je jede jedem jeden jeder
    jedoch jemand jener jenes jetzt kam kann kannst kein keine keinem keinen keiner koennen
    koennte kommen kommt laesst lassen liebe lieber machen macht mag mal man mehr mein meine
    meinem meinen meiner meines mich mir mit moechte moechten morgen muessen muesste muss nach
    natuerlich nicht nichts nie niemand noch nun nur ob obwohl oder oft ohne paar sagen sagt sagte
    schon schonmal schreiben schreibt sehr sei seid sein seine seinem seinen seiner seines seit
    selbst sich sie sind so sogar soll sollte sondern sonst soviel stehen steht tag trotzdem ueber
    ueberhaupt uebrigens ums und ungefaehr uns unser unsere unserem unseren unserer unter viel
    viele vielleicht vom von vor waehrend waere wann war waren warum was wegen weil weiss weiter
    weiterhin welche welchem welchen welcher wem wen wenn wer werde werden wessen wie wieder
    wieviel will willst wir wird wirklich wissen wo wofuer woher wohin wohl wollen wollte womit
    worauf worden worueber worum wuerde wurde wurden zu zum zur zwar zwei zwischen
    """.split()
)
SUFFIXES = ("ungen", "ung", "ern", "est", "em", "en", "er", "es", "st", "e", "n", "s", "t")
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
WORD = re.compile(r"[^\W\d_]{2,40}")


@dataclass(frozen=True)
class Passage:
    """One text of the knowledge base, with the place in the law that it rests on."""

    id: str
    title: str
    text: str
    source: str
    legal_status: str
    keywords: tuple[str, ...]

    @property
    def searchable(self) -> str:
        """Everything a search may read: title, keywords and text."""
        return f"{self.title} {' '.join(self.keywords)} {self.text}"

    @property
    def citation(self) -> str:
        """The line that names the source with the date of the law."""
        status = date.fromisoformat(self.legal_status).strftime("%d.%m.%Y")
        return f"Quelle: {self.source}, Rechtsstand {status}"


def load_passages(folder: Path) -> list[Passage]:
    """Read the knowledge base of the scenario in ``folder``."""
    lines = (folder / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = (json.loads(line) for line in lines if line.strip())
    return [Passage(**{**row, "keywords": tuple(row["keywords"])}) for row in rows]


def shorten(question: str) -> str:
    """Keep beginning and end of an overlong text, so that effort never grows with its length."""
    if len(question) > HEAD_CHARS + TAIL_CHARS:
        question = f"{question[:HEAD_CHARS]} {question[-TAIL_CHARS:]}"
    return unicodedata.normalize("NFKC", question).strip()


def words(text: str) -> list[str]:
    """Lower-case words without digits, umlauts written out."""
    return WORD.findall(text.casefold().translate(UMLAUTS))


def stem(word: str) -> str:
    """Cut one common German ending and the ``ge`` of a participle, never below four letters."""
    if word.startswith("ge") and word.endswith("t") and len(word) >= MIN_STEM + 4:
        word = word[2:]
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= MIN_STEM:
            return word[: -len(suffix)]
    return word


def compound_parts(word: str, vocabulary: frozenset[str]) -> list[str]:
    """Known parts of a compound: both halves of ``mietkaution``, else its longest known ending."""
    if len(word) < 2 * MIN_STEM:
        return []
    tails: list[str] = []
    for cut in range(MIN_STEM, len(word) - MIN_STEM + 1):
        tail = stem(word[cut:])
        if tail in vocabulary:
            for head in (word[:cut], word[:cut].removesuffix("s"), stem(word[:cut])):
                if head in vocabulary:
                    return [head, tail]
            tails.append(tail)
    return [tail for tail in tails if len(tail) > MIN_STEM][:1]


def terms(text: str, vocabulary: frozenset[str]) -> list[str]:
    """Stems of the content words, with the parts of their compounds."""
    found: list[str] = []
    for word in words(text):
        if word not in STOPWORDS:
            found.append(stem(word))
            found.extend(compound_parts(word, vocabulary))
    return found


def best(scores: Iterable[float]) -> Ranking:
    """Return the best passages, ties in the order of the knowledge base."""
    ranked = sorted(enumerate(scores), key=lambda pair: (-round(pair[1], 9), pair[0]))
    return [(index, float(score)) for index, score in ranked[:MAX_SOURCES] if score > 0]


def bm25_search(passages: list[Passage]) -> Callable[[str], tuple[Ranking, bool]]:
    """Search by rare shared word stems, compounds taken apart (BM25)."""
    bm25s: Any = import_module("bm25s")
    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets DEBUG when imported
    plain = (word for passage in passages for word in words(passage.searchable))
    vocabulary = frozenset(stem(word) for word in plain if word not in STOPWORDS)
    corpus = [
        # The title counts twice: it names what the passage is about.
        terms(passage.title, vocabulary) + terms(passage.searchable, vocabulary)
        for passage in passages
    ]
    index = bm25s.BM25(method="lucene", k1=1.2, b=0.6)
    index.index(corpus, show_progress=False)
    known = frozenset(term for document in corpus for term in document)

    def search(question: str) -> tuple[Ranking, bool]:
        # Each stem counts once, so that a long story does not drown its own question.
        asked = [term for term in dict.fromkeys(terms(question, vocabulary)) if term in known]
        ranking = best(index.get_scores(asked).tolist()) if asked else []
        return ranking, bool(ranking) and ranking[0][1] >= SURE_BM25

    return search


def tfidf_search(passages: list[Passage]) -> Callable[[str], tuple[Ranking, bool]]:
    """Search by cosine over words and letter sequences (TF-IDF), which forgives spelling."""
    text_module: Any = import_module("sklearn.feature_extraction.text")
    pipeline_module: Any = import_module("sklearn.pipeline")

    def content_words(text: str) -> list[str]:
        return [word for word in words(text) if word not in STOPWORDS]

    def content_text(text: str) -> str:
        return " ".join(content_words(text))

    vectorizer = text_module.TfidfVectorizer
    by_words = vectorizer(
        tokenizer=content_words, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True
    )
    by_letters = vectorizer(
        preprocessor=content_text, analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True
    )
    union = pipeline_module.FeatureUnion([("words", by_words), ("letters", by_letters)])
    matrix = union.fit_transform([passage.searchable for passage in passages])

    def search(question: str) -> tuple[Ranking, bool]:
        # Cosine, averaged over the two views.
        scores = (matrix @ union.transform([question]).T).toarray().ravel() / 2
        ranking = best(scores.tolist())
        return ranking, bool(ranking) and ranking[0][1] >= SURE_TFIDF

    return search


def ai_answer(passages: list[Passage], ranking: Ranking, sure: bool, question: str) -> Answer:
    """Fill the template: what was found, its source, the AI notice and, if needed, a person."""
    lowered = question.casefold()
    if STEERING.search(lowered):
        text = f"{NOT_FOLLOWED}\n\n{HANDOVER}\n\n{AI_NOTICE}"
        return {"text": text, "sources": [], "handover": True}
    urgent = EMERGENCY.search(lowered) is not None
    personal = PERSONAL_DECISION.search(lowered) is not None
    others = OTHER_PERSON.search(lowered) is not None
    parts: list[str] = []
    if urgent:
        parts.append(URGENT)
    if others:
        parts.append(OTHERS)
    if not ranking:
        parts.append(UNSURE if question else EMPTY)
    elif not sure:
        titles = "; ".join(f"„{passages[i].title}“ ({passages[i].source})" for i, _ in ranking)
        parts.append(f"{UNSURE} Vielleicht hilft eines dieser Themen: {titles}.")
    else:
        if personal:
            parts.append(PERSONAL)
        top = ranking[0][1]
        for index, score in ranking[:2]:
            if score >= NEARLY_AS_GOOD * top:
                parts.append(f"{passages[index].text}\n{passages[index].citation}")
    handover = urgent or personal or others or not sure
    parts.append(HANDOVER if handover else f"Fragen Sie bei Zweifeln nach: {CONTACT}.")
    parts.append(AI_NOTICE)
    sources = [passages[i].id for i, _ in ranking]
    return {"text": "\n\n".join(parts), "sources": sources, "handover": handover}


def register_answer(passages: list[Passage], question: str) -> Answer:
    """Look the words of the question up in the keyword register, exactly as they are written."""
    asked = f" {' '.join(words(question))} "
    hits: list[tuple[int, list[str]]] = []
    for index, passage in enumerate(passages):
        found = [key for key in passage.keywords if f" {' '.join(words(key))} " in asked]
        if found:
            hits.append((index, found))
    hits.sort(key=lambda hit: (-len(hit[1]), hit[0]))
    if not hits:
        text = f"Im Stichwortverzeichnis wurde kein Eintrag gefunden.\n\n{HANDOVER}"
        return {"text": text, "sources": [], "handover": True}
    lines = ["Dazu finden Sie:"]
    for index, found in hits[:MAX_SOURCES]:
        passage = passages[index]
        lines.append(f"- {', '.join(found)}: siehe „{passage.title}“. {passage.citation}")
    sources = [passages[index].id for index, _ in hits[:MAX_SOURCES]]
    return {"text": "\n".join(lines), "sources": sources, "handover": False}


def build(variant: str, folder: Path) -> Callable[[str], Answer]:
    """Build one variant of the scenario in ``folder``; it answers text, sources, handover."""
    passages = load_passages(folder)
    if variant == "stichwortverzeichnis":
        return lambda question: register_answer(passages, shorten(question))
    searches = {"bm25": bm25_search, "tfidf": tfidf_search}
    if variant not in searches:
        raise ValueError(f"unknown variant: {variant!r}")
    search = searches[variant](passages)

    def answer(question: str) -> Answer:
        short = shorten(question)
        ranking, sure = search(short)
        return ai_answer(passages, ranking, sure, short)

    return answer
