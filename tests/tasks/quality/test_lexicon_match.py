import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.fingerprints import normalise_text
from tasks.quality.lexicon_match import find_phrases, word_spans
from tasks.quality.word_codes import Vocabulary, encode_words

TEXTS = st.lists(st.text(alphabet="abA é.,½", max_size=15), max_size=6)
PHRASES = st.lists(st.text(alphabet="abé ", max_size=5).filter(str.strip), max_size=6)


@settings(deadline=None, max_examples=200)
@given(texts=TEXTS, phrases=PHRASES)
def test_phrases_are_found_where_their_words_follow(texts: list[str], phrases: list[str]) -> None:
    found = find_phrases(encode_words(texts), phrases)
    expected = []
    for text, content in enumerate(texts):
        words = normalise_text(content).split()
        for first in range(len(words)):
            for number, phrase in enumerate(phrases):
                wanted = normalise_text(phrase).split()
                if words[first : first + len(wanted)] == wanted:
                    expected.append((text, first, number, len(wanted)))
    columns = (found.texts, found.firsts, found.phrases, found.sizes)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    assert len(found) == len(expected)


def test_no_phrase_reaches_into_the_next_text() -> None:
    assert len(find_phrases(encode_words(["go", "home"]), ["go home"])) == 0
    assert len(find_phrases(encode_words([]), ["go"])) == 0
    assert len(find_phrases(encode_words(["go"]), [])) == 0


def test_words_of_another_corpus_are_none_of_this_one() -> None:
    vocabulary = Vocabulary()
    encode_words(["bad"], vocabulary=vocabulary)
    assert len(find_phrases(encode_words(["good"], vocabulary=vocabulary), ["bad"])) == 0


def test_a_phrase_has_a_word() -> None:
    with pytest.raises(ValueError, match="no word"):
        find_phrases(encode_words(["a"]), ["?!"])


@settings(deadline=None, max_examples=300)
@given(text=st.text(max_size=40))
def test_a_span_holds_its_word(text: str) -> None:
    words = normalise_text(text).split()
    spans = word_spans(text)
    assert len(spans) == len(words)
    for word, (start, end) in zip(words, spans, strict=True):
        assert word in normalise_text(text[start:end]).split()
    assert spans == sorted(spans)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("\uff22ad, you!", [(0, 3), (5, 8)]),
        ("caf\u0065\u0301 x", [(0, 5), (6, 7)]),
        ("\U0001f600 ﬁne", [(2, 5)]),
        ("Straße 7", [(0, 6), (7, 8)]),
        ("1½ x", [(0, 2), (1, 2), (3, 4)]),
        ("\uffa1\uffc2 a", [(0, 4), (0, 4)]),
        ("?!", []),
    ],
)
def test_spans_count_code_points_of_the_text_itself(
    text: str, spans: list[tuple[int, int]]
) -> None:
    assert word_spans(text) == spans
