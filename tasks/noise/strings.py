"""Many strings as one array of code points: what the noise stage computes on instead of `str`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[np.uint32]
Mask = NDArray[np.bool_]

_FIRST_NON_ASCII = 0x80
_UTF8_STEPS = (0x80, 0x800, 0x10000)
_MOST_BYTES = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Strings:
    """S strings laid end to end.

    Args:
        code_points: All their code points, shape `(C,)`.
        offsets: Shape `(S + 1,)`: string i is `code_points[offsets[i]:offsets[i + 1]]`.
    """

    code_points: Codes
    offsets: Ints

    def __len__(self) -> int:
        """Return the number of strings."""
        return self.offsets.size - 1

    @property
    def lengths(self) -> Ints:
        """Code points of each string, shape `(S,)`."""
        return np.diff(self.offsets)

    @classmethod
    def of(cls, strings: Sequence[str] | pa.StringArray | pa.ChunkedArray) -> "Strings":
        """Lay out strings.

        Args:
            strings: Python's or Arrow's; none null.

        Raises:
            ValueError: If one is null, or cannot be written in UTF-8 (a lone surrogate).
        """
        array = strings if isinstance(strings, pa.Array) else _one_array(strings)
        if array.null_count:
            raise ValueError(f"{array.null_count} of {len(array)} strings are null")
        if not len(array):
            return cls.empty(0)
        _, offsets_buffer, data_buffer = array.cast(pa.string()).buffers()
        offsets = np.frombuffer(offsets_buffer, np.int32)[array.offset :][: len(array) + 1]
        data = np.frombuffer(data_buffer or b"", np.uint8)[offsets[0] : offsets[-1]]
        if not data.size or data.max() < _FIRST_NON_ASCII:
            return cls(data.astype(np.uint32), (offsets - offsets[0]).astype(np.int64))
        codes = np.frombuffer(data.tobytes().decode("utf-8").encode("utf-32-le"), "<u4")
        return cls(codes, offsets_of(pc.utf8_length(array).to_numpy()))

    @classmethod
    def empty(cls, num: int) -> "Strings":
        """Return `num` empty strings."""
        return cls(np.empty(0, np.uint32), np.zeros(num + 1, np.int64))

    @classmethod
    def of_singles(cls, code_points: Codes) -> "Strings":
        """Return one string for each code point, shape `(S,)`."""
        return cls(code_points, np.arange(code_points.size + 1))

    def to_arrow(self) -> pa.StringArray:
        """Return the strings as Arrow keeps them.

        Raises:
            ValueError: If they take 2 GiB or more of UTF-8.
        """
        ends, longer = self.offsets, np.flatnonzero(self.code_points >= _FIRST_NON_ASCII)
        if longer.size:
            text = self.code_points.tobytes().decode("utf-32-le")
            data = np.frombuffer(text.encode("utf-8"), np.uint8)
            more_bytes = offsets_of(_utf8_lengths(self.code_points[longer]) - 1)
            ends = ends + more_bytes[np.searchsorted(longer, ends)]
        else:
            data = self.code_points.astype(np.uint8)
        if data.size > _MOST_BYTES:
            raise ValueError(f"{data.size} bytes of text in one batch: make the shards smaller")
        buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(data)]
        return pa.StringArray.from_buffers(len(self), buffers[1], buffers[2])

    def slices(self, starts: Ints, ends: Ints) -> "Strings":
        """Cut strings out of the code points, whatever string they stand in.

        Args:
            starts: First code point of each, shape `(E,)`.
            ends: One past its last, shape `(E,)`.
        """
        lengths = ends - starts
        return Strings(self.code_points[ranges(starts, lengths)], offsets_of(lengths))

    def take(self, places: Ints) -> "Strings":
        """Return the strings at `places`, shape `(E,)`, in that order; repeats are allowed."""
        return self.slices(self.offsets[places], self.offsets[places + 1])

    def followed_by(self, others: "Strings") -> "Strings":
        """Join each string to the one at the same place in `others`, which has as many."""
        both = concatenate([self, others])
        order = np.arange(2 * len(self)).reshape(2, -1).T.ravel()
        return Strings(both.take(order).code_points, self.offsets + others.offsets)


def concatenate(parts: Sequence[Strings]) -> Strings:
    """Return the strings of every part, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Strings.empty(0)
    lengths = np.concatenate([part.lengths for part in parts])
    return Strings(np.concatenate([part.code_points for part in parts]), offsets_of(lengths))


def offsets_of(lengths: NDArray[np.integer | np.bool_]) -> Ints:
    """Return where each of several stretches begins when laid end to end, and the total last."""
    offsets = np.empty(lengths.size + 1, np.int64)
    offsets[0] = 0
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """Return the integers of all the ranges `start .. start + length - 1`, one after the other."""
    firsts = offsets_of(lengths)
    if firsts[-1] == starts.size and (lengths == 1).all():
        return starts
    return np.repeat(starts - firsts[:-1], lengths) + np.arange(firsts[-1])


def _one_array(strings: Sequence[str] | pa.ChunkedArray) -> pa.StringArray:
    if isinstance(strings, pa.ChunkedArray):
        return strings.combine_chunks()
    return pa.array(strings, pa.string())


def _utf8_lengths(code_points: Codes) -> NDArray[np.int8]:
    lengths = np.ones(code_points.size, np.int8)
    for step in _UTF8_STEPS:
        lengths += code_points >= step
    return lengths
