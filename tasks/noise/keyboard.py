"""Slips of the finger: a letter or digit becomes its neighbour on a QWERTY keyboard."""

import numpy as np

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings, offsets_of
from tasks.noise.units import find_clusters

_LETTERS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_DIGITS = "1234567890"


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

_NUM_KEYS = 128
_TOUCHING = [[ord(other) for other in NEIGHBOURS.get(chr(code), "")] for code in range(_NUM_KEYS)]
# The last entry stands for every code point beyond ASCII.
_NUM_TOUCHING = np.array([*map(len, _TOUCHING), 0])
_FIRST_TOUCHING = offsets_of(_NUM_TOUCHING)
_ALL_TOUCHING = np.array([other for others in _TOUCHING for other in others], np.uint32)


def keyboard(batch: TextBatch, dice: Dice) -> Splices:
    """Replace letters and digits by a neighbour, each with the text's rate as its probability.

    The units are the letters and digits of ASCII that stand alone: one that carries a combining
    mark is left as it is. Every neighbour is equally likely; upper case stays upper case.

    Args:
        batch: The texts.
        dice: The draws.
    """
    clusters = find_clusters(batch)
    hits = dice.hits(clusters)
    starts, ends = clusters.starts[hits], clusters.ends[hits]
    keys = np.minimum(batch.code_points[starts], _NUM_KEYS)
    is_key = (ends - starts == 1) & (_NUM_TOUCHING[keys] > 0)
    slips, keys = hits[is_key], keys[is_key]
    which = dice.choices(clusters, slips, _NUM_TOUCHING[keys])
    return Splices(
        clusters.rows_of(slips),
        starts[is_key],
        ends[is_key],
        Strings.of_singles(_ALL_TOUCHING[_FIRST_TOUCHING[keys] + which]),
    )
