"""Three ways to put an official notice into plain German, all on the spot and without a network.

``satzregeln`` rewrites sentence by sentence (long sentences split, office terms replaced, duties
and passives turned into address) and sorts the result under the reader's questions; ``kernsaetze``
keeps the most central sentences as they stand; ``merkblatt`` is the baseline without AI: the letter
unchanged under the usual information sheet. Words and patterns lie in ``lexicon.json``. Only
``satzregeln`` promises to keep every number: a rule that loses one is not applied.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

Answer = dict[str, object]
Lexicon = dict[str, Any]
Places = dict[int, str]

LABEL = "Entwurf – nur zur Information, es gilt der Bescheid."
SECTIONS = ("inhalt", "tun", "sonst", "wehren", "fremd")
# A notice is rarely longer; the output of every variant stays well under 20,000 characters.
MAX_CHARS = 9000
MAX_REWRITE = 900
MAX_OUTPUT = 19_000
MAX_TERMS = 6
# The extract keeps about half of a letter; fixed beforehand, not tuned.
KEEP_SHARE = 0.5
MIN_KEPT, MAX_KEPT = 4, 14

ABBREVIATIONS = frozenset(
    """
    a abs art b bd bsp buchst bzw ca d dgl dr evtl f ff fr gem ggf gez h hj hr i inkl insb lfd lit m
    max mind mtl nr o rd rn s sog st str tel u v vgl z zzgl ziff
    """.split()
)
NUMBER = re.compile(r"\d[\d.,:/]*\d|\d")
ITEM = re.compile(r"^(?:[-–•*]|\d{1,2}[.)]|[a-h]\))\s")
ROW = re.compile(r"(?:Euro|EUR|€|\d)$")
MONEY = re.compile(r"\d ?(?:Euro|EUR|€)$")
GREETING = re.compile(r"^(?:Sehr geehrte|Guten Tag|Hallo |Liebe )")
CLOSING = re.compile(r"^(?:Mit freundlichen|Freundliche|Viele|Beste) Gr[üu](?:ß|ss)", re.I)
REMEDY_HEAD = re.compile(
    r"^(?:[IVX]+\. )?(?:Rechtsbehelf|Rechtsmittel|Widerspruch:|Ihre Rechte)", re.I
)
LEAD = re.compile(
    r"^(?:[IVX]+\. )?(?:Rechtsbe\w+belehrung|Rechtsbehelf|Rechtsfolgenbelehrung|Begründung|Gründe)"
    r"(?:[:.]\s*|$)"
)
STEER = re.compile(
    r"(ignorier|vergiss|missachte)\w* .{0,30}(text|anweisung|regel|oben)|an die KI\b|system-?prompt"
    r"|(ignore|forget) .{0,30}(instruction|rule|text)",
    re.I,
)
# A law reference with everything that belongs to it, so that it is only ever moved as a whole.
_N = r"\d{1,4}[a-z]?\b"
_DETAIL = rf"(?:\s*(?:Abs\.|Absatz|Satz|Nr\.|Buchst\.)\s*{_N}(?:\s(?:und|bis)\s(?:Nr\.\s*)?{_N})?)*"
_LAW = r"(?:\s*(?:SGB\s?[IVX1]+|SGG|BGB|AufenthG)\b)?"
_ONE = (
    rf"§§?\s*{_N}{_DETAIL}(?:(?:,| und| bis)\s+{_N}{_DETAIL}(?![.,]?\d|\s*(?:Euro|EUR|€)))*{_LAW}"
)
REFERENCE = (
    rf"(?>{_ONE}(?:(?:,|\s(?:und|sowie|i\. ?V\. ?m\.|in Verbindung mit))\s(?:mit )?{_ONE})*)"
)
_BASIS = r"(?:gemäß|gem\.|nach|im Sinne (?:des|der)|entsprechend)"
BASIS_START = re.compile(rf"^(?:{_BASIS}) (?:dem |den |des |der )?({REFERENCE})", re.I)
BASIS_INSIDE = re.compile(rf" {_BASIS} (?:dem |den |des |der )?({REFERENCE})")
PREFIXES = "ab an auf aus bei dar ein fest her hin mit nach nieder um vor weg weiter zurück".split()
_PREFIX = "|".join(PREFIXES)
ZU_INSIDE = re.compile(rf"\b({_PREFIX})zu([a-zäöüß]{{3,}}n)(?=$|[,.;)]| und | oder )")
ZU_APART = re.compile(r"\bzu ([a-zäöüß]{3,}n)(?=$|[,.;)]| und | oder )")
CLAUSE = re.compile(
    r", (?=(?:um(?! \d)|ohne|statt|d[ie]e?|der|das|was|wenn|weil|da|bis|so|damit|ob|dass)\b)"
)
FINITE = (
    "ist sind war waren wird werden wurde wurden hat haben hatte hatten kann können konnte konnten "
    "könnte muss müssen soll sollen sollte darf dürfen würde"
).split()
_FIN = "|".join(FINITE)
HAS_FINITE = re.compile(rf"\b(?:{_FIN})\b")
HAS_SUBJECT = re.compile(rf"\b(?:{_FIN}|Sie)\b|(?:\S+\s+){{5}}\S")
_NO_COMMA = r"(?:[^,]|,(?=\d))"
LINKS = {"so dass": "Deshalb", "sodass": "Deshalb", "wobei": "Dabei", "wodurch": "Dadurch"}
LINKED = re.compile(rf", (so dass|sodass|wobei|wodurch) ({_NO_COMMA}+?) ({_FIN})$")
SUBJECT = r"(?:Sie|wir|ich|es|(?:die|der|das|Ihre?|diese[rs]?)(?: [a-zäöüß]+en?)? [A-ZÄÖÜ][\w-]+)"
COORDINATED = re.compile(
    rf", (und|aber|denn) (?={SUBJECT} (?:{_FIN})\b|(?:{_FIN}) (?:wir|Sie)\b|wir \w+en\b)"
)
BECAUSE = re.compile(
    rf", (?:weil|da) ({SUBJECT}) (?!de[rs] |von |vom |zu[rm] |für )({_NO_COMMA}+?) ({_FIN})$"
)
FRONT = re.compile(
    r"^(?:Für|Zur|Zum|Ab|Auf|Bei|Nach|Hierfür|Ferner|Daher|Zusätzlich|Mit|Unter|Im|In|Bis)\b"
)
NOMINATIVE = {"Der": "Den", "Dieser": "Diesen", "der": "den", "dieser": "diesen"}
# Words that show that somebody else has the duty, or that there is none.
UNCLEAR = re.compile(r"\b(?:nicht|durch|ihm|ihnen|uns|wir|ich|berechtigt|verpflichtet|bereit)\b")
NOUN_PHRASE = re.compile(
    r"\b([Dd]er|[Dd]ieser|[Ee]in|[Kk]ein|Ihr)((?: [a-zäöüß]+er?)*) ([A-ZÄÖÜ][\w-]+)"
)


@dataclass(frozen=True)
class Unit:
    """One sentence, list item or table row, and the section of the letter it stands in."""

    text: str
    item: bool = False
    heading: bool = False
    remedy: bool = False
    paragraph: int = 0


def clean(text: str) -> str:
    """The text without control characters, cut at MAX_CHARS on a word."""
    text = "".join(c for c in text[: MAX_CHARS + 1] if c in "\n\t" or c.isprintable())
    if len(text) > MAX_CHARS:
        text = " ".join(text[:MAX_CHARS].rsplit(None, 1)[:1])
    return re.sub(r"[ \t\u00a0]+", " ", text).strip()


def lines(paragraph: str) -> list[str]:
    """The lines of a paragraph, with lines that were only wrapped joined again."""
    joined: list[str] = []
    for line in (part.strip() for part in paragraph.split("\n")):
        before = joined[-1] if joined else ""
        if re.search(r"[a-zäöüß]-$", before) and re.match(r"(?!und |oder )[a-zäöüß]", line):
            joined[-1] = before[:-1] + line
        elif (
            before
            and line
            and not ITEM.match(line)
            and not (len(before) < 45 and MONEY.search(before))
            and (
                line[0].islower()
                or (
                    len(before) > 45
                    and not re.search(r"[.:!?]$", before)
                    and not ROW.search(before)
                )
            )
        ):
            joined[-1] = f"{before} {line}"
        elif line:
            joined.append(line)
    return joined


def sentences(line: str) -> list[str]:
    """Split at ends of sentences; abbreviations, ordinals and dates are none."""
    found, start = [], 0
    for match in re.finditer(r"[.!?][“\")]?\s+(?=[A-ZÄÖÜ„\"(])", line):
        last = re.search(r"([\w.]+)[.!?][“\")]?\s*$", line[start : match.end()])
        word = last.group(1).split(".")[-1].lower() if last else ""
        if line[match.start()] == "." and (
            (word in ABBREVIATIONS and not re.search(r"SGB [IV]+$", line[start : match.start()]))
            or re.fullmatch(r"\d{1,2}", word)
        ):
            continue
        found.append(line[start : match.end()].strip())
        start = match.end()
    return [part for part in (*found, line[start:].strip()) if part]


def units_of(text: str) -> list[Unit]:
    """The letter as sentences, items and headings, in its own order."""
    found: list[Unit] = []
    remedy = False
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text)):
        for line in lines(paragraph):
            words = len(line.split())
            head = words <= 12 and not re.search(r"[.:,!?]$", line) and not MONEY.search(line)
            heading = (head and not ITEM.match(line)) or GREETING.match(line) is not None
            if LEAD.match(line) or (heading and not GREETING.match(line)):
                remedy = REMEDY_HEAD.match(line) is not None
            body = line if heading else LEAD.sub("", line)
            item = ITEM.match(line) is not None or (MONEY.search(line) is not None and words <= 12)
            parts = [body] if item or heading else sentences(body)
            found += [Unit(part, item, heading, remedy, number) for part in parts if part]
    return found


def capitalised(sentence: str) -> str:
    """The sentence with a capital at its start and a mark at its end."""
    sentence = sentence.strip(" ,")
    if sentence and sentence[-1] not in '.:!?“"':
        sentence += "."
    return sentence[:1].upper() + sentence[1:]


def main_order(subject: str, middle: str, verb: str) -> str:
    """A clause with its verb at the end, as a main clause that starts with its subject."""
    return f"{subject[:1].upper()}{subject[1:]} {verb} {middle}"


def split(sentence: str) -> list[str]:
    """A long sentence as several short ones, where the grammar is certain."""
    for mark in re.finditer(r"; ", sentence):
        inside = sentence.count("(", 0, mark.start()) > sentence.count(")", 0, mark.start())
        if inside or not HAS_SUBJECT.search(sentence[mark.end() :]):
            continue
        return split(sentence[: mark.start()]) + split(sentence[mark.end() :])
    if found := LINKED.search(sentence):
        link, middle, verb = found.groups()
        return [*split(sentence[: found.start()]), f"{LINKS[link]} {verb} {middle}"]
    if found := COORDINATED.search(sentence):
        word = {"und": "", "aber": "Aber ", "denn": "Denn "}[found.group(1)]
        return [*split(sentence[: found.start()]), *split(word + sentence[found.end() :])]
    if found := BECAUSE.search(sentence):
        return [*split(sentence[: found.start()]), f"Der Grund ist: {main_order(*found.groups())}"]
    return [sentence]


def infinitives(clause: str) -> str:
    """The clause with plain infinitives: „vorzulegen“ becomes „vorlegen“."""
    head, *rest = CLAUSE.split(clause, maxsplit=1)
    head = ZU_APART.sub(r"\1", ZU_INSIDE.sub(r"\1\2", head))
    return ", ".join([head.rstrip(), *rest])


def last_verb(clause: str) -> tuple[str, str, str] | None:
    """What stands before the only zu-infinitive of the clause, the plain verb, and the rest."""
    head, *rest = CLAUSE.split(clause, maxsplit=1)
    tail = f", {rest[0]}" if rest else ""
    if len(ZU_INSIDE.findall(head)) + len(ZU_APART.findall(head)) != 1:
        return None
    if found := re.search(rf"(.*?) ?\b(?:({_PREFIX})zu|zu )([a-zäöüß]+n)(.*)$", head):
        before, prefix, verb, after = found.groups()
        return before, f"{prefix or ''}{verb}", after + tail
    return None


class Rewriter:
    """Rewrites single sentences with the words and patterns of the lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.phrases = [(re.compile(a), b) for a, b in lexicon["phrases"]]
        self.modals = [
            (re.compile(rf"^(?P<front>.{{0,120}}?)\b{a}(?P<clause>.+)$"), b, c)
            for a, b, c in lexicon["modals"]
        ]
        self.duties = frozenset(lexicon["duties"])
        self.masculine = tuple(lexicon["masculine"])
        self.verbs: dict[str, str] = lexicon["participles"]
        ends = "|".join(sorted(self.verbs, key=len, reverse=True))
        self.passive = re.compile(
            rf"^(?P<front>{_NO_COMMA}+?) (?:wird|werden) (?P<middle>{_NO_COMMA}*? ?)"
            rf"\b(?P<end>{ends})(?P<rest>,.*)?$"
        )

    def rewrite(self, sentence: str) -> list[str]:
        """The sentence in plain words; every number of it is in one of the parts."""
        if len(sentence) > MAX_REWRITE:
            return [sentence]
        end = sentence[-1] if sentence[-1] in ".:!?" else "."
        plain = sentence.rstrip(".:!?")
        plain = plain[:1].upper() + plain[1:]
        for pattern, replacement in self.phrases:
            plain = pattern.sub(replacement, plain)
        parts = [self.part(part) for part in split(plain.strip())]
        done = [capitalised(part) for part in parts if part.strip()]
        if end in ":!?" and done:
            done[-1] = done[-1].rstrip(".") + end
        return done if numbers(" ".join(done)) == numbers(sentence) else [sentence]

    def part(self, part: str) -> str:
        """One part: its law moved to the end, then duties and passives as address."""
        laws: list[str] = []

        def take(match: re.Match[str]) -> str:
            laws.append(match.group(1))
            return "Nach dem Gesetz" if match.start() == 0 else ""

        part = BASIS_INSIDE.sub(take, BASIS_START.sub(take, part))
        for rule in (self.modal, self.duty, self.active):
            changed = rule(part)
            if changed != part:
                part = changed
                break
        return f"{part} (Gesetz: {'; '.join(laws)})" if laws else part

    def modal(self, part: str) -> str:
        """„Es ist beabsichtigt, … aufzuheben“ becomes „Wir wollen … aufheben“."""
        for pattern, direct, inverted in self.modals:
            if not (found := pattern.match(part)):
                continue
            front, clause = found.group("front").strip(), found.group("clause")
            if direct == "Bitte":
                return self.please(front, clause) or part
            plain = infinitives(clause)
            if plain != clause:
                return f"{front} {inverted} {plain}" if front else f"{direct} {plain}"
        return part

    def please(self, front: str, clause: str) -> str:
        """A request in the imperative, or nothing where the clause is too involved."""
        if front or not (found := last_verb(clause)):
            return ""
        before, verb, after = found
        prefix = next((p for p in PREFIXES if verb.startswith(p) and len(verb) > len(p) + 4), "")
        return " ".join(f"Bitte {verb[len(prefix) :]} Sie {before} {prefix}".split()) + after

    def duty(self, part: str) -> str:
        """„haben Sie … mitzuteilen“ and „Die Belege sind … vorzulegen“ become „müssen Sie“."""
        found = re.match(r"^(.*?)\b(Sie haben|haben Sie|sind|ist)\b ?(.*)$", part)
        if not found or not (verb := last_verb(found.group(3))):
            return part
        front, finite, rest = found.groups()
        middle, infinitive, after = verb
        front = front.strip()
        if infinitive not in self.duties or HAS_FINITE.search(front) or rest.startswith(","):
            return part
        if front in {"Es", "Sie"} or front.endswith((" und", " oder")):
            return part
        if "Sie" not in finite:
            if UNCLEAR.search(middle) or HAS_FINITE.search(middle):
                return part
            middle = self.accusative(re.sub(r"\bvon Ihnen ?", "", middle))
            front = self.accusative(front, start=True)
        if front == "Er":
            front, middle = "", f"ihn {middle}"
        lead = f"{front} müssen Sie" if front else "Sie müssen"
        return " ".join(f"{lead} {middle} {infinitive}".split()) + after

    def active(self, part: str) -> str:
        """„Der Bescheid wird aufgehoben“ becomes „Wir heben den Bescheid auf“."""
        found = self.passive.match(part)
        if not found:
            return part
        front, middle, rest = found["front"], found["middle"].strip(), found["rest"] or ""
        verb, _, prefix = self.verbs[found["end"]].partition("|")
        if re.search(r"\b(?:durch|von (?:Ihnen|der|dem)|es)\b", middle) or any(
            word in self.verbs for word in middle.split()
        ):
            return part
        if front == "Ihnen":
            clause = f"Wir {verb} Ihnen {self.accusative(middle)} {prefix}"
        elif FRONT.match(front):
            clause = f"{front} {verb} wir {self.accusative(middle)} {prefix}"
        elif re.match(r"(?:Der|Die|Das|Diese[rs]?|Ihre?|Ein|Eine)\b", front):
            to = "Ihnen " if re.match(r"Ihnen\b", middle) else ""
            middle = middle.removeprefix("Ihnen")
            thing = self.accusative(front)
            thing = thing if thing.startswith("Ihr") else thing[:1].lower() + thing[1:]
            clause = f"Wir {verb} {to}{thing} {middle} {prefix}"
        else:
            return part
        return " ".join(clause.split()) + rest

    def accusative(self, phrase: str, *, start: bool = False) -> str:
        """The phrase with its first masculine noun as an object; with ``start`` only there."""

        def decline(match: re.Match[str]) -> str:
            article, adjectives, noun = match.groups()
            subject = article in {"Der", "Dieser"} and match.start() == 0
            male = noun.lower().endswith(self.masculine)
            if not (subject or male) or (start and match.start()):
                return match.group()
            article = NOMINATIVE.get(article, f"{article}en")
            return f"{article}{re.sub(r'(?<=e)r?(?= |$)', 'n', adjectives)} {noun}"

        return NOMINATIVE.get(phrase) or NOUN_PHRASE.sub(decline, phrase, count=1)


