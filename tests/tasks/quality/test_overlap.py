"""The longest shared passage of every text, against a comparison of all pairs."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.quality import overlap
from tasks.quality.overlap import Passages, shared_passages
from tasks.quality.word_codes import Vocabulary, encode_words

CORPORA = st.lists(st.lists(st.sampled_from("abc"), max_size=12), max_size=6)


def passages(first: list[list[str]], second: list[list[str]]) -> tuple[Passages, Passages]:
    vocabulary = Vocabulary()
    codes = [
        encode_words([" ".join(words) for words in corpus], vocabulary=vocabulary)
        for corpus in (first, second)
    ]
    return shared_passages(codes[0], codes[1])


def spans(words: list[str]) -> list[tuple[int, int]]:
    return [(i, j) for i in range(len(words)) for j in range(i + 1, len(words) + 1)]


def longest_run(text: list[str], others: list[list[str]]) -> int:
    ngrams = {tuple(other[i:j]) for other in others for i, j in spans(other)}
    runs = [j - i for i, j in spans(text) if tuple(text[i:j]) in ngrams]
    return max(runs, default=0)


def check(texts: list[list[str]], others: list[list[str]], found: Passages) -> None:
    assert found.lengths.tolist() == [longest_run(text, others) for text in texts]
    for i, text in enumerate(texts):
        length, start = found.lengths[i], found.starts[i]
        if length == 0:
            assert (found.others[i], start, found.other_starts[i]) == (-1, 0, 0)
            continue
        other_start = found.other_starts[i]
        run = others[found.others[i]][other_start : other_start + length]
        assert run == text[start : start + length]


@settings(deadline=None, max_examples=300)
@given(CORPORA, CORPORA, st.sampled_from([2, 5, 62]), st.sampled_from([4, 1000]))
@example([["a"] * 12, [], ["a"]], [["a"] * 11, ["a"] * 3], 2, 1000)
@example([["a", "b"], ["b", "a"]], [["b"], []], 2, 1000)
@example([], [["a"]], 62, 1000)
def test_it_is_the_longest_of_all_pairs(
    first: list[list[str]], second: list[list[str]], key_bits: int, portion: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # Few words in a key, as a large vocabulary has them, so that short texts see every level.
        patch.setattr(overlap, "_KEY_BITS", key_bits)
        patch.setattr(overlap, "_PORTION", portion)
        of_first, of_second = passages(first, second)
    check(first, second, of_first)
    check(second, first, of_second)


def test_long_copies_are_found_whole() -> None:
    rng = np.random.default_rng(3)
    page = [f"w{i}" for i in rng.integers(0, 50, 20_000)]
    of_first, of_second = passages([["x", *page, "y"], ["x"]], [["z"], ["q", "r", *page]])
    assert of_first.lengths.tolist() == [20_000, 0]
    assert of_second.lengths.tolist() == [0, 20_000]
    assert (of_first.starts[0], of_first.others[0], of_first.other_starts[0]) == (1, 1, 2)


def test_case_and_punctuation_do_not_count() -> None:
    of_first, _ = passages([["Where,", "is", "MY", "card?"]], [["oh", "where", "is", "my", "pin"]])
    assert of_first.lengths.tolist() == [3]


def test_two_vocabularies_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        shared_passages(encode_words(["a"]), encode_words(["a"]))
