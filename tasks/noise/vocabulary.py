"""The words of a corpus, counted beforehand: what `word_replace` draws from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.noise.batch import TextBatch
from tasks.noise.lexicon import find_cores, lower
from tasks.noise.strings import Ints, Strings
from tasks.noise.units import find_words

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Vocabulary:
    """V words of a corpus, in lower case, without the punctuation around them.

    Args:
        words: The words in the order of their code points, none twice.
        counts: How often each occurs, shape `(V,)`.
        num_texts_with: In how many texts each occurs, shape `(V,)`.
        num_texts: Texts of the corpus.
    """

    words: pa.StringArray
    counts: Ints
    num_texts_with: Ints
    num_texts: int

    @classmethod
    def of(cls, words: Sequence[str]) -> "Vocabulary":
        """Take a plain list: all words are equally likely."""
        kept = sorted(set(words))
        ones = np.ones(len(kept), np.int64)
        return cls(pa.array(kept, pa.string()), ones, ones, 1)

    @cached_property
    def strings(self) -> Strings:
        """The words."""
        return Strings.of(self.words)

    @cached_property
    def idf(self) -> Floats:
        """Inverse document frequency: log of all texts over those with the word, `(V + 1,)`.

        The last one is that of a word that is not here: as if one text had it.
        """
        return np.log(max(self.num_texts, 1) / np.append(self.num_texts_with, 1))

    @cached_property
    def unigram_ends(self) -> Floats:
        """Distribution function of the words by their counts, shape `(V,)`."""
        return _ends(self.counts.astype(np.float64))

    @cached_property
    def tfidf_ends(self) -> Floats:
        """Distribution function of the words by how little they say, shape `(V,)`.

        A word weighs as much as its score, count times `idf`, stays below the greatest.
        """
        scores = self.counts * self.idf[:-1]
        return _ends(scores.max(initial=0) - scores)

    def find(self, words: Strings) -> Ints:
        """Return the number of each lower-case word, V where it is not here."""
        found = pc.index_in(words.to_arrow(), value_set=self.words)
        return np.asarray(pc.fill_null(found, len(self.words)).to_numpy(), np.int64)


class VocabularyCounter:
    """Counts the words of a corpus, batch by batch; how it is cut into batches changes nothing."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._num_texts_with: Counter[str] = Counter()
        self._num_texts = 0

    def add(self, texts: pa.StringArray | pa.ChunkedArray | Sequence[str]) -> None:
        """Count the words of further texts, none null."""
        batch = TextBatch(Strings.of(texts))
        self._num_texts += len(batch)
        rows, words = find_lower_words(batch)
        encoded = words.to_arrow().dictionary_encode()
        numbers = encoded.indices.to_numpy().astype(np.int64)
        names = encoded.dictionary.to_pylist()
        pairs = np.unique(rows * max(len(names), 1) + numbers)
        counts = np.bincount(numbers, minlength=len(names))
        texts_with = np.bincount(pairs % max(len(names), 1), minlength=len(names))
        self._counts.update(dict(zip(names, counts.tolist(), strict=True)))
        self._num_texts_with.update(
            dict(zip(names, texts_with[: len(names)].tolist(), strict=True))
        )

    def vocabulary(self) -> Vocabulary:
        """Return what was counted so far."""
        words = sorted(self._counts)
        return Vocabulary(
            pa.array(words, pa.string()),
            np.array([self._counts[word] for word in words], np.int64),
            np.array([self._num_texts_with[word] for word in words], np.int64),
            self._num_texts,
        )


def find_lower_words(batch: TextBatch) -> tuple[Ints, Strings]:
    """Return the text of each word and the word, in lower case, without its punctuation."""
    words = find_words(batch)
    cores = find_cores(batch, words, np.arange(len(words)))
    strings = batch.strings.slices(cores.starts, cores.ends)
    return words.rows_of(cores.picked), Strings(lower(strings.code_points), strings.offsets)


def _ends(weights: Floats) -> Floats:
    """Return the distribution function of weights; of equal ones when all are 0."""
    sums = np.cumsum(weights if weights.any() else np.ones_like(weights))
    return sums / sums[-1] if sums.size else sums