def numbers(text: str) -> Counter[str]:
    """Every number of the text, as it is written, with its count."""
    return Counter(NUMBER.findall(text))


def section(unit: Unit, plain: str, patterns: dict[str, re.Pattern[str]], known: Places) -> str:
    """Under which question of the reader a sentence belongs.

    A paragraph that speaks of remedies, or to a computer, does so until its end; ``known`` holds
    the paragraphs where that has begun.
    """
    if STEER.search(plain):
        known[unit.paragraph] = "fremd"
    if unit.paragraph in known:
        return known[unit.paragraph]
    if unit.remedy:
        return "wehren"
    key = next((key for key in patterns if patterns[key].search(plain.lower())), "inhalt")
    if key == "wehren":
        known[unit.paragraph] = key
    return key


def is_noise(units: list[Unit]) -> bool:
    """Whether hardly any word of the text can be read."""
    text = " ".join(unit.text for unit in units)
    words = re.findall(r"[A-Za-zÄÖÜäöüß]{4,}", text)
    return len("".join(words)) < 0.4 * len(text.replace(" ", ""))


def sections_text(groups: dict[str, list[str]], titles: dict[str, str]) -> list[str]:
    """The filled sections under their titles, in the order of the titles."""
    return ["\n".join([title, *groups[key]]) for key, title in titles.items() if groups.get(key)]


