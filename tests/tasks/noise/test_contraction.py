"""Contractions, written out and made."""

import numpy as np
import pytest

from schemas.noise_words import Contraction
from tasks.noise.contraction_pairs import CONTRACTED, EXPANDED
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, row_keys


def keys_of(num: int) -> np.ndarray:
    return row_keys(29, np.arange(num), 0, Stream.NOISE)


def outcomes(text: str, mode: str) -> set[str]:
    rows = noise_texts([text] * 60, keys=keys_of(60), steps=[Contraction(rate=1, mode=mode)])
    return {row.text for row in rows}


def test_the_tables_are_each_others_inverse():
    for short, longs in EXPANDED.items():
        for long in longs:
            assert short in CONTRACTED.get(long, (short,))
            assert len(long.split()) <= 3
    assert all(1 <= len(long.split()) <= 2 for long in CONTRACTED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm here, don't go", {"I am here, do not go"}),
        ("DON\u2019T Can't", {"DO NOT Cannot"}),
        ("(he'd)", {"(he would)", "(he had)"}),
        ("the dog's bone", {"the dog's bone"}),
    ],
)
def test_contractions_are_written_out(text, expected):
    assert outcomes(text, "expand") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am here, do not go!", {"I'm here, don't go!"}),
        ("I AM, Do not.", {"I'M, Don't."}),
        ("you cannot (it is)", {"you can't (it's)"}),
        ("it\tis", {"it\tis"}),
        ("it  is", {"it  is"}),
        ("it, is it", {"it, is it"}),
        ("it 'is", {"it 'is"}),
        ("they are not", {"they're not"}),
        ("日 do", {"日 do"}),
    ],
)
def test_words_are_contracted(text, expected):
    assert outcomes(text, "contract") == expected


def test_texts_do_not_meet():
    rows = noise_texts(["I do", "not so"], keys=keys_of(2), steps=[Contraction(rate=1)])
    assert [row.text for row in rows] == ["I do", "not so"]


@pytest.mark.parametrize(("mode", "text"), [("expand", "x don't"), ("contract", "do not x")])
def test_the_rate_is_that_of_what_can_be_changed(mode, text):
    num, rate = 5000, 0.2
    step = Contraction(rate=rate, mode=mode)
    rows = noise_texts([text] * num, keys=keys_of(num), steps=[step])
    changed = sum(len(row.edits) for row in rows)
    assert abs(changed - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5


def test_golden():
    texts = ["I am sure we do not know if it is ok", "I'm sure we don't know it's ok", ""]
    for mode, expected in GOLDEN.items():
        rows = noise_texts(texts, keys=keys_of(3), steps=[Contraction(rate=0.6, mode=mode)])
        assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == expected


GOLDEN: dict[str, list[tuple[str, list[tuple[int, str]]]]] = {
    "expand": [
        ("I am sure we do not know if it is ok", []),
        ("I am sure we do not know it is ok", [(0, "I'm"), (13, "don't"), (25, "it's")]),
        ("", []),
    ],
    "contract": [
        ("I'm sure we don't know if it's ok", [(0, "I am"), (12, "do not"), (26, "it is")]),
        ("I'm sure we don't know it's ok", []),
        ("", []),
    ],
}
