"""Misspellings of the built-in list and of a user's."""

import numpy as np
import pytest

from schemas.errors import InputError
from schemas.noise_words import Misspell
from tasks.noise.misspell import misspellings, read_misspellings
from tasks.noise.resources import OpenSteps
from tasks.noise.texts import noise_batch, noise_texts
from tasks.planning.streams import Stream, row_keys


def keys_of(num: int) -> np.ndarray:
    return row_keys(27, np.arange(num), 0, Stream.NOISE)


def test_the_list_is_long_and_sound():
    lexicon = misspellings()
    words = lexicon.words.to_pylist()
    assert len(words) >= 300
    assert words == [word.lower() for word in words]
    for place, word in enumerate(words):
        first, last = lexicon.offsets[place : place + 2]
        wrongs = lexicon.choices.take(np.arange(first, last)).to_arrow().to_pylist()
        assert wrongs
        assert word not in wrongs
        assert len(set(wrongs)) == len(wrongs)


@pytest.mark.parametrize(("word", "wrong"), [("receive", "recieve"), ("separate", "seperate")])
def test_some_words_by_eye(word, wrong):
    texts = [f"I {word}.", f"{word.title()}!", f'"{word.upper()}"']
    rows = noise_texts(texts * 20, keys=keys_of(60), steps=[Misspell(rate=1)])
    assert f"I {wrong}." in {row.text for row in rows}
    assert f"{wrong.title()}!" in {row.text for row in rows}
    assert f'"{wrong.upper()}"' in {row.text for row in rows}


def test_the_rate_is_that_of_words_with_a_misspelling():
    num, rate = 20_000, 0.2
    rows = noise_texts(
        ["xyz because " * 20] * 1000, keys=keys_of(1000), steps=[Misspell(rate=rate)]
    )
    befores = [edit.before for row in rows for edit in row.edits]
    assert set(befores) == {"because"}
    assert abs(len(befores) - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5


def test_a_users_list_comes_first(tmp_path):
    path = tmp_path / "own.tsv"
    path.write_text("# mine\n\nCard\tkard\ncard\tcadr\ncafé\tcafe\n", "utf-8")
    lexicon = read_misspellings(path)
    step = Misspell(rate=1, path="own.tsv")
    opened = OpenSteps([step], misspellings={"own.tsv": lexicon})
    noised = noise_batch(["card CAFÉ receive"] * 40, keys=keys_of(40), steps=opened)
    split = [text.split() for text in noised.texts.to_pylist()]
    cards, cafes, others = (set(words) for words in zip(*split, strict=True))
    assert (cards, cafes) == ({"kard", "cadr"}, {"CAFE"})
    assert others <= {"recieve", "receeve", "recive"}


def test_a_list_that_was_not_read_is_named():
    with pytest.raises(InputError, match=r"own\.tsv"):
        noise_batch(["a"], keys=keys_of(1), steps=[Misspell(rate=1, path="own.tsv")])


@pytest.mark.parametrize("line", ["card", "card\t", "a\tb\tc", "card kard"])
def test_a_wrong_line_is_named(tmp_path, line):
    path = tmp_path / "own.tsv"
    path.write_text(f"fee\tfe\n{line}\n", "utf-8")
    with pytest.raises(InputError, match="line 2") as caught:
        read_misspellings(path)
    assert caught.value.place == f"{path}:2"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "latin").write_bytes("caf\u00e9\tcafe".encode("latin-1"))
    for name in ("gone", "latin", "."):
        with pytest.raises(InputError, match="cannot be read"):
            read_misspellings(tmp_path / name)


def test_golden():
    texts = ["I definitely believe there was a problem.", "Tomorrow?", "日本", ""]
    rows = noise_texts(texts, keys=keys_of(4), steps=[Misspell(rate=0.7)])
    assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN: list[tuple[str, list[tuple[int, str]]]] = [
    (
        "I definately belive thier was a problem.",
        [(2, "definitely"), (13, "believe"), (20, "there")],
    ),
    ("Tomorrow?", []),
    ("日本", []),
    ("", []),
]
