"""Cores, case and lookups against Python's own strings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.noise.batch import TextBatch
from tasks.noise.lexicon import Lexicon, changes, find_cores, in_case_of, lower, upper
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings
from tasks.noise.units import find_words

few = settings(deadline=None, max_examples=150)
WORDS = st.text(st.sampled_from("aB.,'\"([]@#日。\u0301-!É"), min_size=1, max_size=6)


def cores_of(text: str) -> list[str]:
    batch = TextBatch(Strings.of([text]))
    words = find_words(batch)
    cores = find_cores(batch, words, np.arange(len(words)))
    assert (cores.starts < cores.ends).all()
    return batch.strings.slices(cores.starts, cores.ends).to_arrow().to_pylist()


@few
@given(st.lists(st.text("aB.,!。'日[", min_size=1, max_size=6), max_size=6))
def test_a_core_is_a_word_without_its_punctuation(words):
    stripped = [word.strip(".,!。'") for word in words]
    assert cores_of(" ".join(words)) == [core for core in stripped if core]


@few
@given(st.lists(WORDS, max_size=6))
def test_a_core_begins_and_ends_at_a_cluster(words):
    text = " ".join(words)
    batch = TextBatch(Strings.of([text]))
    units = find_words(batch)
    cores = find_cores(batch, units, np.arange(len(units)))
    bounds = [*cores.starts.tolist(), *cores.ends.tolist()]
    assert not [place for place in bounds if text[place : place + 1] == "\u0301" and place > 0]


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("(can't)", ["can't"]),
        ("[MASK]? {name}, #tag! @user", ["[MASK]", "{name}", "#tag", "@user"]),
        ("... a", ["a"]),
        ("“quoted” «so»", ["quoted", "so"]),
        ("👍 $5.", ["👍", "$5"]),
        ("!", []),
        ("", []),
    ],
)
def test_some_cores_by_eye(text, cores):
    assert cores_of(text) == cores


@few
@given(st.text(max_size=30))
def test_case_is_that_of_python_where_one_character_stays_one(text):
    codes = Strings.of([text]).code_points
    for mapped, cased in ((lower(codes), str.lower), (upper(codes), str.upper)):
        expected = [cased(char) if len(cased(char)) == 1 else char for char in text]
        assert [chr(code) for code in mapped] == expected


@pytest.mark.parametrize(
    ("word", "model", "expected"),
    [
        ("do not", "don't", "do not"),
        ("do not", "Don't", "Do not"),
        ("do not", "DON'T", "DO NOT"),
        ("i am", "I'm", "I am"),
        ("eye", "I", "Eye"),
        ("other", "iPhone", "other"),
        ("other", "McDonald", "other"),
        ("été", "École", "Été"),
        ("été", "ÉCOLE", "ÉTÉ"),
        ("x", "42", "x"),
        ("[MASK]", "Word", "[MASK]"),
    ],
)
def test_case_is_taken_over(word, model, expected):
    # Beside another pair, so that nothing rests on the first place.
    words, models = Strings.of(["so", word, "so"]), Strings.of(["A", model, "low"])
    assert in_case_of(words, models).to_arrow().to_pylist() == ["So", expected, "so"]


@few
@given(st.lists(st.text("abß\u2019'Éx", max_size=4), max_size=8))
def test_words_are_found(words):
    table = {"a": ["1"], "b'": ["2"], "é": ["3"], "": ["4"], "gone": []}
    names = ["a", "b'", "é", ""]
    plain = ["".join(char.lower() for char in word).replace("\u2019", "'") for word in words]
    expected = [names.index(word) if word in names else -1 for word in plain]
    assert Lexicon.of(table).find(Strings.of(words)).tolist() == expected


def test_a_splice_that_changes_nothing_is_left_out():
    batch = TextBatch(Strings.of(["one two", "two"]))
    places = np.array([[0, 3], [4, 7], [7, 10]])
    splices = Splices(
        np.array([0, 0, 1]), places[:, 0], places[:, 1], Strings.of(["one", "owt", "two!"])
    )
    assert changes(batch, splices).afters.to_arrow().to_pylist() == ["owt", "two!"]
