"""Where characters can come to stand side by side and remain the characters that they are."""

from functools import cache

import numpy as np
import regex
from numpy.typing import NDArray

from tasks.noise.batch import TextBatch
from tasks.noise.strings import Ints, Mask
from tasks.noise.units import Units

_OPENS, _BINDS, _PICTURE = 1, 2, 4
# Unicode annex 29: what joins nothing before it unless that binds; what may bind such a code point
# after it (rules GB6, GB9b, GB9c, GB11); what a zero width joiner joins (GB11).
_CLASSES = {
    _OPENS: r"(?V1)[[\p{GCB=XX}\p{GCB=LV}\p{GCB=LVT}]--\s]",
    _BINDS: r"[\p{GCB=PP}\p{GCB=ZWJ}\p{GCB=L}\p{InCB=Linker}]",
    _PICTURE: r"\p{Extended_Pictographic}",
}
# Below the first combining mark a small table does.
_FIRST_COMBINING = 0x300


def are_sound(batch: TextBatch, clusters: Units, picked: Ints) -> Mask:
    """Tell which clusters can be moved, doubled or followed by a letter without joining others.

    Letters, digits, signs and pictures are sound, with their marks; white space, controls, flags,
    lone marks and lone Hangul consonants are not.

    Args:
        batch: The texts.
        clusters: Their clusters.
        picked: Numbers of those asked about, shape `(E,)`.

    Returns:
        Shape `(E,)`.
    """
    opens = _has(batch, clusters.starts[picked], _OPENS)
    return opens & ~_has(batch, clusters.ends[picked] - 1, _BINDS)


def are_pictures(batch: TextBatch, places: Ints) -> Mask:
    """Tell which of the code points at `places` a zero width joiner joins to another."""
    return _has(batch, places, _PICTURE)


def can_meet(batch: TextBatch, lasts: Ints, firsts: Ints) -> Mask:
    """Tell whether each code point of `firsts` stays apart when it follows that of `lasts`."""
    return _has(batch, firsts, _OPENS) & ~_has(batch, lasts, _BINDS)


def keep_apart(picked: Ints, widths: Ints) -> Mask:
    """Choose stretches that do not overlap, from left to right.

    A stretch is left out when the last one kept reaches into it. None is longer than two units, so
    in a chain of stretches of which each reaches into the next, every other one is kept.

    Args:
        picked: First unit of each stretch, ascending, shape `(E,)`.
        widths: How many units each takes, 1 or 2, shape `(E,)`.

    Returns:
        Which stretches are kept, shape `(E,)`.
    """
    is_head = np.ones(picked.size, np.bool_)
    is_head[1:] = picked[1:] >= picked[:-1] + widths[:-1]
    numbers = np.arange(picked.size)
    heads = np.maximum.accumulate(np.where(is_head, numbers, 0))
    return np.asarray((numbers - heads) % 2 == 0)


def _has(batch: TextBatch, places: Ints, flag: int) -> Mask:
    codes = batch.code_points[places]
    limit = _FIRST_COMBINING if not codes.size or codes.max() < _FIRST_COMBINING else 0x110000
    return (_classes(limit).take(codes) & flag).astype(np.bool_)


@cache
def _classes(limit: int) -> NDArray[np.uint8]:
    """Return the classes of all code points below `limit`, one bit each."""
    surrogates = range(0xD800, 0xE000)
    every = "".join(chr(code) for code in range(limit) if code not in surrogates)
    table = np.zeros(limit, np.uint8)
    for flag, pattern in _CLASSES.items():
        table[[ord(char) for char in regex.findall(pattern, every)]] |= flag
    return table
