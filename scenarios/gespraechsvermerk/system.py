"""Three ways to turn rough notes of a counselling talk into a file note with headings.

``satzklassen`` learns from ``train.jsonl`` under which heading a sentence belongs and which one to
leave out; ``zentralitaet`` ranks sentences by their links to the others (TextRank) and by cue
words, without training; ``formular`` is the baseline without AI: the first sentences go into a
form. All quote sentences of the notes and write none of their own, so no sentence is invented;
what is kept, where it stands and which dates count is what they may get wrong.
"""

import calendar
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

Answer = dict[str, object]
Sorted = dict[str, list[str]]
"""The sentences of a note under the key of their heading, in the order of the notes."""
Sorter = Callable[[list[str]], Sorted]

HEADINGS = {
    "anlass": "Anlass",
    "sachstand": "Sachstand",
    "vereinbarung": "Vereinbarungen und Aufgaben",
    "termin": "Termine und Fristen",
}
LEFT_OUT = "weglassen"
# A heading never grows longer than this; the best sentences stay.
MOST = {"anlass": 2, "sachstand": 12, "vereinbarung": 12, "termin": 8}
# Of a longer text the beginning and the end are read, and at most this many sentences.
HEAD_CHARS = 8000
TAIL_CHARS = 2000
MAX_SENTENCES = 150
MAX_CHARS = 320
# A sentence is left out from this probability. Checked by cross-validation on train.jsonl only.
LEAVE_OUT_FROM = 0.35
# Share of the sentences that the ranking keeps: a habit of summaries, not tuned.
KEEP_SHARE = 0.6
LEAD_SENTENCES = 6

AI_NOTICE = (
    "Hinweis: Entwurf, von einer KI aus Sätzen der Notizen zusammengestellt. Vor der Übernahme in "
    "die Akte mit den Notizen vergleichen; Urteile über die Person und Gesundheitsdaten streichen."
)
FORM_NOTICE = (
    "Hinweis: Ohne KI. Die ersten Sätze der Notizen wurden in das Formular kopiert; der Rest ist "
    "von Hand zu ergänzen."
)
EMPTY = "In den Notizen wurde kein Satz erkannt. Bitte fassen Sie das Gespräch selbst zusammen."
MISSING = "in den Notizen nicht gefunden, bitte ergänzen"

MONTHS = "jan feb mär apr mai jun jul aug sep okt nov dez".split()
WEEKDAYS = "montag dienstag mittwoch donnerstag freitag samstag sonntag".split()
NUMBERS = {"einer": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "acht": 8}
_MONTH = (
    r"(?:januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember"
    r"|(?:jan|feb|apr|aug|sept|okt|nov|dez)\b\.?)"
)
FULL_DATE = re.compile(
    r"(?<![\d.,])(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2}\.|" + _MONTH + r")"
    r"(?:\s?(?P<year>20\d\d)\b|(?P<short>\d\d)\b(?!:))?"
    r"|\b(?P<iso>20\d\d-\d\d-\d\d)\b",
    re.IGNORECASE,
)
DAY_ONLY = re.compile(
    r"\b(?:am|bis(?: zum)?|zum)\s+(?P<day>\d{1,2})\.(?=\s*(?:um\b|ab\b|gegen\b|[,;)]|$))"
)
IN_WEEKS = re.compile(r"\b[Ii]n (?P<count>\d{1,2}|[a-zü]+) (?P<unit>Wochen?|Tagen)\b")
NEXT_WEEKDAY = re.compile(
    r"\b(?:[Kk]ommenden?|[Nn]ächsten?|[Aa]m|[Bb]is(?: zum)?) (?P<name>"
    + "|".join(day.title() for day in WEEKDAYS)
    + r")\b(?!,?\s*(?:de[nrm]\s*)?\d)"
)
TOMORROW = re.compile(r"(?<!heute )(?<!guten )(?<!jeden )\b(?P<far>über)?morgen\b")
END_OF_MONTH = re.compile(
    r"\b(?:bis|zum) (?:Monatsende|Ende (?:des Monats|(?P<month>" + _MONTH + r")))", re.IGNORECASE
)
# An earlier date of the sentence no longer holds; the last one behind such a word does.
CORRECTED = re.compile(r"(?<!/)\b(nein|verschoben|ging nicht|kann (sie|er) nicht)\b")
CANCELLED = re.compile(r"\b(abgesagt|entfällt|gestrichen)\b")

ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Za-zÄÖÜ]|ca|bzw|Std|Nr|Hr|Fr|Kd|wg|usw|etc|ggf|inkl|ehem|befr|vgl|evtl|tel|Tel|Zi"
    r"|Dr|St|max|mind|Jan|Feb|Apr|Aug|Sept|Okt|Nov|Dez|Mo|Di|Mi|Do|pers|persönl|schriftl)\.)$"
)
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ„\"(])|;\s+")
MONTH_AHEAD = re.compile(_MONTH, re.IGNORECASE)
BULLET = re.compile(r"^[\s\-–—•*·>=→#]+|^\s*(?:[A-H1-9]\)|[1-9]\.)\s+")
SPOKEN = (
    (re.compile(r"\s+doppelpunkt\b"), ":"),
    (re.compile(r"\s+komma\b"), ","),
    (re.compile(r"\s+punkt\b"), ".\n"),
    (re.compile(r"\bneuer? (?:zeile|absatz)\b"), "\n"),
)

