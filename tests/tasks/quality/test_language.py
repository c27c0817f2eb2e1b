"""Languages of made-up sentences, and of real English."""

import csv

import numpy as np
import pytest

from tasks.quality.language import LEAST_PROBABILITY, identify_languages, known_language

SENTENCES = {
    "en": "could you please tell me when my new card will arrive at home",
    "de": "können Sie mir bitte sagen, wann meine neue Karte bei mir ankommt",
    "fr": "pouvez-vous me dire quand ma nouvelle carte arrivera chez moi",
    "es": "puede decirme por favor cuándo llegará mi nueva tarjeta a casa",
    "ru": "подскажите пожалуйста, когда придёт моя новая банковская карта",
    "zh": "请问我的新银行卡什么时候可以寄到我家里",
}


def test_each_language_is_told():
    found = identify_languages(list(SENTENCES.values()))
    assert found.codes == tuple(SENTENCES)
    assert np.all(found.probabilities >= LEAST_PROBABILITY)


@pytest.mark.parametrize("text", ["", "my card", "12345 67890 12345 67890 :-)", "\ud800" * 40])
def test_too_short_is_not_judged(text):
    found = identify_languages([text])
    assert found.codes == (None,)
    assert found.probabilities.tolist() == [0.0]


def test_the_uncertain_is_not_judged():
    found = identify_languages(["hotel radio taxi telefon banana"])
    assert 0 < found.probabilities[0] < LEAST_PROBABILITY
    assert found.codes == (None,)


def test_letters_without_language_are_told():
    assert identify_languages(["zqx vbnm qwrt plkj hgfd zxcv"]).codes == ("zxx",)


def test_a_long_text_is_judged_by_its_beginning():
    long = SENTENCES["de"] + " " + SENTENCES["fr"] * 2000
    assert identify_languages([long[:1000], long]).codes[0] == identify_languages([long]).codes[0]


@pytest.mark.parametrize(
    ("tag", "code"), [("en", "en"), ("pt-BR", "pt"), ("nb", "no"), ("fil", "tl"), ("tlh", None)]
)
def test_tags(tag, code):
    assert known_language(tag) == code


@pytest.mark.shared
def test_real_english_is_english(shared):
    with (shared / "data/banking77/test.csv").open(encoding="utf-8", newline="") as file:
        codes = identify_languages([row["text"] for row in csv.DictReader(file)]).codes
    judged = [code for code in codes if code]
    assert len(judged) >= 0.9 * len(codes)
    assert judged.count("en") >= 0.995 * len(judged)
