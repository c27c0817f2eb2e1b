"""Fillers of speech."""

import numpy as np

from schemas.noise_words import Filler
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings
from tasks.noise.units import find_words


def filler(batch: TextBatch, dice: Dice, step: Filler) -> Splices:
    """Put a filler between two words, in each gap with the text's rate as its probability.

    It stands right after the left word, a space before it. All fillers are equally likely.

    Args:
        batch: The texts.
        dice: The draws.
        step: The fillers.

    References:
        Filled pauses and discourse markers: Shriberg, Preliminaries to a theory of speech
        disfluencies, Berkeley 1994.
    """
    words = find_words(batch)
    has_next = np.ones(len(words), np.bool_)
    has_next[words.offsets[1:][np.diff(words.offsets) > 0] - 1] = False
    left = dice.hits(words, among=has_next)
    which = dice.choices(words, left, len(step.fillers))
    afters = Strings.of([f" {name}" for name in step.fillers]).take(which)
    places = words.ends[left]
    return Splices(words.rows_of(left), places, places, afters)
