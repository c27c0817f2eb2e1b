"""The best common subsequence of words, against all of them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.alignment import align, missing_words
from tasks.quality.word_codes import Vocabulary, encode_words

WORDS = st.lists(st.sampled_from("abcde"), max_size=9)


def best_subsequence(first: list[str], second: list[str], bits: dict[str, float]) -> float:
    if not first or not second:
        return 0.0
    skipped = max(
        best_subsequence(first[1:], second, bits), best_subsequence(first, second[1:], bits)
    )
    if first[0] != second[0]:
        return skipped
    return max(skipped, bits[first[0]] + best_subsequence(first[1:], second[1:], bits))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(WORDS.map(lambda w: w[:6]), WORDS), min_size=1, max_size=5))
def test_an_alignment_is_the_best_of_all(pairs: list[tuple[list[str], list[str]]]) -> None:
    vocabulary = Vocabulary()
    bits = {word: 0.5 * place for place, word in enumerate("abcde")}
    for word in bits:
        vocabulary.code(word)
    first = encode_words([" ".join(pair[0]) for pair in pairs], vocabulary=vocabulary)
    second = encode_words([" ".join(pair[1]) for pair in pairs], vocabulary=vocabulary)
    places = np.arange(len(pairs))
    found = align(first, second, (places, places), np.array(list(bits.values())))
    expected = [best_subsequence(*pair, bits) for pair in pairs]
    assert found.bits.tolist() == expected
    assert found.first_bits.tolist() == [sum(map(bits.__getitem__, pair[0])) for pair in pairs]
    assert found.second_words.tolist() == [len(pair[1]) for pair in pairs]
    # With equal information the bits count the words.
    ones = align(first, second, (places, places), np.ones(5))
    assert ones.words.tolist() == ones.bits.tolist()
    missing = [sum(word not in pair[1] for word in pair[0]) for pair in pairs]
    assert missing_words(first, second, (places, places)).tolist() == missing
