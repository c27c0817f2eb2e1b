"""How close the records of a corpus come to others: memorised ones come too close."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tasks.quality.threads import in_threads
from tasks.quality.word_codes import WordCodes

_CELLS = 4_000_000
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Closer:
    """Which of two sets of equal size the texts of a corpus are closer to.

    Args:
        first: Texts whose nearest neighbour in the first set is closer.
        second: Texts whose nearest neighbour in the second set is closer.
        ties: Texts as close to both, those with no word in common with either among them.
        effective: Independent texts that the others are worth, at most `first + second`. Texts with
            one nearest neighbour fall on one side together: with m_c texts at neighbour c of both
            sets it is the square of the sum of m_c over the sum of their squares. 0 without any.
    """

    first: int
    second: int
    ties: int
    effective: float


def nearest_distances(corpus: WordCodes, *sets: WordCodes) -> tuple[NDArray[np.float64], ...]:
    """Measure how far each text is from the closest record of each set.

    The distance is 1 minus the cosine of TF-IDF vectors of words and word pairs: counts, times
    ln((1 + n) / (1 + d)) + 1 for a feature found in d of the n texts of all sets, at unit length.
    A feature that no set has counts as found in none, so a text of new words is far from all. A
    text without words is at distance 1 from everything.

    N texts against M cost O(N M) time; memory is bounded.

    Args:
        corpus: Words of N texts.
        sets: Words of the sets, coded with the same vocabulary; none is empty.

    Returns:
        For each set the distances, each in [0, 1] and of shape `(N,)`.

    Raises:
        ValueError: If a set has no text, or another vocabulary.

    References:
        Park et al., PVLDB 2018 (distance to closest record). https://arxiv.org/abs/1806.03384
    """
    own, *others = _tf_idf(corpus, sets)
    return tuple(_nearest(own, other)[0] for other in others)


def closer_neighbours(corpus: WordCodes, first: WordCodes, second: WordCodes) -> Closer:
    """Count the texts closer to a set that a generator has seen than to one that it has not.

    When both sets are drawn alike and the generator memorised neither, a text is as likely closer
    to the one as to the other: half of those that are no ties. More than half means that the corpus
    repeats what was seen.

    Args:
        corpus: Words of the texts.
        first: Words of the set that was seen.
        second: Words of the set that was not, as many texts.

    Raises:
        ValueError: If the sets differ in size, are empty, or have another vocabulary.

    References:
        Platzer and Reutterer, Frontiers in Big Data 2021. https://arxiv.org/abs/2104.00635
        Meehan, Chaudhuri and Dasgupta, AISTATS 2020 (data copying).
        https://arxiv.org/abs/2004.05675
    """
    if len(first) != len(second):
        raise ValueError(f"sets of {len(first)} and {len(second)} texts are not equal in size")
    own, *others = _tf_idf(corpus, (first, second))
    (to_first, in_first), (to_second, in_second) = (_nearest(own, other) for other in others)
    is_first, is_second = to_second - to_first > _TIE, to_first - to_second > _TIE
    sizes = np.concatenate(
        [np.bincount(in_first[is_first]), np.bincount(in_second[is_second])]
    ).astype(np.float64)
    decided = float(sizes.sum())
    return Closer(
        first=int(is_first.sum()),
        second=int(is_second.sum()),
        ties=int((~is_first & ~is_second).sum()),
        effective=decided**2 / float((sizes**2).sum()) if decided else 0.0,
    )


def _tf_idf(corpus: WordCodes, sets: tuple[WordCodes, ...]) -> list[sparse.csr_array]:
    """Return the vectors of all texts, as rows of unit length (0 for a text without words)."""
    if any(len(words) == 0 for words in sets):
        raise ValueError("a set has no text")
    if any(words.vocabulary is not corpus.vocabulary for words in sets):
        raise ValueError("the corpora do not share a vocabulary")
    parts = (corpus, *sets)
    grams = [(words.ngrams(1), words.ngrams(2)) for words in parts]
    hashes = [np.concatenate([gram.hashes for gram in pair]) for pair in grams]
    # Word pairs and words are told apart by their hashes.
    known, columns = np.unique(np.concatenate(hashes), return_inverse=True)
    ends = np.cumsum([part.size for part in hashes])
    matrices = []
    for words, pair, part in zip(parts, grams, np.split(columns, ends[:-1]), strict=True):
        texts = np.concatenate([gram.texts for gram in pair])
        matrix = sparse.coo_array((np.ones(texts.size), (texts, part)), (len(words), known.size))
        matrices.append(matrix.tocsr())
    documents = sum(np.diff(matrix.tocsc().indptr) for matrix in matrices[1:])
    num_texts = sum(len(words) for words in sets)
    weights = np.log((1 + num_texts) / (1 + documents)) + 1
    return [_unit_rows(matrix @ sparse.diags_array(weights)) for matrix in matrices]


def _unit_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    norms = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    return (sparse.diags_array(1 / np.where(norms > 0, norms, 1.0)) @ matrix).tocsr()


def _nearest(
    own: sparse.csr_array, others: sparse.csr_array
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return each row's distance to the nearest of the others, and the place of that one."""
    distances = np.ones(own.shape[0])
    places = np.zeros(own.shape[0], dtype=np.int64)
    turned = others.T.tocsr()
    block = max(_CELLS // others.shape[0], 1)

    def fill(begin: int) -> None:
        cosines = (own[begin : begin + block] @ turned).toarray()
        distances[begin : begin + block] = 1 - cosines.max(axis=1)
        places[begin : begin + block] = cosines.argmax(axis=1)

    in_threads(fill, range(0, own.shape[0], block))
    # Rounding must not set copies apart from each other.
    distances[distances < _TIE] = 0.0
    return distances, places
