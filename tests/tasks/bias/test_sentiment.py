import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from tasks.bias.lexicons import shipped_lexicons
from tasks.bias.sentiment import polarity_scores, sentiment_gaps, shipped_polarity
from tasks.quality.word_codes import encode_words

POLARITY = shipped_polarity()


def score(texts: list[str]) -> list[float]:
    words = encode_words(texts)
    known = {word: code for code, word in enumerate(words.vocabulary.words())}
    found = polarity_scores(words.codes, words.offsets, code_of=known, polarity=POLARITY)
    return [float(value) for value in found]


def slowly(text: str) -> float:
    words, total, count = text.split(), 0, 0
    for place, word in enumerate(words):
        sign = (word in POLARITY.positive) - (word in POLARITY.negative)
        turned = any(w in POLARITY.negators for w in words[max(0, place - 3) : place])
        total, count = total + (-sign if turned else sign), count + abs(sign)
    return total / max(count, 1)


some = st.sampled_from(["good", "bad", "not", "t", "the", "awful", "great", "never"])


@given(st.lists(st.lists(some, max_size=9).map(" ".join), max_size=6))
@settings(max_examples=100, deadline=None)
def test_scores_are_what_reading_word_by_word_gives(texts: list[str]) -> None:
    assert score(texts) == pytest.approx([slowly(text) for text in texts])


def test_a_negation_does_not_reach_into_the_next_row() -> None:
    assert score(["a good one", "it isn't good", "never", "good", ""]) == [1, -1, 0, 1, 0]


def test_the_lexicon_speaks_of_no_group_and_takes_one_side() -> None:
    assert not POLARITY.positive & POLARITY.negative
    assert not (POLARITY.positive | POLARITY.negative) & POLARITY.negators
    named = {word for words, _, group in shipped_lexicons().phrases() if group for word in words}
    assert not (POLARITY.positive | POLARITY.negative) & named


def test_gaps_are_between_a_group_and_the_rest_of_its_axis() -> None:
    random = np.random.default_rng(0)
    rows = random.random((500, 3)) < [0.3, 0.3, 0.01]
    scores = random.normal(0, 1, 500) + 0.8 * rows[:, 0]
    first, second, third = sentiment_gaps(scores, rows, groups=["a", "b", "c"])
    others = rows.any(axis=1) & ~rows[:, 0]
    expected = ttest_ind(scores[rows[:, 0]], scores[others], equal_var=False)
    assert first.p_value == pytest.approx(expected.pvalue)
    assert (first.rows, first.others) == (rows[:, 0].sum(), others.sum())
    assert first.gap is not None
    assert first.gap.low < 0.8 < first.gap.high
    assert second.gap is not None
    assert (third.gap, third.p_value) == (None, None)
