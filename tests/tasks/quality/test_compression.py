import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.compression import compression_ratio


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(st.text(max_size=9), max_size=9), rng=st.randoms(use_true_random=False))
def test_the_order_of_the_texts_is_all_the_same(texts: list[str], rng: random.Random) -> None:
    shuffled = rng.sample(texts, len(texts))
    assert compression_ratio(shuffled) == compression_ratio(texts)


def test_it_is_the_ratio_of_zlib() -> None:
    text = "the card has not arrived, the card is late"
    assert compression_ratio([text]) == len(text) / len(zlib.compress(text.encode(), 9))


def test_nothing_has_no_ratio() -> None:
    assert compression_ratio([]) is compression_ratio(["", ""]) is None


def test_copies_are_found_however_far_apart() -> None:
    rng = random.Random(0)
    texts = ["".join(rng.choices("abcdefghijklmnop", k=100)) for _ in range(1000)]
    once = compression_ratio(texts)
    assert once is not None
    # 100 kB lie between the copies in this order; the window of zlib is 32 KiB.
    assert compression_ratio(texts + texts) == pytest.approx(2 * once, rel=0.1)


def test_surrogates_count_as_bytes() -> None:
    assert compression_ratio(["\ud800"]) is not None
