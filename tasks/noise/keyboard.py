"""Slips of the finger: a letter or digit becomes its neighbour on the keyboard."""

from collections.abc import Mapping, Sequence
from functools import cache

from schemas.noise_characters import Layout
from tasks.noise.alternatives import Alternatives, replace_characters
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices

_LETTERS: Mapping[Layout, Sequence[str]] = {
    "qwerty": ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    "qwertz": ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "azerty": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
}
_DIGITS = "1234567890"


def neighbours_on(layout: Layout) -> dict[str, str]:
    """Return the keys that touch each key: letters touch letters, digits touch digits.

    Each row of letters stands half a key to the right of the one above it, so the key in column c
    touches c and c + 1 above, c - 1 and c below. A capital touches capitals.

    Args:
        layout: Which keyboard.
    """
    rows = _LETTERS[layout]
    touching: dict[str, str] = {}
    for row, keys in enumerate(rows):
        for column, key in enumerate(keys):
            places = [(row, -1), (row, 1), (row - 1, 0), (row - 1, 1), (row + 1, -1), (row + 1, 0)]
            found = (_key_at(rows, r, column + shift) for r, shift in places)
            touching[key] = "".join(found)
            touching[key.upper()] = touching[key].upper()
    for column, key in enumerate(_DIGITS):
        touching[key] = _DIGITS[max(column - 1, 0) : column] + _DIGITS[column + 1 : column + 2]
    return touching


def keyboard(batch: TextBatch, dice: Dice, *, layout: Layout) -> Splices:
    """Replace letters and digits by a neighbour, each with the text's rate as its probability.

    The units are the keys of the layout that stand alone: a letter that carries a combining mark is
    left as it is. Every neighbour is equally likely; upper case stays upper case.

    Args:
        batch: The texts.
        dice: The draws.
        layout: Which keyboard.

    References:
        Belinkov and Bisk, ICLR 2018, the "keyboard" noise. https://arxiv.org/abs/1711.02173
    """
    return replace_characters(batch, dice, _alternatives(layout))


@cache
def _alternatives(layout: Layout) -> Alternatives:
    return Alternatives.of(neighbours_on(layout))


def _key_at(rows: Sequence[str], row: int, column: int) -> str:
    inside = 0 <= row < len(rows) and 0 <= column < len(rows[row])
    return rows[row][column] if inside else ""