def rules_system(lexicon: Lexicon) -> Callable[[str], str]:
    """Rewrite, sort and explain; every number of the letter is kept."""
    texts = lexicon["texts"]
    rewriter = Rewriter(lexicon)
    patterns = {key: re.compile(value) for key, value in lexicon["sections"].items()}
    kinds = [(re.compile(k["cue"], re.M | re.S), k) for k in lexicon["letters"]]
    glossary = [(re.compile(cue), word, text) for cue, word, text in lexicon["glossary"]]

    def simplify(text: str) -> str:
        units = units_of(text)
        if is_noise(units):
            return "\n\n".join([texts["unreadable"], f"Zu lesen ist:\n{text}"])
        kind = kind_of(text, units, kinds)
        groups = sorted_sentences(units, rewriter, patterns)
        parts = ["\n".join(["Was ist das für ein Brief?", *intro(text, units, kind, texts)])]
        parts += sections_text(groups, texts["titles"])
        if kind and kind["decision"] and not groups.get("wehren"):
            parts.append(f"{texts['titles']['wehren']}\n{texts['no_remedy']}")
        body = " ".join(line for lines_ in groups.values() for line in lines_).lower()
        terms = [f"- {word}: {text}" for cue, word, text in glossary if cue.search(body)]
        if terms:
            parts.append("\n".join(["Schwierige Wörter", *terms[:MAX_TERMS]]))
        return "\n\n".join([*parts, texts["questions"]])

    return simplify


