"""A batch of texts as one array of code points: an operator works on all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TextBuffer:
    """Texts laid one after the other.

    Args:
        texts: The texts themselves, N of them.
        code_points: All their code points, shape `(C,)`.
        offsets: Shape `(N + 1,)`: text i is `code_points[offsets[i]:offsets[i + 1]]`.
    """

    texts: Sequence[str]
    code_points: NDArray[np.uint32]
    offsets: Ints

    @classmethod
    def of_texts(cls, texts: Sequence[str]) -> "TextBuffer":
        """Lay out `texts`; a lone surrogate is a code point like any other."""
        encoded = "".join(texts).encode("utf-32-le", "surrogatepass")
        lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
        offsets = np.concatenate(([np.int64(0)], np.cumsum(lengths)))
        return cls(texts, np.frombuffer(encoded, dtype="<u4"), offsets)

    @property
    def owners(self) -> Ints:
        """Number of the text to which each code point belongs, shape `(C,)`."""
        return np.repeat(np.arange(len(self.texts)), np.diff(self.offsets))

    @property
    def is_space(self) -> NDArray[np.bool_]:
        """Whether each code point is white space as `str.isspace` has it, shape `(C,)`."""
        return np.strings.isspace(self.code_points.view("<U1"))
