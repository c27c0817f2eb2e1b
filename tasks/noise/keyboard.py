"""Slips of the finger: a letter or digit becomes its neighbour on a QWERTY keyboard."""

import numpy as np

from schemas.noise import Keyboard
from tasks.noise.buffers import TextBuffer
from tasks.noise.splices import Splices
from tasks.noise.units import find_clusters
from tasks.planning.streams import U64, fold

_LETTERS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_DIGITS = "1234567890"
_WHETHER, _WHICH = 0, 1


def _neighbours() -> dict[str, str]:
    """Return the keys that touch each key: letters touch letters, digits touch digits.

    Each row of letters stands half a key to the right of the one above it, so the key in column c
    touches c and c + 1 above, c - 1 and c below.
    """
    touching: dict[str, str] = {}
    for row, keys in enumerate(_LETTERS):
        for column, key in enumerate(keys):
            places = [(row, -1), (row, 1), (row - 1, 0), (row - 1, 1), (row + 1, -1), (row + 1, 0)]
            found = (_key_at(r, column + shift) for r, shift in places)
            touching[key] = "".join(found)
            touching[key.upper()] = touching[key].upper()
    for column, key in enumerate(_DIGITS):
        touching[key] = _DIGITS[max(column - 1, 0) : column] + _DIGITS[column + 1 : column + 2]
    return touching


def _key_at(row: int, column: int) -> str:
    inside = 0 <= row < len(_LETTERS) and 0 <= column < len(_LETTERS[row])
    return _LETTERS[row][column] if inside else ""


NEIGHBOURS = _neighbours()
"""Keys that touch each letter (of the same case) and digit."""

_NUM_NEIGHBOURS = np.array([len(NEIGHBOURS.get(chr(code), "")) for code in range(128)])


def keyboard(buffer: TextBuffer, keys: U64, step: Keyboard) -> Splices:
    """Replace letters and digits by a neighbour, each with probability `step.rate`.

    The units are the letters and digits of ASCII that stand alone: one that carries a combining
    mark is left as it is. Every neighbour is equally likely; upper case stays upper case.

    Args:
        buffer: The texts.
        keys: One key a text for this step, shape `(N,)`.
        step: The rate.
    """
    clusters = find_clusters(buffer)
    codes = buffer.code_points[clusters.starts]
    is_key = (clusters.ends - clusters.starts == 1) & (codes < _NUM_NEIGHBOURS.size)
    is_key[is_key] = _NUM_NEIGHBOURS[codes[is_key]] > 0
    slips = np.flatnonzero(is_key & (clusters.draws(fold(keys, _WHETHER)) < step.rate))
    which = clusters.draws(fold(keys, _WHICH))[slips] * _NUM_NEIGHBOURS[codes[slips]]
    afters = [
        NEIGHBOURS[chr(code)][choice]
        for code, choice in zip(codes[slips].tolist(), which.astype(int).tolist(), strict=True)
    ]
    return Splices(clusters.owners[slips], clusters.starts[slips], clusters.ends[slips], afters)
