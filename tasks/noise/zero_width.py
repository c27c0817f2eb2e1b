"""Characters that cannot be seen."""

import numpy as np

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.seams import are_pictures, are_sound
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings
from tasks.noise.units import find_clusters

INVISIBLE = "\u200b\u200c\u200d\u2060"
"""Zero width space, non-joiner and joiner, and the word joiner."""


def zero_width(batch: TextBatch, dice: Dice) -> Splices:
    """Put an invisible character between two of a word, at each place with the text's rate.

    The units are grapheme clusters; a place is known by the one before it, and white space, lone
    marks and halves of flags stand at none. Each of `INVISIBLE` is equally likely. The joiner and
    the non-joiner become part of the cluster before them, the two others are clusters of their own.
    No place lies before a picture, where the joiner would make one emoji of two.

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Boucher et al., IEEE S&P 2022, invisible characters. https://arxiv.org/abs/2106.09898
    """
    clusters = find_clusters(batch)
    lefts = dice.hits(clusters)
    lefts = lefts[lefts + 1 < clusters.offsets[clusters.rows_of(lefts) + 1]]
    fits = are_sound(batch, clusters, lefts) & are_sound(batch, clusters, lefts + 1)
    lefts = lefts[fits & ~are_pictures(batch, clusters.starts[lefts + 1])]
    which = dice.choices(clusters, lefts, len(INVISIBLE))
    codes = np.array([ord(char) for char in INVISIBLE], np.uint32)
    places = clusters.ends[lefts]
    return Splices(clusters.rows_of(lefts), places, places, Strings.of_singles(codes[which]))
