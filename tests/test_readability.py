"""Readability: German sentences counted by hand."""

import pytest

from reallabor.recording.readability import readability, syllables


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("Amt", 1), ("Haus", 1), ("Miete", 2), ("Antrag", 2), ("Bescheid", 2), ("Jobcenter", 3),
        ("Leistung", 2), ("Häuser", 2), ("neu", 1), ("See", 1), ("Bürgergeld", 3),
        ("Weiterbewilligungsantrag", 8), ("Bedarfsgemeinschaft", 5), ("prüfen", 2), ("hm", 1),
        ("Café", 2),
    ],
)  # fmt: skip
def test_syllables_are_counted_as_spoken(word: str, count: int) -> None:
    assert syllables(word) == count


def test_one_simple_sentence_by_hand() -> None:
    # Das(1) Amt(1) zahlt(1) Ihre(2) Miete(2): 5 words, 7 syllables, none long.
    figures = readability("Das Amt zahlt Ihre Miete.")
    assert figures is not None
    assert (figures.words, figures.sentences) == (5, 1)
    assert figures.amstad == pytest.approx(180 - 5 - 58.5 * 7 / 5)
    assert figures.wstf1 == pytest.approx(0.1672 * 5 - 0.0327 * 60 - 0.875)


def test_two_sentences_with_long_words_by_hand() -> None:
    # Stellen(2) Sie(1) den(1) Weiterbewilligungsantrag(8) rechtzeitig(3). | Sonst(1) endet(2)
    # die(1) Zahlung(2). 9 words, 2 sentences, 21 syllables; three or more syllables: 2 words;
    # more than six letters: Stellen, Weiterbewilligungsantrag, rechtzeitig, Zahlung = 4;
    # one syllable: Sie, den, Sonst, die = 4.
    figures = readability(
        "Stellen Sie den Weiterbewilligungsantrag rechtzeitig. Sonst endet die Zahlung."
    )
    assert figures is not None
    assert (figures.words, figures.sentences) == (9, 2)
    assert figures.amstad == pytest.approx(180 - 4.5 - 58.5 * 21 / 9)
    assert figures.wstf1 == pytest.approx(
        0.1935 * 100 * 2 / 9 + 0.1672 * 4.5 + 0.1297 * 100 * 4 / 9 - 0.0327 * 100 * 4 / 9 - 0.875
    )


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Nach § 37 Abs. 1 SGB II gilt z. B. das hier.", 1),
        ("Am 1. Juli 2026 beginnt es. Dann gilt es.", 2),
        ("Wirklich?! Ja …", 2),
        ("Erster Absatz ohne Punkt\n\nZweiter Absatz", 2),
        ("Es gilt: Antrag stellen; dann warten.", 3),
        ("bzw. ggf. so", 1),
    ],
)
def test_abbreviations_end_no_sentence(text: str, sentences: int) -> None:
    figures = readability(text)
    assert figures is not None
    assert figures.sentences == sentences


@pytest.mark.parametrize("text", ["", " ", "123 456", "🎉 !?", "§§ 7"])
def test_text_without_words_has_no_figures(text: str) -> None:
    assert readability(text) is None


def test_hard_text_is_harder_than_easy() -> None:
    easy = readability("Sie bekommen Geld. Das Amt zahlt die Miete. Rufen Sie uns an.")
    hard = readability(
        "Die Leistungsgewährung setzt die Feststellung der Hilfebedürftigkeit der "
        "Bedarfsgemeinschaft unter Berücksichtigung des Einkommens voraus."
    )
    assert easy is not None
    assert hard is not None
    assert easy.amstad > 60 > hard.amstad
    assert easy.wstf1 < 6
    assert hard.wstf1 > 12
