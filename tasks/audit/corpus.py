"""What an audit reads: the columns of a dataset, and what its measures share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasks.quality.fingerprints import normalise_text
from tasks.quality.word_codes import Vocabulary, WordCodes, encode_words


@dataclass(frozen=True)
class Corpus:
    """N rows, column by column. What several measures need is computed once and kept.

    Args:
        name: What a page calls it.
        ids: Id of each row; the row's number where the data have none.
        texts: The texts; a null is `None`.
        labels: One label a row, `None` where it is null; None when the data have no labels.
        columns: Further columns of strings by name: `strategy`, `split`, attributes, `prompt`.
        numbers: Further columns of numbers by name: `logprob`, `num_tokens`, shape `(N,)`.
        vocabulary: Words with codes; corpora that are compared share one.
    """

    name: str
    ids: Sequence[str]
    texts: Sequence[str | None]
    labels: Sequence[str | None] | None = None
    columns: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    @cached_property
    def strings(self) -> list[str]:
        """The texts; a null is empty."""
        return [text or "" for text in self.texts]

    @cached_property
    def normals(self) -> list[str]:
        """The normalised texts (`normalise_text`)."""
        return [normalise_text(text) for text in self.strings]

    @cached_property
    def words(self) -> WordCodes:
        """The words of the normalised texts as codes."""
        return encode_words(self.strings, vocabulary=self.vocabulary)

    def take(self, places: NDArray[np.int64]) -> "Corpus":
        """Return the rows at `places`, in that order, with the same vocabulary."""
        chosen = places.tolist()
        return Corpus(
            name=self.name,
            ids=[self.ids[place] for place in chosen],
            texts=[self.texts[place] for place in chosen],
            labels=None if self.labels is None else [self.labels[place] for place in chosen],
            columns={
                name: [values[place] for place in chosen] for name, values in self.columns.items()
            },
            numbers={name: values[places] for name, values in self.numbers.items()},
            vocabulary=self.vocabulary,
        )

    def sample(self, size: int, *, key: str) -> "Corpus":
        """Return at most `size` rows: those whose id and text hash lowest under `key`, in order.

        The same rows are drawn whatever the order of the corpus.
        """
        if len(self) <= size:
            return self
        return self.take(lowest(row_hashes(self.ids, self.strings, key=key), size))


def lowest(hashes: NDArray[np.uint64], size: int) -> NDArray[np.int64]:
    """Return the places of the `size` lowest hashes in ascending order; of equals, the first."""
    return np.sort(np.argsort(hashes, kind="stable")[:size])


def row_hashes(ids: Sequence[str], texts: Sequence[str], *, key: str) -> NDArray[np.uint64]:
    """Hash rows by id and text: the rows with the lowest hashes are a sample without an order.

    Args:
        ids: Id of each row.
        texts: Its text.
        key: Samples of different keys are independent.

    Returns:
        Shape `(N,)`.
    """
    from hashlib import blake2b

    salt = key.encode()[:16]
    digests = (
        blake2b(f"{row_id}\n{text}".encode("utf-8", "surrogatepass"), digest_size=8, salt=salt)
        for row_id, text in zip(ids, texts, strict=True)
    )
    return np.fromiter((int.from_bytes(d.digest(), "big") for d in digests), dtype=np.uint64)
