"""Three ways to draft which proofs are missing from an application.

``regeln`` finds needs and enclosed documents with word lists and negation; ``gelernt`` learns both
from ``train.jsonl``; ``papierliste`` is the baseline without AI: the printed checklist. The words
stand in ``nachweise.json``, the house rules behind them in ``regeln.md``. Only the presence of a
document is looked at, never what follows from it, and a person checks and sends every draft.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

Answer = dict[str, object]
Notes = dict[str, str]
"""By key of a missing proof: what the draft remarks beside its reason; empty if nothing."""

# An application is rarely longer; of a longer text the beginning and the end are read.
HEAD_CHARS = 6000
TAIL_CHARS = 2000
MAX_SENTENCES = 300
# The checklist as it hangs at the counter: these six, whatever the applicant's situation.
STANDARD = (
    "personalausweis", "kontoauszuege", "krankenversicherung", "mietvertrag",
    "einkommensnachweis", "vermoegensnachweis",
)  # fmt: skip
# Of the learner, set by cross-validation on train.jsonl; an oversight weighs more than a question.
WORDS_PER_PROOF = 250
NEEDED, LACKING = 0.5, 0.4
SURE = 0.65  # below this the draft marks a missing proof as unsure
MAX_MENTIONS = 20
START_CHARS = 60
MIN_WORDS = 5  # with fewer words a text counts as unreadable in the draft

NOTICE = "Entwurf, ein Mensch prüft und versendet."
MISSING = "Zu Ihrem Antrag fehlen nach unserer Durchsicht noch:"
CLOSING = (
    "Bitte reichen Sie das nach. Können Sie etwas nicht beschaffen oder haben Sie es schon "
    "abgegeben, sagen Sie uns Bescheid; dann finden wir gemeinsam einen Weg."
)
COMPLETE = (
    "Nach dieser Durchsicht fehlt kein Nachweis der Liste. Bitte an den Unterlagen selbst prüfen."
)
NO_APPLICATION = (
    "Es wurde keine Lage erkannt, zu der die Hausliste einen Nachweis verlangt; vielleicht ist es "
    "kein Antrag. Nichts anfordern, bitte von Hand lesen."
)
UNREADABLE = "Der Text ist leer oder kaum lesbar. Nichts anfordern, bitte das Original lesen."
REMARKS = "Nur für die Bearbeitung, vor dem Versand löschen:"
SUBSTITUTE = "genannt ist nur ein Ersatz, der nach der Hausliste nicht zählt"
UNSURE = "unsicher, bitte zuerst prüfen"
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
MONTH = re.compile(r"jan|feb|maerz|apr|\bmai|june?|jun|jul|aug|sept?|okt|nov|dez")
MONTHS = ("jan", "feb", "mae", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez")
ENOUGH = re.compile(
    r"drei|dreier|\b3 ?-?(x|mon|stueck|volle|kontoausz)|\b3x|three|viertelj|quartal|lueckenlos"
    r"|alle\b|saemtlich|zeitraum"
)
ONE = re.compile(r"kontoauszug\b|letzten monat|lohnabrechnung (vom|nur)|zwei (monat|kontoausz)")
SENTENCE = re.compile(r"(?<![\d\s])[.!;](?=\s|$)|(?<=\d{4})\.(?=\s)|\n|(?<=\?)\s")
# Where a sentence falls into parts; what only says when ("sobald") stays with its part.
PIECE = re.compile(
    r"(,(?! sobald| wenn| bis)| und | un | sowie | aber | plus | - (?!\()"
    r"|(?<=\s)\d\.\s(?!jan|feb|mae|apr|mai|jun|jul|aug|sep|okt|nov|dez))"
)
NEW_ONE = re.compile(r" ?(der|die|das) neuer? ")
AND = (" und ", " un ", " sowie ")
ABBREVIATED = re.compile(
    r"\b([a-z-]{0,20}(?:abr|abrechn|ausz|vertr|vers|ausw|nachw|anl|besch|sept|aug|okt|nov|dez|mon))\."
)
BOX = re.compile(r"\[ ?([x✓]?) ?\]")
WORD = re.compile(r"[a-z]{2,}")
Pattern = re.Pattern[str]


@dataclass(frozen=True)
class Proof:
    """One line of the house list: what to ask for and why, and the words that point to it."""

    key: str
    title: str
    ask: str
    reason: str
    names: Pattern
    instead: Pattern
    needs: Pattern


@dataclass(frozen=True)
class Catalogue:
    """The word lists of the folder: the proofs, and the cues by their name."""

    proofs: tuple[Proof, ...]
    cues: dict[str, Pattern]

    def has(self, cue: str, text: str) -> bool:
        """Whether the text holds one of the words of that cue."""
        return self.cues[cue].search(text) is not None


@dataclass(frozen=True)
class Mention:
    """A document named in the text: the cue that rules it, and the words around it."""

    proof: str
    cue: str
    piece: str
    sentence: str
    window: str
    listed: bool
    """No cue, but named beside other documents, as in a list of enclosures."""


@dataclass(frozen=True)
class Finding:
    """What a variant found in one text: the missing proofs, those enclosed, those on file."""

    missing: Notes
    enclosed: tuple[str, ...] = ()
    on_file: tuple[str, ...] = ()


Finder = Callable[[str], Finding]


def one_of(words: list[str]) -> Pattern:
    """A pattern for any of the words; of no words, one that matches nothing."""
    return re.compile("|".join(words) if words else r"(?!)")


def load_catalogue(folder: Path) -> Catalogue:
    """Read the word lists of the scenario in ``folder``."""
    rows = json.loads((folder / "nachweise.json").read_text(encoding="utf-8"))
    proofs = tuple(
        Proof(
            key=key,
            title=row["title"],
            ask=row["ask"],
            reason=row["reason"],
            names=one_of(row["names"]),
            instead=one_of(row["instead"]),
            needs=one_of(row["needs"]),
        )
        for key, row in rows["nachweise"].items()
    )
    return Catalogue(proofs, {name: one_of(words) for name, words in rows["merkmale"].items()})


def fold(text: str) -> str:
    """Lower case, umlauts written out, of an overlong text only beginning and end."""
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        text = f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"
    text = unicodedata.normalize("NFKC", text).casefold().translate(UMLAUTS)
    text = re.sub(r"[^\S\n]+", " ", text.replace("\x00", " "))
    return ABBREVIATED.sub(r"\1", text)


def read_boxes(line: str) -> str:
    """Write the ticked boxes of a form as words: what is ticked is there, the rest is not."""
    parts: list[str] = []
    for run in re.split(r"(?<=:)", line.replace(" / ", ". ")):
        marks = [match.group(1) for match in BOX.finditer(run)]
        labels = [label.strip() for label in BOX.sub("\0", run).split("\0")]
        if not marks:
            parts.append(run)
        elif not labels[0]:  # the box stands before its label
            pairs = zip(marks, labels[1:], strict=True)
            parts += [f"{label} {'anbei' if mark else 'fehlt'}." for mark, label in pairs]
        else:
            parts += [f"{label}." for mark, label in zip(marks, labels, strict=False) if mark]
            parts.append(labels[-1])
    return " ".join(parts)


def sentences(text: str, words: Catalogue) -> list[str]:
    """The statements of a folded text; questions and orders to a machine state nothing."""
    lines = (read_boxes(line) if "[" in line else line for line in text.split("\n"))
    found = (part.strip() for line in lines for part in SENTENCE.split(line) if part)
    kept = [s for s in found if s and not s.endswith("?") and not words.has("steering", s)]
    return kept[:MAX_SENTENCES]


def cue_of(piece: str, words: Catalogue) -> str:
    """What a part of a sentence says of its documents; empty if nothing."""
    if words.has("known", piece):
        return "known"
    if words.has("partial", piece):
        return "partial"
    if words.has("absent", piece) and not words.has("not_absent", piece):
        return "absent"
    return "there" if words.has("there", piece) else ""


def mentions(stated: list[str], words: Catalogue) -> list[Mention]:
    """Every document named, with its own cue, else the one before it, else the one after it."""
    start = next((i for i, s in enumerate(stated) if words.has("directory", s)), 0)
    found: list[Mention] = []
    for number, sentence in enumerate(stated[start:], start=start + 1):
        pieces = pieces_of(sentence)
        cues = ruling_cues(sentence, words)
        several = sum(proof.names.search(sentence) is not None for proof in words.proofs) > 1
        for index, (piece, cue) in enumerate(zip(pieces, cues, strict=True)):
            for proof in words.proofs:
                if proof.names.search(piece):
                    ruling = cue or cue_after(stated, number, words)
                    window = window_of(pieces, index, words)
                    listed = not ruling and several
                    found.append(Mention(proof.key, ruling, piece, sentence, window, listed))
    return found


def cue_after(stated: list[str], number: int, words: Catalogue) -> str:
    """The cue of the next sentence where it names no document itself ("I enclose it")."""
    after = stated[number] if number < len(stated) else ""
    named = any(proof.names.search(after) for proof in words.proofs)
    return "there" if not named and cue_of(after, words) == "there" else ""


def pieces_of(sentence: str) -> list[str]:
    """The parts of a sentence between commas and conjunctions."""
    return PIECE.split(sentence)[::2]


def ruling_cues(sentence: str, words: Catalogue) -> list[str]:
    """By part of the sentence the cue that rules it: its own, that of a part joined to it by
    "and" that says something is absent, else the last one before, else the first one after."""
    parts = PIECE.split(sentence)
    own = [cue_of(piece, words) for piece in parts[::2]]
    renewed = any(NEW_ONE.match(p) and c == "there" for p, c in zip(parts[::2], own, strict=True))
    first = next((cue for cue in own if cue), "")
    ruling: list[str] = []
    for index, cue in enumerate(own):
        joined = not cue and own[index + 1 : index + 2] == ["absent"]
        if joined and parts[2 * index + 1] in AND:
            found = "absent"
        else:
            found = first = cue or first
        ruling.append("there" if renewed and found == "absent" else found)
    return ruling


def window_of(pieces: list[str], index: int, words: Catalogue) -> str:
    """The words that may say for which months: up to the next document."""
    window = [pieces[index]]
    for piece in pieces[index + 1 :]:
        if any(other.names.search(piece) for other in words.proofs):
            break
        window.append(piece)
    return ", ".join(window)


def months_named(text: str) -> int | None:
    """How many months the words cover, three standing for enough; None if they do not say."""
    if ENOUGH.search(text):
        return 3
    hits = list(MONTH.finditer(text))
    found = [MONTHS.index(hit.group()[:3]) for hit in hits]
    if len(hits) == 2 and re.search(r"bis|-", text[hits[0].end() : hits[1].start()]):
        return (found[1] - found[0]) % 12 + 1
    if found:
        return len(set(found))
    return 1 if ONE.search(text) else None


def kind_of(stated: list[str], words: Catalogue) -> str:
    """``first``, ``renewal`` or ``change``; the last needs only what its matter calls for."""
    text = "\n".join(stated)
    for kind in ("first", "renewal"):
        if words.has(kind, text):
            return kind
    if words.has("running", text):
        return "change"
    documents = sum(proof.names.search(text) is not None for proof in words.proofs)
    return "first" if words.has("application", text) or documents > 2 else "change"


def required(stated: list[str], words: Catalogue) -> set[str]:
    """The proofs that the house rules ask for in the situation described."""
    text = "\n".join(stated)
    kind = kind_of(stated, words)
    pieces = [piece for sentence in stated for piece in pieces_of(sentence)]
    stating = [piece for piece in pieces if not words.has("negated", piece)]
    needs = {
        proof.key for proof in words.proofs if any(proof.needs.search(piece) for piece in stating)
    }
    moved = words.has("moved", text)
    own_heating = "heizkostenabrechnung" in needs and (kind == "first" or moved)
    if not (own_heating or words.has("surcharge", text)):
        needs.discard("heizkostenabrechnung")
    if kind != "first" and not moved:
        needs.discard("mietvertrag")
    if moved:
        needs.add("mietvertrag")
    if "arbeitsvertrag" in needs:
        needs.add("einkommensnachweis")
        if words.has("future", text):
            needs.discard("einkommensnachweis")
    if kind == "first" or words.has("joined", text):
        needs |= {"personalausweis", "kontoauszuege", "krankenversicherung"}
    if kind == "renewal":
        needs.add("kontoauszuege")
    return needs | family_needs(text, kind, words)


def family_needs(text: str, kind: str, words: Catalogue) -> set[str]:
    """What follows from children in the household: maintenance and, from 15 on, school."""
    needs: set[str] = set()
    if any(words.has("age", s) for s in text.split("\n")) and words.has("school", text):
        needs.add("schulbescheinigung")
    alone = words.has("parted", text) or (kind != "renewal" and words.has("parent", text))
    if alone and words.has("child", text) and not words.has("parent_dead", text):
        needs.add("unterhaltstitel")
    return needs


def note_on(key: str, found: list[Mention], new_job: bool) -> str | None:
    """Why a proof counts as missing; None where it is enclosed or already on file."""
    cues = [mention.cue for mention in found]
    if "known" in cues:
        return None
    listed = [mention for mention in found if mention.cue == "there" or mention.listed]
    if "partial" in cues:
        return "beigefügt, aber wohl unvollständig oder veraltet"
    if "absent" in cues:
        return "erwähnt, aber wohl nicht beigefügt"
    if not listed:
        return "" if not found else "erwähnt, aber nicht als beigefügt"
    if key == "kontoauszuege" or (key == "einkommensnachweis" and not new_job):
        count = months_named(" ".join(mention.window for mention in listed))
        if count is not None and count < 3:
            return "beigefügt, aber wohl nicht für drei Monate"
    return None


def rule_finder(words: Catalogue) -> Finder:
    """Missing is what the rules require and no mention shows as enclosed."""

    def find(text: str) -> Finding:
        stated = sentences(text, words)
        needed, named = required(stated, words), mentions(stated, words)
        missing: Notes = {}
        for proof in words.proofs:
            if proof.key in needed:
                own = [mention for mention in named if mention.proof == proof.key]
                note = note_on(proof.key, own, "arbeitsvertrag" in needed)
                if note is not None:
                    missing[proof.key] = note
        return finding_of(missing, needed, named)

    return find


def finding_of(missing: Notes, needed: set[str], named: list[Mention]) -> Finding:
    """What is needed and not missing, apart by whether it is enclosed or said to be on file."""
    on_file = {mention.proof for mention in named if mention.cue == "known"} - set(missing)
    enclosed = needed - set(missing) - on_file
    return Finding(missing, tuple(sorted(enclosed)), tuple(sorted(on_file)))


def checklist_finder() -> Finder:
    """The paper checklist: the standard proofs, unless exactly that word occurs."""

    def find(text: str) -> Finding:
        missing = [key for key in STANDARD if not re.search(rf"\b{key}\b", text)]
        return Finding(dict.fromkeys(missing, ""))

    return find


def letters(text: str) -> list[str]:
    """Words and the letter sequences in them, which see through endings and compounds."""
    found = WORD.findall(text)
    return found + [w[i : i + n] for w in found for n in (5, 7) for i in range(len(w) - n + 1)]


def context(found: list[Mention], new_job: bool) -> dict[str, float]:
    """What surrounds the mentions of one document, its own name left out (for the learner)."""
    features: dict[str, float] = {"none" if not found else "some": 1.0, f"new {new_job}": 1.0}
    for mention in found[:MAX_MENTIONS]:
        features[f"cue {mention.cue}"] = 1.0
        features[f"months {months_named(mention.window)}"] = 1.0
        for prefix, part in (("p ", mention.piece), ("s ", mention.sentence)):
            features.update({prefix + word[:6]: 1.0 for word in WORD.findall(part)})
    return features


def learned_finder(words: Catalogue, folder: Path) -> Finder:
    """Learn from examples which proofs a situation needs, and how enclosed documents are named.

    The first part is one classifier a proof over the whole text; the second is shared by all
    proofs and sees only the words around a document, so that few examples go a long way.
    """
    text_module: Any = import_module("sklearn.feature_extraction.text")
    dict_module: Any = import_module("sklearn.feature_extraction")
    selection: Any = import_module("sklearn.feature_selection")
    linear: Any = import_module("sklearn.linear_model")
    pipeline: Any = import_module("sklearn.pipeline")
    lines = (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    vectorizer = text_module.CountVectorizer(analyzer=letters, binary=True, min_df=2)
    texts = [fold(row["input"]) for row in rows]
    matrix = vectorizer.fit_transform(texts)
    needs = {}
    for proof in words.proofs:
        wanted = [proof.key in row["required"] for row in rows]
        best = selection.SelectKBest(selection.chi2, k=WORDS_PER_PROOF)
        model = linear.LogisticRegression(
            C=1.0, class_weight="balanced", solver="liblinear", random_state=0
        )
        needs[proof.key] = pipeline.make_pipeline(best, model).fit(matrix, wanted)
    examples, enclosed = [], []
    for row, text in zip(rows, texts, strict=True):
        named = mentions(sentences(text, words), words)
        for key in row["required"]:
            own = [mention for mention in named if mention.proof == key]
            examples.append(context(own, "arbeitsvertrag" in row["required"]))
            enclosed.append(key in row["enclosed"])
    there = pipeline.make_pipeline(
        dict_module.DictVectorizer(),
        linear.LogisticRegression(C=5.0, class_weight="balanced", max_iter=300),
    ).fit(examples, enclosed)

    def find(text: str) -> Finding:
        row = vectorizer.transform([text])
        need = {key: float(model.predict_proba(row)[0, 1]) for key, model in needs.items()}
        needed = {key for key, share in need.items() if share >= NEEDED}
        named = mentions(sentences(text, words), words)
        missing: Notes = {}
        for key in (key for key in need if key in needed):
            own = [mention for mention in named if mention.proof == key]
            features = context(own, "arbeitsvertrag" in needed)
            lack = 1.0 - float(there.predict_proba([features])[0, 1])
            if lack >= LACKING:
                missing[key] = UNSURE if min(need[key], lack) < SURE else ""
        return finding_of(missing, needed, named)

    return find


def beginning(text: str) -> str:
    """The first words of the text, so that a person finds the letter to which a draft belongs."""
    plain = " ".join(text[:400].split())
    return "".join(sign for sign in plain[:START_CHARS] if sign.isprintable()).strip() + " …"


def draft(text: str, folded: str, found: Finding, words: Catalogue, standard: bool) -> str:
    """The draft that a case worker reads: each missing proof with its reason, then remarks."""
    start = f"Eingang beginnt mit: „{beginning(text)}“."
    if not (found.missing or found.enclosed or found.on_file):
        if len(WORD.findall(folded)) < MIN_WORDS:
            return f"{NOTICE}\n\n{UNREADABLE}"
        return f"{NOTICE}\n\n{COMPLETE if standard else NO_APPLICATION}\n\n{REMARKS}\n{start}"
    titles = {proof.key: proof.title for proof in words.proofs}
    asked: list[str] = []
    remarks = [start]
    for proof in words.proofs:
        if proof.key in found.missing:
            reason = "steht auf der Standardliste" if standard else proof.reason
            asked.append(f"{len(asked) + 1}. {proof.ask}\n   Grund: {reason}.")
            instead = None if standard else proof.instead.search(folded)
            note = SUBSTITUTE if instead else found.missing[proof.key]
            remarks += [f"{proof.title}: {note}."] if note else []
    if found.enclosed:
        names = ", ".join(titles[key] for key in found.enclosed)
        remarks.append(f"Als beigefügt gelesen: {names}.")
    if found.on_file:
        names = ", ".join(titles[key] for key in found.on_file)
        remarks.append(f"Soll schon in der Akte sein, bitte nachsehen: {names}.")
    parts = [NOTICE, COMPLETE]
    if asked:
        parts = [NOTICE, "\n".join([MISSING, *asked]), CLOSING]
    return "\n\n".join([*parts, "\n".join([REMARKS, *remarks])])


def build(variant: str, folder: Path) -> Callable[[str], Answer]:
    """Build one variant of the scenario in ``folder``; it answers text and missing."""
    words = load_catalogue(folder)
    finders: dict[str, Callable[[], Finder]] = {
        "regeln": lambda: rule_finder(words),
        "gelernt": lambda: learned_finder(words, folder),
        "papierliste": checklist_finder,
    }
    if variant not in finders:
        raise ValueError(f"unknown variant: {variant!r}")
    find = finders[variant]()

    def answer(text: str) -> Answer:
        folded = fold(text)
        found = find(folded) if WORD.search(folded) else Finding({})
        report = draft(text, folded, found, words, standard=variant == "papierliste")
        return {"text": report, "missing": list(found.missing)}

    return answer
