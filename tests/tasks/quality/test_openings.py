import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.openings import MOST_SHOWN, Opening, openings
from tasks.quality.word_codes import encode_words

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=4).map(" ".join), max_size=12)


@settings(deadline=None)
@given(texts=TEXTS, n=st.integers(1, 3))
def test_it_counts_first_words(texts: list[str], n: int) -> None:
    found = openings(encode_words(texts), n)
    firsts = [" ".join(text.split()[:n]) for text in texts if len(text.split()) >= n]
    if not firsts:
        assert found is None
        return
    assert found is not None
    counts = Counter(firsts)
    total = len(firsts)
    assert found.num_texts == total
    assert found.top_share == max(counts.values()) / total
    if total == 1:
        assert found.entropy is None
    else:
        entropy = -sum(c / total * math.log(c / total) for c in counts.values())
        assert found.entropy == pytest.approx(entropy / math.log(total))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    expected = [Opening(words, count) for words, count in ranked if count > 1]
    assert list(found.commonest) == expected[:MOST_SHOWN]
    top = expected[0].words if expected else None
    places = [i for i, text in enumerate(texts) if top and f"{text} ".startswith(f"{top} ")]
    assert found.texts_of_top.tolist() == places


def test_bounds() -> None:
    copies = openings(encode_words(["a b c d"] * 5), 3)
    assert copies is not None
    assert (copies.top_share, copies.entropy) == (1, 0)
    strangers = openings(encode_words(["a b", "c d", "e f"]), 2)
    assert strangers is not None
    assert strangers.entropy == pytest.approx(1)
    assert strangers.commonest == ()


def test_many_are_cut_to_the_commonest() -> None:
    texts = [f"w{place}" for place in range(30) for _ in range(2)] + ["common"] * 3
    found = openings(encode_words(texts), 1)
    assert found is not None
    assert len(found.commonest) == MOST_SHOWN
    assert found.commonest[0] == Opening("common", 3)
    assert found.commonest[1] == Opening("w0", 2)
