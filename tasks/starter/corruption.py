"""A small corruption for the denoising texts: slips of the keyboard and lost words."""

import numpy as np

MAX_CHARACTER_RATE = 0.12
MAX_WORD_RATE = 0.08
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours() -> dict[str, str]:
    near: dict[str, str] = {}
    for r, row in enumerate(_ROWS):
        for c, key in enumerate(row):
            beside = row[max(0, c - 1) : c] + row[c + 1 : c + 2]
            above = _ROWS[r - 1][c : c + 2] if r > 0 else ""
            below = _ROWS[r + 1][max(0, c - 1) : c + 1] if r + 1 < len(_ROWS) else ""
            near[key] = beside + above + below
    return near


NEIGHBOURS = _neighbours()
"""Letters beside each letter on an English keyboard, in lower case."""


def corrupt(text: str, *, rng: np.random.Generator) -> str:
    """Damage a text: some letters become a neighbour on the keyboard or vanish, some words vanish.

    The two rates are drawn anew for each text, uniformly: letters up to 12 %, half substituted and
    half deleted; words up to 8 %. The result is empty only if `text` is.

    Args:
        text: Words separated by single spaces.
        rng: Source of the rates and of the places.

    Returns:
        The damaged text; it may by chance equal `text`.
    """
    character_rate, word_rate = rng.random(2) * (MAX_CHARACTER_RATE, MAX_WORD_RATE)
    words = text.split(" ")
    kept = [word for word in words if rng.random() >= word_rate] or words[:1]
    damaged = " ".join(kept)
    draws = rng.random(len(damaged))
    out: list[str] = []
    for character, draw in zip(damaged, draws, strict=True):
        near = NEIGHBOURS.get(character.lower())
        if near is None or draw >= character_rate:
            out.append(character)
        elif draw < character_rate / 2:
            other = near[rng.integers(len(near))]
            out.append(other.upper() if character.isupper() else other)
    result = " ".join("".join(out).split())
    return result or text
