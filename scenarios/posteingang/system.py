"""Three AI ways and one without AI to sort a letter: its class and the day by which to act.

``gelernt`` learns both from ``train.jsonl`` (linear models), ``regeln`` weighs the word lists of
``wortlisten.md`` and reads the words around a date, ``verbund`` takes the mean of both unless a
critical class is suspected. ``eingangsstelle`` is the baseline: it looks up the first line in a
list of keywords, as the mail room does. Nothing is generated, sent or decided.
"""

import json
import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
Rows = list[dict[str, Any]]
Shares = dict[str, float]
"""How much speaks for each class; the shares of a letter sum to 1."""

CLASSES = {
    "widerspruch": ("Widerspruch", "Widerspruchsstelle, am selben Tag"),
    "terminsache": ("Terminsache", "Teamleitung oder Rechtsstelle, am selben Tag"),
    "weiterbewilligung": ("Weiterbewilligung", "Leistungsbereich"),
    "veraenderungsmitteilung": ("Veränderungsmitteilung", "Leistungsbereich"),
    "nachweise": ("Nachweise", "Leistungsbereich, zur Anforderung"),
    "mietangelegenheit": ("Mietangelegenheit", "Leistungsbereich, Unterkunft"),
    "vermittlung": ("Vermittlung", "Arbeitsvermittlung oder Arbeitgeberservice"),
    "beschwerde": ("Beschwerde", "Beschwerdestelle"),
    "sonstiges": ("Sonstiges", "Service, nach Durchsicht"),
}
CRITICAL = ("widerspruch", "terminsache")
# Mean share from which a critical class is suspected; set by cross-validation on train.jsonl.
SUSPICION = 0.18
# Weight from which a word list gives a sure sign of a critical class.
SURE_WEIGHT = 4
# Below this share a second class is named.
UNSURE = 0.4
# Probability from which the learner takes a date for a deadline.
DUE_SHARE = 0.5
# Spreads the distances of the learned model over the shares.
SOFTMAX = 3.0
# Longer texts are read at both ends only, so that effort never grows with the length.
HEAD_CHARS = 6000
TAIL_CHARS = 2000
MAX_WORDS = 200
NOTICE = "Vorschlag zur Durchsicht; ein Mensch entscheidet und leitet weiter."
UNREADABLE = "Kein lesbarer Text: bitte das Original ansehen.\nKlasse: Sonstiges\nFrist: unbekannt"

MONTHS = (
    "januar februar märz april mai juni juli august september oktober november dezember".split()
)
NUMBERS = (
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn".split()
)
MONTH = "|".join(MONTHS)
COUNT = r"\d{1,2}|eine[rms]?|" + "|".join(NUMBERS[2:])
DAY = re.compile(r"(?<![\d.])(\d{1,2})\. ?(\d{1,2})\.(?: ?(20\d\d)(?!\d))?")
DAY_IN_WORDS = re.compile(rf"(?<![\d.])(\d{{1,2}})\. ?({MONTH})\b(?: ?(20\d\d)\b)?")
MONTH_END = re.compile(rf"\b(?:ende (?:des monats|({MONTH})(?: (20\d\d))?)|monatsende)\b")
PERIOD = re.compile(rf"\b({COUNT}) (tage?n?|wochen?|monate?[ns]?)\b")
RECEIVED = re.compile(r"\bein[gq]ang:? {0,3}(?:am )?(\d{1,2})\.(\d{1,2})\.(20\d\d)")
SERVED = re.compile(r"(?:(\d{1,2})\.(\d{1,2})\.(20\d\d)) (?:zugegangen|zugestellt|erhalten)")
MISREAD_DAY = re.compile(r"\b[\dOIl]{1,2}\.[\dOIl]{1,2}\.(?:2[\dOIl]{3})?")
SPACED = re.compile(r"\b(?:[A-Za-zÄÖÜäöüß] ){4,}[A-Za-zÄÖÜäöüß]\b")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
WORD = re.compile(r"[^\W\d_]{3,}")
DAY_BY = re.compile(r"\bbis (?:zum )?(\d{1,2})\.(\d{1,2})\.(20\d\d)")

