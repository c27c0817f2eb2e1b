"""Words replaced by words of the corpus."""

from functools import lru_cache

import numpy as np

from schemas.errors import InputError
from schemas.noise_words import WordReplace
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.lexicon import changes, find_cores, in_case_of, lower
from tasks.noise.splices import Splices
from tasks.noise.strings import Ints, Strings
from tasks.noise.units import Units, find_words
from tasks.noise.vocabulary import Floats, Vocabulary

_WHETHER, _WHICH = 0, 1


def word_replace(
    batch: TextBatch, dice: Dice, step: WordReplace, *, corpus: Vocabulary | None
) -> Splices:
    """Replace words by words drawn from the corpus, or from a list.

    With `unigram` each word goes with the text's rate as its probability, and what comes is drawn
    as often as it occurs in the corpus. With `tfidf` the words of a text that say the least about
    it are the likeliest to go, so that the rate is met on average (or nearly, where a probability
    would be above 1), and words that say little are the likeliest to come. The punctuation around a
    word and its case stay; a word that is drawn for itself makes no edit.

    Args:
        batch: The texts.
        dice: The draws.
        step: Where words come from, and how they are weighted.
        corpus: The words of the corpus, for `words: auto`.

    Raises:
        InputError: If the step wants the words of the corpus, and there are none.

    References:
        Xie et al., Unsupervised data augmentation, NeurIPS 2020 (TF-IDF based word replacement).
        https://arxiv.org/abs/1904.12848
    """
    vocabulary = corpus if step.words == "auto" else _of_list(tuple(step.words))
    if vocabulary is None or not len(vocabulary.words):
        raise InputError(
            "word_replace needs the words of the corpus",
            code="CS-R004",
            place="noise.steps",
            hint="list `words` in the step, or open the steps with a Vocabulary of the corpus",
        )
    words = find_words(batch)
    match step.weighting:
        case "unigram":
            hits, ends = dice.hits(words), vocabulary.unigram_ends
        case "tfidf":
            hits, ends = _hits_by_tfidf(batch, words, dice, vocabulary), vocabulary.tfidf_ends
    cores = find_cores(batch, words, hits)
    draws = dice.uniforms(words, cores.picked, counter=_WHICH)
    which = np.minimum(np.searchsorted(ends, draws, side="right"), ends.size - 1)
    befores = batch.strings.slices(cores.starts, cores.ends)
    afters = in_case_of(vocabulary.strings.take(which), befores)
    rows = words.rows_of(cores.picked)
    return changes(batch, Splices(rows, cores.starts, cores.ends, afters))


def _hits_by_tfidf(batch: TextBatch, words: Units, dice: Dice, vocabulary: Vocabulary) -> Ints:
    """Choose words, those with a low score of their text with a higher probability."""
    cores = find_cores(batch, words, np.arange(len(words)))
    rows = words.rows_of(cores.picked)
    strings = batch.strings.slices(cores.starts, cores.ends)
    small = Strings(lower(strings.code_points), strings.offsets)
    scores = _scores(small, rows, vocabulary)
    num_texts = words.offsets.size - 1
    greatest = np.zeros(num_texts)
    np.maximum.at(greatest, rows, scores)
    lacking = greatest[rows] - scores
    num_words = np.maximum(np.bincount(rows, minlength=num_texts), 1)
    means = (np.bincount(rows, weights=lacking, minlength=num_texts) / num_words)[rows]
    # Where all words of a text say the same, each is as likely to go as any other.
    shares = np.divide(lacking, means, out=np.ones_like(lacking), where=means > 0)
    draws = dice.uniforms(words, cores.picked, counter=_WHETHER)
    return cores.picked[draws < dice.rates[rows] * shares]


def _scores(words: Strings, rows: Ints, vocabulary: Vocabulary) -> Floats:
    """Return the TF-IDF of each word in its text, not divided by the length of the text."""
    numbers = words.to_arrow().dictionary_encode().indices.to_numpy().astype(np.int64)
    pairs = rows * (numbers.max(initial=0) + 1) + numbers
    _, places, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    return np.asarray(counts[places] * vocabulary.idf[vocabulary.find(words)])


@lru_cache(maxsize=16)
def _of_list(words: tuple[str, ...]) -> Vocabulary:
    return Vocabulary.of(words)