# Cue words of the ranking without training, the first heading that fits wins.
CUES = {
    "termin": re.compile(
        r"(nächste[rs]?|neuer|folge-?|ersatz|vorstellungs)\s?-?(termin|gespräch|kontakt|treffen)"
        r"|wiedersehen|sehen (wir )?uns|treffen wir uns|wiedervorlage|\bbeginn(t)?\b.*\d",
        re.IGNORECASE,
    ),
    "vereinbarung": re.compile(
        r"vereinbart|abgesprochen|verabred|zusage|to.?do|aufgabe|\bbis (zum )?\d|spätestens|reicht"
        r"|nach(reichen|liefern)|schick|bringt|gibt .* ab|meldet sich|\bich (frage|kläre|prüfe|gebe"
        r"|rufe|stelle|erfrage)|\bwir (prüfen|klären|übernehmen|melden|stellen)|wird geprüft",
        re.IGNORECASE,
    ),
    "anlass": re.compile(
        r"\b(thema|anlass|grund|anliegen|geht es um|erstgespräch|vorsprache|gespräch|beratung|anruf"
        r"|telefonat|kam mit|kommt wegen|fragt, )",
        re.IGNORECASE,
    ),
}
LEAVE_OUT = re.compile(
    r"\bwirk(t|te)\b|eindruck|typisch|\bfaul|ausrede|meiner meinung|wetter|fußball|urlaub|\broch\b"
    r"|tablette|medikament|depress|therapie|diagnose|alkohol|nachbar|schwager|schwieger|religi"
    r"|ignorier|vergiss|anweisung",
    re.IGNORECASE,
)


def tidy(notes: str) -> str:
    """Beginning and end of the notes without control characters; dictated signs become signs."""
    if len(notes) > HEAD_CHARS + TAIL_CHARS:
        notes = f"{notes[:HEAD_CHARS]}\n{notes[-TAIL_CHARS:]}"
    notes = unicodedata.normalize("NFC", notes)
    notes = "".join(c if c.isprintable() or c == "\n" else " " for c in notes)
    if len(SPOKEN[2][0].findall(notes)) >= 3:
        for spoken, written in SPOKEN:
            notes = spoken.sub(written, notes)
    return notes


def split_line(line: str) -> Iterator[str]:
    """The sentences of one line; dates, initials and abbreviations end none."""
    start = 0
    for end in SENTENCE_END.finditer(line):
        before = line[start : end.start()]
        day_of_month = re.search(r"(?<![\d.])\d{1,2}\.$", before)
        if ABBREVIATION.search(before) or (day_of_month and MONTH_AHEAD.match(line, end.end())):
            continue
        yield before
        start = end.end()
    yield line[start:]


def sentences(notes: str) -> list[str]:
    """The sentences and bullet points that hold at least two words, at most 150."""

    def found() -> Iterator[str]:
        for line in notes.split("\n"):
            for piece in split_line(BULLET.sub("", line)):
                plain = " ".join(piece.split()).strip(" ;")
                if len(re.findall(r"[^\W\d_]{2,}", plain)) >= 2:
                    plain = plain[0].upper() + plain[1:]
                    yield plain if len(plain) <= MAX_CHARS else plain[: MAX_CHARS - 2] + " …"

    return list(islice(found(), MAX_SENTENCES))