# Before and after a date: what makes it a day by which to act, and what makes it just a date.
DUE_BEFORE = re.compile(
    r"\bbis (?:(?:zum|spätestens|einschließlich|zu|den|dem|\w+tag,?|mittwoch,?) ?)*$"
    r"|spätestens|fällig|frist|\bendet|ablauf|läuft|laufen|unterbrech|termin|ladung"
    r"|sperr|räumung|letzte \w+ ist|auszug zum $|\w+tag, (?:de[nm] )?$"
)
DUE_AFTER = re.compile(
    r"^.{0,40}?(?:sperr|abgestellt|\bzu[.,!]|räum|läuft|frist|angekündigt"
    r"|unterbrech|nicht wahrnehmen|um \d{1,2}(?::\d\d)? uhr|zeit\b|in die wohnung|techniker)"
)
NOT_DUE = re.compile(
    r"(?:befristet|krank|bescheinigung geht|\bvom \d[\d.]{3,9})"
    r"[^.]{0,30}\bbis (?:zum )?$|(?:bescheid\w*|schreiben|brief|anforderung|antrag|vertrag|ist) "
    r"(?:ist )?(?:vom|von|am) $|\bseit (?:dem )?$|beginnt (?:am )?$"
    r"|errechnete termin.{0,20}$"
)
PERIOD_BEFORE = re.compile(
    r"\b(?:binnen|innerhalb|frist)(?: von| der nächsten)? $|\bgeben .{0,40}$"
)
PERIOD_AFTER = re.compile(r"^ (?:ab|nach|seit) (?:zugang|zustellung|eingang|bekanntgabe)")

# What the mail room looks for in the first line, in this order.
FIRST_LINE = {
    "widerspruch": ("widerspruch", "einspruch"),
    "terminsache": ("gericht", "anhörung", "eilt", "mahnung", "räumung", "insolvenz", "sperre"),
    "weiterbewilligung": ("weiterbewilligung", "folgeantrag", "verlängerung"),
    "veraenderungsmitteilung": ("veränderung", "änderung", "umzug"),
    "nachweise": ("unterlagen", "nachweis", "kontoauszüge", "lohnabrechnung", "bescheinigung"),
    "mietangelegenheit": ("miete", "wohnung", "nebenkosten", "heizkosten"),
    "vermittlung": ("bewerbung", "stelle", "termin", "einladung"),
    "beschwerde": ("beschwerde",),
}


@dataclass(frozen=True)
class Found:
    """A date in a letter and what stands around it, in lower case."""

    day: date
    kind: str
    """``day``, ``month_end`` or ``period``."""
    before: str
    named: str
    after: str
    quote: str
    """The place as the letter writes it."""


@dataclass(frozen=True)
class Letter:
    """A letter as the systems read it: repaired, shortened, with the day of its receipt."""

    original: str
    text: str
    """The same in lower case, letter by letter."""
    first_line: str
    received: date | None
    dates: tuple[Found, ...]

    def words_at(self, start: int, end: int) -> str:
        """The whole words between two places, as the letter writes them."""
        while start > 0 and self.text[start - 1].isalnum():
            start -= 1
        while end < len(self.text) and self.text[end].isalnum():
            end += 1
        return self.original[start:end].strip()


@dataclass
class Verdict:
    """What a way of sorting says about a letter."""

    shares: Shares
    words: list[str]
    """The words that spoke most for the first class."""
    sure: list[str] = field(default_factory=list)
    """Critical classes of which a sure sign was seen."""
    raised: str = ""
    """A critical class that takes the place of the first one, to be on the safe side."""

    @property
    def best(self) -> str:
        return self.raised or max(CLASSES, key=self.shares.__getitem__)


