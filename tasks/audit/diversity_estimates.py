"""Figures of diversity with their intervals, each of the beginning of a pool.

A pool is a corpus in an order that has nothing to do with its texts (`random_order`), so that its
beginning is a random sample of any size, and its blocks are fair ones.
"""

import math
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.quality.compression import compression_ratio
from tasks.quality.jackknife import QUANTILE, block_jackknife
from tasks.quality.ngram_shares import distinct_share, first_texts, first_words
from tasks.quality.openings import normalised_entropy, opening_hashes, openings
from tasks.quality.self_bleu_arrays import SelfBleu
from tasks.quality.threads import one_blas_thread
from tasks.quality.vendi import character_kernel, vendi_score
from tasks.quality.vocabulary_stats import vocabulary_stats

POOL_ROWS = 50_000
_KEY = "diversity"

Basis = Literal["rows", "words", "characters"]


def random_order(corpus: Corpus) -> Corpus:
    """Return at most `POOL_ROWS` rows, in the order of a hash of id and text."""
    pool = corpus.sample(POOL_ROWS, key=_KEY)
    digests = [
        blake2b(f"{text}\n{row_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for row_id, text in zip(pool.ids, pool.strings, strict=True)
    ]
    return pool.take(np.array(sorted(range(len(pool)), key=digests.__getitem__), dtype=np.int64))


def size_of(pool: Corpus, basis: Basis) -> int:
    """Return how large a pool is."""
    match basis:
        case "rows":
            return len(pool)
        case "words":
            return int(pool.words.codes.size)
        case "characters":
            return sum(map(len, pool.strings))
        case _:
            assert_never(basis)


def rows_of(pool: Corpus, basis: Basis, size: int) -> int:
    """Return how many rows the beginning of a pool takes from it."""
    match basis:
        case "rows":
            return min(size, len(pool))
        case "words":
            return len(first_words(pool.words, size))
        case "characters":
            return len(first_characters(pool.strings, size))
        case _:
            assert_never(basis)


def distinct(pool: Corpus, size: int, *, n: int) -> Estimate | None:
    """Estimate distinct-n of the first `size` words."""
    words = first_words(pool.words, size)
    ngrams = words.ngrams(n)
    return _jackknifed(
        lambda kept: distinct_share(ngrams, kept=kept), len(words), n=ngrams.hashes.size, most=1
    )


def hapax_share(pool: Corpus, size: int) -> Estimate | None:
    """Estimate the share of words that occur once in the first `size` words."""
    words = first_words(pool.words, size)
    return _jackknifed(
        lambda kept: vocabulary_stats(words, kept=kept).hapax_share, len(words), n=size, most=1
    )


def yule_k(pool: Corpus, size: int) -> Estimate | None:
    """Estimate Yule's K of the first `size` words."""
    words = first_words(pool.words, size)
    return _jackknifed(
        lambda kept: vocabulary_stats(words, kept=kept).yule_k, len(words), n=size, most=1e4
    )


def compression(pool: Corpus, size: int) -> Estimate | None:
    """Estimate the compression ratio of the first `size` characters."""
    texts = np.array(first_characters(pool.strings, size), dtype=object)
    return _jackknifed(lambda kept: compression_ratio(texts[kept]), len(texts), n=len(texts))


@one_blas_thread()
def vendi(pool: Corpus, size: int) -> Estimate | None:
    """Estimate the Vendi score of the first `size` texts."""
    kernel = character_kernel(pool.strings[:size])
    return _jackknifed(
        lambda kept: vendi_score(kernel[np.ix_(kept, kept)]), size, n=size, least=1, most=size
    )


def mean_self_bleu(pool: Corpus, size: int) -> Estimate | None:
    """Estimate the mean self-BLEU of the first `size` texts."""
    counted = SelfBleu(first_texts(pool.words, size))
    return _jackknifed(
        lambda kept: float(counted.scores(kept).mean()), min(size, len(pool)), n=size, most=1
    )


def opening_share(pool: Corpus, size: int, *, n: int) -> Estimate | None:
    """Estimate the share of the commonest opening of `n` words among the first `size` texts."""
    found = openings(first_texts(pool.words, size), n)
    if found is None:
        return None
    return intervals.share(round(found.top_share * found.num_texts), found.num_texts)


def opening_entropy(pool: Corpus, size: int, *, n: int) -> Estimate | None:
    """Estimate the normalised entropy of the openings of `n` words of the first `size` texts."""
    found = opening_hashes(first_texts(pool.words, size), n)
    return _jackknifed(
        lambda kept: normalised_entropy(found.hashes[kept[found.texts]]),
        min(size, len(pool)),
        n=len(found.texts),
        most=1,
    )


def first_characters(texts: Sequence[str], size: int) -> list[str]:
    """Return the first `size` characters of texts: a text is cut, and those after it left out."""
    first: list[str] = []
    for text in texts:
        if size <= 0:
            break
        first.append(text[:size])
        size -= len(text)
    return first


def _jackknifed(
    measure: Callable[[NDArray[np.bool_]], float | None],
    num_texts: int,
    *,
    n: int,
    least: float = 0,
    most: float = math.inf,
) -> Estimate | None:
    """Estimate a figure that lies between `least` and `most`."""
    found = block_jackknife(measure, num_texts)
    if found is None:
        return None
    # Rounding must not push a figure past its end.
    value = min(max(found.value, least), most)
    if found.standard_error is None:
        return intervals.plain(value, n)
    reach = QUANTILE * found.standard_error
    return Estimate(value=value, low=max(least, value - reach), high=min(most, value + reach), n=n)
