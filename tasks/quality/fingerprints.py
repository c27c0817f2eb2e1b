"""Fingerprints of texts: when do two texts count as the same one?"""

import hashlib
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import regex
from numpy.typing import NDArray

from tasks.quality.sorted_values import distinct_values

# A mark belongs to the letter before it: without its vowel signs a word of Hindi is another word.
_WORD = regex.compile(r"(?:[\p{L}\p{N}]\p{M}*+)++")
_ASCII_FOLD = "".join(
    chr(code).lower() if chr(code).isascii() and chr(code).isalnum() else " " for code in range(256)
).encode()
"""What becomes of each byte of an ASCII text."""


# A row's scores ask for its text six times, and its neighbours share its examples.
@lru_cache(maxsize=1024)
def normalise_text(text: str) -> str:
    """Reduce a text to what two copies of it share: words in lower case, one space between them.

    Unicode compatibility forms are folded (NFKC), case is folded, and what stands between
    letters and digits (each with its combining marks) becomes one space. A text without letters and
    digits becomes `""`.
    """
    if text.isascii():
        # Most are, and for them a table does what the rules below do, in an eighth of the time.
        return " ".join(text.encode().translate(_ASCII_FOLD).decode().split())
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def fingerprint(text: str) -> int:
    """Hash a normalised text to 64 bits: equal for copies that differ in case or punctuation.

    The hash is BLAKE2b with an 8-byte digest, read as a big-endian unsigned integer. Among n texts
    a false match has probability below n^2 / 2^65 (under 1e-10 for 40,000).
    """
    digest = hashlib.blake2b(normalise_text(text).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


class FingerprintIndex:
    """A set of fingerprints: a sorted array of unsigned 64-bit integers, 8 bytes a text."""

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        """Keep `hashes`, shape `(N,)`, in any order; duplicates are dropped."""
        self._hashes = distinct_values(hashes)

    @classmethod
    def of_texts(cls, texts: Iterable[str]) -> "FingerprintIndex":
        """Index the fingerprints of `texts`."""
        return cls(np.fromiter((fingerprint(text) for text in texts), dtype=np.uint64))

    @classmethod
    def load(cls, path: Path) -> "FingerprintIndex":
        """Read an index that `save` wrote (a NumPy array file, never pickled)."""
        return cls(np.load(path, allow_pickle=False))

    def save(self, path: Path) -> None:
        """Write the sorted array in NumPy's `.npy` format."""
        np.save(path, self._hashes, allow_pickle=False)

    def __or__(self, other: "FingerprintIndex") -> "FingerprintIndex":
        """Join two indexes."""
        return FingerprintIndex(np.concatenate([self._hashes, other._hashes]))

    def __len__(self) -> int:
        """Return the number of distinct fingerprints."""
        return int(self._hashes.size)

    def __contains__(self, text: str) -> bool:
        """Tell whether a copy of `text` is in the index."""
        value = np.uint64(fingerprint(text))
        place = int(np.searchsorted(self._hashes, value))
        return place < self._hashes.size and bool(self._hashes[place] == value)