def lower(text: str) -> str:
    """In lower case without a change of length, so that places stay the same."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def read_letter(text: str) -> Letter:
    """Repair common scan errors in dates and spaced words, then find receipt and dates."""
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        text = f"{text[:HEAD_CHARS]} {text[-TAIL_CHARS:]}"
    text = unicodedata.normalize("NFKC", CONTROL.sub(" ", text))
    text = MISREAD_DAY.sub(lambda m: m[0].translate(str.maketrans("OIl", "011")), text)
    text = SPACED.sub(lambda m: m[0].replace(" ", ""), text)
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    head = RECEIVED.search(lower(" ".join(lines)))
    body = [line for line in lines if not RECEIVED.match(lower(line))]
    received = safe_date(head[3], head[2], head[1]) if head else None
    original = " ".join(body)
    dates = find_dates(original, received)
    return Letter(original, lower(original), body[0] if body else "", received, dates)


def safe_date(year: str | int, month: str | int, day: str | int) -> date | None:
    """The day, or None where the calendar has no such day."""
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def find_dates(original: str, received: date | None) -> tuple[Found, ...]:
    """All days that a letter names or that follow from a period, in the order of their kinds.

    A date without a year takes that of the receipt, else the one the letter names elsewhere.
    """
    text = lower(original)
    named = re.search(r"\b20[23]\d\b", text)
    year = received.year if received else int(named[0]) if named else None
    found: list[Found] = []

    def add(day: date | None, match: re.Match[str], kind: str) -> None:
        if day:
            start, end = match.span()
            before, after = text[max(0, start - 80) : start], text[end : end + 80]
            quote = original[max(0, start - 40) : end + 40].strip()
            found.append(Found(day, kind, before, match[0], after, quote))

    for match in DAY.finditer(text):
        add(safe_date(match[3] or year or 0, match[2], match[1]), match, "day")
    for match in DAY_IN_WORDS.finditer(text):
        month = MONTHS.index(match[2]) + 1
        add(safe_date(match[3] or year or 0, month, match[1]), match, "day")
    for match in MONTH_END.finditer(text):
        add(month_end(match, year, received), match, "month_end")
    for match in PERIOD.finditer(text):
        add(period_end(match, text, received), match, "period")
    return tuple(found)


def month_end(match: re.Match[str], year: int | None, received: date | None) -> date | None:
    """The last day of the named month, or of the month of receipt."""
    if match[1] and (match[2] or year):
        month, in_year = MONTHS.index(match[1]) + 1, int(match[2] or year or 0)
    elif received and not match[1]:
        month, in_year = received.month, received.year
    else:
        return None
    return date(in_year, month, monthrange(in_year, month)[1])


def period_end(match: re.Match[str], text: str, received: date | None) -> date | None:
    """The end of a period (§ 188 BGB), moved to the next working day (§ 193 BGB, § 26 SGB X).

    It runs from the day of service where the letter names one and says so, else from the receipt.
    """
    served = SERVED.search(text)
    start = received
    if served and re.match(r" (?:ab|nach|seit) (?:zugang|zustellung)", text[match.end() :]):
        start = safe_date(served[3], served[2], served[1])
    if start is None:
        return None
    count = number(match[1])
    if match[2].startswith("monat"):
        year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
        end = date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
    else:
        end = start + timedelta(days=count * (7 if match[2].startswith("woche") else 1))
    while end.weekday() >= 5 or end in holidays(end.year):
        end += timedelta(days=1)
    return end


def number(word: str) -> int:
    """The value of a number in digits or words; every form of `ein` is 1."""
    if word.isdigit():
        return int(word)
    return 1 if word.startswith("ein") else NUMBERS.index(word)


def holidays(year: int) -> frozenset[date]:
    """Public holidays in Hessen; Easter after Butcher (1876), as in Meeus, chapter 8."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    h = (19 * a + b - d - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * e + 2 * (c // 4) - h - c % 4) % 7
    month, day = divmod(h + weekday - 7 * ((a + 11 * h + 22 * weekday) // 451) + 114, 31)
    easter = date(year, month, day + 1)
    fixed = {date(year, m, d) for m, d in ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26))}
    return frozenset(fixed | {easter + timedelta(days=n) for n in (-2, 1, 39, 50, 60)})


def is_due(found: Found) -> bool:
    """Whether the words around a date make it a day by which to act."""
    if found.kind == "period":
        return bool(PERIOD_BEFORE.search(found.before) or PERIOD_AFTER.match(found.after))
    if NOT_DUE.search(found.before):
        return False
    return bool(DUE_BEFORE.search(found.before[-45:]) or DUE_AFTER.match(found.after))


def first_due(letter: Letter, due: Callable[[Found], bool]) -> Found | None:
    """The earliest date that is due and not over; with equal days the one named first."""
    start = letter.received or date.min
    open_dates = [found for found in letter.dates if found.day >= start and due(found)]
    return min(open_dates, key=lambda found: found.day, default=None)


