"""How near each text comes to any text of a reference: best ROUGE-L and best BLEU-4."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.quality.self_bleu import EPSILON, ORDER
from tasks.quality.sorted_values import distinct_values
from tasks.quality.word_codes import WordCodes

MOST_WORDS = 512
"""Words of a text that are compared; the rest is left out."""
_BLOCK_PAIRS = 1_000_000
_ODD = np.uint64(0xD6E8FEB86659FD93)

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NearestReference:
    """The best match of each text.

    Args:
        rouge_l: Greatest ROUGE-L F1 with one reference text, in [0, 1], shape `(N,)`.
        rouge_l_places: A reference text that reaches it, shape `(N,)`.
        bleu: Greatest sentence BLEU-4 with one reference text, in [0, 1], shape `(N,)`.
        bleu_places: The first reference text that reaches it, shape `(N,)`.
    """

    rouge_l: Floats
    rouge_l_places: Places
    bleu: Floats
    bleu_places: Places


def nearest_reference(texts: WordCodes, references: WordCodes) -> NearestReference:
    """Find the reference text that each text is most like, exactly.

    ROUGE-L F1 of m and n words with a longest common subsequence of l words is 2 l / (m + n).
    BLEU-4 is that of one sentence against one reference: the geometric mean of the clipped
    precisions of one to four words times the brevity penalty, smoothed as in `self_bleu` (an order
    without a match counts 0.1 matches; no shared word is 0). Both compare at most the first 512
    words. A text without words has 0.

    BLEU is computed for all pairs: with every occurrence of an n-gram in a text numbered, clipped
    matches are the common members of two sets, and those of all pairs one sparse matrix product.
    The subsequence is never longer than the words in common, so references are tried in the order
    of that bound until it falls to the best found: no pair that could win is left out.

    A greater reference comes nearer by chance: compare it at one size only.

    Args:
        texts: N texts.
        references: At least one, with the same vocabulary.

    Raises:
        ValueError: If there is no reference.

    References:
        Lin, ACL Workshop 2004. https://aclanthology.org/W04-1013 (ROUGE-L)
        Papineni et al., ACL 2002. https://aclanthology.org/P02-1040 (BLEU)
    """
    if not len(references):
        raise ValueError("no reference texts")
    texts, references = _beginnings(texts), _beginnings(references)
    pairs = [_occurrences(texts, references, n) for n in range(1, ORDER + 1)]
    words_of_references = [references.of(place).tolist() for place in range(len(references))]
    rouge, bleu = np.zeros(len(texts)), np.zeros(len(texts))
    rouge_places = np.zeros(len(texts), dtype=np.int64)
    bleu_places = np.zeros(len(texts), dtype=np.int64)
    step = max(1, _BLOCK_PAIRS // len(references))
    for start in range(0, len(texts), step):
        block = slice(start, start + step)
        matches = [(own[block] @ theirs.T).toarray() for own, theirs in pairs]
        scores = _bleu(matches, texts.lengths[block], references.lengths)
        bleu_places[block] = scores.argmax(axis=1)
        bleu[block] = scores.max(axis=1)
        sums = texts.lengths[block, None] + references.lengths
        bounds = 2 * matches[0] / np.maximum(sums, 1)
        for row, place in enumerate(range(start, start + len(bounds))):
            words = texts.of(place).tolist()
            rouge[place], rouge_places[place] = _best_rouge_l(
                words, words_of_references, bounds[row], first=int(bleu_places[place])
            )
    return NearestReference(rouge, rouge_places, bleu, bleu_places)


def _beginnings(texts: WordCodes) -> WordCodes:
    lengths = np.minimum(texts.lengths, MOST_WORDS)
    if (lengths == texts.lengths).all():
        return texts
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    starts = np.repeat(texts.offsets[:-1] - offsets[:-1], lengths)
    codes = texts.codes[np.arange(offsets[-1]) + starts]
    return WordCodes(codes=codes, offsets=offsets, vocabulary=texts.vocabulary)


def _occurrences(texts: WordCodes, references: WordCodes, n: int) -> tuple[Any, Any]:
    """Return which numbered occurrences of n-grams each text has, as two sparse 0/1 matrices.

    Columns are the occurrences that both sides have, such as "the second `is it`".
    """
    from scipy.sparse import csr_array

    sides = [_numbered(side, n) for side in (texts, references)]
    own, theirs = (distinct_values(hashes) for hashes, _ in sides)
    shared = np.intersect1d(own, theirs, assume_unique=True)
    matrices = []
    for (hashes, holders), size in zip(sides, (len(texts), len(references)), strict=True):
        columns = np.searchsorted(shared, hashes)
        kept = columns < len(shared)
        kept[kept] = shared[columns[kept]] == hashes[kept]
        ones = np.ones(int(kept.sum()), dtype=np.int32)
        cells = (ones, (holders[kept], columns[kept]))
        matrices.append(csr_array(cells, shape=(size, max(1, len(shared)))))
    return matrices[0], matrices[1]


def _numbered(texts: WordCodes, n: int) -> tuple[NDArray[np.uint64], Places]:
    """Hash each n-gram with its number among its equals in the text, from 0."""
    ngrams = texts.ngrams(n)
    order = np.lexsort((ngrams.hashes, ngrams.texts))
    hashes, holders = ngrams.hashes[order], ngrams.texts[order]
    opens = np.ones(len(hashes), dtype=bool)
    opens[1:] = (hashes[1:] != hashes[:-1]) | (holders[1:] != holders[:-1])
    starts = np.flatnonzero(opens)
    numbers = np.arange(len(hashes)) - starts[np.cumsum(opens) - 1]
    return hashes + numbers.astype(np.uint64) * _ODD, holders


def _bleu(
    matches: Sequence[NDArray[np.int32]], lengths: Places, reference_lengths: Places
) -> Floats:
    """Return BLEU-4 of every pair, shape `(N, R)`, from the clipped matches of each order."""
    logs = np.zeros(matches[0].shape)
    for n, counts in enumerate(matches, start=1):
        num_ngrams = np.maximum(lengths - n + 1, 1)[:, None]
        logs += np.log(np.where(counts > 0, counts, EPSILON) / num_ngrams) / ORDER
    ratios = reference_lengths / np.maximum(lengths, 1)[:, None]
    scores: Floats = np.exp(logs + np.minimum(0.0, 1 - ratios))
    scores[matches[0] == 0] = 0.0
    return scores


def _best_rouge_l(
    words: list[int], references: Sequence[list[int]], bounds: Floats, *, first: int
) -> tuple[float, int]:
    masks = _masks(words)
    best, best_place = 0.0, first
    # The best by BLEU is seldom far off, and a good start rules out most of the others.
    if bounds[first] > 0:
        best = _rouge_l(masks, len(words), references[first])
    hopeful = np.flatnonzero(bounds > best)
    for place in hopeful[np.argsort(-bounds[hopeful], kind="stable")].tolist():
        if bounds[place] <= best:
            break
        score = _rouge_l(masks, len(words), references[place])
        if score > best:
            best, best_place = score, place
    return best, best_place


def _masks(words: list[int]) -> dict[int, int]:
    """Return of each word the bits of the places where it stands."""
    masks: dict[int, int] = {}
    for place, word in enumerate(words):
        masks[word] = masks.get(word, 0) | 1 << place
    return masks


def _rouge_l(masks: dict[int, int], length: int, reference: list[int]) -> float:
    """Return ROUGE-L F1 of a text, as `_masks`, and a reference; one of them is not empty.

    The longest common subsequence is counted a row of its table at a time, a bit for each word.

    References:
        Hyyrö, Australasian Workshop on Combinatorial Algorithms 2004 (bit-parallel LCS).
    """
    everything = (1 << length) - 1
    row = everything
    for word in reference:
        mask = masks.get(word)
        if mask is not None:
            matched = row & mask
            row = (row + matched | row - matched) & everything
    common = length - row.bit_count()
    return 2 * common / (length + len(reference))