def safe_date(year: int, month: int, day: int) -> date | None:
    """The date, or None where the calendar has none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def month_number(name: str) -> int:
    """The number of a month written as ``11.``, ``November`` or ``Nov.``."""
    if name[0].isdigit():
        return int(name.rstrip("."))
    return MONTHS.index(name[:3].lower()) + 1


def read_date(match: re.Match[str], talk: date | None) -> date | None:
    """The date of a match of FULL_DATE; without a year, the one nearest to the talk."""
    if match["iso"]:
        return safe_date(*map(int, match["iso"].split("-")))
    day, month = int(match["day"]), month_number(match["month"])
    if match["year"] or match["short"]:
        return safe_date(int(match["year"] or f"20{match['short']}"), month, day)
    if talk is None:
        return None
    years = (safe_date(talk.year + shift, month, day) for shift in (-1, 0, 1))
    return min((d for d in years if d), key=lambda d: abs(d - talk), default=None)


def talk_date(notes: str) -> date | None:
    """The first date with a year: notes begin with the day of the talk."""
    for match in FULL_DATE.finditer(notes):
        if match["iso"] or match["year"] or match["short"]:
            return read_date(match, None)
    return None


def month_end(talk: date, month: int | None) -> date:
    """Last day of the running month, or of the named month that comes next."""
    year = talk.year + (1 if month is not None and month < talk.month else 0)
    month = month or talk.month
    return date(year, month, calendar.monthrange(year, month)[1])


def relative_dates(sentence: str, talk: date) -> Iterator[tuple[int, date | None]]:
    """Position and date of words such as ``in zwei Wochen``, counted from the day of the talk."""
    for match in DAY_ONLY.finditer(sentence):
        day, ahead = int(match["day"]), talk
        if day <= talk.day:
            ahead = month_end(talk, None) + timedelta(days=1)
        yield match.start(), safe_date(ahead.year, ahead.month, day)
    for match in IN_WEEKS.finditer(sentence):
        count = NUMBERS.get(match["count"]) or (
            int(match["count"]) if match["count"].isdigit() else 0
        )
        yield match.start(), talk + timedelta(days=count * (7 if match["unit"][0] == "W" else 1))
    for match in NEXT_WEEKDAY.finditer(sentence):
        days = (WEEKDAYS.index(match["name"].lower()) - talk.weekday() - 1) % 7 + 1
        yield match.start(), talk + timedelta(days=days)
    for match in TOMORROW.finditer(sentence):
        yield match.start(), talk + timedelta(days=2 if match["far"] else 1)
    for match in END_OF_MONTH.finditer(sentence):
        yield (
            match.start(),
            month_end(talk, month_number(match["month"]) if match["month"] else None),
        )


def coming_dates(sentence: str, talk: date | None) -> list[date]:
    """The dates of a sentence that lie after the talk and were not taken back."""
    if CANCELLED.search(sentence):
        return []
    found = [(match.start(), read_date(match, talk)) for match in FULL_DATE.finditer(sentence)]
    if talk is not None:
        found += relative_dates(sentence, talk)
    found.sort(key=lambda pair: pair[0])
    if corrections := [match.start() for match in CORRECTED.finditer(sentence)]:
        found = [pair for pair in found if pair[0] > corrections[-1]][-1:]
    dates = [day for _, day in found if day]
    first = talk or date.min
    return [day for day in dates if first < day and (talk is None or (day - talk).days < 500)]


def masked(sentence: str) -> str:
    """The sentence with any date, time and number made alike, so that none of them is learned."""
    sentence = FULL_DATE.sub(" xdatum ", sentence)
    sentence = re.sub(r"\b\d{1,2}[:.]\d\d\b|\b\d{1,2}(?= Uhr)", " xuhr ", sentence)
    return re.sub(r"\d+", " xzahl ", sentence).lower()


def sentence_classifier(folder: Path) -> Any:
    """Logistic regression over words and letter sequences, trained on ``train.jsonl``."""
    text: Any = import_module("sklearn.feature_extraction.text")
    linear: Any = import_module("sklearn.linear_model")
    pipeline: Any = import_module("sklearn.pipeline")
    lines = (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    vectorizer = text.TfidfVectorizer
    by_words = vectorizer(preprocessor=masked, ngram_range=(1, 2), sublinear_tf=True)
    by_letters = vectorizer(
        preprocessor=masked, analyzer="char_wb", ngram_range=(2, 4), min_df=2, sublinear_tf=True
    )
    views = pipeline.FeatureUnion([("words", by_words), ("letters", by_letters)])
    model = linear.LogisticRegression(C=10.0, class_weight="balanced", max_iter=500)
    classifier = pipeline.make_pipeline(views, model)
    classifier.fit([row["input"] for row in rows], [row["label"] for row in rows])
    return classifier


def by_learned_class(folder: Path) -> Sorter:
    """Put each sentence under its most probable heading, the best ones where it gets long."""
    classifier = sentence_classifier(folder)
    labels = [str(label) for label in classifier.classes_]
    out = labels.index(LEFT_OUT)

    def sort(notes: list[str]) -> Sorted:
        scored: dict[str, list[tuple[float, int]]] = {key: [] for key in HEADINGS}
        for index, chances in enumerate(classifier.predict_proba(notes)):
            if chances[out] < LEAVE_OUT_FROM:
                best = max((i for i in range(len(labels)) if i != out), key=lambda i: chances[i])
                scored[labels[best]].append((float(chances[best]), index))
        return {
            key: [notes[i] for i in sorted(i for _, i in sorted(found, reverse=True)[: MOST[key]])]
            for key, found in scored.items()
        }

    return sort


def centrality(notes: list[str]) -> list[float]:
    """TextRank (Mihalcea and Tarau, 2004) over shared word beginnings; the mean is 1."""
    np: Any = import_module("numpy")
    stems = [{word[:6] for word in re.findall(r"[^\W\d_]{4,}", note.lower())} for note in notes]
    vocabulary = {stem: i for i, stem in enumerate(sorted(set().union(*stems)))}
    table = np.zeros((len(notes), max(1, len(vocabulary))))
    for row, found in enumerate(stems):
        table[row, [vocabulary[stem] for stem in found]] = 1.0
    lengths = np.log(table.sum(axis=1) + 2.0)
    links = (table @ table.T) / (lengths[:, None] + lengths[None, :])
    np.fill_diagonal(links, 0.0)
    totals = links.sum(axis=0)
    links = np.divide(links, totals, out=np.full_like(links, 1.0 / len(notes)), where=totals > 0)
    rank = np.ones(len(notes))
    for _ in range(40):
        rank = 0.15 + 0.85 * links @ rank
    return [float(value) for value in rank / rank.mean()]


def by_centrality(notes: list[str]) -> Sorted:
    """Keep the central sentences and those with cue words, sorted under headings by cue words."""
    ranked: list[tuple[float, int]] = []
    headings: list[str] = []
    for index, (note, rank) in enumerate(zip(notes, centrality(notes), strict=True)):
        heading = next((key for key, cue in CUES.items() if cue.search(note)), "sachstand")
        headings.append(heading)
        bonus = (
            (heading != "sachstand")
            + bool(FULL_DATE.search(note))
            - 3 * bool(LEAVE_OUT.search(note))
        )
        ranked.append((rank + bonus, index))
    best = sorted(ranked, key=lambda pair: (-round(pair[0], 9), pair[1]))
    kept: Sorted = {key: [] for key in HEADINGS}
    for index in sorted(i for _, i in best[: max(3, round(KEEP_SHARE * len(notes)))]):
        if len(kept[headings[index]]) < MOST[headings[index]]:
            kept[headings[index]].append(notes[index])
    return kept


def by_lead(notes: list[str]) -> Sorted:
    """Copy the first sentences into the form, without looking at what they say."""
    return {"anlass": notes[:1], "sachstand": notes[1:LEAD_SENTENCES]}


def with_opening(sort: Sorter, notes: list[str]) -> Sorted:
    """Sort all but a first sentence with the day of the talk: that one opens the occasion."""
    if not FULL_DATE.search(notes[0]):
        return sort(notes)
    kept = sort(notes[1:]) if notes[1:] else {}
    return {**kept, "anlass": [notes[0], *kept.get("anlass", [])]}


def note_text(notes: list[str], kept: Sorted, talk: date | None, dates: list[date]) -> str:
    """The file note as plain text: headings, quoted sentences, an overview of the dates."""
    day = talk.strftime("%d.%m.%Y") if talk else MISSING
    parts = [f"Gesprächsvermerk (Entwurf)\nGespräch am: {day}"]
    for key, title in HEADINGS.items():
        lines = [f"- {sentence}" for sentence in kept.get(key, [])] or [f"- {MISSING}"]
        parts.append("\n".join([title, *lines]))
    overview = ", ".join(day.strftime("%d.%m.%Y") for day in dates) or "keine erkannt"
    parts.append(f"Daten im Überblick: {overview}")
    used = sum(len(found) for found in kept.values())
    parts.append(f"Übernommen: {used} von {len(notes)} Sätzen und Stichpunkten.")
    return "\n\n".join(parts)


def build(variant: str, folder: Path) -> Callable[[str], Answer]:
    """Build one variant of the scenario in ``folder``; it answers text and dates (ISO)."""
    if variant == "satzklassen":
        sort, dated = by_learned_class(folder), ("vereinbarung", "termin")
    elif variant == "zentralitaet":
        sort, dated = by_centrality, ("vereinbarung", "termin")
    elif variant == "formular":
        sort, dated = by_lead, ("anlass", "sachstand")
    else:
        raise ValueError(f"unknown variant: {variant!r}")
    notice = FORM_NOTICE if variant == "formular" else AI_NOTICE

    def answer(raw: str) -> Answer:
        tidied = tidy(raw)
        notes = sentences(tidied)
        if not notes:
            return {"text": f"Gesprächsvermerk (Entwurf)\n\n{EMPTY}\n\n{notice}", "dates": []}
        talk = talk_date(tidied)
        kept = sort(notes) if variant == "formular" else with_opening(sort, notes)
        found = {day for key in dated for s in kept.get(key, []) for day in coming_dates(s, talk)}
        text = note_text(notes, kept, talk, sorted(found))
        return {"text": f"{text}\n\n{notice}", "dates": [d.isoformat() for d in sorted(found)]}

    return answer