def load_cues(folder: Path) -> dict[str, list[tuple[float, re.Pattern[str]]]]:
    """The word lists of ``wortlisten.md``: weight and pattern by class."""
    cues: dict[str, list[tuple[float, re.Pattern[str]]]] = {}
    current = ""
    for line in (folder / "wortlisten.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            current = line[3:].strip()
            cues[current] = []
        elif entry := re.fullmatch(r"- ([\d.]+) `(.+)`", line):
            cues[current].append((float(entry[1]), re.compile(entry[2])))
    return cues


def rule_classes(folder: Path) -> Callable[[Letter], Verdict]:
    """Sum the weights of the word lists; words in the first line count half as much again."""
    cues = load_cues(folder)

    def classify(letter: Letter) -> Verdict:
        points: Shares = dict.fromkeys(CLASSES, 0.0)
        points["sonstiges"] = 0.5  # wins where no word list speaks
        words: dict[str, list[str]] = {key: [] for key in CLASSES}
        sure: list[str] = []
        for key, patterns in cues.items():
            for weight, pattern in patterns:
                if match := pattern.search(letter.text):
                    points[key] += weight * (
                        1.5 if pattern.search(letter.first_line.lower()) else 1
                    )
                    words[key].append(letter.words_at(*match.span()))
                    if key in CRITICAL and weight >= SURE_WEIGHT:
                        sure.append(key)
        total = sum(points.values())
        shares = {key: value / total for key, value in points.items()}
        return Verdict(shares, words[max(shares, key=shares.__getitem__)], sure)

    return classify


def context_words(found: Found) -> list[str]:
    """What a learner reads of a date: its kind and the words before and after, with their side."""
    before = re.findall(r"\w+|[,.:]", found.before)[-6:]
    shown = found.after if found.kind == "day" else f"{found.named} {found.after}"
    after = re.findall(r"\w+|[,.:]", shown)[:8]
    near = [f"v{place}:{word}" for place, word in enumerate(reversed(before[-2:]))]
    pair = ["vv:" + " ".join(before[-2:])]
    sides = [f"v:{word}" for word in before] + [f"n:{word}" for word in after]
    return [f"k:{found.kind}", *near, *pair, *sides]


def learn_deadlines(rows: Rows) -> Callable[[Found], bool]:
    """Learn from the labelled dates of the training texts which date is one by which to act."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    examples = [
        (found, found.day.isoformat() == row.get("deadline"))
        for row in rows
        for found in read_letter(row["input"]).dates
    ]
    vectorizer = CountVectorizer(analyzer=context_words, binary=True)
    features = vectorizer.fit_transform([found for found, _ in examples])
    model = LogisticRegression(C=1.0, max_iter=500).fit(features, [due for _, due in examples])

    def due(found: Found) -> bool:
        return float(model.predict_proba(vectorizer.transform([found]))[0, 1]) >= DUE_SHARE

    return due


def learn_classes(rows: Rows) -> Callable[[Letter], Verdict]:
    """Learn the classes from letter sequences within words (TF-IDF, linear support vectors).

    The shares are a softmax of the distances: an order of magnitude, no probability.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True)
    features = tfidf.fit_transform([read_letter(row["input"]).text for row in rows])
    model = LinearSVC(C=0.3, class_weight="balanced", random_state=0)
    model.fit(features, [row["class"] for row in rows])

    def classify(letter: Letter) -> Verdict:
        distances = model.decision_function(tfidf.transform([letter.text]))[0]
        powers = np.exp(SOFTMAX * (distances - distances.max()))
        words = list(dict.fromkeys(WORD.findall(letter.original)))[:MAX_WORDS] or [""]
        weights = tfidf.transform(words) @ model.coef_[int(distances.argmax())]
        best = sorted(zip((-weights).tolist(), words, strict=True))[:3]
        shares = dict(zip(model.classes_.tolist(), (powers / powers.sum()).tolist(), strict=True))
        return Verdict(shares, [word for weight, word in best if weight < 0])

    return classify


def combine(learned: Verdict, rules: Verdict) -> Verdict:
    """The mean of both, unless a critical class is suspected: then that class.

    Suspected is a critical class that a sure sign of the word lists names, or whose mean share
    reaches ``SUSPICION``. A false alarm costs a look, a missed deadline costs a right.
    """
    shares = {key: (learned.shares[key] + rules.shares[key]) / 2 for key in CLASSES}
    words = list(dict.fromkeys(learned.words + rules.words))
    both = Verdict(shares, words, rules.sure)
    if both.best in CRITICAL:
        return both
    suspected = [key for key in CRITICAL if key in rules.sure or shares[key] >= SUSPICION]
    if suspected:
        both.raised = max(suspected, key=shares.__getitem__)
    return both


def unreadable(letter: Letter) -> bool:
    """Whether hardly a word can be read, as after a failed scan."""
    return not WORD.search(letter.text)


