"""Characters in the wrong order."""

import numpy as np

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.seams import are_sound, keep_apart
from tasks.noise.splices import Splices
from tasks.noise.strings import Ints, Mask, Strings
from tasks.noise.units import Units, find_clusters


def char_swap(batch: TextBatch, dice: Dice) -> Splices:
    """Swap neighbours within words, each pair with the text's rate as its probability.

    The units are grapheme clusters: a letter goes with its marks, an emoji as a whole. A pair is
    known by its left character. Of two chosen pairs that share a character the left one is swapped,
    so no character wanders. Two that are the same stay, and so do pairs with a part that would join
    a neighbour (a lone half of a flag).

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Belinkov and Bisk, ICLR 2018, the "swap" noise. https://arxiv.org/abs/1711.02173
    """
    clusters = find_clusters(batch)
    lefts = dice.hits(clusters)
    rows = clusters.rows_of(lefts)
    # The last character of a text has no neighbour.
    has_right = np.flatnonzero(lefts + 1 < clusters.offsets[rows + 1])
    lefts, rows = lefts[has_right], rows[has_right]
    can_swap = are_sound(batch, clusters, lefts) & are_sound(batch, clusters, lefts + 1)
    can_swap &= ~_are_same(batch, clusters, lefts)
    lefts, rows = lefts[can_swap], rows[can_swap]
    kept = keep_apart(lefts, np.full(lefts.size, 2))
    lefts, rows = lefts[kept], rows[kept]
    starts, middles, ends = clusters.starts[lefts], clusters.ends[lefts], clusters.ends[lefts + 1]
    if (ends - starts == 2).all():
        pairs = np.stack([batch.code_points[middles], batch.code_points[starts]], axis=1)
        return Splices(rows, starts, ends, Strings(pairs.ravel(), np.arange(lefts.size + 1) * 2))
    strings = batch.strings
    afters = strings.slices(middles, ends).followed_by(strings.slices(starts, middles))
    return Splices(rows, starts, ends, afters)


def _are_same(batch: TextBatch, clusters: Units, lefts: Ints) -> Mask:
    """Tell which clusters equal the one after them, shape `(E,)`."""
    starts, middles, ends = clusters.starts[lefts], clusters.ends[lefts], clusters.ends[lefts + 1]
    lengths = middles - starts
    are_same = (batch.code_points[starts] == batch.code_points[middles]) & (
        ends - middles == lengths
    )
    longer = np.flatnonzero(are_same & (lengths > 1))
    for pair in longer.tolist():
        left = batch.code_points[starts[pair] : middles[pair]]
        are_same[pair] = (left == batch.code_points[middles[pair] : ends[pair]]).all()
    return np.asarray(are_same)
