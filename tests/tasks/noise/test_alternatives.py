"""Tables of alternatives, and the operators that do nothing but look one up."""

import unicodedata

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import CharSubstitute, Diacritics, Homoglyph, Keyboard, Leetspeak
from tasks.noise.alphabets import ALPHABETS
from tasks.noise.alternatives import Alternatives
from tasks.noise.homoglyph import look_alikes
from tasks.noise.keyboard import neighbours_on
from tasks.noise.leetspeak import SIGNS
from tasks.noise.strings import Strings
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms

LETTERS = st.text("abZ1 é0\u0301日ßжЖΩאあア,🇩ö", max_size=14)


def keys_of(num: int) -> np.ndarray:
    return row_keys(17, np.arange(num), 0, Stream.NOISE)


def others_of_kind(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    for alphabet in ALPHABETS:
        if letter in alphabet or (base in alphabet and letter < "\u2000"):
            return alphabet.replace(letter, "")
    return ""


def marked(letter: str) -> str:
    found = ""
    for code in range(0xC0, 0x180):
        base, *marks = list(unicodedata.normalize("NFD", chr(code)))
        if marks and base == letter:
            found += chr(code)
    return found if letter.isascii() else ""


TABLES = [
    (Keyboard(rate=0.6), lambda letter: neighbours_on("qwerty").get(letter, "")),
    (Keyboard(rate=0.6, layout="qwertz"), lambda letter: neighbours_on("qwertz").get(letter, "")),
    (Keyboard(rate=0.6, layout="azerty"), lambda letter: neighbours_on("azerty").get(letter, "")),
    (CharSubstitute(rate=0.6), others_of_kind),
    (Homoglyph(rate=0.6), lambda letter: look_alikes().get(letter, "")),
    (Diacritics(rate=0.6), marked),
    (Leetspeak(rate=0.6), lambda letter: SIGNS.get(letter, SIGNS.get(letter.lower(), ""))),
]


@pytest.mark.parametrize(("step", "choices_of"), TABLES)
@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(LETTERS, st.text(max_size=8)), max_size=4))
def test_a_character_becomes_one_of_its_alternatives(step, choices_of, texts):
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[step])
    for text, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        whether, which = (fold(fold(key, 0), counter) for counter in (0, 1))
        pieces = []
        for index, cluster in enumerate(regex.findall(r"\X", text)):
            choices = choices_of(cluster) if len(cluster) == 1 else ""
            if choices and uniforms(whether, index) < step.rate:
                cluster = choices[int(uniforms(which, index) * len(choices))]
            pieces.append(cluster)
        assert row.text == "".join(pieces)


@pytest.mark.parametrize("step", [step for step, _ in TABLES])
def test_the_rate_is_met(step):
    rows = noise_texts(["asaos" * 8] * 500, keys=keys_of(500), steps=[step])
    num, edits = 20_000, sum(len(row.edits) for row in rows)
    assert abs(edits - num * 0.6) < 4 * (num * 0.6 * 0.4) ** 0.5


def test_a_table_is_what_it_was_made_of():
    wanted = {3: ["a", "bc"], 5: [], 9: ["d", "", "é"]}
    table = Alternatives.of_numbers(wanted)
    numbers = np.arange(20)
    counts = table.counts_of(numbers)
    assert counts.tolist() == [len(wanted.get(number, [])) for number in range(20)]
    pairs = [(number, which) for number in wanted for which in range(len(wanted[number]))]
    taken = table.take(*(np.array(column) for column in zip(*pairs, strict=True)))
    assert taken.to_arrow().to_pylist() == [wanted[number][which] for number, which in pairs]


def test_an_empty_table_has_nothing():
    table = Alternatives.of({})
    assert table.counts_of(np.array([0, 7])).tolist() == [0, 0]
    assert len(table.take(np.empty(0, np.int64), np.empty(0, np.int64))) == 0
    assert len(table.strings) == len(Strings.empty(0))


def test_alphabets_hold_letters_of_one_kind():
    for alphabet in ALPHABETS:
        assert len(set(alphabet)) == len(alphabet) > 9
        assert len({unicodedata.category(letter) for letter in alphabet}) == 1
        if alphabet.isalpha():
            assert len({unicodedata.name(letter).split()[0] for letter in alphabet}) == 1


def test_look_alikes_are_mutual_and_of_other_scripts():
    assert len(look_alikes()) > 90
    for letter, others in look_alikes().items():
        assert len(set(others)) == len(others) >= 1
        for other in others:
            assert letter in look_alikes()[other]
            assert unicodedata.name(other).split()[0] != unicodedata.name(letter).split()[0]
            assert unicodedata.category(other) == unicodedata.category(letter)


@pytest.mark.parametrize(
    ("layout", "key", "others"),
    [
        ("qwertz", "z", "tugh"),
        ("qwertz", "ö", "lpäü"),
        ("qwertz", "Y", "ASX"),
        ("azerty", "a", "zq"),
        ("azerty", "q", "azsw"),
        ("azerty", "m", "lp"),
    ],
)
def test_some_neighbours_by_eye(layout, key, others):
    assert set(neighbours_on(layout)[key]) == set(others)


@pytest.mark.parametrize("layout", ["qwerty", "qwertz", "azerty"])
def test_neighbours_touch_each_other(layout):
    touching = neighbours_on(layout)
    assert set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") <= set(touching)
    for key, others in touching.items():
        assert key not in others
        assert all(key in touching[other] for other in others)
        assert all(other.isupper() == key.isupper() for other in others)


@pytest.mark.parametrize(
    ("step", "golden"),
    [
        (Keyboard(rate=0.4, layout="qwertz"), "Uwäld Blswr, e\u0301r 09 жест"),
        (Keyboard(rate=0.4, layout="azerty"), "Ewöld Blszr, e\u0301r 09 жест"),
        (CharSubstitute(rate=0.4), "Hwmld Buoar, e\u0301f 63 жест"),
        (Homoglyph(rate=0.4), "\u0396wölf B\u043e\u0445\u0435r, e\u0301t 90 жест"),
        (Diacritics(rate=0.4), "Źwölf Bŏxèr, e\u0301ţ 90 жест"),
        (Leetspeak(rate=0.4), "2wölf B0x3r, e\u03017 90 жест"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_golden(step, golden):
    text = "Zwölf Boxer, e\u0301t 90 жест"
    (row,) = noise_texts([text], keys=keys_of(1), steps=[step])
    assert row.text == golden
    changes = [(place, text[place], golden[place]) for place in range(len(text))]
    log = [(edit.start, edit.before, edit.after) for edit in row.edits]
    assert log == [change for change in changes if change[1] != change[2]]
