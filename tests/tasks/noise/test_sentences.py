"""Where sentences end."""

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.noise.batch import TextBatch
from tasks.noise.sentences import find_sentences
from tasks.noise.strings import Strings


def sentences_of(*texts: str) -> list[list[str]]:
    batch = TextBatch(Strings.of(texts))
    units = find_sentences(batch)
    found = batch.strings.slices(units.starts, units.ends).to_arrow().to_pylist()
    return [
        found[first:last] for first, last in zip(units.offsets, units.offsets[1:], strict=False)
    ]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        (" \n", []),
        ("no end", ["no end"]),
        ("One. Two!  Three?\nfour", ["One.", "Two!", "Three?", "four"]),
        ("It costs 3.50 at www.a.b today. Ok", ["It costs 3.50 at www.a.b today.", "Ok"]),
        ("Mr. X met J. Smith, e.g. here. Yes", ["Mr. X met J. Smith, e.g. here.", "Yes"]),
        ("So am I. (Really?) “Yes.” No", ["So am I.", "(Really?)", "“Yes.”", "No"]),
        ("Wait... what?! ok", ["Wait...", "what?!", "ok"]),
        ("你好。再见\uff01“好\uff1f”嗯", ["你好。", "再见\uff01", "“好\uff1f”", "嗯"]),
        ("好。。好。 a", ["好。。", "好。", "a"]),
        ("好。\u0301x", ["好。\u0301x"]),
        ("...", ["..."]),
        ("a . b", ["a .", "b"]),
    ],
)
def test_some_sentences_by_eye(text, sentences):
    assert sentences_of(text) == [sentences]
    assert sentences_of("end", text, "b. c") == [["end"], sentences, ["b.", "c"]]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text('aB .!?。」"\n\u0301日', max_size=14), max_size=5))
def test_sentences_hold_all_that_is_not_white_space(texts):
    for text, sentences in zip(texts, sentences_of(*texts), strict=True):
        assert "".join("".join(sentences).split()) == "".join(text.split())
        bounds = {0, *(match.end() for match in regex.finditer(r"\X", text))}
        place = 0
        for sentence in sentences:
            place = text.index(sentence, place)
            assert {place, place + len(sentence)} <= bounds
            place += len(sentence)


def test_texts_without_sentences_have_offsets():
    batch = TextBatch(Strings.of(["", " "]))
    assert np.array_equal(find_sentences(batch).offsets, [0, 0, 0])
