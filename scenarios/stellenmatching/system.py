"""Three ways to rank the adverts of ``adverts.jsonl`` for the profile of a job seeker.

``merkmale`` reads skills and restrictions from the profile and holds them against each advert;
``tfidf`` compares the texts; ``berufsliste`` is the baseline without AI: the adverts whose title
names an occupation of the profile, in the order in which they came in. None of them decides
anything: a counsellor reads the list, with reasons for and against, and chooses what is sent.
No variant reads age, gender, origin or family status as such; ``tfidf`` cannot rule out that single
words carry them.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

Answer = dict[str, object]

ENTRIES = 5
# What the baseline looks up, as a counsellor types a word into the search field of a job board.
OCCUPATIONS = (
    *(
        "lager",
        "stapler",
        "versand",
        "sortier",
        "reinigung",
        "zimmermädchen",
        "pflege",
        "betreuung",
    ),
    *(
        "stationshilfe",
        "küche",
        "koch",
        "köchin",
        "spül",
        "service",
        "pizza",
        "verkäufer",
        "kassier",
    ),
    *("regal", "bäcker", "büro", "buchhalt", "sachbearbeit", "empfang", "kundenberat", "kurier"),
    *("fahrer", "elektr", "maler", "anlagenmechaniker", "schweiß", "bauhelfer", "fahrrad", "it-"),
    *("hausmeister", "erzieher", "schulbegleit", "sprachmittl", "sozialarbeit", "produktion"),
    *("montage", "näh", "maschinen", "garten", "gärtner", "bauhof", "webseiten", "sicherheit"),
    *("pförtner", "ausbildung", "umschulung", "tischler", "friseur", "kfz"),
)
# A profile is rarely longer than this; of a longer text the beginning and the end are read.
HEAD_CHARS, TAIL_CHARS = 5000, 1000
LEVELS = ("A1", "A2", "B1", "B2", "C1", "C2")
HALF_DAY = 25
"""Weekly hours that still fit into mornings or afternoons, where an advert does not say more."""
# Minutes by bus or train between the places of the invented district, one way, on working days.
# A place without an entry is not reached without a car.
TRANSIT = {
    frozenset({"Beispielhausen", "Musterstadt"}): 12,
    frozenset({"Beispielhausen", "Neu-Beispiel"}): 22,
    frozenset({"Musterstadt", "Neu-Beispiel"}): 10,
    frozenset({"Beispielhausen", "Untermuster"}): 20,
    frozenset({"Musterstadt", "Untermuster"}): 35,
    frozenset({"Neu-Beispiel", "Untermuster"}): 45,
    frozenset({"Musterstadt", "Obermuster"}): 25,
    frozenset({"Beispielhausen", "Obermuster"}): 40,
    frozenset({"Neu-Beispiel", "Obermuster"}): 35,
    frozenset({"Neu-Beispiel", "Beispielbach"}): 15,
    frozenset({"Musterstadt", "Beispielbach"}): 28,
    frozenset({"Beispielhausen", "Beispielbach"}): 40,
    frozenset({"Beispielhausen", "Mustertal"}): 35,
}
PLACES = "Beispielhausen Musterstadt Neu-Beispiel Untermuster Obermuster Mustertal".split()
PLACES += ["Beispielbach", "Waldbeispiel"]
ANYWHERE = "Homeoffice"
TOO_FAR = 40

# What people can do or want to do, and how profiles and adverts speak about it.
SKILLS = {
    "Lager und Versand": r"lager|kommission|versand|paket|sortier|stapler|logisti",
    "Reinigung": r"reinig|putz|geputzt|sauber mach|zimmermädchen|housekeeping",
    "Pflege und Betreuung": r"pflege(?!n)|altenheim|senior|krankenschwester|betreuungskraft"
    r"|alltagsbegleit|stationshilfe",
    "Küche": r"koch|köch|küche|kantine|mensa|spül|pizza|gekocht",
    "Service": r"kellner|servicekraft|bedien|café|gastro|theke",
    "Verkauf": r"verkauf|kasse|kassier|einzelhandel|regal|filial",
    "Büro": r"büro|verwaltung|sachbearbeit|sekretär|empfang|buchhalt|dateneingabe|datenerfass"
    r"|kundenberat|call-?center",
    "Fahren": r"fahrer|kurier|lkw|taxi|transporter|ausliefer",
    "Handwerk": r"maler|streich|elektr|monteur|schlosser|schweiß|handwerk|hausmeister|tischler"
    r"|repar|renovier|sanitär|heizung|schrein",
    "Bau": r"\bbau(?:stelle|helfer|arbeit|\b)|maurer|beton|pflaster|hochbau|tiefbau",
    "Arbeit mit Kindern": r"erzieh|kita|kinderpfleg|schulbegleit|tagesmutter|mit kindern arbeit",
    "Sprachen": r"dolmetsch|übersetz|sprachmittl|ukrainisch|arabisch",
    "Produktion": r"produktion|fabrik|fließband|montage|cnc|fertigung|maschinen",
    "Garten": r"garten|gärtner|pflanzen|grünpflege|landschaftsbau|landwirt|friedhof|bauhof",
    "Computer": r"\bit\b|it-|computer|programmier|webseite|informatik|rechner einricht",
    "Wachdienst": r"sicherheitsd|sicherheitsm|wachd|wachmann|pforte|pförtner|objektschutz|§ ?34a",
    "Nähen": r"näh|schneider|polster",
    "Friseur": r"friseur|haare",
    "Kfz": r"kfz|autowerkstatt|mechatron",
    "Fahrräder": r"fahrradw|fahrradm|räder|e-bike|zweirad",
}
SKILL = {title: re.compile(pattern) for title, pattern in SKILLS.items()}
# What an advert demands, and how a profile shows that it is there.
PROOFS = {
    "Berufsabschluss Lagerlogistik": r"fachkraft für lagerlogistik|fachlagerist",
    "Berufsabschluss Pflege": r"examinier|pflegefach|krankenschwester|krankenpfleger|altenpfleger",
    "Berufsabschluss Handel": r"kauf(?:frau|mann) im einzelhandel|handelsfachwirt",
    "Berufsabschluss Büro": r"bürokauf|büromanagement|industriekauf|kaufmännische ausbildung",
    "Berufsabschluss Verwaltung oder Büro": r"bürokauf|büromanagement|verwaltungsfach"
    r"|kaufmännische ausbildung",
    "Berufsabschluss Elektro": r"elektroniker|elektriker|elektroinstall",
    "Berufsabschluss SHK": r"anlagenmechaniker|heizungsbauer|installateur",
    "Berufsabschluss Erziehung": r"erzieher",
    "Berufsabschluss Gartenbau": r"gärtner",
    "Studium Soziale Arbeit": r"soziale arbeit|sozialpädagog|sozialarbeiter",
    "Qualifizierung Betreuung": r"betreuungskraft|43b|betreuungsassist",
    "Buchhaltung": r"buchhalt|buchführ",
    "Staplerschein": r"staplerschein|gabelstapler|stapler",
    "Führerschein C": r"klasse ce?\b|lkw",
    "Führerschein CE": r"klasse ce\b|\bce\b",
    "Sachkunde § 34a": r"34a",
    "Schweißerprüfung": r"schweiß",
    "Näherfahrung": r"näh|schneider",
    "Fremdsprache Arabisch oder Ukrainisch": r"arabisch|ukrainisch",
    "Berufserfahrung Küche": r"koch|köch|küche|kantine|gekocht",
    "handwerkliche Erfahrung": r"handwerk|repar|werkstatt|schlosser|tischler|hausmeister|bau\b",
    "technische Erfahrung": r"maschine|metall|cnc|techni|dreher|schlosser",
    "IT-Kenntnisse": r"\bit\b|informatik|programmier|webseite|computer",
    "PC-Kenntnisse": r"\bpc\b|computer|excel|word\b|büro|informatik|tabellen",
}
PROOF = {need: re.compile(pattern) for need, pattern in PROOFS.items()}
SOFT = ("PC-Kenntnisse", "handwerkliche Erfahrung", "technische Erfahrung", "IT-Kenntnisse")
# Restrictions: the name in an advert, and how a profile says that it does not go.
LIMITS = {
    "schweres Heben": r"(?:nicht|nichts|kein\w*|nix)[^.]{0,25}(?:heben|schwer|tragen)|bandscheib"
    r"|rücken(?:leiden|schmerz|prob|op)?\b|\bknie|herz(?:leiden|krank|op)",
    "Stehen": r"nicht[^.]{0,20}stehen|im sitzen|sitzend|\bknie|hüfte|prothese|rollstuhl",
    "Wochenendarbeit": r"kein\w* wochenend|(?:nicht|nie)[^.]{0,20}(?:wochenend|samstag|sonntag)"
    r"|(?:wochenend\w*|samstags?|sonntags?)[^.]{0,15}(?:nicht|frei)|montag bis freitag",
    "Nachtarbeit": r"kein\w* (?:nacht|schicht)|(?:nicht|nie)[^.]{0,15}nacht|nachts? (?:geht )?nicht"
    r"|tagschicht|tagsüber",
    "Abendarbeit": r"(?:nicht|nie|kein\w*)[^.]{0,15}abend|abends?[^.]{0,20} nicht|abends muss",
    "Schichtarbeit": r"kein\w* (?:wechsel)?schicht|schicht\w*[^.]{0,15}(?:nicht|unmöglich)",
}
LIMIT = {need: re.compile(pattern) for need, pattern in LIMITS.items()}
MORNING = re.compile(
    r"vormittag|morgens|(?:bis|um) (?:12|13|zwölf|eins|halb eins)|mittags? (?:abhol|zu hause)"
    r"|während[^.]{0,25}(?:schule|kita)|(?:schule|kita)[^.]{0,20}bis"
)
AFTERNOON = re.compile(r"nachmittag|(?:ab|erst) (?:12|13|14|mittags)")
WANTS = {
    "Minijob": r"mini-?job|ein paar stunden|603|geringfügig|nebenbei|dazuverdien",
    "Ausbildung": r"ausbildungs(?:platz|stelle)|ausbildung (?:mach|such|anfang|als|zu)|umschul"
    r"|\blehre\b|azubi|beruf lernen",
    "Teilzeit": r"teilzeit|halbtags|halber tag|halbe stelle|stundenweise",
    "Vollzeit": r"vollzeit|ganztags|full-?time|volle stelle|40 stunden|vollbeschäft",
}
WANT = {kind: re.compile(pattern) for kind, pattern in WANTS.items()}
MOST_HOURS = re.compile(r"(\d\d?)(?: ?(?:bis|-|–) ?(\d\d?))? ?(?:std|stunden|wochenstunden|h\b)")
NO_LICENCE = re.compile(
    r"(?:kein\w*|ohne|nie einen?|nicht) (?:eigene[snmr]? )?(?:führerschein|lappen|fahrerlaubnis)"
    r"|führerschein[^.,]{0,20}(?:nicht|weg|abgegeben|entzogen|verloren|fehlt|nein|keinen)"
)
LICENCE = re.compile(r"führerschein|fahrerlaubnis|klasse b\b|\blappen|fahre auto")
NO_CAR = re.compile(r"(?:kein\w*|ohne) (?:eigene[snmr]? )?(?:auto|wagen|pkw)|auto[^.,]{0,15}kaputt")
CAR = re.compile(r"\bauto\b|\bwagen|\bpkw\b")
UNEMPLOYED = re.compile(
    r"langzeit|16i|seit (?:vielen|mehr als|über) |jahre(?:n)? (?:ohne|arbeitslos)"
)
LEVEL = re.compile(r"\b([abc][12])\b")
LITTLE_GERMAN = re.compile(
    r"(?:kaum|wenig|schlecht\w*|noch kein\w*) deutsch|deutsch[^.]{0,15}wenig"
)
REFUSAL = re.compile(
    r"nicht mehr|auf keinen fall|nie wieder|will kein|bloß nicht|keinesfalls|bitte nicht"
)
# Words in titles that name no occupation.
EVERYDAY = frozenset(
    """
    oder arbeit mitarbeit ausbildung umschulung helfer aushilfe abend früh fruh woche wochenende
    stadt rathaus grundschule fahrzeug sitzen homeoffice abteilung garten essen kita krankenhaus
    nach nachtschicht pflegen pflege haus fachmann fachfrau kraft
    """.split()
)
AI_NOTICE = (
    "Vorschlag für die Beratung, keine Entscheidung. Bitte jede Stelle vor dem Versenden prüfen."
)
NOTHING = (
    "Aus diesem Text lässt sich keine Stelle vorschlagen. Bitte im Gespräch klären: Tätigkeit, "
    "Umfang, Ort, Mobilität und Grenzen."
)


@dataclass(frozen=True)
class Advert:
    """One job on offer."""

    id: str
    title: str
    employer: str
    place: str
    hours: str
    text: str
    requirements: tuple[str, ...]

    @property
    def searchable(self) -> str:
        """Everything a comparison of texts may read."""
        return f"{self.title} {self.text} {' '.join(self.requirements)} {self.hours} {self.place}"


@dataclass
class Match:
    """An advert with what speaks for and against it."""

    advert: Advert
    score: float = 0.0
    pros: list[str] = field(default_factory=list)
    cons: list[str] = field(default_factory=list)

    def add(self, points: float, reason: str) -> None:
        """Count points, and say why; points below zero speak against the advert."""
        self.score += points
        (self.pros if points > 0 else self.cons).append(reason)


@dataclass(frozen=True)
class Profile:
    """What was understood of a profile. Nothing here is age, gender, origin or family."""

    text: str
    skills: frozenset[str]
    refused: frozenset[str]
    home: str | None
    licence: bool | None
    car: bool
    wants: frozenset[str]
    most_hours: int | None
    half_day: str | None
    limits: frozenset[str]
    level: str | None
    unemployed_long: bool


def load_adverts(folder: Path) -> list[Advert]:
    """The adverts on offer, in the order in which they came in."""
    lines = (folder / "adverts.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line.strip()]
    return [Advert(**{**row, "requirements": tuple(row["requirements"])}) for row in rows]


def shorten(text: str) -> str:
    """Keep beginning and end of an overlong text, so that effort never grows with its length."""
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        text = f"{text[:HEAD_CHARS]} {text[-TAIL_CHARS:]}"
    text = unicodedata.normalize("NFC", text)
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in text)).strip()


def read_profile(text: str) -> Profile:
    """Understand a profile by fixed patterns."""
    low = text.lower()
    refused: set[str] = set()
    rest = []
    for clause in re.split(r"[.,;!?]", low):
        named = {title for title, pattern in SKILL.items() if pattern.search(clause)}
        if named and REFUSAL.search(clause):
            refused |= named
        else:
            rest.append(clause)
    skills = {t for t, p in SKILL.items() if any(p.search(c) for c in rest)} - refused
    homes = sorted((low.find(p.lower()), p) for p in PLACES if p.lower() in low)
    hours = MOST_HOURS.search(low)
    level = LEVEL.search(low)
    licence = None if not LICENCE.search(low) else NO_LICENCE.search(low) is None
    morning, afternoon = MORNING.search(low), AFTERNOON.search(low)
    return Profile(
        text=low,
        skills=frozenset(skills),
        refused=frozenset(refused),
        home=homes[0][1] if homes else None,
        licence=licence,
        car=CAR.search(low) is not None and NO_CAR.search(low) is None and licence is not False,
        wants=frozenset(kind for kind, pattern in WANT.items() if pattern.search(low)),
        most_hours=int(hours[2] or hours[1]) if hours else None,
        half_day="vormittags" if morning else "nachmittags" if afternoon else None,
        limits=frozenset(need for need, pattern in LIMIT.items() if pattern.search(low)),
        level=level[1].upper() if level else "A1" if LITTLE_GERMAN.search(low) else None,
        unemployed_long=UNEMPLOYED.search(low) is not None,
    )


def stems(text: str) -> set[str]:
    """Words in small letters without umlauts, and without the ending of the female form."""
    plain = text.lower().translate(str.maketrans("äöü", "aou"))
    return {re.sub(r"(?:in|innen)$", "", word) for word in re.findall(r"[^\W\d_]{4,40}", plain)}


def compare(profile: Profile, advert: Advert) -> Match:
    """Points for shared skills and fitting conditions, points off for what stands in the way."""
    match = Match(advert)
    title, text = advert.title.lower(), advert.text.lower()
    for skill in sorted(profile.skills):
        if SKILL[skill].search(title):
            match.add(4, f"passt zu „{skill}“")
        elif SKILL[skill].search(text):
            match.add(2, f"hat mit „{skill}“ zu tun")
    named = sorted(stems(advert.title) & stems(profile.text) - EVERYDAY)
    if named:
        match.add(3, f"Bezeichnung genannt: {', '.join(named)}")
    if profile.skills and not match.pros:
        match.add(-2, "keine gemeinsame Tätigkeit erkannt")
    for skill in sorted(profile.refused):
        if SKILL[skill].search(title):
            match.add(-6, f"„{skill}“ ist nicht gewünscht")
    compare_demands(profile, match)
    compare_hours(profile, match)
    compare_way(profile, match)
    return match


def compare_demands(profile: Profile, match: Match) -> None:
    """Hold what the advert demands against what the profile shows or rules out."""
    for need in match.advert.requirements:
        if need.startswith("Deutsch ") and profile.level:
            missing = LEVELS.index(need[-2:]) - LEVELS.index(profile.level)
            if missing > 0:
                match.add(-3 * missing, f"verlangt {need}, angegeben ist {profile.level}")
        elif need == "Führerschein B":
            if profile.licence is not True:
                reason = "ist keiner vorhanden" if profile.licence is False else "nicht erwähnt"
                match.add(-6 if profile.licence is False else -2, f"verlangt {need}, {reason}")
            else:
                match.add(1, f"{need} vorhanden")
        elif need in profile.limits:
            match.add(-5, f"verlangt {need}, das geht laut Profil nicht")
        elif need in PROOF:
            if PROOF[need].search(profile.text):
                match.add(2, f"{need} erkennbar")
            else:
                match.add(-1 if need in SOFT else -6, f"{need} nicht erkennbar")
        elif need == "langzeitarbeitslos" and profile.unemployed_long:
            match.add(2, "Förderung nach § 16i SGB II möglich, zu prüfen")
    if "im Sitzen" in match.advert.text and "Stehen" in profile.limits:
        match.add(3, "Arbeit im Sitzen")


def compare_hours(profile: Profile, match: Match) -> None:
    """Hold the hours of the advert against those wanted or possible."""
    offered = match.advert.hours
    kinds = {kind for kind in WANTS if kind.lower() in offered.lower()}
    if profile.wants:
        if kinds & profile.wants:
            match.add(2, f"Umfang passt ({offered})")
        else:
            match.add(-3, f"Umfang weicht ab ({offered})")
    elif "Ausbildung" in kinds:
        match.add(-3, "Ausbildung, danach wurde nicht gefragt")
    found = re.search(r"\d\d?", offered)
    length = int(found[0]) if found else 0
    if profile.most_hours and length > profile.most_hours + 3 and "oder Teilzeit" not in offered:
        match.add(-4, f"mehr als {profile.most_hours} Stunden")
    if profile.half_day and "Homeoffice" not in match.advert.place:
        other = [t for t in ("vormittags", "nachmittags", "abends", "nachts") if t in offered]
        if profile.half_day in other:
            match.add(3, f"{profile.half_day} möglich")
        elif other or length > HALF_DAY:
            match.add(-4, f"nicht nur {profile.half_day}")


def compare_way(profile: Profile, match: Match) -> None:
    """Hold the place of work against home and mobility."""
    place, home = match.advert.place, profile.home
    if home is None or place == ANYWHERE:
        return
    if place == home:
        match.add(2, f"liegt am Wohnort {home}")
    elif not profile.car:
        minutes = TRANSIT.get(frozenset({home, place}))
        if minutes is None:
            match.add(-5, f"{place} ist von {home} ohne Auto nicht erreichbar")
        elif minutes >= TOO_FAR:
            match.add(-2, f"{minutes} Minuten Fahrt")
        else:
            match.add(0.5, f"{minutes} Minuten mit Bus oder Bahn")


def by_features(adverts: list[Advert], text: str) -> Answer:
    """Rank by skills and restrictions; adverts without any shared skill come only if wanted."""
    profile = read_profile(text)
    matches = [compare(profile, advert) for advert in adverts]
    understood = profile.skills or profile.wants or profile.home
    ranked = sorted(matches, key=lambda m: (-m.score, m.advert.id)) if understood else []
    return answer([match for match in ranked if match.score > 0])


def by_text(adverts: list[Advert]) -> Callable[[str], Answer]:
    """Rank by shared words and sequences of letters (TF-IDF, cosine)."""
    text_module: Any = import_module("sklearn.feature_extraction.text")
    pipeline_module: Any = import_module("sklearn.pipeline")
    vectorizer = text_module.TfidfVectorizer
    by_words = vectorizer(token_pattern=r"[^\W\d_]{3,}", sublinear_tf=True, max_df=0.3)
    by_letters = vectorizer(analyzer="char_wb", ngram_range=(4, 6), sublinear_tf=True, max_df=0.3)
    union = pipeline_module.FeatureUnion([("words", by_words), ("letters", by_letters)])
    matrix = union.fit_transform([f"{a.title} {a.searchable}" for a in adverts])
    vocabulary = set(by_words.get_feature_names_out())
    split = by_words.build_analyzer()

    def rank(text: str) -> Answer:
        scores = (matrix @ union.transform([text]).T).toarray().ravel()
        asked = set(split(text)) & vocabulary
        matches = []
        for advert, score in zip(adverts, scores.tolist(), strict=True):
            if score > 0:
                shared = sorted(asked & set(split(advert.searchable)))[:6]
                pros = [f"gemeinsame Wörter: {', '.join(shared)}"] if shared else []
                cons = [f"nicht geprüft: {', '.join(advert.requirements)}"]
                matches.append(Match(advert, round(score, 9), pros, cons))
        return answer(sorted(matches, key=lambda m: (-m.score, m.advert.id)))

    return rank


def by_occupation(adverts: list[Advert], text: str) -> Answer:
    """The adverts whose title holds an occupation word of the profile, in the order of arrival."""
    low = text.lower()
    asked = [word for word in OCCUPATIONS if word in low]
    matches = []
    for advert in adverts:
        if named := [word for word in asked if word in advert.title.lower()]:
            matches.append(Match(advert, 1, [f"Titel enthält: {', '.join(named)}"], []))
    return answer(matches)


def answer(matches: list[Match]) -> Answer:
    """Write the best adverts as a ranking, and as a list that a counsellor can check."""
    best = matches[:ENTRIES]
    if not best:
        return {"text": f"{NOTHING}\n\n{AI_NOTICE}", "ranking": []}
    blocks = []
    for number, match in enumerate(best, start=1):
        advert = match.advert
        blocks.append(
            f"{number}. {advert.title} ({advert.id})\n"
            f"{advert.employer}, {advert.place}, {advert.hours}\n"
            f"Dafür: {'; '.join(match.pros) or 'nichts Eindeutiges'}\n"
            f"Dagegen: {'; '.join(match.cons) or 'nichts erkannt'}"
        )
    return {"text": "\n\n".join([*blocks, AI_NOTICE]), "ranking": [m.advert.id for m in best]}


def build(variant: str, folder: Path) -> Callable[[str], Answer]:
    """Build one variant of the scenario in ``folder``; it answers text and ranking."""
    adverts = load_adverts(folder)
    if variant == "tfidf":
        rank = by_text(adverts)
    elif variant == "merkmale":
        rank = partial(by_features, adverts)
    elif variant == "berufsliste":
        rank = partial(by_occupation, adverts)
    else:
        raise ValueError(f"unknown variant: {variant!r}")
    return lambda text: rank(shorten(text))
