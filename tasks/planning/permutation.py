"""A pseudo-random order of the rows, computed for each row alone."""

import numpy as np
from numpy.typing import NDArray

from tasks.planning.streams import U64, fold

_NUM_ROUNDS = 6


def permute(rows: NDArray[np.int64], *, size: int, key: U64) -> NDArray[np.int64]:
    """Map row numbers to their places under a keyed permutation of `[0, size)`.

    A Feistel network permutes the next power of four; a value outside `[0, size)` is permuted
    again until it falls inside (cycle walking), which keeps the map a bijection. Time and memory
    are those of `rows`.

    Args:
        rows: Numbers in [0, size), any shape.
        size: Size of the permuted range, in [0, 2^62].
        key: Chooses the permutation.

    Returns:
        Numbers in [0, size), the shape of `rows`.

    Raises:
        ValueError: If a row lies outside [0, size).

    References:
        Luby and Rackoff, SIAM J. Comput. 1988, https://doi.org/10.1137/0217022;
        Black and Rogaway, CT-RSA 2002, https://doi.org/10.1007/3-540-45760-7_9 (cycle walking).
    """
    if rows.size and (rows.min() < 0 or rows.max() >= size):
        raise ValueError(f"rows must lie in [0, {size})")
    half_bits = max(1, ((size - 1).bit_length() + 1) // 2)
    round_keys = fold(key, np.arange(_NUM_ROUNDS))
    places = _feistel(rows.astype(np.uint64), half_bits=half_bits, round_keys=round_keys)
    while (outside := places >= size).any():
        places[outside] = _feistel(places[outside], half_bits=half_bits, round_keys=round_keys)
    return places.astype(np.int64)


def _feistel(values: U64, *, half_bits: int, round_keys: U64) -> U64:
    mask, shift = np.uint64((1 << half_bits) - 1), np.uint64(half_bits)
    left, right = values >> shift, values & mask
    for round_key in round_keys:
        left, right = right, left ^ (fold(round_key, right) & mask)
    return (left << shift) | right
