"""Words in the wrong order."""

import numpy as np

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.lexicon import changes
from tasks.noise.splices import Splices
from tasks.noise.strings import Ints, concatenate
from tasks.noise.units import find_words


def word_swap(batch: TextBatch, dice: Dice) -> Splices:
    """Exchange words and the next one, the white space between them staying where it is.

    From left to right, each word that has a next one and was not just moved is exchanged with
    the text's rate as its probability. Two equal words make no edit.

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Wei and Zou, EDA, EMNLP 2019 (random swap, there of any two words).
        https://arxiv.org/abs/1901.11196
    """
    words = find_words(batch)
    has_next = np.ones(len(words), np.bool_)
    has_next[words.offsets[1:][np.diff(words.offsets) > 0] - 1] = False
    first = every_other(dice.hits(words, among=has_next))
    starts, ends = words.starts[first], words.ends[first + 1]
    seconds = batch.strings.slices(words.starts[first + 1], ends)
    gaps = batch.strings.slices(words.ends[first], words.starts[first + 1])
    firsts = batch.strings.slices(starts, words.ends[first])
    order = np.arange(3 * first.size).reshape(3, -1).T.ravel()
    pieces = concatenate([seconds, gaps, firsts]).take(order)
    afters = type(pieces)(pieces.code_points, pieces.offsets[::3])
    return changes(batch, Splices(words.rows_of(first), starts, ends, afters))


def every_other(hits: Ints) -> Ints:
    """Keep the first, third, fifth of each run of consecutive numbers: no two are neighbours.

    Args:
        hits: Ascending numbers.
    """
    places = np.arange(hits.size)
    begins = np.ones(hits.size, np.bool_)
    begins[1:] = np.diff(hits) > 1
    first_of_run = np.maximum.accumulate(np.where(begins, places, 0))
    return np.asarray(hits[(places - first_of_run) % 2 == 0])
