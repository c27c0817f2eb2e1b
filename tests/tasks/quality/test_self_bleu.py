import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.quality.self_bleu import self_bleu

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), max_size=9), min_size=2, max_size=9)


def ngrams(words: Sequence[str], n: int) -> "Counter[tuple[str, ...]]":
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(text: Sequence[str], others: Sequence[Sequence[str]]) -> float:
    """BLEU-4 of one text, word for word as Papineni et al. and Chen and Cherry define it."""
    precisions = []
    for n in (1, 2, 3, 4):
        own = ngrams(text, n)
        clipped = {
            gram: min(count, max(ngrams(other, n)[gram] for other in others))
            for gram, count in own.items()
        }
        matches = sum(clipped.values())
        if n == 1 and matches == 0:
            return 0.0
        precisions.append((matches if matches else 0.1) / max(1, sum(own.values())))
    closest = min((len(other) for other in others), key=lambda r: (abs(r - len(text)), r))
    brevity = 1.0 if len(text) >= closest else math.exp(1 - closest / len(text))
    return brevity * math.prod(precisions) ** 0.25


@settings(deadline=None, max_examples=300)
@given(TEXTS)
@example([["a"], ["a", "b"], ["a", "b", "c"]])
@example([[], []])
@example([["a", "a", "a", "a"], ["a", "a"], ["a", "a"]])
def test_it_is_bleu_of_each_text_against_all_others(texts: list[list[str]]) -> None:
    expected = [bleu(text, texts[:i] + texts[i + 1 :]) for i, text in enumerate(texts)]
    assert self_bleu(texts) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.randoms(use_true_random=False))
def test_the_order_of_the_texts_is_all_the_same(texts: list[list[str]], rng: object) -> None:
    order = list(range(len(texts)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    scores = self_bleu(texts)
    assert self_bleu([texts[i] for i in order]) == [scores[i] for i in order]


def test_copies_score_1_and_strangers_0() -> None:
    text = list("abcdef")
    assert self_bleu([text, text, text]) == pytest.approx([1, 1, 1])
    assert self_bleu([list("abcd"), list("efgh"), list("ijkl")]) == [0, 0, 0]


def test_a_published_example() -> None:
    """Papineni et al., section 2: seven times "the" matches twice, for no reference has more."""
    texts = ["the the the the the the the", "the cat is on the mat", "there is a cat on the mat"]
    assert self_bleu([text.split() for text in texts])[0] == pytest.approx(
        (2 / 7 * 0.1 / 6 * 0.1 / 5 * 0.1 / 4) ** 0.25
    )


def test_one_text_has_no_reference() -> None:
    assert self_bleu([["alone"]]) == self_bleu([]) == []
