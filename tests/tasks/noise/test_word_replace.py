"""Words of the corpus in place of others: how often each goes, and what comes."""

import numpy as np
import pytest
from pydantic import ValidationError

from schemas.errors import InputError
from schemas.noise_words import WordReplace
from tasks.noise.resources import OpenSteps
from tasks.noise.texts import noise_batch, noise_texts
from tasks.noise.vocabulary import Vocabulary, VocabularyCounter
from tasks.planning.streams import Stream, row_keys

CORPUS = ["the the card", "the fee", "the card", "a b", "a fee fee"]


def keys_of(num: int) -> np.ndarray:
    return row_keys(26, np.arange(num), 0, Stream.NOISE)


def corpus_words() -> Vocabulary:
    counter = VocabularyCounter()
    counter.add(CORPUS)
    return counter.vocabulary()


def replace(texts: list[str], step: WordReplace) -> list[list[dict[str, object]]]:
    opened = OpenSteps([step], vocabulary=corpus_words())
    return noise_batch(texts, keys=keys_of(len(texts)), steps=opened).edits.to_pylist()


def near(count: int, num: int, share: float) -> bool:
    return abs(count - num * share) < 4 * (num * share * (1 - share)) ** 0.5 + 1e-9


def test_what_comes_is_as_frequent_as_in_the_corpus():
    edits = [edit for own in replace(["xx " * 40] * 400, WordReplace(rate=0.5)) for edit in own]
    assert near(len(edits), 16_000, 0.5)
    afters = [edit["after"] for edit in edits]
    for word, count in {"the": 4, "card": 2, "a": 2, "b": 1, "fee": 3}.items():
        assert near(afters.count(word), len(afters), count / 12)


def test_by_tfidf_what_says_little_goes_and_comes():
    rate, num = 0.3, 8000
    edits = replace(["the fee"] * num, WordReplace(rate=rate, weighting="tfidf"))
    flat = [edit for own in edits for edit in own]
    # `fee` has the greatest score of the text, so it stays; `the` goes at twice the rate, less
    # where it is drawn for itself.
    assert {edit["before"] for edit in flat} == {"the"}
    ends = np.diff(corpus_words().tfidf_ends, prepend=0)
    shares = dict(zip(corpus_words().words.to_pylist(), ends, strict=True))
    assert near(len(flat), num, 2 * rate * (1 - shares["the"]))
    for word in ("a", "b", "card"):
        assert near([e["after"] for e in flat].count(word), num, 2 * rate * shares[word])


def test_by_tfidf_words_that_say_the_same_go_at_the_rate():
    edits = replace(["zz yy xx ww"] * 4000, WordReplace(rate=0.25, weighting="tfidf"))
    assert near(sum(map(len, edits)), 16_000, 0.25)


def test_a_list_needs_no_corpus_and_the_case_stays():
    step = WordReplace(rate=1, words=("uno",))
    (row,) = noise_texts(["Where IS (my) Card?"], keys=keys_of(1), steps=[step])
    assert row.text == "Uno UNO (uno) Uno?"


@pytest.mark.parametrize("vocabulary", [None, VocabularyCounter().vocabulary()])
def test_without_the_words_of_the_corpus_it_says_so(vocabulary):
    opened = OpenSteps([WordReplace(rate=0.5)], vocabulary=vocabulary)
    with pytest.raises(InputError, match="words of the corpus") as caught:
        noise_batch(["a b"], keys=keys_of(1), steps=opened)
    assert caught.value.code == "CS-R004"


@pytest.mark.parametrize(
    "wrong", [{"words": []}, {"words": [" "]}, {"words": ["a"], "weighting": "tfidf"}]
)
def test_a_step_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        WordReplace(rate=0.1, **wrong)


def test_golden():
    texts = ["Where is the card?", "the fee, the FEE", ""]
    for weighting, expected in GOLDEN.items():
        steps = OpenSteps([WordReplace(rate=0.6, weighting=weighting)], vocabulary=corpus_words())
        rows = noise_texts(texts, keys=keys_of(3), steps=steps)
        assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == expected


GOLDEN: dict[str, list[tuple[str, list[tuple[int, str]]]]] = {
    "unigram": [
        ("Where is the card?", []),
        ("the a, a CARD", [(4, "fee"), (7, "the"), (9, "FEE")]),
        ("", []),
    ],
    "tfidf": [
        ("Where is card b?", [(9, "the"), (14, "card")]),
        ("card fee, a FEE", [(0, "the"), (10, "the")]),
        ("", []),
    ],
}
