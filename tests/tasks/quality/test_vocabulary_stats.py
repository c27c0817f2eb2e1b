from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.vocabulary_stats import vocabulary_stats
from tasks.quality.word_codes import encode_words

TEXTS = st.lists(st.lists(st.sampled_from("abcde"), max_size=6).map(" ".join), max_size=8)


@settings(deadline=None)
@given(texts=TEXTS, data=st.data())
def test_it_counts_words(texts, data) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    tokens = [word for text, keep in zip(texts, kept, strict=True) if keep for word in text.split()]
    counts = Counter(tokens)
    found = vocabulary_stats(encode_words(texts), kept=np.array(kept, dtype=bool))
    assert (found.num_tokens, found.num_types) == (len(tokens), len(counts))
    hapaxes = sum(count == 1 for count in counts.values())
    assert found.num_hapaxes == hapaxes
    if not tokens:
        assert found.hapax_share is found.yule_k is None
        return
    assert found.hapax_share == hapaxes / len(counts)
    # Pairs of tokens, in order, that are the same word.
    same = sum(a == b for i, a in enumerate(tokens) for j, b in enumerate(tokens) if i != j)
    assert found.yule_k == pytest.approx(1e4 * same / len(tokens) ** 2)


def test_all_texts_count_unless_said_otherwise() -> None:
    words = encode_words(["a b", "a"])
    assert vocabulary_stats(words) == vocabulary_stats(words, kept=np.array([True, True]))