def write(letter: Letter, verdict: Verdict, deadline: Found | None) -> Answer:
    """The proposal as a case worker reads it, with the fields ``class`` and ``deadline``."""
    title, office = CLASSES[verdict.best]
    lines = [f"Klasse: {title}", f"Weiter an: {office}"]
    if deadline:
        lines.append(f"Frist: {deadline.day:%d.%m.%Y}, aus der Stelle „… {deadline.quote} …“")
        if deadline.kind == "period":
            lines.append("Die Frist ist berechnet; bitte Beginn und Ende nachrechnen.")
    else:
        lines.append("Frist: keine gefunden")
    others = sorted({found.day for found in letter.dates} - {deadline.day if deadline else None})
    if others:
        named = ", ".join(f"{day:%d.%m.%Y}" for day in others[:6])
        lines.append(f"Weitere Daten, nicht als Frist gewertet: {named}")
    if verdict.words:
        lines.append(f"Ausschlaggebend: {', '.join(word[:60] for word in verdict.words[:4])}")
    if verdict.raised:
        lines.append("Vorsorglich so eingeordnet: Anzeichen für eine Sache mit Frist.")
    second = sorted(CLASSES, key=verdict.shares.__getitem__)[-2:]
    if verdict.shares[second[1]] < UNSURE or verdict.raised:
        other = next(key for key in reversed(second) if key != verdict.best)
        lines.append(f"Unsicher; auch möglich: {CLASSES[other][0]}")
    lines.append(NOTICE)
    day = deadline.day.isoformat() if deadline else None
    return {"text": "\n".join(lines), "class": verdict.best, "deadline": day}


def mail_room(letter: Letter) -> Answer:
    """Sort by keywords of the first line; note a deadline only where that line names one."""
    line = lower(letter.first_line)
    hits = [(key, word) for key, words in FIRST_LINE.items() for word in words if word in line]
    key, word = hits[0] if hits else ("sonstiges", "kein Stichwort")
    day = DAY_BY.search(line)
    deadline = safe_date(day[3], day[2], day[1]) if day else None
    text = [
        f"Klasse: {CLASSES[key][0]} (erste Zeile: {word})",
        f"Weiter an: {CLASSES[key][1]}",
        f"Frist: {deadline:%d.%m.%Y}" if deadline else "Frist: keine in der ersten Zeile",
        f"Erste Zeile: „{letter.first_line[:80]}“",
    ]
    day_text = deadline.isoformat() if deadline else None
    return {"text": "\n".join(text), "class": key, "deadline": day_text}


def load_rows(folder: Path) -> Rows:
    """The training texts with their class and, where there is one, their deadline."""
    lines = (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def class_finder(variant: str, folder: Path, rows: Rows) -> Callable[[Letter], Verdict]:
    """How a variant finds the class."""
    if variant == "regeln":
        return rule_classes(folder)
    learned = learn_classes(rows)
    if variant == "gelernt":
        return learned
    rules = rule_classes(folder)
    return lambda letter: combine(learned(letter), rules(letter))


def deadline_finder(variant: str, rows: Rows) -> Callable[[Letter, Verdict], Found | None]:
    """How a variant finds the deadline; ``verbund`` asks the learner only where a critical letter
    would else have none."""
    if variant == "regeln":
        return lambda letter, _: first_due(letter, is_due)
    learned = learn_deadlines(rows)
    if variant == "gelernt":
        return lambda letter, _: first_due(letter, learned)

    def find(letter: Letter, verdict: Verdict) -> Found | None:
        found = first_due(letter, is_due)
        return found or (first_due(letter, learned) if verdict.best in CRITICAL else None)

    return find


def build(variant: str, folder: Path) -> Callable[[str], Answer]:
    """Build one variant of the scenario in ``folder``; it answers text, class and deadline."""
    if variant == "eingangsstelle":
        return lambda text: mail_room(read_letter(text))
    if variant not in ("gelernt", "regeln", "verbund"):
        raise ValueError(f"unknown variant: {variant!r}")
    rows = load_rows(folder) if variant != "regeln" else []
    find_class, find_deadline = class_finder(variant, folder, rows), deadline_finder(variant, rows)

    def sort(text: str) -> Answer:
        letter = read_letter(text)
        if unreadable(letter):
            return {"text": f"{UNREADABLE}\n{NOTICE}", "class": "sonstiges", "deadline": None}
        verdict = find_class(letter)
        return write(letter, verdict, find_deadline(letter, verdict))

    return sort