def kind_of(text: str, units: list[Unit], kinds: list[tuple[re.Pattern[str], Any]]) -> Any:
    """The kind of letter: by its title first, else by its text."""
    title = next((u.text for u in units if not GREETING.match(u.text)), "").lower()
    for source in (title, text.lower()):
        for cue, kind in kinds:
            if cue.search(source):
                return kind
    return None


def intro(text: str, units: list[Unit], kind: Any, texts: dict[str, Any]) -> list[str]:
    """What the letter is, what to beware of, and its own heading."""
    found = [kind["text"] if kind else texts["unknown"]]
    if sum(GREETING.match(unit.text) is not None for unit in units) > 1:
        found.append(texts["many"])
    if STEER.search(text):
        found.append(texts["steering"])
    return found


def rewritten_item(text: str, rewriter: Rewriter) -> str:
    """A list item with its mark; only whole sentences in it are rewritten."""
    mark = found.group() if (found := ITEM.match(text)) else "- "
    body = text.removeprefix(mark)
    if body.endswith("."):
        body = " ".join(part for one in sentences(body) for part in rewriter.rewrite(one))
    return f"{mark}{body}"


def sorted_sentences(
    units: list[Unit], rewriter: Rewriter, patterns: dict[str, re.Pattern[str]]
) -> dict[str, list[str]]:
    """The rewritten sentences under the questions; headings stay where they carry a number."""
    groups: dict[str, list[str]] = {key: [] for key in SECTIONS}
    known: Places = {}
    last, closing = "inhalt", False
    for unit in units:
        closing = closing or CLOSING.match(unit.text) is not None
        if closing and not numbers(unit.text):
            continue
        if unit.heading:
            if numbers(unit.text):
                colon = "" if ":" in unit.text else "Überschrift: "
                groups["inhalt"].append(f"{colon}{unit.text}")
            continue
        if unit.item:
            groups[last].append(rewritten_item(unit.text, rewriter))
            continue
        plain = [unit.text] if STEER.search(unit.text) else rewriter.rewrite(unit.text)
        last = section(unit, " ".join(plain), patterns, known)
        groups[last] += plain
    return groups


