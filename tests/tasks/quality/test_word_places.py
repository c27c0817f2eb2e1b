import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.fingerprints import normalise_text
from tasks.quality.word_places import span_of_words


def test_spans_by_hand() -> None:
    text = "  Where's my NEW card?! "
    assert normalise_text(text) == "where s my new card"
    assert text[slice(*span_of_words(text, 0, 2))] == "Where's"
    assert text[slice(*span_of_words(text, 2, 3))] == "my NEW card"
    assert text[slice(*span_of_words(text, 0, 5))] == "Where's my NEW card"


def test_one_character_may_be_two_words() -> None:
    assert normalise_text("a ½ b") == "a 1 2 b"
    assert span_of_words("a ½ b", 1, 2) == (2, 3)
    assert span_of_words("a ½ b", 2, 1) == (2, 3)


@settings(deadline=None, max_examples=200)
@given(st.text("ab ,É\u0301ß\ud800", min_size=1, max_size=20), st.data())
def test_a_span_holds_its_words(text: str, data: st.DataObject) -> None:
    words = normalise_text(text).split()
    if not words:
        with pytest.raises(ValueError, match="of 0"):
            span_of_words(text, 0, 1)
        return
    start = data.draw(st.integers(0, len(words) - 1))
    length = data.draw(st.integers(1, len(words) - start))
    begin, end = span_of_words(text, start, length)
    found = normalise_text(text[begin:end]).split()
    assert len(found) == length
    assert found[:-1] == words[start : start + length - 1]
    assert normalise_text(text[:begin]).split() == words[:start]


def test_a_long_text_is_no_trouble() -> None:
    text = "x " * 50_000
    assert span_of_words(text, 40_000, 3) == (80_000, 80_005)


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, 0), (1, 2)])
def test_words_that_are_not_there(start: int, length: int) -> None:
    with pytest.raises(ValueError, match="of 2"):
        span_of_words("two words", start, length)
