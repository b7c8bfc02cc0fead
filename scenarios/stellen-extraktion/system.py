"""Three ways to read the fields of a job advert that an employer sent in as plain text.

``tagger`` learned from ``train.jsonl`` which words of an advert name the job, the employer, the pay
and so on; ``regeln`` knows word lists and patterns; ``formular`` is the baseline without AI: the
first line and lines such as "Lohn: ..." are copied into the form. All three share one way to write
a value (dates, pay, licences), so that they differ only in what they find.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

Answer = dict[str, object]
Found = dict[str, list[str]]
"""The passages of the advert found for each field, the most trusted one first."""

FIELDS = {
    "occupation": "Beruf",
    "employer": "Arbeitgeber",
    "place": "Arbeitsort",
    "hours": "Stellenumfang",
    "start": "Beginn",
    "pay": "Lohn",
    "licence": "Pflicht-Fahrerlaubnis",
}
HOURS = {
    "vollzeit": "Vollzeit",
    "teilzeit": "Teilzeit",
    "vollzeit-oder-teilzeit": "Vollzeit oder Teilzeit",
    "minijob": "Minijob",
    "ausbildung": "Ausbildung",
    "unklar": "unklar",
}
LICENCES = ("B", "BE", "C1", "C", "CE", "D", "T", "Stapler")
# An advert is rarely longer than this; of a longer text the beginning and the end are read.
HEAD_CHARS, TAIL_CHARS = 5000, 1000
MAX_VALUE = 80
# How many passages of the advert are quoted beside a value, as evidence for the person who checks.
QUOTED = {"hours": 2, "start": 1, "pay": 1, "licence": 2}
FULL_TIME = 35
# A day or month without a year is the next one after this date.
TODAY = date(2026, 11, 1)
MONTHS = "jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez".split("|")
ENGLISH = {"mar": "mär", "may": "mai", "oct": "okt", "dec": "dez"}
MONTH = "|".join([*MONTHS, *ENGLISH])

HOUR_WORDS = {
    "ausbildung": r"ausbildungs(?:platz|plätze|stelle)|ausbildung\b|azubi|auszubildende"
    r"|lehrstelle|bild(?:et|en) aus|duales studium",
    "minijob": r"mini-?job|geringf[üu]e?gig|(?:603|556|538|520)[ -]?(?:euro|€)|\b603\b",
    "vollzeit": r"vollzeit|voll-|\bvz\b|full-? ?time|volle stelle|vollkonti|100 ?%",
    "teilzeit": r"teilzeit|teil-|\btz\b|part-? ?time|halbtags|halbe stelle"
    r"|(?<!\d)(?!100)\d\d ?(?:%|prozent)|\b0,\d+ stelle",
}
HOUR_NUMBER = re.compile(
    r"(\d{1,2})(?:[.,]\d+)?(?: ?(?:bis|-|–|to) ?(\d{1,2})(?:[.,]\d+)?)?[ -]?"
    r"(?:wochenstunden|stunden|std|h\b|hours)"
)
SOON = re.compile(
    r"sofort|umgehend|nächstmöglich|naechstmoeglich|baldmöglichst|so bald wie möglich|jederzeit"
    r"|immediately|\basap\b|schnellstmöglich"
)
DAY = re.compile(rf"(?<!\d)(\d{{1,2}})\.? ?(?:(\d{{1,2}})\.|({MONTH})\w*) ?(\d{{4}}|\d\d(?!\d))?")
ISO_DAY = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
MONTH_ONLY = re.compile(rf"(?<!\w)({MONTH})\w*\.?(?: (\d{{4}}))?")
NUMBER = r"\d{1,3}(?:[.,]\d{3})(?!\d)|\d+(?:[.,]\d\d?)?"
PAY = re.compile(
    rf"(ab |mindestens )?(?:€|eur\b)? ?({NUMBER}) ?(?:€|euro?)?(?: ?(?:bis|-|–|to) ?({NUMBER}))?"
)
TARIFF = re.compile(
    r"\b(?:TVöD|TV-?[HNL]\b|TVAöD|AVR|NV Bühne|EG ?\d|E ?\d+\b|S ?\d+[ab]?\b|Entgeltgruppe)", re.I
)
UNITS = (
    (r"stunde|std|/ ?h\b|hour|stundenlohn|die stunde", "Stunde"),
    (r"(?:pro|im|/) ?jahr|jährlich|p\. ?a\.|per year", "Jahr"),
    (r"monat|mtl|month|brutto|fixum", "Monat"),
    (r"\btag\b|day|täglich", "Tag"),
    (r"unterrichtseinheit|\bue\b", "Unterrichtseinheit"),
)
LICENCE_WORD = r"führerschein\w*|fuehrerschein\w*|fahrerlaubnis|\bfs\b|lappen"
CLASS = re.compile(r"(?<![\w-])(BE|B|C1E|C1|CE|C|D|T)(?![\w-])")
FORKLIFT = re.compile(
    r"(?:stapler|flurförder)\w*(?:schein|erlaubnis|ausweis)|stapler-?führerschein", re.I
)
GENDER = re.compile(r"\s*\((?:[mwdfxgn/*|, ]{1,9}|gn|all genders)\)|[/:*_]-?in(?:nen)?\b", re.I)
LABELS = {
    "occupation": r"stelle|position|beruf|tätigkeit|was|stellenbezeichnung|wir suchen|gesucht",
    "employer": r"arbeitgeber|firma|betrieb|unternehmen|wer|träger|bei wem",
    "place": r"ort|arbeitsort|einsatzort|standort|wo|dienstort",
    "hours": r"arbeitszeit|umfang|stunden|wie viel|stellenumfang|beschäftigung",
    "start": r"beginn|start|eintritt|ab wann|ab|eintrittstermin|wann|dienstbeginn",
    "pay": r"lohn|gehalt|vergütung|bezahlung|verdienst|entgelt|stundenlohn",
    "licence": r"führerschein|fahrerlaubnis",
}
LABEL_LINE = re.compile(r"^[\s*•·-]*([A-Za-zÄÖÜäöüß ]{2,20}?) ?[:=] *(\S.*)$", re.M)


def shorten(text: str) -> str:
    """Keep beginning and end of an overlong text, so that effort never grows with its length."""
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        text = f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text).strip()


# How a value is written. Each function takes the passages found and gives a value or nothing.


def name(passages: Iterable[str]) -> str | None:
    """The first usable passage as a name; all capitals or all small letters are mended."""
    for passage in passages:
        text = re.sub(r"\s+", " ", GENDER.sub("", passage)).strip(" .,;:!?*-–|·•\"'„“()")
        if not any(c.isalpha() for c in text) or len(text) > MAX_VALUE:
            continue
        if text.isupper() or text.islower():
            small = ("für", "im", "in", "am", "an", "der", "die", "und", "zur", "zum")
            words = [w if w in small else w.capitalize() for w in text.lower().split()]
            text = re.sub(r"\bG?gmbh\b", "GmbH", " ".join(words), flags=re.I)
            text = re.sub(r"-([a-zäöü])", lambda m: f"-{m[1].upper()}", text)
        dotted = re.search(r"\be\. ?[VK]$", text)
        return text[0].upper() + text[1:] + ("." if dotted else "")
    return None


def hours(passages: Iterable[str]) -> str:
    """The extent of the job: words count first, then the number of weekly hours."""
    text = " ".join(passages).casefold()
    at = {kind: m.start() for kind, p in HOUR_WORDS.items() if (m := re.search(p, text))}
    if at:
        first = min(at, key=lambda kind: at[kind])
        if first in ("vollzeit", "teilzeit") and {"vollzeit", "teilzeit"} <= set(at):
            return "vollzeit-oder-teilzeit"
        return first
    if number := HOUR_NUMBER.search(text):
        low, high = int(number[1]), int(number[2] or number[1])
        if low < FULL_TIME <= high:
            return "vollzeit-oder-teilzeit"
        return "vollzeit" if low >= FULL_TIME else "teilzeit"
    return "unklar"


def start(passages: Iterable[str]) -> str | None:
    """``sofort``, a day (2026-12-01) or a month (2026-12)."""
    for passage in passages:
        text = passage.casefold()
        if SOON.search(text):
            return "sofort"
        if iso := ISO_DAY.search(text):
            return iso[0]
        if day := DAY.search(text):
            month = int(day[2]) if day[2] else month_number(day[3])
            try:
                when = date(TODAY.year, month, int(day[1]))
                if day[4]:
                    when = when.replace(year=int(day[4]) % 100 + 2000)
                elif when < TODAY:
                    when = when.replace(year=TODAY.year + 1)
            except ValueError:
                continue
            return when.isoformat()
        if found := MONTH_ONLY.search(text):
            month = month_number(found[1])
            year = int(found[2]) if found[2] else TODAY.year + (month < TODAY.month)
            return f"{year}-{month:02d}"
    return None


def month_number(word: str) -> int:
    """The number of a month by the first letters of its name."""
    return MONTHS.index(ENGLISH.get(word[:3], word[:3])) + 1


def amount(text: str) -> float:
    """``2.800``, ``2,800``, ``14,50`` and ``14.50`` as a number."""
    if re.fullmatch(r"\d{1,3}[.,]\d{3}", text):
        return float(re.sub(r"[.,]", "", text))
    return float(text.replace(",", "."))


def written(value: float) -> str:
    """German spelling: ``2.800``, ``14,50``, cents only where there are any."""
    text = f"{value:,.2f}".translate(str.maketrans(",.", ".,"))
    return text.removesuffix(",00")


def pay(passages: Iterable[str]) -> str | None:
    """Amount or span with unit (``14,50 EUR/Stunde``), or the pay scale as it is named."""
    for passage in passages:
        if tariff := TARIFF.search(passage):
            text = re.sub(r"\s+", " ", passage[tariff.start() :])
            return re.split(r"[;,.(](?!\d)| bei | zuzüglich | plus ", text)[0].strip()[:30]
        hits = list(PAY.finditer(passage.casefold()))
        for found in [hit for hit in hits if re.search("€|eur", hit[0])] or hits:
            low, high = amount(found[2]), amount(found[3]) if found[3] else None
            # Less is no wage in euros, more is no wage either: hours, days, years.
            if not 10 <= low <= 99_999 or 2020 <= low <= 2030:
                continue
            behind = passage.casefold()[found.end() - 4 : found.end() + 40]
            unit = unit_of(behind) or unit_of(passage.casefold()[: found.start()])
            unit = unit or ("Stunde" if low < 40 else "Monat")
            span = (
                written(low) if high is None or high <= low else f"{written(low)}-{written(high)}"
            )
            return f"{'ab ' if found[1] else ''}{span} EUR/{unit}"
    return None


def unit_of(text: str) -> str | None:
    """The first unit of time that the text names."""
    hits = [(hit.start(), unit) for pattern, unit in UNITS if (hit := re.search(pattern, text))]
    return min(hits)[1] if hits else None


def licences(passages: Iterable[str]) -> list[str]:
    """The licences named in the passages; a driving licence without a class is class B."""
    found: set[str] = set()
    for passage in passages:
        if FORKLIFT.search(passage):
            found.add("Stapler")
        classes = {c.replace("C1E", "C1") for c in CLASS.findall(passage)}
        if not classes and re.search(LICENCE_WORD, FORKLIFT.sub("", passage), re.I):
            classes = {"B"}
        found |= classes
    return [key for key in LICENCES if key in found]


def answer(found: Found, text: str) -> Answer:
    """Write the found passages as fields, and as a text that a case worker can check."""
    result: Answer = {key: name(found.get(key, [])) for key in ("occupation", "employer", "place")}
    result["hours"] = hours(found.get("hours", []))
    result["start"] = start(found.get("start", []))
    result["pay"] = pay(found.get("pay", []))
    result["licence"] = licences(found.get("licence", []))
    if not any(c.isalpha() for c in text):
        return {**result, "text": "Keine Stellenanzeige erkannt: Die Eingabe enthält keinen Text."}
    lines = ["Vorschlag für das Formular, bitte mit der Anzeige vergleichen:"]
    open_points = []
    for key, title in FIELDS.items():
        value = shown(key, result[key])
        quote = re.sub(r"\s+", " ", " / ".join(found.get(key, [])[: QUOTED.get(key, 0)])).strip()
        same = quote.casefold() == value.casefold()
        line = f"{title}: {value}"
        lines.append(line if not quote or same else f"{line} (Anzeige: „{quote[:MAX_VALUE]}“)")
        if result[key] is None or result[key] == "unklar":
            open_points.append(title)
    if open_points:
        lines.append(f"Beim Arbeitgeber nachfragen: {', '.join(open_points)}.")
    lines.append("Bei mehreren Stellen in einer Anzeige wird nur eine übernommen.")
    return {**result, "text": "\n".join(lines)}


def shown(key: str, value: object) -> str:
    """A value as people read it."""
    if isinstance(value, list):
        return ", ".join(value) or "keine verlangt"
    if value is None:
        return "nicht gefunden"
    if key == "start" and re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        return date.fromisoformat(str(value)).strftime("%d.%m.%Y")
    return HOURS[str(value)] if key == "hours" else str(value)


# The baseline: only what stands in the first line or behind a label.


def labelled(text: str) -> Found:
    """The values behind labels such as ``Lohn:`` at the beginning of a line."""
    found: Found = {}
    for line in LABEL_LINE.finditer(text):
        for key, labels in LABELS.items():
            if re.fullmatch(labels, line[1].strip().casefold()):
                found.setdefault(key, []).append(line[2][:200])
    return found


def form(text: str) -> Answer:
    """The first line is the job; everything else needs a label."""
    found = labelled(text)
    first = re.split(r" ?(?:\(|\||–|gesucht)", text.split("\n", 1)[0])[0].strip()
    if "occupation" not in found and len(first) <= MAX_VALUE:
        found["occupation"] = [first]
    return answer(found, text)


# Word lists and patterns.

TRADES = (
    r"(?:fahrer|helfer|hilfe|kraft|kräfte|verkäufer|pfleger|mechaniker|mechatroniker|meister"
    r"|arbeiter|bauer|macher|führer|reiniger|assistent|begleiter|leiter|leitung|betreuer|berater"
    r"|bediener|fachfrau|fachmann|kaufmann|kauffrau|angestellter?|monteur|techniker|elektroniker"
    r"|elektriker|gärtner|bäcker|metzger|koch|köchin|kellner|maler|tischler|schreiner|maurer"
    r"|zimmerer|schlosser|schweißer|friseur|erzieher|florist|lagerist|kassierer|disponent|näher"
    r"|sekretär|buchhalter|therapeut|pädagoge|zusteller|bote|packer|picker|kommissionierer"
    r"|aufsicht|sanitäter|putzfrau|kinderfrau|aushilfe|agent|helper|worker|driver|cleaner)(?:in)?"
)
TRADE = re.compile(
    rf"(?<![\w-])((?:(?!Ein)[A-ZÄÖÜ][\w-]*(?:ische|ete)[rn]? )?[\w-]*(?i:{TRADES}))\b"
    r"( (?:für|im|in der|am) (?:die |den |das |der )?[A-ZÄÖÜ]\w+)?"
)
VAGUE = re.compile(r"(?:^|-)(?:fach)?(?:kraft|helfer|hilfe|aushilfe|mitarbeiter)(?:in)?$", re.I)
GENDERED = re.compile(
    r"([A-ZÄÖÜ][\w/:*-]+(?: [A-ZÄÖÜ][\w/:*-]+| für [A-ZÄÖÜ]\w+| im [A-ZÄÖÜ]\w+){0,2})"
    r" ?\((?:[mwdfxgn/*|, ]{3,9}|gn)\)"
)
COMPANY = re.compile(
    r"((?:[A-ZÄÖÜ&][\w&.-]*,? (?:(?:und|am|im|zur|zum|für|der|&) )?){1,4}"
    r"(?:gGmbH|GmbH(?: & Co\. KG)?|KG|AG|OHG|AöR|eG|e\. ?V\.|e\. ?K\.|mbH))"
)
HOUSES = re.compile(
    r"\b((?:Bäckerei|Metzgerei|Fleischerei|Spedition|Hotel|Gasthaus|Gasthof|Landgasthof|Restaurant"
    r"|Pizzeria|Café|Eisdiele|Kita|Krippe|Kindergarten|Grundschule|Praxis|Klinik|Rehaklinik"
    r"|Pflegedienst|Seniorenstift|Haus|Stadt|Gemeinde|Kreisverwaltung|Stadtwerke|Autohaus"
    r"|Gärtnerei|Hof|Hofladen|Baumarkt|Drogerie|Supermarkt|Schreinerei|Elektro|Taxi|Reinigung"
    r"|Reinigungsservice|Wäscherei|Logistik|Metallbau|Holzbau|Tiefbau|Hochbau|Salon|Tierheim"
    r"|Wachdienst|Druckerei|Molkerei|Weingut|Diakonie|Caritasverband|Firma|Kanzlei|Apotheke)"
    r"(?: (?:am|zur|zum|an der|im))? [A-ZÄÖÜ][\w-]+(?: [A-ZÄÖÜ][\w-]+)?)"
)
TOWN = (
    r"(?:(?:Bad|Groß|Klein|Neu|Ober|Unter|Nieder|Hinter)[ -])?[A-ZÄÖÜ][\wäöüß-]*"
    r"(?: an der [A-Z]\w+| am [A-Z]\w+)?"
)
NEAR_TOWN = re.compile(
    rf"(?:\b\d{{5}}|\b(?:in|bei|nach|ab|um|Standort|Arbeitsort|Einsatzort|Filiale|Raum)):? ({TOWN})"
)
LONE_TOWN = re.compile(rf"(?:^|[,.|·(–-] ?)({TOWN})(?=[,.|·):;]|$)", re.M)
TOWN_END = re.compile(
    r"(?:hausen|stadt|rode|heim|bach|au|aue|dorf|bronn|felden?|tal|berg|burg|kirchen|ingen|wiesen"
    r"|muster|beispiel|weiler|furt|hain|hofen|born)$|^Bad |^(?:Groß|Klein|Neu)-",
    re.I,
)
NO_TOWN = re.compile(r"(?:zeit|arbeit|januar|februar|innenstadt|altstadt|bau|kreis|bereich)$", re.I)
TRAINING = re.compile(
    r"ausbildungs(?:platz|plätze|stelle)|azubi|auszubildende|lehrstelle|bild(?:et|en) aus"
    r"|ausbildung (?:zu[rm]|als|20\d\d)|(?:^|\W)ausbildung\W*$",
    re.I | re.M,
)
OPTIONAL = re.compile(
    r"von vorteil|wünschenswert|erwünscht|hilfreich|kein muss|nicht|nicht bedingung|gern|schön"
    r"|kein(?:e|en)?\b|ohne|ein plus|willkommen|egal|idealerweise|optional|plus|wäre|nein",
    re.I,
)
BEGINS = re.compile(r"\b(?:ab|zum|beginn|start|eintritt|einstieg|anfang|dienstantritt)\b", re.I)
ENDS = re.compile(r"bis (?:zum|spätestens)?|bewerb|frist|seit|tag der offenen", re.I)


def around(pattern: str, text: str, before: int, after: int) -> list[str]:
    """What stands around each hit, within its line; at most twenty passages."""
    passages = []
    for hit in re.finditer(pattern, text, re.I):
        left = text[max(0, hit.start() - before) : hit.start()].rpartition("\n")[2]
        right = text[hit.end() : hit.end() + after].partition("\n")[0]
        passages.append(left + hit[0] + right)
    return passages[:20]


def by_rules(text: str) -> Answer:
    """Labels first, then lists of trades, towns and companies, then patterns."""
    found = labelled(text)
    found.pop("licence", None)
    if "occupation" not in found:
        hits = [m[1] for m in GENDERED.finditer(text)]
        for hit in TRADE.finditer(text):
            hits.append(hit[1] + (hit[2] or "" if VAGUE.search(hit[1]) else ""))
        found["occupation"] = hits[:5]
    if "employer" not in found:
        found["employer"] = [m[1] for p in (COMPANY, HOUSES) for m in p.finditer(text)][:5]
    if "place" not in found:
        towns = [m[1] for p in (NEAR_TOWN, LONE_TOWN) for m in p.finditer(text)]
        found["place"] = [t for t in towns if TOWN_END.search(t) and not NO_TOWN.search(t)][:5]
    extents = [m[0] for m in TRAINING.finditer(text)][:1]
    for kind in ("minijob", "vollzeit", "teilzeit"):
        extents += [m[0] for m in re.finditer(HOUR_WORDS[kind], text, re.I)][:1]
    numbers = [m[0] for m in HOUR_NUMBER.finditer(text.casefold())][:1]
    found["hours"] = (found.get("hours") or extents or numbers)[:3]
    starts = [p for p in around(BEGINS.pattern, text, 12, 25) if not ENDS.search(p)]
    soon = [m[0] for m in SOON.finditer(text.casefold())]
    days = [d for d in around(r"\d\.20\d\d", text, 20, 0) if not ENDS.search(d)]
    found.setdefault("start", starts + soon + days)
    wages = around(r"\d ?(?:€|euro?\b)|€ ?\d", text, 22, 30)
    known = [w for w in wages if any(re.search(u, w, re.I) for u, _ in UNITS)]
    found.setdefault("pay", known + wages + around(TARIFF.pattern, text, 0, 20))
    clauses = re.split(r"[.;!?](?=\s)|[,\n]| aber ", text)
    naming = [c for c in clauses if re.search(rf"{LICENCE_WORD}|stapler\w*schein|klasse", c, re.I)]
    found["licence"] = [c for c in naming if not OPTIONAL.search(c)][:5]
    return answer(found, text)


# The learned variant: a label for every word, from its neighbours.

TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\w+(?:[-&]\w+)*|[^\w\s]")
OTHER = "-"
MAX_TOKENS = 1200
# Both set by cross-validation on train.jsonl: log odds in favour of keeping the label of the word
# before, and against the label "nothing of interest".
STAY = 0.5
CURIOUS = 2.0


def features(text: str) -> tuple[list[re.Match[str]], list[list[str]]]:
    """The words of a text, and for each what the tagger may know about it."""
    tokens = list(TOKEN.finditer(text))[:MAX_TOKENS]
    plain = [token[0] for token in tokens]
    lower = [re.sub(r"\d", "0", word.casefold()) for word in plain]
    shapes = [re.sub(r"[^\W\d_]+", "A" if w.isupper() else "x", w[:1]) + w[-1:] for w in plain]
    breaks = [True]
    breaks += ["\n" in text[a.end() : b.start()] for a, b in pairwise(tokens)]
    rows, label, line = [], "", 0
    for i, word in enumerate(lower):
        if breaks[i]:
            label, line = word if i + 1 < len(lower) else "", line + 1
        row = [f"w={word}", f"s3={word[-3:]}", f"s4={word[-4:]}", f"p4={word[:4]}", "bias"]
        row += [f"cap={plain[i][:1].isupper()}", f"all={plain[i].isupper()}", f"sh={shapes[i]}"]
        row += [f"label={label}", f"line={min(line, 3)}", f"first={breaks[i]}", f"at={i < 8}"]
        for step in (-4, -3, -2, -1, 1, 2, 3):
            near = lower[i + step] if 0 <= i + step < len(lower) else "#"
            row.append(f"{step}={near}")
            if abs(step) <= 2:
                row += [f"{step}s={near[-4:]}", f"{step}c={near[:1].isalpha()}"]
                row.append(
                    f"{step}A={0 <= i + step < len(lower) and plain[i + step][:1].isupper()}"
                )
        previous = lower[i - 1] if i else "#"
        row += [f"bi={previous} {word}", f"bj={word} {lower[i + 1] if i + 1 < len(lower) else '#'}"]
        rows.append(row)
    return tokens, rows


def tags_of(tokens: list[re.Match[str]], spans: list[tuple[int, int, str]]) -> list[str]:
    """The label of each word from the marked spans of an advert."""
    return [next((key for a, b, key in spans if a <= token.start() < b), OTHER) for token in tokens]


def learn(adverts: list[dict[str, Any]]) -> Callable[[str], Answer]:
    """Learn the labels of words from marked adverts."""
    hashing: Any = import_module("sklearn.feature_extraction").FeatureHasher
    linear: Any = import_module("sklearn.linear_model")
    numpy: Any = import_module("numpy")
    rows: list[list[str]] = []
    tags: list[str] = []
    for advert in adverts:
        tokens, more = features(advert["input"])
        rows += more
        tags += tags_of(tokens, advert["spans"])
    hasher = hashing(2**16, input_type="string", alternate_sign=False)
    model = linear.SGDClassifier(loss="log_loss", alpha=3e-5, max_iter=10, tol=None, random_state=0)
    model.fit(hasher.transform(rows), tags)
    classes = list(model.classes_)

    def path(scores: Any) -> list[str]:
        """The best sequence of labels (Viterbi) if keeping a label is likelier than changing."""
        best, back = scores[0], []
        for score in scores[1:]:
            change = int(best.argmax())
            stay = best + STAY >= best[change]
            back.append(numpy.where(stay, numpy.arange(len(classes)), change))
            best = numpy.where(stay, best + STAY, best[change]) + score
        at = [int(best.argmax())]
        for step in reversed(back):
            at.append(int(step[at[-1]]))
        return [classes[i] for i in reversed(at)]

    def tag(text: str) -> Answer:
        tokens, rows = features(text)
        if not rows:
            return answer({}, text)
        scores = model.predict_log_proba(hasher.transform(rows))
        scores[:, classes.index(OTHER)] -= CURIOUS
        labels = path(scores)
        runs: list[tuple[float, int, str, str]] = []
        begin = 0
        for i in range(1, len(labels) + 1):
            if i == len(labels) or labels[i] != labels[begin]:
                sure = float(scores[begin:i, classes.index(labels[begin])].mean())
                words = text[tokens[begin].start() : tokens[i - 1].end()]
                runs.append((-sure + 0.001 * begin, begin, labels[begin], words))
                begin = i
        found: Found = {}
        for _, _, key, words in sorted(runs):
            if key != OTHER:
                found.setdefault(key, []).append(words)
        ordered = [words for _, _, key, words in runs if key == "hours"]
        return answer({**found, "hours": ordered}, text)

    return tag


def build(variant: str, folder: Path) -> Callable[[str], Answer]:
    """Build one variant of the scenario in ``folder``; it answers text and the seven fields."""
    if variant == "formular":
        return lambda text: form(shorten(text))
    if variant == "regeln":
        return lambda text: by_rules(shorten(text))
    if variant != "tagger":
        raise ValueError(f"unknown variant: {variant!r}")
    lines = (folder / "train.jsonl").read_text(encoding="utf-8").split("\n")
    system = learn([json.loads(line) for line in lines if line.strip()])
    return lambda text: system(shorten(text))