def core_system(lexicon: Lexicon) -> Callable[[str], str]:
    """Keep the most central sentences as they stand (TF-IDF and PageRank, plus cue words)."""
    texts = lexicon["texts"]
    patterns = {key: re.compile(value) for key, value in lexicon["sections"].items()}

    def extract(text: str) -> str:
        units = [u for u in units_of(text) if not u.heading and not CLOSING.match(u.text)]
        if not units:
            return f"{texts['unknown']}\n{text}"
        scores = centrality([unit.text for unit in units])
        known: Places = {}
        keys = [section(unit, unit.text, patterns, known) for unit in units]
        for index, (unit, key) in enumerate(zip(units, keys, strict=True)):
            scores[index] += 0.5 * (key != "inhalt") + 0.5 * (index == 0)
            scores[index] += 0.25 * bool(numbers(unit.text))
        count = min(MAX_KEPT, max(MIN_KEPT, round(KEEP_SHARE * len(units))))
        kept = sorted(sorted(range(len(units)), key=lambda i: (-round(scores[i], 9), i))[:count])
        groups: dict[str, list[str]] = {key: [] for key in SECTIONS}
        for index in kept:
            groups[keys[index]].append(capitalised(units[index].text))
        return "\n\n".join([*sections_text(groups, texts["core_titles"]), texts["questions"]])

    return extract


