import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.bias.lexicons import Lexicon, Lexicons, shipped_lexicons
from tasks.bias.mentions import Mentions, find_mentions
from tasks.quality.word_codes import encode_words

TOY = Lexicons(
    (
        Lexicon.model_validate(
            {
                "axis": "pets",
                "version": 1,
                "source": "made up",
                "groups": {"one": {"terms": ["a", "b c", "a b a"]}, "two": {"terms": ["b", "c a"]}},
                "shields": ["a a"],
            }
        ),
        Lexicon.model_validate(
            {
                "axis": "things",
                "version": 1,
                "source": "made up",
                "groups": {"red": {"terms": ["a"], "ambiguous": ["d"]}, "blue": {"terms": ["b c"]}},
            }
        ),
    ),
    ("a", "c"),
)


def find(texts: list[str], lexicons: Lexicons) -> Mentions:
    words = encode_words(texts)
    known = {word: code for code, word in enumerate(words.vocabulary.words())}
    return find_mentions(words.codes, words.offsets, code_of=known, lexicons=lexicons)


def slowly(text: str, lexicons: Lexicons) -> set[tuple[str, str]]:
    words, found = text.split(), set()
    for lexicon in lexicons.axes:
        matches = [
            (start, len(phrase), group)
            for phrase, axis, group in lexicons.phrases()
            for start in range(len(words))
            if axis == lexicon.axis and tuple(words[start : start + len(phrase)]) == phrase
        ]
        covered: set[int] = set()
        for length in sorted({match[1] for match in matches}, reverse=True):
            same = [m for m in matches if m[1] == length]
            same = [m for m in same if not set(range(m[0], m[0] + length)) <= covered]
            covered |= {place for m in same for place in range(m[0], m[0] + length)}
            found |= {(lexicon.axis, m[2]) for m in same if m[2] is not None}
    return found


@given(st.lists(st.lists(st.sampled_from("abcde"), max_size=8).map(" ".join), max_size=8))
@settings(max_examples=150, deadline=None)
def test_mentions_are_what_a_search_term_by_term_finds(texts: list[str]) -> None:
    mentions = find(texts, TOY)
    assert mentions.rows.shape == (len(texts), 4)
    for text, row in zip(texts, mentions.rows, strict=True):
        named = {column for column, is_in in zip(mentions.columns, row, strict=True) if is_in}
        assert named == slowly(text, TOY)


def named(text: str) -> set[tuple[str, str]]:
    mentions = find([text], shipped_lexicons())
    return {mentions.columns[place] for place in np.flatnonzero(mentions.rows[0])}


def test_the_shipped_lexicons_read_texts() -> None:
    assert named("My grandmother's flight") == {("gender", "female"), ("age", "old")}
    assert named("a Native American author") == {("ethnicity", "indigenous")}
    assert named("an American author") == {("region", "north_america")}
    assert named("the South Koreans, a Black man") == {
        ("region", "east_asia"),
        ("ethnicity", "black"),
        ("gender", "male"),
    }
    assert named("a black cat, a blind date, straight ahead, the old house") == set()
    assert named("Yes, ma'am") == {("gender", "female")}
    assert named("") == set()


def test_the_one_group_of_a_row() -> None:
    mentions = find(["he", "she", "he and she", "it", ""], shipped_lexicons())
    assert mentions.only_group("gender").tolist() == [1, 0, -1, -1, -1]
    assert mentions.groups("gender") == ["female", "male"]
    assert mentions.of_axis("gender").tolist() == [
        [False, True],
        [True, False],
        [True, True],
        [False, False],
        [False, False],
    ]


def test_no_rows_and_no_words() -> None:
    assert find([], shipped_lexicons()).rows.shape[0] == 0
    assert not find(["", "!"], shipped_lexicons()).rows.any()
