"""Counter-based randomness: a number is a function of its key, never of what was drawn before.

A key is built from (seed, row, attempt, stage) by chaining SplitMix64's finaliser; the step is the
counter. No state is shared between rows, so batch size, order, shards and workers cannot change
what a row draws. The finaliser is the variant 13 of Stafford, the one that SplitMix64 uses (Steele,
Lea and Flood, OOPSLA 2014, https://doi.org/10.1145/2660193.2660195); each step adds the odd
constant of the golden ratio.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

GOLDEN = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB

U64 = NDArray[np.uint64]


class Stream(IntEnum):
    """What a row draws randomness for; the numbers are part of every key and never change."""

    ATTRIBUTES = 1
    EXAMPLES = 2
    GENERATION = 3
    NOISE_PICK = 4
    NOISE = 5
    SPLIT = 6
    SCRIPT = 7
    TEMPLATE = 8
    PLAN = 9
    CORRUPT = 10
    RETRY = 20


def mix(values: U64) -> U64:
    """Apply SplitMix64's finaliser to every element: a bijection of the 64-bit integers."""
    with np.errstate(over="ignore"):
        z = values + np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(MIX_1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(MIX_2)
        return z ^ (z >> np.uint64(31))


def fold(key: U64, value: ArrayLike) -> U64:
    """Derive a key from a key and a number: `mix(mix(key) + value)`, broadcast."""
    with np.errstate(over="ignore"):
        return mix(mix(key) + np.asarray(value).astype(np.uint64))


def row_keys(seed: int, rows: ArrayLike, attempts: ArrayLike, stream: Stream) -> U64:
    """Return the key of each row's stream.

    Args:
        seed: The recipe's seed, in [0, 2^63).
        rows: Row numbers, any shape.
        attempts: Attempt numbers, of a shape that broadcasts with `rows`.
        stream: What the randomness is for.

    Returns:
        Unsigned 64-bit keys in the broadcast shape.
    """
    base = fold(np.asarray(seed, dtype=np.uint64), int(stream))
    return fold(fold(base, rows), attempts)


def uniforms(keys: U64, steps: ArrayLike) -> NDArray[np.float64]:
    """Draw one number in the open interval (0, 1) for each key and step, broadcast.

    The upper 52 bits are used and half a unit is added, so neither 0 nor 1 occurs.
    """
    bits = fold(keys, steps) >> np.uint64(12)
    return (bits.astype(np.float64) + 0.5) * 2.0**-52


def row_seed(seed: int, row: int, attempt: int) -> int:
    """Return a row's own seed for generation, in [0, 2^63): what the `seed` column states."""
    key = row_keys(seed, np.int64(row), np.int64(attempt), Stream.GENERATION)
    return int(key) >> 1
