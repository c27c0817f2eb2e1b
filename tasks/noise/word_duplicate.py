"""Words written twice."""

import numpy as np

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings
from tasks.noise.units import find_words


def word_duplicate(batch: TextBatch, dice: Dice) -> Splices:
    """Write words twice, each with the text's rate, a space between.

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Repetition as a disfluency: Shriberg, Preliminaries to a theory of speech disfluencies,
        Berkeley 1994. Repetition as augmentation: Wu et al., ESimCSE, COLING 2022.
        https://arxiv.org/abs/2109.04380
    """
    words = find_words(batch)
    doubled = dice.hits(words)
    ends = words.ends[doubled]
    copies = batch.strings.slices(words.starts[doubled], ends)
    spaces = Strings.of_singles(np.full(doubled.size, ord(" "), np.uint32))
    return Splices(words.rows_of(doubled), ends, ends, spaces.followed_by(copies))