def centrality(texts: list[str]) -> list[float]:
    """How much each sentence shares with the others: PageRank over cosine, the largest is 1."""
    np: Any = import_module("numpy")
    vectoriser: Any = import_module("sklearn.feature_extraction.text").TfidfVectorizer
    try:
        matrix = vectoriser(token_pattern=r"[^\W\d_]{4,}", sublinear_tf=True).fit_transform(texts)
    except ValueError:  # no word of four letters anywhere
        return [0.0] * len(texts)
    weights = (matrix @ matrix.T).toarray()
    np.fill_diagonal(weights, 0.0)
    sums = weights.sum(axis=1, keepdims=True)
    step = np.where(sums > 0, weights / np.where(sums > 0, sums, 1.0), 1 / len(texts))
    rank = np.full(len(texts), 1 / len(texts))
    for _ in range(50):
        rank = 0.15 / len(texts) + 0.85 * (rank @ step)
    return [float(value) for value in rank / rank.max()]


def sheet_system(lexicon: Lexicon) -> Callable[[str], str]:
    """The usual way on paper: the information sheet's sentence, then the letter unchanged."""
    sheet = lexicon["texts"]["sheet"]
    return lambda text: f"{sheet}\n\n{text}"


def build(variant: str, folder: Path) -> Callable[[str], Answer]:
    """Build one variant of the scenario in ``folder``; its answer always starts with LABEL."""
    systems = {"satzregeln": rules_system, "kernsaetze": core_system, "merkblatt": sheet_system}
    if variant not in systems:
        raise ValueError(f"unknown variant: {variant!r}")
    lexicon = json.loads((folder / "lexicon.json").read_text(encoding="utf-8"))
    texts = lexicon["texts"]
    system = systems[variant](lexicon)

    def answer(letter: str) -> Answer:
        text = clean(letter)
        if not re.search(r"\w", text):
            return {"text": f"{LABEL}\n\n{texts['empty']}"}
        parts = [LABEL, system(text)]
        if len(letter) > MAX_CHARS:
            parts.insert(1, texts["too_long"])
        return {"text": "\n\n".join(parts)[:MAX_OUTPUT]}

    return answer
